//! A lead in the making: facts, class and judgement, of which one field after the other is set by its path. What goes together,
//! whoever sets them knows.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{super::tree::Node, values::Known};
use crate::{
    lead::{Classified, Consent, EmailKind, Facts, Identity, Referral, Seniority, Timestamp, Verdict, Vocabulary},
    pipeline::countries,
    rules::Policy,
    tables::Offer,
};

/// A lead in the making.
pub(super) struct Draft<'r> {
    pub(super) facts: Facts<'static>,
    pub(super) class: Classified,
    pub(super) total: i64,
    /// Fit and intent.
    pub(super) halves: [Option<i64>; 2],
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<&'r str>,
    pub(super) campaign: Option<String>,
    /// Columns of the row of `accounts`, if there is one.
    pub(super) account: Option<BTreeMap<String, String>>,
    pub(super) offer: Option<Offer>,
}

const HOUR: i64 = 3_600_000_000;

fn word<V: Vocabulary>(value: &Known) -> Option<V> {
    if let Known::Word(word) = value { V::from_name(word) } else { None }
}

impl Draft<'_> {
    pub(super) fn set(&mut self, name: &str, value: &Known, policy: &Policy) {
        let facts = &mut self.facts;
        let contact = &mut facts.contact;
        match (name, value) {
            (_, Known::Time(time)) => self.set_time(name, *time),
            ("score.total", Known::Int(total)) => self.total = *total,
            ("score.fit", Known::Int(fit)) => self.halves[0] = Some(*fit),
            ("score.intent", Known::Int(intent)) => self.halves[1] = Some(*intent),
            ("verdict", _) => self.verdict = word(value).unwrap_or(self.verdict),
            ("contact.country", Known::Text(code)) => {
                contact.country = countries().map(|(known, _)| known).find(|known| **known == **code);
                contact.country_raw = Some(code.to_string().into());
            }
            ("contact.region", _) => contact.region = word(value).unwrap_or(contact.region),
            ("contact.email_kind", _) => {
                contact.email_kind = word(value).unwrap_or(contact.email_kind);
                if contact.email_kind == EmailKind::Unknown {
                    contact.email_domain = None;
                }
            }
            ("contact.email_domain", Known::Null) => (contact.email_domain, contact.email_kind) = (None, EmailKind::Unknown),
            ("contact.seniority", _) => {
                contact.seniority = word(value).unwrap_or(contact.seniority);
                if contact.seniority != Seniority::Unknown {
                    contact.title.get_or_insert_with(|| contact.seniority.name().into());
                }
            }
            ("consent.share", _) => self.class.consent.share = word(value).unwrap_or(Consent::Unknown),
            ("consent.marketing", _) => self.class.consent.marketing = word(value).unwrap_or(Consent::Unknown),
            ("source.format", _) => facts.format = word(value).unwrap_or(facts.format),
            ("suppressed_by", Known::Word(scope)) => facts.suppressed_by = Some(scope),
            ("is_test", Known::Bool(truth)) => facts.is_test = *truth,
            ("is_spam", Known::Bool(truth)) => facts.is_spam = *truth,
            ("needs_hydration", Known::Bool(truth)) => facts.needs_hydration = *truth,
            ("reachable", Known::Bool(true)) if contact.email_domain.is_none() => contact.phone_raw = Some("+1 425 555 0100".into()),
            ("reachable", Known::Bool(false)) => (contact.email_domain, contact.phone_raw) = (None, None),
            ("own_domain", Known::Bool(true)) => contact.email_domain = policy.own_domains.first().map(|own| own.clone().into()),
            ("account", Known::Row) => _ = self.account.get_or_insert_default(),
            ("referral", Known::Row) => _ = facts.referral.get_or_insert_default(),
            ("referral.deal_value", Known::Double(value)) => facts.referral.get_or_insert_default().deal_value = Some(*value),
            ("source.partition", Known::Int(number)) => facts.at.partition.number = i32::try_from(*number).unwrap_or_default(),
            ("source.offset", Known::Int(number)) => facts.at.offset = *number,
            ("source.index", Known::Int(number)) => facts.index = u32::try_from(*number).unwrap_or_default(),
            (_, Known::Text(text)) => self.set_text(name, text),
            // What lies in a record goes with it.
            (_, Known::Null) if !name.starts_with("referral.") => {
                if let Some(text) = self.text(name) {
                    *text = None;
                }
            }
            _ => {}
        }
    }

    fn set_text(&mut self, name: &str, text: &str) {
        let owned = || text.to_owned();
        match (name, &mut self.offer) {
            ("lead_id", _) => self.facts.lead_id = identity(text),
            ("person_key", _) => self.facts.person_key = Some(identity(text)),
            ("source.topic", _) => self.facts.at.partition.topic = Arc::from(text),
            ("offer.title", Some(offer)) => offer.title = Some(owned()),
            ("offer.publisher_id", Some(offer)) => offer.publisher_id = owned(),
            ("offer.offer_id", Some(offer)) => offer.offer_id = owned(),
            ("account.domain", _) => {
                self.account.get_or_insert_default();
                self.facts.contact.email_domain = Some(owned().into());
            }
            _ if name.starts_with("account.") => self.set_column(name, text),
            _ => {
                if let Some(slot) = self.text(name) {
                    *slot = Some(owned().into());
                }
            }
        }
    }

    /// A column of the row of a table.
    pub(super) fn set_column(&mut self, name: &str, text: &str) {
        match (name.split_once('.'), &mut self.offer) {
            (Some(("account", column)), _) => _ = self.account.get_or_insert_default().insert(column.to_owned(), text.to_owned()),
            (Some((_, column)), Some(offer)) => _ = offer.columns.insert(column.to_owned(), text.to_owned()),
            _ => {}
        }
    }

    /// An entry of a map.
    pub(super) fn set_entry(&mut self, map: &str, key: &str, text: &str) {
        let map = self.map(map);
        let at = map.partition_point(|(known, _)| **known < *key);
        map.insert(at, (key.to_owned().into(), text.to_owned().into()));
    }

    pub(super) fn time(&self, name: &str) -> Timestamp {
        let facts = &self.facts;
        match name {
            "event_time" => facts.event_time,
            "received_at" => facts.received_at,
            _ => facts.referral.as_ref().and_then(|referral| referral.expires_at).unwrap_or(facts.received_at),
        }
    }

    pub(super) fn set_time(&mut self, name: &str, time: Timestamp) {
        match name {
            "event_time" => self.facts.event_time = time,
            "received_at" => self.facts.received_at = time,
            _ => self.facts.referral.get_or_insert_default().expires_at = Some(time),
        }
    }

    /// Gives a text so many letters, or a map so many keys.
    pub(super) fn set_size(&mut self, of: &Node, size: usize) {
        let Node::Field(field) = of else { return };
        if matches!(field.path, "attribution" | "extra") {
            let map = self.map(field.path);
            map.extend((map.len()..size).map(|number| (format!("zz{number:05}").into(), "x".into())));
        } else if let Some(slot) = self.text(field.path) {
            let mut text = slot.take().unwrap_or_default().into_owned();
            text.extend((text.chars().count()..size).map(|_| 'x'));
            *slot = Some(text.into());
        }
    }

    /// Puts so much time between two times.
    pub(super) fn set_between(&mut self, left: &Node, right: &Node, micros: i64) {
        let (Node::Field(left), Node::Field(right)) = (left, right) else { return };
        // A referral's end is moved first, an event last: against that dates are held.
        let rank = |name: &str| ["event_time", "received_at", "referral.expires_at"].iter().position(|known| *known == name);
        let (moved, by, from) = if rank(left.path) > rank(right.path) { (left, micros, right) } else { (right, -micros, left) };
        self.set_time(moved.path, self.time(from.path).plus_micros(by));
    }

    /// Two values that stand like this to each other: times, and texts that are the same or not.
    pub(super) fn set_pair(&mut self, left: &Node, right: &Node, standing: i64) {
        let (Node::Field(left), Node::Field(right)) = (left, right) else { return };
        let times = ["event_time", "received_at", "referral.expires_at"];
        if times.contains(&left.path) && times.contains(&right.path) {
            // Less: the left one is earlier.
            return self.set_between(&Node::Field(left), &Node::Field(right), (standing - 1) * HOUR);
        }
        let same = standing == 1;
        let word = [left.path, right.path].into_iter().find_map(|name| match name {
            "contact.region" => Some(self.facts.contact.region.name()),
            "storefront" => Some(self.class.storefront.name()),
            _ => None,
        });
        let texts = [word.filter(|_| same).unwrap_or("x"), if same { word.unwrap_or("x") } else { "y" }];
        // One of two that have no order is missing.
        let there = if matches!(standing, 0..=2) { 2 } else { usize::from(standing == 4) };
        for (field, text) in [left, right].into_iter().zip(texts).take(there) {
            self.set_text(field.path, text);
        }
    }

    fn map(&mut self, name: &str) -> &mut Vec<(Cow<'static, str>, Cow<'static, str>)> {
        if name == "extra" { &mut self.facts.extra } else { &mut self.facts.attribution }
    }

    fn text(&mut self, name: &str) -> Option<&mut Option<Cow<'static, str>>> {
        let facts = &mut self.facts;
        let contact = &mut facts.contact;
        Some(match name {
            "source_raw" => &mut facts.source_raw,
            "action_raw" => &mut facts.action_raw,
            "publisher_id" => &mut facts.offer.publisher_id,
            "offer_id" => &mut facts.offer.offer_id,
            "offer_title" => &mut facts.offer.offer_title,
            "offer_raw" => &mut facts.offer.offer_raw,
            "contact.first_name" => &mut contact.first_name,
            "contact.last_name" => &mut contact.last_name,
            "contact.email" => &mut contact.email,
            "contact.email_domain" => &mut contact.email_domain,
            "contact.phone_raw" => &mut contact.phone_raw,
            "contact.phone_e164" => &mut contact.phone_e164,
            "contact.country_raw" => &mut contact.country_raw,
            "contact.company" => &mut contact.company,
            "contact.title" => &mut contact.title,
            "referral.status" => &mut facts.referral.get_or_insert_with(Referral::default).status,
            "referral.substatus" => &mut facts.referral.get_or_insert_with(Referral::default).substatus,
            "referral.deal_currency" => &mut facts.referral.get_or_insert_with(Referral::default).deal_currency,
            "note" => &mut facts.note,
            _ => return None,
        })
    }
}

/// The identity that is written like this; of what is none, some.
fn identity(text: &str) -> Identity {
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate().take(16) {
        *byte = text.get(at * 2..at * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
    }
    Identity::from_digest(&digest)
}

//! A lead made of a model: facts, class and judgement as the rows say, and what they do not say as an ordinary lead has it. What is
//! made is shown to conditions before anything is told of it, so a slip here costs an example and never a wrong word.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    Model, Space, unlisted,
    values::Known,
    variables::{Of, Variable, standing},
};
use crate::{
    lead::{
        Classified, Consent, ConsentFacts, Contact, EmailKind, Facts, Flag, Flags, Format, Identity, OfferFacts, Origin, Partition,
        Position, Qualified, Referral, Region, Score, Seniority, Timestamp, Verdict, Vocabulary,
    },
    rules::{
        Subject,
        condition::{
            evaluate,
            fields::Value,
            tree::{Literal, Node},
        },
    },
    tables::{Offer, TableForm, TableVersions, Tables},
};

type Text = Option<Cow<'static, str>>;

/// A lead in the making.
pub(super) struct Draft<'r> {
    facts: Facts<'static>,
    class: Classified,
    total: i64,
    halves: [Option<i64>; 2],
    verdict: Verdict,
    reasons: Vec<&'r str>,
    campaign: Option<String>,
    account: Option<BTreeMap<String, String>>,
    offer: Option<Offer>,
}

const DOMAIN: &str = "company.example";

static NO_TABLES: TableVersions = TableVersions::new();

/// A storefront lead that can be reached, and no more.
fn ordinary(now: Timestamp) -> Facts<'static> {
    let contact = Contact {
        first_name: None,
        last_name: None,
        email: Some("kim@company.example".into()),
        email_domain: Some(DOMAIN.into()),
        email_kind: EmailKind::Business,
        phone_raw: None,
        phone_e164: None,
        country: None,
        country_raw: None,
        region: Region::Unknown,
        company: None,
        title: None,
        seniority: Seniority::Unknown,
    };
    Facts {
        at: Position { partition: Partition { topic: Arc::from("leads.raw"), number: 0 }, offset: 0 },
        index: 0,
        format: Format::HttpsJson,
        received_at: now,
        event_time: now,
        lead_id: Identity::from_digest(&[0; 32]),
        person_key: None,
        origin: Origin::Storefront,
        source_raw: None,
        action_raw: None,
        contact,
        offer: OfferFacts::default(),
        account: None,
        consent: ConsentFacts { contact: Consent::Granted, share: Consent::Granted, marketing: Consent::Unknown },
        referral: None,
        is_test: false,
        is_spam: false,
        needs_hydration: false,
        suppressed_by: None,
        note: None,
        attribution: Vec::new(),
        extra: Vec::new(),
        flags: Flags::default(),
        tables: &NO_TABLES,
    }
}

impl<'r> Space<'r> {
    /// Gives each variable the row that an ordinary lead has in it.
    pub(super) fn settle_usual_rows(&mut self) {
        let rows: Vec<usize> = self.with_lead(&Model::default(), |subject| {
            self.variables.iter().map(|variable| row_of(variable, subject).unwrap_or(variable.usual)).collect()
        });
        for (variable, row) in self.variables.iter_mut().zip(rows) {
            variable.usual = row;
        }
    }

    /// Shows the lead of this model.
    pub(super) fn with_lead<R>(&self, model: &Model, show: impl FnOnce(&Subject<'_>) -> R) -> R {
        let mut draft = self.draft(model);
        let mut tables = Tables::default();
        if let Some(mut account) = draft.account.take() {
            let domain = draft.facts.contact.email_domain.as_deref().unwrap_or(DOMAIN).to_owned();
            account.insert("domain".to_owned(), domain);
            // A row that the table refuses is no row, which the conditions will see.
            _ = tables.add("accounts", TableForm::Ndjson, &serde_json::json!(account).to_string());
        }
        let offer = draft.offer.take();
        let mut facts: Facts<'_> = draft.facts;
        facts.account = facts.contact.email_domain.as_deref().and_then(|domain| tables.account(domain));
        facts.offer.row = offer.as_ref();
        let [fit, intent] = match draft.halves {
            [Some(fit), Some(intent)] => [fit, intent],
            [Some(fit), None] => [fit, draft.total - fit],
            [None, Some(intent)] => [draft.total - intent, intent],
            [None, None] => [draft.total, 0],
        };
        let score = Score { total: draft.total, fit, intent, parts: Vec::new(), grade: self.rules.scoring.grade(draft.total) };
        let qualified = Qualified { score, verdict: draft.verdict, reasons: draft.reasons, redacted: false };
        show(&Subject {
            facts: &facts,
            class: &draft.class,
            policy: &self.rules.policy,
            qualified: Some(&qualified),
            marketing_campaign: draft.campaign.as_deref(),
        })
    }

    fn draft(&self, model: &Model) -> Draft<'r> {
        let facts = ordinary(self.now);
        let mut draft = Draft {
            class: self.class(0, &facts),
            facts,
            total: 0,
            halves: [None; 2],
            verdict: Verdict::Qualified,
            reasons: Vec::new(),
            campaign: None,
            account: None,
            offer: None,
        };
        self.classify(&mut draft, self.variables.iter().position(|variable| matches!(variable.of, Of::Class)).map_or(0, |at| self.row(at, model)));
        // What is missing last: it takes what lies in it with it.
        let rows = model.rows.iter().filter_map(|(at, row)| Some((*at, self.variables.get(*at)?, *row)));
        for (at, variable, row) in rows {
            for (column, name) in variable.columns.iter().enumerate() {
                let Some(value) = variable.value(row, column) else { continue };
                let features = || unlisted::text_with(self.features(at, model.features.iter().copied()));
                let value = if *value == Known::Unlisted { Known::Text(features().into()) } else { value.clone() };
                self.set(&mut draft, variable, name, value);
            }
        }
        self.mend(&mut draft, model);
        draft
    }

    fn class(&self, row: usize, facts: &Facts<'_>) -> Classified {
        use crate::lead::{Action, Audience, Campaign, Channel, Confidence, Listing, Stage, Storefront};
        let mut class = Classified {
            storefront: Storefront::Unknown,
            channel: Channel::Unknown,
            campaign: Campaign::Unclassified,
            audience: Audience::Unknown,
            listing: Listing::Unknown,
            action: Action::Unknown,
            stage: Stage::Unknown,
            confidence: Confidence::Low,
            consent: facts.consent,
            flags: Flags::default(),
        };
        if let Some(row) = self.classes.get(row) {
            class.storefront = row.storefront;
            class.channel = row.channel;
            class.campaign = row.campaign;
            class.audience = row.audience;
            class.listing = row.listing;
            class.action = row.action;
            class.stage = row.stage;
            class.confidence = row.confidence;
            class.consent.contact = row.consent;
            class.flags.set(Flag::StorefrontInferred, row.is_inferred());
            class.flags.set(Flag::StorefrontUnresolved, row.is_unresolved());
        }
        class
    }

    fn classify(&self, draft: &mut Draft<'r>, row: usize) {
        draft.class = self.class(row, &draft.facts);
        let Some(class) = self.classes.get(row) else { return };
        draft.facts.origin = class.origin;
        draft.facts.consent.contact = class.consent;
        draft.offer = class.offer.map(|(offer_type, listing_option)| Offer {
            publisher_id: "acme".to_owned(),
            offer_id: "planner".to_owned(),
            offer_type,
            listing_option,
            ..Offer::default()
        });
    }

    fn set(&self, draft: &mut Draft<'r>, variable: &Variable<'_>, name: &str, value: Known) {
        match (&variable.of, &value) {
            (Of::Term(Node::Column(..)), Known::Text(text)) => set_column(draft, name, text),
            (Of::Term(Node::Entry(_, key)), Known::Text(text)) => {
                if let Node::Literal(Literal::Text(key)) = &**key {
                    set_key(draft, name, key, text);
                }
            }
            (Of::Key(_, key), Known::Text(text)) => set_key(draft, name, key, text),
            (Of::Flag(flag), Known::Bool(truth)) => draft.facts.flags.set(*flag, *truth),
            (Of::Itself, Known::Bool(true)) => {
                let reasons = self.rules.reasons().filter(|reason| super::variables::name_of_reason(reason) == name);
                draft.reasons.extend(reasons);
            }
            (Of::Campaign, Known::Text(text)) => draft.campaign = Some(text.to_string()),
            (Of::Pair(left, right), Known::Int(standing)) => set_pair(draft, left, right, *standing),
            (Of::Total | Of::Place | Of::Term(Node::Field(_)), _) => set_field(draft, name, value, &self.rules.policy),
            _ => {}
        }
    }
}

fn set_key(draft: &mut Draft<'_>, name: &str, key: &str, text: &str) {
    let map = if name.starts_with("extra") { &mut draft.facts.extra } else { &mut draft.facts.attribution };
    let at = map.partition_point(|(known, _)| **known < *key);
    map.insert(at, (key.to_owned().into(), text.to_owned().into()));
}

fn set_column(draft: &mut Draft<'_>, name: &str, text: &str) {
    match name.split_once('.') {
        Some(("account", column)) => _ = draft.account.get_or_insert_default().insert(column.to_owned(), text.to_owned()),
        Some((_, column)) => {
            if let Some(offer) = &mut draft.offer {
                offer.columns.insert(column.to_owned(), text.to_owned());
            }
        }
        None => {}
    }
}

/// Two times that stand like this to each other.
fn set_pair(draft: &mut Draft<'_>, left: &Node, right: &Node, standing: i64) {
    let (Node::Field(left), Node::Field(right)) = (left, right) else { return };
    let fixed = ["event_time", "received_at"].iter().find(|name| [left.path, right.path].contains(name));
    let Some(fixed) = fixed else { return };
    let at = if *fixed == "event_time" { draft.facts.event_time } else { draft.facts.received_at };
    let (other, sign) = if left.path == *fixed { (right.path, 1) } else { (left.path, -1) };
    // Less: the left one is earlier.
    let moved = Known::Time(at.plus_micros(sign * (1 - standing) * 3_600_000_000));
    draft.set_time(other, &moved);
}

impl Draft<'_> {
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        match name {
            "event_time" => Some(self.facts.event_time),
            "received_at" => Some(self.facts.received_at),
            _ => Some(self.facts.referral.as_ref().and_then(|referral| referral.expires_at).unwrap_or(self.facts.received_at)),
        }
    }

    pub(super) fn set_time(&mut self, name: &str, value: &Known) {
        match (name, value) {
            ("event_time", Known::Time(time)) => self.facts.event_time = *time,
            ("received_at", Known::Time(time)) => self.facts.received_at = *time,
            ("referral.expires_at", Known::Time(time)) => self.facts.referral.get_or_insert_default().expires_at = Some(*time),
            _ => {}
        }
    }

    /// Gives a text so many letters, or a map so many keys.
    pub(super) fn set_size(&mut self, of: &Node, size: i64) {
        let Node::Field(field) = of else { return };
        let letters = |from: i64| (from..size).map(|_| 'x');
        match field.path {
            "attribution" | "extra" => {
                let map = if field.path == "extra" { &mut self.facts.extra } else { &mut self.facts.attribution };
                let known = i64::try_from(map.len()).unwrap_or(i64::MAX);
                map.extend((known..size).map(|number| (format!("zz{number:05}").into(), "x".into())));
            }
            path => {
                if let Some(slot) = text_of(&mut self.facts, path) {
                    let mut text = slot.take().unwrap_or_default().into_owned();
                    text.extend(letters(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)));
                    *slot = Some(text.into());
                }
            }
        }
    }

    /// Puts so much time between two times.
    pub(super) fn set_between(&mut self, left: &Node, right: &Node, micros: i64) {
        let (Node::Field(left), Node::Field(right)) = (left, right) else { return };
        let (moved, by, from) = if left.path == "event_time" { (right, -micros, left) } else { (left, micros, right) };
        if let Some(start) = self.time(from.path) {
            self.set_time(moved.path, &Known::Time(start.plus_micros(by)));
        }
    }
}

fn word<V: Vocabulary>(value: &Known) -> Option<V> {
    if let Known::Word(word) = value { V::from_name(word) } else { None }
}

fn set_field(draft: &mut Draft<'_>, name: &str, value: Known, policy: &crate::rules::Policy) {
    let facts = &mut draft.facts;
    let contact = &mut facts.contact;
    match (name, &value) {
        ("score.total", Known::Int(total)) => draft.total = *total,
        ("score.fit", Known::Int(fit)) => draft.halves[0] = Some(*fit),
        ("score.intent", Known::Int(intent)) => draft.halves[1] = Some(*intent),
        ("verdict", _) => draft.verdict = word(&value).unwrap_or(draft.verdict),
        ("contact.country", Known::Text(code)) => {
            contact.country = crate::pipeline::countries().map(|(known, _)| known).find(|known| **known == **code);
            contact.country_raw = Some(code.to_string().into());
        }
        ("contact.region", _) => contact.region = word(&value).unwrap_or(contact.region),
        ("contact.email_kind", _) => {
            contact.email_kind = word(&value).unwrap_or(contact.email_kind);
            if contact.email_kind == EmailKind::Unknown {
                (contact.email, contact.email_domain) = (None, None);
            }
        }
        ("contact.seniority", _) => {
            contact.seniority = word(&value).unwrap_or(contact.seniority);
            if contact.seniority != Seniority::Unknown {
                contact.title.get_or_insert_with(|| contact.seniority.name().into());
            }
        }
        ("consent.share", _) => draft.class.consent.share = word(&value).unwrap_or(Consent::Unknown),
        ("consent.marketing", _) => draft.class.consent.marketing = word(&value).unwrap_or(Consent::Unknown),
        ("source.format", _) => facts.format = word(&value).unwrap_or(facts.format),
        ("suppressed_by", Known::Word(scope)) => facts.suppressed_by = Some(scope),
        ("is_test", Known::Bool(truth)) => facts.is_test = *truth,
        ("is_spam", Known::Bool(truth)) => facts.is_spam = *truth,
        ("needs_hydration", Known::Bool(truth)) => facts.needs_hydration = *truth,
        ("reachable", Known::Bool(true)) if contact.email_domain.is_none() => contact.phone_raw = Some("+1 425 555 0100".into()),
        ("reachable", Known::Bool(false)) => (contact.email_domain, contact.phone_raw) = (None, None),
        ("own_domain", Known::Bool(true)) => contact.email_domain = policy.own_domains.first().map(|own| own.clone().into()),
        ("contact.email_domain", Known::Null) => (contact.email_domain, contact.email_kind) = (None, EmailKind::Unknown),
        ("account", Known::Row) => _ = draft.account.get_or_insert_default(),
        ("referral", Known::Row) => _ = facts.referral.get_or_insert_default(),
        ("referral.deal_value", Known::Double(value)) => facts.referral.get_or_insert_default().deal_value = Some(*value),
        ("source.partition", Known::Int(number)) => facts.at.partition.number = i32::try_from(*number).unwrap_or_default(),
        ("source.offset", Known::Int(number)) => facts.at.offset = *number,
        ("source.index", Known::Int(number)) => facts.index = u32::try_from(*number).unwrap_or_default(),
        ("source.topic", Known::Text(text)) => facts.at.partition.topic = Arc::from(&**text),
        ("offer.title", Known::Text(text)) => {
            if let Some(offer) = &mut draft.offer {
                offer.title = Some(text.to_string());
            }
        }
        ("offer.publisher_id", Known::Text(text)) => {
            if let Some(offer) = &mut draft.offer {
                offer.publisher_id = text.to_string();
            }
        }
        ("offer.offer_id", Known::Text(text)) => {
            if let Some(offer) = &mut draft.offer {
                offer.offer_id = text.to_string();
            }
        }
        ("account.domain", Known::Text(domain)) => {
            draft.account.get_or_insert_default();
            contact.email_domain = Some(domain.to_string().into());
        }
        (_, Known::Text(text)) if name.starts_with("account.") => set_column(draft, name, &text.clone()),
        (_, Known::Time(_)) => draft.set_time(name, &value),
        (_, Known::Text(text)) => {
            if let Some(slot) = text_of(facts, name) {
                *slot = Some(text.to_string().into());
            }
        }
        (_, Known::Null) => {
            if !name.starts_with("referral.")
                && let Some(slot) = text_of(facts, name)
            {
                *slot = None;
            }
        }
        _ => {}
    }
}

fn text_of<'f>(facts: &'f mut Facts<'static>, name: &str) -> Option<&'f mut Text> {
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

/// The row of a variable in which a lead is, if its values are among those that are told apart.
pub(super) fn row_of(variable: &Variable<'_>, subject: &Subject<'_>) -> Option<usize> {
    let value = match variable.of {
        Of::Term(node) => evaluate::with_value(node, subject, |value| Known::of(value)),
        Of::Pair(left, right) => {
            evaluate::with_value(left, subject, |left| evaluate::with_value(right, subject, |right| standing(left, right)))
        }
        Of::Place => Known::of(subject.facts.contact.country.map_or(Value::Null, Value::Text)),
        Of::Total => Known::Int(subject.qualified.map_or(0, |qualified| qualified.score.total)),
        Of::Campaign => Known::of(subject.marketing_campaign.map_or(Value::Null, Value::Text)),
        Of::Flag(flag) => Known::Bool(subject.facts.flags.contains(flag)),
        Of::Key(map, key) => match (map.read)(subject) {
            Value::Map(entries) => entries.iter().find(|(known, _)| **known == *key).map_or(Known::Error, |(_, text)| Known::Text((**text).into())),
            _ => Known::Error,
        },
        Of::Class | Of::Itself => return None,
    };
    variable.row_with(&value)
}

impl Variable<'_> {
    /// The row of this value, or of one that no test tells from it.
    pub(super) fn row_with(&self, value: &Known) -> Option<usize> {
        let same = |known: &Known| match (known, value) {
            (Known::Word(word), Known::Text(text)) => **word == **text,
            (known, value) => known == value,
        };
        let exact = self.rows.iter().position(|row| row.first().is_some_and(same));
        exact.or_else(|| match value {
            Known::Text(_) => self.unlisted,
            number => {
                let rank = number.rank()?;
                let ranked = || self.rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.first()?.rank()?)));
                // The greatest that is not above it lies between the same numbers; below all of them the least does.
                let below = ranked().filter(|(_, known)| *known <= rank).max_by_key(|(_, known)| *known);
                below.or_else(|| ranked().min_by_key(|(_, known)| *known)).map(|(at, _)| at)
            }
        })
    }
}

//! What is published of a decision, whatever the encoding: each field as subscribers see it, after redaction. The encoders
//! write it and leave nothing out on their own account; what a redacted event must not tell is `redaction`'s.

use std::borrow::Cow;

use crate::lead::{Contact, Decision, Flags, Referral};

use super::redaction::Redaction;

/// A key and its value.
pub(super) type Entry<'d> = (Cow<'d, str>, Cow<'d, str>);

/// One lead as published. An empty text is no text. What no redaction touches is read from the decision.
#[derive(Debug)]
pub(super) struct Published<'d> {
    pub(super) decision: &'d Decision<'d>,
    pub(super) source_raw: Option<&'d str>,
    pub(super) action_raw: Option<&'d str>,
    pub(super) publisher_id: Option<&'d str>,
    pub(super) offer_id: Option<&'d str>,
    pub(super) offer_title: Option<&'d str>,
    pub(super) offer_raw: Option<&'d str>,
    pub(super) contact: PublishedContact<'d>,
    pub(super) referral: Option<PublishedReferral<'d>>,
    pub(super) note: Option<&'d str>,
    pub(super) attribution: Cow<'d, [Entry<'d>]>,
    pub(super) extra: &'d [Entry<'d>],
    pub(super) flags: Flags,
}

/// The entries of a map as texts.
pub(super) fn texts<'e>(entries: &'e [Entry<'_>]) -> impl ExactSizeIterator<Item = (&'e str, &'e str)> + Clone {
    entries.iter().map(|(key, value)| (&**key, &**value))
}

/// The customer as published; kinds and levels are read from the contact.
#[derive(Debug)]
pub(super) struct PublishedContact<'d> {
    pub(super) whole: &'d Contact<'d>,
    pub(super) first_name: Option<&'d str>,
    pub(super) last_name: Option<&'d str>,
    pub(super) email: Option<&'d str>,
    pub(super) email_domain: Option<&'d str>,
    pub(super) phone_raw: Option<&'d str>,
    pub(super) phone_e164: Option<&'d str>,
    pub(super) country_raw: Option<&'d str>,
    pub(super) company: Option<&'d str>,
    pub(super) title: Option<&'d str>,
}

/// The referral as published; its time and value are read from the referral.
#[derive(Debug)]
pub(super) struct PublishedReferral<'d> {
    pub(super) whole: &'d Referral<'d>,
    pub(super) status: Option<&'d str>,
    pub(super) substatus: Option<&'d str>,
    pub(super) deal_currency: Option<&'d str>,
}

impl<'d> Published<'d> {
    pub(super) fn of(decision: &'d Decision<'d>) -> Self {
        let facts = decision.facts;
        let redaction = Redaction::of(decision);
        // What may be published unless it tells the person, and what is the person's own.
        let text = |field: &'d Option<Cow<'d, str>>| redaction.filter(field.as_deref()).filter(|text| !text.is_empty());
        let personal = |field: &'d Option<Cow<'d, str>>| field.as_deref().filter(|text| !redaction.redacts() && !text.is_empty());
        let contact = &facts.contact;
        Self {
            decision,
            source_raw: text(&facts.source_raw),
            action_raw: text(&facts.action_raw),
            publisher_id: text(&facts.offer.publisher_id),
            offer_id: text(&facts.offer.offer_id),
            offer_title: text(&facts.offer.offer_title),
            offer_raw: text(&facts.offer.offer_raw),
            contact: PublishedContact {
                whole: contact,
                first_name: personal(&contact.first_name),
                last_name: personal(&contact.last_name),
                email: personal(&contact.email),
                email_domain: contact.email_domain.as_deref().filter(|text| !text.is_empty()),
                phone_raw: personal(&contact.phone_raw),
                phone_e164: personal(&contact.phone_e164),
                country_raw: text(&contact.country_raw),
                company: text(&contact.company),
                title: text(&contact.title),
            },
            referral: facts.referral.as_ref().map(|referral| PublishedReferral {
                whole: referral,
                status: text(&referral.status),
                substatus: text(&referral.substatus),
                deal_currency: text(&referral.deal_currency),
            }),
            note: personal(&facts.note),
            attribution: if redaction.redacts() {
                let allowed = facts.attribution.iter().filter(|(key, value)| redaction.allows_parameter(key, value));
                allowed.cloned().collect()
            } else {
                Cow::Borrowed(&facts.attribution)
            },
            // What a publisher's own keys hold nobody knows: a redacted lead goes without them.
            extra: if redaction.redacts() { &[] } else { &facts.extra },
            flags: decision.flags(),
        }
    }
}

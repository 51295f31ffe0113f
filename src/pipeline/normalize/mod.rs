//! Raw leads to clean values: trimmed text, a valid address or a flag, a country code, a note or a campaign. Follows from the
//! record alone; tables and identity are `enrich`'s.

mod company;
mod country;
mod description;
mod email;
mod fold;
mod mail_domains;
mod phone;
mod regions;
mod seniority;
mod sorted_lines;
mod text;

use std::borrow::Cow;

use crate::lead::{Contact, Flag, Flags, Format, LeadSource, OfferFacts};

use super::{Limits, decode::RawLead};

pub(super) use company::key as company_key;
use text::{Cleaner, holds_marker};

/// A lead in clean values.
#[derive(Debug)]
pub(super) struct Normalized<'a> {
    pub(super) format: Format,
    pub(super) index: u32,
    pub(super) source_raw: Option<Cow<'a, str>>,
    pub(super) action_raw: Option<Cow<'a, str>>,
    pub(super) contact: Contact<'a>,
    pub(super) offer: OfferFacts<'a>,
    pub(super) is_test: bool,
    pub(super) note: Option<Cow<'a, str>>,
    pub(super) attribution: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) flags: Flags,
}

/// Cleans one lead. Total: whatever the text, there is a lead.
pub(super) fn normalize<'a>(lead: RawLead<'a>, limits: &Limits) -> Normalized<'a> {
    let mut cleaner = Cleaner::new(limits.field_bytes);
    let mut flags = Flags::default();
    let mut line = |field: Option<Cow<'a, str>>| field.and_then(|text| cleaner.line(text));

    let [first_name, last_name, company, title] = [lead.first_name, lead.last_name, lead.company, lead.title].map(&mut line);
    let [email_raw, phone_raw, country_raw] = [lead.email, lead.phone, lead.country].map(&mut line);
    let [source_raw, action_raw, offer_title] = [lead.lead_source, lead.action_code, lead.offer_title].map(&mut line);
    let description = lead.description.and_then(|text| cleaner.lines(text));

    // In any user field, the description or the source, but not in the offer's name, which the publisher chose (readings Q24).
    let marked = [&first_name, &last_name, &company, &title, &email_raw, &phone_raw, &description, &source_raw, &action_raw];
    let is_test = marked.into_iter().any(|field| field.as_deref().is_some_and(holds_marker));
    let blank_identity = first_name.is_none() && last_name.is_none() && email_raw.is_none() && phone_raw.is_none();
    flags.set(Flag::ManualLookup, blank_identity);

    let country = country_raw.as_deref().and_then(country::alpha_2);
    flags.set(Flag::CountryUnknown, country_raw.is_some() && country.is_none());
    let (email, email_domain, email_kind) = email::read(email_raw, &mut flags);
    let phone_e164 = phone_raw.as_deref().and_then(|raw| phone::e164(raw, country));
    flags.set(Flag::PhoneUnverifiable, phone_raw.is_some() && phone_e164.is_none());
    let seniority = seniority::of(title.as_deref());
    let contact = Contact {
        first_name,
        last_name,
        email,
        email_domain,
        email_kind,
        phone_raw,
        phone_e164: phone_e164.map(Cow::Owned),
        country,
        country_raw,
        region: country::region(country),
        company,
        title,
        seniority,
    };
    let offer = offer(source_raw.as_ref(), offer_title, &mut flags);
    let description::Description { note, mut attribution } = description::read(description, is_test);
    attribution.sort();
    let extra = sorted(lead.extra, &mut flags);
    flags.set(Flag::DuplicateKey, lead.duplicate_key);
    flags.set(Flag::FieldTruncated, lead.truncated || cleaner.truncated());
    Normalized { format: lead.format, index: lead.index, source_raw, action_raw, contact, offer, is_test, note, attribution, extra, flags }
}

/// The offer part of `LeadSource`: `publisher.offer` where there are no blanks and a dot, else a name (readings Q11).
fn offer<'a>(source: Option<&Cow<'a, str>>, title: Option<Cow<'a, str>>, flags: &mut Flags) -> OfferFacts<'a> {
    let raw = source.and_then(|source| text::part(source, |whole| LeadSource::split(whole).offer));
    let id = raw.as_deref().filter(|raw| !raw.contains(char::is_whitespace)).and_then(|raw| raw.split_once('.'));
    let id = id.filter(|(publisher, offer)| !publisher.is_empty() && !offer.is_empty());
    let (publisher_id, offer_id) =
        id.map_or((None, None), |(publisher, offer)| (Some(publisher.to_lowercase()), Some(offer.to_lowercase())));
    let name = if offer_id.is_none() { title.or_else(|| raw.clone()) } else { title };
    flags.set(Flag::OfferMissing, offer_id.is_none() && name.is_none());
    flags.set(Flag::OfferIdMissing, offer_id.is_none() && name.is_some());
    OfferFacts {
        publisher_id: publisher_id.map(Cow::Owned),
        offer_id: offer_id.map(Cow::Owned),
        offer_title: name,
        offer_raw: raw,
        row: None,
    }
}

/// By key; of a key that came twice the first is kept.
fn sorted<'a>(mut extra: Vec<(Cow<'a, str>, Cow<'a, str>)>, flags: &mut Flags) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    extra.sort_by(|(a, _), (b, _)| a.cmp(b));
    extra.dedup_by(|(later, value), (earlier, first)| {
        let same = later == earlier;
        flags.set(Flag::DuplicateKey, same && value != first);
        same
    });
    extra
}

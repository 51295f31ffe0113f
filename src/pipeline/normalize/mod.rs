//! Raw leads to clean values: trimmed text, a valid address or a flag, a country code, a note or a campaign. Follows from the
//! record alone; tables and identity are `enrich`'s.

pub(super) mod again;
mod company;
mod country;
mod description;
mod email;
mod fold;
mod mail_domains;
mod phone;
mod referral;
mod regions;
mod remembered;
mod seniority;
mod sorted_lines;
mod text;
mod time;

use std::borrow::Cow;

use crate::lead::{Consent, ConsentFacts, Contact, Flag, Flags, Format, LeadSource, OfferFacts, Origin, Referral, Region, Timestamp};

use super::{Limits, decode::RawLead};

pub(super) use company::key as company_key;
use country::Countries;
pub(crate) use country::all as countries;
pub(crate) use mail_domains::is_shared as is_shared_domain;
use phone::PhoneNumbers;
use seniority::Titles;
use text::{Cleaner, Text, holds_marker};

/// Answers that normalizing remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    countries: Countries,
    phones: PhoneNumbers,
    titles: Titles,
}

/// A lead in clean values.
#[derive(Debug)]
pub(super) struct Normalized<'a> {
    pub(super) format: Format,
    pub(super) index: u32,
    pub(super) origin: Origin,
    /// The record's own time, if it tells one.
    pub(super) event_time: Option<Timestamp>,
    pub(super) source_raw: Option<Text<'a>>,
    pub(super) action_raw: Option<Text<'a>>,
    pub(super) contact: Contact<'a>,
    pub(super) offer: OfferFacts<'a>,
    pub(super) consent: ConsentFacts,
    pub(super) referral: Option<Referral<'a>>,
    pub(super) referral_id: Option<Text<'a>>,
    pub(super) is_test: bool,
    pub(super) is_spam: bool,
    pub(super) needs_hydration: bool,
    pub(super) note: Option<Text<'a>>,
    pub(super) attribution: Vec<(Text<'a>, Text<'a>)>,
    pub(super) extra: Vec<(Text<'a>, Text<'a>)>,
    pub(super) flags: Flags,
}

/// Cleans one lead. Total: whatever the text, there is a lead.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn normalize<'a>(lead: RawLead<'a>, limits: &Limits, memory: &mut Memory) -> Normalized<'a> {
    let mut cleaner = Cleaner::new(limits.field_bytes);
    let mut flags = Flags::default();
    let mut extra = lead.extra;
    let (event_time, mut unread) = event_time(lead.times);
    let is_thin = lead.format == Format::PartnerCenterWebhook;
    let referral = lead.referral.map(|raw| referral::read(*raw, event_time, &mut cleaner));

    let mut line = |field: Option<Text<'a>>| field.and_then(|text| cleaner.line(text));
    let (first_name, last_name) = (line(lead.first_name), line(lead.last_name));
    let (company, title) = (line(lead.company), line(lead.title));
    let (offer_title, campaign_id) = (line(lead.offer_title), line(lead.campaign_id));
    let mut code = |field: Option<Text<'a>>| field.and_then(|text| cleaner.code(text));
    let (email_raw, phone_raw, country_raw) = (code(lead.email), code(lead.phone), code(lead.country));
    let (source_raw, action_raw) = (code(lead.lead_source), code(lead.action_code));
    let (product_id, event_name) = (code(lead.product_id), code(lead.event_name));
    let mut lines = |field: Option<Text<'a>>| field.and_then(|text| cleaner.lines(text));
    let (description, notes) = (lines(lead.description), lines(lead.notes));

    // In any user field, the description or the source, but not in the offer's name, which the publisher chose (readings Q24).
    let user = [&first_name, &last_name, &email_raw, &phone_raw, &country_raw, &company, &title];
    let is_marked =
        || user.into_iter().chain([&description, &notes, &source_raw, &action_raw]).any(|field| field.as_deref().is_some_and(holds_marker));
    let is_test = cleaner.may_hold_marker() && is_marked()
        || event_name.is_some_and(|name| name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("test-")))
        || referral.as_ref().is_some_and(|referral| referral.is_test);
    let blank_identity = first_name.is_none() && last_name.is_none() && email_raw.is_none() && phone_raw.is_none();
    flags.set(Flag::ManualLookup, blank_identity && !is_thin);

    let (country, region) = country_raw.as_deref().map_or((None, Region::Unknown), |written| memory.countries.read(written));
    flags.set(Flag::CountryUnknown, country_raw.is_some() && country.is_none());
    let (email, email_domain, email_kind) = email::read(email_raw, &mut flags);
    let phone_e164 = phone_raw.as_ref().and_then(|raw| memory.phones.e164(raw, country));
    flags.set(Flag::PhoneUnverifiable, phone_raw.is_some() && phone_e164.is_none());
    let seniority = memory.titles.seniority(title.as_deref());
    let contact = Contact {
        first_name,
        last_name,
        email,
        email_domain,
        email_kind,
        phone_raw,
        phone_e164,
        country,
        country_raw,
        region,
        company,
        title,
        seniority,
    };
    let (offer, other_id) = offer(source_raw.as_ref(), product_id, offer_title);
    flags.set(Flag::OfferMissing, offer.offer_id.is_none() && offer.offer_title.is_none() && !is_thin);
    flags.set(Flag::OfferIdMissing, offer.offer_id.is_none() && offer.offer_title.is_some());

    let description::Description { note, attribution: described } = description::read(description, is_test);
    let notes = notes.filter(|notes| !(is_test && holds_marker(notes)));
    let campaign = campaign_id.map(|id| (Cow::Borrowed("campaignId"), id));
    let attribution = lead.attribution.into_iter().map(|(key, value)| (key, Cow::Owned(value.trim().to_owned())));
    let mut parameters = described;
    parameters.extend(attribution.chain(campaign));
    let attribution = sorted(parameters, &mut flags);

    let is_referral = referral.is_some();
    let consent = if is_thin || is_referral {
        let [contact, share] = [lead.consent_contact, lead.consent_share].map(|flag| consent(flag.as_deref()));
        ConsentFacts { contact, share, marketing: Consent::Unknown }
    } else {
        // The customer agreed to share before such a lead is made; nothing is said of marketing (readings Q32).
        let marketing = if consent(lead.opted_out.as_deref()) == Consent::Granted { Consent::Denied } else { Consent::Unknown };
        ConsentFacts { contact: Consent::Granted, share: Consent::Granted, marketing }
    };
    flags.set(Flag::ConsentUnknown, is_referral && consent.contact == Consent::Unknown);

    let (mut origin, mut referral_id, mut facts) = (if is_thin { Origin::Unknown } else { Origin::Storefront }, None, None);
    unread.extend(other_id.map(|id| ("product_id", id)));
    if let Some(read) = referral {
        (origin, referral_id, facts) = (read.origin, read.id, Some(read.referral));
        unread.extend(read.unread);
    }
    let left_out = keep(unread, limits, &mut extra);
    let extra = sorted(extra, &mut flags);
    flags.set(Flag::DuplicateKey, lead.duplicate_key);
    flags.set(Flag::FieldTruncated, lead.truncated || cleaner.truncated() || left_out);
    Normalized {
        format: lead.format,
        index: lead.index,
        origin,
        event_time,
        source_raw,
        action_raw,
        contact,
        offer,
        consent,
        referral: facts,
        referral_id,
        is_test,
        is_spam: self::consent(lead.is_spam.as_deref()) == Consent::Granted,
        needs_hydration: is_thin,
        note: note.or(notes),
        attribution,
        extra,
        flags,
    }
}

/// Texts by the key they came under.
type Keyed<'a> = Vec<(&'static str, Text<'a>)>;

/// The first time that can be read, and those that cannot.
fn event_time(times: Keyed<'_>) -> (Option<Timestamp>, Keyed<'_>) {
    let mut read = None;
    let mut unread = Vec::new();
    for (key, text) in times {
        let time = time::parse(&text);
        if time.is_none() {
            unread.push((key, text));
        }
        read = read.or(time);
    }
    (read, unread)
}

/// Keeps beside the lead what could not be read, within the limits; tells whether something was left out.
fn keep<'a>(unread: Keyed<'a>, limits: &Limits, extra: &mut Vec<(Text<'a>, Text<'a>)>) -> bool {
    if unread.is_empty() {
        return false;
    }
    let mut bytes: usize = extra.iter().map(|(key, value)| key.len() + value.len()).sum();
    let mut left_out = false;
    for (key, text) in unread {
        if extra.iter().any(|(known, _)| known == key) {
            continue;
        }
        let value = quoted(&text);
        if value.len() > limits.field_bytes || bytes + key.len() + value.len() > limits.extra_bytes {
            left_out = true;
            continue;
        }
        bytes += key.len() + value.len();
        extra.push((Cow::Borrowed(key), value));
    }
    left_out
}

/// A text as compact JSON, as `extra` holds it.
fn quoted(text: &str) -> Text<'static> {
    // Writing a text cannot fail.
    Cow::Owned(serde_json::to_string(text).unwrap_or_default())
}

/// What a flag says; neither yes nor no is unknown, and absent is not refused (readings Q32).
fn consent(flag: Option<&str>) -> Consent {
    let flag = flag.unwrap_or_default().trim();
    let is_one_of = |words: &[&str]| words.iter().any(|word| flag.eq_ignore_ascii_case(word));
    if is_one_of(&["true", "yes", "y", "1"]) {
        Consent::Granted
    } else if is_one_of(&["false", "no", "n", "0"]) {
        Consent::Denied
    } else {
        Consent::Unknown
    }
}

/// The offer: the part of `LeadSource` after the pipe, `publisher.offer` where there are no blanks and a dot, else a name
/// (readings Q11); where that tells no id, the id that stands beside it. A second, other id is handed back.
fn offer<'a>(source: Option<&Text<'a>>, product: Option<Text<'a>>, title: Option<Text<'a>>) -> (OfferFacts<'a>, Option<Text<'a>>) {
    let part = source.and_then(|source| text::part(source, |whole| LeadSource::split(whole).offer));
    let by_part = part.as_ref().and_then(ids);
    let by_product = product.as_ref().and_then(|product| {
        let bare = || (!has_blank(product)).then(|| (None, lowercase(product, |whole| whole)));
        ids(product).or_else(bare)
    });
    let product_is_used = part.is_none() || by_product.is_some() && (by_part.is_none() || by_part == by_product);
    let (raw, unused) = match (part, product) {
        (Some(part), product) => (Some(part), product.filter(|_| !product_is_used)),
        (None, product) => (product, None),
    };
    let (publisher_id, offer_id) = by_part.or(by_product).map_or((None, None), |(publisher, offer)| (publisher, Some(offer)));
    let name = if offer_id.is_none() { title.or_else(|| raw.clone()) } else { title };
    let facts = OfferFacts { publisher_id, offer_id, offer_title: name, offer_raw: raw, row: None };
    (facts, unused)
}

/// Publisher and offer, lower-case, of a text that has both.
fn ids<'a>(text: &Text<'a>) -> Option<(Option<Text<'a>>, Text<'a>)> {
    let dot = text.bytes().position(|byte| byte == b'.').filter(|_| !has_blank(text))?;
    let both = || (Some(lowercase(text, |whole| &whole[..dot])), lowercase(text, |whole| &whole[dot + 1..]));
    (dot > 0 && dot + 1 < text.len()).then(both)
}

fn has_blank(text: &str) -> bool {
    // Nearly all are of ASCII letters, which can be looked at many together.
    !text.bytes().all(|byte| byte.is_ascii_graphic()) && text.contains(char::is_whitespace)
}

/// A piece of a text in small letters: borrowed as long as the text is where it has no others.
fn lowercase<'a>(text: &Text<'a>, choose: impl Fn(&str) -> &str) -> Text<'a> {
    let chosen = choose(text);
    if chosen.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text::part(text, choose).unwrap_or_default();
    }
    Cow::Owned(chosen.to_lowercase())
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

//! Clean values to facts: the rows of the reference tables that match, who the person is, and which touch this is.

use std::cell::OnceCell;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    lead::{Contact, Facts, Identity, LeadSource, Record, SmallText, fold},
    tables::Tables,
};

use super::normalize::{Normalized, company_key};

/// The key of `person_key`; prints as redacted.
#[derive(Clone, Default)]
pub struct PersonKey(Option<Hmac<Sha256>>);

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "PersonKey([redacted])" } else { "PersonKey(unkeyed)" })
    }
}

impl PersonKey {
    /// A key; `None` or empty: unkeyed.
    #[must_use]
    pub fn new(key: Option<&[u8]>) -> Self {
        Self(key.filter(|key| !key.is_empty()).and_then(|key| Hmac::new_from_slice(key).ok()))
    }

    /// The same for the same key and, as far as anybody can tell, for no other; it says nothing of the key.
    #[must_use]
    pub fn check_value(&self) -> String {
        self.digest("check", &[]).as_str().to_owned()
    }

    fn digest(&self, kind: &str, parts: &[&str]) -> Identity {
        let texts = [kind].into_iter().chain(parts.iter().copied());
        let digest: [u8; 32] = if let Some(keyed) = &self.0 {
            let mut keyed = keyed.clone();
            texts.for_each(|text| {
                keyed.update(text.as_bytes());
                keyed.update(b"\x1f");
            });
            keyed.finalize().into_bytes().into()
        } else {
            let mut plain = Sha256::new();
            texts.for_each(|text| {
                plain.update(text);
                plain.update(b"\x1f");
            });
            plain.finalize().into()
        };
        Identity::from_digest(&digest)
    }

    /// Who the person is: by address, else by number, else by name and company.
    pub(super) fn of(&self, contact: &Contact<'_>) -> Option<Identity> {
        if let (Some(email), Some(_)) = (&contact.email, &contact.email_domain) {
            return Some(self.digest("email", &[email]));
        }
        if let Some(phone) = contact.phone_e164.as_ref().or(contact.phone_raw.as_ref()) {
            return Some(self.digest("phone", &[phone]));
        }
        let company = company_key(contact.company.as_deref()?)?;
        let [first, last] = [&contact.first_name, &contact.last_name].map(|name| name.as_deref().unwrap_or_default().to_lowercase());
        (!first.is_empty() || !last.is_empty()).then(|| self.digest("name", &[&first, &last, &company]))
    }
}

/// Looks a lead up, and gives it its identities.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn enrich<'a>(
    lead: Normalized<'a>,
    record: &Record<'a>,
    value: &ValueDigest<'a>,
    tables: &'a Tables,
    key: &PersonKey,
) -> Facts<'a> {
    let Normalized { format, index, source_raw, action_raw, contact, mut offer, .. } = lead;
    if let (Some(publisher), Some(id)) = (&offer.publisher_id, &offer.offer_id) {
        offer.row = tables.offer(publisher, id);
    }
    let account = contact.email_domain.as_deref().and_then(|domain| tables.account(domain));
    let person_key = key.of(&contact);
    let suppressed_by =
        tables.suppression(person_key.as_ref().map(Identity::as_str), contact.email.as_deref(), contact.email_domain.as_deref());
    // The HTTPS endpoint's body has no time of its own (readings Q16).
    let event_time = lead.event_time.unwrap_or(record.received_at);
    let source = LeadSource::split(source_raw.as_deref().unwrap_or_default());
    let action = acted(source.action, action_raw.as_deref().unwrap_or_default());
    // Referrals seldom name an offer; two of one person on one day are two.
    let about = offer.offer_raw.as_deref().or(offer.offer_title.as_deref()).or(lead.referral_id.as_deref()).unwrap_or_default();
    let lead_id = touch(person_key.as_ref(), value, index, &[fold(source.source), action, SmallText::lowercase(about)], event_time);
    Facts {
        at: record.at.clone(),
        index,
        format,
        received_at: record.received_at,
        event_time,
        lead_id,
        person_key,
        origin: lead.origin,
        source_raw,
        action_raw,
        contact,
        offer,
        account,
        consent: lead.consent,
        referral: lead.referral,
        is_test: lead.is_test,
        is_spam: lead.is_spam,
        needs_hydration: lead.needs_hydration,
        suppressed_by,
        note: lead.note,
        attribution: lead.attribution,
        extra: lead.extra,
        flags: lead.flags,
        tables: &tables.versions,
    }
}

/// What was done, as far as no rule is asked: the one code there is. Two that differ are two things done: a do-not-contact
/// notice is not the contact-me of the same day whose source it repeats (readings Q6, Q12).
fn acted<'t>(in_source: &'t str, in_code: &'t str) -> SmallText<'t> {
    let (in_source, in_code) = (fold(in_source), fold(in_code));
    match (in_source.is_empty(), in_code.is_empty() || in_source == in_code) {
        (true, _) => in_code,
        (false, true) => in_source,
        (false, false) => SmallText::long(format!("{in_source}\x1e{in_code}")),
    }
}

/// SHA-256 of a record's value: taken when the first lead asks, and once for all of them, since a record may hold thousands.
pub(super) struct ValueDigest<'a> {
    value: &'a [u8],
    digest: OnceCell<[u8; 32]>,
}

impl<'a> ValueDigest<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        Self { value: record.value.unwrap_or_default(), digest: OnceCell::new() }
    }

    fn get(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| Sha256::digest(self.value).into())
    }
}

/// One touch of one person: same source, action and offer on the same UTC day (readings Q16). Without a person, the record's
/// own bytes stand in, so that redeliveries are one touch and strangers are not.
fn touch(
    person: Option<&Identity>,
    value: &ValueDigest<'_>,
    index: u32,
    parts: &[SmallText<'_>],
    event_time: crate::lead::Timestamp,
) -> Identity {
    let mut digest = Sha256::new();
    if let Some(person) = person {
        digest.update(person.as_bytes());
    } else {
        digest.update(value.get());
        digest.update(index.to_be_bytes());
    }
    for part in parts {
        digest.update(b"\x1f");
        digest.update(part.as_bytes());
    }
    digest.update(event_time.micros().div_euclid(86_400_000_000).to_be_bytes());
    Identity::from_digest(&digest.finalize().into())
}

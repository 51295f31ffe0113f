//! Clean values to facts: the rows of the reference tables that match, who the person is, and which touch this is.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    lead::{Contact, Facts, Identity, LeadSource, Record, fold},
    tables::Tables,
};

use super::normalize::Normalized;

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
    fn of(&self, contact: &Contact<'_>) -> Option<Identity> {
        if let (Some(email), Some(_)) = (&contact.email, &contact.email_domain) {
            return Some(self.digest("email", &[email]));
        }
        if let Some(phone) = contact.phone_e164.as_ref().or(contact.phone_raw.as_ref()) {
            return Some(self.digest("phone", &[phone]));
        }
        let company = contact.company.as_deref()?.to_lowercase();
        let [first, last] = [&contact.first_name, &contact.last_name].map(|name| name.as_deref().unwrap_or_default().to_lowercase());
        (!first.is_empty() || !last.is_empty()).then(|| self.digest("name", &[&first, &last, &company]))
    }
}

/// A digest that a record's bytes have gone into, once however many leads of nobody it holds: one by one, a megabyte of them
/// would take seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordDigest(Option<Sha256>);

impl RecordDigest {
    fn of(&mut self, record: &Record<'_>) -> Sha256 {
        self.0.get_or_insert_with(|| Sha256::new_with_prefix(record.value.unwrap_or_default())).clone()
    }
}

/// Looks a lead up, and gives it its identities. `digest` is the record's, the same for all of its leads.
pub(super) fn enrich<'a>(
    lead: Normalized<'a>,
    record: &Record<'a>,
    digest: &mut RecordDigest,
    tables: &'a Tables,
    key: &PersonKey,
) -> Facts<'a> {
    let Normalized { format, index, source_raw, action_raw, contact, mut offer, .. } = lead;
    if let (Some(publisher), Some(id)) = (&offer.publisher_id, &offer.offer_id) {
        offer.row = tables.offer(publisher, id);
    }
    let account = contact.email_domain.as_deref().and_then(|domain| tables.account(domain));
    let person_key = key.of(&contact);
    let suppressed_by = tables.suppression(person_key.as_ref().map(Identity::as_str), contact.email_domain.as_deref());
    // The HTTPS endpoint's body has no time of its own (readings Q16).
    let event_time = lead.event_time.unwrap_or(record.received_at);
    let source = LeadSource::split(source_raw.as_deref().unwrap_or_default());
    let action = if source.action.is_empty() { action_raw.as_deref().unwrap_or_default() } else { source.action };
    // Referrals seldom name an offer; two of one person on one day are two.
    let about = offer.offer_raw.as_deref().or(offer.offer_title.as_deref()).or(lead.referral_id.as_deref()).unwrap_or_default();
    let lead_id =
        touch(person_key.as_ref(), || digest.of(record), index, &[&fold(source.source), &fold(action), &about.to_lowercase()], event_time);
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

/// One touch of one person: same source, action and offer on the same UTC day (readings Q16). Without a person, the record's
/// own bytes stand in, so that redeliveries are one touch and strangers are not.
fn touch(
    person: Option<&Identity>,
    bytes: impl FnOnce() -> Sha256,
    index: u32,
    parts: &[&str],
    event_time: crate::lead::Timestamp,
) -> Identity {
    let mut digest = match person {
        Some(person) => Sha256::new_with_prefix(person.as_str()),
        None => bytes().chain_update(index.to_be_bytes()),
    };
    for part in parts {
        digest.update(b"\x1f");
        digest.update(part);
    }
    digest.update(event_time.micros().div_euclid(86_400_000_000).to_be_bytes());
    Identity::from_digest(&digest.finalize().into())
}

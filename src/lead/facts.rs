//! What a record says about one lead, whatever the rules: contact, offer, consent, times, identity. The live ruleset,
//! shadows, explain and backtests all decide on one reading.

use std::borrow::Cow;

use super::{Consent, EmailKind, Flags, Format, LeadSource, Origin, Position, Region, Seniority, Timestamp};
use crate::tables::{Account, Offer, TableVersions};

/// The customer, as far as the record tells. Absent and blank are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact<'a> {
    /// Trimmed.
    pub first_name: Option<Cow<'a, str>>,
    /// Trimmed.
    pub last_name: Option<Cow<'a, str>>,
    /// Trimmed and lower-case, domain in punycode; as received (trimmed) where it is no address (`email_invalid`).
    pub email: Option<Cow<'a, str>>,
    /// The part after the `@` of a valid address, lower-case, in punycode.
    pub email_domain: Option<Cow<'a, str>>,
    /// What kind of mailbox.
    pub email_kind: EmailKind,
    /// As received, trimmed.
    pub phone_raw: Option<Cow<'a, str>>,
    /// `+` and digits, where it can be known.
    pub phone_e164: Option<Cow<'a, str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<&'static str>,
    /// As received, trimmed.
    pub country_raw: Option<Cow<'a, str>>,
    /// Of the country.
    pub region: Region,
    /// Trimmed.
    pub company: Option<Cow<'a, str>>,
    /// Job title, trimmed.
    pub title: Option<Cow<'a, str>>,
    /// Read from the title.
    pub seniority: Seniority,
}

/// The shortest subscriber numbers that are in use have so many digits.
const SHORTEST_PHONE: usize = 5;

impl Contact<'_> {
    /// Whether there is a valid address, or something with enough digits to be a phone number, verified or not.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        let digits = |phone: &str| phone.chars().filter(|c| c.is_numeric()).count();
        self.email_domain.is_some() || self.phone_raw.as_deref().is_some_and(|phone| digits(phone) >= SHORTEST_PHONE)
    }
}

/// The offer the lead is about (readings Q11).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OfferFacts<'a> {
    /// Lower-case.
    pub publisher_id: Option<Cow<'a, str>>,
    /// Lower-case.
    pub offer_id: Option<Cow<'a, str>>,
    /// The display name.
    pub offer_title: Option<Cow<'a, str>>,
    /// All right of the pipe, as received, trimmed.
    pub offer_raw: Option<Cow<'a, str>>,
    /// The row of the `offers` table, if one matched.
    pub row: Option<&'a Offer>,
}

/// What the customer has allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentFacts {
    /// To be contacted about this offer.
    pub contact: Consent,
    /// That the data are shared with the publisher.
    pub share: Consent,
    /// To receive marketing.
    pub marketing: Consent,
}

/// The referral a lead came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Referral<'a> {
    /// As received.
    pub status: Option<Cow<'a, str>>,
    /// As received.
    pub substatus: Option<Cow<'a, str>>,
    /// End of the accept window.
    pub expires_at: Option<Timestamp>,
    /// In `deal_currency`.
    pub deal_value: Option<f64>,
    /// ISO 4217.
    pub deal_currency: Option<Cow<'a, str>>,
}

/// 128 bits of a SHA-256 (or its keyed form), written as 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity([u8; 32]);

impl Identity {
    /// From the first 16 bytes of a digest.
    #[must_use]
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The 32 hex digits, as ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// One lead as read: all that a decision may look at beside the rules.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Where the record was read.
    pub at: Position,
    /// The lead's place in its record, from 0.
    pub index: u32,
    /// The shape it came in.
    pub format: Format,
    /// The Kafka timestamp.
    pub received_at: Timestamp,
    /// The record's own time, else `received_at`.
    pub event_time: Timestamp,
    /// Identity of this touch (readings Q16).
    pub lead_id: Identity,
    /// Identity of the person, if anything tells it.
    pub person_key: Option<Identity>,
    /// Told by the shape.
    pub origin: Origin,
    /// `LeadSource` as received, trimmed; `None` if blank.
    pub source_raw: Option<Cow<'a, str>>,
    /// `ActionCode` as received, trimmed; `None` if blank.
    pub action_raw: Option<Cow<'a, str>>,
    /// The customer.
    pub contact: Contact<'a>,
    /// The offer.
    pub offer: OfferFacts<'a>,
    /// The row of the `accounts` table, if one matched.
    pub account: Option<Account<'a>>,
    /// What is allowed.
    pub consent: ConsentFacts,
    /// Only for referrals.
    pub referral: Option<Referral<'a>>,
    /// Microsoft's test marker was found (readings Q24).
    pub is_test: bool,
    /// Microsoft says so.
    pub is_spam: bool,
    /// A thin event whose lead must be fetched first.
    pub needs_hydration: bool,
    /// Scope of the suppression that matched.
    pub suppressed_by: Option<&'static str>,
    /// What the customer wrote.
    pub note: Option<Cow<'a, str>>,
    /// Campaign parameters, sorted by key.
    pub attribution: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Unknown input keys with their values as compact JSON, sorted by key.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Flags that follow from the record alone.
    pub flags: Flags,
    /// Versions of the tables that were looked into.
    pub tables: &'a TableVersions,
}

impl Facts<'_> {
    /// The parts of `LeadSource`.
    #[must_use]
    pub fn lead_source(&self) -> LeadSource<'_> {
        LeadSource::split(self.source_raw.as_deref().unwrap_or_default())
    }
}

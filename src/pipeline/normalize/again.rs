//! Fields of the customer read again, each with what follows from it: of a lead as if its record had said something else. What
//! follows beyond the record (account, suppression, identity) is `enrich`'s.

use super::{PhoneNumbers, Text, country, email, seniority};
use crate::lead::{Contact, Flag, Flags};

/// Another address, or none.
pub(in crate::pipeline) fn email<'a>(contact: &mut Contact<'a>, flags: &mut Flags, raw: Option<Text<'a>>) {
    for flag in [Flag::EmailInvalid, Flag::EduDomain, Flag::SampleDomain] {
        flags.remove(flag);
    }
    (contact.email, contact.email_domain, contact.email_kind) = email::read(raw, flags);
}

/// Another phone number, or none.
pub(in crate::pipeline) fn phone<'a>(contact: &mut Contact<'a>, flags: &mut Flags, raw: Option<Text<'a>>) {
    contact.phone_raw = raw;
    dial(contact, flags);
}

/// Another country, or none.
pub(in crate::pipeline) fn country<'a>(contact: &mut Contact<'a>, flags: &mut Flags, raw: Option<Text<'a>>) {
    contact.country = raw.as_deref().and_then(country::alpha_2);
    contact.region = country::region(contact.country);
    flags.remove(Flag::CountryUnknown);
    flags.set(Flag::CountryUnknown, raw.is_some() && contact.country.is_none());
    contact.country_raw = raw;
    dial(contact, flags);
}

/// Another job title, or none.
pub(in crate::pipeline) fn title<'a>(contact: &mut Contact<'a>, raw: Option<Text<'a>>) {
    contact.seniority = seniority::of(raw.as_deref());
    contact.title = raw;
}

/// A number is read by its country.
fn dial(contact: &mut Contact<'_>, flags: &mut Flags) {
    contact.phone_e164 = contact.phone_raw.as_ref().and_then(|raw| PhoneNumbers::default().e164(raw, contact.country));
    flags.remove(Flag::PhoneUnverifiable);
    flags.set(Flag::PhoneUnverifiable, contact.phone_raw.is_some() && contact.phone_e164.is_none());
}

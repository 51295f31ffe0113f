//! The JSON of the HTTPS endpoint (facts.md §1.1): keys in any case at both levels (readings Q1), every key optional, unknown
//! ones kept. A value of the wrong type is no reason to lose a lead: numbers and booleans are taken as their text, objects
//! and arrays are kept beside the lead.

use std::borrow::Cow;

use super::{
    json_text,
    object::{self, Inner, Member},
    raw_lead::{Filler, Place, Text},
    scan,
};

/// Where the customer's fields are.
pub(super) const USER_DETAILS: &str = "userDetails";

/// Fills a lead from the members of such an object.
pub(super) fn fill<'a>(members: &mut Vec<Member<'a>>, inner: &mut Inner<'a>, lead: &mut Filler<'a, '_>) {
    for (key, value) in members.drain(..) {
        if let Some(place) = field(&key) {
            lead.value(place, key, Cow::Borrowed(value));
        } else if key.eq_ignore_ascii_case(USER_DETAILS) {
            user_details(key, value, inner, lead);
        } else {
            lead.keep(key, Cow::Borrowed(value));
        }
    }
}

/// The field a key beside `userDetails` belongs to.
pub(super) fn field<'a>(key: &str) -> Option<Place<'a>> {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let place: Place<'a> = match () {
        () if is("leadSource") => |lead| &mut lead.lead_source,
        () if is("actionCode") => |lead| &mut lead.action_code,
        () if is("offerTitle") => |lead| &mut lead.offer_title,
        () if is("description") => |lead| &mut lead.description,
        () => return None,
    };
    Some(place)
}

fn user_details<'a>(parent: Text<'a>, value: &'a str, inner: &mut Inner<'a>, lead: &mut Filler<'a, '_>) {
    if inner.is_of(value) {
        inner.of = "";
        customer(&parent, inner.members.drain(..).map(|(key, value)| (key, Cow::Borrowed(value))), lead);
    } else if let Some(members) = scan::known(value) {
        customer(&parent, members.map(|(key, value)| (key, Cow::Borrowed(value))), lead);
    } else if let Some((members, others)) = object::one(value) {
        for (place, other) in others {
            lead.keep(Cow::Owned(format!("{parent}[{place}]")), Cow::Borrowed(other));
        }
        customer(&parent, members.into_iter().map(|(key, value)| (key, Cow::Borrowed(value))), lead);
    } else if value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).is_none_or(|text| !text.trim().is_empty()) {
        lead.keep(parent, Cow::Borrowed(value));
    }
}

/// The same from a text that does not last as long as the record: what is kept of it is copied, unless the record's own text has it
/// in as many letters.
pub(super) fn customer_within<'a>(parent: &str, record: &'a str, members: Vec<Member<'_>>, lead: &mut Filler<'a, '_>) {
    let mut rest = record;
    for (key, value) in members {
        match (customer_field(&key), json_text::scalar(value)) {
            (Some(place), Some(text)) => lead.text(place, standing_in(&mut rest, text)),
            _ => customer(parent, std::iter::once((Cow::Owned(key.into_owned()), Cow::Owned(value.to_owned()))), lead),
        }
    }
}

/// How far from where the last text was found the next one is looked for: beyond its key.
const NEAR: usize = 64;

/// The text as it stands in the record, not far from the beginning of `rest`, which then begins behind it; else a copy.
fn standing_in<'a>(rest: &mut &'a str, text: Text<'_>) -> Text<'a> {
    let near = rest.as_bytes().windows(text.len().max(1)).take(NEAR).position(|part| part == text.as_bytes());
    let found = near.and_then(|at| Some((rest.get(at..at + text.len())?, rest.get(at + text.len()..)?)));
    found.map_or_else(
        || Cow::Owned(text.into_owned()),
        |(found, behind)| {
            *rest = behind;
            Cow::Borrowed(found)
        },
    )
}

/// The customer's own fields, which other shapes have too.
pub(super) fn customer<'a>(parent: &str, members: impl Iterator<Item = (Text<'a>, Text<'a>)>, lead: &mut Filler<'a, '_>) {
    for (key, value) in members {
        let under = |key: &str| Cow::Owned([parent, ".", key].concat());
        match customer_field(&key) {
            Some(place) if value.starts_with(['{', '[']) => lead.value(place, under(&key), value),
            Some(place) => lead.value(place, key, value),
            None => lead.keep(under(&key), value),
        }
    }
}

/// The field of the customer a key belongs to.
pub(super) fn customer_field<'a>(key: &str) -> Option<Place<'a>> {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let place: Place<'a> = match () {
        () if is("firstName") => |lead| &mut lead.first_name,
        () if is("lastName") => |lead| &mut lead.last_name,
        () if is("email") => |lead| &mut lead.email,
        () if is("phone") => |lead| &mut lead.phone,
        () if is("country") => |lead| &mut lead.country,
        () if is("company") => |lead| &mut lead.company,
        () if is("title") => |lead| &mut lead.title,
        () => return None,
    };
    Some(place)
}

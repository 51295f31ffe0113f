//! The JSON of the HTTPS endpoint (facts.md §1.1): keys in any case at both levels (readings Q1), every key optional, unknown
//! ones kept. A value of the wrong type is no reason to lose a lead: numbers and booleans are taken as their text, objects
//! and arrays are kept beside the lead.

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lead::{DeadLetterCode, Format, Rejection};

use super::{Limits, RawLead, json_text, malformed, too_deep};

/// Reads the object `text` as a lead. `depth` is how deep the object itself lies, from 1.
///
/// # Errors
/// `unknown_format` where none of its keys is known or one tells another shape, `too_deep`.
pub(super) fn lead<'a>(text: &'a str, index: u32, depth: usize, limits: &Limits) -> Result<RawLead<'a>, Rejection> {
    let lead = RawLead { format: Format::HttpsJson, index, ..RawLead::default() };
    let mut reader = Reader { lead, limits, depth, extra_bytes: 0, known: 0, unknown: 0, too_deep: false, other_shape: None };
    object(text, &mut |key, value| reader.top(key, value))?;
    if reader.too_deep {
        return Err(too_deep(limits));
    }
    if let Some(shape) = reader.other_shape {
        let detail = format!("the object is {shape}, which this version does not read");
        return Err(Rejection::decode(DeadLetterCode::UnknownFormat, detail));
    }
    if reader.known == 0 && reader.unknown > 0 {
        let detail = "the object has none of the keys of a known lead shape";
        return Err(Rejection::decode(DeadLetterCode::UnknownFormat, detail));
    }
    Ok(reader.lead)
}

struct Reader<'a, 'l> {
    lead: RawLead<'a>,
    limits: &'l Limits,
    depth: usize,
    extra_bytes: usize,
    known: usize,
    unknown: usize,
    too_deep: bool,
    /// A shape that shares keys with this one, told by a key of its own.
    other_shape: Option<&'static str>,
}

impl<'a> Reader<'a, '_> {
    fn top(&mut self, key: Cow<'a, str>, value: &'a str) {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        let lead = &mut self.lead;
        let field = if is("leadSource") {
            &mut lead.lead_source
        } else if is("actionCode") {
            &mut lead.action_code
        } else if is("offerTitle") {
            &mut lead.offer_title
        } else if is("description") {
            &mut lead.description
        } else if is("userDetails") {
            self.known += 1;
            return self.user_details(key, value);
        } else {
            self.unknown += 1;
            if is("PartitionKey") || is("RowKey") {
                self.other_shape = Some("a row of an Azure table");
            }
            return self.keep(key, value, 1);
        };
        self.known += 1;
        match json_text::scalar(value) {
            Some(text) => put(field, text, &mut lead.duplicate_key),
            None => self.keep(key, value, 1),
        }
    }

    fn user_details(&mut self, parent: Cow<'a, str>, value: &'a str) {
        match value.as_bytes().first() {
            Some(b'{') => {
                // The text was read once already, as part of the whole: it cannot be malformed.
                let _ = object(value, &mut |key, value| self.user_detail(&parent, &key, value));
            }
            Some(b'n') => {}
            Some(b'"') if json_text::scalar(value).is_some_and(|text| text.trim().is_empty()) => {}
            _ => self.keep(parent, value, 1),
        }
    }

    fn user_detail(&mut self, parent: &str, key: &str, value: &'a str) {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        let lead = &mut self.lead;
        let field = if is("firstName") {
            &mut lead.first_name
        } else if is("lastName") {
            &mut lead.last_name
        } else if is("email") {
            &mut lead.email
        } else if is("phone") {
            &mut lead.phone
        } else if is("country") {
            &mut lead.country
        } else if is("company") {
            &mut lead.company
        } else if is("title") {
            &mut lead.title
        } else {
            return self.keep(Cow::Owned(format!("{parent}.{key}")), value, 2);
        };
        match json_text::scalar(value) {
            Some(text) => put(field, text, &mut lead.duplicate_key),
            None => self.keep(Cow::Owned(format!("{parent}.{key}")), value, 2),
        }
    }

    /// Keeps a value that has no place in a lead, within the limits. `below` is how deep it lies under the lead.
    fn keep(&mut self, key: Cow<'a, str>, value: &'a str, below: usize) {
        if matches!(value.as_bytes().first(), Some(b'{' | b'[')) {
            // `depth` of the lead counts the lead's own braces; a container as its value lies one deeper.
            let depth = self.depth + below - 1 + json_text::depth(value);
            if depth > self.limits.depth {
                self.too_deep = true;
                return;
            }
        }
        let value = json_text::compact(value);
        let bytes = key.len() + value.len();
        if value.len() > self.limits.field_bytes || self.extra_bytes + bytes > self.limits.extra_bytes {
            self.lead.truncated = true;
            return;
        }
        self.extra_bytes += bytes;
        self.lead.extra.push((key, value));
    }
}

/// The first value that is not blank is taken; a second one that differs leaves a mark (readings Q1).
fn put<'a>(field: &mut Option<Cow<'a, str>>, value: Cow<'a, str>, duplicate_key: &mut bool) {
    match field {
        None => *field = Some(value),
        Some(first) if *first == value => {}
        Some(first) => {
            *duplicate_key = true;
            if first.trim().is_empty() {
                *first = value;
            }
        }
    }
}

/// Calls `each` with every key and the text of its value, in order.
fn object<'a>(text: &'a str, each: &mut dyn FnMut(Cow<'a, str>, &'a str)) -> Result<(), Rejection> {
    struct Object<'f, 'a>(&'f mut dyn FnMut(Cow<'a, str>, &'a str));

    impl<'de> Visitor<'de> for Object<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            // Keys are taken raw as well: a lone surrogate in a key is no reason to lose a lead.
            while let Some(key) = map.next_key::<&'de RawValue>()? {
                let value = map.next_value::<&'de RawValue>()?;
                (self.0)(json_text::scalar(key.get()).unwrap_or_default(), value.get());
            }
            Ok(())
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(Object(each)).map_err(|error| malformed(&error))
}

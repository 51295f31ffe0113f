//! Bytes to raw leads: tells the format (header, content type, structure), bounds everything, and hands each lead to the
//! reader of its shape. Values are as received; what they mean is `normalize`'s.

mod https_json;
mod json_text;

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::lead::{DeadLetterCode, Format, Record, Rejection, Vocabulary};

use super::Limits;

/// One raw lead: text as received (escapes resolved, nothing trimmed), `None` where the key is absent.
#[derive(Debug, Default)]
pub(super) struct RawLead<'a> {
    pub(super) format: Format,
    /// Place in its record, from 0.
    pub(super) index: u32,
    pub(super) first_name: Option<Cow<'a, str>>,
    pub(super) last_name: Option<Cow<'a, str>>,
    pub(super) email: Option<Cow<'a, str>>,
    pub(super) phone: Option<Cow<'a, str>>,
    pub(super) country: Option<Cow<'a, str>>,
    pub(super) company: Option<Cow<'a, str>>,
    pub(super) title: Option<Cow<'a, str>>,
    pub(super) lead_source: Option<Cow<'a, str>>,
    pub(super) action_code: Option<Cow<'a, str>>,
    pub(super) offer_title: Option<Cow<'a, str>>,
    pub(super) description: Option<Cow<'a, str>>,
    /// Unknown keys with their values as compact JSON, in order of appearance.
    pub(super) extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// A key came twice, with different values.
    pub(super) duplicate_key: bool,
    /// Something did not fit the limits and was left out.
    pub(super) truncated: bool,
}

/// Reads all leads of a record.
///
/// # Errors
/// The record's one rejection: by size, by bytes, by syntax, by depth, by count, or because an element is no lead.
pub(super) fn decode<'a>(record: &Record<'a>, limits: &Limits) -> Result<Vec<RawLead<'a>>, Rejection> {
    let value = record.value.ok_or_else(|| Rejection::decode(DeadLetterCode::EmptyValue, "the value is null"))?;
    if value.len() > limits.record_bytes {
        let detail = format!("the value has {} bytes; limits.record_bytes is {}", value.len(), limits.record_bytes);
        return Err(Rejection::decode(DeadLetterCode::TooLarge, detail));
    }
    let text = std::str::from_utf8(value)
        .map_err(|error| Rejection::decode(DeadLetterCode::NotUtf8, format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Rejection::decode(DeadLetterCode::EmptyValue, "the value has nothing but blanks"));
    }
    stated_format(record)?;
    leads(text, limits).map_err(|rejection| {
        // Whatever else is wrong, a value nested beyond the limit is called that: its other faults lie beyond the limit.
        if rejection.code == DeadLetterCode::TooDeep || json_text::depth(text) <= limits.depth { rejection } else { too_deep(limits) }
    })
}

/// Checks what the headers say of the format. Only one is understood yet, so nothing is chosen by it.
fn stated_format(record: &Record<'_>) -> Result<(), Rejection> {
    let unknown = |detail: String| Rejection::decode(DeadLetterCode::UnknownFormat, detail);
    if let Some(name) = record.headers.last("lead-format") {
        let format = std::str::from_utf8(name).ok().and_then(|name| Format::from_name(name.trim()));
        return match format {
            Some(Format::HttpsJson) => Ok(()),
            Some(format) => Err(unknown(format!("header lead-format names {}, which this version does not read", format.name()))),
            None => Err(unknown("header lead-format names no known format".to_owned())),
        };
    }
    let content_type = record.headers.last("content-type").and_then(|value| std::str::from_utf8(value).ok());
    let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    let is = |prefix: &str| essence.len() >= prefix.len() && essence.as_bytes()[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes());
    if is("application/x-www-form-urlencoded") || is("application/avro") || is("avro/") || is("application/vnd.apache.avro") {
        return Err(unknown("header content-type names a format this version does not read".to_owned()));
    }
    Ok(())
}

fn too_deep(limits: &Limits) -> Rejection {
    Rejection::decode(DeadLetterCode::TooDeep, format!("the value is nested deeper than limits.depth, {}", limits.depth))
}

fn malformed(error: &serde_json::Error) -> Rejection {
    // The library's words for syntax name places and characters of JSON's grammar, never a value.
    Rejection::decode(DeadLetterCode::MalformedJson, error.to_string())
}

fn not_a_lead(what: &str) -> Rejection {
    Rejection::decode(DeadLetterCode::NotALead, format!("{what} is no lead"))
}

/// Told by structure: an object is one lead, an array is several.
fn leads<'a>(text: &'a str, limits: &Limits) -> Result<Vec<RawLead<'a>>, Rejection> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            Ok(vec![https_json::lead(raw.get(), 0, 1, limits)?])
        }
        Some(b'[') => array(text, limits),
        _ => {
            let _: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            Err(not_a_lead("a bare JSON value"))
        }
    }
}

fn array<'a>(text: &'a str, limits: &Limits) -> Result<Vec<RawLead<'a>>, Rejection> {
    let mut elements = Elements { leads: Vec::new(), limits, rejection: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = (&mut elements).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|error| malformed(&error))?;
    if let Some(rejection) = elements.rejection {
        return Err(rejection);
    }
    if elements.leads.is_empty() { Err(not_a_lead("an empty array")) } else { Ok(elements.leads) }
}

/// Reads an array's elements one by one; remembers the first that is no lead, or that there are too many.
struct Elements<'a, 'l> {
    leads: Vec<RawLead<'a>>,
    limits: &'l Limits,
    rejection: Option<Rejection>,
}

impl<'de> DeserializeSeed<'de> for &mut Elements<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Elements<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of leads")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(raw) = elements.next_element::<&'de RawValue>()? {
            // Once refused, the rest is only read on for its syntax: text that is no JSON is called that first.
            if self.rejection.is_some() {
                continue;
            }
            let index = self.leads.len();
            let read = if index >= self.limits.leads {
                let detail = format!("the record has more than {} leads (limits.leads)", self.limits.leads);
                self.rejection = Some(Rejection::decode(DeadLetterCode::TooManyLeads, detail));
                continue;
            } else if raw.get().starts_with('{') {
                https_json::lead(raw.get(), u32::try_from(index).unwrap_or(u32::MAX), 2, self.limits)
            } else {
                Err(not_a_lead("an element that is no object"))
            };
            match read {
                Ok(lead) => self.leads.push(lead),
                Err(rejection) => self.rejection = Some(rejection.at(format!("[{index}]"))),
            }
        }
        Ok(())
    }
}

//! What leads come in: an array, lines of JSON, a list reply with paging fields, a `CloudEvent` in structured mode, several
//! forms. Unwraps, counts, and names the place of a fault; what one lead is, its shape's reader knows.

use std::borrow::Cow;

use base64::Engine as _;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::lead::{DeadLetterCode, Format, Rejection, Vocabulary};

use super::{
    Content, Filler, Limits, Lists, RawLead, Stated, WriterSchemas, avro, json_text, lead, malformed, not_a_lead,
    object::{self, Inner, Member},
    raw_lead::Text,
    salesforce_form,
    shape::{self, Shape},
    too_deep, too_many_leads,
};

/// All leads of a text.
///
/// # Errors
/// The first fault, with its place; text that is no JSON before all others.
pub(super) fn leads<'a>(
    text: &'a str,
    stated: &Stated<'_>,
    limits: &Limits,
    schemas: &WriterSchemas,
    lists: &mut Lists,
) -> Result<Vec<RawLead<'a>>, Rejection> {
    let inner = Inner { of: "", members: std::mem::take(&mut lists.inner) };
    let mut reader = Reader { leads: std::mem::take(&mut lists.leads), inner, ..Reader::new(stated, limits, schemas) };
    match text.trim_start().as_bytes().first() {
        Some(b'{') => match (object::members_in(text, std::mem::take(&mut lists.members), &mut reader.inner), stated.content) {
            (Ok(mut members), _) => {
                reader.object(&mut members, 1, Inside::Anything)?;
                lists.keep_members(members, reader.inner);
            }
            (Err(malformed), content) => match lines(text, content)? {
                Some(lines) => reader.lines(lines)?,
                None => return Err(malformed),
            },
        },
        Some(b'[') => reader.array(text, 1, Inside::Anything)?,
        _ => {
            let _: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            return Err(not_a_lead("a bare JSON value"));
        }
    }
    Ok(reader.leads)
}

/// All leads of bytes that are forms.
///
/// # Errors
/// `unknown_format`: one has no field that such a form has; `too_many_leads`.
pub(super) fn forms<'a>(
    bytes: &'a [u8],
    stated: &Stated<'_>,
    limits: &Limits,
    schemas: &WriterSchemas,
) -> Result<Vec<RawLead<'a>>, Rejection> {
    let mut reader = Reader::new(stated, limits, schemas);
    reader.forms(bytes)?;
    Ok(reader.leads)
}

/// The lines of a text that has one JSON object a line; `None`: it is no such text. Only asked for text that is not one value.
///
/// # Errors
/// The fault of a line, with its place: `malformed_json` before `not_a_lead`.
fn lines(text: &str, content: Content) -> Result<Option<Vec<Vec<Member<'_>>>>, Rejection> {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // A broken value may have many lines too: it is taken for several values if its first line is one, or a header says so.
    let first_is_whole = lines.first().is_some_and(|line| object::members(line).is_ok());
    if lines.len() < 2 || !(first_is_whole || content == Content::Lines) {
        return Ok(None);
    }
    let mut other = None;
    let mut objects = Vec::with_capacity(lines.len());
    for (place, line) in lines.into_iter().enumerate() {
        if line.starts_with('{') {
            objects.push(object::members(line).map_err(|rejection| at_element(rejection, place))?);
        } else {
            let _: &RawValue = serde_json::from_str(line).map_err(|error| at_element(malformed(&error), place))?;
            other = other.or(Some(place));
        }
    }
    other.map_or(Ok(Some(objects)), |place| Err(at_element(not_a_lead("a line that is no object"), place)))
}

/// What may still be unwrapped from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// A `CloudEvent`, a list reply, or a lead.
    Anything,
    /// A list reply or a lead.
    ListOrLead,
    /// A lead.
    Lead,
}

/// Bytes of an envelope's attributes that each of its leads carries: an envelope may hold thousands of leads.
const ENVELOPE_BYTES: usize = 1024;

/// What an envelope tells about each lead in it.
#[derive(Clone, Debug, Default)]
struct Envelope<'a> {
    attributes: Vec<(Text<'a>, Text<'a>)>,
    bytes: usize,
    time: Option<Text<'a>>,
    truncated: bool,
}

impl<'a> Envelope<'a> {
    fn add(&mut self, key: Text<'a>, value: &'a str) {
        let value = json_text::compact(value);
        let bytes = key.len() + value.len();
        if self.bytes + bytes > ENVELOPE_BYTES {
            self.truncated = true;
            return;
        }
        self.bytes += bytes;
        self.attributes.push((key, value));
    }

    /// Lets a lead know its envelope.
    fn mark(&self, lead: &mut RawLead<'a>, limits: &Limits) {
        lead.times.extend(self.time.clone().map(|time| ("time", time)));
        lead.truncated |= self.truncated;
        if self.bytes == 0 {
            return;
        }
        let bytes: usize = lead.extra.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes + self.bytes > limits.extra_bytes {
            lead.truncated = true;
            return;
        }
        lead.extra.extend(self.attributes.iter().cloned());
    }
}

struct Reader<'a, 'l> {
    leads: Vec<RawLead<'a>>,
    /// Leads of the record that another reader has.
    before: usize,
    stated: &'l Stated<'l>,
    limits: &'l Limits,
    schemas: &'l WriterSchemas,
    envelope: Envelope<'a>,
    /// What is known of the first object in the record's.
    inner: Inner<'a>,
}

impl<'a, 'l> Reader<'a, 'l> {
    fn new(stated: &'l Stated<'l>, limits: &'l Limits, schemas: &'l WriterSchemas) -> Self {
        Self { leads: Vec::new(), before: 0, stated, limits, schemas, envelope: Envelope::default(), inner: Inner::default() }
    }

    fn add(&mut self, mut lead: RawLead<'a>) {
        self.envelope.mark(&mut lead, self.limits);
        if self.leads.capacity() == 0 {
            // Nearly always it is the only one.
            self.leads.reserve_exact(1);
        }
        self.leads.push(lead);
    }

    /// The next lead's place among the record's.
    fn next_index(&self) -> Result<u32, Rejection> {
        let index = self.before + self.leads.len();
        if index >= self.limits.leads {
            return Err(too_many_leads(self.limits));
        }
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn object(&mut self, members: &mut Vec<Member<'a>>, depth: usize, inside: Inside) -> Result<(), Rejection> {
        if inside == Inside::Anything && is_cloud_event(members) {
            return self.cloud_event(members, depth);
        }
        if inside != Inside::Lead && is_list_reply(members) {
            return self.list_reply(members, depth);
        }
        let index = self.next_index()?;
        let lead = lead(members, &mut self.inner, self.stated.format, index, depth, self.limits)?;
        self.add(lead);
        Ok(())
    }

    /// One form, or several, one a line.
    fn forms(&mut self, bytes: &'a [u8]) -> Result<(), Rejection> {
        if let Some(format) = self.stated.format.filter(|format| *format != Format::SalesforceForm) {
            let detail = format!("header lead-format names {}, but the text is a form", format.name());
            return Err(Rejection::decode(DeadLetterCode::UnknownFormat, detail));
        }
        let forms = salesforce_form::split(bytes);
        if forms.is_empty() {
            return Err(not_a_lead("an empty form"));
        }
        let alone = forms.len() == 1;
        for (place, form) in forms.into_iter().enumerate() {
            self.form(form).map_err(|rejection| if alone { rejection } else { at_element(rejection, place) })?;
        }
        Ok(())
    }

    fn form(&mut self, bytes: &'a [u8]) -> Result<(), Rejection> {
        let mut filler = Filler::new(Format::SalesforceForm, self.next_index()?, self.limits);
        if !salesforce_form::fill(bytes, self.stated.charset, &mut filler) {
            let detail = "the form has none of the fields of a web-to-lead form";
            return Err(Rejection::decode(DeadLetterCode::UnknownFormat, detail));
        }
        self.add(filler.done());
        Ok(())
    }

    fn lines(&mut self, lines: Vec<Vec<Member<'a>>>) -> Result<(), Rejection> {
        for (place, mut members) in lines.into_iter().enumerate() {
            self.object(&mut members, 1, Inside::Anything).map_err(|rejection| at_element(rejection, place))?;
        }
        Ok(())
    }

    fn array(&mut self, text: &'a str, depth: usize, inside: Inside) -> Result<(), Rejection> {
        let before = self.leads.len();
        let mut elements = Elements { reader: self, depth: depth + 1, inside, place: 0, rejection: None };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = (&mut elements).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        read.map_err(|error| malformed(&error))?;
        match elements.rejection {
            Some(rejection) => Err(rejection),
            None if self.leads.len() == before => Err(not_a_lead("an empty array")),
            None => Ok(()),
        }
    }

    fn element(&mut self, raw: &'a str, depth: usize, inside: Inside) -> Result<(), Rejection> {
        match raw.as_bytes().first() {
            Some(b'{') => self.object(&mut object::members(raw)?, depth, inside),
            Some(b'"') => {
                let text = json_text::scalar(raw).unwrap_or_default();
                if self.stated.format != Some(Format::SalesforceForm) && !salesforce_form::is_likely(text.as_bytes()) {
                    return Err(not_a_lead("a text that is no form"));
                }
                self.foreign(|reader| reader.forms(text.as_bytes()))
            }
            _ => Err(not_a_lead("an element that is no object")),
        }
    }

    /// The resources of a reply to a query, without what pages through them (facts.md §1.8).
    fn list_reply(&mut self, members: &mut Vec<Member<'a>>, depth: usize) -> Result<(), Rejection> {
        let outer = self.envelope.clone();
        let mut list = ("", "[]");
        for (key, value) in members.drain(..) {
            if let Some(name) = LISTS.iter().find(|name| key.eq_ignore_ascii_case(name)) {
                list = (name, value);
            } else if !PAGING.iter().any(|name| key.eq_ignore_ascii_case(name)) && !key.contains("odata.") {
                self.envelope.add(key, value);
            }
        }
        let read = if list.1.starts_with('{') {
            object::members(list.1).and_then(|mut members| self.object(&mut members, depth + 1, Inside::Lead))
        } else {
            self.array(list.1, depth + 1, Inside::Lead)
        };
        let read = read.map_err(|rejection| within(rejection, list.0));
        self.envelope = outer;
        read
    }

    fn cloud_event(&mut self, members: &mut Vec<Member<'a>>, depth: usize) -> Result<(), Rejection> {
        let (mut data, mut bytes, mut content) = (None, None, None);
        for (key, value) in members.drain(..) {
            match &*key {
                "data" => data = Some(value),
                "data_base64" => bytes = Some(value),
                "datacontenttype" => content = json_text::scalar(value),
                "specversion" | "dataschema" => {}
                name => {
                    if name == "time" {
                        self.envelope.time = json_text::scalar(value);
                    }
                    self.envelope.add(Cow::Owned(format!("ce_{name}")), value);
                }
            }
        }
        let content = content.unwrap_or_default();
        let read = match (data.filter(|data| *data != "null"), bytes) {
            (Some(data), _) => self.event_data(data, &content, depth + 1).map_err(|rejection| within(rejection, "data")),
            (None, Some(bytes)) => {
                let text = json_text::scalar(bytes).unwrap_or_default();
                let decoded = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
                let decoded = decoded.map_err(|_| not_a_lead("data that is no base64"));
                let read = decoded.and_then(|bytes| self.event_bytes(&bytes, &content, depth + 1));
                read.map_err(|rejection| within(rejection, "data_base64"))
            }
            (None, None) => Err(not_a_lead("a CloudEvent without data")),
        };
        self.envelope = Envelope::default();
        read
    }

    fn event_data(&mut self, data: &'a str, content: &str, depth: usize) -> Result<(), Rejection> {
        match data.as_bytes().first() {
            Some(b'{') => self.object(&mut object::members(data)?, depth, Inside::ListOrLead),
            Some(b'[') => self.array(data, depth, Inside::Lead),
            Some(b'"') => self.event_bytes(json_text::scalar(data).unwrap_or_default().as_bytes(), content, depth),
            _ => Err(not_a_lead("a bare JSON value")),
        }
    }

    /// Data that came as text or bytes: Avro, a form, or JSON once more.
    fn event_bytes(&mut self, bytes: &[u8], content: &str, depth: usize) -> Result<(), Rejection> {
        if self.stated.format == Some(Format::RawLead) || content.contains("avro") || avro::is_likely(bytes) {
            return self.foreign(|reader| {
                reader.leads = avro::leads(bytes, reader.before, reader.limits, reader.schemas)?;
                Ok(())
            });
        }
        let is_json = bytes.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['));
        let stated = self.stated.format == Some(Format::SalesforceForm) || content.starts_with("application/x-www-form-urlencoded");
        if !is_json && (stated || salesforce_form::is_likely(bytes)) {
            return self.foreign(|reader| reader.forms(bytes));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Rejection::decode(DeadLetterCode::NotUtf8, format!("byte {} is not UTF-8", error.valid_up_to())))?;
        let text = text.trim();
        if depth - 1 + json_text::depth(text) > self.limits.depth {
            return Err(too_deep(self.limits));
        }
        match text.as_bytes().first() {
            Some(b'{') => self.foreign(|reader| match object::members(text) {
                Ok(mut members) => reader.object(&mut members, depth, Inside::ListOrLead),
                Err(malformed) => reader.lines(lines(text, Content::Any)?.ok_or(malformed)?),
            }),
            Some(b'[') => self.foreign(|reader| reader.array(text, depth, Inside::Lead)),
            _ => Err(not_a_lead("data that is neither a form nor an object")),
        }
    }

    /// Reads leads from memory that does not last as long as the record.
    fn foreign<'t>(&mut self, read: impl FnOnce(&mut Reader<'t, '_>) -> Result<(), Rejection>) -> Result<(), Rejection> {
        let mut inner = Reader { before: self.before + self.leads.len(), ..Reader::new(self.stated, self.limits, self.schemas) };
        read(&mut inner)?;
        inner.leads.into_iter().for_each(|lead| self.add(lead.into_owned()));
        Ok(())
    }
}

/// Where a list reply has its list.
const LISTS: [&str; 3] = ["value", "items", "records"];

/// What a list reply tells about itself.
const PAGING: [&str; 8] = ["nextLink", "count", "totalCount", "totalSize", "done", "nextRecordsUrl", "continuationToken", "links"];

/// A list beside nothing that a lead has.
fn is_list_reply(members: &[Member<'_>]) -> bool {
    let is_paged = || members.iter().any(|(key, _)| key.contains("odata."));
    // One resource where the list belongs is a list of one (readings Q28), if nothing but a reply has such keys.
    let is_list = |list: &str| list.starts_with('[') || list.starts_with('{') && is_paged();
    let lists = LISTS.iter().filter(|name| object::find(members, name).is_some_and(is_list)).count();
    lists == 1 && shape::of(members) == Shape::Unknown
}

/// Required attributes of a `CloudEvent` in structured mode; their names have one case only.
fn is_cloud_event(members: &[Member<'_>]) -> bool {
    let has = |name: &str| members.iter().any(|(key, _)| key == name);
    has("specversion") && has("type") && has("source")
}

pub(super) fn at_element(rejection: Rejection, place: usize) -> Rejection {
    // That there are too many is a fault of the whole.
    if rejection.code == DeadLetterCode::TooManyLeads { rejection } else { within(rejection, &format!("[{place}]")) }
}

/// The same fault, seen from one level further out.
pub(super) fn within(rejection: Rejection, outer: &str) -> Rejection {
    let field = match rejection.field.as_str() {
        "" => outer.to_owned(),
        inner if inner.starts_with('[') => format!("{outer}{inner}"),
        inner => format!("{outer}.{inner}"),
    };
    rejection.at(field)
}

/// Reads an array's elements one by one; remembers the first fault.
struct Elements<'r, 'a, 'l> {
    reader: &'r mut Reader<'a, 'l>,
    depth: usize,
    inside: Inside,
    place: usize,
    rejection: Option<Rejection>,
}

impl<'de> DeserializeSeed<'de> for &mut Elements<'_, 'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Elements<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of leads")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(raw) = elements.next_element::<&'de RawValue>()? {
            // Once refused, the rest is only read on for its syntax: text that is no JSON is called that first.
            if self.rejection.is_none() {
                let read = self.reader.element(raw.get(), self.depth, self.inside);
                self.rejection = read.err().map(|rejection| at_element(rejection, self.place));
                self.place += 1;
            }
        }
        Ok(())
    }
}

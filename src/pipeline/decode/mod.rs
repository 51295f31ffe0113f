//! Bytes to raw leads: tells the format (header, content type, structure), bounds everything, and hands each lead to the
//! reader of its shape. Values are as received; what they mean is `normalize`'s.

mod avro;
mod azure_table;
mod container;
mod crm_row;
mod https_json;
mod json_text;
mod object;
mod raw_lead;
mod referral;
mod salesforce_form;
mod scan;
mod shape;
mod stated;
mod webhook;

pub(super) use avro::WriterSchemas;
pub use avro::{FirstDatum, WRITER_SCHEMA_HEADER, first_datum};
pub(super) use raw_lead::{RawLead, RawReferral, is_campaign_parameter};
pub(super) use salesforce_form::query;

use crate::lead::{DeadLetterCode, Format, Record, Rejection, Vocabulary};

use super::Limits;

use object::{Inner, Member};
use raw_lead::Filler;
use shape::Shape;
use stated::{Content, Stated};

/// Lists without anything in them, whose memory one record leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Lists {
    leads: Vec<RawLead<'static>>,
    members: Vec<Member<'static>>,
    inner: Vec<Member<'static>>,
}

/// So many bytes of a list are left to the next record.
const KEPT: usize = 1 << 16;

impl Lists {
    /// Takes back a list of leads that is done with.
    pub(super) fn keep(&mut self, mut leads: Vec<RawLead<'_>>) {
        leads.clear();
        if leads.capacity() * size_of::<RawLead<'_>>() <= KEPT {
            // Nothing is there to be made anew: collecting into a list of the same kind keeps its memory.
            self.leads = leads.into_iter().map(|_| RawLead::default()).collect();
        }
    }

    fn keep_members(&mut self, members: Vec<Member<'_>>, inner: Inner<'_>) {
        (self.members, self.inner) = (emptied(members), emptied(inner.members));
    }
}

fn emptied(mut members: Vec<Member<'_>>) -> Vec<Member<'static>> {
    members.clear();
    if members.capacity() * size_of::<Member<'_>>() > KEPT {
        return Vec::new();
    }
    members.into_iter().map(|_| Member::default()).collect()
}

/// Whether some shape of a lead has a key of this name, in any case: such a name is nobody's data.
#[must_use]
pub fn knows_key(key: &str) -> bool {
    let member = [(key.into(), "")];
    Format::ALL.iter().any(|format| shape::has_a_key_of(*format, &member))
}

/// Reads all leads of a record.
///
/// # Errors
/// The record's one rejection: by size, by bytes, by syntax, by depth, by count, or because an element is no lead.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn decode<'a>(
    record: &Record<'a>,
    limits: &Limits,
    schemas: &WriterSchemas,
    lists: &mut Lists,
) -> Result<Vec<RawLead<'a>>, Rejection> {
    let value = record.value.ok_or_else(|| Rejection::decode(DeadLetterCode::EmptyValue, "the value is null"))?;
    if value.len() > limits.record_bytes {
        return Err(too_large(value.len() as u64, limits));
    }
    let unmarked = value.strip_prefix("\u{feff}".as_bytes()).unwrap_or(value);
    if unmarked.trim_ascii().is_empty() {
        return Err(Rejection::decode(DeadLetterCode::EmptyValue, "the value has nothing but blanks"));
    }
    let stated = stated::stated(record);
    if is_avro(value, &stated) {
        if let Some(beside) = record.headers.last(WRITER_SCHEMA_HEADER).filter(|_| avro::is_single_object(value)) {
            return avro::leads_beside(value, beside, limits);
        }
        return avro::leads(value, 0, limits, schemas);
    }
    // Before the headers are believed: text in no known charset is none in any format but a form, which names its own.
    let text = std::str::from_utf8(unmarked);
    if let Ok(text) = text
        && text.trim().is_empty()
    {
        return Err(Rejection::decode(DeadLetterCode::EmptyValue, "the value has nothing but blanks"));
    }
    if let Ok(stated) = &stated
        && is_form(unmarked, stated)
    {
        return container::forms(unmarked, stated, limits, schemas);
    }
    let text = text.map_err(|error| {
        let place = error.valid_up_to() + value.len() - unmarked.len();
        Rejection::decode(DeadLetterCode::NotUtf8, format!("byte {place} is not UTF-8"))
    })?;
    container::leads(text, &stated?, limits, schemas, lists).map_err(|rejection| {
        // Whatever else is wrong, a value nested beyond the limit is called that: its other faults lie beyond the limit.
        if rejection.code == DeadLetterCode::TooDeep || json_text::depth(text) <= limits.depth { rejection } else { too_deep(limits) }
    })
}

/// Whether the bytes are to be read as framed Avro: a header says so, or none says otherwise and they look like nothing else. A
/// `CloudEvent` that says so is JSON first.
fn is_avro(bytes: &[u8], stated: &Result<Stated<'_>, Rejection>) -> bool {
    match stated {
        Ok(Stated { format: Some(Format::RawLead), .. }) => !is_json(bytes),
        Ok(Stated { format: None, content: Content::Avro, .. }) => true,
        Ok(Stated { format: None, content: Content::Any, .. }) => avro::is_likely(bytes),
        _ => false,
    }
}

/// Whether the bytes begin as a JSON object or array.
fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['))
}

/// Whether the bytes are to be read as forms: a header says so, or no header says otherwise and they look like it.
fn is_form(bytes: &[u8], stated: &Stated<'_>) -> bool {
    // A form inside an array or an envelope is a JSON value first.
    match (stated.format, stated.content) {
        (Some(Format::SalesforceForm), _) => !is_json(bytes),
        (Some(_), _) | (None, Content::Json | Content::Lines | Content::Avro) => false,
        (None, Content::Form) => true,
        (None, Content::Any) => salesforce_form::is_likely(bytes),
    }
}

/// One object to one lead, by the reader of its shape. `depth` is how deep the object itself lies in the record, from 1.
fn lead<'a>(
    members: &mut Vec<Member<'a>>,
    inner: &mut Inner<'a>,
    format: Option<Format>,
    index: u32,
    depth: usize,
    limits: &Limits,
) -> Result<RawLead<'a>, Rejection> {
    let is_too_deep = |value: &str| value.starts_with(['{', '[']) && json_text::is_deeper(value, limits.depth.saturating_sub(depth));
    if members.iter().any(|(_, value)| depth > limits.depth || is_too_deep(value)) {
        return Err(too_deep(limits));
    }
    if format == Some(Format::RawLead) {
        return Err(Rejection::decode(DeadLetterCode::MalformedAvro, "header lead-format names raw_lead, which is Avro; this is JSON"));
    }
    let format = agreed(format, members)?;
    let mut lead = Filler::new(format, index, limits);
    match format {
        Format::HttpsJson => https_json::fill(members, inner, &mut lead),
        Format::AzureTable => azure_table::fill(members, limits.depth.saturating_sub(depth), &mut lead)?,
        Format::PartnerCenterReferral => referral::fill(members, &mut lead),
        Format::PartnerCenterWebhook => webhook::fill(members, &mut lead)?,
        // A form's fields are the columns of a Salesforce lead.
        Format::CrmRow | Format::SalesforceForm => crm_row::fill(members, &mut lead),
        // No keys are Avro's.
        Format::RawLead => {}
    }
    Ok(lead.done())
}

/// The shape to read an object by: what a header has named, if the object may be that; else what its keys tell.
fn agreed(stated: Option<Format>, members: &[Member<'_>]) -> Result<Format, Rejection> {
    let unknown = |detail: String| Err(Rejection::decode(DeadLetterCode::UnknownFormat, detail));
    let Some(stated) = stated else {
        return match shape::of(members) {
            Shape::Certain(format) | Shape::Likely(format) => Ok(format),
            Shape::Unknown => unknown("the object has none of the keys of a known lead shape".to_owned()),
        };
    };
    match shape::of(members) {
        // The columns of a form and of a row are the same, and a table's may have the customer's too.
        Shape::Certain(Format::CrmRow) if shape::has_a_key_of(stated, members) => Ok(stated),
        Shape::Certain(told) if told != stated => {
            unknown(format!("header lead-format names {}, but the object is of the shape {}", stated.name(), told.name()))
        }
        _ if members.is_empty() || shape::has_a_key_of(stated, members) => Ok(stated),
        _ => unknown(format!("header lead-format names {}, but the object has none of its keys", stated.name())),
    }
}

/// The rejection of a value with so many bytes.
pub(super) fn too_large(size: u64, limits: &Limits) -> Rejection {
    let detail = format!("the value has {size} bytes; limits.record_bytes is {}", limits.record_bytes);
    Rejection::decode(DeadLetterCode::TooLarge, detail)
}

fn too_many_leads(limits: &Limits) -> Rejection {
    let detail = format!("the record has more than {} leads (limits.leads)", limits.leads);
    Rejection::decode(DeadLetterCode::TooManyLeads, detail)
}

fn too_deep(limits: &Limits) -> Rejection {
    Rejection::decode(DeadLetterCode::TooDeep, format!("the value is nested deeper than limits.depth, {}", limits.depth))
}

fn too_deep_inside() -> Rejection {
    Rejection::decode(DeadLetterCode::TooDeep, "the text of the field is nested deeper than limits.depth leaves room for")
}

fn malformed(error: &serde_json::Error) -> Rejection {
    // The library's words for syntax name places and characters of JSON's grammar, never a value.
    Rejection::decode(DeadLetterCode::MalformedJson, error.to_string())
}

fn not_a_lead(what: &str) -> Rejection {
    Rejection::decode(DeadLetterCode::NotALead, format!("{what} is no lead"))
}

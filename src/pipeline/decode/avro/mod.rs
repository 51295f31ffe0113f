//! Raw leads in Avro: finds the schema a value was written with by its frame, and fills a lead from each record. How bytes lie
//! along a schema is `datum`'s; where schemas by number come from is the shell's.

mod container;
mod datum;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

pub use container::{FirstDatum, WRITER_SCHEMA_HEADER, first_datum};

use super::{Filler, Limits, RawLead, json_text, raw_lead::Place};
use crate::{
    lead::{DeadLetterCode, Format, Rejection},
    schemas::{self, ContainerSchema, Node, NodeId, RecordKind, Unit, WriterSchema},
};
use datum::{Datum, Value};

/// Opens a value in the Confluent wire format; then the schema's number in four bytes, big-endian, then the datum.
const CONFLUENT: u8 = 0;
/// Opens a value in single-object encoding; then the schema's fingerprint in eight bytes, then the datum.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// More schemas than that are not remembered at once.
const MOST_SCHEMAS: usize = 256;

/// Schemas that values name and do not hold.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct WriterSchemas {
    /// By the number a registry gave them, as far as they were asked for. A number never changes its meaning.
    by_number: BTreeMap<u32, Result<WriterSchema, String>>,
    /// The one of the file that values come from, which their fingerprint names.
    of_file: Option<Arc<ContainerSchema>>,
}

impl WriterSchemas {
    /// Remembers what the registry has under a number.
    pub(in crate::pipeline) fn learn<T: AsRef<str>>(&mut self, id: u32, texts: &[T]) {
        if self.by_number.len() >= MOST_SCHEMAS {
            self.by_number.clear();
        }
        self.by_number.insert(id, WriterSchema::parse(texts));
    }

    /// From now on values come from a file of this schema, or from none.
    pub(in crate::pipeline) fn begin_file(&mut self, schema: Option<Arc<ContainerSchema>>) {
        self.of_file = schema;
    }
}

/// The released versions of `RawLead`, which need no registry.
static RELEASED: LazyLock<Vec<([u8; 8], WriterSchema)>> = LazyLock::new(|| {
    let raw = schemas::released().iter().filter(|schema| schema.kind == RecordKind::RawLead);
    raw.filter_map(|schema| Some((schema.fingerprint, WriterSchema::new(&schema.schema).ok()?))).collect()
});

/// Whether bytes can be nothing but framed Avro: no text begins like that.
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    bytes.first() == Some(&CONFLUENT) || bytes.starts_with(&SINGLE_OBJECT)
}

/// All leads of a framed value; `before` is how many the record already has.
///
/// # Errors
/// `malformed_avro`, `unknown_schema`, `too_deep`, `too_many_leads`. A rejection that awaits a schema is one only if nobody
/// knows that schema.
pub(super) fn leads<'a>(bytes: &'a [u8], before: usize, limits: &Limits, known: &WriterSchemas) -> Result<Vec<RawLead<'a>>, Rejection> {
    let (schema, datum) = framed(bytes, known)?;
    along(schema, bytes, datum, before, limits)
}

/// The same of a value that has its writer's schema beside it, as the dead letter of a container file's datum has.
///
/// # Errors
/// As [`leads`]; `unknown_schema` where the schema beside it is not the one it names.
pub(super) fn leads_beside<'a>(bytes: &'a [u8], text: &[u8], limits: &Limits) -> Result<Vec<RawLead<'a>>, Rejection> {
    let unknown = |why: &str| {
        let detail = format!("no raw lead can be read by the schema in its header {WRITER_SCHEMA_HEADER}: {why}");
        Rejection::decode(DeadLetterCode::UnknownSchema, detail)
    };
    let text = std::str::from_utf8(text).map_err(|_| unknown("it is not UTF-8"))?;
    let beside = ContainerSchema::parse(text, None).map_err(|why| unknown(&why))?;
    let rest = bytes.strip_prefix(&SINGLE_OBJECT).and_then(|rest| rest.strip_prefix(&beside.fingerprint));
    let datum = rest.ok_or_else(|| unknown("the value's fingerprint is that of another"))?;
    along(&beside.schema, bytes, datum, 0, limits)
}

/// Whether bytes name their schema by its fingerprint.
pub(super) fn is_single_object(bytes: &[u8]) -> bool {
    bytes.starts_with(&SINGLE_OBJECT)
}

fn along<'a>(schema: &WriterSchema, bytes: &[u8], datum: &'a [u8], before: usize, limits: &Limits) -> Result<Vec<RawLead<'a>>, Rejection> {
    let mut datum = Datum::new(datum, schema, limits);
    let mut leads = Vec::new();
    if let Node::Array(items) = schema.node(schema.root()) {
        datum.items(|datum, place| {
            // A lead without a byte is nobody's.
            if place >= bytes.len() {
                return Err(malformed("it claims more leads than it has bytes"));
            }
            leads.push(lead(datum, *items, before + place, 2, limits).map_err(|rejection| super::container::at_element(rejection, place))?);
            Ok(())
        })?;
        if leads.is_empty() {
            return Err(super::not_a_lead("an empty array"));
        }
    } else {
        leads.push(lead(&mut datum, schema.root(), before, 1, limits)?);
    }
    datum.end()?;
    Ok(leads)
}

/// The schema a value names, and the datum behind the frame.
fn framed<'a, 'k>(bytes: &'a [u8], known: &'k WriterSchemas) -> Result<(&'k WriterSchema, &'a [u8]), Rejection> {
    let unknown = |detail: String| Rejection::decode(DeadLetterCode::UnknownSchema, detail);
    let cut = || malformed("the value ends within its frame");
    if let Some(rest) = bytes.strip_prefix(&SINGLE_OBJECT) {
        let (fingerprint, datum) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        // The file's own first: a fingerprint leaves out what a number counts.
        let of_file = known.of_file.iter().map(|file| (&file.fingerprint, &file.schema));
        let mut schemas = of_file.chain(RELEASED.iter().map(|(released, schema)| (released, schema)));
        let schema = schemas.find(|(found, _)| *found == fingerprint).map(|(_, schema)| schema).ok_or_else(|| {
            let fingerprint = u64::from_be_bytes(*fingerprint);
            unknown(format!("the fingerprint {fingerprint:016x} is that of no released RawLead; `leadstream schemas list` shows them"))
        })?;
        return Ok((schema, datum));
    }
    let Some(rest) = bytes.strip_prefix(&[CONFLUENT]) else {
        return Err(malformed("it begins neither with 00 (Confluent wire format) nor with c3 01 (single-object encoding)"));
    };
    let (number, datum) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let id = u32::from_be_bytes(*number);
    match known.by_number.get(&id) {
        Some(Ok(schema)) => Ok((schema, datum)),
        Some(Err(why)) => Err(unknown(format!("no raw lead can be read by schema {id} of the registry: {why}"))),
        None => {
            let detail = format!("nobody knows schema {id}: the registry has none of that number, or encoding.registry is not set");
            Err(Rejection { awaits: Some(id), ..unknown(detail) })
        }
    }
}

fn lead<'a>(datum: &mut Datum<'a, '_>, node: NodeId, index: usize, depth: usize, limits: &Limits) -> Result<RawLead<'a>, Rejection> {
    if index >= limits.leads {
        return Err(super::too_many_leads(limits));
    }
    let schema = datum.schema();
    let fields = match schema.node(node) {
        Node::Record(fields) => fields,
        Node::Union(branches) => {
            let branch = datum.branch(branches)?;
            return lead(datum, branch, index, depth, limits);
        }
        _ => return Err(super::not_a_lead("what is no record")),
    };
    let mut filler = Filler::new(Format::RawLead, u32::try_from(index).unwrap_or(u32::MAX), limits);
    for (name, node) in fields {
        fill(datum, name, *node, depth + 1, &mut filler).map_err(|rejection| super::container::within(rejection, name))?;
    }
    Ok(filler.done())
}

/// Reads the value of a field and puts it where it belongs.
fn fill<'a>(datum: &mut Datum<'a, '_>, name: &str, node: NodeId, depth: usize, lead: &mut Filler<'a, '_>) -> Result<(), Rejection> {
    // A schema's names outlast no record, and are few.
    let key = || Cow::Owned(name.to_owned());
    if name == "extra"
        && let Node::Map(values) = datum.schema().node(node)
    {
        return datum.items(|datum, _| {
            let key = Cow::Borrowed(datum.string()?);
            let value = datum.value(*values, depth + 1)?;
            keep(key, value, lead);
            Ok(())
        });
    }
    match (datum.value(node, depth)?, field(name)) {
        (Value::Text(text), Some(place)) => lead.text(place, text),
        (Value::Integer(number), Some(place)) => lead.text(place, Cow::Owned(number.to_string())),
        // By Avro's rules bytes are a text where a text is read.
        (Value::Bytes(bytes), Some(place)) => {
            lead.text(place, Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| malformed("a text is not UTF-8"))?));
        }
        (Value::Text(text), None) if name == "event_time" => lead.lead.times.push(("event_time", text)),
        // As `RawLead` has it, where the writer's schema does not say what it counts.
        (Value::Integer(micros), None) if name == "event_time" => {
            lead.lead.times.push(("event_time", Cow::Owned(datum::time(micros, Unit::Microsecond))));
        }
        (value, _) => keep(key(), value, lead),
    }
    Ok(())
}

/// Keeps a value that has no place in a lead, unless it is empty.
fn keep<'a>(key: Cow<'a, str>, value: Value<'a>, lead: &mut Filler<'a, '_>) {
    match value {
        Value::Null => {}
        Value::Text(text) => lead.keep_filled(key, Cow::Owned(json_text::quote(&text))),
        Value::Integer(number) => lead.keep(key, Cow::Owned(number.to_string())),
        Value::Bytes(bytes) => lead.keep_filled(key, Cow::Owned(json_text::quote(&datum::hex(bytes)))),
        Value::Json(json) => lead.keep_filled(key, Cow::Owned(json)),
        Value::Cut => lead.lead.truncated = true,
    }
}

/// The field of a raw lead that a field of `RawLead` fills.
fn field<'a>(name: &str) -> Option<Place<'a>> {
    let place: Place<'a> = match name {
        "first_name" => |lead| &mut lead.first_name,
        "last_name" => |lead| &mut lead.last_name,
        "email" => |lead| &mut lead.email,
        "phone" => |lead| &mut lead.phone,
        "country" => |lead| &mut lead.country,
        "company" => |lead| &mut lead.company,
        "title" => |lead| &mut lead.title,
        "lead_source" => |lead| &mut lead.lead_source,
        "action_code" => |lead| &mut lead.action_code,
        "offer_title" => |lead| &mut lead.offer_title,
        "offer_id" => |lead| &mut lead.product_id,
        "description" => |lead| &mut lead.description,
        "note" => |lead| &mut lead.notes,
        "campaign_id" => |lead| &mut lead.campaign_id,
        "marketing_opt_out" => |lead| &mut lead.opted_out,
        "is_spam" => |lead| &mut lead.is_spam,
        _ => return None,
    };
    Some(place)
}

fn malformed(detail: &str) -> Rejection {
    Rejection::decode(DeadLetterCode::MalformedAvro, detail)
}

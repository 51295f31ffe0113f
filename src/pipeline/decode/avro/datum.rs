//! One datum read along its writer's schema. Every length is held against the bytes there are before anything is taken, every
//! step is counted and every level bounded, so no value can make it work or remember more than its size warrants.

use std::{borrow::Cow, fmt::Write as _};

use super::{Limits, malformed};
use crate::{
    lead::{DeadLetterCode, Rejection, Timestamp},
    pipeline::decode::{json_text, raw_lead::Text},
    schemas::{Node, NodeId, Unit, WriterSchema},
};

/// Steps a value of no bytes may take: items without bytes cost nobody anything but time.
const FREE_STEPS: usize = 4096;
/// Steps a byte of a value may take: a byte can hold no more than a branch and a value or two.
const STEPS_A_BYTE: usize = 8;

/// The value of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Null.
    Null,
    /// A text, or the text of a fraction, a symbol, a time.
    Text(Text<'a>),
    /// A number whose meaning the schema does not tell.
    Integer(i64),
    /// Bytes that nobody has called a text.
    Bytes(&'a [u8]),
    /// Anything else, as JSON.
    Json(String),
    /// Anything else that is longer as JSON than all of `extra` may be.
    Cut,
}

/// Reads one value from its front to its end.
pub(super) struct Datum<'a, 's> {
    rest: &'a [u8],
    schema: &'s WriterSchema,
    depth: usize,
    steps: usize,
    longest: usize,
}

impl<'a, 's> Datum<'a, 's> {
    pub(super) fn new(bytes: &'a [u8], schema: &'s WriterSchema, limits: &Limits) -> Self {
        let steps = bytes.len().saturating_mul(STEPS_A_BYTE).saturating_add(FREE_STEPS);
        Self { rest: bytes, schema, depth: limits.depth, steps, longest: limits.extra_bytes }
    }

    pub(super) fn schema(&self) -> &'s WriterSchema {
        self.schema
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Rejection> {
        if self.rest.is_empty() { Ok(()) } else { Err(malformed("bytes are left behind the datum: it was written by another schema")) }
    }

    /// The items of an array, one by one.
    pub(super) fn items(&mut self, mut item: impl FnMut(&mut Self, usize) -> Result<(), Rejection>) -> Result<(), Rejection> {
        let mut place = 0;
        loop {
            let count = self.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                self.step()?;
                item(self, place)?;
                place += 1;
            }
        }
    }

    /// The value at a node, `depth` levels deep.
    pub(super) fn value(&mut self, node: NodeId, depth: usize) -> Result<Value<'a>, Rejection> {
        self.step()?;
        let text = |text: String| Ok(Value::Text(Cow::Owned(text)));
        match self.schema.node(node) {
            Node::Null => Ok(Value::Null),
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.value(branch, depth)
            }
            Node::String => Ok(Value::Text(Cow::Borrowed(self.string()?))),
            Node::Enum(symbols) => text(self.symbol(symbols)?.to_owned()),
            Node::Boolean => text(if self.boolean()? { "true" } else { "false" }.to_owned()),
            Node::Integer => Ok(Value::Integer(self.long()?)),
            Node::Bytes => Ok(Value::Bytes(self.counted()?)),
            Node::Timestamp(unit) => {
                let unit = *unit;
                text(time(self.long()?, unit))
            }
            Node::Float => text(number(f64::from(self.float()?))),
            Node::Double => text(number(self.double()?)),
            Node::Fixed(_) | Node::Array(_) | Node::Map(_) | Node::Record(_) => {
                let mut json = Json { text: String::new(), longest: self.longest };
                self.json(node, depth, &mut json)?;
                Ok(if json.is_cut() { Value::Cut } else { Value::Json(json.text) })
            }
        }
    }

    /// Passes over the value at a node, `depth` levels deep.
    pub(super) fn skip(&mut self, node: NodeId, depth: usize) -> Result<(), Rejection> {
        self.step()?;
        let schema = self.schema;
        match schema.node(node) {
            Node::Null => {}
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.skip(branch, depth)?;
            }
            Node::Boolean => {
                self.boolean()?;
            }
            Node::Integer | Node::Timestamp(_) | Node::Enum(_) => {
                self.long()?;
            }
            Node::Float => {
                self.float()?;
            }
            Node::Double => {
                self.double()?;
            }
            Node::Bytes | Node::String => {
                self.counted()?;
            }
            Node::Fixed(size) => {
                self.take(*size)?;
            }
            Node::Array(items) => {
                self.deeper(depth)?;
                self.items(|datum, _| datum.skip(*items, depth + 1))?;
            }
            Node::Map(values) => {
                self.deeper(depth)?;
                self.items(|datum, _| {
                    datum.counted()?;
                    datum.skip(*values, depth + 1)
                })?;
            }
            Node::Record(fields) => {
                self.deeper(depth)?;
                fields.iter().try_for_each(|(_, node)| self.skip(*node, depth + 1))?;
            }
        }
        Ok(())
    }

    /// The bytes at a node that holds a text, bytes or null.
    pub(super) fn bytes(&mut self, node: NodeId) -> Result<Option<&'a [u8]>, Rejection> {
        match self.schema.node(node) {
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.bytes(branch)
            }
            Node::Bytes | Node::String => self.counted().map(Some),
            _ => self.skip(node, 1).map(|()| None),
        }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn json(&mut self, node: NodeId, depth: usize, out: &mut Json) -> Result<(), Rejection> {
        self.step()?;
        let schema = self.schema;
        match schema.node(node) {
            Node::Null => out.push("null"),
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.json(branch, depth, out)?;
            }
            Node::String => out.quote(self.string()?),
            Node::Enum(symbols) => out.quote(self.symbol(symbols)?),
            Node::Boolean => out.push(if self.boolean()? { "true" } else { "false" }),
            Node::Integer => out.push(&self.long()?.to_string()),
            Node::Timestamp(unit) => out.quote(&time(self.long()?, *unit)),
            Node::Float => out.push(&number_or_null(f64::from(self.float()?))),
            Node::Double => out.push(&number_or_null(self.double()?)),
            Node::Bytes => {
                let bytes = self.counted()?;
                out.hex(bytes);
            }
            Node::Fixed(size) => {
                let bytes = self.take(*size)?;
                out.hex(bytes);
            }
            Node::Array(items) => {
                self.deeper(depth)?;
                out.push("[");
                self.items(|datum, place| {
                    out.push(if place == 0 { "" } else { "," });
                    datum.json(*items, depth + 1, out)
                })?;
                out.push("]");
            }
            Node::Map(values) => {
                self.deeper(depth)?;
                out.push("{");
                self.items(|datum, place| {
                    out.push(if place == 0 { "" } else { "," });
                    out.quote(datum.string()?);
                    out.push(":");
                    datum.json(*values, depth + 1, out)
                })?;
                out.push("}");
            }
            Node::Record(fields) => {
                self.deeper(depth)?;
                out.push("{");
                for (place, (name, node)) in fields.iter().enumerate() {
                    out.push(if place == 0 { "" } else { "," });
                    out.quote(name);
                    out.push(":");
                    self.json(*node, depth + 1, out)?;
                }
                out.push("}");
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Rejection> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| malformed("it claims more items than its bytes can hold"))?;
        Ok(())
    }

    fn deeper(&self, depth: usize) -> Result<(), Rejection> {
        if depth <= self.depth {
            return Ok(());
        }
        let detail = format!("the value is nested deeper than limits.depth, {}", self.depth);
        Err(Rejection::decode(DeadLetterCode::TooDeep, detail))
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], Rejection> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or_else(|| malformed("the value ends within its datum"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A zigzag varint of at most 64 bits.
    fn long(&mut self) -> Result<i64, Rejection> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or_default();
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()));
            }
        }
        Err(malformed("a number has more than 64 bits"))
    }

    /// The count of a block; one that is negative is followed by the block's size, which nobody needs here.
    fn block(&mut self) -> Result<u64, Rejection> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }

    fn counted(&mut self) -> Result<&'a [u8], Rejection> {
        let size = self.long()?;
        let size = usize::try_from(size).map_err(|_| malformed("a length is negative"))?;
        self.take(size)
    }

    pub(super) fn string(&mut self) -> Result<&'a str, Rejection> {
        std::str::from_utf8(self.counted()?).map_err(|_| malformed("a text is not UTF-8"))
    }

    fn boolean(&mut self) -> Result<bool, Rejection> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(malformed("a boolean is neither 0 nor 1")),
        }
    }

    fn float(&mut self) -> Result<f32, Rejection> {
        let bytes = self.take(4)?;
        Ok(bytes.first_chunk().map_or(f32::NAN, |bytes| f32::from_le_bytes(*bytes)))
    }

    fn double(&mut self) -> Result<f64, Rejection> {
        let bytes = self.take(8)?;
        Ok(bytes.first_chunk().map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes)))
    }

    pub(super) fn branch(&mut self, branches: &[NodeId]) -> Result<NodeId, Rejection> {
        let place = usize::try_from(self.long()?).ok();
        place.and_then(|place| branches.get(place)).copied().ok_or_else(|| malformed("a union has no branch of that number"))
    }

    fn symbol<'n>(&mut self, symbols: &'n [String]) -> Result<&'n str, Rejection> {
        let place = usize::try_from(self.long()?).ok();
        let symbol = place.and_then(|place| symbols.get(place));
        symbol.map(String::as_str).ok_or_else(|| malformed("an enum has no symbol of that number"))
    }
}

/// JSON that grows no longer than it may.
struct Json {
    text: String,
    longest: usize,
}

impl Json {
    fn is_cut(&self) -> bool {
        self.text.len() > self.longest
    }

    fn push(&mut self, text: &str) {
        if !self.is_cut() {
            self.text.push_str(text);
        }
    }

    fn quote(&mut self, text: &str) {
        if !self.is_cut() {
            self.text.push_str(&json_text::quote(text));
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        if bytes.len() > self.longest {
            // Longer than may be kept, however it is written.
            self.text.extend(std::iter::repeat_n(' ', self.longest + 1));
        }
        self.quote(&hex(bytes));
    }
}

/// Bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A number as people write it.
fn number(value: f64) -> String {
    value.to_string()
}

fn number_or_null(value: f64) -> String {
    if value.is_finite() { serde_json::to_string(&value).unwrap_or_default() } else { "null".to_owned() }
}

/// A time as RFC 3339; one that no calendar has as its number, which is then kept beside the lead.
pub(super) fn time(value: i64, unit: Unit) -> String {
    let micros = match unit {
        Unit::Millisecond => value.saturating_mul(1000),
        Unit::Microsecond => value,
        Unit::Nanosecond => value.div_euclid(1000),
    };
    let time = Timestamp::from_micros(micros);
    if time.micros() == micros { time.to_string() } else { format!("{value} since the epoch") }
}

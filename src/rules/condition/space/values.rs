//! The values of a term that its tests can tell apart: between two numbers that are written somewhere one stands for all. Complete,
//! so that what holds of none of them holds of no lead. Knows terms; asks nothing of them.

use std::collections::BTreeSet;

use super::super::{
    fields::{self, Type, Value},
    times,
    tree::{Literal, Node, TimePart},
};
use super::question::{Kind, kind};
use crate::lead::Timestamp;

/// A value that stands for itself, or for all that no test tells from it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Error,
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Word(&'static str),
    Text(Box<str>),
    Time(Timestamp),
    /// Microseconds.
    Duration(i64),
    Row,
    /// A text that no condition names.
    Unlisted,
}

impl Known {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Error | Self::Unlisted => Value::Error,
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Word(text) => Value::Text(text),
            Self::Text(text) => Value::Text(text),
            Self::Time(time) => Value::Time(*time),
            Self::Duration(micros) => Value::Duration(*micros),
            Self::Row => Value::Row,
        }
    }

    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Int(number) => Self::Int(number),
            Value::Double(number) => Self::Double(number),
            Value::Text(text) => Self::Text(text.into()),
            Value::Time(time) => Self::Time(time),
            Value::Duration(micros) => Self::Duration(micros),
            Value::Row => Self::Row,
            Value::Error | Value::Map(_) | Value::Flags(_) | Value::Reasons(_) => Self::Error,
        }
    }

    /// Its place among values of its kind.
    pub(super) fn rank(&self) -> Option<i64> {
        match self {
            Self::Int(number) | Self::Duration(number) => Some(*number),
            Self::Time(time) => Some(time.micros()),
            _ => None,
        }
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Null | Self::Error)
    }
}

/// What a term is held against, in all conditions together.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Whole numbers, microseconds.
    pub(super) numbers: BTreeSet<i64>,
    pub(super) fractions: Vec<f64>,
    pub(super) texts: BTreeSet<Box<str>>,
}

impl Written {
    pub(super) fn add(&mut self, literal: &Literal) {
        match literal {
            Literal::Int(number) | Literal::Duration(number) => _ = self.numbers.insert(*number),
            Literal::Time(time) => _ = self.numbers.insert(time.micros()),
            Literal::Double(number) => self.fractions.push(*number),
            Literal::Text(text) => _ = self.texts.insert(text.clone()),
            Literal::Null | Literal::Bool(_) => {}
        }
    }
}

/// Fields that every lead has.
const ALWAYS_THERE: [&str; 10] = [
    "lead_id",
    "event_time",
    "received_at",
    "source.topic",
    "source.partition",
    "source.offset",
    "source.index",
    "score.total",
    "score.fit",
    "score.intent",
];
/// Fixed lists that a lead may have no word of.
const WORDS_THAT_MAY_MISS: [&str; 3] = ["suppressed_by", "offer.offer_type", "offer.listing_option"];
/// Texts that are trimmed, and missing where nothing is left.
const TRIMMED: [&str; 11] = [
    "source_raw",
    "action_raw",
    "offer_title",
    "contact.first_name",
    "contact.last_name",
    "contact.email",
    "contact.phone_raw",
    "contact.country_raw",
    "contact.company",
    "contact.title",
    "note",
];

/// Every value of the term that a test can tell from the others.
pub(super) fn of_term(term: &Node, written: &Written) -> Vec<Known> {
    let mut values = Vec::new();
    match kind(term) {
        Kind::Bool => values.extend([Known::Bool(false), Known::Bool(true)]),
        Kind::Word(words) => values.extend(words().into_iter().map(Known::Word)),
        Kind::Row => values.push(Known::Row),
        Kind::Int => {
            let (least, most) = range(term);
            let numbers = numbers(written).chain([least, most]).filter(|number| (least..=most).contains(number));
            values.extend(numbers.collect::<BTreeSet<_>>().into_iter().map(Known::Int));
        }
        Kind::Duration => values.extend(numbers(written).map(Known::Duration)),
        Kind::Time => {
            let times = numbers(written).map(|micros| (micros, Timestamp::from_micros(micros)));
            values.extend(times.filter(|(micros, time)| time.micros() == *micros).map(|(_, time)| Known::Time(time)));
        }
        Kind::Double => values.extend(fractions(written).map(Known::Double)),
        Kind::Text => {
            let texts = written.texts.iter().filter(|text| may_be(term, text));
            values.extend(texts.cloned().map(Known::Text));
            values.push(Known::Unlisted);
        }
        Kind::None => {}
    }
    match term {
        Node::Field(_) => values.extend(may_miss(term).then_some(Known::Null)),
        Node::Column(..) => values.push(Known::Null),
        Node::Entry(..) => values.push(Known::Error),
        Node::Part(_, of, _) | Node::Size(of) if is_always_there(of) => {}
        _ => values.extend([Known::Null, Known::Error]),
    }
    values
}

/// Whether a lead may have no such value.
pub(super) fn may_miss(term: &Node) -> bool {
    let Node::Field(field) = term else { return true };
    match kind(term) {
        Kind::Bool => false,
        Kind::Word(_) => WORDS_THAT_MAY_MISS.contains(&field.path),
        _ => !ALWAYS_THERE.contains(&field.path),
    }
}

/// Whether it is a field that every lead has, if only as a list or a map without elements.
fn is_always_there(node: &Node) -> bool {
    let Node::Field(field) = node else { return false };
    matches!(field.of, Type::Map | Type::Flags | Type::Reasons) || !may_miss(node)
}

/// Each number with its neighbours: so every number has one among them that lies between the same.
pub(super) fn numbers(written: &Written) -> impl Iterator<Item = i64> {
    #[expect(clippy::cast_possible_truncation, reason = "at the bounds, where it is cut, nothing lies beyond")]
    let around = written.fractions.iter().map(|number| number.floor() as i64);
    let around = around.flat_map(|number| [number, number.saturating_add(1)]).chain(written.numbers.iter().copied());
    let near = around.flat_map(|number| [number.saturating_sub(1), number, number.saturating_add(1)]);
    near.chain([0]).collect::<BTreeSet<_>>().into_iter()
}

#[expect(clippy::cast_precision_loss, reason = "the neighbours are among them on both sides")]
fn fractions(written: &Written) -> impl Iterator<Item = f64> {
    let all = written.fractions.iter().copied().chain(written.numbers.iter().map(|number| *number as f64));
    let near = all.flat_map(|number| {
        [
            number - 1.0,
            number.next_down().next_down(),
            number.next_down(),
            number,
            number.next_up(),
            number.next_up().next_up(),
            number + 1.0,
        ]
    });
    near.chain([0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN])
}

/// Whether the field, where it is there, has a letter at least.
pub(super) fn is_never_empty(term: &Node) -> bool {
    matches!(term, Node::Field(field) if TRIMMED.contains(&field.path))
}

/// Whether a field can have this text at all.
fn may_be(term: &Node, text: &str) -> bool {
    let Node::Field(field) = term else { return true };
    if TRIMMED.contains(&field.path) && text.trim() != text || text.is_empty() && TRIMMED.contains(&field.path) {
        return false;
    }
    if matches!(field.path, "lead_id" | "person_key") {
        return text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    }
    fields::form(field.path).is_none_or(|form| (form.fits)(text))
}

/// The least and the most whole number.
fn range(term: &Node) -> (i64, i64) {
    match term {
        Node::Size(_) => (0, i64::MAX),
        Node::Field(field) if field.path.starts_with("source.") => (0, i64::MAX),
        Node::Part(part, of, zone) if zone.is_some() || matches!(kind(of), Kind::Time) => range_of_part(*part),
        _ => (i64::MIN, i64::MAX),
    }
}

fn range_of_part(part: TimePart) -> (i64, i64) {
    times::PARTS.iter().find(|(_, known, _)| *known == part).map_or((i64::MIN, i64::MAX), |(.., range)| *range)
}

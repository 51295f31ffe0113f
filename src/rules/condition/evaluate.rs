//! A compiled condition and a lead to true or false. Total: nothing here fails, panics or allocates; what CEL makes an error
//! makes the comparison it stands in false.

use std::cmp::Ordering;

use super::{
    compile::{Comparison, Literal, Node, TextTest},
    fields::{self, Subject, Value},
};
use crate::lead::{Flag, Vocabulary};

/// Whether the expression is true of the lead.
pub(super) fn holds(node: &Node, subject: &Subject<'_>) -> bool {
    match node {
        Node::Not(inner) => !holds(inner, subject),
        Node::All(sides) => sides.iter().all(|side| holds(side, subject)),
        Node::Any(sides) => sides.iter().any(|side| holds(side, subject)),
        Node::Compare(how, left, right) => compare(*how, value(left, subject), value(right, subject)),
        Node::InList(item, list) => {
            let item = value(item, subject);
            list.iter().any(|element| equal(item, value(element, subject)) == Some(true))
        }
        Node::InField(item, container) => match (value(item, subject), value(container, subject)) {
            (Value::Text(item), Value::Map(map)) => map.iter().any(|(key, _)| key == item),
            (Value::Text(item), Value::Flags(flags)) => Flag::from_name(item).is_some_and(|flag| flags.contains(flag)),
            (Value::Text(item), Value::Reasons(reasons)) => reasons.contains(&item),
            _ => false,
        },
        Node::HasFlag(flag) => subject.flags().contains(*flag),
        Node::Test(test, text, part) => match (value(text, subject), value(part, subject)) {
            (Value::Text(text), Value::Text(part)) => match test {
                TextTest::StartsWith => text.starts_with(part),
                TextTest::EndsWith => text.ends_with(part),
                TextTest::Contains => text.contains(part),
            },
            _ => false,
        },
        Node::Has(inner) => !matches!(value(inner, subject), Value::Null | Value::Error),
        Node::Field(_) | Node::Literal(_) => matches!(value(node, subject), Value::Bool(true)),
        Node::Column(..) | Node::Entry(..) | Node::Size(_) => false,
    }
}

fn value<'a>(node: &'a Node, subject: &Subject<'a>) -> Value<'a> {
    match node {
        Node::Literal(literal) => match literal {
            Literal::Null => Value::Null,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Int(value) => Value::Int(*value),
            Literal::Double(value) => Value::Double(*value),
            Literal::Text(text) => Value::Text(text),
            Literal::Time(time) => Value::Time(*time),
        },
        Node::Field(field) => (field.read)(subject),
        Node::Column(table, name) => fields::column(*table, name, subject),
        Node::Entry(map, key) => match (value(map, subject), value(key, subject)) {
            (Value::Map(map), Value::Text(key)) => {
                map.iter().find(|(name, _)| name == key).map_or(Value::Error, |(_, value)| Value::Text(value))
            }
            _ => Value::Error,
        },
        Node::Size(of) => match value(of, subject) {
            Value::Text(text) => count(text.chars().count()),
            Value::Map(map) => count(map.len()),
            Value::Flags(flags) => count(flags.iter().count()),
            Value::Reasons(reasons) => count(reasons.len()),
            _ => Value::Error,
        },
        truth => Value::Bool(holds(truth, subject)),
    }
}

fn count<'a>(count: usize) -> Value<'a> {
    i64::try_from(count).map_or(Value::Error, Value::Int)
}

fn compare(how: Comparison, left: Value<'_>, right: Value<'_>) -> bool {
    match how {
        Comparison::Equal => equal(left, right) == Some(true),
        Comparison::NotEqual => equal(left, right) == Some(false),
        Comparison::Less => order(left, right) == Some(Ordering::Less),
        Comparison::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right) == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
    }
}

/// Equality as in CEL: values of different kinds differ, null equals null alone; nothing if one side is an error.
fn equal(left: Value<'_>, right: Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Error, _) | (_, Value::Error) => None,
        (Value::Null, Value::Null) => Some(true),
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        _ => Some(order(left, right) == Some(Ordering::Equal)),
    }
}

/// Order as in CEL: numbers by size, texts by code point, times by time; nothing where CEL has none.
fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(&right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(&right),
        (Value::Int(left), Value::Double(right)) => order_mixed(left, right),
        (Value::Double(left), Value::Int(right)) => order_mixed(right, left).map(Ordering::reverse),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(&right)),
        _ => None,
    }
}

/// A whole number against a fraction, exactly: a cast alone would make 2^53 + 1 equal to 2^53.
fn order_mixed(whole: i64, fraction: f64) -> Option<Ordering> {
    // Beyond these the cast below would saturate. The bounds are powers of two, so exact.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if fraction.is_nan() {
        return None;
    }
    if fraction >= LIMIT {
        return Some(Ordering::Less);
    }
    if fraction < -LIMIT {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range of i64, and a whole number")]
    let floor = fraction.floor() as i64;
    Some(whole.cmp(&floor).then(if fraction > fraction.floor() { Ordering::Less } else { Ordering::Equal }))
}

//! Values compared and calculated with as in CEL. Knows no tree and no lead.

use std::cmp::Ordering;

use super::{
    fields::Value,
    tree::{Arithmetic, Comparison},
};
use crate::lead::Timestamp;

/// As in CEL: overflow and division of whole numbers by zero are errors, and so is a time outside years 1 to 9999.
pub(super) fn calculate<'a>(how: Arithmetic, left: Value<'_>, right: Value<'_>) -> Value<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            let result = match how {
                Arithmetic::Add => left.checked_add(right),
                Arithmetic::Subtract => left.checked_sub(right),
                Arithmetic::Multiply => left.checked_mul(right),
                Arithmetic::Divide => left.checked_div(right),
                Arithmetic::Remainder => left.checked_rem(right),
            };
            result.map_or(Value::Error, Value::Int)
        }
        (Value::Double(left), Value::Double(right)) => match how {
            Arithmetic::Add => Value::Double(left + right),
            Arithmetic::Subtract => Value::Double(left - right),
            Arithmetic::Multiply => Value::Double(left * right),
            Arithmetic::Divide => Value::Double(left / right),
            Arithmetic::Remainder => Value::Error,
        },
        (Value::Time(left), Value::Time(right)) if how == Arithmetic::Subtract => Value::Duration(left.micros() - right.micros()),
        (Value::Time(time), Value::Duration(by)) if how == Arithmetic::Add => moved(time, Some(by)),
        (Value::Duration(by), Value::Time(time)) if how == Arithmetic::Add => moved(time, Some(by)),
        (Value::Time(time), Value::Duration(by)) if how == Arithmetic::Subtract => moved(time, by.checked_neg()),
        (Value::Duration(left), Value::Duration(right)) => {
            let result = match how {
                Arithmetic::Add => left.checked_add(right),
                Arithmetic::Subtract => left.checked_sub(right),
                _ => None,
            };
            result.map_or(Value::Error, Value::Duration)
        }
        _ => Value::Error,
    }
}

fn moved<'a>(time: Timestamp, by: Option<i64>) -> Value<'a> {
    let micros = by.and_then(|by| time.micros().checked_add(by));
    let moved = micros.map(Timestamp::from_micros).filter(|moved| Some(moved.micros()) == micros);
    moved.map_or(Value::Error, Value::Time)
}

pub(super) fn compare(how: Comparison, left: Value<'_>, right: Value<'_>) -> bool {
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
pub(super) fn equal(left: Value<'_>, right: Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left == right),
        (Value::Error, _) | (_, Value::Error) => None,
        (Value::Null, Value::Null) => Some(true),
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        _ => Some(order(left, right) == Some(Ordering::Equal)),
    }
}

/// Order as in CEL: numbers by size, texts by code point, times by time; nothing where CEL has none.
fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) | (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(&right)),
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

//! A compiled condition and a lead to true or false. Total: nothing here fails or panics; what CEL makes an error makes the
//! comparison it stands in false. Only `+` on texts and `lowerAscii` allocate, the text that they make.

use super::{
    fields::{self, Subject, Value},
    order::{calculate, compare, equal},
    times,
    tree::{Comparison, Elements, Literal, LoweredTest, Node, TextTest},
};
use crate::lead::{Flag, Vocabulary};

/// What an expression can see: the lead, and the elements of the loops it stands in.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    pub(super) subject: &'s Subject<'a>,
    element: Value<'a>,
    outer: Option<&'s Scope<'s, 'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// Outside of all loops.
    pub(super) fn outermost(subject: &'s Subject<'a>) -> Self {
        Self { subject, element: Value::Error, outer: None }
    }
}

/// A value, or a text that had to be made.
enum Made<'a> {
    Value(Value<'a>),
    Text(String),
}

/// Whether the expression is true of the lead.
pub(super) fn holds(node: &Node, subject: &Subject<'_>) -> bool {
    truth(node, &Scope::outermost(subject))
}

/// The text that a field, a column or an entry of a map has.
pub(super) fn text<'a>(node: &'a Node, subject: &Subject<'a>) -> Option<&'a str> {
    match value(node, &Scope::outermost(subject)) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Hands on the value of an expression that stands by itself.
pub(super) fn with_value<R>(node: &Node, subject: &Subject<'_>, then: impl FnOnce(Value<'_>) -> R) -> R {
    with(node, &Scope::outermost(subject), then)
}

pub(super) fn truth(node: &Node, scope: &Scope<'_, '_>) -> bool {
    match node {
        Node::Not(inner) => !truth(inner, scope),
        Node::All(sides) => sides.iter().all(|side| truth(side, scope)),
        Node::Any(sides) => sides.iter().any(|side| truth(side, scope)),
        Node::Choose(parts) => {
            let [asked, yes, no] = &**parts;
            truth(if truth(asked, scope) { yes } else { no }, scope)
        }
        Node::Compare(how, left, right) => {
            // What most conditions are made of: whether a field is a text.
            if let (Node::Field(field), Node::Literal(Literal::Text(text))) = (&**left, &**right)
                && let (Value::Text(told), Comparison::Equal | Comparison::NotEqual) = ((field.read)(scope.subject), how)
            {
                return (*told == **text) == (*how == Comparison::Equal);
            }
            with(left, scope, |left| with(right, scope, |right| compare(*how, left, right)))
        }
        Node::InList(item, list) => {
            with(item, scope, |item| list.iter().any(|element| with(element, scope, |element| equal(item, element) == Some(true))))
        }
        Node::InField(item, field) => with(item, scope, |item| is_in(item, (field.read)(scope.subject))),
        Node::HasFlag(flag) => scope.subject.flags().contains(*flag),
        Node::Test(how, text, part) => with(text, scope, |text| with(part, scope, |part| test(*how, text, part))),
        Node::LoweredTest(how, text, others) => match value(text, scope) {
            Value::Text(text) => others.iter().any(|other| lowered_test(*how, text.as_bytes(), other.as_bytes())),
            _ => false,
        },
        Node::Matches(text, regex) => with(text, scope, |text| matches!(text, Value::Text(text) if regex.is_match(text))),
        Node::Has(inner) => with(inner, scope, |value| !matches!(value, Value::Null | Value::Error)),
        Node::Loop { every, over, body } => each(*every, over, body, scope),
        Node::Field(_) | Node::Literal(_) | Node::Element(_) => matches!(value(node, scope), Value::Bool(true)),
        Node::Column(..)
        | Node::Entry(..)
        | Node::Size(_)
        | Node::Calculate(..)
        | Node::Negate(_)
        | Node::Part(..)
        | Node::Join(_)
        | Node::Lower(_) => false,
    }
}

/// The value of an expression that makes no text of its own.
pub(super) fn value<'a>(node: &'a Node, scope: &Scope<'_, 'a>) -> Value<'a> {
    match node {
        Node::Literal(literal) => written(literal),
        Node::Field(field) => (field.read)(scope.subject),
        Node::Column(table, name) => fields::column(*table, name, scope.subject),
        Node::Entry(map, key) => match value(map, scope) {
            Value::Map(map) => with(key, scope, |key| entry(map, key)),
            _ => Value::Error,
        },
        Node::Element(out) => {
            let mut at = Some(scope);
            for _ in 0..*out {
                at = at.and_then(|scope| scope.outer);
            }
            at.map_or(Value::Error, |scope| scope.element)
        }
        Node::Choose(parts) => {
            let [asked, yes, no] = &**parts;
            value(if truth(asked, scope) { yes } else { no }, scope)
        }
        Node::Size(of) => with(of, scope, size),
        Node::Calculate(how, left, right) => calculate(*how, value(left, scope), value(right, scope)),
        Node::Negate(of) => match value(of, scope) {
            Value::Int(number) => number.checked_neg().map_or(Value::Error, Value::Int),
            Value::Double(number) => Value::Double(-number),
            _ => Value::Error,
        },
        Node::Part(part, of, zone) => {
            let part = match value(of, scope) {
                Value::Time(time) => times::part_of_time(*part, time, zone.as_ref()),
                Value::Duration(micros) => times::part_of_duration(*part, micros),
                _ => None,
            };
            part.map_or(Value::Error, Value::Int)
        }
        Node::Join(_) | Node::Lower(_) => Value::Error,
        truths => Value::Bool(truth(truths, scope)),
    }
}

#[inline]
pub(super) fn written(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::Text(text) => Value::Text(text),
        Literal::Time(time) => Value::Time(*time),
        Literal::Duration(micros) => Value::Duration(*micros),
    }
}

/// Hands on the value of any expression, with the text made that it may be. What most conditions are made of comes first, without
/// a call in between: that is a third of what they cost.
#[inline]
fn with<R>(node: &Node, scope: &Scope<'_, '_>, then: impl FnOnce(Value<'_>) -> R) -> R {
    match node {
        Node::Field(field) => then((field.read)(scope.subject)),
        Node::Literal(literal) => then(written(literal)),
        Node::Join(_) | Node::Lower(_) | Node::Choose(_) => match make(node, scope) {
            Made::Value(value) => then(value),
            Made::Text(text) => then(Value::Text(&text)),
        },
        other => then(value(other, scope)),
    }
}

fn make<'a>(node: &'a Node, scope: &Scope<'_, 'a>) -> Made<'a> {
    match node {
        Node::Choose(parts) => {
            let [asked, yes, no] = &**parts;
            make(if truth(asked, scope) { yes } else { no }, scope)
        }
        Node::Lower(inner) => match make(inner, scope) {
            Made::Value(Value::Text(text)) => Made::Text(text.to_ascii_lowercase()),
            Made::Value(_) => Made::Value(Value::Error),
            Made::Text(mut text) => {
                text.make_ascii_lowercase();
                Made::Text(text)
            }
        },
        Node::Join(parts) => {
            let mut joined = String::new();
            for part in parts {
                match make(part, scope) {
                    Made::Value(Value::Text(text)) => joined.push_str(text),
                    Made::Text(text) => joined.push_str(&text),
                    Made::Value(_) => return Made::Value(Value::Error),
                }
            }
            Made::Text(joined)
        }
        other => Made::Value(value(other, scope)),
    }
}

/// The entry of a map, whose keys are sorted.
fn entry<'a>(map: fields::Map<'a>, key: Value<'_>) -> Value<'a> {
    let Value::Text(key) = key else { return Value::Error };
    let found = map.binary_search_by(|(name, _)| (**name).cmp(key)).ok().and_then(|at| map.get(at));
    found.map_or(Value::Error, |(_, value)| Value::Text(value))
}

fn is_in(item: Value<'_>, container: Value<'_>) -> bool {
    match (item, container) {
        (item, Value::Map(map)) => !matches!(entry(map, item), Value::Error),
        (Value::Text(item), Value::Flags(flags)) => Flag::from_name(item).is_some_and(|flag| flags.contains(flag)),
        (Value::Text(item), Value::Reasons(reasons)) => reasons.contains(&item),
        _ => false,
    }
}

pub(super) fn test(how: TextTest, text: Value<'_>, part: Value<'_>) -> bool {
    match (text, part) {
        (Value::Text(text), Value::Text(part)) => match how {
            TextTest::StartsWith => text.starts_with(part),
            TextTest::EndsWith => text.ends_with(part),
            TextTest::Contains => text.contains(part),
        },
        _ => false,
    }
}

/// `other` has no capital letters.
pub(super) fn lowered_test(how: LoweredTest, text: &[u8], other: &[u8]) -> bool {
    let same = |part: Option<&[u8]>| part.is_some_and(|part| part.eq_ignore_ascii_case(other));
    match how {
        LoweredTest::Equal => text.eq_ignore_ascii_case(other),
        LoweredTest::NotEqual => !text.eq_ignore_ascii_case(other),
        LoweredTest::StartsWith => same(text.get(..other.len())),
        LoweredTest::EndsWith => same(text.len().checked_sub(other.len()).and_then(|start| text.get(start..))),
        LoweredTest::Contains => other.is_empty() || text.windows(other.len()).any(|part| part.eq_ignore_ascii_case(other)),
    }
}

fn size<'a>(of: Value<'_>) -> Value<'a> {
    let count = match of {
        Value::Text(text) => text.chars().count(),
        Value::Map(map) => map.len(),
        Value::Flags(flags) => flags.iter().count(),
        Value::Reasons(reasons) => reasons.len(),
        _ => return Value::Error,
    };
    i64::try_from(count).map_or(Value::Error, Value::Int)
}

/// Whether the body holds for every element, or for any. Of a list that is missing it holds for none, and not for all.
fn each(every: bool, over: &Elements, body: &Node, scope: &Scope<'_, '_>) -> bool {
    match over {
        Elements::Written(list) => {
            let held = list.iter().map(|node| match make(node, scope) {
                Made::Value(element) => holds_of(body, element, scope),
                Made::Text(text) => holds_of(body, Value::Text(&text), scope),
            });
            every_or_any(every, held)
        }
        Elements::Field(field) => match (field.read)(scope.subject) {
            Value::Flags(flags) => every_or_any(every, flags.iter().map(|flag| holds_of(body, Value::Text(flag.name()), scope))),
            Value::Reasons(reasons) => every_or_any(every, reasons.iter().map(|reason| holds_of(body, Value::Text(reason), scope))),
            Value::Map(map) => every_or_any(every, map.iter().map(|(key, _)| holds_of(body, Value::Text(key), scope))),
            _ => false,
        },
    }
}

fn every_or_any(every: bool, mut held: impl Iterator<Item = bool>) -> bool {
    if every { held.all(|held| held) } else { held.any(|held| held) }
}

fn holds_of<'a>(body: &Node, element: Value<'a>, scope: &Scope<'_, 'a>) -> bool {
    truth(body, &Scope { subject: scope.subject, element, outer: Some(scope) })
}

//! What a condition names: the fields it asks for, and the values that it holds them against. For whoever looks for a lead of which
//! it would be true; looks for none itself.

use super::{
    Condition,
    space::{parts, text_that_fits},
    tree::{Literal, Node},
};
use crate::lead::{Timestamp, Vocabulary};

/// A value that a condition names.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A text, part of one, or one that fits a regular expression.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Fraction(f64),
    /// A time.
    Time(Timestamp),
    /// Microseconds.
    Length(i64),
}

impl Condition {
    /// The fields it asks for, as conditions write them.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        self.names().into_iter().collect()
    }

    /// The values it names.
    #[must_use]
    pub fn values(&self) -> Vec<Asked> {
        let mut found = Vec::new();
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            match node {
                Node::Literal(literal) => found.extend(value(literal)),
                Node::LoweredTest(_, _, others) => found.extend(others.iter().map(|other| Asked::Text(other.to_string()))),
                Node::Matches(_, regex) => found.extend(text_that_fits(regex.as_str()).map(Asked::Text)),
                Node::HasFlag(flag) => found.push(Asked::Text(flag.name().to_owned())),
                _ => {}
            }
            open.extend(parts(node).into_iter().rev());
        }
        found
    }
}

fn value(literal: &Literal) -> Option<Asked> {
    Some(match literal {
        Literal::Text(text) => Asked::Text(text.to_string()),
        Literal::Int(number) => Asked::Whole(*number),
        Literal::Double(number) => Asked::Fraction(*number),
        Literal::Time(time) => Asked::Time(*time),
        Literal::Duration(micros) => Asked::Length(*micros),
        Literal::Null | Literal::Bool(_) => return None,
    })
}

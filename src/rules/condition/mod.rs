//! Conditions: CEL over the lead block's fields. The text is bounded, parsed by the `cel` crate, type-checked against the
//! fields and lowered to a small tree of our own that cannot fail. Knows nothing of TOML.

mod asked;
mod bounds;
mod compile;
mod demands;
mod equality;
mod evaluate;
mod fields;
mod impossible;
mod order;
mod plain;
pub(super) mod space;
mod steps;
mod syntax;
#[cfg(test)]
mod tests;
mod times;
mod tree;
mod weighed;
mod written;

pub use asked::Asked;
pub(super) use compile::Regexes;
pub(super) use demands::{Demand, Question};
pub(crate) use fields::Subject;
pub(super) use fields::{FieldWords, Sight, field_paths, field_words, words};
pub(super) use impossible::NeverText;
pub use weighed::{Compared, Of, Turned, Weighed};
pub(super) use written::duration as shown_duration;

use cel::common::ast::SourceInfo;

use crate::{lead::Decision, problem::Problem};

/// What is wrong in a condition, and at which bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) message: String,
    pub(super) hint: String,
}

/// A checked condition. What conditions can say is told in `docs/conditions.md`.
#[derive(Debug)]
pub struct Condition(tree::Node);

impl Condition {
    /// A condition by itself, as a route would ask it: with the score, the verdict and the campaign in sight.
    ///
    /// # Errors
    /// Every problem that can be told at once, with line and column in `text`.
    pub fn of_route(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse(text, Sight::Routed).map_err(|faults| faults.into_iter().map(|fault| fault.into_problem(text)).collect())
    }

    /// Whether it is true of a lead that has been decided.
    #[must_use]
    pub fn holds_for(&self, decision: &Decision<'_>) -> bool {
        self.holds(&Subject::decided(decision))
    }

    /// Each part of it beside what a lead that has been decided has.
    #[must_use]
    pub fn weigh_for(&self, decision: &Decision<'_>) -> Weighed {
        self.weigh(&Subject::decided(decision))
    }

    /// Parses and checks the text of a condition.
    ///
    /// # Errors
    /// Every fault that can be told at once: one where the text is no CEL, all where names or types are wrong.
    pub(super) fn parse(text: &str, sight: Sight) -> Result<Self, Vec<Fault>> {
        Self::parse_among(text, sight, &mut Regexes::default())
    }

    /// The same of a condition among others, which share the room for regular expressions.
    ///
    /// # Errors
    /// As [`Condition::parse`].
    pub(super) fn parse_among(text: &str, sight: Sight, regexes: &mut Regexes) -> Result<Self, Vec<Fault>> {
        bounds::check(text).map_err(|out| vec![syntax::out_of_bounds(text, out)])?;
        if text.trim().is_empty() {
            return Err(vec![Fault::new(0, 0, "the condition is empty", "write `true` for one that always holds")]);
        }
        // Only of what is wrong the places are needed, which the parser knows.
        if let Some(expression) = plain::parse(text)
            && let Ok(node) = regexes.quietly(|regexes| compile::compile(&expression, &SourceInfo::default(), sight, regexes))
        {
            return Ok(Self(node));
        }
        if !regexes.is_telling() {
            return Err(vec![Fault::new(0, 0, "this condition is wrong, too", "mend the other conditions first")]);
        }
        // Without macros, so that calls reach us as they are written; what is optional, so that it can be refused by its name.
        let parser = cel::Env::default().parser().enable_optional_syntax(true);
        let parsed = parser.parse_with_source_info(text).map_err(|errors| vec![syntax::not_cel(text, &errors)]);
        let compiled = parsed.and_then(|(expression, source)| compile::compile(&expression, &source, sight, regexes).map(Self));
        compiled.inspect_err(|_| regexes.has_told())
    }

    /// Each part of it beside what the lead has.
    pub(crate) fn weigh(&self, subject: &Subject<'_>) -> Weighed {
        weighed::weigh(&self.0, subject)
    }

    /// Whether it is true of the lead.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        evaluate::holds(&self.0, subject)
    }
}

/// As it means, not as it was spelt.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Fault {
    fn new(offset: usize, length: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { offset, length, message: message.into(), hint: hint.into() }
    }

    fn into_problem(self, text: &str) -> Problem {
        let end = self.offset + self.length;
        Problem::error("condition", self.message).spanning(text, self.offset..end).hint(self.hint)
    }
}

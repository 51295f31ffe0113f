//! Tests of a ruleset, as they are written beside it: which lead, and what is expected of its decision. Reads and compares; leads
//! are decided by whoever runs the tests.

mod coverage;
mod expectation;
mod paths;
mod reading;
#[cfg(test)]
mod tests;

use crate::{
    lead::{Format, Timestamp},
    problem::Problem,
};

pub use coverage::{Coverage, Gap, Tried};
pub use expectation::{Expectation, Mismatch, unmet};
pub use reading::rule_tests;

/// When a lead of a test without `now` is received.
pub(super) const NOW: &str = "2026-01-01T00:00:00Z";

/// `[[test]]`: a lead and what is expected of its decision.
#[derive(Clone, Debug)]
pub struct RuleTest {
    /// What is shown; each once in a file.
    pub name: String,
    /// When the lead is received.
    pub now: Timestamp,
    /// The raw lead.
    pub lead: TestLead,
    /// Its format, where it must not be told from its structure.
    pub format: Option<Format>,
    /// Reference tables, as lines of JSON by the table's name; of those that are not here, what the configuration has.
    pub tables: Vec<(&'static str, String)>,
    /// What is expected, in the order it is written.
    pub expect: Vec<Expectation>,
    /// Where it stands: a problem without words.
    pub place: Problem,
}

/// The raw lead of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestLead {
    /// As it stands in the test.
    Bytes(Vec<u8>),
    /// In a file, by its path relative to the file of the test.
    File(String),
}

//! The steps of one decision, as the core told them.

use serde::Serialize;

use crate::{
    lead::{ScorePart, Vocabulary},
    pipeline::Trace,
};

/// Everything that was tried, in order.
#[derive(Debug, Default, Serialize)]
pub(super) struct Steps {
    pub(super) classified: Vec<Concluded>,
    pub(super) gates: Vec<Gate>,
    pub(super) score: Vec<Scored>,
    pub(super) routes: Vec<Routed>,
}

#[derive(Debug, Serialize)]
pub(super) struct Concluded {
    pub(super) what: &'static str,
    pub(super) value: String,
    pub(super) because: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Gate {
    pub(super) id: String,
    pub(super) reason: String,
    pub(super) held: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Scored {
    pub(super) rule: String,
    pub(super) part: &'static str,
    pub(super) points: i64,
    pub(super) held: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Routed {
    pub(super) id: String,
    pub(super) destination: String,
    pub(super) held: bool,
    pub(super) won: bool,
}

impl Trace for Steps {
    fn gate(&mut self, id: &str, reason: &str, held: bool) {
        self.gates.push(Gate { id: id.to_owned(), reason: reason.to_owned(), held });
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool) {
        self.score.push(Scored { rule: part.rule.to_owned(), part: part.part.name(), points: part.points, held });
    }

    fn route(&mut self, id: &str, destination: &str, held: bool, won: bool) {
        self.routes.push(Routed { id: id.to_owned(), destination: destination.to_owned(), held, won });
    }

    fn classified(&mut self, what: &'static str, value: &str, because: &str) {
        self.classified.push(Concluded { what, value: value.to_owned(), because: because.to_owned() });
    }
}

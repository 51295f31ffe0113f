//! The steps of one decision, as the core told them.

use serde::Serialize;

use crate::{
    lead::{ScorePart, Vocabulary},
    pipeline::Trace,
    rules::Weighed,
};

/// Everything that was tried, in order.
#[derive(Debug, Default, Serialize)]
pub(in crate::run) struct Steps {
    pub(in crate::run) classified: Vec<Concluded>,
    pub(in crate::run) gates: Vec<Gate>,
    pub(in crate::run) score: Vec<Scored>,
    pub(in crate::run) campaigns: Vec<Campaign>,
    pub(in crate::run) routes: Vec<Routed>,
    /// Rows of the classification tables that told something: table and key.
    #[serde(skip)]
    pub(in crate::run) rows: Vec<(&'static str, String)>,
}

#[derive(Debug, Serialize)]
pub(in crate::run) struct Concluded {
    pub(in crate::run) what: &'static str,
    pub(in crate::run) value: String,
    pub(in crate::run) because: String,
}

#[derive(Debug, Serialize)]
pub(in crate::run) struct Gate {
    pub(in crate::run) id: String,
    pub(in crate::run) reason: String,
    #[serde(flatten)]
    pub(in crate::run) weighed: Weighed,
}

#[derive(Debug, Serialize)]
pub(in crate::run) struct Scored {
    pub(in crate::run) rule: String,
    pub(in crate::run) part: &'static str,
    pub(in crate::run) points: i64,
    #[serde(flatten)]
    pub(in crate::run) weighed: Weighed,
}

#[derive(Debug, Serialize)]
pub(in crate::run) struct Campaign {
    pub(in crate::run) id: String,
    #[serde(flatten)]
    pub(in crate::run) weighed: Weighed,
}

#[derive(Debug, Serialize)]
pub(in crate::run) struct Routed {
    pub(in crate::run) id: String,
    pub(in crate::run) destination: String,
    pub(in crate::run) won: bool,
    #[serde(flatten)]
    pub(in crate::run) weighed: Weighed,
}

impl Steps {
    /// Leaves nothing that could tell who the customer is.
    pub(in crate::run) fn redact(&mut self) {
        let gates = self.gates.iter_mut().map(|gate| &mut gate.weighed);
        let score = self.score.iter_mut().map(|rule| &mut rule.weighed);
        let campaigns = self.campaigns.iter_mut().map(|campaign| &mut campaign.weighed);
        let routes = self.routes.iter_mut().map(|route| &mut route.weighed);
        gates.chain(score).chain(campaigns).chain(routes).for_each(Weighed::redact);
    }
}

impl Trace for Steps {
    fn row(&mut self, table: &'static str, key: &str) {
        self.rows.push((table, key.to_owned()));
    }

    fn classified(&mut self, what: &'static str, value: &str, because: impl FnOnce() -> String) {
        self.classified.push(Concluded { what, value: value.to_owned(), because: because() });
    }

    fn gate(&mut self, id: &str, reason: &str, _: bool, weigh: impl FnOnce() -> Weighed) {
        self.gates.push(Gate { id: id.to_owned(), reason: reason.to_owned(), weighed: weigh() });
    }

    fn score(&mut self, part: &ScorePart<'_>, _: bool, weigh: impl FnOnce() -> Weighed) {
        self.score.push(Scored { rule: part.rule.to_owned(), part: part.part.name(), points: part.points, weighed: weigh() });
    }

    fn campaign(&mut self, id: &str, _: bool, weigh: impl FnOnce() -> Weighed) {
        self.campaigns.push(Campaign { id: id.to_owned(), weighed: weigh() });
    }

    fn route(&mut self, id: &str, destination: &str, _: bool, won: bool, weigh: impl FnOnce() -> Weighed) {
        self.routes.push(Routed { id: id.to_owned(), destination: destination.to_owned(), won, weighed: weigh() });
    }
}

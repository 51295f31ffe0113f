//! Two decisions about one lead: whether they differ, in what, and which rule made the difference. Counts nothing.

use crate::{
    lead::{Decision, ScorePart, Vocabulary as _},
    pipeline::{Trace, route_changes},
    rules::Weighed,
};

/// Whether subscribers would see the lead otherwise: its verdict, reasons, storefront, campaigns, or who follows up and by when. A
/// score that moves and changes none of these is told apart.
pub(super) fn differ(before: &Decision<'_>, after: &Decision<'_>) -> bool {
    let class = |decision: &Decision<'_>| {
        let class = &decision.class;
        (class.storefront, class.campaign, class.action, class.stage)
    };
    before.qualified.verdict != after.qualified.verdict
        || before.qualified.reasons != after.qualified.reasons
        || class(before) != class(after)
        || before.marketing_campaign != after.marketing_campaign
        || route_changes(before, after).next().is_some()
}

/// The rule that made the difference: the first gate, score rule, threshold, campaign or route in which two decisions differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    /// `gate.country` and the like, as `remove` names rules.
    pub(super) rule: String,
    pub(super) how: How,
}

/// What is different about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Only the candidate has it.
    New,
    /// Only the baseline has it.
    Gone,
    /// Both have it, and it comes out otherwise.
    Changed,
}

impl How {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Changed => "changed",
        }
    }
}

/// What decided one lead, rule by rule: told by the core, of the rules that were tried.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Gates, whether each held.
    gates: Vec<(String, bool)>,
    /// Score rules, with the points each brought.
    score: Vec<(String, i64)>,
    campaigns: Vec<(String, bool)>,
    /// Routes, whether each won its destination.
    routes: Vec<(String, bool)>,
}

impl Trace for Path {
    fn gate(&mut self, id: &str, _: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.gates.push((id.to_owned(), held));
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool, _: impl FnOnce() -> Weighed) {
        self.score.push((part.rule.to_owned(), if held { part.points } else { 0 }));
    }

    fn campaign(&mut self, id: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.campaigns.push((id.to_owned(), held));
    }

    fn route(&mut self, id: &str, _: &str, _: bool, won: bool, _: impl FnOnce() -> Weighed) {
        self.routes.push((id.to_owned(), won));
    }
}

/// Tells the cause of a difference.
pub(super) fn cause((before, way): (&Decision<'_>, &Path), (after, other): (&Decision<'_>, &Path)) -> Cause {
    let of_class = [
        ("storefront", before.class.storefront.name() != after.class.storefront.name()),
        ("action", before.class.action != after.class.action || before.class.stage != after.class.stage),
        ("campaign", before.class.campaign != after.class.campaign),
    ];
    if let Some((what, _)) = of_class.into_iter().find(|(_, differs)| *differs) {
        return Cause { rule: format!("classification.{what}"), how: How::Changed };
    }
    let threshold = |decision: &Decision<'_>| decision.rules.scoring.threshold(decision.class.storefront);
    first("gate", &way.gates, &other.gates)
        .or_else(|| first("score", &way.score, &other.score))
        .or_else(|| {
            (threshold(before) != threshold(after) && before.qualified.verdict != after.qualified.verdict)
                .then(|| Cause { rule: "score.threshold".to_owned(), how: How::Changed })
        })
        .or_else(|| first("campaign", &way.campaigns, &other.campaigns))
        .or_else(|| first("route", &way.routes, &other.routes))
        // The same route, whose queue, owner or clock is another.
        .or_else(|| {
            let (destination, _) = route_changes(before, after).next()?;
            let route = after.routes.iter().find(|route| route.destination == destination)?;
            Some(Cause { rule: format!("route.{}", route.route), how: How::Changed })
        })
        .unwrap_or_else(|| Cause { rule: "tables".to_owned(), how: How::Changed })
}

/// The first rule of the candidate, else of the baseline, that came out otherwise than in the other; one that is not there counts
/// as one that did not hold.
fn first<T: Default + PartialEq + Copy>(kind: &str, before: &[(String, T)], after: &[(String, T)]) -> Option<Cause> {
    let find = |rules: &[(String, T)], id: &str| rules.iter().find(|(known, _)| known == id).map(|(_, outcome)| *outcome);
    let named = |id: &str, how| Some(Cause { rule: format!("{kind}.{id}"), how });
    let new = after.iter().find_map(|(id, outcome)| match find(before, id) {
        None if *outcome != T::default() => named(id, How::New),
        Some(other) if other != *outcome => named(id, How::Changed),
        _ => None,
    });
    new.or_else(|| {
        before.iter().find(|(id, outcome)| find(after, id).is_none() && *outcome != T::default()).and_then(|(id, _)| named(id, How::Gone))
    })
}

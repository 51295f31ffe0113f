//! What would qualify a lead that does not: for each gate that held the fewest conditions that would open it, and which score
//! rules would make up for the points that are missing, with what else would change by that. Told from the steps of the decision.

use std::cmp::Reverse;

use serde::Serialize;

use super::steps::{Scored, Steps};
use crate::{
    lead::{Decision, Verdict},
    rules::{Turned, Weighed},
};

/// Score rules that are told.
const MOST_RULES: usize = 5;

/// All of it would have to change.
#[derive(Debug, Serialize)]
pub(super) struct Nearest {
    pub(super) gates: Vec<Opened>,
    pub(super) score: Option<Missing>,
}

/// A gate that held.
#[derive(Debug, Serialize)]
pub(super) struct Opened {
    pub(super) gate: String,
    pub(super) reason: String,
    /// The fewest conditions that would open it; nothing where it holds for every lead.
    pub(super) would_need: Option<Vec<Turned>>,
}

/// A score below its threshold.
#[derive(Debug, Serialize)]
pub(super) struct Missing {
    pub(super) threshold: i64,
    /// That are missing.
    pub(super) points: i64,
    /// Those that would bring the most with the least come first.
    pub(super) rules: Vec<Gained>,
}

/// A score rule that would add points, or take away none any more.
#[derive(Debug, Serialize)]
pub(super) struct Gained {
    pub(super) rule: String,
    /// What it would bring, all in all.
    pub(super) points: i64,
    /// Whether that is enough alone.
    pub(super) enough: bool,
    pub(super) would_need: Vec<Turned>,
}

/// Nothing for a lead that qualifies.
pub(super) fn nearest(decision: &Decision<'_>, steps: &Steps) -> Option<Nearest> {
    let qualified = &decision.qualified;
    if qualified.verdict == Verdict::Qualified {
        return None;
    }
    let held = steps.gates.iter().filter(|gate| gate.weighed.held);
    let opened =
        |gate: &super::steps::Gate| Opened { gate: gate.id.clone(), reason: gate.reason.clone(), would_need: gate.weighed.turned() };
    let threshold = decision.rules.scoring.threshold(decision.class.storefront);
    let missing = threshold.saturating_sub(qualified.score.total);
    let score = (missing > 0).then(|| {
        let mut rules: Vec<Gained> = steps.score.iter().filter_map(|rule| gained(rule, steps, missing)).collect();
        rules.sort_by_key(|rule| (!rule.enough, rule.would_need.len(), Reverse(rule.points)));
        rules.truncate(MOST_RULES);
        Missing { threshold, points: missing, rules }
    });
    Some(Nearest { gates: held.map(opened).collect(), score })
}

/// What it would bring if this rule came out otherwise: an action that is another is not the one it was, so other rules change with
/// it. Nothing where that would be a loss, or would close a gate.
fn gained(rule: &Scored, steps: &Steps, missing: i64) -> Option<Gained> {
    let would_need = rule.weighed.turned()?;
    let closed = |weighed: &Weighed| !weighed.held && weighed.assuming(&would_need) != Some(false);
    if (rule.points > 0) == rule.weighed.held || steps.gates.iter().any(|gate| closed(&gate.weighed)) {
        return None;
    }
    let points = steps.score.iter().map(|other| {
        // What cannot be told is taken for the worse.
        let then = other.weighed.assuming(&would_need).unwrap_or(other.points < 0);
        other.points.saturating_mul(i64::from(then) - i64::from(other.weighed.held))
    });
    let points = points.fold(0, i64::saturating_add);
    (points > 0).then(|| Gained { rule: rule.rule.clone(), points, enough: points >= missing, would_need })
}

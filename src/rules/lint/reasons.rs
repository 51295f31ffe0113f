//! Reasons of gates that are none of leadstream's, and nearly are: a ruleset may have reasons of its own, so a slip of the pen is one.

use super::Lint;
use crate::{
    problem::distance,
    rules::condition::space::{Answer, Formula},
};

/// Reasons that docs/codes.md names and gates give, long enough that one letter makes no other word.
const REASONS: [&str; 11] = [
    "test_lead",
    "do_not_contact",
    "no_contact",
    "consent_denied",
    "suppressed",
    "closed",
    "expired",
    "low_score",
    "needs_hydration",
    "own_domain",
    "country_not_allowed",
];

impl Lint<'_, '_> {
    pub(super) fn reasons(&mut self) {
        let rules = self.rules;
        for gate in &rules.gates {
            let Some(at) = self.places.own("gate", &gate.id).and_then(|place| place.reason) else { continue };
            let Some(meant) = REASONS.into_iter().find(|known| is_slip_of(&gate.reason, known)) else { continue };
            let formula = self.space.gate(gate);
            let shown = |formula: &Formula, holds: bool| {
                let Answer::Possible(model) = self.space.can_hold(&[formula], &[], false) else { return None };
                self.space.example(&model, &[&gate.when], &[], |subject| !holds || gate.holds(subject))
            };
            let example = shown(&formula, true).or_else(|| shown(&Formula::Always, false));
            let message =
                format!("the reason {:?} is none of leadstream's, and nearly {meant:?}: it is taken for one of your own", gate.reason);
            self.tell(at, "misspelt_reason", message, &format!("did you mean {meant:?}?"), example);
        }
    }
}

/// A letter or two more, less or other; a number at the end makes a reason of its own.
fn is_slip_of(reason: &str, known: &str) -> bool {
    let most = if known.len() < 9 { 1 } else { 2 };
    reason != known && distance(reason, known) <= most && !reason.ends_with(|last: char| last.is_ascii_digit())
}

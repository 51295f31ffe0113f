//! A lead decided again with something otherwise: finds what a record would have to say so that conditions come out as wanted. Tries
//! within bounds; what it has not seen to hold, it does not tell.

use std::{cell::Cell, collections::BTreeSet};

use super::candidates::{Candidate, Candidates, candidates};
use crate::{
    lead::{Decision, Facts, Verdict},
    pipeline::{self, Alteration, NoTrace, Setting},
    rules::{Condition, Ruleset, Turned},
};

/// So many rules are asked for one lead's explanation, so many leads decided at least and at most.
const EFFORT: usize = 400_000;
const LEAST: usize = 200;
const MOST: usize = 3_000;
/// Candidates that are held against those for another field.
const COMBINED: usize = 24;
/// Fields that are changed together.
const MOST_FIELDS: usize = 6;

/// What came of a lead decided again.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) qualifies: bool,
    pub(super) reasons: BTreeSet<String>,
    /// How far the total lies above the threshold; below it, less than nothing.
    pub(super) above: i64,
    /// Score rules that held.
    pub(super) scored: BTreeSet<String>,
}

/// What was changed, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) changes: Vec<Alteration>,
    pub(super) outcome: Outcome,
}

/// How good an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// As good as can be: nothing else is tried.
    Best,
    /// Good enough, if there is nothing better.
    Good,
    Bad,
}

pub(super) struct Trial<'t> {
    facts: &'t Facts<'t>,
    rules: &'t Ruleset,
    setting: Setting<'t>,
    /// Leads that may still be decided.
    left: Cell<usize>,
}

/// What is asked of a changed lead.
struct Want {
    condition: Condition,
    fields: Vec<String>,
}

impl<'t> Trial<'t> {
    pub(super) fn new(decision: &'t Decision<'t>, setting: Setting<'t>) -> Self {
        let left = (EFFORT / (decision.rules.size() + 100)).clamp(LEAST, MOST);
        Self { facts: decision.facts, rules: decision.rules, setting, left: Cell::new(left) }
    }

    /// The best way found to have all of this hold, on top of `before`. Only the fields that are asked for are changed.
    pub(super) fn find(&self, turned: &[Turned], before: &[Alteration], rank: impl Fn(&Outcome) -> Rank) -> Option<Found> {
        let wants: Vec<Want> = turned.iter().map(|turned| want(&turned.want)).collect::<Option<_>>()?;
        let asked: Vec<_> = wants.iter().flat_map(|want| want.condition.values()).collect();
        let mut groups: Vec<(Candidates, Vec<String>)> = Vec::new();
        let fields: Vec<&str> = wants.iter().flat_map(|want| &want.fields).map(String::as_str).collect();
        for field in wants.iter().flat_map(|want| &want.fields) {
            let Some(more) = candidates(field, &fields, &asked, self.facts, self.rules) else { continue };
            if let Some((_, fields)) = groups.iter_mut().find(|(known, _)| known.of == more.of) {
                fields.push(field.clone());
            } else {
                groups.push((more, vec![field.clone()]));
            }
        }
        if groups.is_empty() || groups.len() > MOST_FIELDS {
            return None;
        }
        let alone = groups.len() == 1;
        let mut lists: Vec<Vec<Candidate>> = Vec::new();
        for (Candidates { all, .. }, fields) in groups {
            // What is asked of these fields alone.
            let own: Vec<&Want> = wants.iter().filter(|want| want.fields.iter().all(|field| fields.contains(field))).collect();
            let mut kept: Vec<Candidate> = Vec::new();
            for candidate in std::iter::once(Vec::new()).chain(all) {
                if alone || self.shows(&[before, &candidate].concat(), &own).is_some() {
                    kept.push(candidate);
                }
                if !alone && kept.len() >= COMBINED {
                    break;
                }
            }
            lists.push(kept);
        }
        let all: Vec<&Want> = wants.iter().collect();
        let mut good = None;
        self.search(&lists, before.to_vec(), &all, &rank, &mut good).or(good)
    }

    fn search(
        &self,
        lists: &[Vec<Candidate>],
        made: Vec<Alteration>,
        wants: &[&Want],
        rank: &dyn Fn(&Outcome) -> Rank,
        good: &mut Option<Found>,
    ) -> Option<Found> {
        let Some((first, rest)) = lists.split_first() else {
            let outcome = self.shows(&made, wants)?;
            let rank = rank(&outcome);
            let found = Some(Found { changes: made, outcome });
            if rank == Rank::Best {
                return found;
            }
            if rank == Rank::Good && good.is_none() {
                *good = found;
            }
            return None;
        };
        first.iter().find_map(|candidate| self.search(rest, [&made[..], candidate].concat(), wants, rank, good))
    }

    /// What comes of these changes, if all that is asked holds then.
    fn shows(&self, changes: &[Alteration], wants: &[&Want]) -> Option<Outcome> {
        self.left.set(self.left.get().checked_sub(1)?);
        pipeline::altered(self.facts, changes, &self.setting, |facts| {
            let decision = pipeline::decide(facts, self.rules, &mut NoTrace);
            wants.iter().all(|want| want.condition.holds_for(&decision)).then(|| outcome(&decision))
        })?
    }

    /// The steps and the outcome of the lead with these changes.
    pub(super) fn decided<R>(&self, changes: &[Alteration], show: impl FnOnce(&Decision<'_>, &super::Steps) -> R) -> Option<R> {
        pipeline::altered(self.facts, changes, &self.setting, |facts| {
            let mut steps = super::Steps::default();
            let decision = pipeline::decide(facts, self.rules, &mut steps);
            show(&decision, &steps)
        })
    }
}

fn want(text: &str) -> Option<Want> {
    let condition = Condition::of_route(text).ok()?;
    let fields = condition.fields();
    Some(Want { condition, fields })
}

pub(super) fn outcome(decision: &Decision<'_>) -> Outcome {
    let qualified = &decision.qualified;
    let threshold = decision.rules.scoring.threshold(decision.class.storefront);
    Outcome {
        qualifies: qualified.verdict == Verdict::Qualified,
        reasons: qualified.reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        above: qualified.score.total.saturating_sub(threshold),
        scored: qualified.score.parts.iter().map(|part| part.rule.to_owned()).collect(),
    }
}

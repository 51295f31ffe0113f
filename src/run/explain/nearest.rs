//! What would qualify a lead that does not: for each gate that held the fewest conditions that open it, and which score rules make up
//! for the points that are missing then. Each was tried: the lead was decided again with it, by the same core.

use std::{cmp::Reverse, collections::BTreeSet};

use serde::Serialize;

use super::{
    steps::{Gate, Scored, Steps},
    trial::{Found, Outcome, Rank, Trial, outcome},
};
use crate::{
    lead::{Decision, Verdict},
    pipeline::{Alteration, Said, Setting},
    rules::{Compared, LOW_SCORE, Turned},
};

/// Score rules that are told, and those that are tried.
const MOST_RULES: usize = 5;
const MOST_TRIED: usize = 200;
/// Ways to open all gates that are tried.
const MOST_WAYS: usize = 60;

/// All of it would have to change.
#[derive(Debug, Serialize)]
pub(super) struct Nearest {
    /// Whether the lead qualified when it was decided again with all of it; with one of the score rules that are enough, or with all
    /// of those that are told where none is.
    pub(super) qualifies: bool,
    pub(super) gates: Vec<Opened>,
    pub(super) score: Option<Missing>,
}

/// A gate that held.
#[derive(Debug, Serialize)]
pub(super) struct Opened {
    pub(super) gate: String,
    pub(super) reason: String,
    /// The fewest conditions with which it was seen not to hold; nothing where no lead was found that it lets pass.
    pub(super) would_need: Option<Vec<Turned>>,
    /// What the record said then.
    pub(super) such_as: Vec<Compared>,
}

/// A score below its threshold, when no gate holds any more.
#[derive(Debug, Serialize)]
pub(super) struct Missing {
    pub(super) threshold: i64,
    /// That are missing.
    pub(super) points: i64,
    /// Those that bring the most with the least come first.
    pub(super) rules: Vec<Gained>,
}

/// A score rule that would add points, or take away none any more.
#[derive(Debug, Serialize)]
pub(super) struct Gained {
    pub(super) rule: String,
    /// What it brings, all in all; of several that are needed together, beside those before it.
    pub(super) points: i64,
    /// Whether the lead qualified with it alone.
    pub(super) enough: bool,
    pub(super) would_need: Vec<Turned>,
    /// What the record said then.
    pub(super) such_as: Vec<Compared>,
    #[serde(skip)]
    found: Option<Found>,
}

impl Nearest {
    /// Leaves nothing that could tell who the customer is.
    pub(super) fn redact(&mut self) {
        let of_gates = self.gates.iter_mut().flat_map(|gate| &mut gate.such_as);
        let of_rules = self.score.iter_mut().flat_map(|score| &mut score.rules).flat_map(|rule| &mut rule.such_as);
        of_gates.chain(of_rules).for_each(Compared::redact);
    }
}

/// Nothing for a lead that qualifies.
pub(super) fn nearest<'a>(decision: &'a Decision<'a>, steps: &Steps, setting: Setting<'a>) -> Option<Nearest> {
    if decision.qualified.verdict == Verdict::Qualified {
        return None;
    }
    let trial = Trial::new(decision, setting);
    let held: Vec<&Gate> = steps.gates.iter().filter(|gate| gate.weighed.held).collect();
    if held.is_empty() {
        return made_up(Vec::new(), &Found { changes: Vec::new(), outcome: outcome(decision) }, &trial);
    }
    let opened = |(ways, found): (Vec<Vec<Turned>>, Found)| {
        let gates = held.iter().zip(ways).map(|(gate, way)| told(gate, Some(way), &found.changes)).collect();
        made_up(gates, &found, &trial)
    };
    let (first, best) = open_all(&held, &trial);
    let Some(first) = first.and_then(opened) else {
        let gates = held.iter().map(|gate| open(gate, decision, &trial)).collect();
        return Some(Nearest { qualifies: false, gates, score: None });
    };
    // The shortest way through the gates may be one on which points are missing that nothing brings.
    if first.qualifies { Some(first) } else { best.and_then(opened).or(Some(first)) }
}

/// With the gates open, what makes up for the points that are missing.
fn made_up(gates: Vec<Opened>, opened: &Found, trial: &Trial<'_>) -> Option<Nearest> {
    if opened.outcome.qualifies {
        return Some(Nearest { qualifies: true, gates, score: None });
    }
    let wants: Vec<Turned> = gates.iter().filter_map(|gate| gate.would_need.clone()).flatten().collect();
    let (threshold, all) = trial.decided(&opened.changes, |decision, steps| {
        let threshold = decision.rules.scoring.threshold(decision.class.storefront);
        (threshold, gains(steps, &wants, opened, trial))
    })?;
    let alone = all.iter().any(|gained| gained.enough);
    let (rules, qualifies) = if alone { (without_doubles(all), true) } else { together(all, &wants, opened, trial) };
    let score = Some(Missing { threshold, points: opened.outcome.above.saturating_neg(), rules });
    Some(Nearest { qualifies, gates, score })
}

/// Whether no gate held.
fn passes(outcome: &Outcome) -> bool {
    outcome.reasons.iter().all(|reason| reason == LOW_SCORE)
}

/// A way for each of the gates, and the lead that none of them holds for.
type Way = (Vec<Vec<Turned>>, Found);

/// The first way with which no gate holds, and the first with which the lead qualifies at once.
fn open_all(held: &[&Gate], trial: &Trial<'_>) -> (Option<Way>, Option<Way>) {
    let mut all: Vec<Vec<Vec<Turned>>> = vec![Vec::new()];
    for gate in held {
        let ways = gate.weighed.ways();
        all = all.iter().flat_map(|before| ways.iter().map(|way| [&before[..], std::slice::from_ref(way)].concat())).collect();
        all.sort_by_key(|ways| ways.iter().map(Vec::len).sum::<usize>());
        all.truncate(MOST_WAYS);
    }
    let rank = |outcome: &Outcome| match (outcome.qualifies, passes(outcome)) {
        (true, _) => Rank::Best,
        (_, true) => Rank::Good,
        _ => Rank::Bad,
    };
    let mut first = None;
    for ways in all {
        let found = trial.find(&ways.concat(), &[], rank).map(|found| (ways, found));
        if found.as_ref().is_some_and(|(_, found)| found.outcome.qualifies) {
            return (first.or_else(|| found.clone()), found);
        }
        first = first.or(found);
    }
    (first, None)
}

/// The gate alone, where no lead was found that all gates let pass.
fn open(gate: &Gate, decision: &Decision<'_>, trial: &Trial<'_>) -> Opened {
    let before: BTreeSet<String> = decision.qualified.reasons.iter().map(|reason| (*reason).to_owned()).collect();
    let opens = |outcome: &Outcome| {
        let is_new = |reason: &String| reason != LOW_SCORE && !before.contains(reason);
        if outcome.reasons.contains(&gate.reason) || outcome.reasons.iter().any(is_new) { Rank::Bad } else { Rank::Best }
    };
    let found = gate.weighed.ways().into_iter().find_map(|way| trial.find(&way, &[], opens).map(|found| (way, found)));
    let (way, changes) = found.map_or((None, Vec::new()), |(way, found)| (Some(way), found.changes));
    told(gate, way, &changes)
}

fn told(gate: &Gate, would_need: Option<Vec<Turned>>, changes: &[Alteration]) -> Opened {
    let such_as = would_need.as_ref().map(|_| shown(changes)).unwrap_or_default();
    Opened { gate: gate.id.clone(), reason: gate.reason.clone(), would_need, such_as }
}

/// Each score rule that brings points when it comes out otherwise, on top of what opens the gates.
fn gains(steps: &Steps, wants: &[Turned], opened: &Found, trial: &Trial<'_>) -> Vec<Gained> {
    let mut rules: Vec<&Scored> = steps.score.iter().filter(|rule| (rule.points > 0) != rule.weighed.held && rule.points != 0).collect();
    rules.sort_by_key(|rule| Reverse(rule.points.saturating_abs()));
    rules.truncate(MOST_TRIED);
    let mut all: Vec<Gained> = rules.into_iter().filter_map(|rule| gained(rule, wants, opened, trial)).collect();
    all.sort_by_key(|gained| (!gained.enough, gained.would_need.len(), Reverse(gained.points)));
    all
}

fn gained(rule: &Scored, wants: &[Turned], before: &Found, trial: &Trial<'_>) -> Option<Gained> {
    let rank = |outcome: &Outcome| {
        if outcome.scored.contains(&rule.rule) == rule.weighed.held {
            Rank::Bad
        } else if outcome.qualifies {
            Rank::Best
        } else if passes(outcome) && outcome.above > before.outcome.above {
            Rank::Good
        } else {
            Rank::Bad
        }
    };
    let found = |way: Vec<Turned>| trial.find(&[wants, &way].concat(), &before.changes, rank).map(|found| (way, found));
    let (would_need, found) = rule.weighed.ways().into_iter().find_map(found)?;
    let changed: Vec<Alteration> = found.changes.iter().filter(|change| !before.changes.contains(change)).cloned().collect();
    Some(Gained {
        rule: rule.rule.clone(),
        points: found.outcome.above.saturating_sub(before.outcome.above),
        enough: found.outcome.qualifies,
        would_need,
        such_as: shown(&changed),
        found: Some(found),
    })
}

/// Those that are enough, without those that come with another one: that would be told twice.
fn without_doubles(all: Vec<Gained>) -> Vec<Gained> {
    let mut told: Vec<Gained> = Vec::new();
    for gained in all.into_iter().filter(|gained| gained.enough) {
        let comes_with = |other: &Gained| match (&other.found, &gained.found) {
            (Some(other), Some(own)) => {
                let holds = own.outcome.scored.contains(&gained.rule);
                other.outcome.scored.contains(&gained.rule) == holds
            }
            _ => false,
        };
        if !told.iter().any(comes_with) {
            told.push(gained);
        }
    }
    told.truncate(MOST_RULES);
    told
}

/// Several rules with which the lead qualifies, where none is enough alone, one on top of the other; else those that bring something.
fn together(mut all: Vec<Gained>, wants: &[Turned], opened: &Found, trial: &Trial<'_>) -> (Vec<Gained>, bool) {
    all.sort_by_key(|gained| (Reverse(gained.points), gained.would_need.len()));
    let (mut wants, mut so_far) = (wants.to_vec(), opened.clone());
    let mut told: Vec<Gained> = Vec::new();
    for gained in &all {
        let accept = |outcome: &Outcome| match outcome.qualifies {
            true => Rank::Best,
            false if passes(outcome) && outcome.above > so_far.outcome.above => Rank::Good,
            false => Rank::Bad,
        };
        let more = [&wants[..], &gained.would_need[..]].concat();
        let Some(found) = trial.find(&more, &so_far.changes, accept) else { continue };
        let changed: Vec<Alteration> = found.changes.iter().filter(|change| !so_far.changes.contains(change)).cloned().collect();
        told.push(Gained {
            rule: gained.rule.clone(),
            points: found.outcome.above.saturating_sub(so_far.outcome.above),
            enough: false,
            would_need: gained.would_need.clone(),
            such_as: shown(&changed),
            found: None,
        });
        (wants, so_far) = (more, found);
        if so_far.outcome.qualifies {
            return (told, true);
        }
    }
    all.truncate(MOST_RULES);
    (all, false)
}

/// What the record says then, the last word on each field.
fn shown(changes: &[Alteration]) -> Vec<Compared> {
    let mut shown: Vec<Compared> = Vec::new();
    for Alteration { field, said } in changes {
        let (is, is_free) = match said {
            Said::Nothing => ("null".to_owned(), false),
            Said::Truth(truth) => (truth.to_string(), false),
            Said::Whole(number) => (number.to_string(), false),
            Said::Fraction(number) => (format!("{number:?}"), false),
            Said::Text(text) => (serde_json::Value::from(text.as_str()).to_string(), true),
            Said::Time(time) => (time.to_string(), false),
        };
        shown.retain(|known| known.field != *field);
        shown.push(Compared { field: field.clone(), is, is_free });
    }
    shown
}

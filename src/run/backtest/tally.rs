//! What two rulesets make of many leads, counted: one tally a thread, merged at the end. Memory grows with the kinds of leads and
//! of changes there are, not with the leads.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use serde_json::Value;

use super::compare::Cause;
use crate::{
    lead::{Decision, Verdict, Vocabulary as _, fold},
    pipeline::{RouteChange, route_changes},
};

/// What leads are counted by.
pub(super) const DIMENSIONS: [&str; 5] = ["storefront", "campaign", "source", "offer", "country"];
/// Kinds that are counted apart, of one dimension; the rest is one.
const MOST_KINDS: usize = 100_000;
/// A lead whose value nobody may be told, or that has none.
pub(super) const UNTOLD: &str = "(other)";
/// Points of a step of the histogram.
pub(super) const STEP: i64 = 10;

/// Leads of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    pub(super) leads: u64,
    pub(super) changed: u64,
    pub(super) qualified_before: u64,
    pub(super) qualified_after: u64,
}

/// Scores under one ruleset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scores {
    /// Leads by their total, in steps of ten points, named by the least of the step.
    pub(super) steps: BTreeMap<i64, u64>,
    pub(super) sum: i128,
}

impl Scores {
    fn add(&mut self, total: i64) {
        *self.steps.entry(total.div_euclid(STEP).saturating_mul(STEP)).or_default() += 1;
        self.sum += i128::from(total);
    }
}

/// Where a lead was read, in the order of the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) input: usize,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) index: u32,
}

/// A lead that is shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sample {
    pub(super) source: String,
    pub(super) cause: String,
    pub(super) before: Value,
    pub(super) after: Value,
}

/// All counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    /// Records that are no lead under either ruleset.
    pub(super) rejected: u64,
    pub(super) leads: u64,
    pub(super) changed: u64,
    /// Leads whose score is another, changed or not.
    pub(super) rescored: u64,
    pub(super) verdicts: BTreeMap<(Verdict, Verdict), u64>,
    /// Destination before and after; none: there was none, or there is none any more.
    pub(super) routes: BTreeMap<(Option<String>, Option<String>), u64>,
    /// Destinations that stay, with another queue, owner, priority or clock.
    pub(super) follow_up: BTreeMap<String, u64>,
    pub(super) gained: BTreeMap<String, u64>,
    pub(super) lost: BTreeMap<String, u64>,
    pub(super) before: Scores,
    pub(super) after: Scores,
    /// Leads by how their total moved, in steps of ten points; none: it did not.
    pub(super) moved: BTreeMap<i64, u64>,
    pub(super) by: [BTreeMap<String, Group>; DIMENSIONS.len()],
    pub(super) causes: BTreeMap<Cause, u64>,
    pub(super) samples: BTreeMap<Cause, BTreeMap<Place, Sample>>,
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

impl Tally {
    /// Counts a lead; `kinds` are its values of [`DIMENSIONS`].
    pub(super) fn add(&mut self, before: &Decision<'_>, after: &Decision<'_>, kinds: &[Cow<'_, str>; DIMENSIONS.len()], changed: bool) {
        let (then, now) = (&before.qualified, &after.qualified);
        self.leads += 1;
        self.changed += u64::from(changed);
        self.rescored += u64::from(then.score.total != now.score.total);
        count(&mut self.verdicts, (then.verdict, now.verdict));
        self.before.add(then.score.total);
        self.after.add(now.score.total);
        let by = now.score.total.saturating_sub(then.score.total);
        // Away from zero, so that a point more is not "did not move".
        count(&mut self.moved, if by == 0 { 0 } else { (by.abs().saturating_add(STEP - 1) / STEP).saturating_mul(STEP) * by.signum() });
        for (groups, kind) in self.by.iter_mut().zip(kinds) {
            let group = Group {
                leads: 1,
                changed: u64::from(changed),
                qualified_before: u64::from(then.verdict == Verdict::Qualified),
                qualified_after: u64::from(now.verdict == Verdict::Qualified),
            };
            add_group(groups, kind, group);
        }
        if changed {
            self.change(before, after);
        }
    }

    fn change(&mut self, before: &Decision<'_>, after: &Decision<'_>) {
        let (then, now) = (&before.qualified.reasons, &after.qualified.reasons);
        for reason in now.iter().filter(|reason| !then.contains(reason)) {
            count(&mut self.gained, (*reason).to_owned());
        }
        for reason in then.iter().filter(|reason| !now.contains(reason)) {
            count(&mut self.lost, (*reason).to_owned());
        }
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for (destination, change) in route_changes(before, after) {
            match change {
                RouteChange::Removed => gone.push(destination),
                RouteChange::Added => new.push(destination),
                RouteChange::Changed => count(&mut self.follow_up, destination.to_owned()),
            }
        }
        // One for one is a move; of several nobody can say which took whose place.
        if let ([from], [to]) = (gone.as_slice(), new.as_slice()) {
            count(&mut self.routes, (Some((*from).to_owned()), Some((*to).to_owned())));
            return;
        }
        for destination in gone {
            count(&mut self.routes, (Some(destination.to_owned()), None));
        }
        for destination in new {
            count(&mut self.routes, (None, Some(destination.to_owned())));
        }
    }

    /// Keeps a sample of a cause, unless there are so many from before this place.
    pub(super) fn sample(&mut self, cause: &Cause, place: Place, most: usize, sample: impl FnOnce() -> Sample) {
        let kept = self.samples.entry(cause.clone()).or_default();
        if kept.len() < most || kept.last_key_value().is_some_and(|(last, _)| place < *last) {
            kept.insert(place, sample());
            if kept.len() > most {
                kept.pop_last();
            }
        }
    }

    /// What two threads counted, together.
    #[must_use]
    pub(super) fn merge(mut self, other: Self, most_samples: usize) -> Self {
        fn all<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
            for (key, more) in others {
                *counts.entry(key).or_default() += more;
            }
        }
        self.records += other.records;
        self.rejected += other.rejected;
        self.leads += other.leads;
        self.changed += other.changed;
        self.rescored += other.rescored;
        all(&mut self.verdicts, other.verdicts);
        all(&mut self.routes, other.routes);
        all(&mut self.follow_up, other.follow_up);
        all(&mut self.gained, other.gained);
        all(&mut self.lost, other.lost);
        all(&mut self.moved, other.moved);
        all(&mut self.causes, other.causes);
        for (scores, more) in [(&mut self.before, other.before), (&mut self.after, other.after)] {
            all(&mut scores.steps, more.steps);
            scores.sum += more.sum;
        }
        for (groups, more) in self.by.iter_mut().zip(other.by) {
            for (kind, group) in more {
                add_group(groups, &kind, group);
            }
        }
        for (cause, samples) in other.samples {
            for (place, sample) in samples {
                self.sample(&cause, place, most_samples, || sample);
            }
        }
        self
    }
}

fn add_group(groups: &mut BTreeMap<String, Group>, kind: &str, more: Group) {
    let kind = if groups.len() >= MOST_KINDS && !groups.contains_key(kind) { UNTOLD } else { kind };
    if !groups.contains_key(kind) {
        groups.insert(kind.to_owned(), Group::default());
    }
    if let Some(group) = groups.get_mut(kind) {
        group.leads += more.leads;
        group.changed += more.changed;
        group.qualified_before += more.qualified_before;
        group.qualified_after += more.qualified_after;
    }
}

/// The values of a lead in [`DIMENSIONS`]: words of fixed lists, tokens that a row of one of the rulesets knows, ids that look like
/// ids. What else a record says may be anybody's name.
pub(super) fn kinds<'d>(before: &'d Decision<'_>, after: &'d Decision<'_>) -> [Cow<'d, str>; DIMENSIONS.len()] {
    let facts = before.facts;
    let token = fold(facts.lead_source().source);
    let known = [before.rules, after.rules].iter().any(|rules| rules.classification.source(&token, facts.event_time).is_some());
    let is_id = |text: &&str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let ids = [&facts.offer.publisher_id, &facts.offer.offer_id].map(|id| id.as_deref().filter(is_id));
    let offer = match ids {
        [Some(publisher), Some(offer)] => Cow::Owned(format!("{publisher}.{offer}")),
        _ => Cow::Borrowed(UNTOLD),
    };
    let class = &after.class;
    [
        Cow::Borrowed(class.storefront.name()),
        Cow::Borrowed(class.campaign.name()),
        if known { Cow::Owned(token.into_owned()) } else { Cow::Borrowed(UNTOLD) },
        offer,
        Cow::Borrowed(facts.contact.country.unwrap_or(UNTOLD)),
    ]
}

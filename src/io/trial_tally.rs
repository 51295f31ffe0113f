//! What a batch came to by ruleset: what each one decided, and what shadows would have decided in its place. Counted while the
//! batch is decided, told once it is committed, like all of `tally`. Holds nothing of a person.

use std::sync::Arc;

use super::Counts;
use crate::{
    lead::{Decision, Position, Route, Storefront, Timestamp, Verdict},
    pipeline::{RouteChange, Share, route_changes},
};

/// Leads with one of these reasons are left out of a qualification rate: nobody is to follow them up.
const LEFT_OUT: [&str; 2] = ["test_lead", "do_not_contact"];

/// Whether a qualification rate is taken of a lead with these reasons.
pub(super) fn is_qualifiable(reasons: &[&str]) -> bool {
    !reasons.iter().any(|reason| LEFT_OUT.contains(reason))
}

/// A ruleset as what is counted names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesetName {
    /// `NAME/VERSION`.
    pub label: Arc<str>,
    /// Of its content.
    pub hash: Arc<str>,
}

impl RulesetName {
    fn of(decision: &Decision<'_>) -> Self {
        Self { label: decision.rules.label().into(), hash: decision.rules.hash.as_str().into() }
    }

    /// Whether it is the ruleset that made this decision.
    fn made(&self, decision: &Decision<'_>) -> bool {
        *self.hash == *decision.rules.hash
    }
}

/// How many leads were decided, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// All of them.
    pub leads: u64,
    /// Those that qualified.
    pub qualified: u64,
    /// Test leads and do-not-contact notices, by the reasons they got.
    pub left_out: u64,
}

impl Judged {
    /// Those that did not qualify.
    #[must_use]
    pub fn unqualified(&self) -> u64 {
        self.leads - self.qualified
    }

    /// Leads that a qualification rate is about.
    #[must_use]
    pub fn rated(&self) -> u64 {
        self.leads - self.left_out
    }

    /// The share of leads that qualified, without test leads and do-not-contact notices; none where there are no others.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of leads: far below 2^52
    pub fn rate(&self) -> Option<f64> {
        (self.rated() > 0).then(|| self.qualified as f64 / self.rated() as f64)
    }

    /// Adds what `other` has counted.
    pub fn add(&mut self, other: &Self) {
        self.leads += other.leads;
        self.qualified += other.qualified;
        self.left_out += other.left_out;
    }
}

/// What one ruleset decided.
#[derive(Clone, Debug)]
pub struct RulesetTally {
    /// Which.
    pub ruleset: RulesetName,
    /// The leads it decided.
    pub judged: Judged,
    /// Why leads did not qualify; a lead has one or more reasons.
    pub reasons: Counts<Arc<str>>,
}

impl RulesetTally {
    /// Counts one decision of this ruleset.
    fn lead(&mut self, decision: &Decision<'_>) {
        let reasons = &decision.qualified.reasons;
        self.judged.leads += 1;
        self.judged.qualified += u64::from(decision.qualified.verdict == Verdict::Qualified);
        self.judged.left_out += u64::from(!is_qualifiable(reasons));
        for reason in reasons {
            self.reasons.add(1, |known| **known == **reason, || Arc::from(*reason));
        }
    }
}

/// What each ruleset decided; the one that decides and its canary as a rule.
#[derive(Clone, Debug, Default)]
pub struct RulesetTallies(Vec<RulesetTally>);

impl RulesetTallies {
    /// Counts one lead for the ruleset that decided it.
    pub(super) fn lead(&mut self, decision: &Decision<'_>) {
        let at = self.0.iter().position(|known| known.ruleset.made(decision)).unwrap_or_else(|| {
            self.0.push(RulesetTally { ruleset: RulesetName::of(decision), judged: Judged::default(), reasons: Counts::default() });
            self.0.len() - 1
        });
        if let Some(tally) = self.0.get_mut(at) {
            tally.lead(decision);
        }
    }

    /// Those that decided any lead of the batch.
    pub fn iter(&self) -> impl Iterator<Item = &RulesetTally> {
        self.0.iter().filter(|tally| tally.judged.leads > 0)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for from in other.iter() {
            match self.0.iter_mut().find(|known| known.ruleset == from.ruleset) {
                None => self.0.push(from.clone()),
                Some(into) => {
                    into.judged.add(&from.judged);
                    into.reasons.merge(&from.reasons);
                }
            }
        }
    }

    /// Forgets the counts, and rulesets that have decided nothing lately: others have taken their place.
    pub(super) fn clear(&mut self) {
        self.0.retain(|tally| tally.judged.leads > 0);
        for tally in &mut self.0 {
            tally.judged = Judged::default();
            tally.reasons.clear();
        }
    }
}

/// A follow-up as samples show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledRoute {
    /// Where.
    pub destination: String,
    /// Queue in it.
    pub queue: Option<String>,
    /// Who owns it, by the ruleset's name.
    pub owner: Option<String>,
    /// As the rule names it.
    pub priority: Option<String>,
    /// First follow-up.
    pub first_touch_due: Option<Timestamp>,
}

impl SampledRoute {
    fn of(route: &Route<'_>) -> Self {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Self {
            destination: route.destination.to_owned(),
            queue: own(route.queue),
            owner: own(route.owner),
            priority: own(route.priority),
            first_touch_due: route.first_touch_due,
        }
    }
}

/// A decision as samples show it: nothing of the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledDecision {
    /// By which rules.
    pub ruleset: RulesetName,
    /// Whether the lead qualifies.
    pub verdict: Verdict,
    /// Why not.
    pub reasons: Vec<String>,
    /// In points.
    pub score: i64,
    /// Who follows up.
    pub routes: Vec<SampledRoute>,
}

impl SampledDecision {
    fn of(decision: &Decision<'_>) -> Self {
        Self {
            ruleset: RulesetName::of(decision),
            verdict: decision.qualified.verdict,
            reasons: decision.qualified.reasons.iter().map(|&reason| reason.to_owned()).collect(),
            score: decision.qualified.score.total,
            routes: decision.routes.iter().map(SampledRoute::of).collect(),
        }
    }
}

/// A lead that a candidate would decide otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedDecision {
    /// Where its record stands: `explain --at` shows the rest to those who may see it.
    pub at: Position,
    /// Its place in the record, from 0.
    pub index: u32,
    /// Where it came from.
    pub storefront: Storefront,
    /// What was decided.
    pub before: SampledDecision,
    /// What the candidate would have decided.
    pub after: SampledDecision,
}

/// Of a batch so many changed decisions of a candidate are kept.
const SAMPLES: usize = 2;

/// What one candidate made of the leads it was shown.
#[derive(Clone, Debug)]
pub struct CandidateTally {
    /// Which.
    pub ruleset: RulesetName,
    /// Leads it decided too.
    pub leads: u64,
    /// Verdicts that would be others: from, to.
    pub verdicts: Counts<(Verdict, Verdict)>,
    /// Destinations whose follow-up would be another.
    pub routes: Counts<(Arc<str>, RouteChange)>,
    /// The first few that would be decided otherwise.
    pub samples: Vec<ChangedDecision>,
}

impl CandidateTally {
    fn new(ruleset: RulesetName) -> Self {
        Self { ruleset, leads: 0, verdicts: Counts::default(), routes: Counts::default(), samples: Vec::new() }
    }

    fn compare(&mut self, before: &Decision<'_>, after: &Decision<'_>) {
        self.leads += 1;
        let verdicts = (before.qualified.verdict, after.qualified.verdict);
        let mut changed = verdicts.0 != verdicts.1;
        if changed {
            self.verdicts.add(1, |known| *known == verdicts, || verdicts);
        }
        for (destination, change) in route_changes(before, after) {
            changed = true;
            self.routes.add(1, |known| *known.0 == *destination && known.1 == change, || (destination.into(), change));
        }
        if changed && self.samples.len() < SAMPLES {
            self.samples.push(ChangedDecision {
                at: before.facts.at.clone(),
                index: before.facts.index,
                storefront: before.class.storefront,
                before: SampledDecision::of(before),
                after: SampledDecision::of(after),
            });
        }
    }
}

/// What shadows made of the leads of one batch.
#[derive(Clone, Debug, Default)]
pub struct ShadowTally {
    candidates: Vec<CandidateTally>,
    /// The share of leads they were shown, where there are any; the smallest, where parts of a batch differ.
    pub sampled: Option<Share>,
    /// How long they took, in seconds.
    pub seconds: f64,
}

impl ShadowTally {
    /// Counts what a shadow would have made of a lead.
    pub fn compare(&mut self, before: &Decision<'_>, after: &Decision<'_>) {
        let at = self.candidates.iter().position(|known| known.ruleset.made(after)).unwrap_or_else(|| {
            self.candidates.push(CandidateTally::new(RulesetName::of(after)));
            self.candidates.len() - 1
        });
        if let Some(candidate) = self.candidates.get_mut(at) {
            candidate.compare(before, after);
        }
    }

    /// Those that were shown any lead of the batch.
    pub fn iter(&self) -> impl Iterator<Item = &CandidateTally> {
        self.candidates.iter().filter(|candidate| candidate.leads > 0)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sampled = [self.sampled, other.sampled].into_iter().flatten().min();
        self.seconds += other.seconds;
        for from in other.iter() {
            match self.candidates.iter_mut().find(|known| known.ruleset == from.ruleset) {
                None => self.candidates.push(from.clone()),
                Some(into) => {
                    into.leads += from.leads;
                    into.verdicts.merge(&from.verdicts);
                    into.routes.merge(&from.routes);
                    let room = SAMPLES.saturating_sub(into.samples.len());
                    into.samples.extend(from.samples.iter().take(room).cloned());
                }
            }
        }
    }

    /// Forgets the counts, and candidates that were shown nothing lately: others have taken their place.
    pub(super) fn clear(&mut self) {
        self.sampled = None;
        self.seconds = 0.0;
        self.candidates.retain(|candidate| candidate.leads > 0);
        for candidate in &mut self.candidates {
            candidate.leads = 0;
            candidate.verdicts.clear();
            candidate.routes.clear();
            candidate.samples.clear();
        }
    }
}

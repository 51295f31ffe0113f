//! Shadows at work in a lane: candidate rulesets decide what was just decided, for comparison alone, within a set share of the
//! lane's time. What they make of a lead is counted in `io`; nothing they say reaches an output.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    io::ShadowTally,
    lead::Outcome,
    pipeline::{self, Live, NoTrace, Share, Split},
    rules::Ruleset,
};

/// However dear shadows are, so many leads are shown to them: what they cost must be known to tell when it is less.
const LEAST: f64 = 0.001;
/// With each batch what earlier ones took counts so much less: the last fifty or so tell.
const FADING: f64 = 0.98;
/// The share shown grows only when it can by a fifth at least, so that it stands still under a steady load.
const STEP: f64 = 1.2;

/// How much of the lanes' time shadows may take, and which share of the leads they can be shown within it: one for all lanes of
/// a process, so that a lead is shown or not whichever lane has it.
#[derive(Debug)]
pub struct ShadowBudget {
    /// Of the time from a gathered batch to its commit; 1: no bound.
    share: f64,
    state: Mutex<Costs>,
}

/// What the last batches took, in seconds, and how many leads they had.
#[derive(Clone, Copy, Debug)]
struct Costs {
    sampled: f64,
    /// Reading, deciding, encoding and committing, without shadows.
    live: f64,
    commits: f64,
    batches: f64,
    shadows: f64,
    /// Leads that could be shown.
    leads: f64,
    /// Leads that were shown.
    shown: f64,
}

impl Default for ShadowBudget {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl ShadowBudget {
    /// Of the lanes' time this share, above 0; at 1 every lead is shown, whatever it takes.
    #[must_use]
    pub fn new(share: f64) -> Self {
        let costs = Costs { sampled: 1.0, live: 0.0, commits: 0.0, batches: 0.0, shadows: 0.0, leads: 0.0, shown: 0.0 };
        Self { share, state: Mutex::new(costs) }
    }

    /// Seconds that shadows may take beside so many seconds of other work.
    fn beside(&self, live: f64) -> f64 {
        if self.share >= 1.0 { f64::INFINITY } else { live * self.share / (1.0 - self.share) }
    }

    /// The share of leads to be shown, and the seconds a commit usually takes.
    fn now(&self) -> (Share, f64) {
        let costs = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (Share::of(costs.sampled), costs.commits / costs.batches.max(1.0))
    }

    /// Learns what a batch took.
    fn learn(&self, batch: &BatchCosts) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let costs = &mut *state;
        for (sum, new) in [
            (&mut costs.live, batch.live),
            (&mut costs.commits, batch.commit),
            (&mut costs.batches, 1.0),
            (&mut costs.shadows, batch.shadows),
            (&mut costs.leads, batch.leads),
            (&mut costs.shown, batch.shown),
        ] {
            *sum = *sum * FADING + new;
        }
        if costs.shown <= 0.0 || costs.shadows <= 0.0 {
            return;
        }
        let all = costs.shadows / costs.shown * costs.leads;
        let possible = (self.beside(costs.live) / all).clamp(LEAST, 1.0);
        if possible < costs.sampled {
            costs.sampled = possible;
        } else if possible >= (costs.sampled * STEP).min(1.0) {
            costs.sampled = (costs.sampled * STEP).min(1.0);
        }
    }
}

/// What one batch took, in seconds, and how many leads it had.
#[derive(Clone, Copy, Debug, Default)]
struct BatchCosts {
    live: f64,
    commit: f64,
    shadows: f64,
    leads: f64,
    shown: f64,
}

/// The shadows of one lane.
#[derive(Debug)]
pub(super) struct Shadows {
    budget: Arc<ShadowBudget>,
    sampled: Share,
    usual_commit: f64,
    started: Instant,
    batch: BatchCosts,
}

impl Default for Shadows {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Shadows {
    pub(super) fn new(budget: Arc<ShadowBudget>) -> Self {
        Self { budget, sampled: Share::ALL, usual_commit: 0.0, started: Instant::now(), batch: BatchCosts::default() }
    }

    /// A batch begins.
    pub(super) fn begin(&mut self, started: Instant) {
        (self.sampled, self.usual_commit) = self.budget.now();
        self.started = started;
        self.batch = BatchCosts::default();
    }

    /// Shows the leads of a record to every shadow. A canary's leads are left out: candidates are compared with one ruleset.
    pub(super) fn decide(&mut self, outcome: &Outcome<'_>, live: &Live, tally: &mut ShadowTally) {
        let Outcome::Decided(decisions) = outcome else { return };
        if live.trials.shadows.is_empty() {
            return;
        }
        tally.sampled = Some(self.sampled);
        let is_live = |rules: &Ruleset| std::ptr::eq(rules, &raw const live.pipeline.rules);
        let mut now = Instant::now();
        for decision in decisions.iter().filter(|decision| is_live(decision.rules)) {
            self.batch.leads += 1.0;
            if !self.sampled.holds(Split::Shadow, decision.facts) || !self.has_time(now) {
                continue;
            }
            for rules in &live.trials.shadows {
                tally.compare(decision, &pipeline::decide(decision.facts, rules, &mut NoTrace));
            }
            let before = std::mem::replace(&mut now, Instant::now());
            self.batch.shadows += (now - before).as_secs_f64();
            self.batch.shown += 1.0;
        }
        tally.seconds = self.batch.shadows;
    }

    /// Outputs of the batch were written ahead in this time, which is a part of its commit's.
    pub(super) fn wrote(&mut self, took: Duration) {
        self.started += took;
    }

    /// Whether the batch's commit is not yet late by more than the set share: the bound that holds while costs are not known.
    fn has_time(&self, now: Instant) -> bool {
        let live = (now - self.started).as_secs_f64() - self.batch.shadows;
        self.batch.shadows <= self.budget.beside(live + self.usual_commit)
    }

    /// The batch was decided in this time, shadows and all, and committed in that.
    pub(super) fn committed(&mut self, decided_in: Duration, commit: Duration) {
        let commit = commit.as_secs_f64();
        let decided = (decided_in.as_secs_f64() - self.batch.shadows).max(0.0);
        if self.batch.leads > 0.0 {
            self.budget.learn(&BatchCosts { live: decided + commit, commit, ..self.batch });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share shown after so many batches of 1,000 leads that take 0.1 s without shadows, where a lead costs a shadow so much.
    fn settled(budget: &ShadowBudget, batches: usize, seconds_a_lead: f64) -> f64 {
        for _ in 0..batches {
            let shown = budget.now().0.as_f64() * 1_000.0;
            let batch = BatchCosts { live: 0.1, commit: 0.05, shadows: shown * seconds_a_lead, leads: 1_000.0, shown };
            budget.learn(&batch);
        }
        budget.now().0.as_f64()
    }

    #[test]
    fn the_share_of_leads_shown_is_what_the_time_allows() {
        let budget = ShadowBudget::new(0.2);
        // A fifth of the whole is a quarter of the rest: 25 ms a batch.
        assert!((settled(&budget, 300, 20e-6) - 1.0).abs() < 1e-9, "20 ms for all leads fit");
        let dear = settled(&budget, 300, 100e-6);
        assert!((0.2..=0.26).contains(&dear), "100 ms for all leads do not, a quarter does: {dear}");
        assert!((settled(&budget, 3, 100e-6) - dear).abs() < 0.02, "and so it stays");
        let ruinous = settled(&budget, 1_000, 1.0);
        assert!((ruinous - LEAST).abs() < 1e-9, "{ruinous}");
        assert!((settled(&budget, 2_000, 20e-6) - 1.0).abs() < 1e-9, "it comes back when they are cheap again");
        assert!((settled(&ShadowBudget::new(1.0), 300, 1.0) - 1.0).abs() < 1e-9, "without a bound all are shown");
    }

    #[test]
    fn no_batch_waits_for_longer_than_the_set_share_even_before_anything_is_known() {
        let mut shadows = Shadows::new(Arc::new(ShadowBudget::new(0.5)));
        let started = Instant::now();
        shadows.begin(started);
        let after = |milliseconds| started + Duration::from_millis(milliseconds);
        assert!(shadows.has_time(after(10)));
        shadows.batch.shadows = 0.011;
        assert!(!shadows.has_time(after(21)), "11 ms beside 10");
        assert!(shadows.has_time(after(25)), "11 ms beside 14");
        shadows.usual_commit = 0.1;
        assert!(shadows.has_time(after(21)), "the commit is a part of it");
    }
}

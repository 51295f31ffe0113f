//! The guard of a canary: compares what it decides with what the live ruleset decides, batch by batch, and stops it when its
//! qualification rate has left the band around the other's. Who a lead belongs to is decided in `pipeline`, by the lead alone.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    config::CanaryConfig,
    io::{Abort, Committed, Judged, Observer, Tally},
    pipeline::Live,
};

use super::report::RulesReport;

/// How sure it must be that the rates are farther apart than the band, in standard errors. Three, since they are compared anew
/// after each batch: the more often one looks, the more often chance looks like a difference.
const STANDARD_ERRORS: f64 = 3.0;

/// Compares the canary with the live ruleset, for all lanes of a process.
pub(super) struct CanaryGuard {
    live: Arc<ArcSwap<Live>>,
    settings: CanaryConfig,
    report: RulesReport,
    compared: Mutex<Compared>,
}

/// What the two have decided since both are as they are.
#[derive(Default)]
struct Compared {
    /// Hashes of the live ruleset and the canary.
    hashes: [String; 2],
    /// The leads of each.
    judged: [Judged; 2],
}

impl CanaryGuard {
    pub(super) fn new(live: &Arc<ArcSwap<Live>>, settings: &CanaryConfig, report: RulesReport) -> Self {
        Self { live: Arc::clone(live), settings: settings.clone(), report, compared: Mutex::default() }
    }

    /// A batch became visible.
    fn committed(&self, tally: &Tally) {
        let live = self.live.load();
        let Some(canary) = live.trials.canary.as_ref().filter(|canary| canary.stopped.is_none()) else { return };
        let hashes = [&live.pipeline.rules.hash, &canary.rules.hash];
        if hashes[0] == hashes[1] {
            // The canary has become the live ruleset: there is nothing left to compare.
            return;
        }
        let [decided, tried] = {
            let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
            if compared.hashes.each_ref() != hashes {
                // What an earlier ruleset decided tells nothing of this one.
                *compared = Compared { hashes: hashes.map(Clone::clone), ..Compared::default() };
            }
            for of in tally.rulesets.iter() {
                if let Some(at) = hashes.iter().position(|hash| **hash == *of.ruleset.hash) {
                    compared.judged[at].add(&of.judged);
                }
            }
            compared.judged
        };
        self.report.compared(decided, tried);
        if let Some(why) = departure(&decided, &tried, &self.settings) {
            stop_canary(&self.live, &self.report, &why);
        }
    }
}

/// From the next batch on the canary decides nothing; a changed one, or the next start, begins anew.
pub(super) fn stop_canary(live: &ArcSwap<Live>, report: &RulesReport, why: &str) {
    let before = live.rcu(|live| {
        let mut next = Live::clone(live);
        for canary in next.trials.canary.iter_mut().filter(|canary| canary.stopped.is_none()) {
            canary.stopped = Some(why.to_owned());
        }
        next
    });
    if let Some(canary) = before.trials.canary.as_ref().filter(|canary| canary.stopped.is_none()) {
        tracing::error!(
            canary = canary.rules.label(),
            hash = canary.rules.hash,
            "the canary is stopped, every lead is decided by the live ruleset: {why}"
        );
    }
    report.trials(live);
}

/// Why the canary is too far from the live ruleset, if it is: by its qualification rate, or because it leaves out another share of
/// the leads, so that the rates are no longer about leads of the same kind.
fn departure(live: &Judged, canary: &Judged, settings: &CanaryConfig) -> Option<String> {
    let rated = [live, canary].map(|judged| (judged.qualified, judged.rated()));
    let left_out = [live, canary].map(|judged| (judged.left_out, judged.leads));
    let told = |what: &str, [live, canary]: [(u64, u64); 2]| {
        let text = |(some, all): (u64, u64)| format!("{:.1} % of {all}", 100.0 * share(some, all));
        let band = settings.band;
        format!("{what}: {} leads against {} of the live ruleset; the band is {band} points", text(canary), text(live))
    };
    let of_rates = is_beyond(rated, settings).then(|| told("its qualification rate has left the band", rated));
    of_rates.or_else(|| is_beyond(left_out, settings).then(|| told("it leaves out others as test leads or do-not-contact", left_out)))
}

/// Whether two shares, each told as some of all, are farther apart than the band and three standard errors of their difference.
fn is_beyond([live, canary]: [(u64, u64); 2], settings: &CanaryConfig) -> bool {
    if live.1 < settings.after || canary.1 < settings.after {
        return false;
    }
    let apart = (share(canary.0, canary.1) - share(live.0, live.1)).abs();
    let error = (variance(live) + variance(canary)).sqrt();
    apart > settings.band / 100.0 + STANDARD_ERRORS * error
}

#[allow(clippy::cast_precision_loss)] // counts of leads: far below 2^52
fn share(some: u64, all: u64) -> f64 {
    some as f64 / all.max(1) as f64
}

/// Of a share; as if one more lead of each kind had been seen, so that a share of none or all is not taken for certain.
#[allow(clippy::cast_precision_loss)] // counts of leads: far below 2^52
fn variance((some, all): (u64, u64)) -> f64 {
    let share = share(some + 1, all + 2);
    share * (1.0 - share) / (all + 2) as f64
}

/// What a lane tells, to its own observer and then to the guard.
pub(super) struct Guarded<O> {
    pub(super) observer: O,
    pub(super) guard: Arc<CanaryGuard>,
}

impl<O: Observer> Observer for Guarded<O> {
    fn committed(&mut self, tally: &Tally, committed: Committed, decided_in: Duration) {
        self.observer.committed(tally, committed, decided_in);
        self.guard.committed(tally);
    }

    fn aborted(&mut self, tally: &Tally, abort: &Abort, after: Duration) {
        self.observer.aborted(tally, abort, after);
    }

    fn round(&mut self) {
        self.observer.round();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(leads: u64, qualified: u64, left_out: u64) -> Judged {
        Judged { leads, qualified, left_out }
    }

    fn departs(live: Judged, canary: Judged) -> bool {
        departure(&live, &canary, &CanaryConfig::default()).is_some()
    }

    #[test]
    fn a_canary_is_stopped_beyond_the_band_and_never_by_few_leads() {
        assert!(!departs(judged(100_000, 70_000, 0), judged(199, 0, 0)), "199 leads are too few, whatever they say");
        assert!(departs(judged(100_000, 70_000, 0), judged(200, 0, 0)));
        assert!(departs(judged(200, 200, 0), judged(100_000, 70_000, 0)), "either way");
        // Four points apart is within the band however many leads there are; six points are beyond it once there are enough.
        assert!(!departs(judged(10_000_000, 7_000_000, 0), judged(10_000_000, 7_400_000, 0)));
        assert!(!departs(judged(10_000, 7_000, 0), judged(1_000, 760, 0)));
        assert!(departs(judged(1_000_000, 700_000, 0), judged(100_000, 76_000, 0)));
    }

    #[test]
    fn test_leads_and_notices_count_for_neither_but_leaving_out_others_does() {
        // Half of all leads are test leads: of the others all qualify, here as there.
        assert!(!departs(judged(10_000, 5_000, 5_000), judged(1_000, 510, 490)));
        assert!(departs(judged(10_000, 5_000, 5_000), judged(1_000, 1_000, 0)), "it decides on test leads");
        assert!(departs(judged(10_000, 9_000, 0), judged(1_000, 0, 1_000)), "it takes every lead for a test");
    }

    #[test]
    fn chance_alone_stops_no_canary() {
        // Reproducible chance (splitmix64), a hundred canaries that decide as the live ruleset does, looked at every fifty leads.
        let mut state = 7_u64;
        let mut percent = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) % 100
        };
        let mut stopped_after = |own_rate: u64| {
            let mut both = [Judged::default(); 2];
            for lead in 1..=20_000_u64 {
                let at = usize::from(percent() < 20);
                let rate = [70, own_rate][at];
                both[at].add(&judged(1, u64::from(percent() < rate), 0));
                if lead % 50 == 0 && departs(both[0], both[1]) {
                    return Some(lead);
                }
            }
            None
        };
        assert_eq!((0..100).filter_map(|_| stopped_after(70)).collect::<Vec<_>>(), [0; 0]);
        assert!((0..20).all(|_| stopped_after(40).is_some_and(|leads| leads < 2_500)), "thirty points away is found soon");
    }
}

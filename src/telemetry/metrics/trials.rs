//! The metrics of rulesets: what each one decided, what canary and shadows came to. Rulesets change while the process runs, so
//! the series of those that are long gone are taken away.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus::{Counter, Gauge, IntGauge};

use super::family::{Counters, Table, Told};
use crate::{
    io::Tally,
    lead::{Verdict, Vocabulary},
    pipeline::RouteChange,
    telemetry::{
        KnownWords, ShownTrials,
        names::{self, RELEASED_REASONS},
    },
};

/// The series of so many rulesets are kept, and of so many candidates: those that were counted last.
const KEPT: usize = 16;

/// Labels in the order in which they were last counted.
#[derive(Default)]
struct Recent(VecDeque<String>);

impl Recent {
    /// Notes that `label` is counted now; tells the one that is counted no longer, where that makes one too many.
    fn counted(&mut self, label: &str) -> Option<String> {
        if let Some(at) = self.0.iter().position(|known| known == label) {
            let known = self.0.remove(at);
            self.0.extend(known);
            return None;
        }
        self.0.push_back(label.to_owned());
        if self.0.len() > KEPT { self.0.pop_front() } else { None }
    }
}

/// All metrics by ruleset.
#[derive(Clone)]
pub(super) struct TrialMetrics {
    ruleset_leads: Counters<(Told, Verdict)>,
    ruleset_unqualified: Counters<(Told, Told)>,
    canary_share: Gauge,
    canary_stopped: IntGauge,
    shadow_leads: Counters<(Told,)>,
    shadow_changes: Counters<(Told, Verdict, Verdict)>,
    shadow_route_changes: Counters<(Told, Told, RouteChange)>,
    shadow_sampled: Gauge,
    shadow_seconds: Counter,
    rulesets: Arc<Mutex<Recent>>,
    candidates: Arc<Mutex<Recent>>,
    words: KnownWords,
}

impl TrialMetrics {
    pub(super) fn register(table: &mut Table, words: KnownWords) -> Result<Self, prometheus::Error> {
        Ok(Self {
            ruleset_leads: table.counters(&names::RULESET_LEADS)?,
            ruleset_unqualified: table.counters(&names::RULESET_UNQUALIFIED)?,
            canary_share: table.number(&names::CANARY_SHARE)?,
            canary_stopped: table.gauge(&names::CANARY_STOPPED)?,
            shadow_leads: table.counters(&names::SHADOW_LEADS)?,
            shadow_changes: table.counters(&names::SHADOW_CHANGES)?,
            shadow_route_changes: table.counters(&names::SHADOW_ROUTE_CHANGES)?,
            shadow_sampled: table.number(&names::SHADOW_SAMPLED)?,
            shadow_seconds: table.seconds(&names::SHADOW_SECONDS)?,
            rulesets: Arc::default(),
            candidates: Arc::default(),
            words,
        })
    }

    /// The series of a ruleset that decides from now on start at zero.
    pub(super) fn ruleset(&self, label: &str) {
        self.ruleset_counted(label);
        for verdict in Verdict::ALL {
            self.ruleset_leads.of((label, *verdict));
        }
        for reason in RELEASED_REASONS {
            self.ruleset_unqualified.of((label, reason));
        }
    }

    /// The rulesets on trial are these from now on.
    pub(super) fn trials(&self, trials: &ShownTrials) {
        let canary = trials.canary.as_ref();
        self.canary_stopped.set(i64::from(canary.is_some_and(|canary| canary.stopped.is_some())));
        self.canary_share.set(canary.filter(|canary| canary.stopped.is_none()).map_or(0.0, |canary| canary.share.as_f64()));
        if let Some(canary) = canary {
            self.ruleset(&canary.ruleset.label);
        }
        for candidate in &trials.shadows {
            self.candidate_counted(&candidate.label);
            self.shadow_leads.of((&candidate.label,));
            for (from, to) in [(Verdict::Qualified, Verdict::Unqualified), (Verdict::Unqualified, Verdict::Qualified)] {
                self.shadow_changes.of((&candidate.label, from, to));
            }
        }
        if trials.shadows.is_empty() {
            self.shadow_sampled.set(0.0);
        }
    }

    /// A batch became visible.
    pub(super) fn committed(&self, tally: &Tally) {
        for of in tally.rulesets.iter() {
            let label = &*of.ruleset.label;
            self.ruleset_counted(label);
            for (verdict, leads) in [(Verdict::Qualified, of.judged.qualified), (Verdict::Unqualified, of.judged.unqualified())] {
                self.ruleset_leads.of((label, verdict)).inc_by(leads);
            }
            for (reason, count) in of.reasons.iter() {
                self.ruleset_unqualified.of((label, self.words.known(reason))).inc_by(count);
            }
        }
        let Some(sampled) = tally.shadows.sampled else { return };
        self.shadow_sampled.set(sampled.as_f64());
        self.shadow_seconds.inc_by(tally.shadows.seconds);
        for of in tally.shadows.iter() {
            let label = &*of.ruleset.label;
            self.candidate_counted(label);
            self.shadow_leads.of((label,)).inc_by(of.leads);
            for ((from, to), count) in of.verdicts.iter() {
                self.shadow_changes.of((label, *from, *to)).inc_by(count);
            }
            for ((destination, change), count) in of.routes.iter() {
                self.shadow_route_changes.of((label, self.words.known(destination), *change)).inc_by(count);
            }
        }
    }

    fn ruleset_counted(&self, label: &str) {
        if let Some(gone) = self.rulesets.lock().unwrap_or_else(PoisonError::into_inner).counted(label) {
            self.ruleset_leads.forget("ruleset", &gone);
            self.ruleset_unqualified.forget("ruleset", &gone);
        }
    }

    fn candidate_counted(&self, label: &str) {
        if let Some(gone) = self.candidates.lock().unwrap_or_else(PoisonError::into_inner).counted(label) {
            self.shadow_leads.forget("candidate", &gone);
            self.shadow_changes.forget("candidate", &gone);
            self.shadow_route_changes.forget("candidate", &gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_that_were_counted_last_are_kept() {
        let mut recent = Recent::default();
        let counted: Vec<_> = (0..KEPT).filter_map(|number| recent.counted(&number.to_string())).collect();
        assert_eq!(counted, [""; 0]);
        assert_eq!(recent.counted("0"), None, "it is known");
        assert_eq!(recent.counted("new"), Some("1".to_owned()), "0 was counted since");
    }
}

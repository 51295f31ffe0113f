//! What `/status` shows of the rulesets on trial: how the canary compares, and for each shadow what it would change, with a
//! few leads by their positions. Nothing of a person.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::{
    io::{CandidateTally, ChangedDecision, Judged, RulesetName, SampledDecision, ShadowTally},
    lead::Vocabulary,
    pipeline::{RouteChange, Share},
    telemetry::ShownTrials,
};

/// Changed decisions that are shown of a candidate: the last ones.
const SAMPLES: usize = 20;

/// The rulesets on trial and what came of them.
#[derive(Debug, Default)]
pub(super) struct TrialStatus {
    trials: ShownTrials,
    /// What the live ruleset and the canary decided since they are compared.
    compared: Option<[Judged; 2]>,
    sampled: Option<Share>,
    candidates: Vec<CandidateStatus>,
}

#[derive(Debug)]
struct CandidateStatus {
    ruleset: RulesetName,
    leads: u64,
    /// `FROM->TO`, and how often.
    verdicts: BTreeMap<String, u64>,
    /// What would become of a destination's follow-up, and how often.
    routes: BTreeMap<&'static str, u64>,
    samples: VecDeque<ChangedDecision>,
}

impl TrialStatus {
    /// These are on trial from now on; what was told of others is forgotten.
    pub(super) fn set(&mut self, trials: ShownTrials) {
        let same = |canary: &ShownTrials| canary.canary.as_ref().map(|canary| canary.ruleset.clone());
        if same(&self.trials) != same(&trials) {
            self.compared = None;
        }
        let mut known = std::mem::take(&mut self.candidates);
        let of = |ruleset: &RulesetName| {
            let at = known.iter().position(|candidate| candidate.ruleset == *ruleset);
            at.map_or_else(|| CandidateStatus::new(ruleset.clone()), |at| known.swap_remove(at))
        };
        self.candidates = trials.shadows.iter().map(of).collect();
        self.trials = trials;
    }

    pub(super) fn compared(&mut self, live: Judged, canary: Judged) {
        self.compared = Some([live, canary]);
    }

    /// What shadows made of a batch; of one that was replaced meanwhile nothing is shown.
    pub(super) fn committed(&mut self, tally: &ShadowTally) {
        self.sampled = tally.sampled.or(self.sampled);
        for of in tally.iter() {
            if let Some(candidate) = self.candidates.iter_mut().find(|known| known.ruleset == of.ruleset) {
                candidate.add(of);
            }
        }
    }

    /// What a person should look at.
    pub(super) fn warning(&self) -> Option<String> {
        let canary = self.trials.canary.as_ref()?;
        let why = canary.stopped.as_ref()?;
        Some(format!("the canary {} is stopped, every lead is decided by the live ruleset: {why}", canary.ruleset.label))
    }

    pub(super) fn canary(&self) -> Value {
        let Some(canary) = &self.trials.canary else { return Value::Null };
        let [live, own] = self.compared.unwrap_or_default();
        json!({
            "ruleset": name(&canary.ruleset),
            "percent": if canary.stopped.is_none() { canary.share.as_f64() * 100.0 } else { 0.0 },
            "stopped": canary.stopped,
            "decided": { "live": judged(&live), "canary": judged(&own) },
        })
    }

    pub(super) fn shadows(&self) -> Value {
        json!({
            "sampled": self.sampled.filter(|_| !self.candidates.is_empty()).map(Share::as_f64),
            "candidates": self.candidates.iter().map(CandidateStatus::to_json).collect::<Vec<_>>(),
        })
    }
}

impl CandidateStatus {
    fn new(ruleset: RulesetName) -> Self {
        let routes = RouteChange::ALL.iter().map(|change| (change.name(), 0)).collect();
        Self { ruleset, leads: 0, verdicts: BTreeMap::new(), routes, samples: VecDeque::new() }
    }

    fn add(&mut self, of: &CandidateTally) {
        self.leads += of.leads;
        for ((from, to), count) in of.verdicts.iter() {
            *self.verdicts.entry(format!("{}->{}", from.name(), to.name())).or_default() += count;
        }
        for ((_, change), count) in of.routes.iter() {
            *self.routes.entry(change.name()).or_default() += count;
        }
        self.samples.extend(of.samples.iter().cloned());
        let old = self.samples.len().saturating_sub(SAMPLES);
        self.samples.drain(..old);
    }

    fn to_json(&self) -> Value {
        let samples = self.samples.iter().map(|sample| {
            json!({
                "at": sample.at.to_string(), "index": sample.index, "storefront": sample.storefront.name(),
                "before": decision(&sample.before), "after": decision(&sample.after),
            })
        });
        json!({
            "ruleset": name(&self.ruleset), "leads": self.leads, "verdicts": self.verdicts, "routes": self.routes,
            "samples": samples.collect::<Vec<_>>(),
        })
    }
}

fn name(ruleset: &RulesetName) -> Value {
    json!({ "label": &*ruleset.label, "hash": &*ruleset.hash })
}

fn judged(judged: &Judged) -> Value {
    let rate = judged.rate().map(|rate| (rate * 1e4).round() / 1e4);
    json!({ "leads": judged.leads, "qualified": judged.qualified, "left_out": judged.left_out, "rate": rate })
}

fn decision(decision: &SampledDecision) -> Value {
    let routes = decision.routes.iter().map(|route| {
        json!({
            "destination": route.destination, "queue": route.queue, "owner": route.owner, "priority": route.priority,
            "first_touch_due": route.first_touch_due,
        })
    });
    json!({
        "ruleset": name(&decision.ruleset), "verdict": decision.verdict.name(), "reasons": decision.reasons, "score": decision.score,
        "routes": routes.collect::<Vec<_>>(),
    })
}

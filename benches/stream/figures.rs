//! From runs to figures: medians with their spread, whether all wrote the same, and the goals as ratios.

use std::collections::BTreeMap;

use leadstream::pipeline::OutputTopic;
use serde_json::{Value, json};

use super::{contender::Contender, further::Further, ground::COMMIT_MS, ground::Ground, latency::Latency, throughput::Run};

/// The middle of several figures, and the ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of these.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let middle = f64::midpoint(at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2));
        Self { least: at(0), median: middle, most: at(sorted.len().saturating_sub(1)) }
    }

    /// All three.
    pub(crate) fn json(self) -> Value {
        json!({ "least": self.least, "median": self.median, "most": self.most })
    }
}

/// All that was measured of one contender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) runs: Vec<Run>,
    pub(crate) latency: Option<Latency>,
}

impl Measured {
    /// One figure over all rounds.
    pub(crate) fn over(&self, figure: impl Fn(&Run) -> f64) -> Spread {
        Spread::of(self.runs.iter().map(figure))
    }

    /// From the first lead committed to the last.
    pub(crate) fn leads_a_second(&self) -> Spread {
        self.over(|run| run.leads_a_second)
    }
}

/// Who did not write what leadstream's core says is written: records by topic of all; of those that decide, the same bytes; of
/// those that copy, about as many.
pub(crate) fn differences(ground: &Ground, measured: &BTreeMap<Contender, Measured>) -> Vec<String> {
    let expected = ground.template.sums(ground.options.leads);
    let topics = [OutputTopic::Qualified, OutputTopic::Routing, OutputTopic::Unqualified];
    let counts: Vec<(&str, u64)> =
        ["qualified", "routing", "unqualified"].into_iter().zip(topics.map(|topic| expected[topic as usize].0)).collect();
    let bytes: u64 = expected.iter().map(|(_, bytes)| bytes).sum();
    let decided = measured.iter().find(|(contender, _)| !contender.only_copies()).and_then(|(_, measured)| measured.runs.first());
    let mut found = Vec::new();
    for (contender, measured) in measured {
        for (round, run) in measured.runs.iter().enumerate() {
            let who = format!("{} in round {}", contender.name(), round + 1);
            if run.outputs.counts() != counts {
                found.push(format!("{who} wrote {:?} instead of {counts:?}", run.outputs.counts()));
            }
            let off = run.outputs.bytes() as f64 / bytes as f64 - 1.0;
            if off.abs() > 0.01 {
                found.push(format!("{who} wrote {:+.1} % of the bytes expected", 100.0 * off));
            }
            if let Some(decided) = decided.filter(|_| !contender.only_copies())
                && decided.outputs != run.outputs
            {
                found.push(format!("{who} wrote other bytes than the first that decided"));
            }
        }
    }
    found
}

/// What is told of one run.
pub(crate) type Figure = fn(&Run) -> f64;

/// A goal, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) wanted: String,
    pub(crate) found: String,
    pub(crate) reached: bool,
}

impl Goal {
    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({ "what": self.what, "goal": self.wanted, "found": self.found, "reached": self.reached })
    }
}

/// The goals for which there are figures. A ratio is taken of each round, of contenders that had their turns one after the
/// other; the median counts.
pub(crate) fn goals(measured: &BTreeMap<Contender, Measured>, further: Option<&Further>) -> Vec<Goal> {
    let ratio = |figure: Figure, of: Contender, to: Contender| {
        let (of, to) = (measured.get(&of)?, measured.get(&to)?);
        Some(Spread::of(of.runs.iter().zip(&to.runs).map(|(of, to)| figure(of) / figure(to))))
    };
    let cpu: Figure = |run| run.cpu_steady;
    let rate: Figure = |run| run.steady_leads_a_second;
    let broker: Figure = |run| run.broker;
    let shown = |ratio: Spread| format!("{:.2} × ({:.2}–{:.2})", ratio.median, ratio.least, ratio.most);
    let mut goals = Vec::new();
    let mut at_most = |what, most: f64, found: Option<Spread>| {
        goals.extend(found.map(|found| Goal { what, wanted: format!("≤ {most} ×"), found: shown(found), reached: found.median <= most }));
    };
    at_most("CPU of `run` to the sleeping pass-through", 1.5, ratio(cpu, Contender::Run, Contender::Sleeping));
    at_most("CPU of the pass-through by our own lane to the plain loop", 0.66, ratio(cpu, Contender::OwnLane, Contender::Plain));
    at_most("CPU of `run` to Kafka Streams, exactly once, warm", 0.6, ratio(cpu, Contender::Run, Contender::Streams));
    at_most("CPU of `run` to Python", 0.45, ratio(cpu, Contender::Run, Contender::Python));
    at_most("broker CPU of `run` to the sleeping pass-through", 1.1, ratio(broker, Contender::Run, Contender::Sleeping));
    let mut at_least = |what, least: f64, found: Option<Spread>| {
        goals.extend(found.map(|found| Goal { what, wanted: format!("≥ {least} ×"), found: shown(found), reached: found.median >= least }));
    };
    at_least("leads/s of `run` to the sleeping pass-through", 0.65, ratio(rate, Contender::Run, Contender::Sleeping));
    at_least("leads/s of `run` exactly once to its own at least once", 0.9, ratio(rate, Contender::Run, Contender::RunAlo));
    if let Some(run) = measured.get(&Contender::Run) {
        // 60 CPU-seconds a million, measured once on a machine like this; not rebuilt here.
        let cpu = run.over(cpu).median / 60.0;
        let found = format!("1/{:.1}", 1.0 / cpu);
        goals.push(Goal { what: "CPU of `run` to Redpanda Connect's 60 s/M", wanted: "≤ 1/8".to_owned(), found, reached: cpu <= 0.125 });
        if let Some(latency) = &run.latency {
            let most = COMMIT_MS as f64 + 20.0;
            let found = format!("{:.0} ms", latency.p99);
            let wanted = format!("≤ {most:.0} ms");
            goals.push(Goal { what: "event → visible of `run` at half load, p99", wanted, found, reached: latency.p99 <= most });
        }
    }
    if let Some(further) = further {
        let found = format!("{:.0} MiB", further.memory);
        goals.push(Goal { what: "memory at 64 partitions", wanted: "≤ 128 MiB".to_owned(), found, reached: further.memory <= 128.0 });
        let start = further.start;
        let found = format!("{:.2} s ({:.2}–{:.2})", start.median, start.least, start.most);
        let what = "start to first lead committed, tables of 1 M accounts";
        goals.push(Goal { what, wanted: "≤ 3 s".to_owned(), found, reached: start.median <= 3.0 });
    }
    goals
}

//! What a storm found, as one line of JSON, and whether that is good.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::oracle::Findings;

/// All of one or more storms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) storms: u64,
    pub(crate) seconds: u64,
    pub(crate) processes_started: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) left_out: u64,
    pub(crate) network: BTreeMap<String, u64>,
    pub(crate) recycles: BTreeMap<String, u64>,
    pub(crate) reloads: BTreeMap<String, u64>,
    pub(crate) findings: Findings,
    pub(crate) open_transactions: u64,
    /// What the brokers forgot to end.
    pub(crate) hanging: Vec<String>,
    pub(crate) metrics_wrong: Vec<String>,
    /// What `leadstream verify` finds, with the raw records and by the ledger alone.
    pub(crate) unverified: Vec<String>,
    pub(crate) deaths: Vec<String>,
    /// From calm to the last decision, the longest of all storms; none where it did not come in time.
    pub(crate) drained: Option<Duration>,
    pub(crate) never_drained: u64,
    pub(crate) recoveries: BTreeMap<&'static str, Vec<Duration>>,
    pub(crate) peak_mib: u64,
}

fn add<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += count;
    }
}

impl Figures {
    /// Puts another storm's to these.
    pub(crate) fn add(&mut self, other: &Self) {
        self.storms += other.storms;
        self.seconds += other.seconds;
        self.processes_started += other.processes_started;
        add(&mut self.faults, &other.faults);
        self.left_out += other.left_out;
        add(&mut self.network, &other.network);
        add(&mut self.recycles, &other.recycles);
        add(&mut self.reloads, &other.reloads);
        let (sum, more) = (&mut self.findings, &other.findings);
        sum.obligations += more.obligations;
        sum.outputs += more.outputs;
        sum.lost += more.lost;
        sum.duplicated += more.duplicated;
        sum.wrong += more.wrong;
        sum.reordered += more.reordered;
        sum.scattered += more.scattered;
        sum.invented += more.invented;
        sum.altered += more.altered;
        sum.told.extend(more.told.iter().cloned());
        sum.positions.extend(&more.positions);
        self.open_transactions += other.open_transactions;
        self.hanging.extend(other.hanging.iter().cloned());
        self.metrics_wrong.extend(other.metrics_wrong.iter().cloned());
        self.unverified.extend(other.unverified.iter().cloned());
        self.deaths.extend(other.deaths.iter().cloned());
        self.drained = self.drained.max(other.drained);
        self.never_drained += other.never_drained;
        for (name, times) in &other.recoveries {
            self.recoveries.entry(name).or_default().extend(times);
        }
        self.peak_mib = self.peak_mib.max(other.peak_mib);
    }

    /// Whether every promise was kept, with memory within `mib`.
    pub(crate) fn held(&self, mib: u64) -> bool {
        self.findings.are_none()
            && self.findings.obligations > 0
            && self.open_transactions == 0
            && self.hanging.is_empty()
            && self.metrics_wrong.is_empty()
            && self.unverified.is_empty()
            && self.deaths.is_empty()
            && self.never_drained == 0
            && self.peak_mib <= mib
    }

    /// One line.
    pub(crate) fn line(&self, seed: u64, setting: &str, mib: u64) -> String {
        let seconds = |time: Duration| (time.as_secs_f64() * 100.0).round() / 100.0;
        let recoveries: BTreeMap<_, _> = self
            .recoveries
            .iter()
            .map(|(name, times)| {
                let mut times = times.clone();
                times.sort();
                (
                    *name,
                    json!({"count": times.len(), "p50": seconds(times[times.len() / 2]), "max": times.last().map(|time| seconds(*time))}),
                )
            })
            .collect();
        let findings = &self.findings;
        let line: Value = json!({
            "held": self.held(mib), "seed": seed, "setting": setting, "storms": self.storms, "seconds": self.seconds,
            "processes_started": self.processes_started, "faults": self.faults, "left_out": self.left_out, "network": self.network,
            "producer_recycles": self.recycles, "ruleset_reloads": self.reloads, "obligations": findings.obligations, "outputs": findings.outputs,
            "lost": findings.lost, "duplicated": findings.duplicated, "wrong": findings.wrong, "reordered": findings.reordered,
            "scattered": findings.scattered, "invented": findings.invented, "altered": findings.altered,
            "open_transactions": self.open_transactions, "hanging_by_broker": self.hanging.len(), "metrics_wrong": self.metrics_wrong.len(),
            "unverified": self.unverified.len(), "deaths": self.deaths.len(),
            "drained_seconds": self.drained.map(seconds), "never_drained": self.never_drained,
            "recovery_seconds": recoveries, "peak_mib": self.peak_mib,
        });
        line.to_string()
    }

    /// What went wrong, for a person.
    pub(crate) fn complaints(&self) -> Vec<String> {
        [&self.findings.told, &self.hanging, &self.metrics_wrong, &self.unverified, &self.deaths].into_iter().flatten().cloned().collect()
    }
}

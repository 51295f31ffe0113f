//! What /proc tells of the process that is looked at, every two seconds.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use super::{
    load::{Clock, Load},
    machine, process,
    waiting::{Enough, let_pass},
};

/// Between two samples.
const PAUSE: Duration = Duration::from_secs(2);

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Seconds since the load began.
    pub(crate) at: f64,
    /// Memory in use, MiB; and of it what is the process's own.
    pub(crate) resident: f64,
    pub(crate) anonymous: f64,
    pub(crate) handles: f64,
    pub(crate) threads: f64,
    /// CPU-seconds since its start.
    pub(crate) cpu: f64,
    pub(crate) decided: u64,
    /// Leads that are sent and not decided.
    pub(crate) behind: u64,
    /// How busy the machine was over the last minute, in cores.
    pub(crate) busy: f64,
}

impl Sample {
    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let Self { at, resident, anonymous, handles, threads, cpu, decided, behind, busy } = self;
        json!({
            "at": at, "rss_mib": resident, "anonymous_mib": anonymous, "handles": handles, "threads": threads, "cpu_seconds": cpu,
            "decided": decided, "behind": behind, "load_average": busy,
        })
    }
}

/// Looks until it is enough.
pub(crate) fn taken(id: u32, load: &Load<'_>, clock: Clock, enough: &Enough) -> Vec<Sample> {
    let mut samples = Vec::new();
    while !enough.said() {
        let of = |name| told(id, name);
        let decided = load.decided();
        samples.push(Sample {
            at: clock.at(),
            resident: of("VmRSS:") / 1024.0,
            anonymous: of("RssAnon:") / 1024.0,
            handles: fs::read_dir(format!("/proc/{id}/fd")).map_or(f64::NAN, |handles| handles.count() as f64),
            threads: of("Threads:"),
            cpu: process::cpu(id),
            decided,
            behind: load.sent().saturating_sub(decided),
            busy: machine::load(),
        });
        let_pass(PAUSE);
    }
    samples
}

/// Memory in use, MiB.
pub(crate) fn memory(id: u32) -> f64 {
    told(id, "VmRSS:") / 1024.0
}

/// A number of a process's `status`; NaN: there is no such process.
fn told(id: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
}

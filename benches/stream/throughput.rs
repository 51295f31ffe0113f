//! One contender over all leads: its group's committed offsets and its CPU time are looked at as it goes, and what it wrote is
//! counted after.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    clients::Group,
    contender::Contender,
    ground::{Ground, Stage},
    outputs::{self, Outputs},
    process::{self, Running},
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The part of the leads over which the steady figures are taken: a JVM has compiled by its begin, and nobody waits for a rest
/// before its end.
const STEADY: (f64, f64) = (0.5, 0.95);
/// Nobody takes so long for one more lead.
const STUCK: Duration = Duration::from_mins(1);

/// A look at a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    seconds: f64,
    done: u64,
    client: f64,
    broker: f64,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// From the start of the process to the first leads committed.
    pub(crate) start_seconds: f64,
    /// From there to the last.
    pub(crate) leads_a_second: f64,
    pub(crate) steady_leads_a_second: f64,
    /// CPU-seconds a million leads of the process: from its start; without its start; of the steady part.
    pub(crate) cpu_whole: f64,
    pub(crate) cpu_without_start: f64,
    pub(crate) cpu_steady: f64,
    /// CPU-seconds a million leads of the broker.
    pub(crate) broker: f64,
    /// The most memory it had, MiB.
    pub(crate) memory: f64,
    pub(crate) outputs: Outputs,
    /// CPU-seconds a million leads of each tenth of the run, for whoever wants to see a JVM warm up.
    pub(crate) tenths: Vec<f64>,
}

impl Run {
    /// For a person who waits.
    pub(crate) fn line(&self, contender: Contender) -> String {
        format!(
            "{:<12} {:>7.0} leads/s ({:.0} steady), {:.1} CPU s/M ({:.1} whole), broker {:.1}, {:.0} MiB, {} records",
            contender.name(),
            self.leads_a_second,
            self.steady_leads_a_second,
            self.cpu_steady,
            self.cpu_whole,
            self.broker,
            self.memory,
            self.outputs.records(),
        )
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "start_seconds": self.start_seconds,
            "leads_a_second": self.leads_a_second,
            "steady_leads_a_second": self.steady_leads_a_second,
            "cpu_seconds_a_million": self.cpu_whole,
            "cpu_seconds_a_million_without_start": self.cpu_without_start,
            "cpu_seconds_a_million_steady": self.cpu_steady,
            "broker_cpu_seconds_a_million": self.broker,
            "memory_mib": self.memory,
            "cpu_seconds_a_million_by_tenth": self.tenths,
            "outputs": self.outputs.json(),
        })
    }
}

/// Has a contender decide all leads.
pub(crate) fn run(ground: &Ground, contender: Contender) -> Run {
    let stage = ground.stage();
    let mut running = ground.start(contender, &stage);
    let looks = looks(ground, &stage, &mut running, ground.options.leads);
    let memory = process::peak_memory(running.id());
    running.stop();
    let outputs = outputs::read(ground.brokers(), &stage);
    ground.clear(&stage);
    summed(&looks, ground.options.leads, memory, outputs)
}

/// Looks until so many leads are committed.
pub(crate) fn looks(ground: &Ground, stage: &Stage, running: &mut Running, leads: u64) -> Vec<Look> {
    let group = Group::of(ground.brokers(), stage.group(), &stage.raw);
    let started = Instant::now();
    let mut looks: Vec<Look> = Vec::new();
    let mut moved = started;
    loop {
        let done = group.done().unsigned_abs();
        let (seconds, client, broker) = (started.elapsed().as_secs_f64(), process::cpu(running.id()), ground.broker_cpu());
        if looks.last().is_none_or(|last| last.done < done) {
            moved = Instant::now();
        }
        looks.push(Look { seconds, done, client, broker });
        if done >= leads {
            return looks;
        }
        running.assert_runs();
        assert!(moved.elapsed() < STUCK, "no lead for {STUCK:?}; {done} are committed; {}", stage.folder().display());
        thread::sleep(LOOK);
    }
}

/// The time of the last look before anything was committed.
pub(crate) fn begun(looks: &[Look]) -> Look {
    let first = looks.iter().position(|look| look.done > 0).unwrap_or(looks.len() - 1);
    looks[first.saturating_sub(1)]
}

fn summed(looks: &[Look], leads: u64, memory: f64, outputs: Outputs) -> Run {
    let (begin, end) = (begun(looks), *looks.last().expect("one look at least"));
    let at = |share: f64| *looks.iter().find(|look| look.done as f64 >= share * leads as f64).unwrap_or(&end);
    let (from, to) = (at(STEADY.0), at(STEADY.1));
    let a_million = |cpu: f64, leads: u64| cpu * 1e6 / (leads.max(1) as f64);
    let rate = |from: Look, to: Look| (to.done - from.done) as f64 / (to.seconds - from.seconds).max(1e-3);
    let mut tenths = Vec::new();
    for tenth in 1..=10 {
        let (from, to) = (if tenth == 1 { begin } else { at(f64::from(tenth - 1) / 10.0) }, at(f64::from(tenth) / 10.0));
        tenths.push(a_million(to.client - from.client, to.done - from.done));
    }
    Run {
        start_seconds: begin.seconds,
        leads_a_second: rate(begin, end),
        steady_leads_a_second: rate(from, to),
        cpu_whole: a_million(end.client, leads),
        cpu_without_start: a_million(end.client - begin.client, leads),
        cpu_steady: a_million(to.client - from.client, to.done - from.done),
        broker: a_million(end.broker - begin.broker, leads),
        memory,
        outputs,
        tenths,
    }
}

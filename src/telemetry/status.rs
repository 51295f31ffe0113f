//! What a person or a probe may ask of a running process: alive, ready, and where each lane stands. Lanes tell, HTTP reads;
//! nothing is decided here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    io::{Abort, LaneEvent, Tally},
    lead::{Partition, Timestamp, Verdict},
    pipeline::OutputTopic,
};

/// A lane that has not come round for this long is stuck. Longer than the longest single wait of a commit.
pub const STUCK: Duration = Duration::from_secs(120);

/// Totals since the start, of committed batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records with a committed outcome.
    pub records: u64,
    /// Leads that qualified.
    pub qualified: u64,
    /// Leads that did not.
    pub unqualified: u64,
    /// Routing events.
    pub routed: u64,
    /// Dead letters.
    pub dead_letters: u64,
}

/// The state of one process.
#[derive(Debug)]
pub struct Status {
    ruleset: [String; 3],
    started: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<LaneState>,
    broker: Option<Result<(), String>>,
    stopping: bool,
    counts: Counts,
}

#[derive(Debug)]
struct LaneState {
    round: Instant,
    joined: bool,
    partitions: BTreeMap<Partition, Option<(i64, i64)>>,
    last_commit: Option<Timestamp>,
    last_error: Option<(Timestamp, String)>,
}

impl Status {
    /// Nothing runs yet; the ruleset is given as name, version and hash.
    #[must_use]
    pub fn new(ruleset: [String; 3], now: Timestamp) -> Self {
        Self { ruleset, started: now, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, lane: usize, change: impl FnOnce(&mut LaneState)) {
        if let Some(lane) = self.state().lanes.get_mut(lane) {
            change(lane);
        }
    }

    /// A lane begins; lanes are numbered in the order they are added.
    pub fn add_lane(&self) {
        let lane = LaneState { round: Instant::now(), joined: false, partitions: BTreeMap::new(), last_commit: None, last_error: None };
        self.state().lanes.push(lane);
    }

    /// The lane's loop came round.
    pub fn round(&self, lane: usize) {
        self.lane(lane, |lane| lane.round = Instant::now());
    }

    /// A batch of the lane became visible.
    pub fn committed(&self, lane: usize, tally: &Tally, now: Timestamp) {
        let mut state = self.state();
        let counts = &mut state.counts;
        counts.records += tally.records.total();
        for ((_, _, verdict), leads) in tally.leads.iter() {
            match verdict {
                Verdict::Qualified => counts.qualified += leads,
                Verdict::Unqualified => counts.unqualified += leads,
            }
        }
        counts.dead_letters += tally.dead_letters.total();
        counts.routed += tally.events.iter().find(|(topic, _)| **topic == OutputTopic::Routing).map_or(0, |(_, count)| count);
        if let Some(lane) = state.lanes.get_mut(lane) {
            lane.last_commit = Some(now);
        }
    }

    /// A batch of the lane was taken back.
    pub fn aborted(&self, lane: usize, abort: &Abort, now: Timestamp) {
        self.lane(lane, |lane| lane.last_error = Some((now, format!("{}: {}", abort.reason, abort.detail))));
    }

    /// The lane told something of itself.
    pub fn happened(&self, lane: usize, event: LaneEvent<'_>) {
        match event {
            LaneEvent::DependencyUp => self.state().broker = Some(Ok(())),
            LaneEvent::DependencyDown(why) => self.state().broker = Some(Err(why.to_owned())),
            LaneEvent::Recycled(_) => {}
            LaneEvent::Assigned(partitions) => self.lane(lane, |lane| {
                lane.joined = true;
                lane.partitions.extend(partitions.iter().map(|partition| (partition.clone(), None)));
            }),
            LaneEvent::Revoked(partitions) | LaneEvent::Lost(partitions) => {
                self.lane(lane, |lane| lane.partitions.retain(|known, _| !partitions.contains(known)));
            }
            LaneEvent::Lag { partition, next, end, .. } => self.lane(lane, |lane| {
                if let Some(known) = lane.partitions.get_mut(partition) {
                    *known = Some((next, end));
                }
            }),
        }
    }

    /// The broker answers, or why it does not.
    pub fn broker(&self, answer: Result<(), &str>) {
        self.state().broker = Some(answer.map_err(str::to_owned));
    }

    /// The process is on its way out: no longer ready.
    pub fn stopping(&self) {
        self.state().stopping = true;
    }

    /// Totals since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Lanes that are stuck, by number; none: alive.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Vec<usize> {
        let state = self.state();
        let is_stuck = |lane: &LaneState| now.saturating_duration_since(lane.round) > STUCK;
        state.lanes.iter().enumerate().filter(|(_, lane)| is_stuck(lane)).map(|(number, _)| number).collect()
    }

    /// What is still missing; nothing: ready.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let state = self.state();
        let mut missing = Vec::new();
        if state.stopping {
            missing.push("stopping".to_owned());
        }
        match &state.broker {
            None => missing.push("the broker has not answered yet".to_owned()),
            Some(Err(why)) => missing.push(format!("the broker does not answer: {why}")),
            Some(Ok(())) => {}
        }
        if state.lanes.is_empty() {
            missing.push("no lane has started yet".to_owned());
        }
        for (number, lane) in state.lanes.iter().enumerate().filter(|(_, lane)| !lane.joined) {
            let _ = lane;
            missing.push(format!("lane {number} has not joined the group yet"));
        }
        missing
    }

    /// Everything, for `/status`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let missing = self.missing();
        let stuck = self.stuck(Instant::now());
        let state = self.state();
        let lanes: Vec<_> = state.lanes.iter().enumerate().map(|(number, lane)| lane.to_json(number, stuck.contains(&number))).collect();
        let broker = match &state.broker {
            None => json!({ "state": "unknown" }),
            Some(Ok(())) => json!({ "state": "up" }),
            Some(Err(why)) => json!({ "state": "down", "reason": why }),
        };
        let [name, version, hash] = &self.ruleset;
        let counts = state.counts;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started,
            "ready": missing.is_empty(),
            "missing": missing,
            "broker": broker,
            "ruleset": { "name": name, "version": version, "hash": hash },
            "counts": {
                "records": counts.records, "qualified": counts.qualified, "unqualified": counts.unqualified,
                "routed": counts.routed, "dead_letters": counts.dead_letters,
            },
            "lanes": lanes,
        })
    }
}

impl LaneState {
    fn to_json(&self, number: usize, stuck: bool) -> Value {
        let partitions: Vec<_> = self
            .partitions
            .iter()
            .map(|(partition, place)| {
                json!({
                    "topic": &*partition.topic, "partition": partition.number,
                    "next_offset": place.map(|(next, _)| next), "end_offset": place.map(|(_, end)| end),
                    "lag": place.map(|(next, end)| (end - next).max(0)),
                })
            })
            .collect();
        let word = match (stuck, self.joined, self.partitions.is_empty()) {
            (true, ..) => "stuck",
            (_, false, _) => "joining",
            (_, true, true) => "waiting for partitions",
            (_, true, false) => "running",
        };
        json!({
            "lane": number, "state": word, "partitions": partitions, "last_commit": self.last_commit,
            "last_error": self.last_error.as_ref().map(|(at, text)| json!({ "at": at, "error": text })),
        })
    }
}

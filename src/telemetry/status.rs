//! What a person or a probe may ask of a running process: alive, ready, and where each lane stands. Lanes tell, HTTP reads;
//! nothing is decided here.

mod totals;
mod trials;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    io::{Abort, Cause, HaltReason, Judged, LaneEvent, Tally},
    lead::{Partition, Timestamp, Verdict, Vocabulary},
    pipeline::OutputTopic,
    telemetry::{LaneState, ShownTrials},
};
use totals::Totals;
use trials::TrialStatus;

/// A lane that has not come round for this long is stuck. While a broker is away a lane may rightly wait, in one round, for
/// deliveries (20 s), for the consumed offsets or the commit (100 s) and for the abort (110 s); a probe must not have the
/// process killed for that, since a new one would wait for the same broker.
pub const STUCK: Duration = Duration::from_mins(5);

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
    /// Records without exactly one outcome, and outcomes without exactly their outputs: must be 0.
    pub unaccounted: u64,
}

impl Counts {
    /// Leads decided.
    #[must_use]
    pub fn leads(&self) -> u64 {
        self.qualified + self.unqualified
    }
}

/// The state of one process.
#[derive(Debug)]
pub struct Status {
    started: Timestamp,
    stuck_after: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<LaneStanding>,
    broker: Option<Result<(), String>>,
    registry: Option<RegistryState>,
    stopping: bool,
    counts: Counts,
    /// Name, version and hash.
    ruleset: [String; 3],
    /// Why changed rules are not in use; by what they are.
    refused: BTreeMap<String, String>,
    trials: TrialStatus,
    totals: Totals,
}

/// How far a partition has come.
#[derive(Clone, Copy, Debug)]
struct Place {
    next: i64,
    end: i64,
    seconds: f64,
}

/// So many batches taken back in a row are no hiccup: nothing gets through.
const IN_VAIN: u32 = 3;

#[derive(Debug)]
struct LaneStanding {
    round: Instant,
    joined: bool,
    partitions: BTreeMap<Partition, Option<Place>>,
    /// Partitions that stand still, and why.
    halted_partitions: BTreeMap<Partition, String>,
    /// Why the whole lane stands still.
    halted: Option<String>,
    last_commit: Option<Timestamp>,
    last_error: Option<(Timestamp, String)>,
    /// Batches taken back since the last that was committed, for another reason than a change of the group.
    in_vain: u32,
}

impl Status {
    /// Nothing runs yet; the ruleset is given as name, version and hash.
    #[must_use]
    pub fn new(ruleset: [String; 3], now: Timestamp) -> Self {
        Self { started: now, stuck_after: STUCK, state: Mutex::new(State { ruleset, ..State::default() }) }
    }

    /// Calls a lane stuck after another time than [`STUCK`].
    #[must_use]
    pub fn stuck_after(mut self, time: Duration) -> Self {
        self.stuck_after = time;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, lane: usize, change: impl FnOnce(&mut LaneStanding)) {
        if let Some(lane) = self.state().lanes.get_mut(lane) {
            change(lane);
        }
    }

    /// A lane begins; lanes are numbered in the order they are added.
    pub fn add_lane(&self) {
        self.state().lanes.push(LaneStanding {
            round: Instant::now(),
            joined: false,
            partitions: BTreeMap::new(),
            halted_partitions: BTreeMap::new(),
            halted: None,
            last_commit: None,
            last_error: None,
            in_vain: 0,
        });
    }

    /// The lane's loop came round.
    pub fn round(&self, lane: usize) {
        self.lane(lane, |lane| lane.round = Instant::now());
    }

    /// A batch of the lane became visible.
    pub fn committed(&self, lane: usize, tally: &Tally, now: Timestamp) {
        let mut state = self.state();
        let before = state.counts;
        state.totals.committed(tally, before, now);
        let counts = &mut state.counts;
        counts.records += tally.records.total();
        for ((_, _, verdict), leads) in tally.leads.iter() {
            match verdict {
                Verdict::Qualified => counts.qualified += leads,
                Verdict::Unqualified => counts.unqualified += leads,
            }
        }
        counts.dead_letters += tally.dead_letters.total();
        counts.unaccounted += tally.unaccounted();
        state.trials.committed(&tally.shadows);
        let counts = &mut state.counts;
        counts.routed += tally.events.iter().find(|(topic, _)| **topic == OutputTopic::Routing).map_or(0, |(_, count)| count);
        if let Some(lane) = state.lanes.get_mut(lane) {
            lane.last_commit = Some(now);
            lane.in_vain = 0;
        }
    }

    /// A batch of the lane was taken back.
    pub fn aborted(&self, lane: usize, abort: &Abort, now: Timestamp) {
        self.lane(lane, |lane| {
            lane.in_vain += u32::from(abort.reason != Cause::Rebalance);
            lane.last_error = Some((now, format!("{}: {}", abort.reason, abort.detail)));
        });
    }

    /// The lane told something of itself.
    pub fn happened(&self, lane: usize, event: LaneEvent<'_>) {
        match event {
            LaneEvent::Recycled(_) | LaneEvent::Skipped { .. } => {}
            LaneEvent::Assigned(partitions) => self.lane(lane, |lane| {
                lane.joined = true;
                lane.partitions.extend(partitions.iter().map(|partition| (partition.clone(), None)));
            }),
            LaneEvent::Revoked(partitions) | LaneEvent::Lost(partitions) => self.lane(lane, |lane| {
                // The group has given this member up: it joins anew, and is told so by its next assignment.
                lane.joined &= !matches!(event, LaneEvent::Lost(_));
                lane.in_vain = 0;
                lane.partitions.retain(|known, _| !partitions.contains(known));
                lane.halted_partitions.retain(|known, _| !partitions.contains(known));
            }),
            LaneEvent::Halted { partitions, reason, why } => self.lane(lane, |lane| match reason {
                HaltReason::LostPosition => {
                    lane.halted_partitions.extend(partitions.iter().map(|partition| (partition.clone(), why.to_owned())));
                }
                HaltReason::DeadLetters => lane.halted = Some(why.to_owned()),
            }),
            LaneEvent::Lag { partition, next, end, seconds } => self.lane(lane, |lane| {
                if let Some(known) = lane.partitions.get_mut(partition) {
                    *known = Some(Place { next, end, seconds });
                }
            }),
        }
    }

    /// The broker answers, or why it does not.
    pub fn broker(&self, answer: Result<(), &str>) {
        self.state().broker = Some(answer.map_err(str::to_owned));
    }

    /// The schema registry answers, or why it does not; `needed`: records wait for it.
    pub fn registry(&self, answer: Result<(), &str>, needed: bool) {
        self.state().registry = Some(RegistryState { answer: answer.map_err(str::to_owned), needed });
    }

    /// The rules in use, by name, version and hash.
    pub fn ruleset(&self, ruleset: [String; 3]) {
        self.state().ruleset = ruleset;
    }

    /// Changed rules are not in use, and why; `what` says which, such as "rules". Tells how many there are.
    pub fn rules_refused(&self, what: &str, why: String) -> usize {
        let mut state = self.state();
        state.refused.insert(what.to_owned(), why);
        state.refused.len()
    }

    /// Changed rules are in use, or again as they were. Tells how many are not.
    pub fn rules_accepted(&self, what: &str) -> usize {
        let mut state = self.state();
        state.refused.remove(what);
        state.refused.len()
    }

    /// The rulesets on trial from now on.
    pub fn trials(&self, trials: ShownTrials) {
        self.state().trials.set(trials);
    }

    /// What the live ruleset and the canary have decided since they are compared.
    pub fn compared(&self, live: Judged, canary: Judged) {
        self.state().trials.compared(live, canary);
    }

    /// What a person should look at, though leads are decided.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let state = self.state();
        let refused = state.refused.iter().map(|(what, why)| format!("changed {what} are refused, the old ones are in use: {why}"));
        refused.chain(state.trials.warning()).collect()
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

    /// Partitions that stand still while their lanes go on, and why.
    #[must_use]
    pub fn halted_partitions(&self) -> BTreeMap<Partition, String> {
        self.state().lanes.iter().flat_map(|lane| lane.halted_partitions.clone()).collect()
    }

    /// Lanes that are stuck, by number; none: alive.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Vec<usize> {
        let state = self.state();
        let is_stuck = |lane: &LaneStanding| now.saturating_duration_since(lane.round) > self.stuck_after;
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
        // While nobody needs the registry, leads are decided without it.
        if let Some(RegistryState { answer: Err(why), needed }) = &state.registry
            && (*needed || state.lanes.is_empty())
        {
            missing.push(format!("the schema registry does not answer: {why}"));
        }
        if state.lanes.is_empty() {
            missing.push("no lane has started yet".to_owned());
        }
        for (number, _) in state.lanes.iter().enumerate().filter(|(_, lane)| !lane.joined) {
            missing.push(format!("lane {number} has not joined the group yet"));
        }
        for (number, lane) in state.lanes.iter().enumerate() {
            missing.extend(lane.halted.iter().map(|why| format!("lane {number} has halted: {why}")));
            missing.extend(lane.halted_partitions.values().cloned());
            if let Some((_, why)) = lane.last_error.as_ref().filter(|_| lane.in_vain >= IN_VAIN) {
                missing.push(format!("lane {number} takes every batch back: {why}"));
            }
        }
        missing
    }

    /// Where each lane stands, as of `now`.
    #[must_use]
    pub fn lanes(&self, now: Instant) -> Vec<LaneState> {
        let stuck = self.stuck(now);
        self.state().lanes.iter().enumerate().map(|(number, lane)| lane.state(stuck.contains(&number))).collect()
    }

    /// Everything, for `/status`; lanes are judged as of `now`.
    #[must_use]
    pub fn to_json(&self, now: Instant) -> Value {
        let missing = self.missing();
        let (stuck, warnings) = (self.stuck(now), self.warnings());
        let state = self.state();
        let lanes: Vec<_> = state.lanes.iter().enumerate().map(|(number, lane)| lane.to_json(number, stuck.contains(&number))).collect();
        let broker = match &state.broker {
            None => json!({ "state": "unknown" }),
            Some(Ok(())) => json!({ "state": "up" }),
            Some(Err(why)) => json!({ "state": "down", "reason": why }),
        };
        let registry = match &state.registry {
            None => json!({ "state": "unknown" }),
            Some(RegistryState { answer: Ok(()), .. }) => json!({ "state": "up" }),
            Some(RegistryState { answer: Err(why), needed }) => json!({ "state": "down", "reason": why, "needed": needed }),
        };
        let [name, version, hash] = &state.ruleset;
        let counts = state.counts;
        let mut shown = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "revision": option_env!("LEADSTREAM_REVISION").unwrap_or("unknown"),
            "started": self.started,
            "ready": missing.is_empty(),
            "missing": missing,
            "warnings": warnings,
            "broker": broker,
            "registry": registry,
            "ruleset": { "name": name, "version": version, "hash": hash },
            "canary": state.trials.canary(),
            "shadows": state.trials.shadows(),
            "counts": {
                "records": counts.records, "leads": counts.leads(), "qualified": counts.qualified,
                "unqualified": counts.unqualified, "routed": counts.routed, "dead_letters": counts.dead_letters,
                "unaccounted": counts.unaccounted,
            },
            "lanes": lanes,
        });
        state.totals.show(&mut shown);
        shown
    }

    /// How it went over the last half hour: totals since the start, every few seconds, up to `now`.
    #[must_use]
    pub fn history(&self, now: Timestamp) -> Value {
        let mut state = self.state();
        let counts = state.counts;
        state.totals.sample(counts, now);
        state.totals.history()
    }
}

/// What is known of the schema registry.
#[derive(Clone, Debug)]
struct RegistryState {
    answer: Result<(), String>,
    needed: bool,
}

impl LaneStanding {
    fn state(&self, stuck: bool) -> LaneState {
        match (stuck, self.joined, self.partitions.is_empty()) {
            (true, ..) => LaneState::Stuck,
            _ if self.halted.is_some() => LaneState::Halted,
            (_, false, _) => LaneState::Joining,
            (_, true, true) => LaneState::Waiting,
            (_, true, false) => LaneState::Running,
        }
    }

    fn to_json(&self, number: usize, stuck: bool) -> Value {
        let partitions: Vec<_> = self
            .partitions
            .iter()
            .map(|(partition, place)| {
                json!({
                    "topic": &*partition.topic, "partition": partition.number,
                    "next_offset": place.map(|place| place.next), "end_offset": place.map(|place| place.end),
                    "lag_records": place.map(|place| (place.end - place.next).max(0)),
                    "lag_seconds": place.map(|place| place.seconds),
                    "halted": self.halted_partitions.get(partition),
                })
            })
            .collect();
        let word = match self.state(stuck) {
            LaneState::Waiting => "waiting for partitions",
            state => state.name(),
        };
        json!({
            "lane": number, "state": word, "halted": self.halted, "partitions": partitions, "last_commit": self.last_commit,
            "last_error": self.last_error.as_ref().map(|(at, text)| json!({ "at": at, "error": text })),
        })
    }
}

#[cfg(test)]
mod tests;

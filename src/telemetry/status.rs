//! What a person or a probe may ask of a running process: alive, ready, and where each lane stands. Lanes tell, HTTP reads;
//! nothing is decided here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    io::{Abort, HaltReason, LaneEvent, Tally},
    lead::{Partition, Timestamp, Verdict},
    pipeline::OutputTopic,
};

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
    lanes: Vec<LaneState>,
    broker: Option<Result<(), String>>,
    registry: Option<RegistryState>,
    stopping: bool,
    counts: Counts,
    /// Name, version and hash.
    ruleset: [String; 3],
    /// Why changed rules are not in use.
    refused: Option<String>,
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
struct LaneState {
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

    fn lane(&self, lane: usize, change: impl FnOnce(&mut LaneState)) {
        if let Some(lane) = self.state().lanes.get_mut(lane) {
            change(lane);
        }
    }

    /// A lane begins; lanes are numbered in the order they are added.
    pub fn add_lane(&self) {
        self.state().lanes.push(LaneState {
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
            lane.in_vain = 0;
        }
    }

    /// A batch of the lane was taken back.
    pub fn aborted(&self, lane: usize, abort: &Abort, now: Timestamp) {
        self.lane(lane, |lane| {
            lane.in_vain += u32::from(abort.reason != "rebalance");
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

    /// The rules in use, by name, version and hash; whatever was refused before is forgotten.
    pub fn ruleset(&self, ruleset: [String; 3]) {
        let mut state = self.state();
        (state.ruleset, state.refused) = (ruleset, None);
    }

    /// Changed rules are not in use, and why; or they are again as they were.
    pub fn rules_refused(&self, why: Option<String>) {
        self.state().refused = why;
    }

    /// What a person should look at, though leads are decided.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.state().refused.iter().map(|why| format!("changed rules are refused, the old ones are in use: {why}")).collect()
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
        let is_stuck = |lane: &LaneState| now.saturating_duration_since(lane.round) > self.stuck_after;
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
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started,
            "ready": missing.is_empty(),
            "missing": missing,
            "warnings": warnings,
            "broker": broker,
            "registry": registry,
            "ruleset": { "name": name, "version": version, "hash": hash },
            "counts": {
                "records": counts.records, "leads": counts.leads(), "qualified": counts.qualified,
                "unqualified": counts.unqualified, "routed": counts.routed, "dead_letters": counts.dead_letters,
            },
            "lanes": lanes,
        })
    }
}

/// What is known of the schema registry.
#[derive(Clone, Debug)]
struct RegistryState {
    answer: Result<(), String>,
    needed: bool,
}

impl LaneState {
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
        let word = match (stuck, self.joined, self.partitions.is_empty()) {
            (true, ..) => "stuck",
            _ if self.halted.is_some() => "halted",
            (_, false, _) => "joining",
            (_, true, true) => "waiting for partitions",
            (_, true, false) => "running",
        };
        json!({
            "lane": number, "state": word, "halted": self.halted, "partitions": partitions, "last_commit": self.last_commit,
            "last_error": self.last_error.as_ref().map(|(at, text)| json!({ "at": at, "error": text })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::DeadLetterCode;

    fn partition(number: i32) -> Partition {
        Partition { topic: "leads.raw".into(), number }
    }

    fn status() -> Status {
        let status = Status::new(["default".to_owned(), "1".to_owned(), "ab".repeat(32)], Timestamp::from_millis(0));
        status.add_lane();
        status.add_lane();
        status
    }

    #[test]
    fn a_lane_that_takes_every_batch_back_is_not_ready_until_one_goes_through() {
        let status = Status::new(["r".to_owned(), "1".to_owned(), "h".to_owned()], Timestamp::from_micros(0));
        status.broker(Ok(()));
        status.add_lane();
        status.happened(0, LaneEvent::Assigned(&[]));
        let abort = |reason| Abort { reason, detail: "why".to_owned(), too_large: Vec::new(), limits: None };
        for _ in 0..9 {
            status.aborted(0, &abort("rebalance"), Timestamp::from_micros(1));
        }
        assert_eq!(status.missing(), [""; 0]);
        for _ in 0..IN_VAIN {
            status.aborted(0, &abort("missing_topic"), Timestamp::from_micros(1));
        }
        assert_eq!(status.missing(), ["lane 0 takes every batch back: missing_topic: why"]);
        status.committed(0, &Tally::default(), Timestamp::from_micros(2));
        assert_eq!(status.missing(), [""; 0]);
    }

    #[test]
    fn a_process_is_ready_once_the_broker_answers_and_every_lane_has_joined() {
        let status = status();
        assert_eq!(status.missing().len(), 3, "{:?}", status.missing());
        status.broker(Ok(()));
        status.happened(0, LaneEvent::Assigned(&[partition(0)]));
        assert_eq!(status.missing(), ["lane 1 has not joined the group yet"]);
        // More lanes than partitions: a lane that is told to wait has joined.
        status.happened(1, LaneEvent::Assigned(&[]));
        assert_eq!(status.missing(), [""; 0]);
        status.broker(Err("connection refused"));
        assert_eq!(status.missing(), ["the broker does not answer: connection refused"]);
        status.broker(Ok(()));
        assert_eq!(status.missing(), [""; 0]);
        status.stopping();
        assert_eq!(status.missing(), ["stopping"]);
    }

    #[test]
    fn a_lane_that_its_group_gave_up_is_not_ready_until_it_has_joined_again() {
        let status = status();
        status.broker(Ok(()));
        status.happened(0, LaneEvent::Assigned(&[partition(0)]));
        status.happened(1, LaneEvent::Assigned(&[partition(1)]));
        status.happened(0, LaneEvent::Revoked(&[partition(0)]));
        assert_eq!(status.missing(), [""; 0], "giving partitions back in good order is no fault");
        status.happened(1, LaneEvent::Lost(&[partition(1)]));
        assert_eq!(status.missing(), ["lane 1 has not joined the group yet"]);
        status.happened(1, LaneEvent::Assigned(&[]));
        assert_eq!(status.missing(), [""; 0]);
    }

    #[test]
    fn what_stands_still_is_told_until_it_is_gone() {
        let status = status();
        status.broker(Ok(()));
        status.happened(0, LaneEvent::Assigned(&[partition(0), partition(1)]));
        status.happened(1, LaneEvent::Assigned(&[partition(2)]));
        let (lost, flood) = (HaltReason::LostPosition, HaltReason::DeadLetters);
        status.happened(0, LaneEvent::Halted { partitions: &[partition(1)], reason: lost, why: "leads.raw/1 stands still: gone" });
        assert_eq!(status.missing(), ["leads.raw/1 stands still: gone"]);
        assert_eq!(status.halted_partitions().into_keys().collect::<Vec<_>>(), [partition(1)]);
        let shown = status.to_json(Instant::now());
        assert_eq!(shown["lanes"][0]["state"], "running", "the other partition goes on");
        assert_eq!(shown["lanes"][0]["partitions"][1]["halted"], "leads.raw/1 stands still: gone");
        status.happened(0, LaneEvent::Revoked(&[partition(1)]));
        assert_eq!(status.missing(), [""; 0], "whoever has it now tells");

        status.happened(1, LaneEvent::Halted { partitions: &[partition(2)], reason: flood, why: "a flood" });
        assert_eq!(status.missing(), ["lane 1 has halted: a flood"]);
        assert_eq!(status.to_json(Instant::now())["lanes"][1]["state"], "halted");
        status.happened(1, LaneEvent::Revoked(&[partition(2)]));
        assert_eq!(status.missing(), ["lane 1 has halted: a flood"], "it halts whatever it is given");
        assert_eq!(status.to_json(Instant::now())["lanes"][1]["halted"], "a flood");
    }

    #[test]
    fn a_lane_is_stuck_when_it_has_not_come_round_in_time() {
        let status = status().stuck_after(Duration::from_mins(1));
        let begun = Instant::now();
        assert_eq!(status.stuck(begun), [0; 0]);
        let later = begun + Duration::from_secs(61);
        assert_eq!(status.stuck(later), [0, 1]);
        let lanes = status.to_json(later);
        assert_eq!(lanes["lanes"][1]["state"], "stuck");
        assert_eq!(status.to_json(begun)["lanes"][1]["state"], "joining");
        status.round(0);
        status.lane(1, |lane| lane.round = later);
        assert_eq!(status.stuck(later + Duration::from_secs(59)), [0], "a round of the other lane does not help");
    }

    #[test]
    fn the_status_shows_where_each_lane_stands() {
        let status = status();
        status.happened(0, LaneEvent::Assigned(&[partition(0), partition(3)]));
        status.happened(0, LaneEvent::Lag { partition: &partition(3), next: 40, end: 42, seconds: 1.5 });
        // Told of a partition that is not (or no longer) read: nothing to show.
        status.happened(0, LaneEvent::Lag { partition: &partition(9), next: 1, end: 2, seconds: 0.0 });
        let mut tally = Tally::default();
        let topic = "leads.raw".into();
        tally.read(&topic);
        tally.dead_letter(crate::lead::DeadLetterStage::Decode, DeadLetterCode::NotUtf8);
        status.committed(0, &tally, Timestamp::from_millis(1_000));
        let abort = Abort { reason: "fenced", detail: "another producer".to_owned(), too_large: Vec::new(), limits: None };
        status.aborted(0, &abort, Timestamp::from_millis(2_000));

        let shown = status.to_json(Instant::now());
        let lane = &shown["lanes"][0];
        assert_eq!(lane["state"], "running");
        assert_eq!(lane["last_commit"], "1970-01-01T00:00:01.000000Z");
        assert_eq!(lane["last_error"]["error"], "fenced: another producer");
        assert_eq!(lane["partitions"][0]["next_offset"], Value::Null);
        let behind = json!({
            "topic": "leads.raw", "partition": 3, "next_offset": 40, "end_offset": 42, "lag_records": 2, "lag_seconds": 1.5,
            "halted": null,
        });
        assert_eq!(lane["partitions"][1], behind);
        assert_eq!(lane["partitions"].as_array().map(Vec::len), Some(2));
        assert_eq!(shown["counts"]["records"], 1);
        assert_eq!(shown["counts"]["dead_letters"], 1);

        status.happened(0, LaneEvent::Revoked(&[partition(0), partition(3)]));
        assert_eq!(status.to_json(Instant::now())["lanes"][0]["state"], "waiting for partitions");
    }
}

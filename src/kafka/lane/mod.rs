//! One lane: a group member and a producer behind one seam, since a commit needs the member's generation and an abort
//! needs the member's rewind. No transaction is open while the member is polled, so a rebalance never meets one.

mod committing;
mod denial;
mod halting;
mod lag;
mod membership;
mod recovery;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    Message,
    consumer::Consumer,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
};

use crate::{
    config::{Delivery, From, KafkaConfig, LaneMemory, OnLostPosition},
    io::{Batch, BatchLimits, Committed, Lane, LaneError, LaneEvent, LaneWatch, Next, Progress},
    lead::{Partition, Timestamp},
    pipeline::{OutputBuffer, OutputTopic},
};

use super::{
    BrokerHealth, Ends, NotedOffset, OutputNames, Resource, Right,
    consumer::{Change, Member, list},
    fences::Fences,
    noted,
    placement::{self, Ownership, Standing},
    producer::Producer,
    properties::Packing,
    record::push,
    sabotage::sabotage,
};

use membership::{Astray, part_from};

/// A batch's arena is kept up to this size.
const KEEP: usize = 16 << 20;
/// How long moving partitions within the client may take.
const PLACE: Duration = Duration::from_secs(5);
/// `next_batch` returns at least this often, with or without records.
const ROUND: Duration = Duration::from_millis(250);

/// So many times a lane may poll without a look at the clock, while records stand ready.
const UNTIMED: u32 = 256;

/// Batches are at most this large, and where limits are small at least this large, in bytes.
const LARGEST_BATCH: usize = 1_000_000;
const SMALLEST_BATCH: usize = 8 * 1024;

/// What a lane needs to know.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// How to reach the broker.
    pub kafka: KafkaConfig,
    /// Topics to read.
    pub input: Vec<String>,
    /// Topics to write, by `OutputTopic as usize`.
    pub output: OutputNames,
    /// Unique among all lanes that run.
    pub transactional_id: String,
    /// Where a partition without an offset starts.
    pub from: From,
    /// What becomes of a partition whose committed offset is gone.
    pub on_lost_position: OnLostPosition,
    /// When the process started: what `latest` means.
    pub started: Timestamp,
    /// What is promised.
    pub delivery: Delivery,
    /// What the queues may hold.
    pub memory: LaneMemory,
    /// The largest output record, in bytes.
    pub largest_output: usize,
    /// What each output topic takes, in bytes, by `OutputTopic as usize`; 0: not known.
    pub limits: [usize; OutputTopic::COUNT],
    /// Of a bounded run: where its partitions end. `None`: nowhere.
    pub ends: Option<Arc<Ends>>,
}

/// A lane on a Kafka cluster.
pub struct KafkaLane {
    settings: LaneSettings,
    input: Vec<Arc<str>>,
    health: Arc<BrokerHealth>,
    watch: Box<dyn LaneWatch>,
    stop: Arc<AtomicBool>,
    member: Option<Member>,
    producer: Option<Producer>,
    owned: Ownership,
    /// Assigned, but not yet known to have a committed offset.
    unsettled: Vec<Partition>,
    /// What was read since the last commit is dropped until every partition is back at its committed offset.
    rewinding: bool,
    /// The member said a position is gone; to be looked into.
    range_in_doubt: bool,
    /// Outputs of the batch at hand were written ahead of its commit, by the producer that is there.
    ahead: bool,
    /// The whole lane stands still, and why.
    halted: Option<String>,
    /// Lost positions that were told, so that each is told once.
    told_lost: BTreeSet<(Partition, Option<i64>)>,
    pause_until: Option<Instant>,
    aborts_in_a_row: u32,
    fences: Fences,
    packing: Packing,
    /// What was last complained of, to say so when it is over.
    complaint: Option<String>,
    /// Since when partitions could not be put in place.
    unplaced: Option<Instant>,
    /// Whether the group still knows it.
    astray: Astray,
    /// What the broker does not allow, to say so when it does.
    denied: Vec<Right>,
    /// When the broker was last asked what may be read.
    rights_asked: Option<Instant>,
    sampled: Instant,
    /// When the last batch was read, and how long it took from then until it was committed: the next is due as much earlier, so
    /// that a record that just missed the last is committed within the interval.
    closed: Instant,
    took: Duration,
}

/// Records may be sent together up to this many bytes: the least that any output topic takes in one batch.
fn together(limits: [usize; OutputTopic::COUNT]) -> usize {
    let least = limits.into_iter().filter(|limit| *limit > 0).min();
    least.unwrap_or(LARGEST_BATCH).clamp(SMALLEST_BATCH, LARGEST_BATCH)
}

impl KafkaLane {
    /// A lane that connects when it is first asked for a batch. `stop` ends it after the batch in hand.
    pub fn new(settings: LaneSettings, health: Arc<BrokerHealth>, watch: Box<dyn LaneWatch>, stop: Arc<AtomicBool>) -> Self {
        let on_the_way = settings.memory.on_the_way(settings.largest_output);
        let packing = Packing { largest: settings.largest_output, together: together(settings.limits), alone: false, on_the_way };
        Self {
            input: settings.input.iter().map(|topic| Arc::from(topic.as_str())).collect(),
            settings,
            health,
            watch,
            stop,
            member: None,
            producer: None,
            owned: Ownership::default(),
            unsettled: Vec::new(),
            rewinding: false,
            range_in_doubt: false,
            ahead: false,
            halted: None,
            told_lost: BTreeSet::new(),
            pause_until: None,
            aborts_in_a_row: 0,
            fences: Fences::default(),
            packing,
            complaint: None,
            unplaced: None,
            astray: Astray::default(),
            denied: Vec::new(),
            rights_asked: None,
            sampled: Instant::now(),
            closed: Instant::now(),
            took: Duration::ZERO,
        }
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Takes note of what the callbacks noted; drops records of partitions that went.
    fn take_changes(&mut self, batch: &mut Batch) {
        let Some(member) = &self.member else { return };
        if !member.changed() {
            return;
        }
        for change in member.changes() {
            match change {
                Change::Assigned(names) => {
                    let partitions = placement::shared(&self.input, names);
                    for partition in &partitions {
                        self.owned.add(partition.clone());
                        self.unsettled.push(partition.clone());
                    }
                    self.watch.tell(LaneEvent::Assigned(&partitions));
                    self.allowed(|right| matches!(right.resource, Resource::Group(_)));
                }
                Change::Revoked { partitions, lost } => {
                    let partitions = placement::shared(&self.input, partitions);
                    for partition in &partitions {
                        self.owned.remove(partition);
                    }
                    self.unsettled.retain(|partition| !partitions.contains(partition));
                    batch.retain(|partition| !partitions.contains(partition));
                    if self.owned.is_empty() {
                        self.waits_for_group();
                    }
                    self.watch.tell(if lost { LaneEvent::Lost(&partitions) } else { LaneEvent::Revoked(&partitions) });
                }
                Change::Failed(what) => {
                    tracing::warn!("{what}; joining the group anew");
                    batch.clear(KEEP);
                    self.leave();
                    return;
                }
            }
        }
    }

    /// Drops the member; the next round joins as a new one.
    fn leave(&mut self) {
        let gone = self.owned.clear();
        self.watch.tell(LaneEvent::Lost(&gone));
        self.unsettled.clear();
        self.rewinding = false;
        if let Some(member) = self.member.take() {
            part_from(member);
        }
    }

    /// First placement, rewind, and a look at lost positions. `false`: not done, read nothing yet.
    fn place(&mut self) -> bool {
        if sabotage().no_rewind {
            self.rewinding = false;
        }
        let Some(member) = &self.member else { return false };
        if !self.rewinding && self.unsettled.is_empty() && !self.range_in_doubt {
            return true;
        }
        if self.owned.is_empty() {
            (self.rewinding, self.range_in_doubt) = (false, false);
            return true;
        }
        if member.consumer.assignment_lost() {
            return false;
        }
        match self.try_place() {
            Ok(placed) => {
                for NotedOffset { partition, offset, note } in placed {
                    if let Some(owned) = self.owned.get_mut(&partition) {
                        (owned.next, owned.note) = (Some(offset), note);
                    }
                }
                self.unsettled.clear();
                (self.rewinding, self.range_in_doubt) = (false, false);
                self.is_placed();
                true
            }
            Err(error) => {
                tracing::debug!(%error, "placing partitions did not succeed; again");
                self.is_not_placed();
                self.suspect(&error);
                if let Some(code) = error.rdkafka_error_code() {
                    self.refused(code);
                }
                self.pause(Duration::from_millis(200));
                false
            }
        }
    }

    /// Looks where the group stands and goes there; tells where that is.
    fn try_place(&mut self) -> KafkaResult<Vec<NotedOffset>> {
        let Some(member) = &self.member else { return Ok(Vec::new()) };
        let policy = placement::Start { from: self.settings.from, latest: self.settings.started };
        let wanted = self.owned.moving((!self.rewinding).then_some(self.unsettled.as_slice()));
        let Standing { mut known, lost } = placement::settle(member, &wanted, policy, self.doubts())?;
        known.extend(self.decide_on_lost(lost)?);
        if let Some(member) = self.member.as_ref().filter(|_| !known.is_empty()) {
            if self.settings.ends.is_some() {
                // What was past its end is read again from where it is put; behind it, it is paused again.
                member.consumer.resume(&noted::list(&known)?)?;
            }
            let places: Vec<_> = known.iter().map(|known| (known.partition.clone(), known.offset)).collect();
            member.place(&places, PLACE)?;
        }
        Ok(known)
    }

    fn suspect(&self, error: &KafkaError) {
        if matches!(error.rdkafka_error_code(), Some(Code::OperationTimedOut | Code::BrokerTransportFailure | Code::AllBrokersDown)) {
            self.health.heard(error, "");
        }
    }

    /// An error that `poll` returned instead of a record.
    fn poll_failed(&mut self, error: &KafkaError, batch: &mut Batch) {
        match error {
            KafkaError::MessageConsumptionFatal(_) => {
                tracing::warn!(%error, "the group gave this member up for good; joining anew");
                batch.clear(KEEP);
                self.leave();
            }
            KafkaError::MessageConsumption(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                // Fetching of some partition has ended with this; which one is not told, so all are put in place again.
                (self.range_in_doubt, self.rewinding) = (true, true);
            }
            KafkaError::MessageConsumption(code @ (Code::UnknownTopicOrPartition | Code::UnknownTopic)) => {
                self.health.complain(
                    &format!("an input topic does not exist yet ({code})"),
                    &format!("waiting for {:?}; `leadstream topics create` makes them", self.settings.input),
                );
            }
            KafkaError::MessageConsumption(code @ (Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed)) => self.refused(*code),
            other => {
                self.suspect(other);
                // It may be of a partition that the client has given up without saying which.
                self.rewinding = true;
            }
        }
    }
}

impl Lane for KafkaLane {
    fn next_batch(&mut self, limits: &BatchLimits, batch: &mut Batch) -> Result<Next, LaneError> {
        batch.clear(KEEP);
        if self.stopping() {
            return Ok(Next::End);
        }
        if self.halted.is_some() {
            return self.stand_still(batch);
        }
        self.look_for_group(batch);
        let ready = self.connect()?;
        self.sample_lag();
        if !ready {
            self.rewinding = true;
        }
        let round = Instant::now() + ROUND;
        let (mut due, mut placed, mut polls) = (round, false, 0_u32);
        loop {
            self.take_changes(batch);
            let to_place = self.rewinding || !self.unsettled.is_empty() || self.range_in_doubt;
            // A rewind would bring this batch's own records a second time: it is decided and committed first. So is it where others
            // have come: putting them in place may answer for a callback that waits, and the group give away what the batch has.
            if to_place && !batch.is_empty() {
                break;
            }
            let paused = !ready || self.pause_until.is_some_and(|until| Instant::now() < until);
            if !placed || to_place {
                placed = !paused && self.place();
            }
            let Some(member) = &self.member else { return Ok(Next::Idle) };
            // Records that are dropped fill no batch: where they never end, it is due all the same.
            polls += 1;
            if self.stopping() || (polls.is_multiple_of(UNTIMED) && Instant::now() > round.max(due)) {
                break;
            }
            // What stands ready is taken without a look at the clock; what does not is waited for until the batch is due.
            let mut read = if placed && !batch.is_empty() { member.consumer.poll(Duration::ZERO) } else { None };
            if read.is_none() {
                let wait = if batch.is_empty() { round } else { due }.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    break;
                }
                read = member.consumer.poll(wait.min(Duration::from_millis(100)));
            }
            match read {
                None => {}
                // Whatever is dropped here has to be read again.
                Some(Ok(_)) if !placed => self.rewinding = true,
                Some(Ok(message)) => {
                    let Some(owned) = self.owned.find(message.topic(), message.partition()) else {
                        self.rewinding = true;
                        continue;
                    };
                    let ends = self.settings.ends.as_ref();
                    if ends.is_some_and(|ends| ends.are_past(&owned.partition, message.offset())) {
                        pause(member, &owned.partition);
                    } else if !owned.halted {
                        if batch.is_empty() {
                            due = Instant::now().max(self.closed + limits.wait.saturating_sub(self.took.min(limits.wait / 2)));
                        }
                        owned.newest = Some(push(batch, owned.partition.clone(), &message));
                        if batch.len() >= limits.records || batch.bytes() >= limits.bytes {
                            break;
                        }
                    }
                }
                Some(Err(error)) => self.poll_failed(&error, batch),
            }
        }
        self.take_changes(batch);
        if batch.is_empty() {
            return Ok(Next::Idle);
        }
        self.closed = Instant::now();
        Ok(Next::Records)
    }

    fn holds_back(&self) -> bool {
        self.settings.delivery == Delivery::ExactlyOnce
    }

    fn write(&mut self, out: &OutputBuffer) -> Result<(), LaneError> {
        self.write_ahead(out)
    }

    fn commit(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<Committed, LaneError> {
        self.commit_batch(out, progress)
    }

    fn standing(&self, partition: &Partition) -> Option<(i64, &str)> {
        self.owned.iter().find(|owned| owned.partition == *partition).and_then(|owned| Some((owned.next?, owned.note.as_str())))
    }

    fn rewind(&mut self) -> Result<(), LaneError> {
        self.drop_ahead();
        self.rewinding = true;
        Ok(())
    }

    fn halt(&mut self, why: &str) {
        self.halt_all(why);
    }
}

/// Nothing more of it is wanted; until it is put in place anew.
fn pause(member: &Member, partition: &Partition) {
    if let Err(error) = list(&[(partition.clone(), 0)]).and_then(|list| member.consumer.pause(&list)) {
        // What is read all the same is dropped; only the broker's work is wasted.
        tracing::debug!(%error, "pausing did not succeed");
    }
}

#[cfg(test)]
mod placing;
#[cfg(test)]
mod tests;

//! The lane's group member: its callbacks, which only note what happened (they run inside `poll`, on the lane's thread, and
//! hold no lock across it), and the few calls the lane makes on it, with their errors sorted.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    topic_partition_list::Offset,
    types::RDKafkaRespErr,
};

use crate::lead::Partition;

use super::{BrokerHealth, Ends, NotedOffset, native, noted, reasons::logged};

/// A rebalance, as noted by the callback.
#[derive(Debug)]
pub(super) enum Change {
    Assigned(Vec<(String, i32)>),
    Revoked {
        partitions: Vec<(String, i32)>,
        lost: bool,
    },
    /// The client refused what the group gave or took: only a new member gets out of that.
    Failed(String),
}

/// What the callbacks note.
pub(super) struct MemberContext {
    health: Arc<BrokerHealth>,
    changed: AtomicBool,
    changes: Mutex<Vec<Change>>,
}

impl MemberContext {
    fn note(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
        self.changed.store(true, Ordering::Release);
    }
}

impl ClientContext for MemberContext {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        logged(facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.health.heard(&error, reason);
    }
}

impl ConsumerContext for MemberContext {
    /// Does what rdkafka's own does, but notes a refusal instead of ignoring it.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let names = names(partitions);
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let begun = begin(consumer, partitions, &names);
            let assign = || if cooperative { consumer.incremental_assign(partitions) } else { consumer.assign(partitions) };
            match begun.and_then(|()| assign()) {
                Ok(()) => self.note(Change::Assigned(names)),
                Err(error) => self.note(Change::Failed(format!("assigning partitions: {error}"))),
            }
            return;
        }
        let lost = consumer.assignment_lost();
        let done = if cooperative { consumer.incremental_unassign(partitions) } else { consumer.unassign() };
        self.note(Change::Revoked { partitions: names, lost });
        if let Err(error) = done {
            self.note(Change::Failed(format!("giving partitions back: {error}")));
        }
    }

    fn main_queue_min_poll_interval(&self) -> rdkafka::util::Timeout {
        Duration::from_millis(100).into()
    }
}

/// How long the group's offsets are waited for within a callback.
const ANSWER: Duration = Duration::from_secs(5);

/// Gives each partition an offset to begin at; where the group has none, or does not tell, any will do: the lane seeks before it
/// reads. Left to itself librdkafka asks for the committed offsets; on some answers it gives those partitions up without a word,
/// on others the process dies. Never a logical offset: the late answer to its look-up undoes a seek.
fn begin<C: ConsumerContext>(consumer: &BaseConsumer<C>, partitions: &mut TopicPartitionList, names: &[(String, i32)]) -> KafkaResult<()> {
    if names.is_empty() {
        return Ok(());
    }
    let found = consumer.committed_offsets(partitions.clone(), ANSWER).ok();
    for (topic, number) in names {
        let committed = found.as_ref().and_then(|found| found.find_partition(topic, *number)).map(|element| element.offset());
        let offset = committed.filter(|offset| matches!(offset, Offset::Offset(_))).unwrap_or(Offset::Offset(0));
        partitions.set_partition_offset(topic, *number, offset)?;
    }
    Ok(())
}

fn names(partitions: &TopicPartitionList) -> Vec<(String, i32)> {
    partitions.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

/// The group member.
pub(super) struct Member {
    pub(super) consumer: BaseConsumer<MemberContext>,
    context: Arc<MemberContext>,
    /// Of a bounded run: what its commits carry along.
    ends: Option<Arc<Ends>>,
}

impl Member {
    /// Creates a consumer and subscribes it; connects in the background.
    pub(super) fn join(config: &ClientConfig, topics: &[String], health: &Arc<BrokerHealth>) -> KafkaResult<Self> {
        let context = MemberContext { health: Arc::clone(health), changed: AtomicBool::new(false), changes: Mutex::new(Vec::new()) };
        let consumer: BaseConsumer<MemberContext> = config.create_with_context(context)?;
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
        let context = Arc::clone(consumer.client().context());
        Ok(Self { consumer, context, ends: None })
    }

    /// Whatever it commits from now on carries the notes of these ends.
    pub(super) fn with_ends(self, ends: Option<Arc<Ends>>) -> Self {
        Self { ends, ..self }
    }

    /// Whether a rebalance was noted since the last [`Member::changes`]. One relaxed load on the hot path.
    pub(super) fn changed(&self) -> bool {
        self.context.changed.load(Ordering::Acquire)
    }

    /// Takes the noted rebalances, oldest first.
    pub(super) fn changes(&self) -> Vec<Change> {
        self.context.changed.store(false, Ordering::Release);
        std::mem::take(&mut *self.context.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// As if the callback had noted it.
    #[cfg(test)]
    pub(super) fn note(&self, change: Change) {
        self.context.note(change);
    }

    /// Whether offsets may go into a transaction now: a live member that has not been given up by its group.
    pub(super) fn may_commit(&self) -> bool {
        native::is_group_member(self.consumer.client()) && !self.consumer.assignment_lost()
    }

    /// What the group has committed for `partitions`; `None` where nothing is. Waits while a transaction holds offsets.
    pub(super) fn committed(&self, partitions: &[Partition], timeout: Duration) -> KafkaResult<Vec<(Partition, Option<NotedOffset>)>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.number);
        }
        let found = self.consumer.committed_offsets(list, timeout)?;
        partitions
            .iter()
            .map(|partition| {
                let Some(element) = found.find_partition(&partition.topic, partition.number) else {
                    return Ok((partition.clone(), None));
                };
                element.error()?;
                let Offset::Offset(offset) = element.offset() else { return Ok((partition.clone(), None)) };
                let found = NotedOffset { partition: partition.clone(), offset, note: element.metadata().to_owned() };
                Ok((partition.clone(), Some(found)))
            })
            .collect()
    }

    /// Commits offsets outside any transaction, and waits for the answer.
    pub(super) fn commit(&self, offsets: &[NotedOffset]) -> KafkaResult<()> {
        self.consumer.commit(&self.to_commit(offsets)?, CommitMode::Sync)
    }

    /// Offsets as they are committed, in a transaction or outside.
    pub(super) fn to_commit(&self, offsets: &[NotedOffset]) -> KafkaResult<TopicPartitionList> {
        let mut list = noted::list(offsets)?;
        if let Some(ends) = &self.ends {
            ends.note(&mut list);
        }
        Ok(list)
    }

    /// Moves partitions to the given offsets, whatever state their fetching is in.
    pub(super) fn place(&self, offsets: &[(Partition, i64)], timeout: Duration) -> KafkaResult<()> {
        let mut stubborn = Vec::new();
        let sought = self.consumer.seek_partitions(list(offsets)?, timeout)?;
        for (partition, offset) in offsets {
            // An error of one partition hides inside the list of a call that returned Ok.
            let element = sought.find_partition(&partition.topic, partition.number);
            if element.is_none_or(|element| element.error().is_err()) {
                stubborn.push((partition.clone(), *offset));
            }
        }
        self.reassign(&stubborn, offsets)
    }

    /// Takes partitions out of the fetcher and puts them back at the given offsets: for those whose fetching has not begun
    /// or has ended on an error, which cannot be sought. Where the group is eager all are put back: `all` tells where, since
    /// librdkafka remembers where they were put last, not how far they have come.
    pub(super) fn reassign(&self, offsets: &[(Partition, i64)], all: &[(Partition, i64)]) -> KafkaResult<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = list(offsets)?;
        if matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
            self.consumer.incremental_unassign(&list)?;
            self.consumer.incremental_assign(&list)
        } else {
            let mut assigned = self.consumer.assignment()?;
            assigned.set_all_offsets(Offset::Stored)?;
            for (partition, offset) in all.iter().chain(offsets) {
                assigned.set_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset))?;
            }
            self.consumer.assign(&assigned)
        }
    }
}

/// librdkafka's list of partitions with offsets.
pub(super) fn list(offsets: &[(Partition, i64)]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset))?;
    }
    Ok(list)
}

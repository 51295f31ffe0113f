//! How far a whole group has come, whoever commits: the end offsets seen at a start, and whether the group's committed
//! offsets have reached them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::Offset,
};

use crate::{config::KafkaConfig, lead::Partition};

use super::{
    Span, Unavailable, properties,
    quiet::{Quiet, failed},
};

const CALL: Duration = Duration::from_secs(5);

/// What a look at the group found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Every partition is at its end of then.
    pub reached: bool,
    /// Sum of the committed offsets: it moves when anything does. Where nothing but markers is left up to an end, that end.
    pub committed: i64,
}

/// A group on its way to the end offsets of a moment.
pub struct GroupProgress {
    /// Sees what is committed.
    consumer: BaseConsumer<Quiet>,
    targets: Vec<Target>,
}

struct Target {
    at: Partition,
    low: i64,
    end: i64,
    /// From this offset on there was no record up to the end, so there will be none.
    empty_from: Option<i64>,
}

impl Target {
    fn new(at: Partition, low: i64, end: i64) -> Self {
        Self { at, low, end, empty_from: None }
    }

    fn is_done_at(&self, offset: i64) -> bool {
        offset >= self.end || self.empty_from.is_some_and(|empty| offset >= empty)
    }
}

impl GroupProgress {
    /// Takes the end offsets of all partitions of `topics` as they are now.
    ///
    /// # Errors
    /// When the broker does not answer or a topic does not exist.
    pub fn towards_now(kafka: &KafkaConfig, topics: &[String]) -> Result<Self, Unavailable> {
        let told = |error: KafkaError| format!("asking {} for the end of {topics:?}: {error}", kafka.brokers);
        let create = |config: &mut ClientConfig| -> Result<BaseConsumer<Quiet>, Unavailable> {
            config.create_with_context(Quiet::default()).map_err(|error| Unavailable(told(error)))
        };
        let consumer = create(&mut looker(kafka))?;
        // The true end: records of a transaction that is still open were there at the start as well.
        let ends = create(properties::observer(kafka).set("isolation.level", "read_uncommitted"))?;
        let what = |error: KafkaError| failed(&ends, &told(error));
        let mut targets = Vec::new();
        for topic in topics {
            let metadata = ends.fetch_metadata(Some(topic), CALL).map_err(what)?;
            let partitions = metadata.topics().iter().find(|found| found.name() == topic).map_or(&[][..], |found| found.partitions());
            if partitions.is_empty() {
                return Err(Unavailable(format!("topic {topic} does not exist at {}", kafka.brokers)));
            }
            for partition in partitions {
                let (low, end) = ends.fetch_watermarks(topic, partition.id(), CALL).map_err(what)?;
                targets.push(Target::new(Partition { topic: topic.as_str().into(), number: partition.id() }, low, end));
            }
        }
        Ok(Self { consumer, targets })
    }

    /// The ends of these spans instead of those of now.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn towards(kafka: &KafkaConfig, spans: &[Span]) -> Result<Self, Unavailable> {
        let created = looker(kafka).create_with_context(Quiet::default());
        let consumer = created.map_err(|error| Unavailable(format!("making a client for {}: {error}", kafka.brokers)))?;
        let target = |span: &Span| Target::new(span.partition.clone(), span.from, span.to);
        Ok(Self { consumer, targets: spans.iter().map(target).collect() })
    }

    /// Looks where the group is now. `thorough` also reads whether what is left holds any record at all: the last offsets of
    /// a partition may be transaction markers, which nobody commits past. Partitions for which `apart` says so are not waited for.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn look(&mut self, thorough: bool, apart: impl Fn(&Partition) -> bool) -> Result<Movement, Unavailable> {
        self.try_look(thorough, apart)
            .map_err(|error| failed(&self.consumer, &format!("asking for the group's committed offsets: {error}")))
    }

    fn try_look(&mut self, thorough: bool, apart: impl Fn(&Partition) -> bool) -> KafkaResult<Movement> {
        let mut list = TopicPartitionList::with_capacity(self.targets.len());
        for target in &self.targets {
            list.add_partition(&target.at.topic, target.at.number);
        }
        let found = self.consumer.committed_offsets(list, CALL)?;
        let offsets: Vec<i64> = self
            .targets
            .iter()
            .map(|target| match found.find_partition(&target.at.topic, target.at.number).map(|element| element.offset()) {
                Some(Offset::Offset(offset)) => offset,
                _ => target.low,
            })
            .collect();
        if thorough {
            self.look_for_records(&offsets, &apart)?;
        }
        let mut movement = Movement { reached: true, committed: 0 };
        let mut ahead = Vec::new();
        for (target, offset) in self.targets.iter().zip(offsets) {
            let is_done = target.is_done_at(offset);
            movement.committed += if is_done { offset.max(target.end) } else { offset };
            if apart(&target.at) {
                continue;
            }
            movement.reached &= is_done;
            if offset > target.end {
                ahead.push((target, offset));
            }
        }
        // Beyond the end of then may be beyond the end of now: a topic that was made anew. That is nowhere to arrive.
        for (target, offset) in ahead {
            movement.reached = movement.reached && offset <= self.consumer.fetch_watermarks(&target.at.topic, target.at.number, CALL)?.1;
        }
        Ok(movement)
    }

    /// Learns of which targets nothing is left but markers. All partitions of a topic are asked at once: an answer that there is no
    /// record takes the broker its time.
    fn look_for_records(&mut self, offsets: &[i64], apart: &impl Fn(&Partition) -> bool) -> KafkaResult<()> {
        let open = |(target, offset): &(&Target, &i64)| !target.is_done_at(**offset) && !apart(&target.at);
        let mut waiting: BTreeMap<&str, BTreeMap<i32, i64>> = BTreeMap::new();
        for (target, offset) in self.targets.iter().zip(offsets).filter(open) {
            waiting.entry(&target.at.topic).or_default().insert(target.at.number, *offset);
        }
        let mut empty = Vec::new();
        for (topic, mut waiting) in waiting {
            let mut list = TopicPartitionList::new();
            for (number, offset) in &waiting {
                list.add_partition_offset(topic, *number, Offset::Offset(*offset))?;
            }
            self.consumer.assign(&list)?;
            let deadline = Instant::now() + CALL;
            while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|_| !waiting.is_empty()) {
                // A record behind the end says as much of what is before it as an end does.
                let number = match self.consumer.poll(left) {
                    Some(Err(KafkaError::PartitionEOF(number))) => number,
                    Some(Ok(record)) => {
                        let number = record.partition();
                        let end = self.targets.iter().find(|target| *target.at.topic == *topic && target.at.number == number);
                        if end.is_none_or(|target| record.offset() < target.end) {
                            // There is work left here, so this is not the end anyway.
                            break;
                        }
                        number
                    }
                    _ => break,
                };
                if let Some(offset) = waiting.remove(&number) {
                    empty.push((topic.to_owned(), number, offset));
                }
            }
            self.consumer.unassign()?;
        }
        for (topic, number, offset) in empty {
            let Some(target) = self.targets.iter_mut().find(|target| *target.at.topic == *topic && target.at.number == number) else {
                continue;
            };
            // Behind the end of what can be read a transaction may still be open.
            if self.consumer.fetch_watermarks(&topic, number, CALL)?.1 >= target.end {
                target.empty_from = Some(offset);
            }
        }
        Ok(())
    }
}

/// Asks for offsets, and now and then for what is left.
fn looker(kafka: &KafkaConfig) -> ClientConfig {
    let mut config = properties::observer(kafka);
    // So long the broker waits, in milliseconds, before it says that there is no record.
    config.set("fetch.wait.max.ms", "20");
    config
}

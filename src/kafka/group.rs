//! How far a whole group has come, whoever commits: the end offsets seen at a start, and whether the group's committed
//! offsets have reached them.

use std::time::Duration;

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
    /// Sum of the committed offsets: it moves when anything does.
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
        let consumer = create(&mut properties::observer(kafka))?;
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
                targets.push(Target { at: Partition { topic: topic.as_str().into(), number: partition.id() }, low, end });
            }
        }
        Ok(Self { consumer, targets })
    }

    /// The ends of these spans instead of those of now.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn towards(kafka: &KafkaConfig, spans: &[Span]) -> Result<Self, Unavailable> {
        let created = properties::observer(kafka).create_with_context(Quiet::default());
        let consumer = created.map_err(|error| Unavailable(format!("making a client for {}: {error}", kafka.brokers)))?;
        let target = |span: &Span| Target { at: span.partition.clone(), low: span.from, end: span.to };
        Ok(Self { consumer, targets: spans.iter().map(target).collect() })
    }

    /// Looks where the group is now. `thorough` also reads whether what is left holds any record at all: the last offsets of
    /// a partition may be transaction markers, which nobody commits past. Partitions for which `apart` says so are not waited for.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn look(&self, thorough: bool, apart: impl Fn(&Partition) -> bool) -> Result<Movement, Unavailable> {
        self.try_look(thorough, apart)
            .map_err(|error| failed(&self.consumer, &format!("asking for the group's committed offsets: {error}")))
    }

    fn try_look(&self, thorough: bool, apart: impl Fn(&Partition) -> bool) -> KafkaResult<Movement> {
        let mut list = TopicPartitionList::with_capacity(self.targets.len());
        for target in &self.targets {
            list.add_partition(&target.at.topic, target.at.number);
        }
        let found = self.consumer.committed_offsets(list, CALL)?;
        let mut movement = Movement { reached: true, committed: 0 };
        let mut ahead = Vec::new();
        for target in &self.targets {
            let offset = match found.find_partition(&target.at.topic, target.at.number).map(|element| element.offset()) {
                Some(Offset::Offset(offset)) => offset,
                _ => target.low,
            };
            movement.committed += offset;
            if apart(&target.at) {
                continue;
            }
            let arrived = offset >= target.end || (thorough && self.holds_nothing(target, offset)?);
            movement.reached &= arrived;
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

    /// Whether there is no record from `offset` to the target's end.
    fn holds_nothing(&self, target: &Target, offset: i64) -> KafkaResult<bool> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&target.at.topic, target.at.number, Offset::Offset(offset))?;
        self.consumer.assign(&list)?;
        let first = self.consumer.poll(CALL);
        let nothing = match first {
            // The end of what can be read; behind it a transaction may still be open.
            Some(Err(KafkaError::PartitionEOF(_))) => {
                self.consumer.fetch_watermarks(&target.at.topic, target.at.number, CALL)?.1 >= target.end
            }
            Some(Ok(record)) => record.offset() >= target.end,
            _ => false,
        };
        self.consumer.unassign()?;
        Ok(nothing)
    }
}

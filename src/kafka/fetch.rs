//! Reads one record by its position, outside any group, for `explain --at`.

use std::time::{Duration, Instant};

use rdkafka::{
    Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    topic_partition_list::Offset,
};

use crate::{config::KafkaConfig, io::Batch, lead::Position};

use super::{
    Unavailable, properties,
    quiet::{self, Quiet},
    record,
};

/// What was found at a position.
#[derive(Debug)]
pub enum Fetched {
    /// The record, as the only one of a batch.
    Record(Batch),
    /// Nothing there; why.
    Nothing(String),
}

/// Reads the record at `at`.
///
/// # Errors
/// When the broker does not answer within 10 s.
pub fn fetch(kafka: &KafkaConfig, at: &Position) -> Result<Fetched, Unavailable> {
    let what = |error: &dyn std::fmt::Display| format!("reading {at} from {}: {error}", kafka.brokers);
    let created = properties::observer(kafka).create_with_context(Quiet::default());
    let consumer: BaseConsumer<Quiet> = created.map_err(|error| Unavailable(what(&error)))?;
    let failed = |error: KafkaError| quiet::failed(&consumer, &what(&error));
    let topic = &*at.partition.topic;
    let wait = Duration::from_secs(5);
    let metadata = consumer.fetch_metadata(Some(topic), wait).map_err(failed)?;
    let known = metadata.topics().iter().any(|found| found.partitions().iter().any(|found| found.id() == at.partition.number));
    if !known {
        return Ok(Fetched::Nothing(format!("{} has no partition {}", topic, at.partition)));
    }
    let (low, high) = consumer.fetch_watermarks(topic, at.partition.number, wait).map_err(failed)?;
    if at.offset < low || at.offset >= high {
        return Ok(Fetched::Nothing(format!("partition {} holds offsets {low} to {} now", at.partition, high - 1)));
    }
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, at.partition.number, Offset::Offset(at.offset)).map_err(failed)?;
    consumer.assign(&list).map_err(failed)?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) if record.offset() == at.offset => {
                let mut batch = Batch::default();
                record::push(&mut batch, at.partition.clone(), &record);
                return Ok(Fetched::Record(batch));
            }
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => {
                return Ok(Fetched::Nothing(format!("{at} is no readable record: a transaction's marker, aborted, or compacted away")));
            }
            Some(Err(_)) | None => {}
        }
    }
    Err(quiet::failed(&consumer, &what(&"no answer within 10 s")))
}

//! How far a group is behind: what it has committed, what the topics still hold, and how old the oldest record is that is still to
//! be decided. Reads that one record of each partition, and tells nothing of it but its time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::Offset,
};

use super::{super::quiet::Quiet, CALL};

/// A group in its input topics.
pub type Backlog = Vec<PartitionBacklog>;

/// A group in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionBacklog {
    /// Topic.
    pub topic: String,
    /// Number.
    pub partition: i32,
    /// The first offset that is still there.
    pub low: i64,
    /// Before which all is written, as a reader of committed records sees it.
    pub end: i64,
    /// What the group has committed, if anything.
    pub committed: Option<i64>,
    /// When the oldest record was received that is still to be decided, in milliseconds since 1970; none if there is none, or
    /// it could not be read.
    pub oldest_ms: Option<i64>,
}

impl PartitionBacklog {
    /// The next offset to decide that is still there.
    fn next(&self) -> i64 {
        self.committed.unwrap_or(self.low).max(self.low)
    }
}

pub(super) fn look(client: &BaseConsumer<Quiet>, topics: &[(&str, Vec<i32>)]) -> KafkaResult<Backlog> {
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in topics {
        for partition in partitions {
            list.add_partition(topic, *partition);
        }
    }
    let committed = client.committed_offsets(list, CALL)?;
    let mut found = Vec::new();
    for (topic, partitions) in topics {
        for partition in partitions {
            let (low, end) = client.fetch_watermarks(topic, *partition, CALL)?;
            let element = committed.find_partition(topic, *partition);
            if let Some(element) = &element {
                element.error()?;
            }
            let committed = element.and_then(|element| match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            });
            found.push(PartitionBacklog { topic: (*topic).to_owned(), partition: *partition, low, end, committed, oldest_ms: None });
        }
    }
    date(client, &mut found)?;
    Ok(found)
}

/// Reads the time of the oldest record that is still to be decided, where there is one.
fn date(client: &BaseConsumer<Quiet>, backlog: &mut Backlog) -> KafkaResult<()> {
    // Topic by topic: the end of a partition is told by its number alone.
    let mut topics: Vec<String> = backlog.iter().map(|place| place.topic.clone()).collect();
    topics.dedup();
    let deadline = Instant::now() + CALL;
    for topic in topics {
        let mut waiting: BTreeMap<i32, &mut PartitionBacklog> = backlog
            .iter_mut()
            .filter(|place| place.topic == topic && place.next() < place.end)
            .map(|place| (place.partition, place))
            .collect();
        let mut list = TopicPartitionList::new();
        for (partition, place) in &waiting {
            list.add_partition_offset(&topic, *partition, Offset::Offset(place.next()))?;
        }
        client.assign(&list)?;
        while !waiting.is_empty() && Instant::now() < deadline {
            match client.poll(Duration::from_millis(100)) {
                Some(Ok(record)) => {
                    if let Some(place) = waiting.remove(&record.partition()) {
                        place.oldest_ms = record.timestamp().to_millis();
                    }
                }
                // Only markers of transactions are left.
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(waiting.remove(&partition)),
                Some(Err(_)) | None => {}
            }
        }
        client.unassign()?;
    }
    Ok(())
}

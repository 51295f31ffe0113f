//! Offsets of a group with a note beside each, which the broker keeps and gives back with the offset: so a bounded run has where it
//! ends and how far it has come in one place, and both change in one transaction. What a note says is the caller's.

use std::collections::BTreeMap;

use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::Offset,
};

use crate::{config::KafkaConfig, lead::Partition};

use super::{
    Unavailable, properties,
    quiet::{self, Quiet},
    range,
};

/// Where the group stands in a partition, and what is noted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedOffset {
    /// Where.
    pub partition: Partition,
    /// The next offset to decide.
    pub offset: i64,
    /// The note; empty: none.
    pub note: String,
}

/// Where a partition of a bounded run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The first offset that is not decided.
    pub to: i64,
    /// What every commit of this partition carries along.
    pub note: String,
}

/// The ends of all partitions of a bounded run; nothing is decided in a partition that has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends(BTreeMap<Partition, End>);

impl Ends {
    /// Whether the record at `offset` lies outside.
    pub(super) fn are_past(&self, partition: &Partition, offset: i64) -> bool {
        self.0.get(partition).is_none_or(|end| offset >= end.to)
    }

    /// The first offset of `partition` that is not decided, if anything of it is.
    pub(super) fn of(&self, partition: &Partition) -> Option<i64> {
        self.0.get(partition).map(|end| end.to)
    }

    /// Puts the notes beside the offsets.
    pub(super) fn note(&self, offsets: &mut TopicPartitionList) {
        for (Partition { topic, number }, end) in &self.0 {
            if let Some(mut element) = offsets.find_partition(topic, *number) {
                element.set_metadata(&end.note);
            }
        }
    }
}

impl FromIterator<(Partition, End)> for Ends {
    fn from_iter<I: IntoIterator<Item = (Partition, End)>>(ends: I) -> Self {
        Self(ends.into_iter().collect())
    }
}

/// All offsets of the group in these topics. Those that a transaction is about to change are told as they were.
///
/// # Errors
/// The broker does not answer, or a topic is not there.
pub fn noted_offsets(kafka: &KafkaConfig, topics: &[String]) -> Result<Vec<NotedOffset>, Unavailable> {
    let consumer = client(kafka)?;
    let failed = |error: KafkaError| quiet::failed(&consumer, &format!("asking for the offsets of the group {}: {error}", kafka.group));
    let mut list = TopicPartitionList::new();
    for topic in topics {
        for number in range::partitions(&consumer, topic)? {
            list.add_partition(topic, number);
        }
    }
    let found = range::once_led(|| consumer.committed_offsets(list.clone(), range::CALL)).map_err(failed)?;
    let elements = found.elements();
    let noted = elements.iter().map(|element| {
        element.error()?;
        let Offset::Offset(offset) = element.offset() else { return Ok(None) };
        let partition = Partition { topic: element.topic().into(), number: element.partition() };
        Ok(Some(NotedOffset { partition, offset, note: element.metadata().to_owned() }))
    });
    noted.filter_map(Result::transpose).collect::<KafkaResult<_>>().map_err(failed)
}

/// Commits offsets with their notes, all at once, for a group that has no member.
///
/// # Errors
/// The broker does not answer, or somebody is in the group.
pub fn note_offsets(kafka: &KafkaConfig, offsets: &[NotedOffset]) -> Result<(), Unavailable> {
    let consumer = client(kafka)?;
    let commit = list(offsets).and_then(|list| consumer.commit(&list, CommitMode::Sync));
    commit.map_err(|error| quiet::failed(&consumer, &format!("committing the offsets of the group {}: {error}", kafka.group)))
}

/// librdkafka's list of partitions with offsets and notes.
pub(super) fn list(offsets: &[NotedOffset]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for NotedOffset { partition, offset, note } in offsets {
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset))?;
        if let Some(mut element) = list.find_partition(&partition.topic, partition.number) {
            element.set_metadata(note);
        }
    }
    Ok(list)
}

fn client(kafka: &KafkaConfig) -> Result<BaseConsumer<Quiet>, Unavailable> {
    // What a killed process left open is of no interest here, and would be waited for.
    let created = properties::observer(kafka).set("isolation.level", "read_uncommitted").create_with_context(Quiet::default());
    created.map_err(|error| Unavailable(format!("making a client for {}: {error}", kafka.brokers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_decided_and_notes_go_to_their_partitions() {
        let partition = |number| Partition { topic: "raw".into(), number };
        let ends: Ends = [(partition(0), End { to: 5, note: "a".to_owned() })].into_iter().collect();
        assert!(!ends.are_past(&partition(0), 4) && ends.are_past(&partition(0), 5) && ends.are_past(&partition(1), 0));
        assert_eq!((ends.of(&partition(0)), ends.of(&partition(1))), (Some(5), None));
        let mut list = TopicPartitionList::new();
        for number in 0..2 {
            list.add_partition_offset("raw", number, Offset::Offset(1)).expect("a place");
        }
        ends.note(&mut list);
        let notes: Vec<_> = list.elements().iter().map(|element| element.metadata().to_owned()).collect();
        assert_eq!(notes, ["a", ""]);
    }
}

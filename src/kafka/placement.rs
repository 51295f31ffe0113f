//! Which partitions a lane owns and where it stands in each: first placement (the start policy, once), going back to what
//! is committed after an abort, and positions the broker no longer has.

use std::{sync::Arc, time::Duration};

use rdkafka::{TopicPartitionList, consumer::Consumer, error::KafkaResult, topic_partition_list::Offset};

use crate::{
    config::From,
    io::Fatal,
    lead::{Partition, Timestamp},
};

use super::consumer::Member;

const CALL: Duration = Duration::from_secs(5);

/// A partition this lane owns.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) partition: Partition,
    /// The next offset to decide, as far as this lane has committed.
    pub(super) next: Option<i64>,
    /// Timestamp of the last record that was read.
    pub(super) newest: Option<Timestamp>,
}

/// All partitions this lane owns, sorted.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    owned: Vec<Owned>,
    /// Where the last record was found: records come in runs of one partition.
    last: usize,
}

impl Ownership {
    pub(super) fn add(&mut self, partition: Partition) {
        if let Err(place) = self.owned.binary_search_by(|owned| owned.partition.cmp(&partition)) {
            self.owned.insert(place, Owned { partition, next: None, newest: None });
        }
    }

    pub(super) fn remove(&mut self, partition: &Partition) {
        self.owned.retain(|owned| owned.partition != *partition);
    }

    pub(super) fn clear(&mut self) -> Vec<Partition> {
        std::mem::take(&mut self.owned).into_iter().map(|owned| owned.partition).collect()
    }

    /// The owned partition under this name and number; `None`: not ours.
    pub(super) fn find(&mut self, topic: &str, number: i32) -> Option<&mut Owned> {
        let same = |owned: &Owned| owned.partition.number == number && *owned.partition.topic == *topic;
        if !self.owned.get(self.last).is_some_and(same) {
            self.last =
                self.owned.binary_search_by(|owned| (&*owned.partition.topic, owned.partition.number).cmp(&(topic, number))).ok()?;
        }
        self.owned.get_mut(self.last)
    }

    pub(super) fn get_mut(&mut self, partition: &Partition) -> Option<&mut Owned> {
        let place = self.owned.binary_search_by(|owned| owned.partition.cmp(partition)).ok()?;
        self.owned.get_mut(place)
    }

    pub(super) fn partitions(&self) -> Vec<Partition> {
        self.owned.iter().map(|owned| owned.partition.clone()).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Owned> {
        self.owned.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owned.is_empty()
    }
}

/// Turns librdkafka's names into ours, sharing one text a topic.
pub(super) fn shared(topics: &[Arc<str>], names: Vec<(String, i32)>) -> Vec<Partition> {
    let share = |name: &str| topics.iter().find(|topic| ***topic == *name).map_or_else(|| Arc::from(name), Arc::clone);
    let mut partitions: Vec<_> = names.into_iter().map(|(name, number)| Partition { topic: share(&name), number }).collect();
    partitions.sort();
    partitions
}

/// Where a partition starts for which the group has no offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) from: From,
    /// What "latest" means: the process's own start, not the moment of the assignment. So a partition that is added while
    /// it runs is read from its beginning, and two lanes that join one after the other begin at the same time.
    pub(super) latest: Timestamp,
}

impl Start {
    fn offset(self, member: &Member, partition: &Partition) -> KafkaResult<i64> {
        let (low, high) = member.consumer.fetch_watermarks(&partition.topic, partition.number, CALL)?;
        if self.from == From::Earliest {
            return Ok(low);
        }
        let mut asked = TopicPartitionList::with_capacity(1);
        asked.add_partition_offset(&partition.topic, partition.number, Offset::Offset(self.latest.millis()))?;
        let found = member.consumer.offsets_for_times(asked, CALL)?;
        let found = found.find_partition(&partition.topic, partition.number);
        Ok(match found.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => offset.clamp(low, high),
            _ => high,
        })
    }
}

/// Makes sure that each of `partitions` has a committed offset: where the group has none, the start policy is resolved,
/// committed and taken. Where it has one, librdkafka starts there by itself.
pub(super) fn settle(member: &Member, partitions: &[Partition], policy: Start) -> KafkaResult<Vec<(Partition, i64)>> {
    let committed = member.committed(partitions, CALL)?;
    let mut known = Vec::with_capacity(committed.len());
    let mut fresh = Vec::new();
    for (partition, offset) in committed {
        match offset {
            Some(offset) => known.push((partition, offset)),
            None => fresh.push(partition),
        }
    }
    if fresh.is_empty() {
        return Ok(known);
    }
    let mut start = Vec::with_capacity(fresh.len());
    for partition in fresh {
        let offset = policy.offset(member, &partition)?;
        start.push((partition, offset));
    }
    member.commit(&start)?;
    member.reassign(&start)?;
    known.extend(start);
    Ok(known)
}

/// Goes back to what is committed, in every one of `partitions`.
pub(super) fn rewind(member: &Member, partitions: &[Partition], policy: Start) -> KafkaResult<Vec<(Partition, i64)>> {
    let committed = settle(member, partitions, policy)?;
    member.place(&committed, CALL)?;
    Ok(committed)
}

/// Whether every committed offset still lies within what the broker holds.
pub(super) fn check_range(member: &Member, partitions: &[Partition]) -> KafkaResult<Option<Fatal>> {
    for (partition, offset) in member.committed(partitions, CALL)? {
        let Some(offset) = offset else { continue };
        let (low, high) = member.consumer.fetch_watermarks(&partition.topic, partition.number, CALL)?;
        if offset < low || offset > high {
            return Ok(Some(Fatal {
                message: format!(
                    "reading {partition} from its committed offset {offset}: the broker holds {low} to {high} only. \
                     Records in between were deleted before they were decided, or the topic was made anew. \
                     Nothing is skipped silently: set the group's offset for this partition by hand \
                     (kafka-consumer-groups --reset-offsets --to-offset), or take a new `kafka.group`, then start again"
                ),
                exit: 64,
            }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(topic: &str, number: i32) -> Partition {
        Partition { topic: topic.into(), number }
    }

    #[test]
    fn only_owned_partitions_are_found() {
        let mut ownership = Ownership::default();
        for number in [3, 1, 2] {
            ownership.add(partition("a", number));
            ownership.add(partition("b", number));
        }
        ownership.remove(&partition("a", 2));
        assert_eq!(ownership.find("a", 3).map(|owned| owned.partition.clone()), Some(partition("a", 3)));
        assert!(ownership.find("a", 2).is_none());
        assert_eq!(ownership.find("b", 2).map(|owned| owned.partition.clone()), Some(partition("b", 2)));
        assert!(ownership.find("c", 1).is_none());
        assert!(ownership.get_mut(&partition("a", 1)).is_some());
        assert_eq!(ownership.clear().len(), 5);
        assert!(ownership.find("b", 2).is_none());
    }
}

//! Which partitions a lane owns and where it stands in each: first placement (the start policy, once), going back to what
//! is committed after an abort, and positions the broker no longer has. What becomes of these is `lane`'s to say.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    TopicPartitionList,
    consumer::Consumer,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    topic_partition_list::Offset,
};

use crate::{
    config::From,
    lead::{Partition, Timestamp},
};

use super::{NotedOffset, consumer::Member};

const CALL: Duration = Duration::from_secs(5);

/// A partition this lane owns.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) partition: Partition,
    /// The next offset to decide, as far as this lane has committed.
    pub(super) next: Option<i64>,
    /// What is noted there.
    pub(super) note: String,
    /// Timestamp of the last record that was read.
    pub(super) newest: Option<Timestamp>,
    /// It stands still: its position is lost.
    pub(super) halted: bool,
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
            self.owned.insert(place, Owned { partition, next: None, note: String::new(), newest: None, halted: false });
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

    /// Those that do not stand still, among `which`; `None`: among all.
    pub(super) fn moving(&self, which: Option<&[Partition]>) -> Vec<Owned> {
        let among = |owned: &&Owned| !owned.halted && which.is_none_or(|which| which.contains(&owned.partition));
        self.owned.iter().filter(among).cloned().collect()
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

/// What the broker and the group say of partitions.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Partitions with their committed offsets.
    pub(super) known: Vec<NotedOffset>,
    /// Partitions whose committed offset is gone.
    pub(super) lost: Vec<Lost>,
}

/// A partition whose committed offset the broker no longer holds, or whose offset the group no longer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) partition: Partition,
    /// What is committed; `None`: no longer anything, though this lane had committed.
    pub(super) committed: Option<i64>,
    /// The first offset that is still there.
    pub(super) low: i64,
    /// The end.
    pub(super) high: i64,
}

impl Lost {
    /// What happened, for a person.
    pub(super) fn what(&self) -> String {
        let Self { partition, committed, low, high } = self;
        match committed {
            Some(offset) if offset < low => format!(
                "the committed offset of {partition} is {offset}, and the broker holds {low} to {high} only: {} offsets in between \
                 were deleted before they were decided",
                low - offset
            ),
            Some(offset) => format!(
                "the committed offset of {partition} is {offset}, and the broker holds {low} to {high} only: the topic was made anew, \
                 or its log was cut short"
            ),
            None => {
                format!("the group has no offset of {partition} any more, and the broker holds {low} to {high}: the topic was made anew")
            }
        }
    }

    /// Offsets that are passed over by going on at the first record there is.
    pub(super) fn skipped(&self) -> u64 {
        self.committed.map_or(0, |offset| u64::try_from(self.low - offset).unwrap_or(0))
    }
}

/// What is not taken for granted of the group's offsets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubts {
    /// The broker may no longer hold them.
    pub(super) of_range: bool,
    /// They may be behind what this lane itself has committed. Where not, whoever says so is not asked again.
    pub(super) may_go_back: bool,
}

/// Makes sure that each of `partitions` has a committed offset: where the group has none, the start policy is resolved,
/// committed and taken. Going there is the caller's. What is doubted is looked at too.
pub(super) fn settle(member: &Member, partitions: &[Owned], policy: Start, doubts: Doubts) -> KafkaResult<Standing> {
    let names: Vec<_> = partitions.iter().map(|owned| owned.partition.clone()).collect();
    let mut standing = Standing::default();
    let mut fresh = Vec::new();
    for ((partition, found), owned) in member.committed(&names, CALL)?.into_iter().zip(partitions) {
        let committed = found.as_ref().map(|found| found.offset);
        // A group that had an offset and has none has lost its position; it has not just begun.
        let vanished = committed.is_none() && owned.next.is_some();
        if !doubts.may_go_back && committed.zip(owned.next).is_some_and(|(committed, next)| committed < next) {
            // A coordinator that was put out of office and has not heard of it yet.
            return Err(KafkaError::OffsetFetch(Code::NotCoordinator));
        }
        if vanished || (doubts.of_range && committed.is_some()) {
            let (low, high) = member.consumer.fetch_watermarks(&partition.topic, partition.number, CALL)?;
            if committed.is_none_or(|offset| offset < low || offset > high) {
                standing.lost.push(Lost { partition, committed, low, high });
                continue;
            }
        }
        match found {
            Some(found) => standing.known.push(found),
            None => fresh.push(partition),
        }
    }
    if fresh.is_empty() {
        return Ok(standing);
    }
    let mut start = Vec::with_capacity(fresh.len());
    for partition in fresh {
        let offset = policy.offset(member, &partition)?;
        start.push(NotedOffset { partition, offset, note: String::new() });
    }
    // Of one that is no member the group would take them only while it is empty: and then others may have come and gone since.
    if !member.may_commit() {
        return Err(KafkaError::OffsetFetch(Code::UnknownMemberId));
    }
    member.commit(&start)?;
    standing.known.extend(start);
    Ok(standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(topic: &str, number: i32) -> Partition {
        Partition { topic: topic.into(), number }
    }

    #[test]
    fn a_lost_position_is_told_with_what_is_missing() {
        let lost = |committed, low, high| Lost { partition: partition("raw", 3), committed, low, high };
        let behind = lost(Some(5), 8, 12);
        assert!(behind.what().contains("raw/3") && behind.what().contains("3 offsets in between"), "{}", behind.what());
        assert_eq!(behind.skipped(), 3);
        let beyond = lost(Some(100), 0, 10);
        assert!(beyond.what().contains("100") && beyond.what().contains("0 to 10"), "{}", beyond.what());
        // Nobody knows how many there were; what is there is decided from its beginning.
        assert_eq!((beyond.skipped(), lost(None, 0, 10).skipped()), (0, 0));
    }

    #[test]
    fn what_stands_still_is_not_put_in_place_again() {
        let mut ownership = Ownership::default();
        for number in 0..3 {
            ownership.add(partition("a", number));
        }
        ownership.get_mut(&partition("a", 1)).expect("owned").halted = true;
        let numbers = |owned: Vec<Owned>| owned.into_iter().map(|owned| owned.partition.number).collect::<Vec<_>>();
        assert_eq!(numbers(ownership.moving(None)), [0, 2]);
        assert_eq!(numbers(ownership.moving(Some(&[partition("a", 1), partition("a", 2)]))), [2]);
        // Given back and taken again, it is looked at anew.
        ownership.remove(&partition("a", 1));
        ownership.add(partition("a", 1));
        assert_eq!(numbers(ownership.moving(None)), [0, 1, 2]);
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

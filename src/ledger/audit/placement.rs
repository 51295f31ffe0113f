//! Whether outputs stand in the partition of their key: Java's default partitioner, murmur2 of the key modulo the number of
//! partitions. Where partitions were added later, what was written before stands where fewer of them put it, and passes.

use std::collections::BTreeMap;

use crate::lead::key_hash;

/// Producers learn of new partitions within minutes: so much later, in milliseconds, one may still have written as before.
const LEARNT: i64 = 600_000;
/// More outputs that stand elsewhere are counted, not named.
const NAMED: usize = 1_000;

/// One topic.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    partitions: u32,
    /// When the first output of each partition was written.
    first: BTreeMap<u32, i64>,
    /// Those that stand elsewhere, by the largest smaller number of partitions that puts them where they are; 0: none does.
    elsewhere: BTreeMap<u32, Elsewhere>,
}

#[derive(Clone, Debug, Default)]
struct Elsewhere {
    /// When each was written.
    times: Vec<i64>,
    /// The first, and which partition is its key's.
    named: Vec<(i64, String, u32)>,
}

/// What is said of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// Ids with what is wrong.
    pub(super) misplaced: Vec<(String, String)>,
    /// Misplaced, and not named.
    pub(super) unnamed: u64,
    /// Outputs of a time when the topic had fewer partitions.
    pub(super) of_fewer: u64,
}

impl Placement {
    pub(super) fn new(partitions: u32) -> Self {
        Self { partitions, first: BTreeMap::new(), elsewhere: BTreeMap::new() }
    }

    /// Takes an output; `id` is asked for its name only where it stands elsewhere.
    pub(super) fn output(&mut self, partition: i32, key: Option<&[u8]>, millis: i64, id: impl FnOnce() -> String) {
        let Ok(partition) = u32::try_from(partition) else { return };
        let first = self.first.entry(partition).or_insert(millis);
        *first = millis.min(*first);
        // One without a key may stand anywhere.
        let Some(key) = key.filter(|key| !key.is_empty()) else { return };
        let hash = key_hash(key);
        // One that was added since the topic was looked up is as good as any.
        if partition >= self.partitions || hash % self.partitions == partition {
            return;
        }
        let fewer = (partition + 1..self.partitions).rev().find(|fewer| hash % fewer == partition).unwrap_or(0);
        let Elsewhere { times, named } = self.elsewhere.entry(fewer).or_default();
        times.push(millis);
        if named.len() < NAMED {
            named.push((millis, id(), hash % self.partitions));
        }
    }

    /// Whether partitions were added: then what was written before stands in fewer, and nothing in the others is older.
    pub(super) fn judge(self) -> Placed {
        let mut placed = Placed::default();
        for (fewer, Elsewhere { times, named }) in &self.elsewhere {
            // The partitions that had to be there last.
            let added = self.first.range(*fewer..).map(|(_, first)| *first).min().unwrap_or(i64::MAX);
            let was_so = *fewer > 0 && times.iter().any(|time| *time <= added);
            let is_right = |time: i64| was_so && time <= added.saturating_add(LEARNT);
            let right = times.iter().filter(|time| is_right(**time)).count();
            placed.of_fewer += right as u64;
            let wrong = named.iter().filter(|(time, ..)| !is_right(*time));
            let before = placed.misplaced.len();
            placed
                .misplaced
                .extend(wrong.map(|(_, id, own)| (id.clone(), format!("{id}: it stands in another partition than {own}, its key's"))));
            placed.unnamed += (times.len() - right).saturating_sub(placed.misplaced.len() - before) as u64;
        }
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(key: &str, partitions: u32) -> i32 {
        i32::try_from(key_hash(key.as_bytes()) % partitions).expect("small")
    }

    /// Outputs by key, partition and time, in a topic of so many partitions.
    fn placed(partitions: u32, outputs: &[(String, i32, i64)]) -> Placed {
        let mut placement = Placement::new(partitions);
        for (key, partition, time) in outputs {
            placement.output(*partition, Some(key.as_bytes()), *time, || key.clone());
        }
        placement.output(0, None, i64::MAX, || unreachable!("one without a key stands anywhere"));
        placement.judge()
    }

    #[test]
    fn what_was_moved_is_told_and_what_was_written_to_fewer_partitions_is_not() {
        let keys: Vec<String> = (0..200).map(|number| format!("key {number}")).collect();
        let whole: Vec<_> = keys.iter().zip(0..).map(|(key, time)| (key.clone(), own(key, 6), time)).collect();
        assert_eq!(placed(6, &whole), Placed::default());
        for to in 0..6 {
            let mut moved = whole.clone();
            let one = moved.iter().position(|(key, ..)| own(key, 6) != to && moved[100].0 <= *key).expect("one");
            let one = one.max(100) + moved[one.max(100)..].iter().position(|(key, ..)| own(key, 6) != to).expect("one");
            moved[one].1 = to;
            let found = placed(6, &moved);
            assert_eq!((found.misplaced.len(), found.of_fewer), (1, 0), "to {to}: {found:?}");
            assert_eq!(found.misplaced[0].0, moved[one].0);
        }
        // Three partitions, then six; some minutes later one producer still knew of three.
        let grown = keys.iter().zip(0..).map(|(key, time)| (key.clone(), own(key, if time < 100 || time == 150 { 3 } else { 6 }), time));
        let grown: Vec<_> = grown.collect();
        let found = placed(6, &grown);
        assert!(found.misplaced.is_empty() && found.of_fewer > 30, "{found:?}");
        // Much later nobody does.
        let late: Vec<_> = grown.iter().map(|(key, partition, time)| (key.clone(), *partition, time * 10_000)).collect();
        let found = placed(6, &late);
        assert!(found.misplaced.len() <= 1, "{found:?}");
    }
}

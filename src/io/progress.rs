//! How far a lane has come: a map from partition to next offset that only grows, so that merging is safe in any order.

use std::collections::BTreeMap;

use crate::lead::{NextOffset, Partition, Position};

/// Partition to the next offset to read: a join-semilattice. What is noted beside an offset is the transaction's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    next: BTreeMap<Partition, NextOffset>,
    notes: BTreeMap<Partition, String>,
}

impl Progress {
    /// The record at `at` is done.
    pub fn observe(&mut self, at: &Position) {
        self.advance(&at.partition, at.next());
    }

    /// `partition` is done up to `next`; going back does nothing.
    pub fn advance(&mut self, partition: &Partition, next: NextOffset) {
        match self.next.get_mut(partition) {
            Some(known) => *known = (*known).max(next),
            None => {
                self.next.insert(partition.clone(), next);
            }
        }
    }

    /// All that either side has done.
    pub fn merge(&mut self, other: &Self) {
        for (partition, next) in &other.next {
            self.advance(partition, *next);
        }
    }

    /// Has `note` stand beside the offset of `partition`.
    pub fn note(&mut self, partition: &Partition, note: String) {
        self.notes.insert(partition.clone(), note);
    }

    /// What stands beside the offset of `partition`; empty: nothing.
    #[must_use]
    pub fn noted(&self, partition: &Partition) -> &str {
        self.notes.get(partition).map_or("", String::as_str)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.next.clear();
        self.notes.clear();
    }

    /// The next offset of `partition`, if anything of it is done.
    #[must_use]
    pub fn get(&self, partition: &Partition) -> Option<NextOffset> {
        self.next.get(partition).copied()
    }

    /// Partitions in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Partition, NextOffset)> {
        self.next.iter().map(|(partition, next)| (partition, *next))
    }

    /// Whether nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn progress() -> impl Strategy<Value = Progress> {
        proptest::collection::btree_map((0..4_i32, 0..2_u8), 0..100_i64, 0..6).prop_map(|map| {
            let mut progress = Progress::default();
            for ((number, topic), offset) in map {
                progress.observe(&Position { partition: Partition { topic: format!("t{topic}").into(), number }, offset });
            }
            progress
        })
    }

    proptest! {
        #[test]
        fn merging_is_commutative_idempotent_and_never_goes_back(a in progress(), b in progress()) {
            let mut ab = a.clone();
            ab.merge(&b);
            let mut ba = b.clone();
            ba.merge(&a);
            prop_assert_eq!(&ab, &ba);
            let mut again = ab.clone();
            again.merge(&a);
            prop_assert_eq!(&again, &ab);
            for (partition, next) in a.iter() {
                prop_assert!(ab.get(partition).is_some_and(|merged| merged >= next));
            }
        }
    }
}

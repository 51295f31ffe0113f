//! Dead letters as the records they stand for, where and when these were read first, to be decided again, each record once. Reads
//! nothing: one whose value was left out is not restored here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    dead_letters::Letter,
    io::Batch,
    lead::{Partition, Position, Record},
    pipeline::EarlierFailures,
};

/// What is read are dead letters, and what is decided are the records they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// Of dead letters with this code only.
    pub code: Option<String>,
    /// Those that are passed over, because a newer one stands for the same record.
    pub superseded: Arc<Superseded>,
}

impl Restore {
    /// Makes `into` hold the record that a dead letter stands for, and tells how often that was rejected. `None`: it is passed over,
    /// having another code, no value, no place where it was read, or a newer one beside it.
    pub(super) fn restore(&self, dead: &Record<'_>, into: &mut Batch) -> Option<EarlierFailures> {
        let letter = Letter::of(dead);
        let origin = meant(&letter, self.code.as_deref()).filter(|_| !self.superseded.contains(&dead.at))?.clone();
        restore(dead, &letter, origin, into);
        Some(EarlierFailures { attempts: letter.attempts, first: letter.first_failed_at })
    }
}

/// Where the record of a dead letter stood that is to be decided, unless a newer one stands for it.
pub(super) fn meant<'l>(letter: &'l Letter, code: Option<&str>) -> Option<&'l Position> {
    let is_meant = code.is_none_or(|code| *code == letter.code) && letter.unkept.is_none();
    letter.origin.as_ref().filter(|_| is_meant)
}

/// Dead letters for whose record there is a newer one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superseded(BTreeMap<Partition, Vec<i64>>);

impl Superseded {
    /// Those at these offsets of their partitions.
    #[must_use]
    pub fn at(mut offsets: BTreeMap<Partition, Vec<i64>>) -> Self {
        for offsets in offsets.values_mut() {
            offsets.sort_unstable();
        }
        Self(offsets)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|offsets| offsets.len() as u64).sum()
    }

    fn contains(&self, at: &Position) -> bool {
        self.0.get(&at.partition).is_some_and(|offsets| offsets.binary_search(&at.offset).is_ok())
    }
}

/// Records for which dead letters stand: `dlq` sees to them, so a replay that writes beside it must not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<Partition, BTreeSet<i64>>);

impl PassedOver {
    /// Takes the record for which this dead letter stands.
    pub fn learn(&mut self, dead: &Record<'_>) {
        if let Some(origin) = Letter::of(dead).origin {
            self.0.entry(origin.partition).or_default().insert(origin.offset);
        }
    }

    /// How many lie in these offsets of a partition.
    #[must_use]
    pub fn within(&self, partition: &Partition, offsets: std::ops::Range<i64>) -> u64 {
        self.0.get(partition).map_or(0, |known| known.range(offsets).count() as u64)
    }

    pub(super) fn contains(&self, at: &Position) -> bool {
        self.0.get(&at.partition).is_some_and(|offsets| offsets.contains(&at.offset))
    }
}

/// Makes `into` hold the record of a dead letter that was read at `origin` first.
pub(super) fn restore(dead: &Record<'_>, letter: &Letter, origin: Position, into: &mut Batch) {
    into.clear(1 << 20);
    let headers = letter.own_headers(dead);
    into.push(origin, letter.received_at, dead.key, dead.value, headers);
}

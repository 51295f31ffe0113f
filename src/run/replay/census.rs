//! Which dead letters of a range are decided: of each record the newest. Reads nothing, and restores nothing.

use std::collections::BTreeMap;

use crate::{
    dead_letters::Letter,
    lead::{Partition, Record, Timestamp},
};

use super::super::restored::{Superseded, meant};

/// All dead letters of a range, counted before the first is decided: so it follows from the range alone which is a record's newest,
/// and the same comes of it however often the work is stopped. Some 40 bytes for each dead letter.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// By where their records stood.
    standing: BTreeMap<Partition, Vec<Standing>>,
    /// The partitions that dead letters are in, in the order in which they came.
    partitions: Vec<Partition>,
    /// Dead letters that are not meant.
    others: u64,
    meant: BTreeMap<Partition, u64>,
}

/// A dead letter for the record at an offset. The newest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    record: i64,
    attempts: u32,
    written: Timestamp,
    /// Its own place: a number in the list of partitions, and the offset.
    partition: u32,
    offset: i64,
}

impl Census {
    /// Counts one; `code`: only those with it are meant.
    pub(super) fn learn(&mut self, dead: &Record<'_>, code: Option<&str>) {
        let letter = Letter::of(dead);
        let Some(origin) = meant(&letter, code) else {
            self.others += 1;
            return;
        };
        let known = self.partitions.iter().position(|known| *known == dead.at.partition);
        let partition = known.unwrap_or_else(|| {
            self.partitions.push(dead.at.partition.clone());
            self.partitions.len() - 1
        });
        let (Ok(partition), offset) = (u32::try_from(partition), dead.at.offset) else { return };
        let standing = Standing { record: origin.offset, attempts: letter.attempts, written: dead.received_at, partition, offset };
        self.standing.entry(origin.partition.clone()).or_default().push(standing);
        *self.meant.entry(dead.at.partition.clone()).or_default() += 1;
    }

    /// Tells which is the newest of each record.
    pub(super) fn taken(self) -> Taken {
        let Self { standing, partitions, others, meant: mut left } = self;
        let mut superseded: BTreeMap<Partition, Vec<i64>> = BTreeMap::new();
        for mut standing in standing.into_values() {
            standing.sort_unstable();
            let older = standing.windows(2).filter_map(|pair| match pair {
                [one, next] if one.record == next.record => Some(one),
                _ => None,
            });
            for Standing { partition, offset, .. } in older {
                let Some(partition) = usize::try_from(*partition).ok().and_then(|number| partitions.get(number)) else { continue };
                superseded.entry(partition.clone()).or_default().push(*offset);
                left.entry(partition.clone()).and_modify(|left| *left -= 1);
            }
        }
        Taken { superseded: Superseded::at(superseded), records: left, others }
    }
}

/// What of a range of dead letters is decided, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Not decided: there are newer ones.
    pub(super) superseded: Superseded,
    /// So many records are decided out of each partition.
    pub(super) records: BTreeMap<Partition, u64>,
    /// How many have another code, no value, or no place where their record stood.
    pub(super) others: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{io::Batch, lead::Position, run::Restore};

    /// A batch of dead letters: the record's offset, the attempt, when it was written, and the partition it is in.
    fn dead_letters(all: &[(i64, u32, i64, i32, &str)]) -> Batch {
        let mut batch = Batch::default();
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        for (record, attempt, written, number, code) in all {
            let offset = next.entry(*number).or_default();
            let at = Position { partition: Partition { topic: "dead".into(), number: *number }, offset: *offset };
            *offset += 1;
            let (record, attempt) = (record.to_string(), attempt.to_string());
            let headers =
                [("dlq-topic", "raw"), ("dlq-partition", "0"), ("dlq-offset", &record), ("dlq-code", code), ("dlq-attempt", &attempt)];
            let headers = headers.map(|(name, value)| (name, Some(value.as_bytes())));
            batch.push(at, Timestamp::from_millis(*written), None, Some(b"{}"), headers.into_iter());
        }
        batch
    }

    /// Partition, offset and attempts of those that are decided.
    fn decided(batch: &Batch, code: Option<&str>) -> (Vec<(i32, i64, u32)>, Taken) {
        let mut census = Census::default();
        batch.iter().for_each(|dead| census.learn(&dead, code));
        let taken = census.taken();
        let restore = Restore { code: code.map(str::to_owned), superseded: Arc::new(taken.superseded.clone()) };
        let mut into = Batch::default();
        let decided = batch.iter().filter_map(|dead| {
            let earlier = restore.restore(&dead, &mut into)?;
            Some((dead.at.partition.number, dead.at.offset, earlier.attempts))
        });
        (decided.collect(), taken)
    }

    #[test]
    fn of_several_dead_letters_of_a_record_the_newest_is_decided_alone() {
        let (deep, bad) = ("too_deep", "malformed_json");
        let batch = dead_letters(&[
            (7, 1, 10, 0, deep),
            // Of the most attempts, wherever it is and whenever it came.
            (7, 3, 30, 1, bad),
            (7, 2, 40, 0, deep),
            // Of as many attempts the last written, or else the one that stands behind.
            (8, 1, 50, 0, deep),
            (8, 1, 20, 1, deep),
            (9, 1, 20, 0, deep),
            (9, 1, 20, 0, deep),
        ]);
        let (of_any, taken) = decided(&batch, None);
        assert_eq!(of_any, [(1, 0, 3), (0, 2, 1), (0, 4, 1)]);
        assert_eq!((taken.superseded.count(), taken.others, taken.records.values().copied().collect::<Vec<_>>()), (4, 0, vec![2, 1]));
        // Of those with one code the newest, whatever became of the record later.
        let (of_code, taken) = decided(&batch, Some(deep));
        assert_eq!(of_code, [(0, 1, 2), (0, 2, 1), (0, 4, 1)]);
        assert_eq!((taken.superseded.count(), taken.others), (3, 1));
    }
}

//! Which dead letters are settled: retried, or parked. Kept as one record for each thousand offsets of a partition, so that the last
//! record of each key says all there is to know, however often dead letters are picked out of order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::lead::{Partition, Position};

/// Offsets that one record tells of.
const BLOCK: i64 = 1000;

/// The settled positions of dead-letter topics.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    blocks: BTreeMap<(Partition, i64), BTreeSet<i64>>,
}

/// A record that cannot be what `leadstream` wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its key or value is not what leadstream writes there (TOPIC/PARTITION/FIRST, ranges of offsets)")]
pub struct Unreadable;

impl Settled {
    /// Whether it is settled.
    #[must_use]
    pub fn contains(&self, at: &Position) -> bool {
        self.blocks.get(&block(at)).is_some_and(|offsets| offsets.contains(&at.offset))
    }

    /// Settles a dead letter.
    pub fn insert(&mut self, at: &Position) {
        self.blocks.entry(block(at)).or_default().insert(at.offset);
    }

    /// How many are settled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.values().map(BTreeSet::len).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Takes in a record: from now on its block is what it says.
    ///
    /// # Errors
    /// It is no such record.
    pub fn learn(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), Unreadable> {
        let text = |bytes: Option<&[u8]>| bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned).ok_or(Unreadable);
        let key = read_key(&text(key)?).ok_or(Unreadable)?;
        let first = key.1;
        let offsets = read_ranges(&text(value)?).ok_or(Unreadable)?;
        if offsets.iter().any(|offset| !(first..first + BLOCK).contains(offset)) {
            return Err(Unreadable);
        }
        self.blocks.insert(key, offsets);
        Ok(())
    }

    /// The records, key and value, that tell of the blocks in which these positions lie.
    #[must_use]
    pub fn records<'p>(&self, positions: impl IntoIterator<Item = &'p Position>) -> Vec<(String, String)> {
        let touched: BTreeSet<_> = positions.into_iter().map(block).collect();
        let of = |key: &(Partition, i64)| self.blocks.get(key).map(|offsets| (format!("{}/{}", key.0, key.1), ranges(offsets)));
        touched.iter().filter_map(of).collect()
    }
}

fn block(at: &Position) -> (Partition, i64) {
    (at.partition.clone(), at.offset - at.offset.rem_euclid(BLOCK))
}

fn read_key(key: &str) -> Option<(Partition, i64)> {
    let (partition, first) = key.rsplit_once('/')?;
    let (topic, number) = partition.rsplit_once('/')?;
    let first: i64 = first.parse().ok().filter(|first: &i64| *first >= 0 && *first < i64::MAX - BLOCK && first % BLOCK == 0)?;
    Some((Partition { topic: topic.into(), number: number.parse().ok()? }, first))
}

/// `3,7-9`.
fn ranges(offsets: &BTreeSet<i64>) -> String {
    let mut text = String::new();
    let mut rest = offsets.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if_eq(&(last + 1)) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = if first == last { write!(text, "{comma}{first}") } else { write!(text, "{comma}{first}-{last}") };
    }
    text
}

fn read_ranges(text: &str) -> Option<BTreeSet<i64>> {
    let mut offsets = BTreeSet::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last.checked_sub(first)? >= BLOCK {
            return None;
        }
        offsets.extend(first..=last);
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(number: i32, offset: i64) -> Position {
        Position { partition: Partition { topic: "leads.dead-letter".into(), number }, offset }
    }

    #[test]
    fn a_record_tells_a_block_for_people_too() {
        let mut settled = Settled::default();
        let positions = [7, 3, 9, 8, 1000].map(|offset| at(2, offset));
        for at in &positions {
            settled.insert(at);
        }
        let told = [("leads.dead-letter/2/0", "3,7-9"), ("leads.dead-letter/2/1000", "1000")];
        assert_eq!(settled.records(&positions), told.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(settled.records(&positions[4..]).len(), 1);
    }

    #[test]
    fn what_leadstream_did_not_write_is_refused() {
        let mut settled = Settled::default();
        for (key, value) in [("t/0/0", ""), ("t/0/0", "5-2"), ("t/0/0", "1000"), ("t/0/7", "7"), ("t/0", "7"), ("t/0/0", "0-99999999999")] {
            assert_eq!(settled.learn(Some(key.as_bytes()), Some(value.as_bytes())), Err(Unreadable), "{key} {value}");
        }
        assert_eq!(settled.learn(None, Some(b"1")), Err(Unreadable));
        assert_eq!(settled.learn(Some(b"t/0/0"), None), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(offsets in prop::collection::vec((0..3_i32, 0..5000_i64), 1..300)) {
            let positions: Vec<_> = offsets.iter().map(|(number, offset)| at(*number, *offset)).collect();
            let mut settled = Settled::default();
            for at in &positions {
                settled.insert(at);
            }
            let mut again = Settled::default();
            for (key, value) in settled.records(&positions) {
                again.learn(Some(key.as_bytes()), Some(value.as_bytes())).expect("our own");
                prop_assert!(value.len() < 3000);
            }
            prop_assert_eq!(again.len(), settled.len());
            for number in 0..3 {
                for offset in 0..5000 {
                    prop_assert_eq!(again.contains(&at(number, offset)), settled.contains(&at(number, offset)));
                }
            }
        }
    }
}

//! Which dead letters are settled: retried, or parked; and what was written for each. Kept as one record for each thousand offsets of
//! a partition, so that the last record of each key says all there is to know, however often dead letters are picked out of order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use crate::lead::{Partition, Position};

/// Offsets that one record tells of.
const BLOCK: i64 = 1000;

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Its record was decided, and left as events.
    Decided,
    /// Its record was rejected again: another dead letter stands for it.
    Rejected,
    /// It stands in the parking topic.
    Parked,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Decided, Self::Rejected, Self::Parked];

    fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
        }
    }
}

/// What was written when a dead letter was settled: `decided:6b1d7cf3a0b1c2d3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settlement {
    /// What became of it.
    pub fate: Fate,
    /// Of all that was written for it, half of the digest that the ledger would have.
    pub digest: u64,
}

impl Settlement {
    fn read(text: &str) -> Option<Self> {
        let (fate, digest) = text.split_once(':')?;
        let fate = Fate::ALL.into_iter().find(|known| known.name() == fate)?;
        let digest = (digest.len() == 16).then(|| u64::from_str_radix(digest, 16).ok())??;
        Some(Self { fate, digest })
    }
}

impl fmt::Display for Settlement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{:016x}", self.fate.name(), self.digest)
    }
}

/// The settled ones of a thousand offsets; `None`: by a version that did not keep what was written.
type Block = BTreeMap<i64, Option<Settlement>>;

/// The settled positions of dead-letter topics.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    blocks: BTreeMap<(Partition, i64), Block>,
}

/// A record that cannot be what `leadstream` wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its key or value is not what leadstream writes there (TOPIC/PARTITION/FIRST, offsets with what was written for each)")]
pub struct Unreadable;

impl Settled {
    /// Whether it is settled.
    #[must_use]
    pub fn contains(&self, at: &Position) -> bool {
        self.of(at).is_some()
    }

    /// Whether it is settled, and what was written then, if that was kept.
    #[must_use]
    pub fn of(&self, at: &Position) -> Option<Option<Settlement>> {
        self.blocks.get(&block(at))?.get(&at.offset).copied()
    }

    /// All that are settled.
    pub fn iter(&self) -> impl Iterator<Item = (Position, Option<Settlement>)> + '_ {
        let at = |partition: &Partition, offset: &i64| Position { partition: partition.clone(), offset: *offset };
        self.blocks.iter().flat_map(move |((partition, _), block)| block.iter().map(move |(offset, what)| (at(partition, offset), *what)))
    }

    /// Settles a dead letter.
    pub fn insert(&mut self, at: &Position, what: Settlement) {
        self.blocks.entry(block(at)).or_default().insert(at.offset, Some(what));
    }

    /// How many are settled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.values().map(BTreeMap::len).sum()
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
        let block = read_block(&text(value)?).ok_or(Unreadable)?;
        if block.keys().any(|offset| !(first..first + BLOCK).contains(offset)) {
            return Err(Unreadable);
        }
        self.blocks.insert(key, block);
        Ok(())
    }

    /// The records, key and value, that tell of the blocks in which these positions lie.
    #[must_use]
    pub fn records<'p>(&self, positions: impl IntoIterator<Item = &'p Position>) -> Vec<(String, String)> {
        let touched: BTreeSet<_> = positions.into_iter().map(block).collect();
        let of = |key: &(Partition, i64)| self.blocks.get(key).map(|offsets| (format!("{}/{}", key.0, key.1), written(offsets)));
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

/// `3=decided:6b1d7cf3a0b1c2d3,4=parked:…`; of what is not known what was written, only where it stood: `3,7-9`.
fn written(block: &Block) -> String {
    let mut text = String::new();
    let mut rest = block.iter().map(|(offset, what)| (*offset, *what)).peekable();
    while let Some((first, what)) = rest.next() {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{first}");
        if let Some(what) = what {
            let _ = write!(text, "={what}");
            continue;
        }
        let mut last = first;
        while let Some((next, _)) = rest.next_if_eq(&(last + 1, None)) {
            last = next;
        }
        if first < last {
            let _ = write!(text, "-{last}");
        }
    }
    text
}

fn read_block(text: &str) -> Option<Block> {
    let mut block = Block::new();
    for part in text.split(',') {
        if let Some((offset, what)) = part.split_once('=') {
            block.insert(offset.parse().ok()?, Some(Settlement::read(what)?));
            continue;
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last.checked_sub(first)? >= BLOCK {
            return None;
        }
        block.extend((first..=last).map(|offset| (offset, None)));
    }
    Some(block)
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
        settled.learn(Some(b"leads.dead-letter/2/0"), Some(b"5,8-9")).expect("an earlier version's");
        let positions = [(7, Fate::Parked), (3, Fate::Decided), (1000, Fate::Rejected)].map(|(offset, fate)| (at(2, offset), fate));
        for (at, fate) in &positions {
            settled.insert(at, Settlement { fate: *fate, digest: 0x6b1d_7cf3_a0b1_c2d3 });
        }
        let positions = positions.map(|(at, _)| at);
        let told = [
            ("leads.dead-letter/2/0", "3=decided:6b1d7cf3a0b1c2d3,5,7=parked:6b1d7cf3a0b1c2d3,8-9"),
            ("leads.dead-letter/2/1000", "1000=rejected:6b1d7cf3a0b1c2d3"),
        ];
        assert_eq!(settled.records(&positions), told.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(settled.records(&positions[2..]).len(), 1);
    }

    #[test]
    fn what_leadstream_did_not_write_is_refused() {
        let mut settled = Settled::default();
        for (key, value) in [
            ("t/0/0", ""),
            ("t/0/0", "5-2"),
            ("t/0/0", "1000"),
            ("t/0/7", "7"),
            ("t/0", "7"),
            ("t/0/0", "0-99999999999"),
            ("t/0/0", "3=x:6b1d7cf3a0b1c2d3"),
            ("t/0/0", "3=parked:6b1d"),
            ("t/0/0", "-1=parked:6b1d7cf3a0b1c2d3"),
        ] {
            assert_eq!(settled.learn(Some(key.as_bytes()), Some(value.as_bytes())), Err(Unreadable), "{key} {value}");
        }
        assert_eq!(settled.learn(None, Some(b"1")), Err(Unreadable));
        assert_eq!(settled.learn(Some(b"t/0/0"), None), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(offsets in prop::collection::vec((0..3_i32, 0..5000_i64, 0..3_usize, any::<u64>()), 1..300)) {
            let positions: Vec<_> = offsets.iter().map(|(number, offset, ..)| at(*number, *offset)).collect();
            let mut settled = Settled::default();
            for (at, (_, _, fate, digest)) in positions.iter().zip(&offsets) {
                settled.insert(at, Settlement { fate: Fate::ALL[*fate], digest: *digest });
            }
            let mut again = Settled::default();
            for (key, value) in settled.records(&positions) {
                again.learn(Some(key.as_bytes()), Some(value.as_bytes())).expect("our own");
                prop_assert!(value.len() < 12_000);
            }
            prop_assert_eq!(again.len(), settled.len());
            prop_assert!(again.iter().eq(settled.iter()));
            for number in 0..3 {
                for offset in 0..5000 {
                    prop_assert_eq!(again.of(&at(number, offset)), settled.of(&at(number, offset)));
                }
            }
        }
    }
}

//! What must come out, and what did. Every lead the broker has acknowledged is an obligation: a number, at a position. The
//! oracle knows what becomes of each number without asking the program, and counts what an independent reader shows it.
//! Reads and writes nothing itself.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::leads::Expected;

/// What becomes of one record, whatever is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// One lead, or a dead letter.
    One(Expected),
    /// So many leads in one record, each unqualified.
    Many(u32),
}

impl Fate {
    /// Names of its outputs: event ids without the position, or the dead letter's code.
    pub(crate) fn outputs(&self) -> Vec<String> {
        match self {
            Self::One(Expected::Qualified(destinations)) => {
                let routed = destinations.iter().map(|destination| format!("0/routed/{destination}"));
                std::iter::once("0/qualified".to_owned()).chain(routed).collect()
            }
            Self::One(Expected::Unqualified(_)) => vec!["0/unqualified".to_owned()],
            Self::One(Expected::DeadLetter(code)) => vec![dead_letter(code)],
            Self::Many(leads) => (0..*leads).map(|index| format!("{index}/unqualified")).collect(),
        }
    }

    fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        self.outputs().iter().for_each(|name| sum.add(name.as_bytes()));
        sum
    }
}

/// The name of a dead letter among the outputs.
pub(crate) fn dead_letter(code: &str) -> String {
    format!("dead letter {code}")
}

/// A bag of texts: how many, and a sum of their hashes, so that two bags are the same when these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) count: u32,
    hash: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, text: &[u8]) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.count += 1;
        self.hash = self.hash.wrapping_add(hasher.finish());
    }
}

/// What is wrong, in numbers of records; and how much there was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) obligations: u64,
    pub(crate) outputs: u64,
    /// No outcome, or a part of it.
    pub(crate) lost: u64,
    /// More outputs than it has.
    pub(crate) duplicated: u64,
    /// As many outputs as it has, but others.
    pub(crate) wrong: u64,
    /// Outputs before which, in their partition, stands a later one of the same input partition.
    pub(crate) reordered: u64,
    /// Keys whose events are in more than one partition of a topic.
    pub(crate) scattered: u64,
    /// Outputs of positions that nobody wrote.
    pub(crate) invented: u64,
    /// Positions whose events are not, byte for byte, those of `leadstream process`; dead letters that are not the original.
    pub(crate) altered: u64,
    /// The first few, for a person.
    pub(crate) told: Vec<String>,
    /// Where those stood in the input.
    pub(crate) positions: Vec<(i32, i64)>,
}

impl Findings {
    /// Whether the promise was kept.
    pub(crate) fn are_none(&self) -> bool {
        [self.lost, self.duplicated, self.wrong, self.reordered, self.scattered, self.invented, self.altered] == [0; 7]
    }

    fn tell(&mut self, at: (i32, i64), what: impl FnOnce() -> String) {
        if self.told.len() < 20 {
            self.told.push(what());
            self.positions.push(at);
        }
    }
}

/// One position's outputs, so far as they have been seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    names: Sum,
    bytes: Sum,
}

/// The obligations, and what was seen of them.
pub(crate) struct Oracle {
    /// Numbers by partition and offset.
    written: Vec<Vec<u32>>,
    seen: Vec<Vec<Seen>>,
    fate: fn(u32) -> Fate,
    /// The last offset seen, by topic, its partition, and input partition.
    last: HashMap<(usize, i32, i32), i64>,
    homes: HashMap<(usize, u64), i32>,
    findings: Findings,
}

impl Oracle {
    /// `written` holds the numbers of the leads by partition and offset; `fate` tells what becomes of a number.
    pub(crate) fn new(written: Vec<Vec<u32>>, fate: fn(u32) -> Fate) -> Self {
        let seen = written.iter().map(|partition| vec![Seen::default(); partition.len()]).collect();
        let obligations = written.iter().map(|partition| partition.len() as u64).sum();
        let findings = Findings { obligations, ..Findings::default() };
        Self { written, seen, fate, last: HashMap::new(), homes: HashMap::new(), findings }
    }

    /// The number of the lead at a position.
    pub(crate) fn number(&self, (partition, offset): (i32, i64)) -> Option<u32> {
        self.written.get(usize::try_from(partition).ok()?)?.get(usize::try_from(offset).ok()?).copied()
    }

    /// An output was read: in which topic and partition, of which position, under which name and key, with which bytes.
    /// `bytes` is none where they were held against the original already.
    pub(crate) fn see(&mut self, (topic, partition): (usize, i32), at: (i32, i64), name: &str, key: Option<&[u8]>, bytes: Option<&[u8]>) {
        self.findings.outputs += 1;
        let place = usize::try_from(at.0).ok().zip(usize::try_from(at.1).ok());
        let seen = place.and_then(|(partition, offset)| self.seen.get_mut(partition)?.get_mut(offset));
        let Some(seen) = seen else {
            self.findings.invented += 1;
            return self.findings.tell(at, || format!("{name} of {at:?}, which nobody wrote"));
        };
        seen.names.add(name.as_bytes());
        if let Some(bytes) = bytes {
            seen.bytes.add(bytes);
        }
        let last = self.last.entry((topic, partition, at.0)).or_insert(at.1);
        if *last > at.1 {
            self.findings.reordered += 1;
            let last = *last;
            self.findings.tell(at, || format!("{name} of {at:?} stands after offset {last}, in topic {topic}/{partition}"));
        } else {
            *last = at.1;
        }
        if let Some(key) = key {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            if *self.homes.entry((topic, hasher.finish())).or_insert(partition) != partition {
                self.findings.scattered += 1;
            }
        }
    }

    /// An output is not what it should be, and why.
    pub(crate) fn altered(&mut self, at: (i32, i64), why: &str) {
        self.findings.altered += 1;
        self.findings.tell(at, || format!("{at:?}: {why}"));
    }

    /// Holds the events' bytes of one partition against those that they should have, by offset.
    pub(crate) fn compare(&mut self, partition: usize, expected: &HashMap<i64, Sum>) {
        for (offset, seen) in self.seen[partition].iter().enumerate() {
            let offset = i64::try_from(offset).expect("an offset");
            let expected = expected.get(&offset).copied().unwrap_or_default();
            // What is lost or doubled is told as that.
            if seen.bytes.count == expected.count && seen.bytes != expected {
                self.findings.altered += 1;
                let at = (i32::try_from(partition).expect("small"), offset);
                self.findings.tell(at, || format!("the events of {partition}/{offset} are not those of `process`"));
            }
        }
    }

    /// What is wrong, now that everything was seen.
    pub(crate) fn judge(mut self) -> Findings {
        let mut sums: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
        for (partition, numbers) in self.written.iter().enumerate() {
            for (offset, number) in numbers.iter().enumerate() {
                let fate = (self.fate)(*number);
                let expected = match &fate {
                    // The same ten thousand names for each would be hashed again and again.
                    Fate::Many(leads) => *sums.entry(vec![leads.to_string()]).or_insert_with(|| fate.sum()),
                    Fate::One(_) => fate.sum(),
                };
                let seen = self.seen[partition][offset].names;
                let count = match seen.count.cmp(&expected.count) {
                    std::cmp::Ordering::Equal if seen == expected => continue,
                    std::cmp::Ordering::Less => &mut self.findings.lost,
                    std::cmp::Ordering::Equal => &mut self.findings.wrong,
                    std::cmp::Ordering::Greater => &mut self.findings.duplicated,
                };
                *count += 1;
                let at = (i32::try_from(partition).expect("small"), i64::try_from(offset).expect("an offset"));
                self.findings.tell(at, || {
                    format!("lead {number} at {partition}/{offset}: {} outputs, where {:?} was expected", seen.count, first(&fate))
                });
            }
        }
        self.findings
    }
}

fn first(fate: &Fate) -> Vec<String> {
    fate.outputs().into_iter().take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(number: u32) -> Fate {
        match number {
            9 => Fate::One(Expected::DeadLetter("malformed_json")),
            8 => Fate::Many(3),
            7 => Fate::One(Expected::Qualified(&["A", "B"])),
            _ => Fate::One(Expected::Unqualified("low_score")),
        }
    }

    /// Two partitions of leads 1, 9 and 8, 7; `tamper` gets all outputs, in order: topic, partition, name.
    fn judged(tamper: impl FnOnce(&mut Vec<((i32, i64), String)>)) -> Findings {
        let written = vec![vec![1, 9], vec![8, 7]];
        let mut outputs: Vec<_> = written
            .iter()
            .zip(0..)
            .flat_map(|(numbers, partition)| numbers.iter().zip(0..).map(move |(number, offset)| ((partition, offset), *number)))
            .flat_map(|(at, number)| fate(number).outputs().into_iter().map(move |name| (at, name)))
            .collect();
        tamper(&mut outputs);
        let mut oracle = Oracle::new(written, fate);
        for (at, name) in &outputs {
            oracle.see((0, 0), *at, name, Some(b"k"), Some(name.as_bytes()));
        }
        oracle.judge()
    }

    #[test]
    fn what_is_whole_and_in_order_is_good() {
        let findings = judged(|_| {});
        assert!(findings.are_none(), "{findings:?}");
        assert_eq!((findings.obligations, findings.outputs), (4, 1 + 1 + 3 + 3));
    }

    #[test]
    fn each_wrong_is_found_under_its_name() {
        let lost = judged(|outputs| {
            outputs.remove(0);
        });
        assert_eq!((lost.lost, lost.duplicated), (1, 0));
        let torn = judged(|outputs| {
            outputs.pop();
        });
        assert_eq!((torn.lost, torn.duplicated), (1, 0), "a part is missing");
        let doubled = judged(|outputs| outputs.insert(1, outputs[0].clone()));
        assert_eq!((doubled.duplicated, doubled.lost), (1, 0));
        let wrong = judged(|outputs| outputs[0].1 = "0/qualified".to_owned());
        assert_eq!(wrong.wrong, 1);
        let turned = judged(|outputs| outputs.swap(0, 1));
        assert_eq!(turned.reordered, 1);
        let invented = judged(|outputs| outputs.push(((1, 2), "0/qualified".to_owned())));
        assert_eq!((invented.invented, invented.lost), (1, 0));
    }

    #[test]
    fn a_key_in_two_places_and_other_bytes_are_found() {
        let mut oracle = Oracle::new(vec![vec![1, 1]], fate);
        oracle.see((0, 0), (0, 0), "0/unqualified", Some(b"k"), Some(b"a"));
        oracle.see((0, 1), (0, 1), "0/unqualified", Some(b"k"), Some(b"b"));
        let mut expected = HashMap::new();
        for (offset, bytes) in [(0, b"a"), (1, b"x")] {
            let mut sum = Sum::default();
            sum.add(bytes);
            expected.insert(offset, sum);
        }
        oracle.compare(0, &expected);
        let findings = oracle.judge();
        assert_eq!((findings.scattered, findings.altered, findings.lost), (1, 1, 0), "{findings:?}");
    }
}

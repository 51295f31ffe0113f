//! Domains to numbers, made once and then only read: what a look-up touches is small, and all but one piece of it stays in a
//! processor's cache for a million domains. Knows no table, and not what the numbers mean.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

/// How many entries fall into a stretch, on average: few to look through, many enough that the beginnings of all stretches
/// stay in the cache (one megabyte for a million domains).
const ENTRIES: usize = 4;

/// The bytes of an entry beside those of its domain.
const BESIDE: usize = 5;

/// Entries in the order of their hashes, which are cut into even stretches.
///
/// A hash table (the crate `hashbrown`, keys in bytes of their own) finds a domain that is not there faster, 55 ns against 130
/// of a million, but one that is there slower, 200 ns against 150, and takes 35 bytes a domain against 25: it looks into three
/// places that lie far apart, and what is not in the cache costs 120 ns a look.
#[derive(Clone, Default)]
pub(super) struct DomainIndex {
    /// Where in `entries` each stretch begins, and where the last one ends.
    starts: Vec<u32>,
    /// Of each entry the length of its domain in one byte, the domain, and its number in four bytes.
    entries: Vec<u8>,
}

impl DomainIndex {
    /// The number of a domain, and the domain as it is kept here.
    pub(super) fn find(&self, domain: &str) -> Option<(&str, u32)> {
        let stretches = self.starts.len().checked_sub(1)?;
        let (start, end) = match self.starts.get(stretch(hash(domain), stretches)..)? {
            [start, end, ..] => (usize::try_from(*start).ok()?, usize::try_from(*end).ok()?),
            _ => return None,
        };
        let mut rest = self.entries.get(start..end)?;
        while let Some((length, after)) = rest.split_first() {
            let (known, after) = after.split_at_checked(usize::from(*length))?;
            let (number, after) = after.split_first_chunk()?;
            if known == domain.as_bytes() {
                return Some((std::str::from_utf8(known).ok()?, u32::from_le_bytes(*number)));
            }
            rest = after;
        }
        None
    }

    /// Whether there is no domain.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Domains that wait to become an index.
#[derive(Default)]
pub(super) struct DomainList {
    text: String,
    domains: Vec<Listed>,
}

struct Listed {
    hash: u64,
    /// Where the domain begins in the list's text.
    start: u32,
    length: u8,
    number: u32,
    /// Where it was written.
    offset: usize,
}

impl DomainList {
    /// Adds a domain; `None`: it does not fit, and was not added.
    pub(super) fn push(&mut self, domain: &str, number: u32, offset: usize) -> Option<()> {
        let (start, length) = (u32::try_from(self.text.len()).ok()?, u8::try_from(domain.len()).ok()?);
        let entries = self.text.len() + domain.len() + BESIDE * (self.domains.len() + 1);
        u32::try_from(entries).ok()?;
        self.text.push_str(domain);
        self.domains.push(Listed { hash: hash(domain), start, length, number, offset });
        Some(())
    }

    /// The index of all domains; of one that stands in the list twice, the first. Of the others, `twice` is told where each was
    /// written, and where the first one.
    pub(super) fn into_index(mut self, twice: &mut Vec<(usize, usize)>) -> DomainIndex {
        let text = |listed: &Listed| {
            let start = usize::try_from(listed.start).unwrap_or(usize::MAX);
            self.text.as_bytes().get(start..).and_then(|rest| rest.get(..usize::from(listed.length))).unwrap_or_default()
        };
        self.domains.sort_unstable_by(|left, right| {
            left.hash.cmp(&right.hash).then_with(|| text(left).cmp(text(right))).then(left.start.cmp(&right.start))
        });
        self.domains.dedup_by(|later, first| {
            let same = later.hash == first.hash && text(later) == text(first);
            if same {
                twice.push((later.offset, first.offset));
            }
            same
        });

        let stretches = self.domains.len().div_ceil(ENTRIES);
        let mut index = DomainIndex { starts: Vec::with_capacity(stretches + 1), entries: Vec::new() };
        for listed in &self.domains {
            index.open(stretch(listed.hash, stretches) + 1);
            index.entries.push(listed.length);
            index.entries.extend(text(listed));
            index.entries.extend(listed.number.to_le_bytes());
        }
        index.open(stretches + 1);
        index.entries.shrink_to_fit();
        index
    }
}

impl DomainIndex {
    /// Lets so many stretches begin, the new ones after all entries so far.
    fn open(&mut self, stretches: usize) {
        // It fits: `push` sees to it.
        let start = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.starts.resize(stretches.max(self.starts.len()), start);
    }
}

/// Nobody can choose domains that collide, since tables are the publisher's own; and a hash that is the same everywhere keeps
/// runs alike.
fn hash(domain: &str) -> u64 {
    FxBuildHasher.hash_one(domain.as_bytes())
}

/// In which of the stretches a hash lies; they grow with the hashes.
fn stretch(hash: u64, stretches: usize) -> usize {
    let place = (u128::from(hash) * stretches as u128) >> 64;
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(number: u32) -> String {
        format!("company-{number}.{}", ["com", "co.uk", "example"][(number % 3) as usize])
    }

    fn index(count: u32) -> DomainIndex {
        let mut list = DomainList::default();
        for number in 0..count {
            list.push(&domain(number), number, 0).expect("it fits");
        }
        let mut twice = Vec::new();
        let index = list.into_index(&mut twice);
        assert_eq!((index.is_empty(), twice), (count == 0, vec![]));
        index
    }

    #[test]
    fn every_domain_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 10, 1000] {
            let index = index(count);
            for number in 0..count {
                assert_eq!(index.find(&domain(number)), Some((&*domain(number), number)));
            }
            for number in count..count + 1000 {
                assert_eq!(index.find(&domain(number)), None);
            }
            assert_eq!((index.find(""), index.find("company-1.co.u")), (None, None));
        }
    }

    #[test]
    fn entries_lie_evenly() {
        let index = index(100_000);
        let longest = index.starts.windows(2).map(|pair| pair[1] - pair[0]).max();
        // By chance some seventeen of these fall together, of 20 to 26 bytes each.
        assert!(longest < Some(25 * 26), "{longest:?} bytes in one stretch");
    }

    #[test]
    fn of_a_domain_that_comes_twice_the_first_counts() {
        let mut list = DomainList::default();
        for (number, domain) in (0..).zip(["a.de", "b.de", "a.de", "c.de", "b.de", "a.de"]) {
            list.push(domain, number, 10 * number as usize).expect("it fits");
        }
        let mut twice = Vec::new();
        let index = list.into_index(&mut twice);
        twice.sort_unstable();
        assert_eq!(twice, [(20, 0), (40, 10), (50, 0)]);
        let found = ["a.de", "b.de", "c.de"].map(|domain| index.find(domain).map(|(_, number)| number));
        assert_eq!((found, index.entries.len()), ([Some(0), Some(1), Some(3)], 3 * (4 + BESIDE)));
    }

    #[test]
    fn a_domain_longer_than_any_is_not_added() {
        let mut list = DomainList::default();
        assert_eq!(list.push(&"x".repeat(256), 0, 0), None);
        assert!(list.into_index(&mut Vec::new()).is_empty());
    }
}

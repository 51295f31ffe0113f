//! What an entry tells, and what of it was found: small, since a busy day has millions of entries.

use std::collections::BTreeMap;

use super::super::{EventsDigest, LedgerEntry};
use crate::pipeline::OutputTopic;

/// A link of a chain: SHA-256. Text that is none is all zeros, and no entry's own.
pub(super) type Link = [u8; 32];

/// What an entry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) records: i64,
    pub(super) leads: i64,
    /// By `OutputTopic as usize`; dead letters of all codes together.
    pub(super) outputs: [i64; OutputTopic::COUNT],
    pub(super) dead_letters: BTreeMap<String, i64>,
    pub(super) digest: Option<u128>,
    /// None: a chain begins here.
    pub(super) previous: Option<Link>,
    pub(super) chain: Link,
    /// The chain is what it must be for what the entry says.
    pub(super) is_its_own: bool,
}

impl Told {
    pub(super) fn of(entry: LedgerEntry) -> Self {
        let mut outputs = [0; OutputTopic::COUNT];
        outputs[OutputTopic::Qualified as usize] = entry.qualified;
        outputs[OutputTopic::Unqualified as usize] = entry.unqualified;
        outputs[OutputTopic::Routing as usize] = entry.routed;
        outputs[OutputTopic::DeadLetter as usize] = entry.dead_lettered();
        Self {
            from: entry.from,
            to: entry.to,
            records: entry.records,
            leads: entry.leads,
            outputs,
            digest: u128::from_str_radix(&entry.digest, 16).ok(),
            previous: (!entry.previous.is_empty()).then(|| link(&entry.previous)),
            chain: link(&entry.chain),
            is_its_own: entry.chain == entry.computed_chain(),
            dead_letters: entry.dead_letters,
        }
    }
}

/// Hex digits as bytes.
pub(super) fn link(text: &str) -> Link {
    let mut link = Link::default();
    if text.len() != 64 {
        return link;
    }
    for (byte, place) in link.iter_mut().zip((0..64).step_by(2)) {
        match text.get(place..place + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(found) => *byte = found,
            None => return Link::default(),
        }
    }
    link
}

/// One entry, and what of it was found.
#[derive(Debug)]
pub(super) struct EntryState {
    pub(super) told: Told,
    /// By `OutputTopic as usize`.
    pub(super) outputs: [i64; OutputTopic::COUNT],
    pub(super) dead_letters: BTreeMap<String, i64>,
    pub(super) digest: EventsDigest,
    /// What is missing and changed is known by name.
    pub(super) named: bool,
    /// Another entry tells of some of the same offsets.
    pub(super) overlaps: bool,
}

impl EntryState {
    pub(super) fn of(entry: LedgerEntry) -> Self {
        let (dead_letters, digest) = (BTreeMap::new(), EventsDigest::default());
        Self { told: Told::of(entry), outputs: [0; OutputTopic::COUNT], dead_letters, digest, named: false, overlaps: false }
    }

    /// Whether all that the entry tells was found, and nothing else.
    pub(super) fn agrees(&self) -> bool {
        self.told.outputs == self.outputs && self.told.dead_letters == self.dead_letters && self.told.digest == Some(self.digest.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_link_is_nobodys() {
        assert_eq!(link(&"0a".repeat(32)), [10; 32]);
        for text in ["", "0a", &"zz".repeat(32), &"é".repeat(32)] {
            assert_eq!(link(text), Link::default(), "{text}");
        }
        let entry = LedgerEntry { chain: String::new(), ..LedgerEntry::default() };
        assert!(!Told::of(entry).is_its_own && Told::of(LedgerEntry::default().chained("")).is_its_own);
    }
}

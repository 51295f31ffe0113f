//! What an audit found, as it is told.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// So many of each kind are named; more are counted.
const NAMED: usize = 1_000;

/// Things found: the first by name, all by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    named: Vec<String>,
    count: u64,
}

impl Found {
    /// One more.
    pub fn push(&mut self, name: String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(name);
        }
    }

    /// So many more, without names.
    pub fn add(&mut self, more: u64) {
        self.count += more;
    }

    /// How many, named or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first thousand.
    #[must_use]
    pub fn named(&self) -> &[String] {
        &self.named
    }
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.named.serialize(serializer)
    }
}

/// What was held against each other, and what does not agree. Names are event ids, places of records, or ranges of offsets with what
/// is wrong there; never anything of a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records in the range.
    pub records: u64,
    /// Leads in them.
    pub leads: u64,
    /// Records that have their outcome, once and as it was written.
    pub accounted: u64,
    /// What should be there.
    pub missing: Found,
    /// What is there again.
    pub duplicated: Found,
    /// What stands behind something that came after it.
    pub reordered: Found,
    /// What is not as it was written.
    pub changed: Found,
    /// What nothing in the range led to.
    pub unexpected: Found,
    /// What is wrong with the ledger itself.
    pub ledger: Found,
    /// Entries of the ledger that were held against the topics.
    pub entries: u64,
    /// Events of replays and retries.
    pub replayed: u64,
    /// Those of them that stand in for outputs that were lost, and are the same.
    pub restored: u64,
    /// Those of replays that differ from what was written first, as under other rules.
    pub replayed_otherwise: u64,
    /// What should be known of the range.
    pub notes: Vec<String>,
}

impl Report {
    /// The kinds of findings, with their names.
    #[must_use]
    pub fn findings(&self) -> [(&'static str, &Found); 6] {
        [
            ("missing", &self.missing),
            ("duplicated", &self.duplicated),
            ("reordered", &self.reordered),
            ("changed", &self.changed),
            ("unexpected", &self.unexpected),
            ("ledger", &self.ledger),
        ]
    }

    /// How many there are of each kind; kinds with none are left out.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.findings().into_iter().filter(|(_, found)| found.count > 0).map(|(kind, found)| (kind, found.count)).collect()
    }

    /// Whether all agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts().is_empty()
    }
}

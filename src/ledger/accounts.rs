//! What a transaction leaves in each input partition it reads, counted from the outputs themselves: so an output that was decided
//! and not written shows.

use std::collections::BTreeMap;

use crate::{
    lead::{Partition, Position},
    pipeline::{Live, Output, OutputTopic},
};

use super::{EventsDigest, Head, LedgerEntry, LedgerRuleset};

/// Where a partition stands before the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The next offset to decide.
    pub next: i64,
    /// The head of its chain.
    pub head: Head,
}

/// By what it was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deciders {
    rulesets: Vec<LedgerRuleset>,
    tables: BTreeMap<String, String>,
}

impl Deciders {
    /// The rulesets and tables that are live.
    #[must_use]
    pub fn of(live: &Live) -> Self {
        let version = |rules: &crate::rules::Ruleset| LedgerRuleset {
            name: rules.name.clone(),
            version: rules.version.clone(),
            hash: rules.hash.clone(),
        };
        let canary = live.trials.canary.iter().map(|canary| version(&canary.rules));
        let tables = live.pipeline.tables.versions.iter().map(|(name, hash)| ((*name).to_owned(), hash.clone()));
        Self { rulesets: std::iter::once(version(&live.pipeline.rules)).chain(canary).collect(), tables: tables.collect() }
    }
}

#[derive(Debug)]
struct Account {
    partition: Partition,
    /// First offset, and the one after the last.
    first: i64,
    next: i64,
    records: i64,
    leads: i64,
    /// By `OutputTopic as usize`.
    outputs: [i64; OutputTopic::COUNT],
    dead_letters: BTreeMap<String, i64>,
    digest: EventsDigest,
}

/// The accounts of one transaction.
#[derive(Debug, Default)]
pub struct Accounts {
    accounts: Vec<Account>,
    /// Whose record is at hand: records come in runs of one partition.
    current: usize,
}

impl Accounts {
    /// Forgets everything, keeping memory.
    pub fn clear(&mut self) {
        self.accounts.clear();
        self.current = 0;
    }

    /// Takes note that the record at `at` was read; outputs that follow are its.
    pub fn record(&mut self, at: &Position) {
        let known = |account: &Account| account.partition == at.partition;
        if !self.accounts.get(self.current).is_some_and(known) {
            self.current = self.accounts.iter().position(known).unwrap_or(self.accounts.len());
        }
        if self.current == self.accounts.len() {
            let (partition, first) = (at.partition.clone(), at.offset);
            let (dead_letters, digest) = (BTreeMap::new(), EventsDigest::default());
            let outputs = [0; OutputTopic::COUNT];
            self.accounts.push(Account { partition, first, next: first, records: 0, leads: 0, outputs, dead_letters, digest });
        }
        if let Some(account) = self.accounts.get_mut(self.current) {
            account.records += 1;
            account.next = at.next().get();
        }
    }

    /// Takes note that the record held so many leads.
    pub fn leads(&mut self, count: usize) {
        if let Some(account) = self.accounts.get_mut(self.current) {
            account.leads += i64::try_from(count).unwrap_or(i64::MAX);
        }
    }

    /// Takes note of an output of the record.
    pub fn output(&mut self, output: &Output<'_>) {
        let Some(account) = self.accounts.get_mut(self.current) else { return };
        if let Some(count) = account.outputs.get_mut(output.topic as usize) {
            *count += 1;
        }
        account.digest.add(output);
        if output.topic == OutputTopic::DeadLetter {
            let code = output.headers.last("dlq-code").map(|code| String::from_utf8_lossy(code).into_owned());
            *account.dead_letters.entry(code.unwrap_or_default()).or_default() += 1;
        }
    }

    /// The entries: one an input partition of which anything was read, each tied to where the partition stood.
    pub fn entries<'a>(
        &'a self,
        group: &'a str,
        deciders: &'a Deciders,
        standing: impl Fn(&Partition) -> Option<Standing> + 'a,
    ) -> impl Iterator<Item = (&'a Partition, LedgerEntry)> {
        self.accounts.iter().map(move |account| {
            let of = |topic: OutputTopic| account.outputs.get(topic as usize).copied().unwrap_or_default();
            let stood = standing(&account.partition);
            let entry = LedgerEntry {
                group: group.to_owned(),
                topic: account.partition.topic.to_string(),
                partition: account.partition.number,
                // What was passed over on the way to the first record held none.
                from: stood.as_ref().map_or(account.first, |stood| stood.next.min(account.first)),
                to: account.next,
                records: account.records,
                leads: account.leads,
                qualified: of(OutputTopic::Qualified),
                unqualified: of(OutputTopic::Unqualified),
                routed: of(OutputTopic::Routing),
                dead_letters: account.dead_letters.clone(),
                digest: account.digest.to_string(),
                rulesets: deciders.rulesets.clone(),
                tables: deciders.tables.clone(),
                ..LedgerEntry::default()
            };
            (&account.partition, entry.chained(stood.as_ref().map_or("", |stood| stood.head.chain())))
        })
    }
}

//! What a batch came to, in numbers: counted while it is decided, told to the observer once it is committed. Keeps its
//! memory from batch to batch; knows no metric names.

use std::sync::Arc;

use crate::{
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Outcome, Storefront, Timestamp, Verdict},
    pipeline::OutputTopic,
};

/// How often each of a few keys was seen, in order of first sight. A batch has a handful of different keys, so a list is
/// searched faster than anything is hashed; keys stay, at zero, from batch to batch.
#[derive(Clone, Debug)]
pub struct Counts<K>(Vec<(K, u64)>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K> Counts<K> {
    fn add(&mut self, amount: u64, same: impl Fn(&K) -> bool, make: impl FnOnce() -> K) {
        if let Some((_, count)) = self.0.iter_mut().find(|(key, _)| same(key)) {
            *count += amount;
        } else {
            self.0.push((make(), amount));
        }
    }

    fn clear(&mut self) {
        for (_, count) in &mut self.0 {
            *count = 0;
        }
    }

    /// Keys seen in this batch, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.0.iter().filter(|(_, count)| *count > 0).map(|(key, count)| (key, *count))
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// One decided lead, as far as distributions need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecidedLead {
    /// Where it came from.
    pub storefront: Storefront,
    /// Its score.
    pub score: i64,
    /// When it happened.
    pub event_time: Timestamp,
}

/// Counts of one batch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Records read, by input topic.
    pub records: Counts<Arc<str>>,
    /// Records that were decided, whatever the verdicts.
    pub decided_records: u64,
    /// Leads decided.
    pub leads: Counts<(Storefront, Campaign, Verdict)>,
    /// Why leads did not qualify; a lead has one or more reasons.
    pub reasons: Counts<(Storefront, Arc<str>)>,
    /// Flags set.
    pub flags: Counts<Flag>,
    /// Routes taken, by destination.
    pub routes: Counts<(Storefront, Arc<str>)>,
    /// Records that left as dead letters.
    pub dead_letters: Counts<(DeadLetterStage, DeadLetterCode)>,
    /// Outputs written, dead letters too.
    pub events: Counts<OutputTopic>,
    /// Every decided lead.
    pub decided: Vec<DecidedLead>,
}

impl Tally {
    /// Counts one record of `topic` and its outcome.
    pub fn record(&mut self, topic: &Arc<str>, outcome: &Outcome<'_>) {
        self.records.add(1, |known| **known == **topic, || Arc::clone(topic));
        let decisions = match outcome {
            Outcome::Rejected(rejection) => {
                let key = (rejection.stage, rejection.code);
                self.dead_letters.add(1, |known| *known == key, || key);
                return;
            }
            Outcome::Decided(decisions) => decisions,
        };
        self.decided_records += 1;
        for decision in decisions {
            let storefront = decision.class.storefront;
            let key = (storefront, decision.class.campaign, decision.qualified.verdict);
            self.leads.add(1, |known| *known == key, || key);
            for reason in &decision.qualified.reasons {
                let same = |known: &(Storefront, Arc<str>)| known.0 == storefront && *known.1 == **reason;
                self.reasons.add(1, same, || (storefront, Arc::from(*reason)));
            }
            for flag in decision.flags().iter() {
                self.flags.add(1, |known| *known == flag, || flag);
            }
            for route in &decision.routes {
                let same = |known: &(Storefront, Arc<str>)| known.0 == storefront && *known.1 == *route.destination;
                self.routes.add(1, same, || (storefront, Arc::from(route.destination)));
            }
            let event_time = decision.facts.event_time;
            self.decided.push(DecidedLead { storefront, score: decision.qualified.score.total, event_time });
        }
    }

    /// Counts outputs that were written to `topic`.
    pub fn events(&mut self, topic: OutputTopic, count: u64) {
        self.events.add(count, |known| *known == topic, || topic);
    }

    /// Records that have neither a decision nor a dead letter: must be 0.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        self.records.total().abs_diff(self.decided_records + self.dead_letters.total())
    }

    /// Forgets everything, keeping memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.decided_records = 0;
        self.leads.clear();
        self.reasons.clear();
        self.flags.clear();
        self.routes.clear();
        self.dead_letters.clear();
        self.events.clear();
        self.decided.clear();
    }
}

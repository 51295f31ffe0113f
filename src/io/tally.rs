//! What a batch came to, in numbers: counted while it is decided, told to the observer once it is committed. Keeps its
//! memory from batch to batch; knows no metric names.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use rustc_hash::FxHasher;

use super::{RulesetTallies, ShadowTally, TraceLinks, trial_tally::is_qualifiable};
use crate::{
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Flags, Outcome, Position, Rejection, Storefront, Timestamp, Verdict, fold},
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
    pub(super) fn add(&mut self, amount: u64, same: impl Fn(&K) -> bool, make: impl FnOnce() -> K) {
        if let Some((_, count)) = self.0.iter_mut().find(|(key, _)| same(key)) {
            *count += amount;
        } else {
            self.0.push((make(), amount));
        }
    }

    pub(super) fn clear(&mut self) {
        for (_, count) in &mut self.0 {
            *count = 0;
        }
    }

    /// Adds all that `other` has seen.
    pub(super) fn merge(&mut self, other: &Self)
    where
        K: Clone + PartialEq,
    {
        for (key, count) in other.iter() {
            self.add(count, |known| known == key, || key.clone());
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

/// What one lead came to, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedLead {
    /// Where it came from.
    pub storefront: Storefront,
    /// The storefront's campaign.
    pub campaign: Campaign,
    /// Whether it qualifies.
    pub verdict: Verdict,
    /// Every flag of the published event.
    pub flags: Flags,
    /// Its score.
    pub score: i64,
    /// When it happened.
    pub event_time: Timestamp,
}

/// A record that left as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Where it was read.
    pub position: Position,
    /// Where it was rejected …
    pub stage: DeadLetterStage,
    /// … and why.
    pub code: DeadLetterCode,
}

/// So many dead letters of a batch are kept by position.
const LAST_REJECTED: usize = 20;

/// Counts of one batch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Records read, by input topic.
    pub records: Counts<Arc<str>>,
    /// Records that were decided into one lead or more, whatever the verdicts.
    pub decided_records: u64,
    /// Leads decided.
    pub leads: Counts<(Storefront, Campaign, Verdict)>,
    /// Of these, the leads that a qualification rate is taken of: neither tests nor notices that a customer is to be left alone.
    pub qualifiable: Counts<(Storefront, Campaign)>,
    /// Why leads did not qualify; a lead has one or more reasons.
    pub reasons: Counts<(Storefront, Arc<str>)>,
    /// Flags set.
    pub flags: Counts<Flag>,
    /// Routes taken, by destination.
    pub routes: Counts<(Storefront, Arc<str>)>,
    /// Of these, the routes of leads that were late when they came.
    pub late_routes: Counts<(Storefront, Arc<str>)>,
    /// `LeadSource` tokens that the ruleset does not know, each as its hash: once a lead.
    pub unknown_sources: Vec<u64>,
    /// Records that left as dead letters.
    pub dead_letters: Counts<(DeadLetterStage, DeadLetterCode)>,
    /// The last of these, with where they were read.
    pub rejected: Vec<RejectedRecord>,
    /// Outputs written, dead letters too.
    pub events: Counts<OutputTopic>,
    /// Every decided lead.
    pub decided: Vec<DecidedLead>,
    /// What each ruleset decided.
    pub rulesets: RulesetTallies,
    /// What shadows would have decided.
    pub shadows: ShadowTally,
    /// The traces that records belong to, where somebody is told of them.
    pub links: TraceLinks,
}

impl Tally {
    /// Counts one record of `topic` and its outcome.
    pub fn record(&mut self, topic: &Arc<str>, outcome: &Outcome<'_>) {
        self.read(topic);
        self.outcome(outcome);
    }

    /// Counts one record of `topic` as read. Apart from [`Tally::outcome`], so that a record that was read and got no outcome
    /// shows as unaccounted.
    pub fn read(&mut self, topic: &Arc<str>) {
        // Compared by their places first: nearly always it is the same text.
        self.records.add(1, |known| *known == *topic, || Arc::clone(topic));
    }

    /// Counts what became of one record.
    pub fn outcome(&mut self, outcome: &Outcome<'_>) {
        let decisions = match outcome {
            Outcome::Rejected(rejection) => return self.dead_letter(rejection.stage, rejection.code),
            Outcome::Decided(decisions) => decisions,
        };
        // A decision without a lead leaves nothing behind: such a record is not accounted for.
        self.decided_records += u64::from(!decisions.is_empty());
        for decision in decisions {
            let lead = CountedLead {
                storefront: decision.class.storefront,
                campaign: decision.class.campaign,
                verdict: decision.qualified.verdict,
                flags: decision.flags(),
                score: decision.qualified.score.total,
                event_time: decision.facts.event_time,
            };
            self.lead(&lead, &decision.qualified.reasons, decision.routes.iter().map(|route| route.destination));
            if lead.flags.contains(Flag::UnknownSource) {
                self.unknown_sources.push(told_apart(decision.facts.lead_source().source));
            }
            self.rulesets.lead(decision);
        }
    }

    /// Counts one record of which nothing was to leave.
    pub fn passed_over(&mut self) {
        self.decided_records += 1;
    }

    /// Counts one record that left as a dead letter.
    pub fn dead_letter(&mut self, stage: DeadLetterStage, code: DeadLetterCode) {
        let key = (stage, code);
        self.dead_letters.add(1, |known| *known == key, || key);
    }

    /// Notes where a record was read that leaves as a dead letter; [`Tally::outcome`] counts it.
    pub fn rejected_at(&mut self, position: &Position, rejection: &Rejection) {
        if self.rejected.len() == LAST_REJECTED {
            self.rejected.remove(0);
        }
        self.rejected.push(RejectedRecord { position: position.clone(), stage: rejection.stage, code: rejection.code });
    }

    /// Counts one lead of a record in `decided_records`, with its reasons and the destinations it is routed to.
    pub fn lead<'d>(&mut self, lead: &CountedLead, reasons: &[&str], destinations: impl Iterator<Item = &'d str>) {
        let storefront = lead.storefront;
        let key = (storefront, lead.campaign, lead.verdict);
        self.leads.add(1, |known| *known == key, || key);
        if is_qualifiable(reasons) {
            let key = (storefront, lead.campaign);
            self.qualifiable.add(1, |known| *known == key, || key);
        }
        for reason in reasons {
            let same = |known: &(Storefront, Arc<str>)| known.0 == storefront && *known.1 == **reason;
            self.reasons.add(1, same, || (storefront, Arc::from(*reason)));
        }
        for flag in lead.flags.iter() {
            self.flags.add(1, |known| *known == flag, || flag);
        }
        for destination in destinations {
            let same = |known: &(Storefront, Arc<str>)| known.0 == storefront && *known.1 == *destination;
            self.routes.add(1, same, || (storefront, Arc::from(destination)));
            if lead.flags.contains(Flag::LateDelivery) {
                self.late_routes.add(1, same, || (storefront, Arc::from(destination)));
            }
        }
        self.decided.push(DecidedLead { storefront, score: lead.score, event_time: lead.event_time });
    }

    /// Counts outputs that were written to `topic`.
    pub fn events(&mut self, topic: OutputTopic, count: u64) {
        self.events.add(count, |known| *known == topic, || topic);
    }

    /// Records that have neither a decision nor a dead letter, and outcomes whose outputs were not written, or too many: must be 0.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        let written =
            |topics: &[OutputTopic]| self.events.iter().filter(|(topic, _)| topics.contains(topic)).map(|(_, count)| count).sum::<u64>();
        let outcomes = self.decided_records + self.dead_letters.total();
        self.records.total().abs_diff(outcomes)
            + self.leads.total().abs_diff(written(&[OutputTopic::Qualified, OutputTopic::Unqualified]))
            + self.routes.total().abs_diff(written(&[OutputTopic::Routing]))
            + self.dead_letters.total().abs_diff(written(&[OutputTopic::DeadLetter]))
    }

    /// Adds all that `other` has counted, such as another part of the same batch.
    pub fn merge(&mut self, other: &Self) {
        self.records.merge(&other.records);
        self.decided_records += other.decided_records;
        self.leads.merge(&other.leads);
        self.qualifiable.merge(&other.qualifiable);
        self.reasons.merge(&other.reasons);
        self.flags.merge(&other.flags);
        self.routes.merge(&other.routes);
        self.late_routes.merge(&other.late_routes);
        self.unknown_sources.extend_from_slice(&other.unknown_sources);
        self.dead_letters.merge(&other.dead_letters);
        self.rejected.extend_from_slice(&other.rejected);
        let old = self.rejected.len().saturating_sub(LAST_REJECTED);
        self.rejected.drain(..old);
        self.events.merge(&other.events);
        self.decided.extend_from_slice(&other.decided);
        self.rulesets.merge(&other.rulesets);
        self.shadows.merge(&other.shadows);
        self.links.merge(&other.links);
    }

    /// Forgets everything, keeping memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.decided_records = 0;
        self.leads.clear();
        self.qualifiable.clear();
        self.reasons.clear();
        self.flags.clear();
        self.routes.clear();
        self.late_routes.clear();
        self.unknown_sources.clear();
        self.dead_letters.clear();
        self.rejected.clear();
        self.events.clear();
        self.decided.clear();
        self.rulesets.clear();
        self.shadows.clear();
        self.links.clear();
    }
}

/// A hash of a token as the ruleset compares it: without case, blanks and brackets.
fn told_apart(token: &str) -> u64 {
    let mut hasher = FxHasher::default();
    fold(token).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lead::Vocabulary;

    /// What a test wants counted of one record.
    #[derive(Clone, Debug)]
    enum Seen {
        DeadLetter(DeadLetterStage, DeadLetterCode),
        Leads(Vec<(CountedLead, Vec<&'static str>, Vec<&'static str>)>),
    }

    fn any_of<V: Vocabulary + std::fmt::Debug>() -> impl Strategy<Value = V> {
        proptest::sample::select(V::ALL)
    }

    fn lead() -> impl Strategy<Value = (CountedLead, Vec<&'static str>, Vec<&'static str>)> {
        let reasons = proptest::sample::subsequence(vec!["test_lead", "no_contact", "own_rule"], 0..=3);
        let destinations = proptest::sample::subsequence(vec!["PUBLISHER_CRM", "REVIEW_QUEUE"], 0..=2);
        let flags = proptest::collection::vec(any_of::<Flag>(), 0..4);
        (any_of::<Storefront>(), any_of::<Campaign>(), flags, -50..100_i64, reasons, destinations).prop_map(
            |(storefront, campaign, flags, score, reasons, destinations)| {
                let verdict = if reasons.is_empty() { Verdict::Qualified } else { Verdict::Unqualified };
                let mut set = Flags::default();
                for flag in flags {
                    set.insert(flag);
                }
                let event_time = Timestamp::from_millis(score);
                (CountedLead { storefront, campaign, verdict, flags: set, score, event_time }, reasons, destinations)
            },
        )
    }

    fn seen() -> impl Strategy<Value = (u8, Seen)> {
        let outcome = prop_oneof![
            (any_of::<DeadLetterStage>(), any_of::<DeadLetterCode>()).prop_map(|(stage, code)| Seen::DeadLetter(stage, code)),
            proptest::collection::vec(lead(), 1..4).prop_map(Seen::Leads),
        ];
        (0..3_u8, outcome)
    }

    fn count(tally: &mut Tally, records: &[(u8, Seen)]) {
        for (topic, seen) in records {
            tally.read(&format!("raw-{topic}").into());
            match seen {
                Seen::DeadLetter(stage, code) => {
                    tally.dead_letter(*stage, *code);
                    tally.events(OutputTopic::DeadLetter, 1);
                }
                Seen::Leads(leads) => {
                    tally.decided_records += 1;
                    for (lead, reasons, destinations) in leads {
                        tally.lead(lead, reasons, destinations.iter().copied());
                        let topic = if lead.verdict == Verdict::Qualified { OutputTopic::Qualified } else { OutputTopic::Unqualified };
                        tally.events(topic, 1);
                        tally.events(OutputTopic::Routing, u64::try_from(destinations.len()).expect("few"));
                    }
                }
            }
        }
    }

    /// Everything in it, whatever the order of first sight.
    fn contents(tally: &Tally) -> String {
        fn sorted<K: std::fmt::Debug>(counts: &Counts<K>) -> Vec<String> {
            let mut all: Vec<_> = counts.iter().map(|(key, count)| format!("{key:?}={count}")).collect();
            all.sort();
            all
        }
        let parts = [
            sorted(&tally.records),
            sorted(&tally.leads),
            sorted(&tally.reasons),
            sorted(&tally.flags),
            sorted(&tally.routes),
            sorted(&tally.dead_letters),
            sorted(&tally.events),
        ];
        format!("{parts:?} {} {:?}", tally.decided_records, tally.decided)
    }

    proptest! {
        #[test]
        fn the_tally_of_a_batch_is_the_merge_of_its_parts(
            records in proptest::collection::vec(seen(), 0..12),
            cut in 0..12_usize,
        ) {
            let (front, back) = records.split_at(cut.min(records.len()));
            let (mut whole, mut first, mut second) = (Tally::default(), Tally::default(), Tally::default());
            count(&mut whole, &records);
            count(&mut first, front);
            count(&mut second, back);
            first.merge(&second);
            prop_assert_eq!(contents(&first), contents(&whole));
        }

        #[test]
        fn sums_agree_whatever_was_seen(records in proptest::collection::vec(seen(), 0..12)) {
            let mut tally = Tally::default();
            count(&mut tally, &records);
            let read = u64::try_from(records.len()).expect("small");
            let of = |verdict| tally.leads.iter().filter(|((_, _, found), _)| *found == verdict).map(|(_, count)| count).sum::<u64>();
            prop_assert_eq!(tally.records.total(), read);
            prop_assert_eq!(tally.decided_records + tally.dead_letters.total(), read);
            prop_assert_eq!(tally.unaccounted(), 0);
            prop_assert_eq!(of(Verdict::Qualified) + of(Verdict::Unqualified), tally.leads.total());
            prop_assert_eq!(u64::try_from(tally.decided.len()).expect("small"), tally.leads.total());
            prop_assert!(tally.reasons.total() >= of(Verdict::Unqualified));
            prop_assert_eq!(tally.events.total(), tally.leads.total() + tally.routes.total() + tally.dead_letters.total());
        }

        #[test]
        fn a_cleared_tally_counts_like_a_new_one(
            before in proptest::collection::vec(seen(), 0..6),
            after in proptest::collection::vec(seen(), 0..6),
        ) {
            let (mut used, mut new) = (Tally::default(), Tally::default());
            count(&mut used, &before);
            used.clear();
            prop_assert_eq!(contents(&used), contents(&Tally::default()));
            count(&mut used, &after);
            count(&mut new, &after);
            prop_assert_eq!(contents(&used), contents(&new));
        }
    }

    #[test]
    fn a_record_without_an_outcome_is_unaccounted() {
        let mut tally = Tally::default();
        let topic = Arc::from("raw");
        tally.record(&topic, &Outcome::Rejected(Rejection::decode(DeadLetterCode::NotUtf8, "byte 3")));
        assert_eq!(tally.unaccounted(), 1, "its dead letter was not written");
        tally.events(OutputTopic::DeadLetter, 1);
        assert_eq!(tally.unaccounted(), 0);
        tally.read(&topic);
        assert_eq!(tally.unaccounted(), 1);
    }

    #[test]
    fn a_decision_without_leads_is_no_outcome() {
        let mut tally = Tally::default();
        tally.record(&Arc::from("raw"), &Outcome::Decided(Vec::new()));
        assert_eq!(tally.unaccounted(), 1);
    }

    #[test]
    fn an_outcome_of_a_record_that_was_not_read_is_as_wrong_as_the_opposite() {
        let mut tally = Tally::default();
        tally.outcome(&Outcome::Rejected(Rejection::decode(DeadLetterCode::EmptyValue, "")));
        tally.events(OutputTopic::DeadLetter, 1);
        assert_eq!(tally.unaccounted(), 1);
    }
}

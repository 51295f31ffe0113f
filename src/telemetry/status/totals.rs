//! What `/status` shows of all that is committed since the start: the funnel by storefront, why and where to, the last dead
//! letters by position, and how it went over the last half hour. Nothing of a person.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::{
    io::{RejectedRecord, Tally},
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Storefront, Timestamp, Verdict, Vocabulary},
    telemetry::KnownWords,
};

use super::Counts;

/// Dead letters that are shown: the last ones.
const LAST: usize = 20;
/// How far apart two samples are, in seconds …
const EVERY: i64 = 5;
/// … and how many are kept: half an hour.
const SAMPLES: usize = 360;

/// Counts of committed batches, finer than [`Counts`].
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// In the order of the contract.
    leads: BTreeMap<(usize, usize, usize), u64>,
    qualifiable: BTreeMap<(usize, usize), u64>,
    reasons: BTreeMap<(usize, String), u64>,
    routes: BTreeMap<(usize, String), u64>,
    dead_letters: BTreeMap<(usize, usize), u64>,
    last_dead_letters: VecDeque<(Timestamp, RejectedRecord)>,
    samples: VecDeque<(Timestamp, Counts)>,
    words: KnownWords,
}

fn place<V: Vocabulary>(value: V) -> usize {
    V::ALL.iter().position(|known| *known == value).unwrap_or(V::ALL.len())
}

fn word<V: Vocabulary>(place: usize) -> &'static str {
    V::ALL.get(place).map_or("", |value| value.name())
}

impl Totals {
    /// Adds a batch; `before` are the totals without it.
    pub(super) fn committed(&mut self, tally: &Tally, before: Counts, now: Timestamp) {
        self.sample(before, now);
        for ((storefront, campaign, verdict), count) in tally.leads.iter() {
            *self.leads.entry((place(*storefront), place(*campaign), place(*verdict))).or_default() += count;
        }
        for ((storefront, campaign), count) in tally.qualifiable.iter() {
            *self.qualifiable.entry((place(*storefront), place(*campaign))).or_default() += count;
        }
        for ((storefront, reason), count) in tally.reasons.iter() {
            *self.reasons.entry((place(*storefront), self.words.known(reason).to_owned())).or_default() += count;
        }
        for ((storefront, destination), count) in tally.routes.iter() {
            *self.routes.entry((place(*storefront), self.words.known(destination).to_owned())).or_default() += count;
        }
        for ((stage, code), count) in tally.dead_letters.iter() {
            *self.dead_letters.entry((place(*stage), place(*code))).or_default() += count;
        }
        self.last_dead_letters.extend(tally.rejected.iter().map(|rejected| (now, rejected.clone())));
        let old = self.last_dead_letters.len().saturating_sub(LAST);
        self.last_dead_letters.drain(..old);
    }

    /// Keeps the totals as they are now, unless that was done a moment ago.
    pub(super) fn sample(&mut self, counts: Counts, now: Timestamp) {
        if self.samples.back().is_some_and(|(at, _)| now.micros() - at.micros() < EVERY * 1_000_000) {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, counts));
    }

    /// Adds to what `/status` shows.
    pub(super) fn show(&self, shown: &mut Value) {
        let leads = self.leads.iter().map(|(&(storefront, campaign, verdict), count)| {
            let (storefront, campaign) = (word::<Storefront>(storefront), word::<Campaign>(campaign));
            json!({ "storefront": storefront, "campaign": campaign, "verdict": word::<Verdict>(verdict), "count": count })
        });
        shown["leads"] = leads.collect();
        let qualifiable = self.qualifiable.iter().map(|(&(storefront, campaign), count)| {
            json!({ "storefront": word::<Storefront>(storefront), "campaign": word::<Campaign>(campaign), "count": count })
        });
        shown["qualifiable"] = qualifiable.collect();
        let reasons = self.reasons.iter();
        shown["reasons"] = reasons
            .map(|((storefront, reason), count)| json!({ "storefront": word::<Storefront>(*storefront), "reason": reason, "count": count }))
            .collect();
        let routes = self.routes.iter().map(|((storefront, destination), count)| {
            json!({ "storefront": word::<Storefront>(*storefront), "destination": destination, "count": count })
        });
        shown["routes"] = routes.collect();
        let dead_letters = self.dead_letters.iter().map(|(&(stage, code), count)| {
            json!({ "stage": word::<DeadLetterStage>(stage), "code": word::<DeadLetterCode>(code), "count": count })
        });
        shown["dead_letters"] = dead_letters.collect();
        let last = self.last_dead_letters.iter().rev().map(|(at, rejected)| {
            let RejectedRecord { position, stage, code } = rejected;
            json!({ "at": at, "position": position.to_string(), "stage": stage.name(), "code": code.name() })
        });
        shown["last_dead_letters"] = last.collect();
    }

    /// The samples, oldest first: totals since the start, so that a rate is a difference.
    pub(super) fn history(&self) -> Value {
        let samples = self.samples.iter().map(|(at, counts)| {
            json!({
                "at": at, "records": counts.records, "qualified": counts.qualified, "unqualified": counts.unqualified,
                "routed": counts.routed, "dead_letters": counts.dead_letters,
            })
        });
        json!({ "every_seconds": EVERY, "samples": samples.collect::<Vec<_>>() })
    }
}

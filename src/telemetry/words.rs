//! The words in which a process tells what its lanes and rules come to: closed sets, as label values of metrics; and the bound on
//! those that rulesets bring along.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::lead::Vocabulary;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionResult {
    /// Its outputs and offsets are visible.
    Committed,
    /// It was taken back.
    Aborted,
}

impl Vocabulary for TransactionResult {
    const ALL: &'static [Self] = &[Self::Committed, Self::Aborted];

    fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Aborted => "aborted",
        }
    }
}

/// What a rebalance did to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebalanceKind {
    /// Partitions came.
    Assigned,
    /// Partitions went, in good order.
    Revoked,
    /// Partitions went without a word.
    Lost,
}

impl Vocabulary for RebalanceKind {
    const ALL: &'static [Self] = &[Self::Assigned, Self::Revoked, Self::Lost];

    fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
        }
    }
}

/// What became of a changed ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadResult {
    /// It is in use.
    Ok,
    /// The one before it stays in use.
    Refused,
}

impl Vocabulary for ReloadResult {
    const ALL: &'static [Self] = &[Self::Ok, Self::Refused];

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
        }
    }
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneState {
    /// It has no place in the group yet.
    Joining,
    /// It has joined and been given no partition.
    Waiting,
    /// It decides leads, or waits for some.
    Running,
    /// It stands still until a person has decided.
    Halted,
    /// It has not come round for too long.
    Stuck,
}

impl Vocabulary for LaneState {
    const ALL: &'static [Self] = &[Self::Joining, Self::Waiting, Self::Running, Self::Halted, Self::Stuck];

    fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Halted => "halted",
            Self::Stuck => "stuck",
        }
    }
}

/// What became of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanResult {
    /// The collector took it.
    Sent,
    /// The collector did not take it.
    Failed,
    /// It was not sent at all: too many waited.
    Dropped,
}

impl Vocabulary for SpanResult {
    const ALL: &'static [Self] = &[Self::Sent, Self::Failed, Self::Dropped];

    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// So many words of rulesets (reasons, destinations) are told apart since the start; rulesets may change for months.
const MOST_WORDS: usize = 256;
/// What the words beyond are counted under.
const OTHER: &str = "other";

/// The words of rulesets that are told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownWords(Arc<Mutex<BTreeSet<String>>>);

impl KnownWords {
    /// The word, while it is one of the first.
    pub(super) fn known<'w>(&self, word: &'w str) -> &'w str {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(word) {
            if known.len() >= MOST_WORDS {
                return OTHER;
            }
            known.insert(word.to_owned());
        }
        word
    }
}

//! What a batch came to, in numbers.

use crate::{lead::Outcome, pipeline::OutputTopic};

/// Counts of one batch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Records read.
    pub records: u64,
}

impl Tally {
    /// Counts one record of `topic` and its outcome.
    pub fn record(&mut self, _topic: &str, _outcome: &Outcome<'_>) {
        self.records += 1;
    }

    /// Counts events that were written to `topic`.
    pub fn events(&mut self, _topic: OutputTopic, _count: u64) {}

    /// Forgets everything, keeping memory.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

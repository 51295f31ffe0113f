//! Transactions of who belongs to no group: whoever holds the transactional id writes, and what was begun under it before is ended. What
//! has been done is for the writer to record in the same transaction; when in doubt it begins anew and reads what is recorded.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    config::{Delivery, KafkaConfig, LaneMemory},
    pipeline::OutputBuffer,
};

use super::{
    BrokerHealth, OutputNames, Unavailable,
    producer::{LOST, Producer, Remedy, Trouble},
    properties::{self, Packing},
};

/// How long the broker may take to hand out the transactional id: an open transaction of a process that died is ended first.
const PATIENCE: Duration = Duration::from_mins(1);
/// One question.
const CALL: Duration = Duration::from_secs(2);
/// Records are sent together up to this many bytes.
const TOGETHER: usize = 1_000_000;

/// What writing takes.
#[derive(Clone, Debug)]
pub struct TransactionSettings {
    /// How to reach the broker.
    pub kafka: KafkaConfig,
    /// Who has it last is the one that writes.
    pub transactional_id: String,
    /// The largest record, in bytes.
    pub largest: usize,
    /// What the topic that takes least takes at once, in bytes.
    pub least: usize,
    /// Each record is sent alone: slow, but a refusal names the one that is too large.
    pub alone: bool,
}

/// A producer that has its transactional id, between two transactions.
pub struct Transactions {
    producer: Producer,
    is_doubtful: bool,
}

/// A transaction of which nothing is visible, or nobody can tell: read what is recorded, and begin anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NotCommitted {
    /// For a person.
    pub detail: String,
    /// Somebody else has the transactional id now, or the transaction was older than the broker lets one be.
    pub is_fenced: bool,
    /// Outputs that the broker found too large, by their number among all that were written.
    pub too_large: Vec<usize>,
}

impl Transactions {
    /// Takes the transactional id. When this returns, no transaction under it is open, and nobody who had it can end one.
    ///
    /// # Errors
    /// The broker does not answer within a minute, or does not let us.
    pub fn begin(settings: &TransactionSettings) -> Result<Self, Unavailable> {
        let id = &settings.transactional_id;
        let failed = |why: &dyn std::fmt::Display| {
            Unavailable(format!("taking the transactional id {id} at {}: {why}; is it allowed to write under it?", settings.kafka.brokers))
        };
        let memory = LaneMemory::share(0, 1);
        let packing = Packing {
            largest: settings.largest,
            together: settings.least.min(TOGETHER),
            alone: settings.alone,
            on_the_way: memory.on_the_way(settings.largest),
        };
        let config = properties::producer(&settings.kafka, Delivery::ExactlyOnce, id, packing);
        let health = Arc::new(BrokerHealth::new(&settings.kafka.brokers));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut producer = Producer::create(&config, true, &health).map_err(|error| failed(&error))?;
            while Instant::now() < deadline {
                match producer.initialise(CALL) {
                    Ok(true) => return Ok(Self { producer, is_doubtful: false }),
                    Ok(false) => {}
                    Err(trouble) if trouble.reason == LOST => break,
                    Err(trouble) => return Err(failed(&trouble.detail)),
                }
            }
            if Instant::now() >= deadline {
                return Err(failed(&"no answer within a minute"));
            }
        }
    }

    /// Whether a transaction may begin: the last one left no doubt of how it ended.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        !self.is_doubtful
    }

    /// Makes all outputs visible together, each buffer's in topics of its own (by `OutputTopic as usize`).
    ///
    /// # Errors
    /// Nothing is visible, or it is not known: this producer is of no more use.
    pub fn commit(&mut self, parts: &[(&OutputBuffer, &OutputNames)]) -> Result<(), NotCommitted> {
        if let Err(trouble) = self.producer.write(parts).and_then(|()| self.producer.commit()) {
            self.is_doubtful = true;
            return Err(self.taken_back(&trouble));
        }
        self.producer.drain();
        self.is_doubtful = self.producer.take_doubt().is_some();
        Ok(())
    }

    fn taken_back(&self, trouble: &Trouble) -> NotCommitted {
        // What is open still would hold up who reads the topics; where this fails, the next to take the id ends it.
        let abortable = trouble.remedy == Remedy::Abort && self.producer.abort().is_ok();
        let cause = self.producer.first_cause().map(|(code, topic)| format!(" ({code}, topic {topic})")).unwrap_or_default();
        let fence = self.producer.told_fenced("transaction");
        let is_fenced = trouble.remedy == Remedy::Fenced || !abortable && fence.is_some();
        NotCommitted { detail: format!("{}{cause}", trouble.detail), is_fenced, too_large: self.producer.too_large() }
    }
}

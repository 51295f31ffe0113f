//! The words in which a lane and a registry tell what came of their work: closed sets, since they end up as label values of
//! metrics. What follows from a word is decided where it is told, not here.

use std::fmt;

use crate::lead::Vocabulary;

/// Why a batch was taken back, or a producer replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The group changed, or had given this member up.
    Rebalance,
    /// The producer had to be replaced first, and is not at work yet.
    NotReady,
    /// An output is larger than its topic takes.
    TooLarge,
    /// A topic to be written is not there.
    MissingTopic,
    /// A right is missing.
    NotAuthorized,
    /// The broker refused an output, or what it answered has no meaning of its own here.
    Delivery,
    /// Outputs were not acknowledged in time.
    DeliveryTimeout,
    /// A call came to its end without an answer from the broker.
    Timeout,
    /// Another producer has the transactional id, or the broker ended an old transaction.
    Fenced,
    /// The broker no longer knows the transactional id: it was not used for longer than the broker keeps one.
    IdExpired,
    /// The client says that its producer is of no more use.
    Fatal,
    /// The client and this program differ over where the transaction stands.
    State,
    /// A call of the client did not come back.
    HungCall,
    /// Ending a transaction took longer than one request may: its request may have been sent twice.
    SlowCall,
    /// A call had to be repeated: its request may have been sent twice.
    Retriable,
    /// The client logged a lost connection: a request on it may have been sent twice.
    LogLine,
    /// The client reported an error while a request was on its way.
    Error,
    /// A connection was lost while the producer began.
    LostConnection,
    /// A batch could not be taken back.
    FailedAbort,
    /// The broker refused a record of a transaction that is over.
    RefusedRecord,
    /// Records were on their way when their transaction was given up.
    OnTheirWay,
    /// Nothing was written for so long that connections were closed.
    Idle,
    /// Records are packed otherwise from now on: a topic takes less than was known.
    Packing,
}

impl Vocabulary for Cause {
    const ALL: &'static [Self] = &[
        Self::Rebalance,
        Self::NotReady,
        Self::TooLarge,
        Self::MissingTopic,
        Self::NotAuthorized,
        Self::Delivery,
        Self::DeliveryTimeout,
        Self::Timeout,
        Self::Fenced,
        Self::IdExpired,
        Self::Fatal,
        Self::State,
        Self::HungCall,
        Self::SlowCall,
        Self::Retriable,
        Self::LogLine,
        Self::Error,
        Self::LostConnection,
        Self::FailedAbort,
        Self::RefusedRecord,
        Self::OnTheirWay,
        Self::Idle,
        Self::Packing,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Rebalance => "rebalance",
            Self::NotReady => "not_ready",
            Self::TooLarge => "too_large",
            Self::MissingTopic => "missing_topic",
            Self::NotAuthorized => "not_authorized",
            Self::Delivery => "delivery",
            Self::DeliveryTimeout => "delivery_timeout",
            Self::Timeout => "timeout",
            Self::Fenced => "fenced",
            Self::IdExpired => "id_expired",
            Self::Fatal => "fatal",
            Self::State => "state",
            Self::HungCall => "hung_call",
            Self::SlowCall => "slow_call",
            Self::Retriable => "retriable",
            Self::LogLine => "log_line",
            Self::Error => "error",
            Self::LostConnection => "lost_connection",
            Self::FailedAbort => "failed_abort",
            Self::RefusedRecord => "refused_record",
            Self::OnTheirWay => "on_their_way",
            Self::Idle => "idle",
            Self::Packing => "packing",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// What came of a question to the schema registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryAnswer {
    /// It answered.
    Answered,
    /// It answered that it will not.
    Refused,
    /// It did not answer, or not in words that are known.
    Failed,
}

impl Vocabulary for RegistryAnswer {
    const ALL: &'static [Self] = &[Self::Answered, Self::Refused, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Why partitions stand still until a person has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltReason {
    /// The broker no longer holds the committed offset.
    LostPosition,
    /// Too many records are dead letters.
    DeadLetters,
}

impl Vocabulary for HaltReason {
    const ALL: &'static [Self] = &[Self::LostPosition, Self::DeadLetters];

    fn name(self) -> &'static str {
        match self {
            Self::LostPosition => "lost_position",
            Self::DeadLetters => "dead_letters",
        }
    }
}

//! The two seams between the core and the world: `Lane` (read, commit, rewind) and `Observer` (told after the commit), with
//! the values they exchange. Kafka's lane is in `kafka`; the memory lane here is the model the loop is tested on.

mod batch;
mod links;
mod memory;
mod progress;
mod schemas;
mod tally;
mod trial_tally;
mod words;

pub use batch::Batch;
pub use links::{TraceLink, TraceLinks};
pub use memory::{MemoryLane, NamedHeaders, Visible};
pub use progress::Progress;
pub use schemas::{AskLater, NoRegistry, RegistryIsAway, SchemaSource, SchemaText};
pub use tally::{CountedLead, Counts, DecidedLead, RejectedRecord, Tally};
pub use trial_tally::{
    CandidateTally, ChangedDecision, Judged, RulesetName, RulesetTallies, RulesetTally, SampledDecision, SampledRoute, ShadowTally,
};
pub use words::{Cause, HaltReason, RegistryAnswer};

use std::time::Duration;

use crate::{
    lead::{Partition, Timestamp},
    pipeline::{OutputBuffer, OutputTopic},
};

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The first record that is still there.
    Earliest,
    /// What is there now.
    Latest,
    /// The first record received at that time or later.
    At(Timestamp),
}

/// When a batch is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// This many records …
    pub records: usize,
    /// … or this many bytes of keys, values and headers …
    pub bytes: usize,
    /// … or nothing more stands ready, and a record that just missed the last one would else wait longer than this for its commit.
    pub wait: Duration,
}

/// What came of asking for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The batch holds at least one record.
    Records,
    /// Nothing to read just now.
    Idle,
    /// The lane was asked to stop, or a bounded input is at its end.
    End,
}

/// Why a lane could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneError {
    /// Nothing of the batch became visible, or the lane cannot tell: rewind to what is committed and go round.
    Aborted(Abort),
    /// The lane cannot go on; the process ends with this reason.
    Fatal(Fatal),
}

/// A batch that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abort {
    /// Why, in a word …
    pub reason: Cause,
    /// … and for a person.
    pub detail: String,
    /// Outputs (by number in the batch) that the broker found too large.
    pub too_large: Vec<usize>,
    /// What each output topic takes, by `OutputTopic as usize`, where that turned out to be less than was known.
    pub limits: Option<[usize; OutputTopic::COUNT]>,
}

/// An end, with the exit code of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal {
    /// What was tried, on what, what is wrong, what to do.
    pub message: String,
    /// 64 usage or config, 70 bug, 75 a dependency is away.
    pub exit: u8,
}

/// A batch that is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// How long produce and commit took together.
    pub took: Duration,
}

/// Reads batches, and makes outputs and progress visible together or not at all.
pub trait Lane {
    /// Fills `batch` (emptied first). Rebalances happen in here and nowhere else; no transaction is open meanwhile.
    ///
    /// # Errors
    /// Only [`LaneError::Fatal`]: a dependency that is away is waited for.
    fn next_batch(&mut self, limits: &BatchLimits, batch: &mut Batch) -> Result<Next, LaneError>;

    /// Whether what is written stays unseen until it is committed: else nothing is to be written ahead.
    fn holds_back(&self) -> bool;

    /// Hands outputs over ahead of the commit that makes them visible together with what follows, so that their memory can be used
    /// again. Until then no batch is asked for; [`Lane::rewind`] drops them.
    ///
    /// # Errors
    /// As [`Lane::commit`].
    fn write(&mut self, out: &OutputBuffer) -> Result<(), LaneError>;

    /// Makes `out` and `progress` visible together, and what was written ahead.
    ///
    /// # Errors
    /// `Aborted`: nothing is visible, or it is not known; call [`Lane::rewind`]. `Fatal`: end.
    fn commit(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<Committed, LaneError>;

    /// Where the group stands in a partition of the batch, and what is noted beside that offset.
    fn standing(&self, partition: &Partition) -> Option<(i64, &str)>;

    /// Goes back to what is committed, as the broker (or the model) knows it.
    ///
    /// # Errors
    /// Only [`LaneError::Fatal`].
    fn rewind(&mut self) -> Result<(), LaneError>;

    /// Stands still from now on, for the reason `why`: keeps what it owns, so that nobody else takes it over and goes wrong the
    /// same way, reads nothing and commits nothing until it is asked to stop.
    fn halt(&mut self, why: &str);
}

/// What a lane tells of itself as it goes, beside its batches: for metrics, `/status` and people. Nothing is decided on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LaneEvent<'a> {
    /// Partitions came.
    Assigned(&'a [Partition]),
    /// Partitions went, in good order.
    Revoked(&'a [Partition]),
    /// Partitions went without a word: the group had given this member up.
    Lost(&'a [Partition]),
    /// Partitions stand still; a whole lane, with all it has and will have, where the reason is dead letters.
    Halted {
        /// Which.
        partitions: &'a [Partition],
        /// Why, in a word …
        reason: HaltReason,
        /// … and for a person, with what to do.
        why: &'a str,
    },
    /// Offsets that the broker no longer held were passed over, as the configuration asks.
    Skipped {
        /// Where.
        partition: &'a Partition,
        /// How many.
        offsets: u64,
    },
    /// The producer was replaced, and why.
    Recycled(Cause),
    /// How far a partition is behind.
    Lag {
        /// Which.
        partition: &'a Partition,
        /// The next offset to decide.
        next: i64,
        /// The partition's end, as last told by the broker.
        end: i64,
        /// Age of the oldest undecided record, as far as it is known; 0 when there is none.
        seconds: f64,
    },
}

/// Listens to a lane.
pub trait LaneWatch: Send {
    /// Something happened.
    fn tell(&mut self, event: LaneEvent<'_>);
}

/// Told what happened to a batch, after it happened, so that an aborted and repeated batch is never counted twice.
pub trait Observer {
    /// A batch became visible.
    fn committed(&mut self, tally: &Tally, committed: Committed, decided_in: Duration);
    /// A batch was taken back, so long after work on it began; of what was counted nothing has happened.
    fn aborted(&mut self, tally: &Tally, abort: &Abort, after: Duration);
    /// The loop came round: the lane is alive, with or without records.
    fn round(&mut self) {}
}

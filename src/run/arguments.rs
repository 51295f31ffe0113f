//! What each mode is asked to do, as plain values: no argument parser and no configuration in here.

use std::{path::PathBuf, time::Duration};

use crate::{
    io::Bound,
    lead::{Format, Position, Timestamp},
};

/// A file, or the process's own stream (`-`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard input or output.
    Stream,
    /// A file, or the folder outputs go to.
    Path(PathBuf),
}

/// How records stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// One a line; blank lines are skipped.
    #[default]
    Lines,
    /// Each after its length in bytes, u32 big-endian.
    Length,
}

/// How files of raw leads are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReading {
    /// What the records are; `None`: told by their structure.
    pub format: Option<Format>,
    /// How records stand in files that are neither Avro nor Parquet.
    pub framing: Framing,
    /// The column that holds raw leads; `None`: `value`, or the whole row.
    pub column: Option<String>,
    /// Inputs are known by their path from this folder on; `None`: by their file's name.
    pub name_from: Option<PathBuf>,
}

/// How events are written to files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputForm {
    /// One JSON value a line.
    #[default]
    Ndjson,
    /// Avro container files.
    Avro,
}

/// `leadstream process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessArguments {
    /// Read in this order; at least one. Patterns are followed here.
    pub inputs: Vec<Target>,
    /// Where events and dead letters go.
    pub output: Target,
    /// How events are written there.
    pub form: OutputForm,
    /// When the records were received; `None`: the start of the run.
    pub now: Option<Timestamp>,
    /// How the inputs are read.
    pub reading: FileReading,
    /// Threads that decide; `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// Goes on where the run before was stopped.
    pub resume: bool,
    /// Where the counts go, as JSON.
    pub summary: Option<PathBuf>,
    /// No progress, no closing line.
    pub quiet: bool,
}

/// `leadstream explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainArguments {
    /// Where the one record is.
    pub input: ExplainInput,
    /// One JSON object instead of a tree.
    pub json: bool,
    /// When the record was received; `None`: now, or the record's own time in Kafka.
    pub now: Option<Timestamp>,
}

/// Where the record to explain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExplainInput {
    /// A file or standard input holding its value.
    Value(Target),
    /// In Kafka.
    At(Position),
}

/// `leadstream run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeArguments {
    /// End when the committed offsets reach the end offsets seen at the start.
    pub once: bool,
    /// With `once`: how long nothing may move before giving up with exit 75.
    pub wait: Duration,
    /// No progress.
    pub quiet: bool,
}

/// `leadstream replay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayArguments {
    /// What is decided again.
    pub range: ReplayRange,
    /// Its name, and the end of the names of its group and topics.
    pub id: String,
    /// A condition as a route asks it: only leads for which it holds are published.
    pub only: Option<String>,
    /// Records a second at most, 1 or more; `None`: as fast as it goes.
    pub rate: Option<u32>,
    /// To the topics of the configuration.
    pub promote: bool,
    /// Nobody is asked about that.
    pub yes: bool,
    /// Only tells what would be done.
    pub dry_run: bool,
    /// Records of the range that are gone are no error.
    pub from_first_existing: bool,
    /// No progress and no closing line.
    pub quiet: bool,
}

/// Which records a replay decides again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayRange {
    /// Those received from one time on, and before the other.
    Times {
        /// Their first.
        from: Bound,
        /// Behind their last.
        to: Bound,
    },
    /// Those a file names.
    Offsets(PathBuf),
    /// Those that dead letters stand for; of this code, or of any.
    DeadLetters(Option<String>),
}

/// `leadstream demo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoArguments {
    /// End when so many made-up leads are decided, or written to a Kafka; `None`: go on.
    pub leads: Option<u64>,
    /// Write so many made-up leads a second to the Kafka of the configuration, and decide none; `None`: the embedded broker.
    pub to_kafka: Option<u32>,
    /// No live summary.
    pub quiet: bool,
}

/// `leadstream verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyArguments {
    /// Raw records received from then on; with the ledger alone, entries written from then on.
    pub from: Bound,
    /// … and before then. What is not decided yet is never looked at.
    pub to: Bound,
    /// Raw records are not read: the ledger is taken at its word for what there was.
    pub against_ledger: bool,
    /// One JSON object instead of text.
    pub json: bool,
}

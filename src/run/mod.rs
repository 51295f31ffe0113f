//! Composition: one file a mode, each a plain function from what it needs to what came of it. Reads rules and tables, hands
//! the pure core its inputs; decides nothing about leads, and knows nothing of how arguments were written.

mod arguments;
pub mod backtest;
#[cfg(feature = "kafka")]
mod bounded;
#[cfg(feature = "kafka")]
mod broker_watch;
mod bugs;
#[cfg(feature = "kafka")]
mod canary;
mod candidates;
pub mod check;
#[cfg(feature = "kafka")]
pub mod dead_letters;
#[cfg(feature = "kafka")]
pub mod demo;
#[cfg(feature = "kafka")]
pub mod doctor;
pub mod drive;
pub mod explain;
mod in_order;
mod inputs;
#[cfg(feature = "kafka")]
mod lanes;
#[cfg(feature = "kafka")]
mod ledger_topic;
mod load;
mod new_ruleset;
#[cfg(feature = "kafka")]
mod pace;
pub mod process;
mod reading;
#[cfg(feature = "kafka")]
mod registration;
#[cfg(feature = "kafka")]
mod registry_watch;
#[cfg(feature = "kafka")]
mod reload;
#[cfg(feature = "kafka")]
pub mod replay;
#[cfg(feature = "kafka")]
mod report;
mod restored;
pub mod rule_tests;
mod ruleset_diff;
mod ruleset_files;
mod ruleset_schema;
pub mod schemas;
#[cfg(feature = "kafka")]
pub mod serve;
mod shadows;
mod shown;
#[cfg(feature = "kafka")]
pub mod topics;
#[cfg(feature = "kafka")]
pub mod verify;
#[cfg(feature = "kafka")]
mod watched;
mod written;

pub use arguments::{
    DemoArguments, ExplainArguments, ExplainInput, FileReading, Framing, OutputForm, ProcessArguments, ReplayArguments, ReplayRange,
    ServeArguments, Target, VerifyArguments,
};
pub use bugs::hide_panic_messages;
pub use candidates::{inspect_live, inspect_service};
pub use load::{inspect_pipeline, load_pipeline, show_ruleset};
pub use new_ruleset::new_ruleset;
pub use reading::schema_source;
pub use restored::Restore;
pub use ruleset_diff::diff_rulesets;
pub use ruleset_schema::ruleset_schema;
pub use shadows::ShadowBudget;

use std::fmt;

use crate::lead::Timestamp;

/// The wall clock: for headers, and for when records of files are received where nobody says.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

/// Why a command ended without doing what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 64 usage, configuration or rules; 70 bug; 75 a dependency is away.
    pub exit: u8,
    /// What was tried, on what, what is wrong, what to do; no full stop at its end.
    pub message: String,
}

impl Failure {
    /// What was asked for cannot be done as asked: exit 64.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: 64, message: message.into() }
    }

    /// The work was done and found problems: exit 1.
    #[must_use]
    pub fn found(message: impl Into<String>) -> Self {
        Self { exit: 1, message: message.into() }
    }

    /// leadstream itself is wrong: exit 70.
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self { exit: 70, message: message.into() }
    }

    /// Something it needs is away; later it may work: exit 75.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { exit: 75, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<crate::io::Fatal> for Failure {
    fn from(fatal: crate::io::Fatal) -> Self {
        Self { exit: fatal.exit, message: fatal.message }
    }
}

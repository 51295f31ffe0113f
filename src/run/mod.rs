//! Composition: one file a mode, each a plain function from what it needs to what came of it. Reads rules and tables, hands
//! the pure core its inputs; decides nothing about leads, and knows nothing of how arguments were written.

mod arguments;
pub mod check;
mod load;

pub use arguments::{DemoArguments, ExplainArguments, ExplainInput, Framing, ProcessArguments, ServeArguments, Target};
pub use load::{inspect_pipeline, load_pipeline};

use std::fmt;

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

/// Files through the same core.
pub mod process {
    use std::io::Write;

    use super::{Failure, ProcessArguments};
    use crate::pipeline::Pipeline;

    /// Reads files, decides, writes files or a stream.
    ///
    /// # Errors
    /// An input that cannot be read, an output that cannot be written.
    pub fn process(_pipeline: &Pipeline, _arguments: &ProcessArguments, _out: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::bug("process is not built"))
    }
}

/// One record, its decision shown.
pub mod explain {
    use std::io::Write;

    use super::{ExplainArguments, Failure};
    use crate::{config::Config, pipeline::Pipeline};

    /// Decides one record and shows why.
    ///
    /// # Errors
    /// An input that cannot be read.
    pub fn explain(_config: &Config, _pipeline: &Pipeline, _arguments: &ExplainArguments, _out: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::bug("explain is not built"))
    }
}

/// The service.
#[cfg(feature = "kafka")]
pub mod serve {
    use super::{Failure, ServeArguments};
    use crate::{config::Config, pipeline::Pipeline};

    /// Runs lanes until told to stop.
    ///
    /// # Errors
    /// A lane that cannot go on.
    pub fn serve(_config: &Config, _pipeline: Pipeline, _arguments: &ServeArguments) -> Result<(), Failure> {
        Err(Failure::bug("run is not built"))
    }
}

/// The embedded broker with made-up leads.
#[cfg(feature = "kafka")]
pub mod demo {
    use std::io::Write;

    use super::{DemoArguments, Failure};
    use crate::{config::Config, pipeline::Pipeline};

    /// Runs the demonstration.
    ///
    /// # Errors
    /// A broker that does not start.
    pub fn demo(_config: &Config, _pipeline: Pipeline, _arguments: &DemoArguments, _out: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::bug("demo is not built"))
    }
}

/// Topics on the broker.
#[cfg(feature = "kafka")]
pub mod topics {
    use std::io::Write;

    use super::Failure;
    use crate::config::Config;

    /// Creates the topics that are missing.
    ///
    /// # Errors
    /// A broker that is away or refuses.
    pub fn create(_config: &Config, _out: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::bug("topics create is not built"))
    }

    /// Compares the topics there are with what is needed; `false`: something is wrong.
    ///
    /// # Errors
    /// A broker that is away or refuses.
    pub fn check(_config: &Config, _out: &mut dyn Write) -> Result<bool, Failure> {
        Err(Failure::bug("topics check is not built"))
    }
}

//! Composition: the loop and one file a mode.

#[cfg(feature = "kafka")]
pub mod demo;
pub mod drive;
#[cfg(feature = "kafka")]
pub mod lanes;
#[cfg(feature = "kafka")]
pub mod serve;
#[cfg(feature = "kafka")]
pub mod topics;

/// An end that is not success: what to tell, and with which exit code of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// 1 the work found problems, 64 usage or config, 70 bug, 75 a dependency is away.
    pub exit: u8,
    /// What was tried, on what, what is wrong, what to do.
    pub message: String,
}

impl Failure {
    /// A failure with its exit code.
    #[must_use]
    pub fn new(exit: u8, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<crate::io::Fatal> for Failure {
    fn from(fatal: crate::io::Fatal) -> Self {
        Self { exit: fatal.exit, message: fatal.message }
    }
}

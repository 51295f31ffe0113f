//! Everything that needs no broker, in one binary: linking is what costs.

mod cli;
mod config;
#[cfg(feature = "kafka")]
mod deploy;
#[cfg(feature = "kafka")]
mod http;
#[cfg(feature = "kafka")]
mod metrics;

//! leadstream: raw marketplace leads in on Kafka, one explained decision each out on Kafka, exactly once.
//!
//! Modules are declared in reading order; follow one lead through the house in `ARCHITECTURE.md`.

pub mod problem;

pub mod dead_letters;
pub mod lead;
pub mod ledger;
pub mod pipeline;
pub mod rules;
pub mod schemas;
pub mod tables;

pub mod config;
pub mod io;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "kafka")]
pub mod registry;
pub mod run;
#[cfg(feature = "kafka")]
pub mod telemetry;

//! Everything that needs no broker, in one binary: linking is what costs.
// What a test expects it may say plainly, in its own small functions too.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod architecture;
mod avro;
mod avro_form;
mod bad_input;
mod bundle;
mod cases;
mod cli;
mod codes;
mod conditions;
mod config;
mod core;
#[cfg(feature = "kafka")]
mod deploy;
mod discretion;
#[cfg(feature = "kafka")]
mod doctor;
mod envelopes;
mod formats;
mod golden;
mod golden_events;
#[cfg(feature = "kafka")]
mod http;
mod identity;
mod invariants;
mod json_schema;
mod lint;
#[cfg(feature = "kafka")]
mod metrics;
mod mutate;
mod mutations;
mod papers;
mod planted;
mod privacy;
mod properties;
mod readings;
mod ruleset_files;
mod rulesets;
mod schemas;
mod scoring;
mod seniority;
mod source_text;
mod tables;
mod worst;

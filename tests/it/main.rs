//! Everything that needs no broker, in one binary: linking is what costs.
// What a test expects it may say plainly, in its own small functions too.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod architecture;
mod avro;
mod avro_form;
mod backtest;
mod bad_input;
mod bundle;
mod cases;
mod chosen;
mod cli;
mod codes;
mod conditions;
mod config;
mod core;
mod dead_letters;
#[cfg(feature = "kafka")]
mod deploy;
mod discretion;
#[cfg(feature = "kafka")]
mod doctor;
mod envelopes;
mod explain;
mod formats;
mod golden;
mod golden_events;
#[cfg(feature = "kafka")]
mod http;
mod identity;
mod invariants;
mod json_schema;
mod lint;
mod many_rules;
#[cfg(feature = "kafka")]
mod metrics;
mod mutate;
mod mutations;
mod papers;
mod planted;
mod privacy;
mod properties;
mod readings;
mod rule_tests;
mod ruleset_diff;
mod ruleset_files;
mod ruleset_schema;
mod rulesets;
mod schemas;
mod scoring;
mod seniority;
mod source_text;
mod tables;
mod toml_json;
#[cfg(feature = "kafka")]
mod trial_metrics;
mod trials;
mod worst;

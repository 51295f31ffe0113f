//! Everything that needs no broker, in one binary: linking is what costs.
// What a test expects it may say plainly, in its own small functions too.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod architecture;
mod at_rest;
mod at_rest_avro;
#[cfg(feature = "parquet")]
mod at_rest_parquet;
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
mod containers;
mod core;
#[cfg(feature = "kafka")]
mod dashboards;
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
#[cfg(feature = "kafka")]
mod http_guests;
#[cfg(feature = "kafka")]
mod http_names;
mod identity;
mod invariants;
mod json_schema;
mod ledger;
mod ledger_retries;
mod lint;
mod many_rules;
#[cfg(feature = "kafka")]
mod metric_contract;
#[cfg(feature = "kafka")]
mod metrics;
mod mutate;
mod mutations;
mod papers;
mod planted;
mod privacy;
#[cfg(feature = "kafka")]
mod promql;
mod properties;
mod proposals;
mod readings;
mod rule_tests;
mod ruleset_diff;
mod ruleset_files;
mod ruleset_schema;
mod rulesets;
#[cfg(feature = "kafka")]
mod runbook;
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

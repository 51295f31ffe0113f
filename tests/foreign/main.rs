//! What other programs say of what leadstream writes: validators and parsers that share no code with it. They are fetched once,
//! pinned, by the scripts beside this file. What needs a broker too is in `tests/kafka`.
#![cfg(feature = "kafka")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

#[path = "../it/core.rs"]
#[allow(dead_code)]
mod core;
#[path = "../it/golden_events.rs"]
mod golden_events;
mod node;
mod python;

mod asyncapi;
mod backtest_page;
mod container_files;
mod deployment;
mod fastavro;
mod json_schema;
mod linters;
mod promtool;
mod ruleset_schema;

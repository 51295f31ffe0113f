//! Every claim on delivery, against a real Apache Kafka, in one binary. How the broker comes to be: `broker`; what the tests
//! say to it: `clients`; how the program is run, killed and asked: `service`. What needs no broker is in `tests/it`.
#![cfg(feature = "kafka")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)] // some of it is the storm's
mod broker;
#[allow(dead_code)] // some of it is the storm's
mod clients;
mod disturbed;
mod fake_registry;
mod harness;
mod leads;
mod outcomes;
#[path = "../it/planted.rs"]
mod planted;
mod prometheus;
mod proxy;
#[path = "../foreign/python.rs"]
mod python;
mod registry;
#[cfg(feature = "tls")]
mod security;
#[allow(dead_code)] // some of it is the storm's
mod service;
#[cfg(feature = "tls")]
mod tls_registry;
mod waiting;

// What the storm leans on, for its unit tests.
#[allow(dead_code)]
#[path = "../storm/metrics.rs"]
mod metrics;
#[allow(dead_code)]
#[path = "../storm/obligations.rs"]
mod obligations;
#[allow(dead_code)]
#[path = "../storm/oracle.rs"]
mod oracle;
#[allow(dead_code)]
#[path = "../storm/schedule.rs"]
mod schedule;

mod at_least_once;
mod avro;
mod backtest;
mod broken;
mod closing;
mod console;
mod dead_letters;
mod delaying;
mod doctor;
mod feeding;
mod idle;
mod joining;
mod kills;
mod lag;
mod memory;
mod observed;
mod outage;
mod path;
mod pausing;
mod privacy;
mod proxied;
mod reloading;
mod replay;
mod restoring;
mod standing_still;
mod stopping;
mod subscribers;
#[cfg(feature = "tls")]
mod tls;
mod too_large;
mod topics;
#[cfg(feature = "otlp")]
mod traces;
mod trouble;
mod trying;
mod verify;
mod week;

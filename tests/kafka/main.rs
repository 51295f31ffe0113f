//! Every claim on delivery, against a real Apache Kafka, in one binary. How the broker comes to be: `broker`; what the tests
//! say to it: `clients`; how the program is run, killed and asked: `service`. What needs no broker is in `tests/it`.
#![cfg(feature = "kafka")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod broker;
mod clients;
mod fake_registry;
mod harness;
mod leads;
mod outcomes;
#[path = "../it/planted.rs"]
mod planted;
#[path = "../foreign/python.rs"]
mod python;
mod registry;
#[cfg(feature = "tls")]
mod security;
mod service;
#[cfg(feature = "tls")]
mod tls_registry;
mod waiting;

mod avro;
mod doctor;
mod joining;
mod kills;
mod outage;
mod path;
mod privacy;
mod stopping;
mod subscribers;
#[cfg(feature = "tls")]
mod tls;
mod topics;
mod trouble;

//! Everything that needs no broker, in one binary: linking is what costs.

mod cli;
mod config;

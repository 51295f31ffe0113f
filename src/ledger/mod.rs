//! The ledger: one entry an input partition a transaction, which says what was read, what was written for it, and what came
//! before. What an entry is and how it is chained to the last, how it is made of a batch (`accounts`), and how entries and
//! topics are held against each other (`audit`). Pure: who reads topics and who commits is not known here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod accounts;
pub mod audit;
mod digest;
mod entry;

pub use accounts::{Accounts, Deciders, Standing};
pub use digest::{EventsDigest, written_again};
pub use entry::{Head, LedgerEntry, LedgerRuleset};

//! The ledger: one entry an input partition a transaction, which says what was read, what was written for it, and what came
//! before. What an entry is and how it is chained to the last, how it is made of a batch (`accounts`), which dead letters are
//! settled (`settled`), and how all of this and the topics are held against each other (`audit`). Pure: who reads topics and who commits is not known here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod accounts;
pub mod audit;
mod digest;
mod entry;
mod settled;

pub use accounts::{Accounts, Deciders, Standing};
pub use digest::{EventsDigest, written_again};
pub use entry::{Head, LedgerEntry, LedgerRuleset};
pub use settled::{Fate, Settled, Settlement, Unreadable};

//! What a decision tells about itself while it is made. The hot path takes the empty one, which costs nothing: what takes time
//! to tell is handed over as a closure that only a listener calls.

use crate::{
    lead::{Flag, ScorePart},
    rules::Weighed,
};

/// Told each step of a decision, in order. Every method does nothing unless overridden.
pub trait Trace {
    /// Whether it is told of rules too that the lead's values alone rule out: then each is asked.
    const OF_EVERY_RULE: bool = true;

    /// A row of a classification table told something: `table` is `source`, `action`, `offer_type` or `storefront`.
    fn row(&mut self, _table: &'static str, _key: &str) {}
    /// Classification concluded something, for a person to read.
    fn classified(&mut self, _what: &'static str, _value: &str, _because: impl FnOnce() -> String) {}
    /// A gate was tried.
    fn gate(&mut self, _id: &str, _reason: &str, _held: bool, _weigh: impl FnOnce() -> Weighed) {}
    /// A score rule was tried.
    fn score(&mut self, _part: &ScorePart<'_>, _held: bool, _weigh: impl FnOnce() -> Weighed) {}
    /// One of the publisher's campaigns was tried: none after the first that holds.
    fn campaign(&mut self, _id: &str, _held: bool, _weigh: impl FnOnce() -> Weighed) {}
    /// A route was tried; `won` tells whether its destination was still free.
    fn route(&mut self, _id: &str, _destination: &str, _held: bool, _won: bool, _weigh: impl FnOnce() -> Weighed) {}
    /// A flag was set while deciding.
    fn flag(&mut self, _flag: Flag) {}
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrace;

impl Trace for NoTrace {
    const OF_EVERY_RULE: bool = false;
}

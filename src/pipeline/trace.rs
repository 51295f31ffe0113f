//! What a decision tells about itself while it is made. The hot path takes the empty one, which costs nothing.

use crate::lead::{Flag, ScorePart};

/// Told each step of a decision, in order. Every method does nothing unless overridden.
pub trait Trace {
    /// A gate was tried.
    fn gate(&mut self, _id: &str, _reason: &str, _held: bool) {}
    /// A score rule was tried.
    fn score(&mut self, _part: &ScorePart<'_>, _held: bool) {}
    /// A route was tried; `won` tells whether its destination was still free.
    fn route(&mut self, _id: &str, _destination: &str, _held: bool, _won: bool) {}
    /// Classification concluded something, for a person to read.
    fn classified(&mut self, _what: &'static str, _value: &str, _because: &str) {}
    /// A flag was set while deciding.
    fn flag(&mut self, _flag: Flag) {}
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrace;

impl Trace for NoTrace {}

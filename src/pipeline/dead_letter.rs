//! A rejection to the dead-letter envelope.

use crate::lead::{Record, Rejection};

use super::{OutputBuffer, Pipeline};

/// Writes the dead letter.
pub fn dead_letter(_rejection: &Rejection, _record: &Record<'_>, _pipeline: &Pipeline, _out: &mut OutputBuffer) {}

//! Facts to a kind of lead.

use crate::{
    lead::{Classified, Facts},
    rules::Ruleset,
};

use super::Trace;

/// Classifies.
pub fn classify(_facts: &Facts<'_>, _rules: &Ruleset, _trace: &mut impl Trace) -> Classified {
    todo!()
}

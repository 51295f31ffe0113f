//! A kind of lead to a verdict.

use crate::{
    lead::{Classified, Facts, Qualified},
    rules::Ruleset,
};

use super::Trace;

/// Qualifies.
pub fn qualify<'a>(_facts: &'a Facts<'a>, _class: &Classified, _rules: &'a Ruleset, _trace: &mut impl Trace) -> Qualified<'a> {
    todo!()
}

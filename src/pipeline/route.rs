//! A verdict to destinations.

use std::borrow::Cow;

use crate::{
    lead::{Classified, Facts, Qualified, Route},
    rules::Ruleset,
};

use super::Trace;

/// Routes.
pub fn route<'a>(
    _facts: &'a Facts<'a>,
    _class: &Classified,
    _qualified: &Qualified<'a>,
    _rules: &'a Ruleset,
    _trace: &mut impl Trace,
) -> (Option<Cow<'a, str>>, Vec<Route<'a>>) {
    todo!()
}

//! Raw leads to clean values.

use crate::lead::Record;

use super::{Limits, decode::Decoded};

/// A normalised lead.
#[derive(Debug)]
pub struct Normalized<'a>(std::marker::PhantomData<&'a ()>);

/// Normalises.
pub fn normalize<'a>(lead: Decoded<'a>, _record: &Record<'a>, _limits: &Limits) -> Normalized<'a> {
    Normalized(lead.0)
}

//! Clean values to facts: tables, identity.

use crate::{
    lead::{Facts, Record},
    tables::Tables,
};

use super::normalize::Normalized;

/// The key of `person_key`; prints as redacted.
#[derive(Clone, Default)]
pub struct PersonKey(Option<Vec<u8>>);

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "PersonKey([redacted])" } else { "PersonKey(unkeyed)" })
    }
}

impl PersonKey {
    /// A key; `None` or empty: unkeyed.
    #[must_use]
    pub fn new(key: Option<&[u8]>) -> Self {
        Self(key.filter(|key| !key.is_empty()).map(<[u8]>::to_vec))
    }
}

/// Enriches.
pub fn enrich<'a>(_lead: Normalized<'a>, _record: &Record<'a>, _tables: &'a Tables, _key: &PersonKey) -> Facts<'a> {
    todo!()
}

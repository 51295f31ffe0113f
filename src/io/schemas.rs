//! The seam to whoever knows schemas by number: a registry in the service, nobody elsewhere.

use std::sync::Arc;

/// A schema's text, those it builds on before it.
pub type SchemaText = Arc<[Arc<str>]>;

/// Nobody can say now; later somebody may. Never a reason to reject a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryIsAway;

/// Knows schemas by the number a registry gave them.
pub trait SchemaSource: Send + Sync {
    /// The schema of this number; `None`: there is none.
    ///
    /// # Errors
    /// Nobody can say now; within a few seconds.
    fn schema(&self, id: u32) -> Result<Option<SchemaText>, RegistryIsAway>;
}

/// Where nobody may be asked just now: what is not known has to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskLater;

impl SchemaSource for AskLater {
    fn schema(&self, _: u32) -> Result<Option<SchemaText>, RegistryIsAway> {
        Err(RegistryIsAway)
    }
}

/// Where no registry is configured, no number means anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegistry;

impl SchemaSource for NoRegistry {
    fn schema(&self, _: u32) -> Result<Option<SchemaText>, RegistryIsAway> {
        Ok(None)
    }
}

//! Our own schemas at a registry: which subjects they have (`TopicNameStrategy`), whether they are there, whether they may be,
//! and putting them there.

use super::{Registry, RegistryError};
use crate::{
    config::{CompatibilityMode, Topics},
    pipeline::OutputTopic,
    schemas::{RecordKind, Released},
};

/// A subject and the schema that belongs there.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `TOPIC-value`.
    pub name: String,
    /// The output topic; `None`: an input.
    pub topic: Option<OutputTopic>,
    /// The version that is written.
    pub schema: &'static Released,
}

/// The subjects of the events' topics, in the order of the contract.
#[must_use]
pub fn subjects(topics: &Topics) -> Vec<Subject> {
    let events = [
        (OutputTopic::Qualified, RecordKind::QualifiedLead),
        (OutputTopic::Unqualified, RecordKind::UnqualifiedLead),
        (OutputTopic::Routing, RecordKind::LeadRouted),
    ];
    let subject = |(topic, kind): (OutputTopic, RecordKind)| Subject {
        name: format!("{}-value", topics.name(topic)),
        topic: Some(topic),
        schema: kind.latest(),
    };
    events.into_iter().map(subject).collect()
}

impl Subject {
    /// The subject of an input topic, whose producers write `RawLead`.
    #[must_use]
    pub fn of_input(topic: &str) -> Self {
        Self { name: format!("{topic}-value"), topic: None, schema: RecordKind::RawLead.latest() }
    }
}

/// What a registry has of a subject of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The schema, under this number.
    Registered(u32),
    /// Not the schema; it could be registered.
    Registrable,
    /// Not the schema, and it cannot be registered beside what is there.
    Conflicts(Vec<String>),
}

/// Looks what the registry has, and changes nothing.
///
/// # Errors
/// The registry is away, or has another reason not to say.
pub fn find(registry: &Registry, subject: &Subject) -> Result<Found, RegistryError> {
    let client = &registry.client;
    if let Some(id) = client.find(&subject.name, subject.schema.text)? {
        return Ok(Found::Registered(id));
    }
    match client.conflicts(&subject.name, subject.schema.text)? {
        Some(conflicts) if !conflicts.is_empty() => Ok(Found::Conflicts(conflicts)),
        _ => Ok(Found::Registrable),
    }
}

/// The number of the subject's schema: registered if need be, under the mode that is asked for.
///
/// # Errors
/// The registry is away, or refuses the schema.
pub fn register(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<u32, RegistryError> {
    let client = &registry.client;
    if let Some(mode) = mode {
        client.set_compatibility(&subject.name, mode)?;
    }
    client.register(&subject.name, subject.schema.text)
}

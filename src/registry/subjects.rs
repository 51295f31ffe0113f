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
    if let Err(RegistryError::Incompatible(why)) = readable(registry, subject) {
        return Ok(Found::Conflicts(vec![why]));
    }
    match client.conflicts(&subject.name, subject.schema.text)? {
        Some(conflicts) if !conflicts.is_empty() => Ok(Found::Conflicts(conflicts)),
        _ => Ok(Found::Registrable),
    }
}

/// That what stands under the subject can be read by our schema. Registries differ in what they hold against a schema when
/// nobody has told them (Apicurio: nothing), and who reads with the last schema must be able to read all of the topic.
fn readable(registry: &Registry, subject: &Subject) -> Result<(), RegistryError> {
    let Some(latest) = registry.client.latest(&subject.name)? else { return Ok(()) };
    if !latest.references.is_empty() {
        return Ok(());
    }
    subject.schema.reads(&latest.schema).map_err(|why| {
        RegistryError::Incompatible(format!("the last version of the subject is another schema, which it cannot read: {why}"))
    })
}

/// The number of the subject's schema: registered if need be, under the mode that is asked for.
///
/// # Errors
/// The registry is away, or refuses the schema; or, unless the mode is `NONE`, what stands there cannot be read by it.
pub fn register(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<u32, RegistryError> {
    let client = &registry.client;
    if mode != Some(CompatibilityMode::None) && client.find(&subject.name, subject.schema.text)?.is_none() {
        readable(registry, subject)?;
    }
    if let Some(mode) = mode {
        client.set_compatibility(&subject.name, mode)?;
    }
    client.register(&subject.name, subject.schema.text)
}

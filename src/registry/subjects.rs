//! Our own schemas at a registry: which subjects they have (`TopicNameStrategy`), whether they are there, whether they may be,
//! and putting them there.

use serde_json::Value;

use super::{
    Registry, RegistryError,
    client::{Client, Reference, StoredSchema},
};
use crate::{
    config::{CompatibilityMode, EncodingConfig, Topics, ValueFormat},
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

/// The subjects of the events' topics, in the order of the contract; that of the ledger only where it is written as Avro.
#[must_use]
pub fn subjects(topics: &Topics, encoding: &EncodingConfig) -> Vec<Subject> {
    let events = [
        (OutputTopic::Qualified, RecordKind::QualifiedLead),
        (OutputTopic::Unqualified, RecordKind::UnqualifiedLead),
        (OutputTopic::Routing, RecordKind::LeadRouted),
        (OutputTopic::Ledger, RecordKind::LedgerEntry),
    ];
    let subject = |(topic, kind): (OutputTopic, RecordKind)| Subject {
        name: format!("{}-value", topics.name(topic)),
        topic: Some(topic),
        schema: kind.latest(),
    };
    let is_ledger = |subject: &Subject| subject.topic == Some(OutputTopic::Ledger);
    let with_ledger = !topics.ledger.is_empty() && encoding.format_of(OutputTopic::Ledger) == ValueFormat::Avro;
    events.into_iter().map(subject).filter(|subject| with_ledger || !is_ledger(subject)).collect()
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

/// Looks what the registry has, and what it would say to our schema under the mode that is asked for; changes nothing.
///
/// # Errors
/// The registry is away, or has another reason not to say.
pub fn find(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<Found, RegistryError> {
    registry.tell(look(registry, subject, mode))
}

fn look(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<Found, RegistryError> {
    if let Some(id) = registered(&registry.client, subject)? {
        return Ok(Found::Registered(id));
    }
    if let Err(RegistryError::Incompatible(why)) = compatible(&registry.client, subject, mode) {
        return Ok(Found::Conflicts(vec![why]));
    }
    // A mode that is yet to be set is not what the registry would judge by.
    let conflicts = if mode.is_some() { None } else { registry.client.conflicts(&subject.name, subject.schema.text)? };
    Ok(match conflicts {
        Some(conflicts) if !conflicts.is_empty() => Found::Conflicts(conflicts),
        _ => Found::Registrable,
    })
}

/// The number of the subject's schema: registered if need be, under the mode that is asked for.
///
/// # Errors
/// The registry is away, or refuses the schema; or what stands there does not go with it.
pub fn register(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<u32, RegistryError> {
    registry.tell(put(registry, subject, mode))
}

fn put(registry: &Registry, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<u32, RegistryError> {
    let (client, name) = (&registry.client, &subject.name);
    let known = registered(client, subject)?;
    if known.is_none() {
        compatible(client, subject, mode)?;
    }
    let get = || known.map_or_else(|| client.register(name, subject.schema.text), Ok);
    let Some(mode) = mode else { return get() };
    match client.set_compatibility(name, mode) {
        Ok(()) => get(),
        // Some registries know the modes of subjects only that exist.
        Err(RegistryError::Refused { status: 404, .. }) => {
            let id = get()?;
            match client.set_compatibility(name, mode) {
                Ok(()) | Err(RegistryError::Refused { status: 404, .. }) => Ok(id),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// The number of our schema under the subject, however it is laid out there: whoever registered it may have written it without
/// blanks.
fn registered(client: &Client, subject: &Subject) -> Result<Option<u32>, RegistryError> {
    if let Some(id) = client.find(&subject.name, subject.schema.text)? {
        return Ok(Some(id));
    }
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    let ours = parsed(subject.schema.text);
    let found = last(client, subject, MOST_VERSIONS)?.into_iter().find(|stored| parsed(&stored.schema) == ours);
    Ok(found.and_then(|stored| stored.id))
}

/// More versions of a subject are not looked through.
const MOST_VERSIONS: usize = 100;

/// The last versions of a subject, newest first.
fn last(client: &Client, subject: &Subject, count: usize) -> Result<Vec<StoredSchema>, RegistryError> {
    let versions = client.versions(&subject.name)?;
    let newest = versions.into_iter().rev().take(count);
    newest.map(|version| client.version(&Reference { subject: subject.name.clone(), version })).collect()
}

/// That our schema goes with what stands under the subject, by Avro's rules. Registries differ in what they hold against a schema
/// when nobody has told them (Apicurio: nothing), and whoever reads with the last schema must be able to read all of the topic:
/// so without a mode it is `BACKWARD`.
fn compatible(client: &Client, subject: &Subject, mode: Option<CompatibilityMode>) -> Result<(), RegistryError> {
    use CompatibilityMode::{Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive, None};
    let mode = mode.unwrap_or(Backward);
    let count = match mode {
        None => return Ok(()),
        Backward | Forward | Full => 1,
        BackwardTransitive | ForwardTransitive | FullTransitive => MOST_VERSIONS,
    };
    let (reads, is_read) = (!matches!(mode, Forward | ForwardTransitive), !matches!(mode, Backward | BackwardTransitive));
    for stored in last(client, subject, count)?.into_iter().filter(|stored| stored.references.is_empty()) {
        let refused = |how: &str, why: String| {
            RegistryError::Incompatible(format!("a version of the subject is another schema, which {how}: {why} (mode {})", mode.name()))
        };
        if reads {
            subject.schema.reads(&stored.schema).map_err(|why| refused("it cannot read", why))?;
        }
        if is_read {
            subject.schema.is_read_by(&stored.schema).map_err(|why| refused("cannot read it", why))?;
        }
    }
    Ok(())
}

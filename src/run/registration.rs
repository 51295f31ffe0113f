//! Before the first lane: the number a registry has, or gives, to the schema of each topic that is written as Avro. A schema it
//! refuses ends the process with its reason; a registry that is away is waited for.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use crate::{
    config::{EncodingConfig, Topics, ValueFormat},
    pipeline::EventFormat,
    registry::{Found, Registry, RegistryError, Subject, find, register, subjects},
};

use super::{Failure, lanes::Ending};

/// How each output topic is written. `None`: told to end meanwhile.
///
/// # Errors
/// 64 when the registry refuses a schema, or does not have one that must not be registered; 75 when it has not answered by
/// `deadline`.
pub(super) fn formats(
    topics: &Topics,
    encoding: &EncodingConfig,
    registry: Option<&Registry>,
    endings: &Receiver<Ending>,
    deadline: Option<Instant>,
) -> Result<Option<[EventFormat; 4]>, Failure> {
    let mut formats = [EventFormat::Json; 4];
    for subject in subjects(topics) {
        let Some(topic) = subject.topic.filter(|topic| encoding.format_of(*topic) == ValueFormat::Avro) else { continue };
        let format = match registry {
            None => EventFormat::SingleObject,
            Some(registry) => match number(registry, &subject, encoding, endings, deadline)? {
                Some(id) => EventFormat::Confluent(id),
                None => return Ok(None),
            },
        };
        if let Some(place) = formats.get_mut(topic as usize) {
            *place = format;
        }
    }
    Ok(Some(formats))
}

fn number(
    registry: &Registry,
    subject: &Subject,
    encoding: &EncodingConfig,
    endings: &Receiver<Ending>,
    deadline: Option<Instant>,
) -> Result<Option<u32>, Failure> {
    let mut pause = Duration::from_millis(200);
    loop {
        let answer = if encoding.register {
            register(registry, subject, encoding.registry.compatibility).map(Found::Registered)
        } else {
            find(registry, subject)
        };
        let what = described(registry, subject);
        let error = match answer {
            Ok(Found::Registered(id)) => {
                tracing::info!(subject = subject.name, id, "{} {} is registered", subject.schema.kind.name(), subject.schema.version);
                return Ok(Some(id));
            }
            Ok(Found::Registrable) => {
                let todo = "`leadstream schemas register` registers it, or encoding.register = true";
                return Err(Failure::usage(format!("{what} is not registered, and encoding.register is false: {todo}")));
            }
            Ok(Found::Conflicts(conflicts)) => return Err(refused(&what, &conflicts.join("; "))),
            Err(RegistryError::Incompatible(why)) => return Err(refused(&what, &why)),
            Err(RegistryError::Refused { message, .. }) => return Err(refused(&what, &reason(registry, subject, message))),
            Err(error) => error,
        };
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Failure::unavailable(format!("run --once: the schema registry has not answered: {error}; try again")));
        }
        match endings.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return Ok(None),
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// What is registered where, for a person.
pub(super) fn described(registry: &Registry, subject: &Subject) -> String {
    let schema = subject.schema;
    format!("{} {} under subject {:?} at {}", schema.kind.name(), schema.version, subject.name, registry.url())
}

/// The registry's words, and what it finds incompatible where it says so only when asked.
pub(super) fn reason(registry: &Registry, subject: &Subject, message: String) -> String {
    match find(registry, subject) {
        Ok(Found::Conflicts(conflicts)) => {
            let conflicts: String = conflicts.join("; ").chars().take(2000).collect();
            format!("{message}; {conflicts}")
        }
        _ => message,
    }
}

fn refused(what: &str, why: &str) -> Failure {
    let todo =
        "write to another topic, remove what stands in the subject, or set another compatibility mode (encoding.registry_compatibility)";
    Failure::usage(format!("the schema registry refuses {what}: {why}. What to do: {todo}"))
}

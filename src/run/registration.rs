//! Before the first lane: the number a registry has, or gives, to the schema of each topic that is written as Avro. A schema it
//! refuses ends the process with its reason; a registry that is away is waited for.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::{EncodingConfig, Topics, ValueFormat},
    pipeline::{EventFormat, OutputTopic},
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
    registry: Option<&Arc<Registry>>,
    endings: &Receiver<Ending>,
    deadline: Option<Instant>,
) -> Result<Option<[EventFormat; OutputTopic::COUNT]>, Failure> {
    let mut formats = [EventFormat::Json; OutputTopic::COUNT];
    let is_avro = topics.outputs().any(|(topic, _)| encoding.format_of(topic) == ValueFormat::Avro);
    if let Some(registry) = registry.filter(|_| is_avro) {
        registry.expected();
    }
    for subject in subjects(topics, encoding) {
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
    registry: &Arc<Registry>,
    subject: &Subject,
    encoding: &EncodingConfig,
    endings: &Receiver<Ending>,
    deadline: Option<Instant>,
) -> Result<Option<u32>, Failure> {
    let mut pause = Duration::from_millis(200);
    loop {
        let Some(answer) = asked(registry, subject, encoding, endings)? else { return Ok(None) };
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

/// One answer of the registry. It may take its time, and be cut short by whoever ends the process. `None`: told to end.
fn asked(
    registry: &Arc<Registry>,
    subject: &Subject,
    encoding: &EncodingConfig,
    endings: &Receiver<Ending>,
) -> Result<Option<Result<Found, RegistryError>>, Failure> {
    let (sender, answer) = channel();
    let (may_register, mode) = (encoding.register, encoding.registry.compatibility);
    let (registry, subject) = (Arc::clone(registry), subject.clone());
    let ask = move || {
        let answer =
            if may_register { register(&registry, &subject, mode).map(Found::Registered) } else { find(&registry, &subject, mode) };
        // Nobody listens any more only while the process is ending.
        let _ = sender.send(answer);
    };
    thread::Builder::new()
        .name("registration".to_owned())
        .spawn(ask)
        .map_err(|error| Failure::unavailable(format!("starting a thread: {error}")))?;
    loop {
        match answer.recv_timeout(Duration::from_millis(20)) {
            Ok(answer) => return Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::bug("asking the schema registry came to no end")),
        }
        if !matches!(endings.try_recv(), Err(TryRecvError::Empty)) {
            return Ok(None);
        }
    }
}

/// What is registered where, for a person.
pub(super) fn described(registry: &Registry, subject: &Subject) -> String {
    let schema = subject.schema;
    format!("{} {} under subject {:?} at {}", schema.kind.name(), schema.version, subject.name, registry.url())
}

/// The registry's words, and what it finds incompatible where it says so only when asked.
pub(super) fn reason(registry: &Registry, subject: &Subject, message: String) -> String {
    match find(registry, subject, None) {
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

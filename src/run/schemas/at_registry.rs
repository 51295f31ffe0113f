//! `schemas register` and `schemas check`: our schemas at the registry of the configuration, put there or only looked at.

use std::io::Write;

use crate::{
    config::{Config, ValueFormat},
    registry::{Found, Registry, RegistryError, Subject, Unwatched, find, register, subjects},
    run::{
        Failure,
        registration::{described, reason},
    },
};

/// The registry, and the subjects of the topics: those of events, and with `raw` those of raw leads too.
fn asked(config: &Config, raw: bool) -> Result<(Registry, Vec<Subject>), Failure> {
    let settings = config.encoding.registry();
    let settings = settings.ok_or_else(|| Failure::usage("there is no registry to ask: set encoding.registry to its URL"))?;
    let registry = Registry::new(settings, Box::new(Unwatched)).map_err(Failure::usage)?;
    let mut subjects = subjects(&config.topics, &config.encoding);
    if raw {
        subjects.extend(config.topics.raw.iter().map(|topic| Subject::of_input(topic)));
    }
    Ok((registry, subjects))
}

fn unanswered(registry: &Registry, subject: &Subject, error: &RegistryError) -> Failure {
    Failure::unavailable(format!("asking for {}: {error}; try again", described(registry, subject)))
}

/// Registers what is not there yet.
///
/// # Errors
/// 64 without a registry, 75 when it does not answer, 1 when it refuses a schema.
pub fn put(config: &Config, raw: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let (registry, subjects) = asked(config, raw)?;
    let mut refused = 0;
    for subject in &subjects {
        let why = match register(&registry, subject, config.encoding.registry.compatibility) {
            Ok(id) => {
                tell(out, &format!("registered  {}", line(subject, &format!("schema id {id}"))))?;
                continue;
            }
            Err(RegistryError::Incompatible(why)) => why,
            Err(RegistryError::Refused { message, .. }) => reason(&registry, subject, message),
            Err(error) => return Err(unanswered(&registry, subject, &error)),
        };
        refused += 1;
        tell(out, &format!("refused     {}", line(subject, &why)))?;
    }
    if refused > 0 {
        return Err(Failure::found(format!("{refused} schemas could not be registered at {}", registry.url())));
    }
    Ok(())
}

/// Looks whether the registry has, or would take, our schemas; `false`: something was found, and told.
///
/// # Errors
/// 64 without a registry, 75 when it does not answer.
pub fn check(config: &Config, raw: bool, out: &mut dyn Write) -> Result<bool, Failure> {
    let (registry, subjects) = asked(config, raw)?;
    let mut problems = 0;
    for subject in &subjects {
        let is_needed = subject.topic.is_some_and(|topic| config.encoding.format_of(topic) == ValueFormat::Avro);
        let (is_problem, what) = match find(&registry, subject, config.encoding.registry.compatibility) {
            Ok(Found::Registered(id)) => (false, format!("schema id {id}")),
            Ok(Found::Registrable) if is_needed && !config.encoding.register => {
                (true, "not registered, and encoding.register is false; `leadstream schemas register` registers it".to_owned())
            }
            Ok(Found::Registrable) => (false, "not registered; it can be".to_owned()),
            Ok(Found::Conflicts(conflicts)) => (true, conflicts.join("; ")),
            Err(RegistryError::Refused { message, .. } | RegistryError::Incompatible(message)) => (true, message),
            Err(error) => return Err(unanswered(&registry, subject, &error)),
        };
        problems += u32::from(is_problem);
        tell(out, &format!("{}  {}", if is_problem { "problem" } else { "ok     " }, line(subject, &what)))?;
    }
    Ok(problems == 0)
}

fn line(subject: &Subject, what: &str) -> String {
    format!("{}  {} {}: {what}", subject.name, subject.schema.kind.name(), subject.schema.version)
}

fn tell(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::unavailable(format!("writing to standard output: {error}")))
}

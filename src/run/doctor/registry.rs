//! Whether the schema registry is there and takes our schemas, as `schemas check` asks it; told as findings.

use crate::{
    config::{Config, ValueFormat},
    registry::{Found, Registry, RegistryError, Unwatched, find, subjects},
};

use super::{
    super::Failure,
    finding::{Code, Finding},
};

/// # Errors
/// 64 when the registry's settings cannot work.
pub(super) fn findings(config: &Config) -> Result<Vec<Finding>, Failure> {
    let Some(settings) = config.encoding.registry() else { return Ok(Vec::new()) };
    let registry = Registry::new(settings, Box::new(Unwatched)).map_err(Failure::usage)?;
    let mut found = Vec::new();
    for subject in subjects(&config.topics, &config.encoding) {
        let is_needed = subject.topic.is_some_and(|topic| config.encoding.format_of(topic) == ValueFormat::Avro);
        let refused = |why: String| {
            let fix = "write to another topic, remove what stands in the subject, or set encoding.registry_compatibility";
            if is_needed {
                Finding::error(Code::SchemaRefused, &subject.name, why, fix)
            } else {
                Finding::info(Code::SchemaRefused, &subject.name, format!("{why}; this topic is not written as Avro"), fix)
            }
        };
        found.push(match find(&registry, &subject, config.encoding.registry.compatibility) {
            Ok(Found::Registered(id)) => Finding::ok(Code::Schema, &subject.name, format!("has schema id {id}")),
            Ok(Found::Registrable) if is_needed && !config.encoding.register => {
                let fix = "`leadstream schemas register` registers it, or encoding.register = true";
                Finding::error(Code::SchemaRefused, &subject.name, "is not registered, and encoding.register is false", fix)
            }
            Ok(Found::Registrable) => Finding::ok(Code::Schema, &subject.name, "is not registered; it can be"),
            Ok(Found::Conflicts(conflicts)) => refused(conflicts.join("; ")),
            Err(RegistryError::Refused { message, .. } | RegistryError::Incompatible(message)) => refused(message),
            Err(error) => {
                // The others would be answered in the same way.
                let fix = "start the registry, or set encoding.registry and who we are to it";
                found.push(Finding::error(Code::RegistryAway, registry.url(), format!("does not answer: {error}"), fix));
                break;
            }
        });
    }
    Ok(found)
}

//! One record to facts, by way of whoever knows the schema it was written with. The core asks nobody; this does, for all modes.

use std::time::{Duration, Instant};

use super::Failure;
use crate::{
    config::EncodingConfig,
    io::{NoRegistry, RegistryIsAway, SchemaSource},
    lead::{Facts, Record, Rejection},
    pipeline::{self, Memory, Pipeline, Setting},
};

/// What came of reading a record.
pub(super) struct Reading<'a> {
    /// What it says, or why it is rejected.
    pub(super) facts: Result<Vec<Facts<'a>>, Rejection>,
    /// Somebody was asked for its schema, which may have taken seconds.
    pub(super) asked: bool,
}

/// Reads a record; a schema it awaits is asked for and remembered.
///
/// # Errors
/// Nobody can tell the schema now: the record has to wait.
pub(super) fn read<'a>(
    record: &Record<'a>,
    setting: &Setting<'a>,
    memory: &mut Memory,
    schemas: &dyn SchemaSource,
) -> Result<Reading<'a>, RegistryIsAway> {
    let facts = pipeline::read_in(record, setting, memory);
    let Err(Rejection { awaits: Some(id), .. }) = &facts else { return Ok(Reading { facts, asked: false }) };
    let facts = match schemas.schema(*id)? {
        // Nobody has it, so the rejection stands.
        None => facts,
        Some(texts) => {
            memory.learn_schema(*id, &texts);
            pipeline::read_in(record, setting, memory)
        }
    };
    Ok(Reading { facts, asked: true })
}

/// How long a verb that somebody waits for waits for a registry.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for verbs that end: an absent registry is waited for only so long.
///
/// # Errors
/// 75 when the registry has not answered.
pub(super) fn read_or_fail<'a>(
    record: &Record<'a>,
    pipeline: &'a Pipeline,
    memory: &mut Memory,
    schemas: &dyn SchemaSource,
) -> Result<Result<Vec<Facts<'a>>, Rejection>, Failure> {
    read_within(PATIENCE, record, &pipeline.setting(), memory, schemas)
}

/// The same, for whoever waits no longer than that, and with what it takes to read a record alone.
///
/// # Errors
/// 75 when the registry has not answered.
pub(super) fn read_within<'a>(
    patience: Duration,
    record: &Record<'a>,
    setting: &Setting<'a>,
    memory: &mut Memory,
    schemas: &dyn SchemaSource,
) -> Result<Result<Vec<Facts<'a>>, Rejection>, Failure> {
    let started = Instant::now();
    loop {
        match read(record, setting, memory, schemas) {
            Ok(reading) => return Ok(reading.facts),
            // The source itself waits between two questions.
            Err(RegistryIsAway) if started.elapsed() < patience => {}
            Err(RegistryIsAway) => {
                let text = format!("reading {}: the schema registry (encoding.registry) does not answer; try again", record.at);
                return Err(Failure::unavailable(text));
            }
        }
    }
}

/// Who knows schemas by number, by the configuration.
///
/// # Errors
/// 64 for settings that cannot work.
#[cfg(feature = "kafka")]
pub fn schema_source(encoding: &EncodingConfig) -> Result<Box<dyn SchemaSource>, Failure> {
    use crate::registry::{Registry, Unwatched};
    match encoding.registry() {
        None => Ok(Box::new(NoRegistry)),
        Some(config) => Ok(Box::new(Registry::new(config, Box::new(Unwatched)).map_err(Failure::usage)?)),
    }
}

/// Who knows schemas by number: nobody, since what asks a registry is left out of this build.
///
/// # Errors
/// None.
#[cfg(not(feature = "kafka"))]
pub fn schema_source(_: &EncodingConfig) -> Result<Box<dyn SchemaSource>, Failure> {
    Ok(Box::new(NoRegistry))
}

//! `dlq retry`: the records of dead letters decided again, by the rules, tables and limits of now, as if they were read for the first
//! time where and when they were. First for a look; with `--commit` for good.

use std::{
    io::Write,
    sync::{Arc, mpsc::channel},
    time::{Duration, Instant},
};

use super::{
    Selection, original, parked_topic,
    report::Tally,
    settling::{Ground, Written, settle},
};
use crate::{
    config::{Config, ValueFormat},
    dead_letters::Letter,
    io::{NoRegistry, SchemaSource},
    lead::{Outcome, Record, Vocabulary as _},
    pipeline::{self, Canary, Choice, EarlierFailures, EventFormat, Memory, OutputTopic, Pipeline},
    registry::{Registry, Unwatched},
    run::{Failure, drive::refused_by_broker, reading::read_or_fail, registration},
};

/// What `dlq retry` is asked.
#[derive(Clone, Debug)]
pub struct RetryArguments {
    /// Which.
    pub selection: Selection,
    /// Write what comes of it; else only tell.
    pub commit: bool,
    /// A record that is rejected more often than this is parked.
    pub max_attempts: u32,
    /// One JSON object in place of text.
    pub json: bool,
}

/// The value of the header `lead-replay` of what a retry writes.
const REPLAY: &str = "dlq-retry";
/// How long a registry may take to tell the numbers of our schemas.
const ANSWER: Duration = Duration::from_secs(10);

/// Decides them again.
///
/// # Errors
/// 64 for settings that cannot work, 75 when broker or registry do not answer or another retry takes over.
pub fn retry(
    config: &Config,
    mut pipeline: Pipeline,
    canary: Option<&Canary>,
    arguments: &RetryArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    arguments.selection.check(config)?;
    let registry = config.encoding.registry().map(|settings| Registry::new(settings, Box::new(Unwatched)));
    let registry = registry.transpose().map_err(Failure::usage)?.map(Arc::new);
    let ground = Ground::survey(config, arguments.commit)?;
    pipeline.encoding.largest = ground.largest;
    pipeline.encoding.replay = Some(REPLAY.to_owned());
    pipeline.encoding.formats = if arguments.commit { formats(config, registry.as_ref())? } else { likely_formats(config) };
    let schemas: &dyn SchemaSource = registry.as_deref().map_or(&NoRegistry, |registry| registry);
    let mut retrial =
        Retrial { config, pipeline: &pipeline, canary, schemas, max_attempts: arguments.max_attempts, memory: Memory::default() };
    let mut treat =
        |record: &Record<'_>, letter: &Letter, written: &mut Written, tally: &mut Tally| retrial.decide(record, letter, written, tally);
    settle(config, &arguments.selection, arguments.commit.then_some(&ground), arguments.json, &mut treat, out)
}

/// How values are written, by the registry's numbers.
fn formats(config: &Config, registry: Option<&Arc<Registry>>) -> Result<[EventFormat; OutputTopic::COUNT], Failure> {
    // Nobody tells this to end but the system itself.
    let (_keep, endings) = channel();
    let deadline = Some(Instant::now() + ANSWER);
    let formats = registration::formats(&config.topics, &config.encoding, registry, &endings, deadline)?;
    formats.ok_or_else(|| Failure::bug("asking for schemas was ended by nobody"))
}

/// How values are written, as far as their size goes: a look asks no registry to register anything.
fn likely_formats(config: &Config) -> [EventFormat; OutputTopic::COUNT] {
    OutputTopic::ALL.map(|topic| match config.encoding.format_of(topic) {
        ValueFormat::Avro => EventFormat::SingleObject,
        ValueFormat::Json => EventFormat::Json,
    })
}

struct Retrial<'r> {
    config: &'r Config,
    pipeline: &'r Pipeline,
    canary: Option<&'r Canary>,
    schemas: &'r dyn SchemaSource,
    max_attempts: u32,
    memory: Memory,
}

impl Retrial<'_> {
    /// Decides the record of a dead letter; `false`: it cannot be decided, and the dead letter stays.
    fn decide(&mut self, dead: &Record<'_>, letter: &Letter, written: &mut Written, tally: &mut Tally) -> Result<bool, Failure> {
        let batch = match original(self.config, dead, letter)? {
            Ok(batch) => batch,
            Err(why) => {
                Tally::count(&mut tally.left, why.name());
                return Ok(false);
            }
        };
        let record = batch.get(0).ok_or_else(|| Failure::bug("a record went missing between reading and deciding it"))?;
        let facts = read_or_fail(&record, self.pipeline, &mut self.memory, self.schemas)?;
        let outcome = pipeline::outcome(&facts, self.pipeline, Choice { canary: self.canary, ..Choice::default() });
        let rejection = match &outcome {
            Outcome::Rejected(rejection) => rejection.clone(),
            Outcome::Decided(_) if written.is_refused => refused_by_broker(),
            Outcome::Decided(decisions) => match pipeline::encode(&outcome, &record, self.pipeline, &mut written.events) {
                Ok(()) => {
                    tally.decided += 1;
                    for decision in decisions {
                        Tally::count(&mut tally.leads, decision.qualified.verdict.name());
                    }
                    return Ok(true);
                }
                Err(too_large) => too_large,
            },
        };
        // Parked again it would be another one, each time: it stays where it is.
        if *dead.at.partition.topic == parked_topic(self.config) {
            Tally::count(&mut tally.left, "rejected_again");
            return Ok(false);
        }
        let earlier = EarlierFailures { attempts: letter.attempts, first: letter.first_failed_at };
        let is_last = letter.attempts >= self.max_attempts;
        let (buffer, counts) = if is_last { (&mut written.parked, &mut tally.parked) } else { (&mut written.events, &mut tally.rejected) };
        pipeline::dead_letter(&rejection, &record, earlier, self.pipeline, buffer);
        Tally::count(counts, rejection.code.name().to_owned());
        Ok(true)
    }
}

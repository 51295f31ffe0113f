//! Where a replay writes: topics of its own, made like those of the configuration, or these themselves, when a person or `--yes`
//! has said so and `doctor` finds no error.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};

use crate::{
    config::{self, Config},
    io::Bound,
    kafka::{Topics, read_range, spans},
};

use super::super::{Failure, ReplayArguments, doctor, restored::PassedOver};

/// Longer names no broker takes.
const LONGEST_NAME: usize = 249;

/// The topics of the replay; inputs are as they were.
///
/// # Errors
/// 64 for a name that is too long.
pub(super) fn topics(config: &Config, arguments: &ReplayArguments) -> Result<config::Topics, Failure> {
    if arguments.promote {
        return Ok(config::Topics { ledger: String::new(), ..config.topics.clone() });
    }
    let own = |name: &str| format!("{name}.replay.{}", arguments.id);
    let topics = &config.topics;
    let topics = config::Topics {
        raw: topics.raw.clone(),
        qualified: own(&topics.qualified),
        unqualified: own(&topics.unqualified),
        routing: own(&topics.routing),
        dead_letter: own(&topics.dead_letter),
        // A replay proves itself by what it writes; the ledger is of what the group itself decides.
        ledger: String::new(),
    };
    let too_long = topics.outputs().map(|(_, name)| name.to_owned()).find(|name| name.len() > LONGEST_NAME);
    match too_long {
        Some(name) => {
            Err(Failure::usage(format!("the topic {name} would have a name of more than {LONGEST_NAME} bytes; choose a shorter id")))
        }
        None => Ok(topics),
    }
}

/// Sees that a new replay begins with nothing in its topics: what is there would be somebody else's, or of a replay whose offsets
/// the broker has forgotten.
///
/// # Errors
/// 64 where something is there, 75 when the broker does not answer.
pub(super) fn are_fresh(config: &Config) -> Result<(), Failure> {
    let names: Vec<_> = config.topics.outputs().map(|(_, name)| name.to_owned()).collect();
    let client = Topics::connect(&config.kafka)?;
    let found = client.find(&names, super::ANSWER)?;
    let there: Vec<_> = found.into_iter().filter(|topic| topic.partitions > 0).map(|topic| topic.name).collect();
    let written = spans(&config.kafka, &there, Bound::Earliest, Bound::Latest)?.into_iter().find(|span| span.held.end > 0);
    match written {
        Some(span) => Err(Failure::usage(format!(
            "there are records in {} already, and no replay of this id that could be gone on with; choose another id, or delete its topics",
            span.partition.topic
        ))),
        None => Ok(()),
    }
}

/// Makes the topics that are missing.
///
/// # Errors
/// 75 when the broker does not answer or refuses.
pub(super) fn create(own: &config::Topics, live: &config::Topics, config: &Config) -> Result<(), Failure> {
    let pairs: Vec<_> = own.outputs().map(|(topic, name)| (name.to_owned(), live.name(topic).to_owned())).collect();
    Ok(Topics::connect(&config.kafka)?.create_like(&pairs)?)
}

/// Bytes of a batch, about.
const BATCH: usize = 1 << 20;

/// The records for which there are dead letters, settled or not: what becomes of them is for `dlq` to write, so that nothing is written
/// by both.
///
/// # Errors
/// 75 when the broker does not answer.
pub(super) fn dead_lettered(live: &Config) -> Result<PassedOver, Failure> {
    let mut found = PassedOver::default();
    let spans = spans(&live.kafka, std::slice::from_ref(&live.topics.dead_letter), Bound::Earliest, Bound::Latest)?;
    read_range(&live.kafka, &spans, BATCH, &mut |batch| {
        batch.iter().for_each(|dead| found.learn(&dead));
        true
    })?;
    Ok(found)
}

/// Whether `doctor` finds nothing that keeps events from the live topics; `config` is the live one.
///
/// # Errors
/// 64 where it does.
pub(super) fn are_sound(config: &Config) -> Result<(), Failure> {
    let errors = doctor::errors(config)?;
    if !errors.is_empty() {
        return Err(Failure::usage(format!(
            "--promote: doctor finds errors, see `leadstream doctor`; to topics of its own a replay can be written all the same:\n  {}",
            errors.join("\n  ")
        )));
    }
    Ok(())
}

/// Has a person say that events are to go to the live topics, unless that is said already; `config` is the live one.
///
/// # Errors
/// 64 where nobody says so.
pub(super) fn may_promote(config: &Config, arguments: &ReplayArguments) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(Failure::usage("--promote writes to the live topics; where nobody can be asked, say so with --yes"));
    }
    let id = &arguments.id;
    // Who does not see the question will not answer it.
    let _ = write!(stderr(), "This writes to the live topics: {}, …\nType the id of the replay to go on: ", config.topics.qualified);
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    if read.is_err() || answer.trim() != id {
        return Err(Failure::usage("--promote: that is not the id; nothing was done"));
    }
    Ok(())
}

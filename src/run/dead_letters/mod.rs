//! `leadstream dlq`: dead letters listed, shown, retried and parked. This file finds them and the records they stand for; what is told or
//! done is its neighbours'. A dead letter is *open* until it is *settled*: retried or parked, as the topic `<dead-letter>.settled` says.

mod list;
mod park;
mod report;
mod retry;
mod settling;
mod show;

pub use list::{ListArguments, list};
pub use park::park;
pub use retry::{RetryArguments, retry};
pub(super) use settling::plans;
pub use show::{ShowArguments, show};

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{
    config::Config,
    dead_letters::{Dialect, Letter, hex, no_such_code},
    io::{Batch, Bound},
    kafka::{Fetched, Span, Topics, fetch, read_range, spans},
    lead::{Position, Record},
    ledger::Settled,
};

use super::{Failure, restored::restore};

/// Which dead letters are meant.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The topic they are in; none: `topics.dead_letter`.
    pub topic: Option<String>,
    /// Written from then on …
    pub from: Bound,
    /// … and before then; at most what is there at the start.
    pub to: Bound,
    /// Of this code alone.
    pub code: Option<String>,
    /// The one here, or the one whose record stood here.
    pub at: Option<Position>,
}

impl Selection {
    fn topic<'s>(&'s self, config: &'s Config) -> &'s str {
        self.topic.as_deref().unwrap_or(&config.topics.dead_letter)
    }

    fn takes(&self, record: &Record<'_>, letter: &Letter) -> bool {
        let is_there = |at: &Position| record.at == *at || letter.origin.as_ref() == Some(at);
        self.code.as_ref().is_none_or(|code| *code == letter.code) && self.at.as_ref().is_none_or(is_there)
    }

    /// Sees that there can be what is asked for, before anything is read or made.
    fn check(&self, config: &Config) -> Result<(), Failure> {
        if let Some(topic) = &self.topic {
            is_there(config, topic)?;
        }
        // What another program's topic has for codes only its own dead letters tell.
        let topic = self.topic(config);
        let is_ours = topic == config.topics.dead_letter || topic == parked_topic(config);
        match self.code.as_deref().filter(|_| is_ours).and_then(no_such_code) {
            Some(wrong) => Err(Failure::usage(format!("--code: {wrong}"))),
            None => Ok(()),
        }
    }

    /// Where they are now.
    fn spans(&self, config: &Config) -> Result<Vec<Span>, Failure> {
        let topic = self.topic(config).to_owned();
        let mut spans = spans(&config.kafka, std::slice::from_ref(&topic), self.from, self.to)?;
        if let Some(at) = self.at.as_ref().filter(|at| *at.partition.topic == *topic) {
            spans.retain(|span| span.partition == at.partition);
            for span in &mut spans {
                (span.from, span.to) = (span.from.max(at.offset), span.to.min(at.next().get()));
            }
            spans.retain(|span| span.from < span.to);
            if spans.is_empty() {
                return Err(Failure::usage(format!("--at: no dead letter stands at {at}; `leadstream dlq ls` tells where some do")));
            }
        }
        Ok(spans)
    }
}

/// Sees that the topic of `--topic` is there.
fn is_there(config: &Config, topic: &str) -> Result<(), Failure> {
    let name = topic.to_owned();
    let found = Topics::connect(&config.kafka)?.find(std::slice::from_ref(&name), ANSWER)?;
    if found.iter().all(|topic| topic.partitions == 0 && !topic.is_hidden) {
        return Err(Failure::usage(format!("--topic: there is no topic {topic} at {}", config.kafka.brokers)));
    }
    Ok(())
}

/// Bytes of a batch, about: what is decided and settled together.
const BATCH: usize = 256 << 10;
/// How long the broker may take to tell of its topics.
const ANSWER: Duration = Duration::from_secs(10);

/// The topic in which settled dead letters are recorded.
fn settled_topic(config: &Config) -> String {
    format!("{}.settled", config.topics.dead_letter)
}

/// The topic of dead letters that nobody is to retry any more.
fn parked_topic(config: &Config) -> String {
    format!("{}.parked", config.topics.dead_letter)
}

/// The topics that are written beside those of the configuration: of parked dead letters, and of what is settled.
pub(super) fn own_topics(config: &Config) -> [String; 2] {
    [parked_topic(config), settled_topic(config)]
}

/// What is settled by now.
///
/// # Errors
/// 64 when its topic holds something else, 75 when the broker does not answer.
pub(super) fn settled(config: &Config) -> Result<Settled, Failure> {
    let topic = settled_topic(config);
    let found = Topics::connect(&config.kafka)?.find(std::slice::from_ref(&topic), ANSWER)?;
    if found.iter().all(|topic| topic.partitions == 0 && !topic.is_hidden) {
        return Ok(Settled::default());
    }
    let spans = spans(&config.kafka, std::slice::from_ref(&topic), Bound::Earliest, Bound::Latest)?;
    let mut settled = Settled::default();
    read_all(config, &spans, &mut |batch| {
        for record in batch.iter() {
            settled.learn(record.key, record.value).map_err(|error| {
                let todo = "nothing is retried by a record that cannot be trusted: find out who wrote it";
                Failure::usage(format!("reading what is settled: {}: {error}; {todo}", record.at))
            })?;
        }
        Ok(true)
    })?;
    Ok(settled)
}

/// Hands on what the spans hold, batch by batch, until `take` says that it is enough.
fn read_all(config: &Config, spans: &[Span], take: &mut dyn FnMut(&Batch) -> Result<bool, Failure>) -> Result<(), Failure> {
    let mut failed = None;
    read_range(&config.kafka, spans, BATCH, &mut |batch| match take(&batch) {
        Ok(more) => more,
        Err(failure) => {
            failed = Some(failure);
            false
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Why a dead letter cannot be decided again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Undecidable {
    /// No program's headers make it one.
    Foreign,
    /// Nothing tells where its record stood, so its events would have no identity.
    NoOrigin,
    /// Its value was left out, and the record is gone, or another one stands there.
    NoValue,
}

impl Undecidable {
    fn name(self) -> &'static str {
        match self {
            Self::Foreign => "no_dead_letter",
            Self::NoOrigin => "no_origin",
            Self::NoValue => "no_value",
        }
    }
}

/// The record a dead letter stands for, as the only one of a batch, where and when it was read first. A value that was too large for
/// its dead letter is read where it came from.
fn original(config: &Config, record: &Record<'_>, letter: &Letter) -> Result<Result<Batch, Undecidable>, Failure> {
    if letter.dialect == Dialect::Unknown {
        return Ok(Err(Undecidable::Foreign));
    }
    let Some(origin) = &letter.origin else { return Ok(Err(Undecidable::NoOrigin)) };
    if let Some(unkept) = &letter.unkept {
        let Fetched::Record(batch) = fetch(&config.kafka, origin)? else { return Ok(Err(Undecidable::NoValue)) };
        let value = batch.get(0).and_then(|record| record.value).unwrap_or_default();
        let sha256 = hex(&Sha256::digest(value));
        return Ok(if sha256 == unkept.sha256 { Ok(batch) } else { Err(Undecidable::NoValue) });
    }
    let mut batch = Batch::default();
    restore(record, letter, origin.clone(), &mut batch);
    Ok(Ok(batch))
}

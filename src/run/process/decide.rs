//! A piece of records to the bytes that come of it: what a worker does. Where the bytes go is the sink's.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Summary, container};
use crate::{
    config::Topics,
    io::{Batch, SchemaSource, Tally},
    lead::{Outcome, Timestamp},
    pipeline::{self, Choice, Memory, Output, OutputBuffer, OutputTopic, Pipeline, WRITER_SCHEMA_HEADER},
    run::{
        Failure, OutputForm,
        inputs::{Piece, Place},
        reading::read_or_fail,
    },
    schemas::Holds,
};

/// What a piece came to.
#[derive(Debug)]
pub(super) struct Decided {
    /// What goes to each file, by `OutputTopic as usize`; where there is but one stream, all in the first.
    pub(super) bytes: [Vec<u8>; 4],
    /// How many of what.
    pub(super) counts: Summary,
    /// Behind the piece.
    pub(super) end: Place,
    /// Bytes of the inputs that were read by then.
    pub(super) read: u64,
}

/// How the bytes of outputs stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Laid {
    /// All in one stream.
    Stream,
    /// A file a topic.
    Files(OutputForm),
}

/// Memory that was written and may be filled again: it has its size by then.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<[Vec<u8>; 4]>>);

impl Spare {
    fn take(&self) -> [Vec<u8>; 4] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes back what nobody needs any more.
    pub(super) fn give(&self, mut bytes: [Vec<u8>; 4]) {
        bytes.iter_mut().for_each(Vec::clear);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

/// Decides pieces, one after the other.
pub(super) struct Worker<'r> {
    spare: &'r Spare,
    pipeline: &'r Pipeline,
    topics: &'r Topics,
    schemas: &'r dyn SchemaSource,
    now: Timestamp,
    laid: Laid,
    memory: Memory,
    out: OutputBuffer,
    tally: Tally,
    /// A record that is rejected, with its writer's schema beside it.
    rejected: Batch,
}

impl<'r> Worker<'r> {
    pub(super) fn new(
        spare: &'r Spare,
        pipeline: &'r Pipeline,
        topics: &'r Topics,
        schemas: &'r dyn SchemaSource,
        now: Timestamp,
        laid: Laid,
    ) -> Self {
        Self {
            spare,
            pipeline,
            topics,
            schemas,
            now,
            laid,
            memory: Memory::default(),
            out: OutputBuffer::default(),
            tally: Tally::default(),
            rejected: Batch::default(),
        }
    }

    /// Decides a piece.
    ///
    /// # Errors
    /// 75: a registry does not answer. 70: what was decided cannot be written down.
    pub(super) fn decide(&mut self, piece: &Piece) -> Result<Decided, Failure> {
        self.memory.begin_file(piece.schema.clone());
        self.tally.clear();
        let mut bytes = self.spare.take();
        // Where the datums of each file end.
        let mut ends: [Vec<usize>; 4] = Default::default();
        let beside = piece.schema.as_ref().filter(|schema| schema.holds == Holds::Lead);
        for (place, record) in piece.batch.iter().enumerate() {
            let facts = match piece.rejection(place) {
                Some(rejection) => Err(rejection.clone()),
                None => read_or_fail(&record, self.pipeline, &mut self.memory, self.schemas)?,
            };
            self.out.begin(self.now);
            let tally = &mut self.tally;
            let seen = |outcome: &Outcome<'_>| tally.record(&record.at.partition.topic, outcome);
            let mut told = &record;
            let with_schema;
            if let (Err(_), Some(schema)) = (&facts, beside) {
                self.rejected.clear(1 << 20);
                let header = (WRITER_SCHEMA_HEADER, Some(schema.text.as_bytes()));
                self.rejected.push(record.at.clone(), record.received_at, record.key, record.value, std::iter::once(header));
                if let Some(record) = self.rejected.get(0) {
                    with_schema = record;
                    told = &with_schema;
                }
            }
            pipeline::conclude(&facts, told, self.pipeline, Choice::default(), &mut self.out, seen);
            for output in self.out.iter() {
                let place = if self.laid == Laid::Stream { 0 } else { output.topic as usize };
                if let (Some(bytes), Some(ends)) = (bytes.get_mut(place), ends.get_mut(place)) {
                    self.laid.write(self.topics, &output, bytes).map_err(|error| unwritten(&error))?;
                    if self.laid == Laid::Files(OutputForm::Avro) {
                        ends.push(bytes.len());
                    }
                }
            }
        }
        if self.laid == Laid::Files(OutputForm::Avro) {
            for topic in OutputTopic::OUTCOMES {
                if let (Some(schema), Some(bytes)) = (container::schema(topic), bytes.get_mut(topic as usize)) {
                    *bytes = container::blocks(schema, &ends[topic as usize], bytes).map_err(|error| unwritten(&error))?;
                }
            }
        }
        Ok(Decided { bytes, counts: Summary::of(&self.tally), end: piece.end, read: piece.read })
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Failure {
    Failure::bug(format!("an output cannot be written down: {error}"))
}

impl Laid {
    fn write(self, topics: &Topics, output: &Output<'_>, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
        let value = output.value.unwrap_or_default();
        match self {
            Self::Files(_) if output.topic == OutputTopic::DeadLetter => enveloped(topics, output, bytes)?,
            Self::Stream => enveloped(topics, output, bytes)?,
            Self::Files(OutputForm::Ndjson) => {
                bytes.extend_from_slice(value);
                bytes.push(b'\n');
            }
            Self::Files(OutputForm::Avro) => bytes.extend_from_slice(container::datum(value)),
        }
        Ok(())
    }
}

/// A line of the stream, and of `dead-letter.ndjson`.
#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    key: Option<String>,
    headers: BTreeMap<&'a str, Option<String>>,
    value: Option<Box<RawValue>>,
}

/// Keys and a dead letter's value are bytes of any kind, so base64; an event's value is JSON already.
fn enveloped(topics: &Topics, output: &Output<'_>, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let dead_letter = output.topic == OutputTopic::DeadLetter;
    let value = output.value.map(|value| {
        let json = if dead_letter { serde_json::to_string(&base64(value))? } else { text(value) };
        RawValue::from_string(json)
    });
    let line = Line {
        topic: topics.name(output.topic),
        key: output.key.map(base64),
        headers: output.headers.iter().map(|(name, value)| (name, value.map(text))).collect(),
        value: value.transpose()?,
    };
    serde_json::to_writer(&mut *bytes, &line)?;
    bytes.push(b'\n');
    Ok(())
}

//! `leadstream process`: files through the same core. Reads one record at a time, so that memory is bounded by the largest
//! record, and writes as it goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    config::Topics,
    io::{Batch, SchemaSource, Tally},
    lead::{Outcome, Partition, Position, Rejection, Timestamp, Verdict, Vocabulary},
    pipeline::{self, Choice, Memory, Output, OutputBuffer, OutputTopic, Pipeline},
};

use super::{
    Failure, ProcessArguments, Target,
    framing::{self, Framed},
    reading::read_or_fail,
};

/// Reads files, decides, writes files or a stream.
///
/// # Errors
/// 64 for an input that cannot be read, inputs of one name, or an output that cannot be created, 75 for one that cannot be
/// written, or a registry that does not answer. Dead letters are no failure.
pub fn process(
    topics: &Topics,
    pipeline: &Pipeline,
    schemas: &dyn SchemaSource,
    arguments: &ProcessArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let now = arguments.now.unwrap_or_else(super::now);
    distinct(&arguments.inputs)?;
    let mut sink = Sink::open(topics, &arguments.output, out)?;
    let mut summary = Summary::default();
    let mut work = Work {
        pipeline,
        schemas,
        now,
        arguments,
        batch: Batch::default(),
        memory: Memory::default(),
        out: OutputBuffer::default(),
        tally: Tally::default(),
    };
    for input in &arguments.inputs {
        match work.input(input, &mut sink, &mut summary) {
            Ok(()) => {}
            // Whoever read the stream has read enough.
            Err(Ended::Reader) => return Ok(()),
            Err(Ended::Failed(failure)) => return Err(failure),
        }
    }
    match sink.finish() {
        Ok(()) | Err(Ended::Reader) => {}
        Err(Ended::Failed(failure)) => return Err(failure),
    }
    if let Some(path) = &arguments.summary {
        let written = serde_json::to_vec(&summary).map_err(io::Error::from).and_then(|json| std::fs::write(path, json));
        written.map_err(|error| unwritable(&path.display().to_string(), &error))?;
    }
    Ok(())
}

enum Ended {
    /// The reader of the stream has gone.
    Reader,
    Failed(Failure),
}

fn unwritable(what: &str, error: &io::Error) -> Failure {
    Failure::unavailable(format!("writing {what}: {error}"))
}

/// The counts of a run, as the contract names them.
#[derive(Debug, Default, Serialize)]
struct Summary {
    records: u64,
    leads: BTreeMap<&'static str, u64>,
    dead_letters: BTreeMap<&'static str, u64>,
}

impl Summary {
    fn add(&mut self, tally: &Tally) {
        self.records += tally.records.total();
        for verdict in Verdict::ALL {
            self.leads.entry(verdict.name()).or_default();
        }
        for ((_, _, verdict), leads) in tally.leads.iter() {
            *self.leads.entry(verdict.name()).or_default() += leads;
        }
        for ((_, code), letters) in tally.dead_letters.iter() {
            *self.dead_letters.entry(code.name()).or_default() += letters;
        }
    }
}

struct Work<'a> {
    pipeline: &'a Pipeline,
    schemas: &'a dyn SchemaSource,
    now: Timestamp,
    arguments: &'a ProcessArguments,
    batch: Batch,
    memory: Memory,
    out: OutputBuffer,
    tally: Tally,
}

impl Work<'_> {
    fn input(&mut self, input: &Target, sink: &mut Sink<'_>, summary: &mut Summary) -> Result<(), Ended> {
        let (name, mut reader): (String, Box<dyn BufRead>) = match input {
            Target::Stream => ("-".to_owned(), Box::new(io::stdin().lock())),
            Target::Path(path) => {
                let file = File::open(path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
                let name = path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
                (name, Box::new(BufReader::with_capacity(1 << 18, file)))
            }
        };
        let topic: Arc<str> = name.as_str().into();
        let mut value = Vec::new();
        let mut offset = 0;
        loop {
            let read = framing::next(self.arguments.framing, &mut *reader, self.pipeline.limits.record_bytes, &mut value);
            let Some(framed) = read.map_err(|error| unreadable(&name, &error))? else { return Ok(()) };
            let at = Position { partition: Partition { topic: Arc::clone(&topic), number: 0 }, offset };
            let too_large = match framed {
                Framed::Kept => None,
                Framed::Oversize(oversize) => {
                    value.clear();
                    Some(oversize.rejection(&self.pipeline.limits))
                }
            };
            self.record(at, &value, too_large, sink, summary)?;
            offset += 1;
        }
    }

    fn record(
        &mut self,
        at: Position,
        value: &[u8],
        too_large: Option<Rejection>,
        sink: &mut Sink<'_>,
        summary: &mut Summary,
    ) -> Result<(), Ended> {
        let format = self.arguments.format.map(|format| ("lead-format", Some(format.name().as_bytes())));
        self.batch.clear(1 << 20);
        self.batch.push(at, self.now, None, Some(value), format.into_iter());
        self.out.begin(self.now);
        self.tally.clear();
        let tally = &mut self.tally;
        if let Some(record) = self.batch.get(0) {
            let seen = |outcome: &Outcome<'_>| tally.record(&record.at.partition.topic, outcome);
            let facts = match too_large {
                Some(rejection) => Err(rejection),
                None => read_or_fail(&record, self.pipeline, &mut self.memory, self.schemas).map_err(Ended::Failed)?,
            };
            pipeline::conclude(&facts, &record, self.pipeline, Choice::default(), &mut self.out, seen);
        }
        summary.add(&self.tally);
        self.out.iter().try_for_each(|output| sink.write(&output))
    }
}

/// A record is named after its file's name without folder: two files of one name would give two leads one event id.
fn distinct(inputs: &[Target]) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    for input in inputs {
        let name = match input {
            Target::Stream => None,
            Target::Path(path) => path.file_name(),
        };
        if !names.insert(name) {
            let name = name.map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
            return Err(Failure::usage(format!(
                "two inputs are called {name:?}: their leads would have the same event ids. Rename one, or process them apart"
            )));
        }
    }
    Ok(())
}

fn unreadable(what: &str, error: &io::Error) -> Ended {
    Ended::Failed(Failure::usage(format!("reading {what}: {error}")))
}

/// Where outputs go. Only objects that hold a topic's name need the names.
struct Sink<'o> {
    topics: &'o Topics,
    place: Place<'o>,
}

enum Place<'o> {
    /// One file a topic, by `OutputTopic as usize`.
    Files { files: Vec<BufWriter<File>>, folder: String },
    /// All in one stream.
    Stream(BufWriter<&'o mut dyn Write>),
}

/// A line of the stream, and of `dead-letter.ndjson`.
#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    key: Option<String>,
    headers: BTreeMap<&'a str, Option<String>>,
    value: Option<Box<RawValue>>,
}

/// The file of an output topic, without its ending.
fn file_name(topic: OutputTopic) -> &'static str {
    match topic {
        OutputTopic::Qualified => "qualified",
        OutputTopic::Unqualified => "unqualified",
        OutputTopic::Routing => "routing",
        OutputTopic::DeadLetter => "dead-letter",
    }
}

impl<'o> Sink<'o> {
    fn open(topics: &'o Topics, output: &Target, out: &'o mut dyn Write) -> Result<Self, Failure> {
        let folder = match output {
            Target::Stream => return Ok(Self { topics, place: Place::Stream(BufWriter::with_capacity(1 << 16, out)) }),
            Target::Path(folder) => folder,
        };
        let open = |folder: &Path| {
            std::fs::create_dir_all(folder)?;
            let create = |topic: &OutputTopic| File::create(folder.join(format!("{}.ndjson", file_name(*topic)))).map(BufWriter::new);
            OutputTopic::ALL.iter().map(create).collect::<io::Result<Vec<_>>>()
        };
        let shown = folder.display().to_string();
        // Nothing was read yet: a place that cannot be written to is a mistake in the command.
        let files = open(folder).map_err(|error| Failure::usage(format!("creating the output in {shown}: {error}")))?;
        Ok(Self { topics, place: Place::Files { files, folder: shown } })
    }

    fn write(&mut self, output: &Output<'_>) -> Result<(), Ended> {
        let topic = self.topics.name(output.topic);
        match &mut self.place {
            Place::Stream(out) => enveloped(out, topic, output).map_err(|error| ended("standard output", &error)),
            Place::Files { files, folder } => {
                let Some(file) = files.get_mut(output.topic as usize) else { return Ok(()) };
                let written = if output.topic == OutputTopic::DeadLetter {
                    enveloped(file, topic, output)
                } else {
                    file.write_all(output.value.unwrap_or_default()).and_then(|()| file.write_all(b"\n"))
                };
                written.map_err(|error| Ended::Failed(unwritable(folder, &error)))
            }
        }
    }

    fn finish(self) -> Result<(), Ended> {
        match self.place {
            Place::Stream(mut out) => out.flush().map_err(|error| ended("standard output", &error)),
            Place::Files { files, folder } => {
                files.into_iter().try_for_each(|mut file| file.flush()).map_err(|error| Ended::Failed(unwritable(&folder, &error)))
            }
        }
    }
}

fn ended(what: &str, error: &io::Error) -> Ended {
    if error.kind() == io::ErrorKind::BrokenPipe { Ended::Reader } else { Ended::Failed(unwritable(what, error)) }
}

/// Keys and a dead letter's value are bytes of any kind, so base64; an event's value is JSON already.
fn enveloped(out: &mut impl Write, topic: &str, output: &Output<'_>) -> io::Result<()> {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let dead_letter = output.topic == OutputTopic::DeadLetter;
    let value = output.value.map(|value| {
        let json = if dead_letter { serde_json::to_string(&base64(value))? } else { text(value) };
        RawValue::from_string(json)
    });
    let line = Line {
        topic,
        key: output.key.map(base64),
        headers: output.headers.iter().map(|(name, value)| (name, value.map(text))).collect(),
        value: value.transpose()?,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

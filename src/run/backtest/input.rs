//! The leads of a backtest, a chunk after the other: out of files, or out of a range of Kafka. Reads; decides nothing.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    sync::Arc,
};

use crate::{
    config::Config,
    io::{Batch, Bound},
    lead::{Format, Partition, Position, Timestamp, Vocabulary as _},
    run::{
        Failure, Framing, Target,
        framing::{self, Framed},
    },
};

/// Bytes of a chunk, about: enough to make handing it to another thread worth its while.
const CHUNK: usize = 1 << 20;

/// Records to decide, and where they stand in the input.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Number of the input.
    pub(super) input: usize,
    pub(super) batch: Batch,
    /// Records that are too large to be read: no lead under any ruleset.
    pub(super) oversize: u64,
}

/// How files are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileSettings {
    pub(super) now: Timestamp,
    pub(super) format: Option<Format>,
    pub(super) framing: Framing,
    /// Bytes.
    pub(super) largest_record: usize,
}

/// Hands on all records of the files, in order; `take` tells whether anybody still listens.
///
/// # Errors
/// 64 for a file that cannot be read.
pub(super) fn files(inputs: &[Target], settings: FileSettings, take: &mut dyn FnMut(Chunk) -> bool) -> Result<(), Failure> {
    for (number, input) in inputs.iter().enumerate() {
        let unreadable = |what: String| move |error: io::Error| Failure::usage(format!("reading {what}: {error}"));
        let (name, shown, mut reader): (String, String, Box<dyn BufRead>) = match input {
            Target::Stream => ("-".to_owned(), "standard input".to_owned(), Box::new(io::stdin().lock())),
            Target::Path(path) => {
                let shown = path.display().to_string();
                let file = File::open(path).map_err(unreadable(shown.clone()))?;
                (file_name(path), shown, Box::new(BufReader::with_capacity(1 << 18, file)))
            }
        };
        let partition = Partition { topic: Arc::from(name), number: 0 };
        let format = settings.format.map(|format| ("lead-format", Some(format.name().as_bytes())));
        let (mut value, mut offset, mut chunk) = (Vec::new(), 0, Chunk { input: number, ..Chunk::default() });
        while let Some(framed) =
            framing::next(settings.framing, &mut *reader, settings.largest_record, &mut value).map_err(unreadable(shown.clone()))?
        {
            match framed {
                Framed::Kept => {
                    let at = Position { partition: partition.clone(), offset };
                    chunk.batch.push(at, settings.now, None, Some(&value), format.into_iter());
                }
                Framed::Oversize(_) => chunk.oversize += 1,
            }
            offset += 1;
            if chunk.batch.bytes() >= CHUNK && !take(std::mem::replace(&mut chunk, Chunk { input: number, ..Chunk::default() })) {
                return Ok(());
            }
        }
        if !take(chunk) {
            return Ok(());
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Hands on all records of a range of the input topics.
///
/// # Errors
/// 75 when the broker does not answer, a topic is not there, or records are gone before they are read.
#[cfg(feature = "kafka")]
pub(super) fn range(config: &Config, from: Bound, to: Bound, take: &mut dyn FnMut(Chunk) -> bool) -> Result<(), Failure> {
    use crate::kafka::{read_range, spans};
    let failed = |error: crate::kafka::Unavailable| Failure::unavailable(error.to_string());
    let spans = spans(&config.kafka, &config.topics.raw, from, to).map_err(failed)?;
    let topic_of = |batch: &Batch| {
        let name = batch.get(0).map(|record| record.at.partition.topic);
        config.topics.raw.iter().position(|topic| name.as_deref() == Some(topic)).unwrap_or_default()
    };
    read_range(&config.kafka, &spans, CHUNK, &mut |batch| take(Chunk { input: topic_of(&batch), batch, oversize: 0 })).map_err(failed)
}

#[cfg(not(feature = "kafka"))]
pub(super) fn range(_: &Config, _: Bound, _: Bound, _: &mut dyn FnMut(Chunk) -> bool) -> Result<(), Failure> {
    Err(Failure::usage("--from and --to need Kafka, and this leadstream was built without it"))
}

//! `leadstream process`: files through the same core. One thread reads, others decide, this one writes, in the order of the inputs;
//! so the bytes are the same on any number of threads, and no more than a few pieces are held.

mod container;
mod decide;
mod kept;
mod sink;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write},
    thread,
};

use serde::{Deserialize, Serialize};

use crate::{
    config::Topics,
    io::{SchemaSource, Tally},
    lead::{Verdict, Vocabulary as _},
    pipeline::{EventFormat, OutputTopic, Pipeline},
};

use super::{
    Failure, OutputForm, ProcessArguments,
    in_order::in_order,
    inputs::{self, Input, Piece, Settings},
    shown::Shown,
};
use decide::{Decided, Spare, Worker};
use kept::{Job, Kept, Progress};
use sink::{Sink, Unwritten};

/// Reads files, decides, writes files or a stream.
///
/// # Errors
/// 64 for an input that cannot be read, inputs of one name, an output that cannot be created, or a run that cannot be gone on with;
/// 75 for an output that cannot be written, or a registry that does not answer. Dead letters are no failure.
pub fn process(
    topics: &Topics,
    mut pipeline: Pipeline,
    schemas: &dyn SchemaSource,
    arguments: &ProcessArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if arguments.form == OutputForm::Avro {
        // All but dead letters, whose values are the original bytes whatever stands here.
        pipeline.encoding.formats = [EventFormat::SingleObject; OutputTopic::COUNT];
    }
    let inputs = inputs::listed(&arguments.inputs, &arguments.reading)?;
    let mut job = Job::of(&inputs, &pipeline, topics, arguments);
    let before = if arguments.resume { kept::before(arguments, &inputs, &mut job)? } else { None };
    let run = Run { inputs: &inputs, pipeline: &pipeline, topics, schemas, arguments };
    // None: whoever read the stream has read enough.
    let Some(summary) = run.go(job, before.as_ref(), out)? else { return Ok(()) };
    if let Some(path) = &arguments.summary {
        let written = serde_json::to_vec(&summary).map_err(io::Error::from).and_then(|json| std::fs::write(path, json));
        written.map_err(|error| unwritable(&path.display().to_string(), &error))?;
    }
    Ok(())
}

fn unwritable(what: &str, error: &io::Error) -> Failure {
    Failure::unavailable(format!("writing {what}: {error}"))
}

/// What a run is made of.
struct Run<'r> {
    inputs: &'r [Input],
    pipeline: &'r Pipeline,
    topics: &'r Topics,
    schemas: &'r dyn SchemaSource,
    arguments: &'r ProcessArguments,
}

impl Run<'_> {
    /// Decides all, or what is left where a run before was stopped; `None`: the reader of the stream has gone.
    fn go(&self, job: Job, before: Option<&Progress>, out: &mut dyn Write) -> Result<Option<Summary>, Failure> {
        let Self { inputs, pipeline, topics, schemas, arguments } = *self;
        let now = job.now;
        let (start, mut summary) = before.map_or_else(Default::default, |before| (before.place, before.summary.clone()));
        let mut sink = Sink::open(arguments, inputs, before.map(|before| &before.outputs), out)?;
        if before.is_some() && !arguments.quiet {
            // Whoever closes the terminal wants no words.
            let _ = if start.input == inputs.len() {
                writeln!(io::stderr(), "the run before was finished: {}; there is nothing left to do", summary.words())
            } else {
                writeln!(io::stderr(), "going on where the run before was stopped: {} records are decided", summary.records)
            };
        }
        let mut kept = Kept::begin(arguments, inputs, job);
        let total: u64 = inputs.iter().skip(start.input).filter_map(|input| input.file).map(|file| file.size).sum();
        let mut shown = (!arguments.quiet).then(|| Shown::new(["processed", "kB"], total / 1000));
        let read = |take: &mut dyn FnMut(Piece) -> bool| {
            let settings = Settings { now, files: &arguments.reading, limits: &pipeline.limits };
            inputs::read(inputs, settings, start, take)
        };
        let laid = sink.laid(arguments.form);
        let spare = Spare::default();
        let worker = || {
            let mut worker = Worker::new(&spare, pipeline, topics, schemas, now, laid);
            move |piece: Piece| worker.decide(&piece)
        };
        let mut reader_gone = false;
        let write = |decided: Result<Decided, Failure>| {
            let decided = decided?;
            sink.write(&decided.bytes).map_err(|unwritten| {
                reader_gone = matches!(unwritten, Unwritten::ReaderGone);
                unwritten.into_failure()
            })?;
            spare.give(decided.bytes);
            summary.add(&decided.counts);
            kept.at(decided.end, &summary, &mut sink)?;
            if let Some(shown) = &mut shown {
                // The end is shown when it is reached, not when it was read.
                shown.show((decided.read / 1000).min((total / 1000).saturating_sub(1)));
            }
            Ok(())
        };
        let threads = arguments.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let done = in_order(threads, read, worker, write);
        if reader_gone {
            return Ok(None);
        }
        done?;
        kept.finish(&summary, sink)?;
        if let Some(shown) = &mut shown {
            shown.show(total / 1000);
            if io::stderr().is_terminal() {
                let _ = writeln!(io::stderr(), "{}", summary.words());
            }
        }
        Ok(Some(summary))
    }
}

/// The counts of a run, as the contract names them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
struct Summary {
    records: u64,
    leads: BTreeMap<String, u64>,
    dead_letters: BTreeMap<String, u64>,
}

impl Summary {
    fn of(tally: &Tally) -> Self {
        let mut summary = Self { records: tally.records.total(), ..Self::default() };
        for ((_, _, verdict), leads) in tally.leads.iter() {
            *summary.leads.entry(verdict.name().to_owned()).or_default() += leads;
        }
        for ((_, code), letters) in tally.dead_letters.iter() {
            *summary.dead_letters.entry(code.name().to_owned()).or_default() += letters;
        }
        summary
    }

    /// For a person.
    fn words(&self) -> String {
        let [leads, dead_letters] = [&self.leads, &self.dead_letters].map(|counts| counts.values().sum::<u64>());
        format!("{} records, {leads} leads, {dead_letters} dead letters", self.records)
    }

    fn add(&mut self, more: &Self) {
        self.records += more.records;
        for verdict in Verdict::ALL {
            self.leads.entry(verdict.name().to_owned()).or_default();
        }
        for (all, some) in [(&mut self.leads, &more.leads), (&mut self.dead_letters, &more.dead_letters)] {
            for (name, count) in some {
                *all.entry(name.clone()).or_default() += count;
            }
        }
    }
}

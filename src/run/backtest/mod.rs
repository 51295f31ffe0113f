//! `leadstream backtest`: two rulesets over the same leads, and what the second would change. One pass: a record is read once and
//! decided twice, on all cores; nothing is written to Kafka, and no group knows of it.

mod compare;
mod input;
mod page;
mod report;
mod sample;
mod tally;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use super::{
    Failure, FileReading, Target,
    inputs::{self, Input, Piece, Place as Start, Settings},
    inspect_pipeline,
    reading::read_or_fail,
    schema_source, written,
};
use crate::{
    config::Config,
    io::{Bound, SchemaSource},
    lead::{Decision, Facts, Record, Rejection, Timestamp},
    pipeline::{self, Memory, NoTrace, Pipeline},
    problem::Problem,
};
use compare::{Path, cause, differ};
use input::Gone;
use tally::{Place, Tally, kinds};

/// What `leadstream backtest` is asked.
#[derive(Clone, Debug)]
pub struct BacktestArguments {
    /// The ruleset to try.
    pub candidate: Option<PathBuf>,
    /// What it is compared with; none: the configuration's.
    pub baseline: Option<PathBuf>,
    /// Tables to try; none: the configuration's for both.
    pub candidate_tables: Option<PathBuf>,
    /// The leads.
    pub leads: Leads,
    /// Samples of each cause.
    pub samples: usize,
    /// Samples tell what the records say of the customer.
    pub with_personal_data: bool,
    /// One JSON object in place of text.
    pub json: bool,
    /// Write a page for people to this file too.
    pub report: Option<PathBuf>,
    /// More changed leads than this are a failure.
    pub fail_if_changed: Option<Limit>,
}

/// Where the leads of a backtest are.
#[derive(Clone, Debug)]
pub enum Leads {
    /// Files, as `process` reads them.
    Files {
        /// Which.
        inputs: Vec<Target>,
        /// When their records were received.
        now: Timestamp,
        /// How they are read.
        reading: FileReading,
    },
    /// A range of `topics.raw`, read outside any group.
    Range {
        /// First.
        from: Bound,
        /// The end, as it is at the start.
        to: Bound,
    },
}

/// How many leads may change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many.
    Leads(u64),
    /// So many of a hundred.
    Percent(f64),
}

/// Why there is no result.
#[derive(Debug)]
pub enum NotCompared {
    /// Rulesets or tables that are not in order.
    Problems(Vec<Problem>),
    /// What could not be read, or a registry that does not answer.
    Failed(Failure),
    /// The result cannot be written.
    Unwritten(io::Error),
}

impl From<Failure> for NotCompared {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for NotCompared {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

/// The two that are compared.
struct Rivals {
    baseline: Pipeline,
    candidate: Pipeline,
    /// Whether both read a record alike, so that once is enough.
    one_reading: bool,
}

/// Compares, and tells; `false` where more changed than may, or nothing was there to change.
///
/// # Errors
/// Problems of rulesets and tables, all at once; leads that cannot be read; a report that cannot be written.
pub fn backtest(config: &Config, arguments: &BacktestArguments, out: &mut dyn Write) -> Result<bool, NotCompared> {
    let rivals = rivals(config, arguments)?;
    let inputs = match &arguments.leads {
        Leads::Files { inputs, reading, .. } => inputs::listed(inputs, reading)?,
        Leads::Range { .. } => Vec::new(),
    };
    if let Some(report) = &arguments.report {
        let rulesets = [&arguments.candidate, &arguments.baseline].into_iter().filter_map(Option::as_deref);
        written::writable("--report", report, inputs.iter().filter_map(Input::path).chain(rulesets))?;
    }
    let schemas = schema_source(&config.encoding)?;
    let (tally, gone) = compare_all(config, &rivals, &*schemas, arguments, &inputs)?;
    let within = match arguments.fail_if_changed {
        None => true,
        // That nothing changed of nothing proves nothing.
        Some(_) if tally.leads == 0 => false,
        Some(Limit::Leads(most)) => tally.changed <= most,
        Some(Limit::Percent(most)) => percent(tally.changed, tally.leads) <= most,
    };
    let report = report::Report::of(&tally, gone, &rivals.baseline.rules, &rivals.candidate.rules);
    if let Some(path) = &arguments.report {
        std::fs::write(path, page::page(&report))
            .map_err(|error| io::Error::new(error.kind(), format!("writing the report to {}: {error}", path.display())))?;
    }
    if arguments.json {
        serde_json::to_writer(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report.text(out)?;
    }
    if tally.leads == 0 && !arguments.json {
        writeln!(out, "there were no leads to compare the two by{}", if within { "" } else { ", and so --fail-if-changed cannot hold" })?;
    } else if !within && !arguments.json {
        writeln!(out, "more leads would change than --fail-if-changed allows")?;
    }
    Ok(within)
}

#[allow(clippy::cast_precision_loss)] // counts of leads: far below 2^52
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn rivals(config: &Config, arguments: &BacktestArguments) -> Result<Rivals, NotCompared> {
    let load = |rules: &Option<PathBuf>, tables: &Option<PathBuf>| {
        let mut config = config.clone();
        if rules.is_some() {
            config.rules.path.clone_from(rules);
        }
        if tables.is_some() {
            config.tables.dir.clone_from(tables);
        }
        inspect_pipeline(&config)
    };
    let (baseline, mut problems) = load(&arguments.baseline, &None);
    let (candidate, found) = load(&arguments.candidate, &arguments.candidate_tables);
    problems.extend(found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
    match (baseline, candidate) {
        (Some(baseline), Some(candidate)) => {
            let one_reading = baseline.tables.versions == candidate.tables.versions;
            Ok(Rivals { baseline, candidate, one_reading })
        }
        _ => Err(NotCompared::Problems(problems)),
    }
}

/// Reads on this thread, decides on as many others as there are cores.
fn compare_all(
    config: &Config,
    rivals: &Rivals,
    schemas: &dyn SchemaSource,
    arguments: &BacktestArguments,
    inputs: &[Input],
) -> Result<(Tally, Gone), Failure> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (hand, pieces) = sync_channel::<Piece>(2 * threads);
    // Each worker has a hand on it: when all have ended early, nobody waits for a place in it any more.
    let pieces = Arc::new(Mutex::new(pieces));
    let work = |pieces: Arc<Mutex<Receiver<Piece>>>| {
        let mut worker =
            Worker { rivals, schemas, arguments, memory: Memory::default(), other: Memory::default(), tally: Tally::default() };
        loop {
            // Whoever waits holds the lock, so that the others wait for it: one at a time takes a piece.
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(piece) = next else { return Ok(worker.tally) };
            worker.piece(&piece)?;
        }
    };
    thread::scope(|scope| {
        let start = |pieces| {
            let work = &work;
            scope.spawn(move || work(pieces))
        };
        let workers: Vec<_> = (0..threads).map(|_| start(Arc::clone(&pieces))).collect();
        drop(pieces);
        let mut give = |piece: Piece| hand.send(piece).is_ok();
        let read = match &arguments.leads {
            Leads::Files { now, reading, .. } => {
                let settings = Settings { now: *now, files: reading, limits: &config.limits };
                inputs::read(inputs, settings, Start::default(), &mut give).map(|()| Gone::new())
            }
            Leads::Range { from, to } => input::range(config, *from, *to, &mut give),
        };
        drop(hand);
        let mut whole = Tally::default();
        let (gone, mut failed) = match read {
            Ok(gone) => (gone, None),
            Err(failure) => (Gone::new(), Some(failure)),
        };
        for worker in workers {
            match worker.join() {
                Ok(Ok(tally)) => whole = whole.merge(tally, arguments.samples),
                Ok(Err(failure)) => failed = failed.or(Some(failure)),
                Err(_) => failed = failed.or_else(|| Some(Failure::bug("a thread that compared leads ended early"))),
            }
        }
        failed.map_or(Ok((whole, gone)), Err)
    })
}

struct Worker<'r> {
    rivals: &'r Rivals,
    schemas: &'r dyn SchemaSource,
    arguments: &'r BacktestArguments,
    memory: Memory,
    /// Of the candidate, where it reads apart.
    other: Memory,
    tally: Tally,
}

impl Worker<'_> {
    fn piece(&mut self, piece: &Piece) -> Result<(), Failure> {
        self.memory.begin_file(piece.schema.clone());
        self.other.begin_file(piece.schema.clone());
        for (place, record) in piece.batch.iter().enumerate() {
            self.tally.records += 1;
            // No lead under any ruleset.
            if piece.rejection(place).is_some() {
                self.tally.rejected += 1;
                continue;
            }
            let facts = read_or_fail(&record, &self.rivals.baseline, &mut self.memory, self.schemas)?;
            let others = if self.rivals.one_reading {
                None
            } else {
                Some(read_or_fail(&record, &self.rivals.candidate, &mut self.other, self.schemas)?)
            };
            self.record(piece.input, &record, &facts, others.as_ref());
        }
        Ok(())
    }

    /// What one ruleset rejects the other rejects too: rules and tables are asked only once a record is a lead.
    fn record(&mut self, input: usize, record: &Record<'_>, facts: &Read<'_>, others: Option<&Read<'_>>) {
        let (Ok(facts), Ok(others)) = (facts, others.unwrap_or(facts)) else {
            self.tally.rejected += 1;
            return;
        };
        for (facts, other) in facts.iter().zip(others) {
            let before = pipeline::decide(facts, &self.rivals.baseline.rules, &mut NoTrace);
            let after = pipeline::decide(other, &self.rivals.candidate.rules, &mut NoTrace);
            let changed = differ(&before, &after);
            self.tally.add(&before, &after, &kinds(&before, &after), changed);
            if changed {
                let place = Place { input, partition: record.at.partition.number, offset: record.at.offset, index: facts.index };
                self.change(place, record, (facts, &before), (other, &after));
            }
        }
    }

    /// Decides once more, listening, to tell which rule made the difference.
    fn change(
        &mut self,
        place: Place,
        record: &Record<'_>,
        (facts, before): (&Facts<'_>, &Decision<'_>),
        (other, after): (&Facts<'_>, &Decision<'_>),
    ) {
        let (mut way, mut other_way) = (Path::default(), Path::default());
        pipeline::decide(facts, &self.rivals.baseline.rules, &mut way);
        pipeline::decide(other, &self.rivals.candidate.rules, &mut other_way);
        let cause = cause((before, &way), (after, &other_way));
        *self.tally.causes.entry(cause.clone()).or_default() += 1;
        let personal = self.arguments.with_personal_data;
        let taken = || sample::sample(record, &cause, (facts, before), (other, after), personal);
        self.tally.sample(&cause, place, self.arguments.samples, taken);
    }
}

/// What a record was read as.
type Read<'a> = Result<Vec<Facts<'a>>, Rejection>;

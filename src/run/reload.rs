//! Changed rules and tables, taken into use while lanes work: looked for, read, checked, and swapped between two batches. What is
//! not good is told once and left; what was in use stays. How files become a snapshot is `load`'s.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};

use crate::{config::Config, pipeline::Pipeline, problem::Problem};

use super::{Failure, load::inspect_live, report::RulesReport, rule_tests::test_paths, ruleset_files::read_ruleset};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// A file that is written in its place is left alone for so long after the last byte …
const IN_PLACE: Duration = Duration::from_millis(500);
/// … and one that took another's place for so long.
const REPLACED: Duration = Duration::from_millis(50);
/// More problems of one file are not told in the log; `leadstream check` tells all.
const TOLD: usize = 20;

/// What the watching thread is woken by.
enum Wake {
    /// SIGHUP: read everything, changed or not.
    Asked,
}

/// The watching threads; they end when dropped.
pub(super) struct Reloader {
    _wake: Sender<Wake>,
}

/// Hears SIGHUP from now on, which would end the process otherwise.
pub(super) struct Hangups {
    runtime: tokio::runtime::Runtime,
    signals: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Begins to listen.
    ///
    /// # Errors
    /// 70 when the system lets nobody listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::bug(format!("listening for SIGHUP: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let signals = {
            let _context = runtime.enter();
            signal(SignalKind::hangup()).map_err(failed)?
        };
        Ok(Self { runtime, signals })
    }
}

impl Reloader {
    /// Begins to watch the rules and tables of `config` for changes (`rules.watch`) and for SIGHUP; `live` is what lanes ask once
    /// a batch.
    ///
    /// # Errors
    /// 75 when the system gives no thread.
    pub(super) fn start(config: &Config, live: &Arc<ArcSwap<Pipeline>>, report: RulesReport, hangups: Hangups) -> Result<Self, Failure> {
        let no_thread = |error: std::io::Error| Failure::unavailable(format!("starting a thread: {error}"));
        let (wake, woken) = channel();
        let asks = wake.clone();
        let Hangups { runtime, mut signals } = hangups;
        let listen = move || runtime.block_on(async { while signals.recv().await.is_some() && asks.send(Wake::Asked).is_ok() {} });
        thread::Builder::new().name("hangups".to_owned()).spawn(listen).map_err(no_thread)?;
        let (config, live) = (config.clone(), Arc::clone(live));
        let watch = move || {
            let mut watched = Watched { chain: Vec::new(), seen: Traces::new(), refused: None };
            loop {
                let asked = match woken.recv_timeout(LOOK) {
                    Ok(Wake::Asked) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if asked || config.rules.watch {
                    watched.look(&config, &live, &report, asked);
                }
            }
        };
        thread::Builder::new().name("rules".to_owned()).spawn(watch).map_err(no_thread)?;
        Ok(Self { _wake: wake })
    }
}

/// What tells that a file is another than before, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trace {
    written: SystemTime,
    bytes: u64,
    /// Its number in its file system: another file under the same name has another.
    file: u64,
}

type Traces = BTreeMap<PathBuf, Trace>;

struct Watched {
    /// The ruleset's file, the one it extends, and so on, as they were last.
    chain: Vec<PathBuf>,
    /// The files, when they were last read.
    seen: Traces,
    /// The problems that were told last, so that each is told once.
    refused: Option<Vec<String>>,
}

impl Watched {
    /// Reads what changed; `asked`: also what did not.
    fn look(&mut self, config: &Config, live: &ArcSwap<Pipeline>, report: &RulesReport, asked: bool) {
        let before = traces(config, &self.chain);
        if (before == self.seen || !self.is_settled(&before)) && !asked {
            return;
        }
        let (pipeline, problems) = inspect_live(config);
        let after = traces(config, &self.chain);
        // What was read of a file that is written just now may be half of it, and of several files one may be older than another.
        // One alone that had to make room for another was whole.
        let replaced = |path: &PathBuf| after.get(path).is_some_and(|now| before.get(path).is_some_and(|then| now.file != then.file));
        if after != before && !(before.len() == 1 && before.keys().all(replaced)) {
            return;
        }
        if let Ok(files) = read_ruleset(config.rules.path.as_deref()) {
            self.chain = files.into_iter().map(|file| PathBuf::from(file.name)).collect();
        }
        // Files that are new in the chain have not been seen yet: the next look reads all once more, and finds it as it is.
        self.seen = before;
        match pipeline {
            Some(pipeline) => self.take(pipeline, live, report, asked),
            None => self.refuse(&problems, report),
        }
    }

    /// Whether nobody seems to be writing: a file that took another's place is whole as a rule, one that was written in its place
    /// is so when nothing was added for a while.
    fn is_settled(&self, now: &Traces) -> bool {
        now.iter().filter(|(path, trace)| self.seen.get(*path) != Some(trace)).all(|(path, trace)| {
            let in_place = self.seen.get(path).is_some_and(|seen| seen.file == trace.file);
            // One of the future was not written just now.
            trace.written.elapsed().map_or(true, |age| age >= if in_place { IN_PLACE } else { REPLACED })
        })
    }

    fn take(&mut self, mut pipeline: Pipeline, live: &ArcSwap<Pipeline>, report: &RulesReport, asked: bool) {
        let current = live.load_full();
        let mended = self.refused.take().is_some();
        if pipeline.rules.hash == current.rules.hash && pipeline.tables.versions == current.tables.versions {
            if mended || asked {
                tracing::info!("rules and tables are as they were");
            }
            report.unchanged();
            return;
        }
        // What was settled with brokers and registry at the start is no matter of rules.
        pipeline.encoding = current.encoding.clone();
        tracing::info!(
            ruleset = format!("{}/{}", pipeline.rules.name, pipeline.rules.version),
            hash = pipeline.rules.hash,
            tables = ?pipeline.tables.versions,
            "changed rules are in use from the next batch on"
        );
        report.taken(&pipeline);
        live.store(Arc::new(pipeline));
    }

    fn refuse(&mut self, problems: &[Problem], report: &RulesReport) {
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        if self.refused.as_ref() == Some(&told) {
            return;
        }
        for problem in told.iter().take(TOLD) {
            tracing::error!("changed rules are refused: {problem}");
        }
        let more = told.len().saturating_sub(TOLD);
        tracing::error!(more_problems = more, "what was in use stays in use; `leadstream check` tells all that is wrong");
        report.refused(problems);
        self.refused = Some(told);
    }
}

/// The files that rules and tables are made of, with what tells one from another; a folder's are those right in it.
fn traces(config: &Config, chain: &[PathBuf]) -> Traces {
    let mut traces = Traces::new();
    for path in chain {
        trace(path, &mut traces);
    }
    for path in config.rules.path.iter().flat_map(|path| test_paths(path)) {
        trace(&path, &mut traces);
    }
    for path in config.rules.path.iter().chain(&config.tables.dir) {
        trace(path, &mut traces);
        if path.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                trace(&entry.path(), &mut traces);
            }
        }
    }
    traces
}

fn trace(path: &Path, traces: &mut Traces) {
    use std::os::unix::fs::MetadataExt as _;
    // What links lead to: a mounted folder changes by its link alone. A file that is away leaves no trace, which is one too.
    if let Ok(found) = fs::metadata(path) {
        let written = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        traces.insert(path.to_owned(), Trace { written, bytes: found.len(), file: found.ino() });
    }
}

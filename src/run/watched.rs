//! The files of one ruleset, and of the tables with the live one: looked at, read when they have changed and nobody is writing
//! them, their problems told once. What becomes of what was read is `reload`'s.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::problem::Problem;

use super::{report::RulesReport, rule_tests::test_paths, ruleset_files::read_ruleset};

/// A file that is written in its place is left alone for so long after the last byte …
const IN_PLACE: Duration = Duration::from_millis(500);
/// … and one that took another's place for so long.
const REPLACED: Duration = Duration::from_millis(50);
/// More problems of one file are not told in the log; `leadstream check` tells all.
const TOLD: usize = 20;

/// What tells that a file is another than before, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trace {
    written: SystemTime,
    bytes: u64,
    /// Its number in its file system: another file under the same name has another.
    file: u64,
}

type Traces = BTreeMap<PathBuf, Trace>;

/// One ruleset's files as they were last.
pub(super) struct Watched {
    /// What people call it: "rules", as in "changed rules are refused".
    what: String,
    /// The ruleset's file or folder; none: the built-in one.
    ruleset: Option<PathBuf>,
    /// The tables' folder, where they are read with it.
    tables: Option<PathBuf>,
    /// The ruleset's file, the one it extends, and so on, as they were last.
    chain: Vec<PathBuf>,
    /// The files, when they were last read.
    seen: Traces,
    /// The problems that were told last, so that each is told once.
    refused: Option<Vec<String>>,
}

impl Watched {
    pub(super) fn new(what: impl Into<String>, ruleset: Option<PathBuf>, tables: Option<PathBuf>) -> Self {
        Self { what: what.into(), ruleset, tables, chain: Vec::new(), seen: Traces::new(), refused: None }
    }

    /// What people call it.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// What `read` makes of the files when they have changed (`asked`: also when not), or what is wrong with them; `None`: there
    /// is nothing new, or somebody is writing.
    pub(super) fn look<T>(&mut self, asked: bool, read: impl FnOnce() -> (Option<T>, Vec<Problem>)) -> Option<Result<T, Vec<Problem>>> {
        let before = self.traces();
        if (before == self.seen || !self.is_settled(&before)) && !asked {
            return None;
        }
        let (found, problems) = read();
        let after = self.traces();
        // What was read of a file that is written just now may be half of it, and of several files one may be older than another.
        // One alone that had to make room for another was whole.
        let replaced = |path: &PathBuf| after.get(path).is_some_and(|now| before.get(path).is_some_and(|then| now.file != then.file));
        if after != before && !(before.len() == 1 && before.keys().all(replaced)) {
            return None;
        }
        if let Ok(files) = read_ruleset(self.ruleset.as_deref(), "") {
            self.chain = files.into_iter().map(|file| PathBuf::from(file.name)).collect();
        }
        // Files that are new in the chain have not been seen yet: the next look reads all once more, and finds it as it is.
        self.seen = before;
        Some(found.ok_or(problems))
    }

    /// What was read is good: whether it was not before.
    pub(super) fn accept(&mut self) -> bool {
        self.refused.take().is_some()
    }

    /// What was read is not good: told, unless it was already.
    pub(super) fn refuse(&mut self, problems: &[Problem], report: &RulesReport) {
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        if self.refused.as_ref() == Some(&told) {
            return;
        }
        let what = &self.what;
        for problem in told.iter().take(TOLD) {
            tracing::error!("changed {what} are refused: {problem}");
        }
        let more = told.len().saturating_sub(TOLD);
        tracing::error!(more_problems = more, "what was in use stays in use; `leadstream check` tells all that is wrong");
        report.refused(what, problems);
        self.refused = Some(told);
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

    /// The files it is made of, with what tells one from another; a folder's are those right in it.
    fn traces(&self) -> Traces {
        let mut traces = Traces::new();
        for path in &self.chain {
            trace(path, &mut traces);
        }
        for path in self.ruleset.iter().flat_map(|path| test_paths(path)) {
            trace(&path, &mut traces);
        }
        for path in self.ruleset.iter().chain(&self.tables) {
            trace(path, &mut traces);
            if path.is_dir() {
                for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                    trace(&entry.path(), &mut traces);
                }
            }
        }
        traces
    }
}

fn trace(path: &Path, traces: &mut Traces) {
    use std::os::unix::fs::MetadataExt as _;
    // What links lead to: a mounted folder changes by its link alone. A file that is away leaves no trace, which is one too.
    if let Ok(found) = fs::metadata(path) {
        let written = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        traces.insert(path.to_owned(), Trace { written, bytes: found.len(), file: found.ino() });
    }
}

//! Where values come from: the file's text and folder, and the environment. Turns a fault into a problem that names the file,
//! line and column, the variable or the flag.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    quoting::quotable,
    written::{Fault, Origin},
};
use crate::problem::Problem;

/// The file and the environment as they were at the start.
#[derive(Default)]
pub(super) struct Sources {
    /// The configuration file as it was named.
    pub(super) file: Option<PathBuf>,
    /// Its text without a byte-order mark; empty if there is none, or if it cannot be read.
    pub(super) text: String,
    pub(super) environment: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the file; one that cannot be read is a problem, and then as good as empty.
    pub(super) fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut text = String::new();
        if let Some(path) = file {
            let name = path.display().to_string();
            match std::fs::read(path).map(String::from_utf8) {
                Ok(Ok(content)) => text = content.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(content),
                Ok(Err(error)) => {
                    let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                    let problem = Problem::error("not_utf8", "the file is not UTF-8").hint("save it as UTF-8").in_file(name);
                    problems.push(Problem { quoted: None, ..problem.at(&valid, valid.len()) });
                }
                Err(error) => problems.push(
                    Problem::error("unreadable_file", format!("cannot read the configuration file: {error}"))
                        .hint("check the path given to --config")
                        .in_file(name),
                ),
            }
        }
        (Self { file: file.map(Path::to_owned), text, environment: environment.collect() }, problems)
    }

    /// The folder that paths in the file are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// The fault, told at its place.
    pub(super) fn problem(&self, fault: Fault, origin: &Origin) -> Problem {
        let problem = Problem { hint: fault.hint, ..Problem::error(fault.code, fault.message) };
        match origin {
            Origin::File(start) => self.in_file(problem, fault.offset.unwrap_or(*start)),
            Origin::Environment(name) => problem.in_file(name.clone()),
            Origin::Set(key) => problem.in_file(format!("--set {key}")),
        }
    }

    /// Points at byte `offset` of the configuration file.
    pub(super) fn in_file(&self, problem: Problem, offset: usize) -> Problem {
        let name = self.file.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let mut problem = problem.in_file(name).at(&self.text, offset);
        if let Some(quoted) = &problem.quoted {
            problem.quoted = quotable(&self.text, problem.line, quoted);
        }
        problem
    }
}

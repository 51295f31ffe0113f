//! Where the tests of a ruleset stand: beside it. Finds and reads their files; what stands in them, `rules` tells.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    problem::Problem,
    rules::{self, RuleTest, Ruleset, RulesetFile, rule_tests},
    run::ruleset_files::{IN_A_FOLDER, read_file},
};

/// How files of tests end.
const ENDING: &str = ".test.toml";

/// A file and the tests in it.
pub(super) struct TestFile {
    pub(super) name: String,
    /// Paths in its tests are relative to it.
    pub(super) folder: PathBuf,
    pub(super) tests: Vec<RuleTest>,
}

/// Whether a path names tests, not a ruleset.
pub(super) fn is_tests(path: &Path) -> bool {
    is_called_tests(path) && !path.is_dir()
}

fn is_called_tests(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(ENDING))
}

/// The ruleset that stands beside a file of tests: `NAME.toml` beside `NAME.test.toml`, else `ruleset.toml`.
pub(super) fn ruleset_beside(tests: &Path) -> Option<PathBuf> {
    let stem = tests.file_name()?.to_str()?.strip_suffix(ENDING)?;
    [format!("{stem}.toml"), IN_A_FOLDER.to_owned()].into_iter().map(|name| tests.with_file_name(name)).find(|path| path.is_file())
}

/// Every test of the ruleset at `path` (the built-in one without): of a folder or its `ruleset.toml` the folder's `*.test.toml`,
/// of another file `NAME.toml` those of `NAME.test.toml`; and those in the ruleset's own file.
///
/// # Errors
/// Every problem of all files at once.
pub(super) fn tests_of(path: Option<&Path>, rules: &Ruleset) -> Result<Vec<TestFile>, Vec<Problem>> {
    let Some(path) = path else { return read(vec![(rules::built_in_tests(), PathBuf::new())], rules) };
    let file = if path.is_dir() { path.join(IN_A_FOLDER) } else { path.to_owned() };
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut paths = vec![file.clone()];
    paths.extend(beside(&file)?);
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match read_file(&path) {
            Ok(read) => files.push((read, folder.clone())),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { read(files, rules) } else { Err(problems) }
}

/// The tests of these files alone.
///
/// # Errors
/// Every problem of all files at once.
pub(super) fn tests_in(path: &Path, rules: &Ruleset) -> Result<Vec<TestFile>, Vec<Problem>> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    read(vec![(read_file(path).map_err(|problem| vec![*problem])?, folder)], rules)
}

/// The files of tests beside a ruleset's file, sorted.
pub(super) fn beside(ruleset: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    if ruleset.file_name() != Some(OsStr::new(IN_A_FOLDER)) {
        let tests = ruleset.with_extension(ENDING.trim_start_matches('.'));
        return Ok(Some(tests).filter(|tests| tests.exists()).into_iter().collect());
    }
    // The folder of a file without one is the one we are in.
    let folder = ruleset.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| {
        let problem = Problem::error("unreadable_folder", format!("cannot look for tests: {error}"));
        vec![problem.hint("make the folder readable for this user").in_file(folder.display().to_string())]
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let path = ruleset.with_file_name(&name);
        // Hidden files are the platform's, or an editor's. What is called so and is no file is told when it is read.
        if is_called_tests(&path) && !name.as_encoded_bytes().starts_with(b".") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(files: Vec<(RulesetFile, PathBuf)>, rules: &Ruleset) -> Result<Vec<TestFile>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for (file, folder) in files {
        match rule_tests(&file, rules) {
            Ok(tests) if tests.is_empty() => {}
            Ok(tests) => found.push(TestFile { name: file.name, folder, tests }),
            Err(told) => problems.extend(told),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

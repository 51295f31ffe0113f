//! Reads the rules and tables a configuration names into one snapshot the core decides with. Only this file turns paths into
//! text for `tables`; for `rules`, `ruleset_files` does.

use std::path::{Path, PathBuf};

use crate::{
    config::Config,
    lead::Timestamp,
    pipeline::{EncodeSettings, PersonKey, Pipeline},
    problem::Problem,
    rules::Ruleset,
    tables::{self, TableForm, Tables},
};

use super::ruleset_files::read_ruleset;

/// One snapshot of all that decides beside the record.
///
/// # Errors
/// Every problem of rules and tables at once; the place in the file is filled.
pub fn load_pipeline(config: &Config) -> Result<Pipeline, Vec<Problem>> {
    let (pipeline, problems) = inspect_pipeline(config);
    pipeline.ok_or(problems)
}

/// The snapshot, if there are no errors, and everything that is wrong, warnings too.
#[must_use]
pub fn inspect_pipeline(config: &Config) -> (Option<Pipeline>, Vec<Problem>) {
    let mut problems = Vec::new();
    let rules = ruleset(config.rules.path.as_deref(), RULES, &mut problems);
    let tables = config.tables.dir.as_deref().map_or_else(Tables::default, |dir| tables(dir, &mut problems));
    let rules = rules.filter(|_| !problems.iter().any(Problem::is_error));
    let pipeline = rules.map(|rules| Pipeline {
        rules,
        tables,
        limits: config.limits.clone(),
        person_key: PersonKey::new(config.identity_key.as_ref().map(|key| key.expose().as_bytes())),
        encoding: EncodeSettings { headers: config.encoding.headers, ..EncodeSettings::default() },
    });
    (pipeline, problems)
}

/// What the live ruleset's path is named by.
const RULES: &str = "rules.path (or --rules)";

/// The checked ruleset at `path` (a file, or a folder with `ruleset.toml`), which `key` names, with all that it extends; without
/// a path the built-in one. The live ruleset and those on trial all come this way.
pub(super) fn ruleset(path: Option<&Path>, key: &str, problems: &mut Vec<Problem>) -> Option<Ruleset> {
    match read_ruleset(path, key).and_then(|files| Ruleset::merge(&files)) {
        Ok(rules) => Some(rules),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

/// The merged ruleset at `path`, or the built-in one, as one text.
///
/// # Errors
/// As [`inspect_pipeline`], of the rules alone.
pub fn show_ruleset(path: Option<&Path>) -> Result<String, Vec<Problem>> {
    Ruleset::show(&read_ruleset(path, RULES)?)
}

/// What is worth knowing of the rules that were loaded from `path`; nothing of the built-in ones.
pub(super) fn lint_ruleset(path: Option<&Path>, now: Timestamp, Pipeline { rules, tables, .. }: &Pipeline) -> Vec<Problem> {
    read_ruleset(path, RULES).map(|files| rules.lint(&files, now, &|column| tables.has_column(column))).unwrap_or_default()
}

/// The tables in the folder `dir`: one file a table, named after it. A file that looks like a table and is none is an error:
/// a misspelt name must not read as "no such offers".
fn tables(dir: &Path, problems: &mut Vec<Problem>) -> Tables {
    let mut tables = Tables::default();
    let entries: Result<Vec<PathBuf>, _> = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut files = match entries {
        Ok(files) => files,
        Err(error) => {
            let problem = Problem::error("unreadable_folder", format!("cannot read the folder of tables: {error}"));
            problems.push(problem.hint("check tables.dir (or --tables)").in_file(dir.display().to_string()));
            return tables;
        }
    };
    files.sort();
    let mut loaded = Vec::new();
    for file in files {
        let part = |part: Option<&std::ffi::OsStr>| part.and_then(std::ffi::OsStr::to_str).unwrap_or_default().to_owned();
        let (stem, extension) = (part(file.file_stem()), part(file.extension()));
        // Hidden files are the platform's (a mounted ConfigMap brings some).
        if stem.starts_with('.') || !file.is_file() {
            continue;
        }
        let known = tables::NAMES.into_iter().find(|name| *name == stem);
        let form = match extension.as_str() {
            "csv" => Some(TableForm::Csv),
            "ndjson" => Some(TableForm::Ndjson),
            _ => None,
        };
        let name = file.display().to_string();
        let mut tell = |problem: Problem| problems.push(problem.in_file(name.clone()));
        match (known, form) {
            (Some(table), _) if loaded.contains(&table) => {
                tell(Problem::error("duplicate_table", format!("there are two files for the table {table:?}")).hint("keep one"));
            }
            (Some(table), Some(form)) => {
                loaded.push(table);
                if let Some(text) = read(&file, problems) {
                    let found = tables.add(table, form, &text);
                    // Lines of a table are customers' data: they are named, not shown.
                    problems.extend(found.into_iter().map(|problem| placed(Problem { quoted: None, ..problem }, &name)));
                }
            }
            (Some(table), None) => {
                let problem = Problem::error("unknown_table_format", format!("the table {table:?} is not in a format leadstream reads"));
                tell(problem.hint("write it as CSV with a header (.csv) or as one JSON object a line (.ndjson)"));
            }
            (None, Some(_)) => {
                let problem = Problem::error("unknown_table", format!("there is no table {stem:?}"));
                tell(problem.hint("tables are offers, accounts and suppressions; name the file after one, or move it out of the folder"));
            }
            (None, None) => {}
        }
    }
    tables
}

/// The text of a table; a problem if there is none.
fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    let problem = match std::fs::read(file).map(|bytes| text_of(bytes, "table")) {
        Ok(Ok(text)) => return Some(text),
        Ok(Err(problem)) => *problem,
        Err(error) => Problem::error("unreadable_file", format!("cannot read the table: {error}")).hint("make it readable for this user"),
    };
    problems.push(problem.in_file(file.display().to_string()));
    None
}

/// Bytes as text; `what` tells of what kind the file is.
pub(super) fn text_of(bytes: Vec<u8>, what: &str) -> Result<String, Box<Problem>> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let problem = Problem::error("not_utf8", format!("the {what} is not UTF-8")).hint("save it as UTF-8");
        Box::new(Problem { quoted: None, ..problem.at(&valid, valid.len()) })
    })
}

fn placed(problem: Problem, file: &str) -> Problem {
    if problem.file.is_some() { problem } else { problem.in_file(file) }
}

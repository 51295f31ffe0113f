//! `leadstream test`: the tests that stand beside a ruleset, each decided through the same core as the service. Also what a changed
//! ruleset has to pass before it is taken.

mod files;
mod report;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;

#[cfg(feature = "kafka")]
use files::beside;
use files::{TestFile, is_tests, ruleset_beside, tests_in, tests_of};

use super::{
    explain::{Steps, decide, write_json},
    inspect_pipeline,
    ruleset_files::{read_named, read_ruleset},
};
use crate::{
    config::Config,
    io::Batch,
    lead::{Partition, Position, Vocabulary as _},
    pipeline::{self, Limits, Memory, Pipeline, Setting},
    problem::Problem,
    rules::{self, Coverage, Mismatch, RuleTest, Ruleset, TestLead},
    tables::{TableForm, Tables},
};

/// What `leadstream test` is asked.
#[derive(Clone, Debug, Default)]
pub struct TestArguments {
    /// Rulesets, or files of tests; none: the configuration's ruleset.
    pub paths: Vec<PathBuf>,
    /// Tell what no test tried.
    pub coverage: bool,
    /// Write a `JUnit` report to this file too.
    pub junit: Option<PathBuf>,
    /// One JSON object in place of text.
    pub json: bool,
}

/// Why there is no result.
#[derive(Debug)]
pub enum NotTested {
    /// Rulesets or tests that are not in order.
    Problems(Vec<Problem>),
    /// The result cannot be written.
    Unwritten(io::Error),
}

impl From<io::Error> for NotTested {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

/// What came of the tests of one ruleset.
struct Suite {
    /// Its file; what problems are said to stand in.
    ruleset: String,
    files: Vec<(String, Vec<Tested>)>,
    coverage: Coverage,
}

/// What came of one test.
struct Tested {
    name: String,
    /// Where it stands: a problem without words.
    place: Problem,
    /// Empty: it passed.
    failures: Vec<Mismatch>,
    /// What was decided, in a few words.
    decided: String,
    /// The limit of the configuration without which it passes.
    limit: Option<String>,
}

/// Runs the tests of every ruleset that is named; `false` if one fails.
///
/// # Errors
/// What is wrong with rulesets and tests, all at once; or the report cannot be written.
pub fn test(config: &Config, arguments: &TestArguments, out: &mut dyn Write) -> Result<bool, NotTested> {
    let named: Vec<Option<&Path>> = match arguments.paths.as_slice() {
        [] => vec![config.rules.path.as_deref()],
        paths => paths.iter().map(|path| Some(path.as_path())).collect(),
    };
    let (mut suites, mut problems) = (Vec::new(), Vec::new());
    for path in named {
        match suite(config, path) {
            Ok(suite) => suites.push(suite),
            Err(found) => problems.extend(found),
        }
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, report::junit(&suites, &problems))
            .map_err(|error| io::Error::new(error.kind(), format!("writing the JUnit report to {}: {error}", path.display())))?;
    }
    if !problems.is_empty() {
        return Err(NotTested::Problems(problems));
    }
    if arguments.json {
        report::json(&suites, arguments.coverage, out)?;
    } else {
        report::text(&suites, arguments.coverage, out)?;
    }
    Ok(suites.iter().flat_map(|suite| &suite.files).flat_map(|(_, tested)| tested).all(|tested| tested.failures.is_empty()))
}

/// The tests of a ruleset, or of one file of tests, all run.
fn suite(config: &Config, path: Option<&Path>) -> Result<Suite, Vec<Problem>> {
    let only = path.filter(|path| is_tests(path));
    let ruleset = match only {
        None => path.map(Path::to_owned),
        Some(tests) => ruleset_beside(tests).or_else(|| config.rules.path.clone()),
    };
    let mut config = config.clone();
    config.rules.path = ruleset;
    let (pipeline, problems) = inspect_pipeline(&config);
    let Some(pipeline) = pipeline else { return Err(problems) };
    let ruleset = config.rules.path.as_deref();
    let files = match only {
        Some(tests) => tests_in(tests, &pipeline.rules)?,
        None => tests_of(ruleset, &pipeline.rules)?,
    };
    let outermost = read_ruleset(ruleset, "the path")?.into_iter().next().unwrap_or_else(rules::built_in);
    if files.is_empty() {
        let hint = "write NAME.test.toml beside NAME.toml, or any *.test.toml beside ruleset.toml; see docs/rules.md";
        return Err(vec![Problem::error("no_tests", "there are no tests of this ruleset").hint(hint).in_file(outermost.name)]);
    }
    let mut coverage = Coverage::of(&outermost);
    let files = files.iter().map(|file| (file.name.clone(), run_file(file, &pipeline.rules, &pipeline, &mut coverage))).collect();
    Ok(Suite { ruleset: outermost.name, files, coverage })
}

/// The tests of the ruleset at `path`, which is `rules`, that fail, with the other settings of `pipeline`; and what is wrong with the
/// tests themselves.
pub(super) fn failing(path: Option<&Path>, rules: &Ruleset, pipeline: &Pipeline) -> Vec<Problem> {
    let files = match tests_of(path, rules) {
        Ok(files) => files,
        Err(problems) => return problems,
    };
    let mut coverage = Coverage::default();
    let tested = files.iter().flat_map(|file| run_file(file, rules, pipeline, &mut coverage));
    tested.flat_map(problems).collect()
}

/// What a test brings along, which can be wrong before anything is decided.
const GIVEN: [&str; 4] = ["lead_file", "offers", "accounts", "suppressions"];

/// The failures of a test as problems. They go to the log, and a test's lead may be somebody's: no value is told, nor the line.
fn problems(tested: Tested) -> impl Iterator<Item = Problem> {
    let Tested { name, failures, limit, .. } = tested;
    failures.into_iter().map(move |Mismatch { path, want, place, .. }| {
        let (message, hint) = if GIVEN.contains(&path.as_str()) {
            (
                format!("the ruleset's own test {name:?} cannot be tried: its {path} must be {want}"),
                "mend the test: `leadstream test` shows why",
            )
        } else if let Some(limit) = &limit {
            let message = format!("the ruleset's own test {name:?} fails: {path} is not as expected, as {limit}");
            (message, "raise the limit in the configuration, or mend the test: `leadstream test` shows what it is")
        } else {
            let message = format!("the ruleset's own test {name:?} fails: {path} is not as expected");
            (message, "mend the rules, or the test: `leadstream test` shows what it is")
        };
        Problem { code: "failing_test", message, quoted: None, ..place }.hint(hint)
    })
}

fn run_file(file: &TestFile, rules: &Ruleset, pipeline: &Pipeline, coverage: &mut Coverage) -> Vec<Tested> {
    file.tests.iter().map(|test| run(test, file, rules, pipeline, coverage)).collect()
}

/// Decides the lead of a test, with the tables it brings, and compares.
fn run(test: &RuleTest, file: &TestFile, rules: &Ruleset, pipeline: &Pipeline, coverage: &mut Coverage) -> Tested {
    let failed = |path: &str, want: &str, got: String| Tested {
        name: test.name.clone(),
        place: test.place.clone(),
        failures: vec![Mismatch { path: path.to_owned(), want: want.to_owned(), got, place: test.place.clone() }],
        decided: String::new(),
        limit: None,
    };
    let lead = match &test.lead {
        TestLead::Bytes(bytes) => bytes.clone(),
        // One byte more than a record may have is enough to be refused as too large.
        TestLead::File(name) => {
            match read_named(&file.folder.join(name), pipeline.limits.record_bytes.max(Limits::default().record_bytes) as u64 + 1) {
                Ok(bytes) => bytes,
                Err(why) => return failed("lead_file", "readable", format!("{name}: {why}")),
            }
        }
    };
    if test.tables.is_empty() {
        return judged(test, &lead, rules, &pipeline.setting(), coverage);
    }
    let mut tables = Tables::default();
    for (name, rows) in &test.tables {
        let errors = tables.add(name, TableForm::Ndjson, rows).into_iter().find(Problem::is_error);
        if let Some(problem) = errors {
            return failed(name, "rows of this table", format!("row {}: {}", problem.line, problem.message));
        }
    }
    judged(test, &lead, rules, &Setting { tables: &tables, ..pipeline.setting() }, coverage)
}

fn judged(test: &RuleTest, lead: &[u8], rules: &Ruleset, setting: &Setting<'_>, coverage: &mut Coverage) -> Tested {
    let decided = decided(test, lead, rules, setting, Some(coverage));
    let failures = compared(test, &decided);
    let limit = if failures.is_empty() { None } else { limiting(test, lead, rules, setting) };
    Tested { name: test.name.clone(), place: test.place.clone(), failures, decided: report::in_short(&decided), limit }
}

/// What `explain --json` would print of the lead.
fn decided(test: &RuleTest, lead: &[u8], rules: &Ruleset, setting: &Setting<'_>, coverage: Option<&mut Coverage>) -> Value {
    let at = Position { partition: Partition { topic: Arc::from("test"), number: 0 }, offset: 0 };
    let mut batch = Batch::default();
    let format = test.format.map(|format| ("lead-format", Some(format.name().as_bytes())));
    batch.push(at, test.now, None, Some(lead), format.into_iter());
    let mut written = Vec::new();
    if let Some(record) = batch.get(0) {
        let read = pipeline::read_in(&record, setting, &mut Memory::default());
        let (decisions, steps) = read.as_ref().map_or_else(|_| (Vec::new(), Vec::new()), |facts| decide(facts, rules));
        if let Some(coverage) = coverage {
            for steps in &steps {
                cover(steps, coverage);
            }
        }
        // Into memory: it cannot fail. What would qualify a lead no test asks.
        let _ = write_json(read.as_ref().err(), &record, (&decisions, &steps), Vec::new(), None, &mut written);
    }
    serde_json::from_slice(&written).unwrap_or_default()
}

fn compared(test: &RuleTest, decided: &Value) -> Vec<Mismatch> {
    let mut failures: Vec<Mismatch> = test.expect.iter().filter_map(|expected| expected.compare(decided)).collect();
    // What is said of a lead says nothing where there is none.
    failures.extend(rules::unmet(&test.expect, decided, &test.place));
    failures
}

/// Where a limit stands among all.
type Place = fn(&mut Limits) -> &mut usize;

/// The first limit that keeps a test from passing as it would by default: neither the rules nor the test are wrong then.
fn limiting(test: &RuleTest, lead: &[u8], rules: &Ruleset, setting: &Setting<'_>) -> Option<String> {
    let places: [(&str, Place); 5] = [
        ("record_bytes", |limits| &mut limits.record_bytes),
        ("depth", |limits| &mut limits.depth),
        ("leads", |limits| &mut limits.leads),
        ("field_bytes", |limits| &mut limits.field_bytes),
        ("extra_bytes", |limits| &mut limits.extra_bytes),
    ];
    let mut usual = Limits::default();
    places.into_iter().find_map(|(name, place)| {
        let (mut limits, default) = (setting.limits.clone(), *place(&mut usual));
        let set = std::mem::replace(place(&mut limits), default);
        let passes = || compared(test, &decided(test, lead, rules, &Setting { limits: &limits, ..*setting }, None)).is_empty();
        (set < default && passes()).then(|| format!("limits.{name} is {set} here: with {default}, the default, it passes"))
    })
}

/// What the steps of one decision say of the rules they went through.
fn cover(steps: &Steps, coverage: &mut Coverage) {
    let gates = steps.gates.iter().map(|gate| ("gate", &gate.id, gate.weighed.held, &gate.weighed));
    let score = steps.score.iter().map(|rule| ("score", &rule.rule, rule.weighed.held, &rule.weighed));
    let campaigns = steps.campaigns.iter().map(|campaign| ("campaign", &campaign.id, campaign.weighed.held, &campaign.weighed));
    let routes = steps.routes.iter().map(|route| ("route", &route.id, route.won, &route.weighed));
    for (kind, id, decided, weighed) in gates.chain(score).chain(campaigns).chain(routes) {
        coverage.asked(kind, id, weighed);
        if decided {
            coverage.decided(kind, id);
        }
    }
    for (table, key) in &steps.rows {
        coverage.decided(table, key);
    }
}

/// The files of tests beside the ruleset at `path`, for whoever watches them; those in a folder are watched with it.
#[cfg(feature = "kafka")]
pub(super) fn test_paths(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { Vec::new() } else { beside(path).unwrap_or_default() }
}

//! `leadstream check`: every problem of configuration, rules and tables at once, offline. Finds nothing itself: `config`, `rules`
//! and `run::load` do.

use std::io::{self, Write};

use serde::Serialize;

use super::{candidates::failing_own, inspect_live, load::lint_ruleset, now};
use crate::{
    config::Config,
    pipeline::{Pipeline, Trials},
    problem::Problem,
    tables::TableVersions,
};

#[derive(Serialize)]
struct Report<'a> {
    problems: &'a [Problem],
    ruleset: Option<RulesetReport<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<CandidateReport<'a>>,
}

/// A ruleset on trial.
#[derive(Serialize)]
struct CandidateReport<'a> {
    role: &'static str,
    name: &'a str,
    version: &'a str,
    hash: &'a str,
}

#[derive(Serialize)]
struct RulesetReport<'a> {
    name: &'a str,
    version: &'a str,
    hash: &'a str,
    tables: &'a TableVersions,
}

/// Adds the problems of rules and tables to those of the configuration, and shows all of them; `false` if one is an error.
///
/// # Errors
/// `out` cannot be written to.
pub fn check(config: &Config, mut problems: Vec<Problem>, json: bool, out: &mut dyn Write) -> io::Result<bool> {
    // A configuration with errors has keys at their defaults: what those amount to together is nobody's mistake.
    #[cfg(feature = "kafka")]
    if !problems.iter().any(Problem::is_error) {
        problems.extend(clients(config));
        problems.extend(registry(config));
    }
    let (live, found) = inspect_live(config);
    problems.extend(found);
    if let Some((pipeline, trials)) = &live {
        // By the machine's clock: only what stands in the rules is held against it, no lead.
        problems.extend(lint_ruleset(config.rules.path.as_deref(), now(), pipeline));
        problems.extend(failing_own(config, pipeline, trials));
    }
    if json {
        let candidates = live.as_ref().map(|(_, trials)| candidates(trials)).unwrap_or_default();
        let report = Report { problems: &problems, ruleset: live.as_ref().map(|(pipeline, _)| ruleset(pipeline)), candidates };
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        print(&problems, live.as_ref(), out)?;
    }
    Ok(!problems.iter().any(Problem::is_error))
}

/// What the Kafka client says of all its settings together.
#[cfg(feature = "kafka")]
fn clients(config: &Config) -> impl Iterator<Item = Problem> {
    let found = crate::kafka::check_clients(&config.kafka, config.run.delivery);
    found.into_iter().map(|(sections, why)| {
        let problem = Problem::error("invalid_client", format!("the Kafka client refuses {sections}: {why}"));
        problem.hint("names and values are those of librdkafka's CONFIGURATION.md")
    })
}

/// What keeps the schema registry from being asked at all, such as a certificate's file that is not there.
#[cfg(feature = "kafka")]
fn registry(config: &Config) -> impl Iterator<Item = Problem> {
    let found = config.encoding.registry().map(crate::registry::faults).unwrap_or_default();
    found.into_iter().map(|why| Problem::error("invalid_registry", why))
}

fn ruleset(pipeline: &Pipeline) -> RulesetReport<'_> {
    let rules = &pipeline.rules;
    RulesetReport { name: &rules.name, version: &rules.version, hash: &rules.hash, tables: &pipeline.tables.versions }
}

fn candidates(trials: &Trials) -> Vec<CandidateReport<'_>> {
    let canary = trials.canary.iter().map(|canary| ("canary", &canary.rules));
    let all = canary.chain(trials.shadows.iter().map(|rules| ("shadow", rules)));
    all.map(|(role, rules)| CandidateReport { role, name: &rules.name, version: &rules.version, hash: &rules.hash }).collect()
}

fn print(problems: &[Problem], live: Option<&(Pipeline, Trials)>, out: &mut dyn Write) -> io::Result<()> {
    for problem in problems {
        writeln!(out, "{problem}\n")?;
    }
    if let Some((pipeline, trials)) = live {
        let RulesetReport { name, version, hash, tables } = ruleset(pipeline);
        writeln!(out, "ruleset {name} {version}, hash {hash}")?;
        for CandidateReport { role, name, version, hash } in candidates(trials) {
            writeln!(out, "{role} {name} {version}, hash {hash}")?;
        }
        for (table, hash) in tables {
            writeln!(out, "table {table}, hash {hash}")?;
        }
    }
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    writeln!(out, "{}, {}", counted(errors, "error"), counted(problems.len() - errors, "warning"))
}

fn counted(count: usize, word: &str) -> String {
    match count {
        0 => format!("no {word}s"),
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}

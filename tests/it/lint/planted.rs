//! Rulesets as people write them, in `tests/fixtures/rulesets/planted`: nothing is told of them, and of each mistake that is planted
//! in one of them that one alone, on its line and underlined as a whole.

use std::{fs, path::Path};

use leadstream::{
    lead::Timestamp,
    problem::Problem,
    rules::{self, Ruleset, RulesetFile},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Mistakes {
    mistake: Vec<Mistake>,
}

/// A slip in one of the rulesets.
#[derive(Deserialize)]
struct Mistake {
    #[serde(rename = "in")]
    file: String,
    was: String,
    is: String,
    code: String,
    line: usize,
    underlined: String,
    /// A part of what it is told to do about it.
    #[serde(default)]
    hint: String,
}

/// As `check` would tell it in the season of these rulesets.
fn told(text: &str) -> Vec<Problem> {
    let now = Timestamp::parse("2026-11-26T09:00:00Z").expect("a time");
    let file = RulesetFile { name: "rules.toml".to_owned(), text: text.to_owned() };
    let extends = rules::extends(&file).is_some();
    let files: Vec<RulesetFile> = [file].into_iter().chain(extends.then(rules::built_in)).collect();
    match Ruleset::merge(&files) {
        Ok(rules) => rules.lint(&files, now, &|_| false),
        Err(problems) => problems,
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/planted"))
}

fn ruleset(name: &str) -> String {
    fs::read_to_string(folder().join(name).with_extension("toml")).expect(name)
}

fn underlined(problem: &Problem) -> String {
    problem.quoted.as_deref().unwrap_or_default().chars().skip(problem.column - 1).take(problem.underlined).collect()
}

#[test]
fn nothing_is_told_of_rulesets_without_mistakes() {
    for entry in fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        if name != "mistakes" {
            assert_eq!(told(&ruleset(name)), [], "{name}");
        }
    }
}

#[test]
fn each_mistake_is_told_once_and_nothing_else() {
    let all: Mistakes = toml::from_str(&ruleset("mistakes")).expect("mistakes");
    let mut missed = Vec::new();
    for Mistake { file, was, is, code, line, underlined: whole, hint } in &all.mistake {
        let text = ruleset(file);
        assert!(text.contains(was.as_str()), "{file} has no {was:?}");
        let found = told(&text.replacen(was.as_str(), is, 1));
        let shown: Vec<String> = found.iter().map(Problem::to_string).collect();
        let places: Vec<_> = found.iter().map(|problem| (problem.code, problem.line, underlined(problem))).collect();
        let helps = found.iter().all(|problem| problem.hint.as_ref().is_some_and(|told| told.contains(hint)));
        if places != [(code.as_str(), *line, whole.clone())] || !helps {
            missed.push(format!("{is}: {code} in line {line}, {whole}\n{}", shown.join("\n")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

//! What docs/scoring.md shows is so: the points are the built-in ruleset's, and each example lead gets the score, grade and
//! verdict that stand beside it. With `LEADSTREAM_BLESS=1` both tables are written anew, for `git diff` to show.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use leadstream::{
    lead::{Grade, Vocabulary},
    rules::DEFAULT,
    tables::TableForm,
};
use serde_json::Value;

use crate::core::{pipeline, run};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scoring.md")
}

fn examples() -> Vec<Value> {
    let leads = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scores.jsonl")).expect("the examples");
    leads.lines().map(|line| serde_json::from_str(line).expect("an example")).collect()
}

/// The lead of an example, as published.
fn decided(example: &Value) -> Value {
    let mut pipeline = pipeline();
    let offers = example["offers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: String = offers.iter().fold(String::new(), |rows, row| rows + &row.to_string() + "\n");
    assert!(pipeline.tables.add("offers", TableForm::Ndjson, &rows).is_empty());
    let (outputs, decided) = run(&pipeline, None, Some(example["raw"].to_string().as_bytes()), &[]);
    assert!(decided, "{example}");
    outputs[0].json()
}

/// The table of the examples.
fn scores() -> String {
    let mut table = "| lead | parts | fit | intent | total | grade | verdict |\n|---|---|---|---|---|---|---|\n".to_owned();
    for example in examples() {
        let lead = decided(&example);
        let score = &lead["score"];
        let parts = score["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parts = parts.iter().map(|part| format!("`{}` {}", text(&part["rule"]), signed(&part["points"]))).collect::<Vec<_>>();
        let reasons =
            lead["reasons"].as_array().into_iter().flatten().fold(String::new(), |all, reason| format!("{all} `{}`", text(reason)));
        let [fit, intent, total, grade, verdict] =
            [&score["fit"], &score["intent"], &score["total"], &score["grade"], &lead["verdict"]].map(text);
        let row = [text(&example["lead"]), parts.join(", "), fit, intent, total, grade, verdict + &reasons];
        writeln!(table, "| {} |", row.join(" | ")).expect("a String takes all");
    }
    table
}

/// The table of the built-in ruleset's points, and what they are held against.
fn points() -> String {
    let rules: toml::Table = DEFAULT.parse().expect("TOML");
    let score = &rules["score"];
    let mut table = "| rule | part | points | when |\n|---|---|---|---|\n".to_owned();
    for rule in score["rule"].as_array().expect("rules") {
        let of = |key: &str| rule[key].as_str().expect("a text").replace('|', "\\|");
        let points = rule["points"].as_integer().expect("points");
        writeln!(table, "| `{}` | {} | {points:+} | `{}` |", of("id"), of("part"), of("when")).expect("a String takes all");
    }
    let (threshold, grades) = (&score["threshold"], &score["grades"]);
    let [a, b, c] = ["A", "B", "C"].map(|grade| &grades[grade]);
    write!(table, "\nThreshold {threshold}. Grade A from {a}, B from {b}, C from {c}, else D.\n").expect("a String takes all");
    table
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn signed(points: &Value) -> String {
    format!("{:+}", points.as_i64().expect("points"))
}

#[test]
fn the_page_shows_the_points_and_the_scores_as_they_are() {
    let mut page_text = fs::read_to_string(page()).expect("docs/scoring.md");
    for (from, wanted) in [("deploy/rules/default/ruleset.toml", points()), ("tests/fixtures/scores.jsonl", scores())] {
        let begin = format!("<!-- from {from} -->\n");
        let (before, rest) = page_text.split_once(&begin).expect("where the table begins");
        let (part, after) = rest.split_once("<!-- end -->").expect("where the table ends");
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            page_text = format!("{before}{begin}{wanted}<!-- end -->{after}");
            fs::write(page(), &page_text).expect("written");
        } else {
            assert!(part == wanted, "docs/scoring.md is out of date. After {begin:?} must stand:\n{wanted}");
        }
    }
}

#[test]
fn the_examples_reach_every_rule_and_every_grade() {
    let leads: Vec<_> = examples().iter().map(decided).collect();
    let reached: BTreeSet<_> =
        leads.iter().flat_map(|lead| lead["score"]["parts"].as_array().into_iter().flatten().map(|part| text(&part["rule"]))).collect();
    let rules: toml::Table = DEFAULT.parse().expect("TOML");
    let all = rules["score"]["rule"].as_array().expect("rules").iter().map(|rule| rule["id"].as_str().expect("an id").to_owned());
    assert_eq!(reached, all.collect());
    let grades: BTreeSet<_> = leads.iter().map(|lead| text(&lead["score"]["grade"])).collect();
    assert_eq!(grades, Grade::ALL.iter().map(|grade| grade.name().to_owned()).collect());
}

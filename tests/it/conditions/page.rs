//! The page of the language, `docs/conditions.md`: what it shows is so. Its examples are asked about its lead, its fields read
//! what is published; that it names neither more nor less than there is, the unit tests of the room show.

use std::{collections::BTreeSet, sync::LazyLock};

use leadstream::{
    io::Batch,
    pipeline::{self, Memory, NoTrace},
    rules::Condition,
    tables::TableForm,
};
use serde_json::Value;

use super::leads;
use crate::core;

/// The page's text.
pub(super) static PAGE: LazyLock<String> =
    LazyLock::new(|| std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conditions.md")).expect("the page"));

/// What a field holds, in the page's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Text,
    Whole,
    Number,
    Truth,
    Time,
    Record,
    Map,
    List,
}

/// The rows of the table under a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("{heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    // A `|` that is meant is written `\|`.
    let cells = rows.map(|row| row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect::<Vec<_>>());
    cells.map(|cells| cells[1..cells.len() - 1].to_vec()).collect()
}

/// What stands in backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Every field of the page.
pub(super) fn fields() -> Vec<(String, Kind)> {
    let kind = |text: &str| match text.split([',', ':', ';', '(']).next().unwrap_or_default().trim() {
        "fixed list" => Kind::Word,
        "text" => Kind::Text,
        "whole number" => Kind::Whole,
        "number" => Kind::Number,
        "true or false" => Kind::Truth,
        "time" => Kind::Time,
        "record" => Kind::Record,
        "map" => Kind::Map,
        "list" => Kind::List,
        other => panic!("{other} is no type of the page"),
    };
    let rows = rows("Fields");
    rows.iter().flat_map(|row| code(&row[0]).into_iter().map(|path| (path.to_owned(), kind(&row[1])))).collect()
}

/// Every function of the page.
pub(super) fn names_of_functions() -> BTreeSet<String> {
    let rows = rows("Functions");
    let calls =
        rows.iter().flat_map(|row| code(&row[0]).into_iter().map(|call| call.rsplit_once('(').map_or(call, |(name, _)| name).to_owned()));
    calls.map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

/// Every example, and whether it holds.
fn examples() -> Vec<(String, bool)> {
    let in_tables = ["Operators", "Functions"].into_iter().flat_map(rows);
    let in_tables = in_tables.flat_map(|row| code(&row[2]).into_iter().map(|example| (example.to_owned(), true)).collect::<Vec<_>>());
    let blocks = PAGE.split("```cel\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| {
        let (example, said) = line.rsplit_once("// ").expect("what it is");
        (example.trim().to_owned(), said.starts_with("true"))
    });
    in_tables.chain(lines).collect()
}

/// The text of the first block of this language.
fn block(language: &str) -> &'static str {
    let rest = PAGE.split(&format!("```{language}\n")).nth(1).expect("a block");
    rest.split("```").next().unwrap_or_default()
}

#[test]
fn every_example_is_so_of_the_lead_of_the_page() {
    let mut pipeline = core::pipeline();
    assert_eq!(pipeline.tables.add("accounts", TableForm::Csv, block("csv")), []);
    let mut batch = Batch::default();
    batch.push(core::at(42), core::now(), None, Some(block("json").as_bytes()), std::iter::empty());
    let facts = pipeline::read(&batch.get(0).expect("pushed"), &pipeline, &mut Memory::default()).expect("a lead");
    let decision = pipeline::decide(&facts[0], &pipeline.rules, &mut NoTrace);
    let examples = examples();
    assert!(examples.len() > 45, "{} examples", examples.len());
    for (example, said) in examples {
        let condition = Condition::of_route(&example).unwrap_or_else(|problems| panic!("{example}: {problems:?}"));
        assert_eq!(condition.holds_for(&decision), said, "{example}");
    }
}

/// The page of rules shows some too, each with fields and words that there are.
#[test]
fn the_examples_of_the_page_of_rules_are_conditions() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md")).expect("the page");
    let shown: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("when = '")?.split('\'').next()).collect();
    assert!(shown.len() > 5, "{shown:?}");
    for when in shown {
        assert!(Condition::of_route(when).is_ok(), "{when}");
    }
}

#[test]
fn every_field_reads_what_is_published() {
    let (pipeline, batch) = (leads::pipeline(), leads::batch(7));
    let facts = leads::facts(&pipeline, &batch);
    let mut told = BTreeSet::new();
    for lead in leads::decided(&pipeline, &facts) {
        for (path, kind) in fields() {
            let value = path.split('.').try_fold(&lead.block, |value, name| value.get(name)).unwrap_or(&Value::Null);
            let conditions = match (value, kind) {
                (Value::Null, _) => vec![format!("{path} == null && !has({path})")],
                (Value::String(text), Kind::Time) => vec![format!("{path} == timestamp({text:?})")],
                (Value::String(_) | Value::Bool(_) | Value::Number(_), _) => vec![format!("{path} == {value} && has({path})")],
                (Value::Array(list), _) => {
                    let all = list.iter().map(|item| format!("{item} in {path}"));
                    all.chain([format!("size({path}) == {}", list.len())]).collect()
                }
                (Value::Object(map), Kind::Map) => {
                    let all = map.iter().map(|(key, text)| format!("{path}[{}] == {text}", Value::from(key.as_str())));
                    all.chain([format!("size({path}) == {}", map.len())]).collect()
                }
                (Value::Object(_), _) => vec![format!("has({path}) && {path} != null")],
            };
            for when in conditions {
                let condition = Condition::of_route(&when).unwrap_or_else(|problems| panic!("{when}: {problems:?}"));
                assert!(condition.holds_for(&lead.decision), "{when}");
            }
            if !value.is_null() {
                told.insert(path);
            }
        }
    }
    let never: Vec<_> = fields().into_iter().map(|(path, _)| path).filter(|path| !told.contains(path)).collect();
    assert!(never.is_empty(), "no lead tells {never:?}");
}

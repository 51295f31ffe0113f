//! The page of the language, `docs/conditions.md`, names what there is, and nothing else: functions, fields with their types, what
//! is refused, limits. Its examples are tried in `tests/it/conditions`.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::rules::condition::{
    bounds,
    compile::{FUNCTIONS, REFUSED},
    fields::{FIELDS, Type},
    steps,
};

const PAGE: &str = include_str!("../../../../docs/conditions.md");

/// The rows of the table under a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split(&format!("\n## {heading}\n")).nth(1).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    // A `|` that is meant is written `\|`.
    let cells = rows.map(|row| row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect::<Vec<_>>());
    cells.map(|cells| cells[1..cells.len() - 1].to_vec()).collect()
}

fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_page_names_every_function_and_no_other() {
    let rows = rows("Functions");
    let name = |call: &str| {
        let name = call.split('(').next().unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default().to_owned()
    };
    let named: BTreeSet<String> = rows.iter().flat_map(|row| code(&row[0])).map(name).collect();
    assert_eq!(named, FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect());
    for row in &rows {
        let called = name(code(&row[0])[0]);
        assert!(row[2].contains(&format!("{called}(")), "the example of {called} calls it");
    }
    for (name, form) in FUNCTIONS {
        assert!(form.contains(&format!("{name}(")), "{form}");
    }
}

#[test]
fn the_page_names_every_field_with_its_type() {
    let rows = rows("Fields");
    let word = |kind: &str| kind.split([',', ':', ';']).next().unwrap_or_default().to_owned();
    let named: BTreeMap<&str, String> = rows.iter().flat_map(|row| code(&row[0]).into_iter().map(|path| (path, word(&row[1])))).collect();
    let of = |of: Type| match of {
        Type::Word(_) => "fixed list",
        Type::Text => "text",
        Type::Int => "whole number",
        Type::Double => "number",
        Type::Bool => "true or false",
        Type::Time => "time",
        Type::Row => "record",
        Type::Map => "map",
        Type::Flags | Type::Reasons => "list",
        Type::Null | Type::Duration => "no field has it",
    };
    assert_eq!(named, FIELDS.iter().map(|field| (field.path, of(field.of).to_owned())).collect());
    for row in &rows {
        for path in code(&row[0]) {
            let field = FIELDS.iter().find(|field| field.path == path).expect(path);
            let seen = [(Sight::Judged, "campaigns and routes only"), (Sight::Routed, "routes only")];
            let told = seen.into_iter().find(|(_, words)| row[1].ends_with(words)).map_or(Sight::Lead, |(sight, _)| sight);
            assert_eq!(field.from, told, "{path}");
        }
    }
}

#[test]
fn the_page_names_what_is_refused_and_what_to_use() {
    let told: Vec<(String, String)> =
        rows("What is refused").into_iter().map(|row| (code(&row[0])[0].to_owned(), row[1].clone())).collect();
    let refused = REFUSED.iter().filter(|(name, _)| *name != "this").map(|(name, instead)| ((*name).to_owned(), (*instead).to_owned()));
    assert_eq!(told, refused.collect::<Vec<_>>());
    for (name, _) in REFUSED.iter().filter(|(name, _)| name.ends_with("()")) {
        let call = format!("note.{}(1) == 1", name.trim_end_matches("()"));
        assert!(faults(&call, Sight::Lead)[0].ends_with(&format!("{name} is not supported in conditions")), "{name}");
    }
}

#[test]
fn the_page_tells_the_limits() {
    let told: Vec<String> = rows("Limits").into_iter().map(|row| row[1].clone()).collect();
    let limits = [
        bounds::LONGEST.to_string(),
        format!("{}; {}", bounds::DEEPEST, bounds::MOST_OPEN),
        steps::MOST.to_string(),
        steps::OPEN_LENGTH.to_string(),
        steps::MOST_JOINED.to_string(),
        "256".to_owned(),
        "64".to_owned(),
    ];
    assert_eq!(told, limits);
    assert!(faults("note.matches(\"(a{1000}){1000}\")", Sight::Lead)[0].ends_with("256 KiB"));
}

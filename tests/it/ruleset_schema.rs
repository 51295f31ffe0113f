//! The JSON Schema of ruleset files (`deploy/rules/ruleset.schema.json`) against the reader: what can be loaded is valid, and what the
//! reader refuses for its keys, types and words is not. With `LEADSTREAM_BLESS=1` it is written anew. An outside validator's word
//! is `tests/foreign`'s.

use std::{collections::BTreeMap, fs, path::Path};

use leadstream::{
    problem::Problem,
    rules::{DEFAULT, Ruleset, rule_test_schema, ruleset_schema},
};
use regex::Regex;
use serde_json::{Value, json};

use crate::toml_json;

fn schema() -> Value {
    serde_json::from_str(&ruleset_schema()).expect("JSON")
}

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// The ruleset with every key that the page of rules shows, by itself: that it extends another is left out.
pub(crate) fn every_key() -> Value {
    let page = repository("docs/rules.md");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let mut ruleset = toml_json::read(block);
    let identity = ruleset["ruleset"].as_object_mut().expect("a table");
    assert!(identity.remove("extends").is_some() && identity.remove("remove").is_some());
    ruleset
}

/// Validates by the few words of JSON Schema that the schema uses; another word is a fault of this test.
struct Validator {
    patterns: BTreeMap<String, Regex>,
}

impl Validator {
    fn new() -> Self {
        Self { patterns: BTreeMap::new() }
    }

    fn is_valid(&mut self, schema: &Value, value: &Value) -> bool {
        let Some(schema) = schema.as_object() else { return schema != &json!(false) };
        schema.iter().all(|(word, says)| match word.as_str() {
            "$schema" | "title" | "description" | "else" => true,
            "type" => match says.as_str() {
                Some("object") => value.is_object(),
                Some("array") => value.is_array(),
                Some("string") => value.is_string(),
                Some("integer") => value.is_i64(),
                Some("boolean") => value.is_boolean(),
                other => panic!("{other:?}"),
            },
            "enum" => says.as_array().expect("words").contains(value),
            "const" => says == value,
            "not" => !self.is_valid(says, value),
            "anyOf" => says.as_array().expect("schemas").iter().any(|schema| self.is_valid(schema, value)),
            "if" => self.is_valid(says, value) || self.is_valid(&schema["else"], value),
            "pattern" => value.as_str().is_none_or(|text| {
                let pattern = says.as_str().expect("a pattern");
                self.patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).expect("a pattern")).is_match(text)
            }),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= says.as_u64().expect("a number")),
            "minimum" => value.as_i64().is_none_or(|number| number >= says.as_i64().expect("a number")),
            "maximum" => value.as_i64().is_none_or(|number| number <= says.as_i64().expect("a number")),
            "uniqueItems" => value.as_array().is_none_or(|list| (1..list.len()).all(|at| !list[..at].contains(&list[at]))),
            "items" => value.as_array().is_none_or(|list| list.iter().all(|item| self.is_valid(says, item))),
            "required" => value
                .as_object()
                .is_none_or(|table| says.as_array().expect("keys").iter().all(|key| table.contains_key(key.as_str().expect("a key")))),
            "properties" => {
                let mut known = value.as_object().into_iter().flatten().filter_map(|(key, value)| Some((says.get(key)?, value)));
                known.all(|(schema, value)| self.is_valid(schema, value))
            }
            "additionalProperties" => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let mut others =
                    value.as_object().into_iter().flatten().filter(|(key, _)| properties.is_none_or(|known| !known.contains_key(*key)));
                others.all(|(_, value)| self.is_valid(says, value))
            }
            other => panic!("{other}"),
        })
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_reader() {
    for (name, schema) in [("ruleset", ruleset_schema()), ("test", rule_test_schema())] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("deploy/rules/{name}.schema.json"));
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&file, &schema).expect("written");
        }
        assert!(fs::read_to_string(&file).unwrap_or_default() == schema, "{name} is not as derived; LEADSTREAM_BLESS=1 writes it");
    }
}

#[test]
fn what_can_be_loaded_is_valid() {
    let fixtures = ["tests/fixtures/rulesets/acme/ruleset.toml", "tests/fixtures/rulesets/base/ruleset.toml"].map(repository);
    let shown = repository("tests/fixtures/rulesets/acme/shown.toml");
    let dates =
        "[ruleset]\nname='a'\nversion='1'\nextends='x'\n[source.x]\nfrom=2026-01-01T00:00:00Z\n[calendar.x]\nholidays=[2026-12-25]\n";
    for text in fixtures.iter().map(String::as_str).chain([DEFAULT, shown.as_str(), dates]) {
        assert!(Validator::new().is_valid(&schema(), &toml_json::read(text)), "{text}");
    }
    assert!(Validator::new().is_valid(&schema(), &every_key()));
    let tests: Value = serde_json::from_str(&rule_test_schema()).expect("JSON");
    assert!(Validator::new().is_valid(&tests, &toml_json::read(&repository("deploy/rules/default/default.test.toml"))));
    for wrong in ["nwo = 1", "[[test]]\nname = 'x'", "[[test]]\nname = 'x'\nexpect = {}\nformat = 'csv'"] {
        assert!(!Validator::new().is_valid(&tests, &toml_json::read(wrong)), "{wrong}");
    }
}

/// The page tells all keys that there are.
#[test]
fn the_page_of_rules_shows_every_key() {
    fn missing(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let by_name = schema.get("additionalProperties").filter(|schema| schema.is_object());
        let named = |key: &str| {
            ["source", "action", "offer_type", "storefront", "threshold_by_storefront", "stage_by_listing_option"].contains(&key)
        };
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            match value.get(key) {
                Some(value) => missing(schema, value, &format!("{at}.{key}"), found),
                // One word stands for all of its list, and two days for a week.
                None if named(at.rsplit('.').next().unwrap_or_default()) || at.ends_with("hours") => {}
                None => found.push(format!("{at}.{key}")),
            }
        }
        if let (Some(schema), Some(table)) = (by_name, value.as_object()) {
            table.iter().for_each(|(key, value)| missing(schema, value, &format!("{at}.{key}"), found));
        }
        if let (Some(schema), Some(list)) = (schema.get("items"), value.as_array()) {
            // What one entry shows the others need not.
            let all = list.iter().filter_map(Value::as_object).flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
            missing(schema, &Value::Object(all), at, found);
        }
    }
    let mut found = Vec::new();
    missing(&schema(), &every_key(), "", &mut found);
    // The dates are shown once, where they are told of.
    found.retain(|key| !["from", "until"].contains(&key.rsplit('.').next().unwrap_or_default()));
    assert_eq!(found, [".ruleset.extends", ".ruleset.remove", ".test"]);
}

/// A value in a ruleset, by the keys and numbers that lead to it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(table) => table.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(number, value)| (number.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        let at = format!("{at}/{key}");
        places(value, &at, found);
        found.push(at);
    }
}

/// The ruleset with one thing wrong, or at least other, and what was done.
pub(crate) fn mutated(ruleset: &Value) -> Vec<(String, Value)> {
    let mut at = Vec::new();
    places(ruleset, "", &mut at);
    let mut mutants = Vec::new();
    let others =
        [json!(7), json!(1.5), json!(true), json!("zq zq"), json!("ZQ"), json!(""), json!([]), json!([7]), json!({}), json!({ "zq": 7 })];
    for at in &at {
        let with = |change: &dyn Fn(&mut Value)| {
            let mut mutant = ruleset.clone();
            change(mutant.pointer_mut(at).expect("a place"));
            mutant
        };
        for other in &others {
            mutants.push((format!("{at} = {other}"), with(&|value| *value = other.clone())));
        }
        if ruleset.pointer(at).is_some_and(Value::is_object) {
            let unknown = with(&|value| drop(value.as_object_mut().map(|table| table.insert("zq".to_owned(), json!("zq")))));
            mutants.push((format!("{at}/zq is there"), unknown));
        }
        if let Some((table, key)) = at.rsplit_once('/') {
            let mut without = ruleset.clone();
            let removed = without.pointer_mut(table).and_then(|table| table.as_object_mut()?.remove(key));
            mutants.extend(removed.map(|_| (format!("{at} is not there"), without)));
        }
    }
    mutants
}

/// What a schema can know: keys, types, and the words of fixed lists.
fn is_of_the_schema(problem: &Problem) -> bool {
    matches!(problem.code, "unknown_key" | "wrong_type" | "missing_key") || problem.message.contains("is no value of")
}

#[test]
fn what_the_reader_refuses_for_its_keys_types_and_words_is_not_valid_and_nothing_else_is_refused() {
    let (schema, mut validator) = (schema(), Validator::new());
    let (mut refused, mut loaded) = (0, 0);
    let heir =
        json!({ "ruleset": { "name": "a", "version": "1", "extends": "default", "remove": ["gate.spam"] }, "action": { "PLT": {} } });
    for (what, mutant) in mutated(&every_key()).into_iter().chain(mutated(&heir)) {
        let valid = validator.is_valid(&schema, &mutant);
        let problems = Ruleset::parse(&toml_json::write(&mutant)).err().unwrap_or_default();
        if problems.iter().any(is_of_the_schema) {
            assert!(!valid, "{what}: the reader says {problems:#?}");
            refused += 1;
        } else if problems.is_empty() {
            assert!(valid, "{what}: the reader takes it");
            loaded += 1;
        }
    }
    assert!(refused > 500 && loaded > 50, "{refused} refused, {loaded} loaded");
}

//! The JSON Schemas of a ruleset file and of its tests, for editors: made of the keys that the reader knows. It refuses nothing that can be loaded;
//! what names lead to and what conditions say only loading tells.

use serde_json::{Map, Value, json};

use super::{
    keys::{Key, Kind, Presence, ROOT, TEST_FILE},
    merge,
};

/// The JSON Schema (draft 7, which the editors' TOML extensions know) of a ruleset file, written for people too.
#[must_use]
pub fn ruleset_schema() -> String {
    let mut schema = file("leadstream ruleset", "What leadstream decides about leads. Every key is told in docs/rules.md.", ROOT);
    // What is not inherited must be here.
    schema["if"] = json!({ "properties": { "ruleset": { "required": ["extends"] } } });
    schema["else"] = json!({ "properties": once_merged() });
    format!("{schema:#}\n")
}

/// The JSON Schema of a file of tests, `*.test.toml`.
#[must_use]
pub fn rule_test_schema() -> String {
    format!("{:#}\n", file("leadstream tests", "Tests of a ruleset, for leadstream test; see docs/rules.md.", TEST_FILE))
}

fn file(title: &str, what: &str, keys: &[Key]) -> Value {
    let mut schema = table(keys, what);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema
}

fn table(keys: &[Key], what: &str) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), of(&key.of, key.what))).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    require(&mut schema, keys, Presence::Required);
    described(schema, what)
}

fn require(schema: &mut Value, keys: &[Key], presence: Presence) {
    let required: Vec<&str> = keys.iter().filter(|key| key.presence == presence).map(|key| key.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
}

fn described(mut schema: Value, what: &str) -> Value {
    if !what.is_empty() {
        schema["description"] = json!(what);
    }
    schema
}

fn of(kind: &Kind, what: &str) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let schema = match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Condition => json!({ "type": "string", "pattern": "\\S", "maxLength": 4096 }),
        Kind::Name => text("^[A-Za-z0-9_.-]{1,64}$"),
        Kind::RouteId => json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$", "not": { "pattern": "^follow_up\\." } }),
        Kind::Label => json!({ "type": "string", "pattern": "\\S", "maxLength": 256 }),
        Kind::Reason => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$", "not": { "const": "low_score" } }),
        Kind::Domain => text("^[^@/*:]+$"),
        Kind::Removable => text(&format!("^({})\\.", merge::REMOVABLE.map(|(kind, _)| kind).join("|"))),
        Kind::Word(words) => json!({ "enum": words() }),
        Kind::WholeNumber => json!({ "type": "integer", "minimum": -1_000_000_000, "maximum": 1_000_000_000 }),
        Kind::TrueOrFalse => json!({ "type": "boolean" }),
        Kind::Duration => text("^\\s*0*[1-9][0-9]*\\s*[smhd]\\s*$"),
        Kind::Time => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        Kind::Date => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        Kind::Hours => {
            let clock = "([01][0-9]|2[0-3]):[0-5][0-9]";
            let hours = text(&format!("^\\s*{clock}\\s*-\\s*({clock}|24:00)\\s*$"));
            json!({ "anyOf": [hours, { "type": "array", "items": hours }] })
        }
        Kind::List(element) => json!({ "type": "array", "items": of(element, "") }),
        Kind::Set(element) => json!({ "type": "array", "items": of(element, ""), "uniqueItems": true }),
        Kind::Table(keys) => table(keys, ""),
        Kind::Row => json!({ "type": "object" }),
        Kind::ByName(value) => json!({ "type": "object", "additionalProperties": of(value, "") }),
        Kind::ByWord(words, value) => {
            let properties: Map<String, Value> = words().into_iter().map(|word| (word.to_owned(), of(value, ""))).collect();
            json!({ "type": "object", "additionalProperties": false, "properties": properties })
        }
    };
    described(schema, what)
}

/// The keys that the rows of each table need once all files are one.
fn once_merged() -> Map<String, Value> {
    let mut properties = Map::new();
    for key in ROOT {
        if let Kind::ByName(Kind::Table(keys)) | Kind::ByWord(_, Kind::Table(keys)) = &key.of {
            let mut row = json!({});
            require(&mut row, keys, Presence::RequiredOnceMerged);
            properties.insert(key.name.to_owned(), json!({ "additionalProperties": row }));
        }
    }
    properties.retain(|_, table| table["additionalProperties"] != json!({}));
    properties
}

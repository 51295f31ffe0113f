//! The JSON Schemas in `schemas/`: they are what the Avro schemas and the encoder say. With `LEADSTREAM_BLESS=1` they are written
//! anew, for `git diff` to show. An outside validator's word on real events is `tests/foreign`'s.

use std::{fs, path::Path};

use leadstream::schemas::{
    RecordKind,
    json_schema::{TIMESTAMP_PATTERN, json_schema},
    released,
};
use serde_json::Value;

use crate::golden_events::golden_events;

#[test]
fn the_committed_json_schemas_are_those_of_the_avro_schemas() {
    let mut wrong = Vec::new();
    for schema in released().iter().filter(|schema| schema.kind != RecordKind::RawLead) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{}/v{}.schema.json", schema.kind.name(), schema.version));
        let derived = json_schema(schema).pretty();
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&file, &derived).expect("written");
        }
        if fs::read_to_string(&file).unwrap_or_default() != derived {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "not as derived; LEADSTREAM_BLESS=1 writes them: {wrong:?}");
}

/// The schema of a place in an event.
fn at<'s>(schema: &'s Value, path: &[&str]) -> &'s Value {
    path.iter().fold(schema, |schema, name| &schema["properties"][name])
}

#[test]
fn a_schema_says_what_the_encoder_does() {
    let schema = serde_json::to_value(json_schema(RecordKind::QualifiedLead.latest())).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(at(&schema, &["event_time"])["pattern"], TIMESTAMP_PATTERN);
    // Null or a time in Avro: a time or left out in JSON.
    assert_eq!(at(&schema, &["referral", "expires_at"])["pattern"], TIMESTAMP_PATTERN);
    assert_eq!(at(&schema, &["referral", "deal_value"])["type"], "number");
    let grades = serde_json::json!([{"enum": ["A", "B", "C", "D"]}, {"pattern": "^[A-Z][A-Z0-9_]*$"}]);
    assert_eq!(at(&schema, &["score", "grade"])["anyOf"], grades);
    // The second use of a named type is spelled out as the first, with its own words.
    let (first, second) = (at(&schema, &["consent", "contact"]), at(&schema, &["consent", "share"]));
    assert_eq!(first["anyOf"], second["anyOf"]);
    assert_ne!(first["description"], second["description"]);
    assert_eq!(at(&schema, &["extra"])["additionalProperties"]["type"], "string");
    assert_eq!(at(&schema, &["score", "parts"])["items"]["required"], serde_json::json!(["rule", "part", "points"]));
    assert!(schema.get("additionalProperties").is_none(), "a later version adds fields");
}

#[test]
fn what_is_required_is_in_every_golden_event() {
    for (kind, event) in golden_events() {
        let schema = serde_json::to_value(json_schema(kind.latest())).expect("JSON");
        assert_required(&schema, &event, kind.name());
    }
}

fn assert_required(schema: &Value, json: &Value, at: &str) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(json.get(name).is_some(), "{at}: {name} is required and was left out of {json}");
    }
    for (name, value) in json.as_object().into_iter().flatten() {
        assert_required(&schema["properties"][name], value, &format!("{at}.{name}"));
    }
}

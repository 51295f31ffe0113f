//! The JSON Schemas, read by an outside validator, and every golden event judged by it: as released, and closed, so that a field
//! or a symbol that a schema does not name is found too.

use std::{fs, path::Path};

use leadstream::schemas::{RecordKind, json_schema::json_schema};
use serde_json::{Value, json};

use crate::{golden_events::golden_events, node};

const EVENTS: [RecordKind; 3] = [RecordKind::QualifiedLead, RecordKind::UnqualifiedLead, RecordKind::LeadRouted];

/// The schema without what leaves room for later versions.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut members: serde_json::Map<_, _> = members.iter().map(|(name, value)| (name.clone(), closed(value))).collect();
            if members.contains_key("properties") && members.get("type") == Some(&json!("object")) {
                members.insert("additionalProperties".into(), json!(false));
            }
            if let Some(Value::Array(either)) = members.get_mut("anyOf") {
                either.truncate(1);
            }
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

/// What the validator says of these values, one a line.
fn judged(schema: &Value, values: &[Value]) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (schema_file, values_file) = (folder.path().join("schema.json"), folder.path().join("values.ndjson"));
    fs::write(&schema_file, schema.to_string()).expect("written");
    fs::write(&values_file, values.iter().map(|value| value.to_string() + "\n").collect::<String>()).expect("written");
    node::run("json_schema.mjs", &[&schema_file, &values_file])
}

fn released(kind: RecordKind) -> Value {
    serde_json::to_value(json_schema(kind.latest())).expect("JSON")
}

fn example(kind: RecordKind) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{}/v1.example.json", kind.name()));
    serde_json::from_str(&fs::read_to_string(file).expect("an example")).expect("JSON")
}

#[test]
fn every_golden_event_and_every_example_is_valid() {
    for kind in EVENTS {
        let events = golden_events().into_iter().filter(|(of, _)| *of == kind).map(|(_, event)| event);
        let events: Vec<_> = events.chain([example(kind)]).collect();
        assert!(events.len() > 5, "{}", events.len());
        for schema in [released(kind), closed(&released(kind))] {
            let (good, told) = judged(&schema, &events);
            assert!(good && told == format!("{} valid\n", events.len()), "{}: {told}", kind.name());
        }
    }
}

#[test]
fn what_leadstream_would_never_write_is_not_valid() {
    let good = example(RecordKind::QualifiedLead);
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).expect("a place") = value;
        event
    };
    let mut without = good.clone();
    without.as_object_mut().expect("an object").remove("event_id");
    let wrong = [
        (without, "event_id"),
        (with("/event_time", json!("2026-11-01T09:00:00Z")), "/event_time"),
        (with("/referral/expires_at", json!(1_790_000_000)), "/referral/expires_at"),
        (with("/contact/seniority", json!("c_level")), "/contact/seniority"),
        (with("/note", Value::Null), "/note"),
        (with("/score/parts/0/points", json!("many")), "/score/parts/0/points"),
        (with("/attribution/utm_source", json!(["a"])), "/attribution/utm_source"),
        (json!([]), "object"),
    ];
    for (event, at) in wrong {
        let (valid, told) = judged(&released(RecordKind::QualifiedLead), &[event]);
        assert!(!valid && told.contains(at), "{at}: {told}");
    }
}

#[test]
fn what_a_later_version_may_add_is_valid_and_a_closed_schema_finds_it() {
    let mut event = example(RecordKind::LeadRouted);
    event["language"] = json!("fr");
    event["contact"]["pronouns"] = json!("they");
    event["channel"] = json!("MOBILE");
    let schema = released(RecordKind::LeadRouted);
    assert_eq!(judged(&schema, &[event.clone()]), (true, "1 valid\n".to_owned()));
    let (valid, told) = judged(&closed(&schema), &[event]);
    assert!(!valid && ["language", "pronouns", "/channel"].iter().all(|what| told.contains(what)), "{told}");
}

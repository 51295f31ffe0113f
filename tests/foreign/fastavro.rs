//! Avro as fastavro reads and writes it, from the released files alone: the same bytes for the same event, and versions that
//! read each other. And the JSON form as check-jsonschema judges it.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadstream::{
    pipeline::{EventFormat, OutputTopic},
    schemas::{self, RecordKind},
};
use serde_json::{Value, json};

use crate::{
    core::{pipeline, run},
    golden_events::golden_inputs,
    python,
};

/// Every golden event: its record, its JSON form, its datum without the frame.
fn events() -> Vec<(RecordKind, Value, Vec<u8>)> {
    let (json, mut avro) = (pipeline(), pipeline());
    avro.encoding.formats = [EventFormat::SingleObject; OutputTopic::COUNT];
    let mut events = Vec::new();
    for value in golden_inputs() {
        let (texts, decided) = run(&json, None, Some(&value), &[]);
        let (records, _) = run(&avro, None, Some(&value), &[]);
        for (text, record) in texts.iter().zip(&records).filter(|_| decided) {
            let (text, bytes) = (text.value.as_deref().expect("a value"), record.value.as_deref().expect("a value"));
            let schema = schemas::by_fingerprint(bytes[2..10].try_into().expect("eight bytes")).expect("a released schema");
            events.push((schema.kind, serde_json::from_slice(text).expect("JSON"), bytes[10..].to_vec()));
        }
    }
    assert!(events.len() > 40, "{} events", events.len());
    events
}

fn asked(command: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let events = events();
    let line = |(kind, json, datum): &(RecordKind, Value, Vec<u8>)| {
        json!({ "record": kind.name(), "json": json, "avro": STANDARD.encode(datum) }).to_string() + "\n"
    };
    let lines: String = events.iter().map(line).collect();
    let told = python::run(&["avro_bytes.py", command, folder.to_str().expect("UTF-8")], &lines);
    assert_eq!(told.trim(), events.len().to_string());
    events.len()
}

#[test]
fn fastavro_writes_the_same_bytes_for_the_same_event() {
    asked("write");
}

#[test]
fn fastavro_reads_a_later_version_by_the_released_one_and_the_other_way_round() {
    asked("later");
}

#[test]
fn check_jsonschema_takes_every_golden_event_and_no_broken_one() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in [RecordKind::QualifiedLead, RecordKind::UnqualifiedLead, RecordKind::LeadRouted] {
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{}/v1.schema.json", kind.name()));
        let schema = schema.to_str().expect("UTF-8");
        let events: Vec<_> = events().into_iter().filter(|(of, ..)| *of == kind).map(|(_, json, _)| json).collect();
        let file = |name: String, event: &Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, event.to_string()).expect("written");
            path.to_str().expect("UTF-8").to_owned()
        };
        let good: Vec<_> = events.iter().enumerate().map(|(place, event)| file(format!("{}-{place}.json", kind.name()), event)).collect();
        let check = ["-m", "check_jsonschema", "--schemafile", schema];
        python::run(&[&check[..], &good.iter().map(String::as_str).collect::<Vec<_>>()].concat(), "");
        for (member, value) in [("event_time", json!("yesterday")), ("score", json!(5)), ("event_id", Value::Null)] {
            let mut event = events[0].clone();
            event[member] = value;
            let broken = file("broken.json".to_owned(), &event);
            let (good, told) = python::judged(&[&check[..], &[&broken]].concat(), "");
            assert!(!good && told.contains(member), "{member}: {told}");
        }
    }
}

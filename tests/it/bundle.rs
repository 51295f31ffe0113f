//! `schemas list` and `schemas export` from outside: what they tell, what they write, and what they leave alone. Whether other
//! programs take what is written is `tests/foreign`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Output},
};

use leadstream::{
    pipeline::{EncodeSettings, EventHeaders},
    run::schemas::{Subscription, WireFormat, files},
    schemas::{RecordKind, headers, released},
};
use serde_json::{Value, json};

use crate::core::{pipeline, run};

fn leadstream(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir("/").env_clear().output().expect("the binary runs")
}

fn export(folder: &Path, more: &[&str]) -> (i32, String) {
    let output = leadstream(&[&["schemas", "export", folder.to_str().expect("UTF-8")], more].concat());
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(told).expect("UTF-8"))
}

/// Every file below a folder, by its path.
fn read(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        if entry.is_dir() {
            found.extend(read(&entry).into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            found.insert(name, fs::read(&entry).expect("bytes"));
        }
    }
    found
}

fn json_of(files: &BTreeMap<String, String>, path: &str) -> Value {
    serde_json::from_str(&files[path]).expect("JSON")
}

#[test]
fn list_tells_every_schema_and_its_subjects() {
    let output = leadstream(&["schemas", "list", "--set", "topics.raw=a,b", "--set", "topics.qualified=hot", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["schemas"].as_array().map(Vec::len), Some(released().len()));
    assert_eq!(report["schemas"][0]["subjects"], json!(["a-value", "b-value"]));
    let wanted = json!({"record": "QualifiedLead", "version": 1, "fingerprint": "330937be65a879d4", "subjects": ["hot-value"]});
    assert_eq!(report["schemas"][1], wanted);
    let text = String::from_utf8(leadstream(&["schemas", "list"]).stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), released().len());
    assert!(text.contains("LeadRouted       v1   9a535e42d30c533a  leads.routing-value\n"), "{text}");
}

#[test]
fn a_bad_configuration_exports_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (exit, told) = export(&folder.path().join("bundle"), &["--set", "topics.qualified=no topic"]);
    assert_eq!(exit, 64, "{told}");
    assert!(read(folder.path()).is_empty());
}

#[test]
fn the_same_configuration_is_the_same_bytes_also_over_an_earlier_bundle() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("deep/second"));
    assert_eq!(export(&first, &[]).0, 0);
    let (exit, told) = export(&second, &["--set", "topics.qualified=hot"]);
    assert!(exit == 0 && told.starts_with("wrote "), "{told}");
    assert_ne!(read(&first), read(&second));
    assert_eq!(export(&second, &["--quiet"]), (0, String::new()));
    assert_eq!(read(&first), read(&second));
    let written: BTreeSet<_> = read(&first).into_keys().collect();
    assert_eq!(written, files(&Subscription::default()).into_keys().chain(["bundle.sha256".to_owned()]).collect());
}

#[test]
fn a_folder_with_anything_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |what: &str| {
        let before = read(folder.path());
        let (exit, told) = export(folder.path(), &[]);
        assert!(exit == 64 && told.contains(&format!("it holds {what}")), "{exit}: {told}");
        assert_eq!(read(folder.path()), before);
    };
    fs::write(folder.path().join("notes.txt"), "mine").expect("written");
    refused("notes.txt");
    fs::remove_file(folder.path().join("notes.txt")).expect("removed");
    // A file of the same name is not ours for that.
    fs::write(folder.path().join("README.md"), "mine").expect("written");
    refused("README.md");
    fs::remove_file(folder.path().join("README.md")).expect("removed");
    assert_eq!(export(folder.path(), &[]).0, 0);
    // Nor one of ours that somebody has made their own.
    fs::write(folder.path().join("python/consumer.py"), "mine").expect("written");
    refused("python/consumer.py");
    fs::remove_file(folder.path().join("python/consumer.py")).expect("removed");
    assert_eq!(export(folder.path(), &[]).0, 0);
}

#[test]
fn what_an_earlier_bundle_had_and_this_one_has_not_is_taken_away() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(folder.path(), &[]).0, 0);
    let fresh = read(folder.path());
    let list = folder.path().join("bundle.sha256");
    fs::write(folder.path().join("examples/Old.json"), "b").expect("written");
    let (exit, told) = export(folder.path(), &[]);
    assert!(exit == 64 && told.contains("examples/Old.json"), "{told}");
    let line = format!("{SHA256_OF_B}  examples/Old.json\n");
    fs::write(&list, fs::read_to_string(&list).expect("text") + &line).expect("written");
    assert_eq!(export(folder.path(), &[]).0, 0);
    assert_eq!(read(folder.path()), fresh);
}

const SHA256_OF_B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

#[test]
fn the_document_tells_the_configured_topics_and_formats() {
    let mut subscription =
        Subscription { routing: WireFormat::ConfluentFrame, unqualified: WireFormat::SingleObject, ..Subscription::default() };
    subscription.topics.raw = vec!["in.one".into(), "in.two".into()];
    subscription.topics.routing = "out.routing".into();
    let document = json_of(&files(&subscription), "asyncapi.json");
    let addresses: Vec<_> =
        document["channels"].as_object().expect("channels").values().map(|channel| channel["address"].clone()).collect();
    assert_eq!(addresses.len(), 7);
    for topic in ["in.one", "in.two", "leads.qualified", "leads.unqualified", "out.routing", "leads.dead-letter", "leads.ledger"] {
        assert!(addresses.contains(&topic.into()), "{topic}: {addresses:?}");
    }
    let messages = &document["components"]["messages"];
    let file: Value = serde_json::from_str(RecordKind::LeadRouted.latest().text).expect("JSON");
    assert_eq!(messages["LeadRouted"]["payload"], json!({"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": file}));
    assert_eq!(messages["LeadRouted"]["bindings"]["kafka"]["schemaIdPayloadEncoding"], "confluent");
    assert!(messages["LeadRouted"]["description"].as_str().is_some_and(|text| text.contains("out.routing-value")));
    assert_eq!(messages["UnqualifiedLead"]["bindings"]["kafka"].get("schemaIdPayloadEncoding"), None);
    assert_eq!(messages["QualifiedLead"]["payload"]["properties"]["event_id"]["type"], "string");
    assert_eq!(messages["QualifiedLead"]["headers"]["required"], json!([]));
    assert_eq!(messages["DeadLetter"]["headers"]["required"].as_array().map(Vec::len), Some(12));
}

#[test]
fn the_document_follows_the_configured_encoding() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = |more: &[&str], name: &str| -> Value {
        assert_eq!(export(folder.path(), more).0, 0);
        let text = fs::read_to_string(folder.path().join("asyncapi.json")).expect("text");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        document["components"]["messages"][name].clone()
    };
    let json = message(&[], "QualifiedLead");
    assert_eq!(json["contentType"], "application/json");
    assert_eq!(json["examples"][0]["payload"]["verdict"], "QUALIFIED");
    let frames =
        ["--set", "encoding.format=avro", "--set", "encoding.registry=http://registry.example/", "--set", "encoding.headers=cloudevents"];
    let frame = message(&frames, "QualifiedLead");
    assert_eq!(frame["contentType"], "application/avro");
    assert!(frame["description"].as_str().is_some_and(|text| text.contains("Confluent")), "{frame}");
    assert_eq!(frame["examples"][0]["headers"]["content-type"], "application/avro");
    let mixed = ["--set", "encoding.format.routing=avro"];
    assert!(message(&mixed, "LeadRouted")["description"].as_str().is_some_and(|text| text.contains("single-object")));
    assert_eq!(message(&mixed, "QualifiedLead"), json);
}

#[test]
fn the_examples_carry_the_headers_that_the_encoder_writes() {
    let mut pipeline = pipeline();
    pipeline.encoding = EncodeSettings { headers: EventHeaders::CloudEvents, ..EncodeSettings::default() };
    let raw = br#"{"userDetails":{"email":"jane@adatum.example"},"leadSource":"SPZA-PLT|contoso.app"}"#;
    let (outputs, _) = run(&pipeline, None, Some(raw), &[]);
    let subscription = Subscription { headers: EventHeaders::CloudEvents, ..Subscription::default() };
    let files = files(&subscription);
    for (output, kind) in outputs.iter().zip(["QualifiedLead", "LeadRouted"]) {
        let record = json_of(&files, &format!("examples/{kind}.record.json"));
        let told: BTreeSet<_> = record["headers"].as_object().expect("headers").keys().cloned().collect();
        assert_eq!(told, output.headers.iter().map(|(name, _)| name.clone()).collect());
        // What follows from the value follows from it in the same way.
        let event = output.json();
        for (header, path) in
            [("ce_id", "/event_id"), ("lead-storefront", "/storefront"), ("lead-campaign", "/campaign"), ("lead-verdict", "/verdict")]
        {
            assert_eq!(output.header(header).as_deref(), event.pointer(path).and_then(Value::as_str), "{header}");
            assert_eq!(record["headers"][header], *record["value"].pointer(path).expect("a value"), "{header}");
        }
        assert_eq!(output.header("ce_type").as_deref(), record["headers"]["ce_type"].as_str());
        assert_eq!(output.header("ce_source").as_deref(), record["headers"]["ce_source"].as_str());
        assert_eq!(
            record["headers"]["lead-ruleset"],
            "acme/2026.11.1/".to_owned() + &record["value"]["ruleset"]["hash"].as_str().expect("a hash")[..12]
        );
        let cloud_event = json_of(&files, &format!("examples/{kind}.cloudevent.json"));
        assert_eq!((&cloud_event["id"], &cloud_event["data"]), (&record["value"]["event_id"], &record["value"]));
        assert_eq!(cloud_event["specversion"], "1.0");
        assert!(
            cloud_event.as_object().expect("an object").keys().all(|name| name.chars().all(|c| c.is_ascii_lowercase())),
            "{cloud_event}"
        );
    }
}

#[test]
fn the_table_of_headers_has_every_header_that_is_written_and_no_other() {
    let mut pipeline = pipeline();
    pipeline.encoding.headers = EventHeaders::CloudEvents;
    pipeline.encoding.replay = Some("again".into());
    let trace = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".as_slice());
    let (mut event, mut dead, mut least) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let good = br#"{"userDetails":{"email":"jane@adatum.example"},"leadSource":"SPZA-PLT|contoso.app"}"#.as_slice();
    let large = [b"{\"MSFT_TEST\":\"".as_slice(), &[b'x'; 2000], b"\"}"].concat();
    pipeline.limits.record_bytes = 1000;
    for (value, headers) in [(good, [trace].as_slice()), (b"[]", &[]), (&large, &[])] {
        let (outputs, decided) = run(&pipeline, None, Some(value), headers);
        for output in outputs {
            let names: Vec<_> = output.headers.iter().map(|(name, _)| name.clone()).collect();
            if decided { &mut event } else { &mut dead }.extend(names.iter().cloned());
            if !decided {
                least.push(names);
            }
        }
    }
    let names = |sets: &[&[headers::Header]]| sets.iter().copied().flatten().map(|header| header.name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(event, names(&[&headers::EVENT, &headers::CLOUD_EVENTS]));
    assert_eq!(dead, names(&[&headers::DEAD_LETTER]));
    for header in headers::DEAD_LETTER.iter().filter(|header| header.always) {
        assert!(least.iter().all(|names| names.iter().any(|name| name == header.name)), "{} is not always there", header.name);
    }
}

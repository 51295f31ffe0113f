//! The released schemas against the rules of `schemas/README.md`: the gate on the folder itself, on copies in which something
//! was broken, and the examples. How events are written is tested elsewhere.

use std::{collections::BTreeSet, fs, path::Path};

use apache_avro::Schema;
use leadstream::{
    lead::{
        Action, Audience, Campaign, Channel, Confidence, Consent, EmailKind, Grade, Listing, Origin, Region, Seniority, Stage, Storefront,
        Verdict, Vocabulary,
    },
    schemas::{
        RecordKind,
        evolution::{self, SchemaFile},
        released,
    },
};
use serde_json::{Value, json};

use crate::{avro_form, golden_events::golden_events};

/// A copy of the folder that may be broken.
#[derive(Clone)]
struct Folder {
    files: Vec<(String, u32, String)>,
    lock: String,
}

impl Folder {
    /// `schemas/` as it lies on the disk.
    fn read() -> Self {
        let root = root();
        let mut files = Vec::new();
        for folder in fs::read_dir(&root).expect("schemas").map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()) {
            let record = folder.file_name().expect("a name").to_string_lossy().into_owned();
            for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                let version = name.strip_prefix('v').and_then(|name| name.split_once('.')).and_then(|(number, _)| number.parse().ok());
                let version = version.unwrap_or_else(|| panic!("{}: is no version", path.display()));
                if path.extension().is_some_and(|extension| extension == "avsc") {
                    files.push((record.clone(), version, fs::read_to_string(&path).expect("text")));
                }
            }
        }
        files.sort();
        Self { files, lock: fs::read_to_string(root.join("LOCK")).expect("LOCK") }
    }

    fn files(&self) -> Vec<SchemaFile<'_>> {
        self.files.iter().map(|(record, version, text)| SchemaFile { record, version: *version, text }).collect()
    }

    fn problems(&self) -> Vec<String> {
        evolution::problems(&self.files(), &self.lock)
    }

    /// Adds version 2 of a record, made from version 1, and locks it.
    fn release(mut self, record: &str, change: impl FnOnce(&mut Value)) -> Self {
        let (_, _, text) = self.files.iter().find(|(found, version, _)| found == record && *version == 1).expect("version 1");
        let mut schema: Value = serde_json::from_str(text).expect("JSON");
        change(&mut schema);
        self.files.push((record.to_owned(), 2, schema.to_string()));
        let line = self.files().last().expect("just pushed").lock_line();
        self.lock.push_str(&line);
        self.lock.push('\n');
        self
    }

    /// The gate fails, and these are its words.
    fn assert_fails(&self, words: &[&str]) {
        let problems = self.problems().join("\n");
        for word in words {
            assert!(problems.contains(word), "{word:?} is not in:\n{problems}");
        }
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn fields(schema: &mut Value) -> &mut Vec<Value> {
    schema["fields"].as_array_mut().expect("fields")
}

fn field<'s>(schema: &'s mut Value, name: &str) -> &'s mut Value {
    fields(schema).iter_mut().find(|field| field["name"] == name).expect("a field")
}

fn example(kind: RecordKind, version: u32) -> Value {
    let text = fs::read_to_string(root().join(format!("{}/v{version}.example.json", kind.name()))).expect("an example");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_released_version_reads_and_is_read_by_all_before_it() {
    let folder = Folder::read();
    assert_eq!(folder.problems(), Vec::<String>::new(), "\n{}", folder.problems().join("\n"));
}

#[test]
fn what_is_compiled_in_is_what_lies_in_the_folder() {
    let compiled: BTreeSet<_> =
        released().iter().map(|schema| (schema.kind.name().to_owned(), schema.version, schema.text.to_owned())).collect();
    assert_eq!(compiled, Folder::read().files.into_iter().collect());
}

#[test]
fn a_released_file_that_was_changed_is_found() {
    let mut folder = Folder::read();
    let (_, _, text) = folder.files.first_mut().expect("a file");
    *text = text.replace("\"Grade\"", "\"Grades\"");
    folder.assert_fails(&["LeadRouted/v1.avsc: is released and was changed; put it back as it was"]);
    // A word of documentation is a change too: what is registered would no longer be what is here.
    let mut folder = Folder::read();
    folder.files[0].2.push('\n');
    folder.assert_fails(&["is released and was changed"]);
}

#[test]
fn a_released_file_that_is_missing_or_not_locked_is_found() {
    let mut folder = Folder::read();
    folder.files.remove(0);
    folder.assert_fails(&["LeadRouted/v1.avsc: stands in LOCK, so it is released, and is missing"]);
    let mut folder = Folder::read();
    folder.lock =
        folder.lock.lines().filter(|line| !line.ends_with("RawLead/v1.avsc")).fold(String::new(), |text, line| text + line + "\n");
    folder.assert_fails(&["RawLead/v1.avsc: is not in LOCK; a new version is released with the line"]);
    let mut folder = Folder::read();
    folder.lock.push_str("something else\n");
    folder.assert_fails(&["LOCK: \"something else\" is not a line"]);
    let mut folder = Folder::read().release("RawLead", |_| {});
    let version = &mut folder.files.last_mut().expect("the new version").1;
    *version += 1;
    let (missing, there) = (*version - 1, *version);
    folder.assert_fails(&[&format!("RawLead/v{there}.avsc: version {missing} of RawLead is missing")]);
}

#[test]
fn a_version_without_a_required_field_is_found() {
    let folder = Folder::read().release("QualifiedLead", |schema| fields(schema).retain(|field| field["name"] != "lead_id"));
    folder.assert_fails(&[
        "QualifiedLead/v2.avsc after QualifiedLead/v1.avsc: field leadstream.QualifiedLead.lead_id is gone",
        "not FORWARD",
    ]);
}

#[test]
fn a_version_with_a_new_field_that_has_no_default_is_found() {
    let folder =
        Folder::read().release("LeadRouted", |schema| fields(schema).push(json!({"name": "team", "doc": "A team.", "type": "string"})));
    folder.assert_fails(&["field leadstream.LeadRouted.team is new and has no default", "not BACKWARD"]);
    // In a record within the record too.
    let folder = Folder::read().release("LeadRouted", |schema| {
        fields(&mut field(schema, "contact")["type"]).push(json!({"name": "language", "doc": "A language.", "type": "string"}));
    });
    folder.assert_fails(&["field leadstream.Contact.language is new and has no default", "not BACKWARD"]);
}

#[test]
fn a_version_that_takes_a_symbol_or_changes_a_type_is_found() {
    let folder = Folder::read().release("UnqualifiedLead", |schema| {
        field(schema, "channel")["type"]["symbols"].as_array_mut().expect("symbols").retain(|symbol| symbol != "TEST_DRIVE");
    });
    // With a default Avro's own check is content, and yet every such lead would read as UNKNOWN.
    folder.assert_fails(&["symbol TEST_DRIVE of enum leadstream.Channel is gone"]);

    let changed = |name: &'static str, of: Value| Folder::read().release("UnqualifiedLead", move |schema| field(schema, name)["type"] = of);
    changed("is_test", json!("string"))
        .assert_fails(&["field leadstream.UnqualifiedLead.is_test was boolean and is string", "not BACKWARD"]);
    // Avro's own check takes these two for the same.
    let millis = json!({"type": "long", "logicalType": "timestamp-millis"});
    changed("event_time", millis).assert_fails(&["event_time was timestamp-micros and is"]);
    changed("event_id", json!("bytes")).assert_fails(&["event_id was string and is bytes"]);
    // One direction only.
    changed("event_id", json!(["null", "string"])).assert_fails(&["event_id was string and is null or string", "not FORWARD"]);
}

#[test]
fn a_version_that_is_not_told_or_not_open_is_found() {
    let folder =
        Folder::read().release("RawLead", |schema| fields(schema).push(json!({"name": "x", "type": ["null", "string"], "default": null})));
    folder.assert_fails(&["RawLead/v2.avsc: field leadstream.RawLead.x has no doc"]);
    let folder = Folder::read().release("QualifiedLead", |schema| {
        let of = &mut field(schema, "stage")["type"];
        of.as_object_mut().expect("an enum").remove("default");
    });
    folder.assert_fails(&["QualifiedLead/v2.avsc: enum leadstream.Stage has no default"]);
    let mut folder = Folder::read();
    folder.files[0].2.truncate(100);
    folder.assert_fails(&["LeadRouted/v1.avsc: is no Avro schema"]);
}

/// What a good next version does: a field with a default, a symbol in an enum.
fn next_version(schema: &mut Value) {
    fields(schema).push(json!({"name": "language", "doc": "Language of the lead.", "type": ["null", "string"], "default": null}));
    field(schema, "channel")["type"]["symbols"].as_array_mut().expect("symbols").push("MOBILE".into());
}

#[test]
fn a_version_with_an_optional_field_and_a_new_symbol_passes_and_is_read_by_the_one_before() {
    let folder = Folder::read().release("UnqualifiedLead", next_version).release("LeadRouted", next_version);
    // What records share they go on sharing.
    folder.clone().assert_fails(&["QualifiedLead/v1.avsc: leadstream.Channel is not the same as in LeadRouted/v2.avsc"]);
    let folder = folder.release("QualifiedLead", next_version);
    assert_eq!(folder.problems(), Vec::<String>::new());

    let older = &RecordKind::QualifiedLead.latest().schema;
    let newer = Schema::parse_str(&folder.files.last().expect("version 2").2).expect("a schema");
    let mut lead = example(RecordKind::QualifiedLead, 1);
    let same = avro_form::value(older, &lead).expect("the example");
    lead["language"] = "fr".into();
    lead["channel"] = "MOBILE".into();
    let bytes = avro_form::write(&newer, avro_form::value(&newer, &lead).expect("version 2"));
    let read = avro_form::read(&newer, &bytes, older);
    lead.as_object_mut().expect("an object").remove("language");
    lead["channel"] = "UNKNOWN".into();
    assert_eq!(read, avro_form::value(older, &lead).expect("version 1"));

    let bytes = avro_form::write(older, same);
    let read = avro_form::read(older, &bytes, &newer);
    let example = example(RecordKind::QualifiedLead, 1);
    assert_eq!(read, avro_form::value(&newer, &example).expect("version 2 with its default"));
}

#[test]
fn every_example_is_the_same_after_a_round_trip() {
    for schema in released() {
        let value = avro_form::value(&schema.schema, &example(schema.kind, schema.version)).expect("an example fits its schema");
        let bytes = avro_form::write(&schema.schema, value.clone());
        let read = avro_form::read(&schema.schema, &bytes, &schema.schema);
        assert_eq!(read, value, "{}", schema.kind.name());
    }
}

#[test]
fn the_examples_are_whole_and_hold_only_made_up_addresses() {
    let examples = RecordKind::ALL.map(|kind| (kind, example(kind, kind.latest().version)));
    let mut shown = BTreeSet::new();
    for (kind, example) in &examples {
        collect("", example, &mut shown);
        let text = example.to_string();
        let addresses = text.split('"').filter(|text| text.contains('@'));
        assert!(addresses.clone().all(|address| address.ends_with(".example")), "{}: {text}", kind.name());
    }
    for kind in RecordKind::ALL {
        let Schema::Record(record) = &kind.latest().schema else { panic!("{} is no record", kind.name()) };
        for field in &record.fields {
            let inner = match &field.schema {
                Schema::Record(inner) => inner.fields.iter().map(|inner| format!(".{}.{}", field.name, inner.name)).collect(),
                _ => vec![format!(".{}", field.name)],
            };
            let missing: Vec<_> = inner.iter().filter(|path| !shown.contains(*path)).collect();
            assert!(missing.is_empty(), "no example shows {missing:?} of {}", kind.name());
        }
    }
}

fn collect(at: &str, json: &Value, shown: &mut BTreeSet<String>) {
    shown.insert(at.to_owned());
    for (name, value) in json.as_object().into_iter().flatten() {
        collect(&format!("{at}.{name}"), value, shown);
    }
}

/// The names of a vocabulary.
fn names<V: Vocabulary>() -> Vec<&'static str> {
    V::ALL.iter().map(|value| value.name()).collect()
}

#[test]
fn enums_have_the_symbols_of_the_domain_in_its_order() {
    let vocabularies = [
        ("Origin", names::<Origin>()),
        ("Storefront", names::<Storefront>()),
        ("Channel", names::<Channel>()),
        ("Campaign", names::<Campaign>()),
        ("Audience", names::<Audience>()),
        ("Listing", names::<Listing>()),
        ("Action", names::<Action>()),
        ("Stage", names::<Stage>()),
        ("Confidence", names::<Confidence>()),
        ("EmailKind", names::<EmailKind>()),
        ("Region", names::<Region>()),
        ("Seniority", names::<Seniority>()),
        ("ConsentState", names::<Consent>()),
        ("Grade", names::<Grade>()),
        ("Verdict", names::<Verdict>()),
    ];
    let mut met = BTreeSet::new();
    for kind in RecordKind::ALL {
        enums(&kind.latest().schema, &mut |name, symbols| {
            let (known, words) = vocabularies.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is no vocabulary"));
            assert_eq!(symbols, words, "{name} of {}", kind.name());
            met.insert(*known);
        });
    }
    assert_eq!(met.len(), vocabularies.len(), "{met:?}");
}

fn enums(schema: &Schema, told: &mut dyn FnMut(&str, &[String])) {
    match schema {
        Schema::Enum(of) => told(of.name.name(), &of.symbols),
        Schema::Record(record) => record.fields.iter().for_each(|field| enums(&field.schema, told)),
        Schema::Union(union) => union.variants().iter().for_each(|variant| enums(variant, told)),
        Schema::Array(array) => enums(&array.items, told),
        Schema::Map(map) => enums(&map.types, told),
        _ => {}
    }
}

/// The lead block, in the order of the contract.
const LEAD_BLOCK: &str = "event_id lead_id person_key origin storefront channel campaign marketing_campaign audience listing \
    action stage confidence source_raw action_raw publisher_id offer_id offer_title offer_raw contact consent referral is_test \
    is_spam suppressed_by note attribution extra flags score verdict reasons event_time received_at source ruleset";
/// What `LeadRouted` goes without, and what it adds.
const NOT_ROUTED: [&str; 7] = ["extra", "referral", "consent", "is_test", "is_spam", "suppressed_by", "reasons"];
const ROUTED: &str = "destination queue owner priority route first_touch_due accept_due hot_until late_delivery";

#[test]
fn fields_are_those_of_the_contract_in_its_order() {
    let of = |kind: RecordKind| {
        let Schema::Record(record) = &kind.latest().schema else { panic!("{} is no record", kind.name()) };
        record.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    let block: Vec<_> = LEAD_BLOCK.split_whitespace().collect();
    assert_eq!(of(RecordKind::QualifiedLead), block);
    assert_eq!(of(RecordKind::UnqualifiedLead), block);
    let routed: Vec<_> = block.iter().copied().filter(|name| !NOT_ROUTED.contains(name)).chain(ROUTED.split(' ')).collect();
    assert_eq!(of(RecordKind::LeadRouted), routed);
}

#[test]
fn every_golden_event_fits_its_schema() {
    let mut events = 0;
    for (kind, event) in golden_events() {
        let value = avro_form::value(&kind.latest().schema, &event).unwrap_or_else(|why| panic!("{}: {why}: {event}", kind.name()));
        assert!(value.validate(&kind.latest().schema), "{}: {event}", kind.name());
        events += 1;
    }
    assert!(events > 30, "{events}");
}

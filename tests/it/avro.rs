//! Avro out and in, without a registry: every event holds what its JSON holds, in bytes any Avro reader takes; raw leads are
//! read by whatever schema they were written with, and bytes that are none are told apart. Foreign readers: `tests/foreign`.

use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value as Avro, writer::datum::GenericDatumWriter};
use leadstream::{
    lead::Timestamp,
    pipeline::{EventFormat, Memory, OutputTopic, Pipeline},
    schemas::{self, RecordKind},
};
use serde_json::{Map, Value, json};

use super::{
    core::{pipeline, run, run_with},
    golden_events::golden_inputs,
};

const CONFLUENT: [u8; 5] = [0, 0, 0, 0, 7];

fn avro() -> Pipeline {
    let mut pipeline = pipeline();
    pipeline.encoding.formats = [EventFormat::SingleObject; OutputTopic::COUNT];
    pipeline
}

/// The record behind a single-object frame, with its schema's name.
fn record(bytes: &[u8]) -> (&'static str, Avro) {
    assert_eq!(bytes[..2], [0xc3, 0x01]);
    let schema = schemas::by_fingerprint(bytes[2..10].try_into().expect("eight bytes")).expect("a released schema");
    let mut rest = &bytes[10..];
    let value = GenericDatumReader::builder(&schema.schema).build().expect("a reader").read_value(&mut rest).expect("a datum");
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    (schema.kind.name(), value)
}

/// An Avro value as the JSON form has it: without what is null or empty, times as text.
pub(crate) fn as_json(value: Avro) -> Value {
    match value {
        Avro::Null => Value::Null,
        Avro::Boolean(value) => json!(value),
        Avro::Int(value) => json!(value),
        Avro::Long(value) => json!(value),
        Avro::Double(value) => json!(value),
        Avro::String(text) | Avro::Enum(_, text) => json!(text),
        Avro::Union(_, value) => as_json(*value),
        Avro::TimestampMicros(micros) => json!(Timestamp::from_micros(micros)),
        Avro::Array(items) => Value::Array(items.into_iter().map(as_json).collect()),
        Avro::Map(entries) => object(entries.into_iter().collect()),
        Avro::Record(fields) => object(fields),
        other => panic!("no such value in a released schema: {other:?}"),
    }
}

fn object(fields: Vec<(String, Avro)>) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let fields = fields.into_iter().map(|(name, value)| (name, as_json(value))).filter(|(_, value)| !is_empty(value));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[test]
fn an_event_holds_in_avro_what_it_holds_in_json() {
    let (json, avro) = (pipeline(), avro());
    let mut events = 0;
    for (name, value) in golden_inputs().into_iter().enumerate() {
        let (texts, _) = run(&json, None, Some(&value), &[]);
        let (records, _) = run(&avro, None, Some(&value), &[]);
        assert_eq!(texts.len(), records.len(), "{name}");
        for (text, written) in texts.iter().zip(&records) {
            assert_eq!((&text.topic, &text.key), (&written.topic, &written.key), "{name}");
            let (Some(text), Some(bytes)) = (&text.value, &written.value) else { continue };
            if text == bytes {
                assert_eq!(written.topic, "leads.dead-letter", "{name}");
                continue;
            }
            let (kind, value) = record(bytes);
            let wanted: Value = serde_json::from_slice(text).expect("JSON");
            assert_eq!(as_json(value), wanted, "{name}");
            assert_eq!(
                kind,
                match &*written.topic {
                    "leads.qualified" => "QualifiedLead",
                    "leads.unqualified" => "UnqualifiedLead",
                    _ => "LeadRouted",
                }
            );
            events += 1;
        }
    }
    assert!(events > 40, "{events} events");
}

#[test]
fn each_topic_has_a_format_of_its_own_and_the_frame_tells_it() {
    let mut pipeline = pipeline();
    pipeline.encoding.formats =
        [EventFormat::Confluent(258), EventFormat::Json, EventFormat::SingleObject, EventFormat::SingleObject, EventFormat::Json];
    pipeline.encoding.headers = leadstream::pipeline::EventHeaders::CloudEvents;
    let lead = br#"{"userDetails":{"email":"a@adatum.example","company":"Adatum"},"leadSource":"SPZA-CDR|contoso.app"}"#;
    let (outputs, _) = run(&pipeline, None, Some(lead), &[]);
    let start = |topic: &str, bytes: usize| {
        let output = outputs.iter().find(|output| output.topic == topic).expect(topic);
        (output.value.as_ref().expect("a value")[..bytes].to_vec(), output.header("content-type").expect("a type"))
    };
    assert_eq!(start("leads.qualified", 5), (vec![0, 0, 0, 1, 2], "application/avro".to_owned()));
    assert_eq!(start("leads.routing", 2), (vec![0xc3, 1], "application/avro".to_owned()));
    let (outputs, _) = run(&pipeline, None, Some(b"{}"), &[]);
    assert_eq!(outputs[0].header("content-type").as_deref(), Some("application/json"));
    // A dead letter is what came in, whatever its topic is set to.
    let (outputs, _) = run(&pipeline, None, Some(b"{"), &[]);
    assert_eq!(outputs[0].value.as_deref(), Some(&b"{"[..]));
}

/// A datum behind the frame of schema 7, of the writer's schema.
fn framed(schema: &str, value: Avro) -> Vec<u8> {
    let schema = Schema::parse_str(schema).expect("a schema");
    let datum = GenericDatumWriter::builder(&schema).build().expect("a writer").write_value_to_vec(value).expect("written");
    [&CONFLUENT[..], &datum].concat()
}

fn fields(fields: &[(&str, Avro)]) -> Avro {
    Avro::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn text(text: &str) -> Avro {
    Avro::String(text.to_owned())
}

fn some(place: u32, value: Avro) -> Avro {
    Avro::Union(place, Box::new(value))
}

/// What becomes of a value if schema 7 is this.
fn outcome(schema: &str, value: &[u8]) -> Result<Vec<Value>, String> {
    let mut memory = Memory::default();
    memory.learn_schema(7, &[schema]);
    let (outputs, decided) = run_with(&mut memory, &pipeline(), None, Some(value), &[]);
    if decided {
        let verdicts = outputs.iter().filter(|output| output.topic != "leads.routing");
        return Ok(verdicts.map(|output| serde_json::from_slice(output.value.as_ref().expect("a value")).expect("JSON")).collect());
    }
    assert_eq!(outputs[0].value.as_deref(), Some(value), "the bytes are untouched");
    let header = |name: &str| outputs[0].header(name).unwrap_or_default();
    Err(format!("{} {}", header("dlq-code"), header("dlq-field")))
}

#[test]
fn a_raw_lead_is_read_by_its_released_schema() {
    let schema = RecordKind::RawLead.latest();
    let example = [
        ("first_name", "Jane"),
        ("email", "jane@adatum.example"),
        ("phone", "+1 425 555 0100"),
        ("country", "US"),
        ("company", "Adatum"),
        ("title", "CTO"),
        ("lead_source", "SPZA-CDR|contoso.app"),
        ("offer_title", "Contoso App"),
        ("note", "Call me."),
    ];
    let Schema::Record(record) = &schema.schema else { panic!("a record") };
    let value = Avro::Record(
        record
            .fields
            .iter()
            .map(|field| {
                let found = example.iter().find(|(name, _)| *name == field.name).map(|(_, value)| some(1, text(value)));
                let value = match field.name.as_str() {
                    "event_time" => some(1, Avro::TimestampMicros(1_793_520_000_123_456)),
                    "marketing_opt_out" => some(1, Avro::Boolean(true)),
                    "extra" => Avro::Map([("utm_source".to_owned(), text("fair")), ("Budget".to_owned(), text("5"))].into()),
                    _ => found.unwrap_or_else(|| some(0, Avro::Null)),
                };
                (field.name.clone(), value)
            })
            .collect(),
    );
    let datum = GenericDatumWriter::builder(&schema.schema).build().expect("a writer").write_value_to_vec(value).expect("written");
    let single = [&[0xc3, 0x01][..], &schema.fingerprint, &datum].concat();
    let confluent = [&CONFLUENT[..], &datum].concat();
    let lead = outcome(schema.text, &single).expect("decided").remove(0);
    assert_eq!(outcome(schema.text, &confluent), Ok(vec![lead.clone()]));
    assert_eq!((&lead["source"]["format"], &lead["contact"]["first_name"]), (&json!("raw_lead"), &json!("Jane")));
    assert_eq!((&lead["event_time"], &lead["note"]), (&json!("2026-11-01T08:00:00.123456Z"), &json!("Call me.")));
    assert_eq!((&lead["storefront"], &lead["offer_id"]), (&json!("APP_SOURCE"), &json!("app")));
    assert_eq!((&lead["attribution"]["utm_source"], &lead["extra"]["Budget"]), (&json!("fair"), &json!("\"5\"")));
    assert_eq!(lead["consent"]["marketing"], "DENIED");
    assert_eq!(lead["contact"]["seniority"], "C_LEVEL");
}

#[test]
fn other_writers_schemas_resolve_by_name() {
    // Plain texts, another order, other time units, fields of their own, an array of leads.
    let schema = r#"{"type":"array","items":{"type":"record","name":"RawLead","namespace":"acme","fields":[
        {"name":"tier","type":{"type":"enum","name":"Tier","symbols":["GOLD","TIN"]}},
        {"name":"nested","type":{"type":"record","name":"Nested","fields":[{"name":"n","type":["null","int"]},{"name":"b","type":"bytes"}]}},
        {"name":"tags","type":{"type":"array","items":"string"}},
        {"name":"email","type":"string"},
        {"name":"event_time","type":{"type":"long","logicalType":"timestamp-micros"}}]}}"#;
    let lead = |email: &str| {
        fields(&[
            ("tier", Avro::Enum(1, "TIN".to_owned())),
            ("nested", fields(&[("n", some(1, Avro::Int(-5))), ("b", Avro::Bytes(vec![1, 255]))])),
            ("tags", Avro::Array(vec![text("a\"b"), text("c")])),
            ("email", text(email)),
            ("event_time", Avro::TimestampMicros(1_793_520_000_000_000)),
        ])
    };
    let value = framed(schema, Avro::Array(vec![lead("a@adatum.example"), lead("b@adatum.example")]));
    let leads = outcome(schema, &value).expect("decided");
    assert_eq!(leads.iter().map(|lead| &lead["contact"]["email"]).collect::<Vec<_>>(), ["a@adatum.example", "b@adatum.example"]);
    assert_eq!(leads[1]["source"]["index"], 1);
    let extra = &leads[0]["extra"];
    assert_eq!((&extra["tier"], &extra["tags"]), (&json!("\"TIN\""), &json!(r#"["a\"b","c"]"#)));
    assert_eq!(extra["nested"], json!(r#"{"n":-5,"b":"01ff"}"#));
}

#[test]
fn what_resolves_by_avros_rules_is_read_by_them() {
    let record = |fields: &str| format!(r#"{{"type":"record","name":"RawLead","fields":[{fields}]}}"#);
    // Bytes where a text is read; a number of microseconds that nobody calls a time; entries of several types.
    let schema = record(
        r#"{"name":"email","type":"bytes"},{"name":"event_time","type":"long"},
        {"name":"extra","type":{"type":"map","values":["null","string","long"]}}"#,
    );
    let extra = [("utm_source", some(1, text("fair"))), ("seats", some(2, Avro::Long(40))), ("none", some(0, Avro::Null))];
    let value = fields(&[
        ("email", Avro::Bytes(b"a@adatum.example".to_vec())),
        ("event_time", Avro::Long(1_793_520_000_000_000)),
        ("extra", Avro::Map(extra.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
    ]);
    let lead = outcome(&schema, &framed(&schema, value)).expect("decided").remove(0);
    assert_eq!((&lead["contact"]["email"], &lead["event_time"]), (&json!("a@adatum.example"), &json!("2026-11-01T08:00:00.000000Z")));
    assert_eq!((&lead["attribution"], &lead["extra"]), (&json!({ "utm_source": "fair" }), &json!({ "seats": "40" })));
    let bytes = |bytes: &[u8]| framed(&record(r#"{"name":"email","type":"bytes"}"#), fields(&[("email", Avro::Bytes(bytes.to_vec()))]));
    assert_eq!(outcome(&record(r#"{"name":"email","type":"bytes"}"#), &bytes(b"\xff")), Err("malformed_avro email".to_owned()));

    // A union with a lead in it; what else is in it is none.
    let schema = format!(r#"["null",{}]"#, record(r#"{"name":"email","type":"string"}"#));
    let lead = fields(&[("email", text("a@adatum.example"))]);
    assert_eq!(outcome(&schema, &framed(&schema, some(1, lead.clone()))).expect("decided").len(), 1);
    assert_eq!(outcome(&schema, &framed(&schema, some(0, Avro::Null))), Err("not_a_lead ".to_owned()));

    // A list of what another schema defines.
    let item = record(r#"{"name":"email","type":"string"}"#);
    let list = r#"{"type":"array","items":"RawLead"}"#;
    let mut memory = Memory::default();
    memory.learn_schema(7, &[item.as_str(), list]);
    let datum = &framed(&item, lead)[CONFLUENT.len()..];
    let value = [&CONFLUENT[..], &[4], datum, datum, &[0]].concat();
    let (outputs, decided) = run_with(&mut memory, &pipeline(), None, Some(&value), &[]);
    assert!(decided, "{:?}", outputs[0].header("dlq-detail"));

    // A reason is a sentence, not a listing.
    let mut memory = Memory::default();
    memory.learn_schema(7, &[record(r#"{"name":"email","type":{"type":"array","items":"string"}}"#)]);
    let (outputs, _) = run_with(&mut memory, &pipeline(), None, Some(&CONFLUENT), &[]);
    let detail = outputs[0].header("dlq-detail").expect("a detail");
    assert!(detail.contains("field email: ") && !detail.contains("  ") && !detail.contains('{'), "{detail}");
}

#[test]
fn what_cannot_be_read_has_its_code() {
    let schema = r#"{"type":"record","name":"RawLead","fields":[{"name":"email","type":["null","string"]}]}"#;
    let good = framed(schema, fields(&[("email", some(1, text("a@adatum.example")))]));
    assert!(outcome(schema, &good).is_ok());
    for (value, wanted) in [
        (vec![0], "malformed_avro "),
        (vec![0, 0, 0, 0], "malformed_avro "),
        (vec![0xc3, 0x01], "malformed_avro "),
        (vec![0xc3, 0x01, 1, 2, 3, 4, 5, 6, 7], "malformed_avro "),
        (vec![0xc3, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], "unknown_schema "),
        (vec![0, 0, 0, 0, 8, 0], "unknown_schema "),
        (vec![0, 255, 255, 255, 255, 0], "unknown_schema "),
        (CONFLUENT.to_vec(), "malformed_avro email"),
        (good[..good.len() - 1].to_vec(), "malformed_avro email"),
        ([&good[..], &[0]].concat(), "malformed_avro "),
        // A branch that is not there, a text of eight exabytes, one of less than nothing, one that is no text, a number without end.
        ([&CONFLUENT[..], &[4]].concat(), "malformed_avro email"),
        ([&CONFLUENT[..], &[2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]].concat(), "malformed_avro email"),
        ([&CONFLUENT[..], &[2, 1]].concat(), "malformed_avro email"),
        ([&CONFLUENT[..], &[2, 2, 0xff]].concat(), "malformed_avro email"),
        ([&CONFLUENT[..], &[0xff; 20]].concat(), "malformed_avro email"),
    ] {
        assert_eq!(outcome(schema, &value), Err(wanted.to_owned()), "{value:?}");
    }
    for (schema, wanted) in [
        ("<html>", "unknown_schema "),
        ("\"string\"", "unknown_schema "),
        (r#"{"type":"record","name":"Order","fields":[{"name":"email","type":"string"}]}"#, "unknown_schema "),
        (r#"{"type":"record","name":"RawLead","fields":[{"name":"email","type":"boolean"}]}"#, "unknown_schema "),
    ] {
        assert_eq!(outcome(schema, &good), Err(wanted.to_owned()), "{schema}");
    }
}

#[test]
fn bytes_cannot_claim_more_than_they_hold() {
    let schema = r#"{"type":"record","name":"RawLead","fields":[{"name":"email","type":["null","string"]},
        {"name":"before","type":["null","RawLead"]},
        {"name":"nothing","type":{"type":"array","items":"null"}},
        {"name":"word","type":{"type":"array","items":{"type":"enum","name":"Word","symbols":["A_LONG_WORD_THAT_TAKES_ONE_BYTE"]}}}]}"#;
    let value = |rest: &[u8]| [&CONFLUENT[..], rest].concat();
    // 2^61 items without a byte; a block of 2^62 bytes that is empty at once.
    let many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
    assert_eq!(outcome(schema, &value(&[&[0, 0][..], &many, &[0, 0]].concat())), Err("malformed_avro nothing".to_owned()));
    // A million leads within each other.
    let deep = value(&[0, 2].repeat(300_000));
    assert_eq!(outcome(schema, &deep), Err("too_deep before".to_owned()));
    // A million words are longer than all of `extra` may be, and left out.
    let words = [&[0, 0, 0][..], &[0x80, 0x89, 0x7a], &vec![0; 1_000_000][..], &[0]].concat();
    let mut pipeline = pipeline();
    pipeline.limits.record_bytes = 2 << 20;
    let mut memory = Memory::default();
    memory.learn_schema(7, &[schema]);
    let (outputs, decided) = run_with(&mut memory, &pipeline, None, Some(&value(&words)), &[]);
    assert!(decided, "{:?}", outputs[0].header("dlq-detail"));
    let lead: Value = serde_json::from_slice(outputs[0].value.as_ref().expect("a value")).expect("JSON");
    assert!(lead["flags"].as_array().expect("flags").contains(&json!("field_truncated")));
    assert_eq!(lead.get("extra"), None);
}

#[test]
fn headers_and_envelopes_may_say_that_it_is_avro() {
    use base64::Engine as _;
    let schema = RecordKind::RawLead.latest();
    let nothing: Vec<u8> = vec![0; 18];
    let single = [&[0xc3, 0x01][..], &schema.fingerprint, &nothing].concat();
    let pipeline = pipeline();
    let code = |value: &[u8], headers: &[(&str, &[u8])]| {
        let (outputs, decided) = run(&pipeline, None, Some(value), headers);
        if decided { "decided".to_owned() } else { outputs[0].header("dlq-code").unwrap_or_default() }
    };
    assert_eq!(code(&single, &[]), "decided");
    assert_eq!(code(&single, &[("lead-format", b"raw_lead")]), "decided");
    assert_eq!(code(&single, &[("content-type", b"application/vnd.apache.avro")]), "decided");
    assert_eq!(code(&single, &[("lead-format", b"https_json")]), "not_utf8");
    assert_eq!(code(b"Obj\x01", &[("content-type", b"avro/binary")]), "malformed_avro");
    assert_eq!(code(br#"{"email":"x"}"#, &[("lead-format", b"raw_lead")]), "malformed_avro");
    let event = |bytes: &[u8]| {
        let data = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!(
            r#"{{"specversion":"1.0","id":"1","source":"/x","type":"lead","datacontenttype":"application/avro","data_base64":"{data}"}}"#
        )
    };
    assert_eq!(code(event(&single).as_bytes(), &[]), "decided");
    assert_eq!(code(event(&single).as_bytes(), &[("lead-format", b"raw_lead")]), "decided");
    assert_eq!(code(event(b"nonsense").as_bytes(), &[]), "malformed_avro");
    assert_eq!(code(event(&[0, 0, 0, 0, 9, 1]).as_bytes(), &[]), "unknown_schema");
}

//! Avro container files in and out, without a registry and a broker; what fastavro says of them: `tests/foreign`.

use std::{fs, path::Path};

use apache_avro::{Codec, DeflateSettings, Reader, Schema, Writer, types::Value as Avro, writer::datum::GenericDatumWriter};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadstream::schemas::{RecordKind, released};
use serde_json::Value;

use super::{
    at_rest::{files, gzip, process, processed},
    avro::as_json,
    backtest::leads,
    core::{pipeline, run},
};

/// A schema as a producer of its own would write it: some fields, in another order, and one that `RawLead` does not know.
const WRITER: &str = r#"{"type": "record", "name": "topLevelRecord", "fields": [
    {"name": "lead_source", "type": ["string", "null"]}, {"name": "email", "type": ["null", "string"]},
    {"name": "budget", "type": "double"}, {"name": "tags", "type": {"type": "array", "items": {"type": "array", "items": "string"}}},
    {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}"#;

fn raw_leads(count: usize) -> Vec<Avro> {
    let lead = |number: usize| {
        let source = ["SPZA-INS|contoso.app", "AzureMarketplace-DNC|contoso.app", "odd"][number % 3];
        Avro::Record(vec![
            ("lead_source".to_owned(), Avro::Union(0, Box::new(Avro::String(source.to_owned())))),
            ("email".to_owned(), Avro::Union(1, Box::new(Avro::String(format!("zq{number}@adatum.example"))))),
            ("budget".to_owned(), Avro::Double(0.5)),
            ("tags".to_owned(), Avro::Array(vec![Avro::Array(vec![Avro::String("a".to_owned())]); number % 4 + 1])),
            ("event_time".to_owned(), Avro::TimestampMillis(1_793_000_000_000)),
        ])
    };
    (0..count).map(lead).collect()
}

/// A container file by apache-avro, in blocks of about `block` bytes.
fn container(schema: &Schema, values: &[Avro], codec: Codec, block: usize) -> Vec<u8> {
    let mut writer = Writer::builder().schema(schema).writer(Vec::new()).codec(codec).block_size(block).build().expect("a writer");
    for value in values {
        writer.append_value_ref(value).expect("written");
    }
    writer.into_inner().expect("written")
}

/// Header and one block, packed by hand.
fn container_of(codec: &str, schema: &str, count: u64, packed: &[u8]) -> Vec<u8> {
    let long = |value: usize| {
        let (mut rest, mut bytes) = (value << 1, Vec::new());
        while rest >= 0x80 {
            bytes.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
            rest >>= 7;
        }
        bytes.push(u8::try_from(rest).expect("seven bits"));
        bytes
    };
    let text = |text: &str| [long(text.len()), text.as_bytes().to_vec()].concat();
    let header =
        [b"Obj\x01".to_vec(), long(2), text("avro.codec"), text(codec), text("avro.schema"), text(schema), long(0), vec![7; 16]].concat();
    [header, long(usize::try_from(count).expect("few")), long(packed.len()), packed.to_vec(), vec![7; 16]].concat()
}

fn datums(schema: &Schema, values: &[Avro]) -> Vec<Vec<u8>> {
    let writer = GenericDatumWriter::builder(schema).build().expect("a writer");
    values.iter().map(|value| writer.write_value_to_vec(value.clone()).expect("a datum")).collect()
}

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_container_of_any_codec_is_decided_as_its_datums_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // What is released needs no schema beside it, so the same datums can come as length-framed single objects.
    let released = &RecordKind::RawLead.latest().schema;
    let golden = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/raw-lead-avro/input.avro")).expect("a golden");
    assert_eq!(golden[2..10], RecordKind::RawLead.latest().fingerprint);
    let golden =
        apache_avro::reader::datum::GenericDatumReader::builder(released).build().expect("a reader").read_value(&mut &golden[10..]);
    let values = vec![golden.expect("a datum"); 300];
    let datums = datums(released, &values);
    let singles: Vec<u8> = datums
        .iter()
        .flat_map(|datum| {
            let single = [&[0xc3, 0x01][..], &RecordKind::RawLead.latest().fingerprint, datum].concat();
            [&u32::try_from(single.len()).expect("short").to_be_bytes()[..], &single].concat()
        })
        .collect();
    put(folder, "singles/leads", singles);
    processed(folder, &["singles/leads", "--framing", "length", "--output", "of-singles"]);
    let expected = files(folder.join("of-singles"));
    let lines = |name: &str| std::str::from_utf8(&expected[name]).expect("UTF-8").lines().count();
    assert_eq!(lines("qualified.ndjson") + lines("unqualified.ndjson"), 300);

    let text = released_text();
    let block = datums.concat();
    let snappy = [snap::raw::Encoder::new().compress_vec(&block).expect("packed"), crc32fast::hash(&block).to_be_bytes().to_vec()].concat();
    let zstd = ruzstd::encoding::compress_to_vec(&block[..], ruzstd::encoding::CompressionLevel::Fastest);
    let dresses = [
        container(released, &values, Codec::Null, 500),
        container(released, &values, Codec::Null, 1 << 20),
        container(released, &values, Codec::Deflate(DeflateSettings::default()), 5_000),
        container_of("snappy", text, 300, &snappy),
        container_of("zstandard", text, 300, &zstd),
        gzip(&container_of("null", text, 300, &block)),
    ];
    for (number, bytes) in dresses.iter().enumerate() {
        put(folder, "container/leads", bytes);
        processed(folder, &["container/leads", "--output", "of-container", "--format", "https_json"]);
        assert!(files(folder.join("of-container")) == expected, "dress {number}");
    }
}

fn released_text() -> &'static str {
    released().iter().rfind(|schema| schema.kind == RecordKind::RawLead).expect("released").text
}

#[test]
fn a_writers_own_schema_is_followed_whatever_its_record_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let schema = Schema::parse_str(WRITER).expect("a schema");
    put(folder, "leads.avro", container(&schema, &raw_leads(90), Codec::Null, 700));
    processed(folder, &["leads.avro", "--output", "out", "--summary", "counts.json"]);
    let counts: Value = serde_json::from_slice(&fs::read(folder.join("counts.json")).expect("counts")).expect("JSON");
    assert_eq!((&counts["records"], &counts["dead_letters"]), (&90.into(), &serde_json::json!({})));
    let first = fs::read_to_string(folder.join("out/qualified.ndjson")).expect("written");
    let first: Value = serde_json::from_str(first.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["event_id"], "leads.avro/0/0/0/qualified");
    assert_eq!((&first["contact"]["email"], &first["source"]["format"]), (&"zq0@adatum.example".into(), &"raw_lead".into()));
    // Milliseconds, as the file says and its fingerprint does not.
    assert_eq!((&first["event_time"], &first["extra"]["budget"]), (&"2026-10-26T07:33:20.000000Z".into(), &"\"0.5\"".into()));
}

#[test]
fn a_column_of_raw_json_is_decided_as_lines_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = leads(200);
    put(folder, "lines/leads", &text);
    processed(folder, &["lines/leads", "--output", "of-lines"]);
    let connect = r#"{"type":"record","name":"Envelope","fields":[{"name":"key","type":["null","bytes"]},{"name":"NAME","type":["null","bytes"]},
        {"name":"offset","type":"long"}]}"#;
    for (column, extra) in [("value", &[][..]), ("body", &["--column", "body"])] {
        let schema = Schema::parse_str(&connect.replace("NAME", column)).expect("a schema");
        let row = |line: &str| {
            Avro::Record(vec![
                ("key".to_owned(), Avro::Union(0, Box::new(Avro::Null))),
                (column.to_owned(), Avro::Union(1, Box::new(Avro::Bytes(line.as_bytes().to_vec())))),
                ("offset".to_owned(), Avro::Long(7)),
            ])
        };
        let rows: Vec<_> = text.lines().map(row).collect();
        put(folder, "rows/leads", container(&schema, &rows, Codec::Null, 3_000));
        processed(folder, &[&["rows/leads", "--output", "of-rows"], extra].concat());
        assert!(files(folder.join("of-rows")) == files(folder.join("of-lines")), "{column}");
    }
    let bytes = Schema::parse_str("\"bytes\"").expect("a schema");
    let values: Vec<_> = text.lines().map(|line| Avro::Bytes(line.as_bytes().to_vec())).collect();
    put(folder, "rows/leads", container(&bytes, &values, Codec::Null, 3_000));
    processed(folder, &["rows/leads", "--output", "of-rows"]);
    assert!(files(folder.join("of-rows")) == files(folder.join("of-lines")));
    // A row without a value is a record without one.
    let nullable = Schema::parse_str(r#"["null","string"]"#).expect("a schema");
    put(folder, "null.avro", container(&nullable, &[Avro::Union(0, Box::new(Avro::Null))], Codec::Null, 100));
    let line: Value = serde_json::from_slice(&processed(folder, &["null.avro", "--output", "-"]).stdout).expect("one line");
    assert_eq!((&line["headers"]["dlq-code"], &line["value"]), (&"empty_value".into(), &Value::Null));
}

#[test]
fn the_dead_letter_of_a_datum_has_all_that_deciding_it_again_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let schema = Schema::parse_str(WRITER).expect("a schema");
    let values = raw_leads(2);
    put(folder, "leads.avro", container(&schema, &values, Codec::Null, 100));
    // The fault lies in a limit, and the inner array lies deeper than it allows.
    let lines = processed(folder, &["leads.avro", "--output", "-", "--set", "limits.depth=2"]).stdout;
    let letters: Vec<Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect();
    assert_eq!(letters.len(), 2);
    for (letter, datum) in letters.iter().zip(datums(&schema, &values)) {
        assert_eq!(letter["headers"]["dlq-code"], "too_deep");
        let bytes = STANDARD.decode(letter["value"].as_str().expect("base64")).expect("base64");
        assert_eq!((&bytes[..2], &bytes[10..]), (&[0xc3, 0x01][..], &datum[..]));
        let text = letter["headers"]["avro-writer-schema"].as_str().expect("the schema");
        let (written, decided) = run(&pipeline(), None, Some(&bytes), &[("avro-writer-schema", text.as_bytes())]);
        assert!(decided && written[0].json()["source"]["format"] == "raw_lead", "{written:?}");
        // Without its schema, or with another, nobody can tell what it is.
        for other in [None, Some(released_text()), Some("{"), Some("\"bytes\"")] {
            let headers: Vec<_> = other.iter().map(|text| ("avro-writer-schema", text.as_bytes())).collect();
            let (written, decided) = run(&pipeline(), None, Some(&bytes), &headers);
            assert_eq!((decided, written[0].header("dlq-code").as_deref()), (false, Some("unknown_schema")), "{other:?}");
        }
    }
}

#[test]
fn events_in_containers_hold_what_lines_hold_and_join() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    put(folder, "leads", leads(3_000));
    processed(folder, &["leads", "--output", "lines"]);
    processed(folder, &["leads", "--output", "containers", "--output-format", "avro"]);
    let (lines, containers) = (files(folder.join("lines")), files(folder.join("containers")));
    assert_eq!(lines["dead-letter.ndjson"], containers["dead-letter.ndjson"]);
    assert_eq!(containers.keys().collect::<Vec<_>>(), ["dead-letter.ndjson", "qualified.avro", "routing.avro", "unqualified.avro"]);
    for name in ["qualified", "unqualified", "routing"] {
        let bytes = &containers[&format!("{name}.avro")];
        let read: Vec<Value> = Reader::new(&bytes[..]).expect("a container").map(|event| as_json(event.expect("an event"))).collect();
        let text = std::str::from_utf8(&lines[&format!("{name}.ndjson")]).expect("UTF-8");
        let expected: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(!read.is_empty() && read == expected, "{name}");
        assert!(bytes.len() * 5 < text.len(), "{} bytes of {}", bytes.len(), text.len());
    }
    // No events are a container too.
    put(folder, "none", "");
    processed(folder, &["none", "--output", "nothing", "--output-format", "avro"]);
    assert_eq!(Reader::new(&files(folder.join("nothing"))["routing.avro"][..]).expect("a container").count(), 0);
}

#[test]
fn containers_nobody_can_read_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let schema = Schema::parse_str(WRITER).expect("a schema");
    let good = container(&schema, &raw_leads(50), Codec::Null, 700);
    let block = datums(&schema, &raw_leads(3)).concat();
    let mut other_marker = good.clone();
    *other_marker.last_mut().expect("bytes") ^= 1;
    let huge = [&container_of("null", WRITER, 0, b"")[..], &[2, 0xfe, 0xff, 0xff, 0xff, 0x0f]].concat();
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("cut", good[..good.len() - 20].to_vec(), "the Avro container file is cut off"),
        ("marker", other_marker, "is not the file's sync marker"),
        ("size", huge, "a block has more than 64 MiB"),
        ("count", container_of("null", WRITER, 4, &block), "its bytes do not fit its schema: the value ends within its datum"),
        ("behind", container_of("null", WRITER, 2, &block), "a block has bytes behind its last datum"),
        ("packed", container_of("deflate", WRITER, 3, &block), "a block cannot be unpacked"),
        ("codec", container_of("bzip2", WRITER, 3, &block), ": Avro container file: its codec \"bzip2\" is not read; null, deflate"),
        ("checksum", container_of("snappy", WRITER, 3, &[3, 8, b'a', b'b', b'c', 0, 0, 0, 0]), "the checksum of a block does not fit"),
        ("schema", container_of("null", "\"int\"", 3, &block), "does not resolve against RawLead 1: "),
        (
            "fields",
            container_of("null", r#"{"type":"record","name":"R","fields":[{"name":"Email","type":"string"}]}"#, 3, &block),
            ": Avro container file: no raw lead can be read by the schema in it: ",
        ),
    ];
    for (name, bytes, words) in cases {
        put(folder, name, bytes);
        let output = process(folder, &[name, "--output", "-"]);
        let found = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = format!("error: reading {name}");
        assert!(output.status.code() == Some(64) && found.starts_with(&start) && found.contains(words), "{name}: {found}");
    }
}

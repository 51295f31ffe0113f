//! Avro container files as fastavro reads and writes them: what `process` writes holds the events of its lines, and what fastavro
//! writes is decided.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{golden_events::golden_inputs, python};

fn process(folder: &Path, arguments: &[&str]) {
    let all = [&["process", "--now", "2026-11-01T09:00:00Z", "--quiet"], arguments].concat();
    let status = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(all).current_dir(folder).status().expect("it runs");
    assert!(status.success(), "{arguments:?}");
}

#[test]
fn fastavro_reads_the_same_events_and_its_files_are_read() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let schemas = schemas.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let framed = |value: Vec<u8>| [&u32::try_from(value.len()).expect("short").to_be_bytes()[..], &value].concat();
    fs::write(path("leads"), golden_inputs().into_iter().flat_map(framed).collect::<Vec<_>>()).expect("written");
    process(folder.path(), &["leads", "--framing", "length", "--output", "lines"]);
    process(folder.path(), &["leads", "--framing", "length", "--output", "avro", "--output-format", "avro"]);
    let told = python::run(&["container_files.py", "read", schemas, &path("avro"), &path("lines")], "");
    assert!(told.trim().parse::<u32>().expect("a number") > 40, "{told}");

    let mut leads = String::new();
    for number in 0..200 {
        let lead = json!({"email": format!("zq{number}@adatum.example"), "lead_source": "SPZA-INS|contoso.app", "event_time": "2026-10-26T07:33:20.000000Z"});
        writeln!(leads, "{lead}").expect("memory");
    }
    for codec in ["null", "deflate"] {
        let told = python::run(&["container_files.py", "write", schemas, &path("raw.avro"), codec], &leads);
        assert_eq!(told.trim(), "200");
        process(folder.path(), &["raw.avro", "--output", "decided", "--summary", "counts.json"]);
        let counts: Value = serde_json::from_slice(&fs::read(path("counts.json")).expect("counts")).expect("JSON");
        assert_eq!((&counts["records"], &counts["dead_letters"]), (&200.into(), &json!({})), "{codec}");
        let first = fs::read_to_string(path("decided/qualified.ndjson")).expect("written");
        assert!(first.contains(r#""email":"zq0@adatum.example""#) && first.contains(r#""event_time":"2026-10-26T07:33:20.000000Z""#));
    }
}

//! Parquet files through `process`: rows as a CRM or a producer of raw leads has them, a column of raw JSON, and what is none.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use parquet::{
    basic::{Compression, GzipLevel, ZstdLevel},
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::Value;

use super::{
    at_rest::{files, gzip, process, processed},
    backtest::leads,
};

/// A file of columns of texts; each row has one for each.
fn parquet<T: AsRef<[u8]>>(path: &Path, columns: &[&str], rows: &[Vec<T>], compression: Compression) {
    let columns_text: String = columns.iter().map(|column| ["optional binary ", column, " (UTF8); "].concat()).collect();
    let schema = Arc::new(parse_message_type(&["message rows { ", &columns_text, "}"].concat()).expect("a schema"));
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let mut writer = SerializedFileWriter::new(fs::File::create(path).expect("a file"), schema, properties).expect("a writer");
    for rows in rows.chunks(150) {
        let mut group = writer.next_row_group().expect("a group");
        let mut place = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            let texts = rows.iter().map(|row| row[place].as_ref());
            let values: Vec<_> = texts.clone().filter(|text| !text.is_empty()).map(|text| ByteArray::from(text.to_vec())).collect();
            let there: Vec<_> = texts.map(|text| i16::from(!text.is_empty())).collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&there), None).expect("written");
            column.close().expect("closed");
            place += 1;
        }
        group.close().expect("closed");
    }
    writer.close().expect("closed");
}

#[test]
fn a_column_of_raw_json_is_decided_as_lines_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = leads(400);
    fs::create_dir(folder.join("lines")).expect("made");
    fs::write(folder.join("lines/leads"), &text).expect("written");
    processed(folder, &["lines/leads", "--output", "of-lines"]);
    let rows: Vec<_> = text.lines().map(|line| vec!["k", line]).collect();
    let dresses =
        [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::GZIP(GzipLevel::default()), Compression::ZSTD(ZstdLevel::default())];
    for compression in dresses {
        parquet(&folder.join("rows/leads"), &["key", "value"], &rows, compression);
        processed(folder, &["rows/leads", "--output", "of-rows"]);
        assert!(files(folder.join("of-rows")) == files(folder.join("of-lines")), "{compression}");
    }
    parquet(&folder.join("rows/leads"), &["key", "body"], &rows, Compression::SNAPPY);
    processed(folder, &["rows/leads", "--output", "of-rows", "--column", "body"]);
    assert!(files(folder.join("of-rows")) == files(folder.join("of-lines")));
}

#[test]
fn a_row_is_a_lead_by_its_columns_and_an_opt_out_in_one_is_obeyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let columns = ["first_name", "email", "lead_source", "marketing_opt_out", "event_time", "is_spam"];
    let row = |opt_out, spam| vec!["Zqfirst", "zq@adatum.example", "SPZA-INS|contoso.app", opt_out, "2026-10-01T00:00:00Z", spam];
    parquet(&folder.join("leads.parquet"), &columns, &[row("true", ""), row("", "true"), vec![""; 6]], Compression::SNAPPY);
    let lines = String::from_utf8(processed(folder, &["leads.parquet", "--output", "-"]).stdout).expect("UTF-8");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["value"].take()).collect();
    let of = |record: u64| events.iter().find(|event| event["source"]["offset"] == record).expect("an event");
    assert_eq!((&of(0)["event_id"], &of(0)["consent"]["marketing"]), (&"leads.parquet/0/0/0/qualified".into(), &"DENIED".into()));
    assert_eq!((&of(0)["contact"]["first_name"], &of(0)["event_time"]), (&"Zqfirst".into(), &"2026-10-01T00:00:00.000000Z".into()));
    assert_eq!(of(1)["reasons"], serde_json::json!(["spam"]));
    assert_eq!(of(2)["reasons"], serde_json::json!(["no_contact"]));
}

#[test]
fn a_text_that_is_not_utf_8_is_a_dead_letter_with_its_bytes_and_the_rest_is_decided() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let row = |name: &[u8]| vec![name.to_vec(), b"zq@adatum.example".to_vec(), b"SPZA-INS|contoso.app".to_vec()];
    let names: [&[u8]; 3] = [b"Zqone", b"Zq\xe9 \"two\"", b"Zqthree"];
    let columns = ["first_name", "email", "lead_source"];
    parquet(&folder.join("rows"), &columns, &names.map(row), Compression::SNAPPY);
    parquet(&folder.join("values"), &["value"], &[vec![&b"\xff{}"[..]], vec![b"{}"]], Compression::SNAPPY);
    let lines = String::from_utf8(processed(folder, &["rows", "values", "--output", "-"]).stdout).expect("UTF-8");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let dead: Vec<_> = lines.iter().filter(|line| line["topic"] == "leads.dead-letter").collect();
    let told = |line: &Value| (line["headers"]["dlq-code"].clone(), line["headers"]["dlq-offset"].clone());
    assert_eq!(dead.iter().map(|line| told(line)).collect::<Vec<_>>(), [("not_utf8".into(), "1".into()), ("not_utf8".into(), "0".into())]);
    let value = STANDARD.decode(dead[0]["value"].as_str().expect("base64")).expect("base64");
    assert_eq!(value, b"{\"first_name\":\"Zq\xe9 \\\"two\\\"\",\"email\":\"zq@adatum.example\",\"lead_source\":\"SPZA-INS|contoso.app\"}");
    let verdicts =
        |file: &str| lines.iter().filter(|line| line["value"]["source"]["topic"] == *file && !line["value"]["verdict"].is_null()).count();
    assert!(verdicts("rows") >= 2 && verdicts("values") == 1, "{lines:#?}");
}

#[test]
fn what_cannot_be_read_as_rows_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    parquet(&folder.join("good"), &["email"], &[vec!["a@b.example"]], Compression::SNAPPY);
    let good = fs::read(folder.join("good")).expect("a file");
    fs::write(folder.join("cut"), &good[..good.len() - 10]).expect("written");
    fs::write(folder.join("packed"), gzip(&good)).expect("written");
    parquet(&folder.join("odd"), &["payload", "ingested"], &[vec!["{\"email\":\"a@b.example\"}", "1"]], Compression::SNAPPY);
    for (input, extra, words) in [
        ("cut", &[][..], "error: reading cut: Parquet file: "),
        ("packed", &[], "error: reading packed: Parquet is read from its end: unpack the file first"),
        ("good", &["--column", "no"], "error: reading good: Parquet file: it has no column \"no\" of texts or bytes"),
        (
            "odd",
            &[],
            "error: reading odd: Parquet file: none of its columns is one of a lead: name the column that holds the lead (--column)",
        ),
    ] {
        let output = process(folder, &[&[input, "--output", "-"], extra].concat());
        let found = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(64) && found.starts_with(words), "{found}");
    }
    processed(folder, &["odd", "--output", "-", "--column", "payload"]);
}

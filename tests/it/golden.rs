//! Golden leads: a folder each, with the record as it comes and every output as it goes, laid out for a person. With
//! `LEADSTREAM_BLESS=1` the expectations are written anew, for `git diff` to show.

use std::{fmt::Write as _, fs, path::Path};

use crate::core::{Written, decide};

#[test]
fn every_golden_lead_is_decided_as_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<_> = fs::read_dir(&root).expect("the goldens").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "goldens are there");
    let mut wrong = Vec::new();
    for folder in folders {
        let mut inputs = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let input = inputs.find(|path| path.file_stem().is_some_and(|stem| stem == "input")).expect("an input");
        let input = fs::read(input).expect("an input");
        let (outputs, _) = decide(&input);
        let got = show(&outputs);
        let file = folder.join("expected.txt");
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&file, &got).expect("written");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if got != expected {
            wrong.push(format!("{}\n{got}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "not as written down:\n{}", wrong.join("\n"));
}

/// All outputs of a record: topic, key, headers, value.
fn show(outputs: &[Written]) -> String {
    let mut text = String::new();
    for output in outputs {
        let key = output.key.as_deref().map_or("null".into(), String::from_utf8_lossy);
        writeln!(text, "== {}  key {key}", output.topic).expect("a String");
        for (name, value) in &output.headers {
            let value = value.as_deref().map_or("null".into(), String::from_utf8_lossy);
            writeln!(text, "{name}: {value}").expect("a String");
        }
        match &output.value {
            None => text.push_str("null\n"),
            Some(value) if output.topic == "leads.dead-letter" => {
                writeln!(text, "{}", String::from_utf8_lossy(value)).expect("a String");
            }
            Some(value) => text.push_str(&lay_out(std::str::from_utf8(value).expect("events are UTF-8"))),
        }
    }
    text
}

/// The same characters with line breaks and indents between tokens: nothing is parsed, so nothing is hidden.
fn lay_out(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for c in json.chars() {
        if in_string {
            text.push(c);
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        in_string = c == '"';
        match c {
            '{' | '[' => {
                depth += 1;
                text.push(c);
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            _ => text.push(c),
        }
    }
    text.push('\n');
    text
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

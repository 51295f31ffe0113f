//! Inputs with the decision that is expected of them, as `explain --json` prints it. Paths: a field of the first lead (or
//! `rejection.*`, `leads.length`, `routes.destination`, the sorted list); suffixes: `+` holds all, `-` holds none, `!` differs,
//! `^` begins with, `?` is one of.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

#[test]
fn every_case_is_decided_as_expected() {
    let cases = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cases.jsonl")).expect("the cases");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case")) {
        let got = explain(&case);
        for (path, want) in case["expect"].as_object().expect("expectations") {
            checked += 1;
            if !holds(&got, path, want) {
                wrong.push(format!(
                    "case {}: {path} should be {want}, is {}",
                    case["n"],
                    look(&got, path.trim_end_matches(['+', '-', '!', '^', '?']))
                ));
            }
        }
    }
    assert!(checked > 100, "there are cases");
    assert!(wrong.is_empty(), "{} of {checked} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn bytes(case: &Value) -> Vec<u8> {
    match case["raw_hex"].as_str() {
        Some(hex) => (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect(),
        None => case["raw"].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

fn explain(case: &Value) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(["explain", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let tables = tempfile::tempdir().expect("a folder");
    if let Some(offers) = case["offers"].as_array() {
        let rows: String = offers.iter().fold(String::new(), |rows, offer| rows + &offer.to_string() + "\n");
        fs::write(tables.path().join("offers.ndjson"), rows).expect("written");
        command.arg("--tables").arg(tables.path());
    }
    let mut child = command.spawn().expect("the program");
    child.stdin.take().expect("a pipe").write_all(&bytes(case)).expect("written");
    let output = child.wait_with_output().expect("its end");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn look(got: &Value, path: &str) -> Value {
    if let Some(field) = path.strip_prefix("rejection.") {
        return got["rejection"][field].clone();
    }
    let lead = &got["leads"][0];
    match path {
        "leads.length" => json!(got["leads"].as_array().map_or(0, Vec::len)),
        "routes.destination" => {
            let mut routes: Vec<_> = lead["routes"].as_array().into_iter().flatten().map(|route| route["destination"].clone()).collect();
            routes.sort_by_key(ToString::to_string);
            json!(routes)
        }
        "verdict" | "reasons" if lead[path].is_null() => got[path].clone(),
        _ => path.split('.').fold(lead.clone(), |value, part| value[part].clone()),
    }
}

fn holds(got: &Value, path: &str, want: &Value) -> bool {
    let suffix = path.chars().last().filter(|last| "+-!^?".contains(*last));
    let got = look(got, if suffix.is_some() { &path[..path.len() - 1] } else { path });
    let contains = |item: &Value| got.as_array().is_some_and(|items| items.contains(item));
    let wanted = || want.as_array().expect("a list").iter();
    match suffix {
        Some('+') => wanted().all(contains),
        Some('-') => !wanted().any(contains),
        Some('!') => got != *want,
        Some('^') => got.as_str().unwrap_or_default().starts_with(want.as_str().expect("a text")),
        Some('?') => wanted().any(|item| *item == got),
        _ if want.is_null() || *want == json!({}) => got.is_null() || got == json!({}) || got == json!(""),
        _ => got == *want,
    }
}

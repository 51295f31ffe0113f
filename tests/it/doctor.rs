//! `doctor` without a broker: its page names every code with its reason, and what it does where nobody answers.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use leadstream::run::doctor::codes;

#[test]
fn the_page_names_every_code_and_its_reason() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md")).expect("the page");
    let rows: BTreeSet<(String, String)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let cells: Vec<_> = line.trim_end_matches(" |").split(" | ").collect();
            (cells[0].trim_end_matches('`').to_owned(), cells[3].to_owned())
        })
        .collect();
    let expected: BTreeSet<_> = codes().map(|(code, why)| (code.to_owned(), why.to_owned())).collect();
    assert_eq!(expected.len(), codes().count(), "each code once");
    assert_eq!(rows, expected);
}

#[test]
fn without_a_broker_it_tells_what_it_can_and_ends_with_75() {
    let arguments = ["doctor", "--set", "kafka.brokers=127.0.0.1:1", "--set", "run.delivery=at-least-once"];
    let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).env_clear().output().expect("the binary runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(75), "{told}");
    assert!(told.starts_with("error: broker_away\n  127.0.0.1:1: ") && told.contains("Connection refused"), "{told}");
    assert!(told.contains("\nwarning: at_least_once\n"), "{told}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with("error: doctor: asking 127.0.0.1:1: ") && error.lines().count() == 1, "{error}");
}

//! What the program prints tells nobody's data: errors, problems, pages, and its last words when it has a bug. The people are
//! `planted`'s. That the running service keeps to it, `tests/kafka` shows.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::planted::{self, Becomes, hidden_marks, marks};

/// Runs leadstream on these bytes.
fn leadstream(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // A program that reads nothing closes the pipe.
        scope.spawn(move || _ = pipe.write_all(input));
        child.wait_with_output().expect("its end")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_tells_nothing(what: &str, told: &str) {
    assert_eq!(marks(told), [""; 0], "{what}:\n{told}");
}

#[test]
fn files_are_decided_without_a_word_about_anybody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let mut framed = Vec::new();
    for planted in planted::all() {
        framed.extend(u32::try_from(planted.value.len()).expect("a length").to_be_bytes());
        framed.extend(planted.value);
    }
    let (output, summary) = (path("decided"), path("summary.json"));
    let done = leadstream(&["process", "-", "--framing", "length", "--output", &output, "--summary", &summary], &framed);
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(0), ""), "{}", text(&done.stderr));
    assert_tells_nothing("standard error", &text(&done.stderr).replace(&*folder.path().to_string_lossy(), "FOLDER"));
    assert_tells_nothing("the summary", &fs::read_to_string(summary).expect("written"));
    let written = fs::read_to_string(Path::new(&output).join("qualified.ndjson")).expect("written");
    assert!(hidden_marks(&written).len() > 5, "the events do hold what is looked for");
    // A last record that is cut off ends the run in the middle of somebody's data.
    framed.truncate(framed.len() - 1);
    let failed = leadstream(&["process", "-", "--framing", "length", "--output", &output], &framed);
    assert_eq!(failed.status.code(), Some(64));
    assert_tells_nothing("the error", &text(&failed.stderr).replace(&*folder.path().to_string_lossy(), "FOLDER"));
}

#[test]
fn a_refused_record_is_explained_by_its_place_and_not_by_what_stands_there() {
    for planted in planted::broken().into_iter().filter(|planted| planted.headers.is_empty()) {
        for arguments in [&["explain", "-"][..], &["explain", "--json"]] {
            let told = leadstream(arguments, &planted.value);
            assert_eq!(told.status.code(), Some(0), "{}", planted.name);
            assert!(text(&told.stdout).contains("REJECTED"), "{}", planted.name);
            assert_tells_nothing(&planted.name, &(text(&told.stdout) + &text(&told.stderr)));
        }
    }
}

#[test]
fn a_redacted_lead_is_explained_as_it_is_published() {
    for planted in planted::lies() {
        let told = leadstream(&["explain", "--json", "-"], &planted.value);
        assert!(text(&told.stdout).contains("\"redacted\""), "{}", planted.name);
        assert_eq!(hidden_marks(&text(&told.stdout)), [""; 0], "{}:\n{}", planted.name, text(&told.stdout));
        assert_tells_nothing(&planted.name, &text(&told.stderr));
    }
    // For people, `explain` shows the record as it was read.
    let open = planted::shapes().into_iter().find(|planted| planted.becomes == Becomes::Open).expect("one");
    let told = leadstream(&["explain"], &open.value);
    assert!(text(&told.stdout).contains("Zqfirst"));
    assert_tells_nothing("standard error", &text(&told.stderr));
}

#[test]
fn the_key_of_an_address_is_told_without_a_lead() {
    let address = br#"{"userDetails": {"email": "jane.doe@adatum.example"}}"#;
    let told = leadstream(&["explain", "--json", "--set", "identity.key=old"], address);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(told["leads"][0]["person_key"], "e9a974021dd9c17522d0bd97b3359314");
}

#[test]
fn problems_of_tables_name_the_place_and_show_nothing() {
    let tables = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| fs::write(tables.path().join(name), content).expect("written");
    write(
        "suppressions.csv",
        "scope,key_hash,domain\nzqfirst,zqmail@zqdomain.example,zqlast\nperson,,zqfirst\nperson,zqmail@zqdomain.example\ndomain,zqfirst,\n\"zqlast,x,\n",
    );
    write(
        "accounts.ndjson",
        "\"zqmail@zqdomain.example\"\n{\"domain\":[\"zqfirst\"]}\n{\"domain\":\"zqlast\",\"zq first\":{\"zqlast\":1}}\n{\"domain\":\"zqlast\",\"owner\":\"Zqfirst\"}\n{\"domain\":\"zqlast\" zqfirst\n4255550173\n",
    );
    write(
        "offers.ndjson",
        "{\"publisher_id\":\"zqfirst\",\"offer_id\":\"zqlast\",\"offer_type\":\"zqfirst\",\"listing_option\":\"4255550173\"}\n{\"publisher_id\":\"zqfirst\",\"offer_id\":\"zqlast\"}\n{\"title\":\"zqfirst\"}\n",
    );
    let folder = tables.path().to_string_lossy().into_owned();
    let verbs: &[&[&str]] = &[
        &["check"],
        &["check", "--json"],
        &["explain"],
        #[cfg(feature = "kafka")]
        &["run"],
    ];
    for verb in verbs {
        let told = leadstream(&[*verb, &["--tables", &folder]].concat(), b"{}");
        // A folder's random name may hold a mark by chance.
        let (code, told) = (told.status.code(), (text(&told.stdout) + &text(&told.stderr)).replace(&folder, "FOLDER"));
        assert_eq!(code, Some(if verb[0] == "check" { 1 } else { 64 }), "{told}");
        for table in ["suppressions.csv", "accounts.ndjson", "offers.ndjson"] {
            assert!(told.matches(table).count() >= 3, "{table}: {told}");
        }
        assert_tells_nothing(&verb.join(" "), &told);
    }
}

/// Set for the process that this test starts of itself: it has a bug while it holds somebody's data.
const BUGGY: &str = "LEADSTREAM_TEST_BUGGY";

#[test]
#[allow(clippy::string_slice)] // the bug
fn a_bug_tells_its_place_and_not_what_it_was_about() {
    if std::env::var_os(BUGGY).is_some() {
        leadstream::run::hide_panic_messages(|place| eprintln!("error: a bug at {place}"));
        let name = String::from("Zqfirst Zqläst");
        let cut = std::hint::black_box(12);
        // Within a letter of two bytes: the standard library's message quotes the text.
        assert!(!name[..cut].is_empty());
    }
    let test = "discretion::a_bug_tells_its_place_and_not_what_it_was_about";
    let ran = Command::new(std::env::current_exe().expect("this binary")).args(["--exact", test, "--nocapture"]).env(BUGGY, "1").output();
    let ran = ran.expect("started");
    let told = text(&ran.stdout) + &text(&ran.stderr);
    assert!(!ran.status.success() && told.contains("error: a bug at tests/it/discretion.rs:"), "{told}");
    assert_tells_nothing("a bug", &told);
}

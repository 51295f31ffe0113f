//! The third lock of the house: what each room does not know (`ARCHITECTURE.md`), checked on the source itself. The first is
//! the feature `kafka`, the second clippy's bans. How source is read: `source_text`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::source_text::{Token, paths, tokens, without_tests};

const PACKAGE: &str = "leadstream";
const LONGEST_FILE: usize = 500;
/// Rooms that are pure, and all that they may know of this crate.
const PURE: [&str; 7] = ["dead_letters", "lead", "ledger", "pipeline", "rules", "schemas", "tables"];
const PURE_KNOWS: [&str; 6] = ["lead", "pipeline", "rules", "schemas", "tables", "problem"];
const PURE_LOCK: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]";

/// What pure rooms know nothing of, outside this crate.
const IMPURE: [&str; 34] = [
    "std::collections::hash_map::RandomState",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::path",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "arc_swap",
    "axum",
    "clap",
    "getrandom",
    "prometheus",
    "rand",
    "rdkafka",
    "rdkafka_sys",
    "tempfile",
    "tokio",
    "tracing",
    "tracing_subscriber",
    "dbg!",
    "eprint!",
    "eprintln!",
    "print!",
    "println!",
];

/// Rooms of the shell, and what each does not know of this crate.
const SHELL_DOES_NOT_KNOW: [(&str, &[&str]); 6] = [
    ("problem", &["lead", "pipeline", "rules", "tables", "config", "io", "kafka", "run", "telemetry"]),
    ("config", &["io", "kafka", "run", "telemetry"]),
    ("io", &["config", "kafka", "rules", "run", "tables", "telemetry"]),
    ("kafka", &["rules", "run", "tables", "telemetry", "config::Config"]),
    ("registry", &["kafka", "lead", "rules", "run", "tables", "telemetry", "config::Config"]),
    ("telemetry", &["config::Config", "kafka", "rules", "run", "tables"]),
];

/// All that `kafka` knows of leads and of what becomes of them: records and outputs, as bytes with a place.
const KAFKA_KNOWS: [&str; 12] = [
    "lead::HeaderSpan",
    "lead::Headers",
    "lead::NextOffset",
    "lead::Partition",
    "lead::Position",
    "lead::Record",
    "lead::Timestamp",
    "lead::key_hash",
    "pipeline::Mark",
    "pipeline::Output",
    "pipeline::OutputBuffer",
    "pipeline::OutputTopic",
];

/// Foreign crates, and the one place in `src` that may name each.
const AT_HOME: [(&str, &[&str]); 12] = [
    ("rdkafka", &["src/kafka/"]),
    ("rdkafka_sys", &["src/kafka/"]),
    ("prometheus", &["src/telemetry/"]),
    ("axum", &["src/telemetry/"]),
    ("prost", &["src/telemetry/traces/"]),
    ("ureq", &["src/registry/", "src/telemetry/traces/"]),
    ("openssl", &["src/registry/"]),
    ("tracing_subscriber", &["src/telemetry/"]),
    ("clap", &["src/cli/"]),
    ("globset", &["src/run/inputs/"]),
    ("parquet", &["src/run/inputs/"]),
    ("ruzstd", &["src/run/inputs/"]),
];

/// What is wrong with a file, by the rules of the house; `path` is relative to the repository, with `/`.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        found.insert(format!("{path}: has {lines} lines; split it, {LONGEST_FILE} is the most"));
    }
    if !text.starts_with("//!") {
        found.insert(format!("{path}:1: does not open with `//!`: what lives here, what does not"));
    }
    let all = tokens(text);
    let Some(inside) = path.strip_prefix("src/") else {
        let named = paths(&all, &["crate".to_owned()], PACKAGE);
        let client = named.iter().find(|named| matches!(named.path[0].as_str(), "rdkafka" | "rdkafka_sys"));
        let has_broker = ["tests/kafka/", "tests/storm/"].iter().any(|folder| path.starts_with(folder));
        if let Some(client) = client.filter(|_| path.starts_with("tests/") && !has_broker) {
            found.insert(format!("{path}:{}: names rdkafka; what needs a broker lives in tests/kafka or tests/storm", client.line));
        }
        return found.into_iter().collect();
    };
    let room = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let pure = PURE.contains(&room);
    if pure && inside == format!("{room}/mod.rs") && !text.lines().any(|line| line == PURE_LOCK) {
        found.insert(format!("{path}: a pure room opens with {PURE_LOCK}"));
    }
    for (at, token) in all.iter().enumerate() {
        let (line, next) = (token.line, all.get(at + 1).map(|token| token.text.as_str()));
        match token.text.as_str() {
            "macro_rules" if next == Some("!") => {
                found.insert(format!("{path}:{line}: macro_rules! outside tests; write a function"));
            }
            "unsafe" if !path.starts_with("src/kafka/native/") => {
                found.insert(format!("{path}:{line}: unsafe lives in src/kafka/native/ alone"));
            }
            word if pure && word.starts_with("disallowed_") && lowers(&all, at) => {
                found.insert(format!("{path}:{line}: lifts clippy's bans in a pure room"));
            }
            _ => {}
        }
    }
    let named = if is_test_file(path) { Vec::new() } else { paths(&without_tests(&all), &module_of(inside), PACKAGE) };
    for named in &named {
        if let Some(why) = forbidden(path, room, &named.path) {
            found.insert(format!("{path}:{}: names {}: {why}", named.line, named.path.join("::")));
        }
    }
    found.into_iter().collect()
}

/// A file that is a test module as a whole.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Whether the lint named at `at` stands in an `allow`, a `warn` or an `expect`.
fn lowers(all: &[Token], at: usize) -> bool {
    let opened = all[..at].iter().rposition(|token| token.text == "[").unwrap_or(at);
    all[opened..at].iter().any(|token| matches!(token.text.as_str(), "allow" | "warn" | "expect"))
}

/// `lead/code.rs` → `crate::lead::code`.
fn module_of(inside: &str) -> Vec<String> {
    let steps = inside.trim_end_matches(".rs").split('/').filter(|step| !matches!(*step, "mod" | "lib" | "main"));
    ["crate"].into_iter().chain(steps).map(str::to_owned).collect()
}

fn forbidden(path: &str, room: &str, named: &[String]) -> Option<String> {
    if let Some((_, homes)) = AT_HOME.iter().find(|(name, _)| named[0] == *name)
        && !homes.iter().any(|home| path.starts_with(home))
    {
        return Some(format!("only {} may", homes.join(" and ")));
    }
    let ours = named.first().is_some_and(|first| first == "crate").then(|| &named[1..]);
    if PURE.contains(&room) {
        return match ours {
            Some([other, ..]) if other != room && !PURE_KNOWS.contains(&other.as_str()) => {
                Some(format!("{room} is pure and does not know {other}"))
            }
            Some(_) => None,
            None => IMPURE.iter().find(|impure| reaches(named, impure)).map(|impure| format!("{room} is pure and does not know {impure}")),
        };
    }
    let ours = ours?;
    let (_, unknown) = SHELL_DOES_NOT_KNOW.iter().find(|(name, _)| *name == room)?;
    if let Some(unknown) = unknown.iter().find(|unknown| reaches(ours, unknown)) {
        return Some(format!("{room} does not know {unknown}"));
    }
    let core = ours.first().is_some_and(|first| first == "lead" || first == "pipeline");
    let known = KAFKA_KNOWS.iter().any(|known| is_prefix(&segments(known), ours) || is_prefix(ours, &segments(known)));
    (room == "kafka" && core && !known).then(|| "kafka knows records and outputs, no lead and no decision".to_owned())
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

fn is_prefix(short: &[String], long: &[String]) -> bool {
    long.starts_with(short)
}

/// Whether `named` is `target`, lies within it, or takes it in by a glob.
fn reaches(named: &[String], target: &str) -> bool {
    let target = segments(target);
    match named.split_last() {
        Some((last, before)) if last == "*" => is_prefix(before, &target) || is_prefix(&target, before),
        _ => is_prefix(&target, named),
    }
}

fn rust_files(below: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(below).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            rust_files(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn every_file_keeps_to_the_rules_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "fuzz/src", "fuzz/fuzz_targets", "fuzz/examples"]
        .map(|folder| root.join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
    {
        rust_files(folder, &mut files);
    }
    assert!(files.len() > 30, "only {} files found below {}", files.len(), root.display());
    let mut found = Vec::new();
    for file in &files {
        let path = file.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/");
        found.extend(breaches(&path, &fs::read_to_string(file).expect("text")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_room_has_its_rules() {
    let named: BTreeSet<&str> = PURE.into_iter().chain(SHELL_DOES_NOT_KNOW.iter().map(|(room, _)| *room)).chain(["run"]).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(root).expect("a folder").map(|entry| entry.expect("an entry").path());
    let rooms: BTreeSet<String> = entries
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|room| !matches!(room.as_str(), "lib" | "main" | "cli"))
        .collect();
    assert_eq!(rooms.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
}

/// The breaches of a file that opens as it should and then holds `code`.
fn breaches_of(path: &str, code: &str) -> Vec<String> {
    breaches(path, &format!("//! A room.\n{PURE_LOCK}\n{code}\n"))
}

fn assert_fires(path: &str, code: &str, why: &str) {
    let found = breaches_of(path, code);
    assert!(found.len() == 1 && found[0].contains(why), "{path}: {code}\n{found:?}");
}

fn assert_silent(path: &str, code: &str) {
    assert_eq!(breaches_of(path, code), Vec::<String>::new(), "{path}: {code}");
}

#[test]
fn a_pure_room_that_looks_out_is_found() {
    for room in PURE {
        let path = format!("src/{room}/mod.rs");
        for other in ["kafka", "run", "telemetry", "config", "io"] {
            assert_fires(&path, &format!("use crate::{{lead::Record, {other}::X}};"), &format!("does not know {other}"));
        }
    }
    assert_fires("src/lead/facts.rs", "use super::super::kafka;", "does not know kafka");
    assert_fires("src/rules/deep/x.rs", "fn f() { super::super::super::run::go() }", "does not know run");
    assert_fires("src/tables/mod.rs", "fn f(x: &leadstream::io::Batch) {}", "does not know io");
}

#[test]
fn a_pure_room_that_asks_the_world_is_found() {
    for (code, what) in [
        ("use std::time::Instant;", "std::time::Instant"),
        ("use std::time::{Duration, SystemTime as Clock};", "std::time::SystemTime"),
        ("use std::time;\nfn f() { time::Instant::now(); }", "std::time::Instant"),
        ("use std::time::*;", "std::time::"),
        ("use std as s;\nfn f() { s::thread::yield_now() }", "std::thread"),
        ("fn f() { ::std::fs::read(p) }", "std::fs"),
        ("static X: Y = std::env::vars;", "std::env"),
        ("use jiff::Timestamp;\nfn f() { Timestamp::now() }", "jiff::Timestamp::now"),
        ("fn f() { tracing::info!(\"x\") }", "tracing"),
        ("use prometheus::Counter;", "only src/telemetry/ may"),
        ("use rdkafka::Message;", "only src/kafka/ may"),
        ("fn f() { println!(\"x\") }", "println!"),
        ("fn f() { rand::random() }", "rand"),
    ] {
        assert_fires("src/pipeline/normalize.rs", code, what);
    }
}

#[test]
fn what_only_looks_like_a_breach_is_none() {
    for code in [
        "// use crate::kafka::Lane; std::fs::read\n/* tracing::info!() */",
        "/// ```\n/// use std::time::Instant;\n/// println!(\"{}\", crate::run::x());\n/// ```\nfn f() {}",
        "const X: &str = \"std::fs::read and rdkafka::X; unsafe\"; const Y: &str = r#\"use crate::io;\"#;",
        "#[cfg(test)]\nmod tests { use crate::io::Batch; use std::fs; #[test] fn f() { println!(\"x\"); } }",
        "use std::time::Duration;\nuse crate::{lead::Record, problem::Problem, rules, tables::Tables};",
        "fn f(kafka: u8, io: u8) { kafka.run(io); rand != io; }",
    ] {
        assert_silent("src/pipeline/normalize.rs", code);
    }
}

#[test]
fn rdkafka_outside_its_room_is_found() {
    for path in ["src/run/serve.rs", "src/telemetry/status.rs", "src/io/mod.rs", "src/main.rs", "tests/it/cli.rs"] {
        assert_fires(path, "use rdkafka::consumer::Consumer;", "rdkafka");
        assert_fires(path, "fn f() { rdkafka_sys::rd_kafka_version() }", "rdkafka");
    }
    assert_silent("src/kafka/lane.rs", "use rdkafka::consumer::Consumer;");
    assert_silent("tests/kafka/clients.rs", "use rdkafka::consumer::Consumer;");
}

#[test]
fn a_shell_room_that_knows_too_much_is_found() {
    assert_fires("src/kafka/lane.rs", "use crate::rules::Ruleset;", "kafka does not know rules");
    assert_fires("src/kafka/lane.rs", "use crate::lead::{Position, Decision};", "no lead and no decision");
    assert_fires("src/kafka/lane.rs", "use crate::pipeline;\nfn f() { pipeline::decide() }", "no lead and no decision");
    assert_fires("src/kafka/lane.rs", "use crate::config::{Config, KafkaConfig};", "config::Config");
    assert_fires("src/telemetry/metrics.rs", "use crate::kafka::Lane;", "telemetry does not know kafka");
    assert_fires("src/io/memory.rs", "use crate::kafka::Lane;", "io does not know kafka");
    assert_fires("src/config/load.rs", "use crate::run::Failure;", "config does not know run");
    assert_fires("src/problem.rs", "use crate::rules::Ruleset;", "problem does not know rules");
    let good = "use crate::{config::KafkaConfig, io::Lane, lead::{Position, Timestamp}, pipeline::{self, OutputBuffer}};";
    assert_silent("src/kafka/lane.rs", good);
    assert_silent("src/run/serve.rs", "use crate::{config::Config, kafka::KafkaLane, lead::Decision, rules, telemetry::Metrics};");
}

#[test]
fn a_file_that_is_too_long_or_does_not_say_what_it_is_is_found() {
    let fits = format!("//! A room.\n{}", "\n".repeat(LONGEST_FILE - 1));
    assert_eq!(breaches("tests/kafka/long.rs", &fits), Vec::<String>::new());
    assert_eq!(breaches("tests/kafka/long.rs", &format!("{fits}\n")).len(), 1);
    assert_eq!(breaches("src/run/mute.rs", "use std::fs;\n").len(), 1);
}

#[test]
fn a_lifted_ban_or_a_missing_lock_is_found() {
    assert_eq!(breaches("src/lead/mod.rs", "//! A room.\n").len(), 1);
    assert_eq!(breaches("src/lead/mod.rs", &format!("//! A room.\n// {PURE_LOCK}\n")).len(), 1);
    assert_fires("src/lead/code.rs", "#[allow(clippy::disallowed_methods)]\nfn f() {}", "lifts clippy's bans");
    assert_fires("src/lead/code.rs", "#[expect(clippy::disallowed_types, reason = \"x\")]\nfn f() {}", "lifts clippy's bans");
    assert_silent("src/run/mod.rs", "#[allow(clippy::disallowed_methods)]\nfn f() {}");
}

#[test]
fn macros_and_unsafe_out_of_place_are_found() {
    assert_fires("src/run/mod.rs", "macro_rules! x { () => {} }", "macro_rules!");
    assert_fires("src/kafka/lane.rs", "fn f() { unsafe { g() } }", "unsafe lives");
    assert_silent("src/kafka/native/mod.rs", "fn f() { unsafe { g() } }");
}

#[test]
fn a_breach_tells_file_line_and_path() {
    let found = breaches("src/lead/code.rs", "//! A room.\n\nuse crate::io::Batch;\n");
    assert_eq!(found, ["src/lead/code.rs:3: names crate::io::Batch: lead is pure and does not know io"]);
}

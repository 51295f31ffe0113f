//! The third lock on the house: reads `src` and `tests` and checks who may name whom, how long a file may be, and how it opens.
//! The other two locks are the cargo feature `kafka` and the bans of `clippy.toml`. Not a parser: it looks at code without
//! its comments and strings, word by word.

use std::{
    fs,
    path::{Path, PathBuf},
};

const LONGEST: usize = 500;
const PURE: [&str; 4] = ["lead", "pipeline", "rules", "tables"];

/// A path that may not be named where `applies` holds.
struct Edge {
    applies: fn(&str) -> bool,
    forbidden: &'static [&'static str],
    why: &'static str,
}

fn is_pure(path: &str) -> bool {
    room(path).is_some_and(|room| PURE.contains(&room))
}

/// `kafka` of `src/kafka/lane.rs` and of `src/kafka.rs`.
fn room(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    Some(rest.split_once('/').map_or_else(|| rest.trim_end_matches(".rs"), |(room, _)| room))
}

const EDGES: &[Edge] = &[
    Edge {
        applies: is_pure,
        forbidden: &["crate::kafka", "crate::run", "crate::telemetry", "crate::config", "crate::io"],
        why: "the core knows none of the rooms around it",
    },
    Edge {
        applies: is_pure,
        forbidden: &[
            "std::time::Instant",
            "std::time::SystemTime",
            "std::fs",
            "std::env",
            "std::thread",
            "std::net",
            "std::process",
            "tracing",
            "prometheus",
            "rdkafka",
            "tokio",
            "jiff::Timestamp::now",
            "jiff::Zoned::now",
        ],
        why: "the core knows no clock, file, environment, thread, log or metric",
    },
    Edge {
        applies: |path| path.starts_with("src/") && room(path) != Some("kafka"),
        forbidden: &["rdkafka"],
        why: "only src/kafka names rdkafka",
    },
    Edge {
        applies: |path| room(path) == Some("kafka"),
        forbidden: &["crate::rules", "crate::telemetry", "crate::run"],
        why: "the lane moves bytes: it knows no rule, no metric and nobody who composes it",
    },
    Edge {
        applies: |path| room(path) == Some("telemetry"),
        forbidden: &["crate::kafka", "crate::run", "crate::rules"],
        why: "telemetry is told facts, and asks nobody",
    },
    Edge {
        applies: |path| room(path) == Some("io"),
        forbidden: &["crate::kafka", "crate::run", "crate::telemetry", "crate::config", "crate::rules"],
        why: "the seams know neither side",
    },
    Edge {
        applies: |path| path.starts_with("src/") && path != "src/kafka/native.rs",
        forbidden: &["unsafe"],
        why: "all unsafe code is in src/kafka/native.rs",
    },
];

/// Everything that is wrong with the file at `path` (from the repository's root, with `/`).
fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        problems.push(format!("{path}: {lines} lines; {LONGEST} is the most: split it along what it does"));
    }
    if !text.starts_with("//!") {
        problems.push(format!("{path}: opens without `//!`: say what lives here and what does not"));
    }
    let code = without_comments_and_strings(text);
    let words = words(&code);
    if PURE.iter().any(|room| path == format!("src/{room}/mod.rs")) {
        for ban in ["disallowed_methods", "disallowed_types", "disallowed_macros"] {
            if !denies(&words, &format!("clippy::{ban}")) {
                problems.push(format!("{path}: switches the core's bans off: write #![deny(clippy::{ban})]"));
            }
        }
    }
    let named = named(&words);
    for edge in EDGES.iter().filter(|edge| (edge.applies)(path)) {
        for forbidden in edge.forbidden {
            let within = |name: &&String| *name == forbidden || name.strip_prefix(forbidden).is_some_and(|rest| rest.starts_with("::"));
            if let Some(name) = named.iter().find(within) {
                problems.push(format!("{path}: names {name}: {}", edge.why));
            }
        }
    }
    problems
}

/// Code only: comments, and the insides of strings and characters, become blanks; lines stay.
fn without_comments_and_strings(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = match rest {
            [b'/', b'/', ..] => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => at + block_comment(rest),
            [b'"', ..] => at + quoted(rest),
            [b'r', ..] if !is_word(at.checked_sub(1).map_or(b' ', |before| bytes[before])) || bytes[at - 1] == b'b' => {
                at + raw_string(rest)
            }
            [b'\'', b'\\', ..] => at + 2 + rest[2..].iter().skip(1).position(|byte| *byte == b'\'').map_or(0, |more| more + 2),
            // One character of any length in bytes, then the closing mark; else it is a lifetime.
            [b'\'', ..] => {
                let length = text[at + 1..].chars().next().map_or(0, char::len_utf8);
                if rest.get(1 + length) == Some(&b'\'') { at + length + 2 } else { at }
            }
            _ => at,
        };
        for byte in &mut code[at..end.min(bytes.len())] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).expect("whole characters were blanked")
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of the raw string that starts with this `r`, or 0.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[2 + hashes..];
    let length = body.windows(end.len()).position(|window| window == end).unwrap_or(body.len());
    2 + hashes + length + end.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Words and single marks; `::` is one mark.
fn words(code: &str) -> Vec<&str> {
    let bytes = code.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        if is_word(bytes[at]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        } else if code[at..].starts_with("::") {
            at += 2;
        } else {
            at += 1;
        }
        let word = &code[start..at];
        if !word.trim().is_empty() {
            words.push(word);
        }
    }
    words
}

/// Every path that is named, with the braces of `use` taken apart: `use a::{b, c::d}` names `a::b` and `a::c::d`. A path
/// that starts with `::` is named without it.
fn named(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] == "use" {
            at = tree(words, at + 1, "", &mut found);
        } else if is_word(words[at].as_bytes()[0]) {
            let mut path = words[at].to_owned();
            at += 1;
            while let [mark, next, ..] = words[at..]
                && mark == "::"
                && is_word(next.as_bytes()[0])
            {
                path.push_str("::");
                path.push_str(next);
                at += 2;
            }
            found.push(path);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one branch of a `use` tree; returns the place after it.
fn tree(words: &[&str], mut at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    while let Some(word) = words.get(at) {
        match *word {
            "{" => {
                at += 1;
                while words.get(at).is_some_and(|word| *word != "}") {
                    at = tree(words, at, &path, found);
                    if words.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            "::" => {}
            "as" => at += 1,
            word => {
                if !path.is_empty() {
                    path.push_str("::");
                }
                path.push_str(word);
            }
        }
        at += 1;
    }
    found.push(path);
    at.max(1)
}

/// Whether an inner attribute denies or forbids `lint`.
fn denies(words: &[&str], lint: &str) -> bool {
    let opens = |window: &&[&str]| matches!(window, ["#", "!", "[", "deny" | "forbid", "("]);
    words.windows(5).enumerate().filter(|(_, window)| opens(window)).any(|(at, _)| {
        let inside: Vec<_> = words[at + 5..].iter().take_while(|word| **word != ")").copied().collect();
        inside.concat().split(',').any(|name| name == lint)
    })
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_house_is_as_architecture_md_draws_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    files.sort();
    assert!(files.len() > 50, "only {} files were found", files.len());
    let mut found = Vec::new();
    for file in &files {
        let path = file.strip_prefix(root).expect("ours").to_str().expect("text").replace('\\', "/");
        found.extend(problems(&path, &fs::read_to_string(file).expect("text")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[cfg(test)]
mod each_lock_fires {
    use super::problems;

    fn told(path: &str, code: &str) -> String {
        problems(path, &format!("//! A file.\n{code}\n")).join("\n")
    }

    #[test]
    fn on_the_core_naming_a_room_around_it() {
        for (code, name) in [
            ("use crate::kafka::KafkaLane;", "crate::kafka::KafkaLane"),
            ("use crate::{lead::Lead, run::drive};", "crate::run::drive"),
            ("use crate::{lead::{Lead, Facts}, telemetry};", "crate::telemetry"),
            ("fn f(config: &crate::config::Config) {}", "crate::config::Config"),
            ("use crate::io as seams;", "crate::io"),
        ] {
            for path in ["src/lead/x.rs", "src/pipeline/mod.rs", "src/rules/cel/y.rs", "src/tables.rs"] {
                assert!(told(path, code).contains(&format!("names {name}:")), "{path}: {code}: {}", told(path, code));
            }
        }
    }

    #[test]
    fn on_the_core_naming_a_clock_a_file_the_environment_a_thread_a_log_or_a_metric() {
        for code in [
            "use std::time::Instant;",
            "use std::{sync::Arc, time::{Duration, SystemTime}};",
            "let x = std::fs::read(p);",
            "use std::env;",
            "use ::std::thread::spawn;",
            "tracing::info!(\"x\");",
            "use prometheus::Counter;",
            "let now = jiff::Timestamp::now();",
        ] {
            assert!(told("src/pipeline/decode.rs", code).contains("the core knows no clock"), "{code}");
            assert_eq!(told("src/run/drive.rs", code), "", "{code}");
        }
        assert_eq!(told("src/pipeline/decode.rs", "use std::time::Duration;"), "");
    }

    #[test]
    fn on_rdkafka_outside_its_room() {
        assert!(told("src/run/serve.rs", "use rdkafka::Message;").contains("only src/kafka names rdkafka"));
        assert!(told("src/main.rs", "fn f(x: rdkafka::Message) {}").contains("only src/kafka names rdkafka"));
        assert_eq!(told("src/kafka/lane.rs", "use rdkafka::Message;"), "");
    }

    #[test]
    fn on_kafka_telemetry_and_the_seams_naming_what_they_must_not_know() {
        assert!(told("src/kafka/lane.rs", "use crate::rules::Ruleset;").contains("moves bytes"));
        assert!(told("src/telemetry/http.rs", "use crate::kafka::BrokerHealth;").contains("asks nobody"));
        assert!(told("src/io/mod.rs", "use crate::{kafka, lead};").contains("neither side"));
    }

    #[test]
    fn on_unsafe_outside_its_file() {
        assert!(told("src/kafka/lane.rs", "unsafe { f() }").contains("all unsafe code"));
        assert_eq!(told("src/kafka/native.rs", "unsafe { f() }"), "");
        assert_eq!(told("src/kafka/native.rs", "#![allow(unsafe_code)]"), "");
    }

    #[test]
    fn on_a_long_file_and_on_one_that_does_not_say_what_it_is() {
        assert_eq!(told("tests/it/x.rs", &"\n".repeat(498)), "");
        assert!(told("tests/it/x.rs", &"\n".repeat(499)).contains("501 lines"));
        assert!(problems("src/x.rs", "fn f() {}\n").join("").contains("opens without"));
    }

    #[test]
    fn on_a_pure_room_without_its_bans() {
        let all = "#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]";
        assert_eq!(told("src/lead/mod.rs", all), "");
        assert!(told("src/lead/mod.rs", &all.replace("clippy::disallowed_types, ", "")).contains("disallowed_types"));
        assert!(told("src/lead/mod.rs", &all.replace("deny", "warn")).contains("disallowed_methods"));
        assert!(told("src/lead/mod.rs", &format!("// {all}")).contains("disallowed_methods"));
    }

    #[test]
    fn and_never_on_a_comment_a_string_or_a_longer_name() {
        for code in [
            "// use crate::kafka::X; unsafe",
            "/* tracing /* rdkafka */ unsafe */ fn f<'a>(x: &'a str) {}",
            "/// As `rdkafka` and `std::fs` do.",
            "const TEXT: &str = \"unsafe \\\" rdkafka // \";",
            "const TEXT: &str = r#\"say \"unsafe\" and rdkafka\"#;",
            "const BYTES: &[u8] = br\"unsafe\";",
            "const MARK: char = '\"'; const NOT: &str = \"unsafe\"; const TICK: char = '\\''; const E: char = 'é';",
            "use crate::tables::tracing_of; fn unsafe_one() {}",
            "fn r(r: u8) -> u8 { r }",
        ] {
            assert_eq!(told("src/lead/x.rs", code), "", "{code}");
        }
        // And what stands behind them is still seen.
        assert!(told("src/lead/x.rs", "const MARK: char = '\"'; unsafe {}").contains("unsafe"));
        assert!(told("src/lead/x.rs", "const A: &str = r\"\\\"; unsafe {}").contains("unsafe"));
        assert!(told("src/lead/x.rs", "fn f<'a>() { unsafe {} }").contains("unsafe"));
    }
}

//! The command line from outside: the binary is run, and judged by its exit code and what it prints.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Runs leadstream in `folder` with these arguments and nothing but these variables.
fn leadstream_in(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadstream"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn leadstream(arguments: &[&str]) -> Output {
    leadstream_in(Path::new("/"), &[], arguments)
}

fn exit(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn help_and_version_are_no_errors_and_name_only_verbs_there_are() {
    let help = leadstream(&["--help"]);
    assert_eq!((exit(&help), err(&help).as_str()), (0, ""));
    for verb in [
        "run", "process", "explain", "backtest", "replay", "verify", "check", "test", "rules", "doctor", "dlq", "topics", "schemas", "demo",
    ] {
        assert!(out(&help).contains(&format!("\n  {verb} ")), "{verb} is not in {}", out(&help));
        assert_eq!(exit(&leadstream(&[verb, "--help"])), 0, "{verb} --help");
    }
    let version = leadstream(&["--version"]);
    let revision = option_env!("LEADSTREAM_REVISION").filter(|revision| !["", "unknown"].contains(revision));
    let revision = revision.map_or_else(String::new, |revision| format!(" ({revision})"));
    assert_eq!((exit(&version), out(&version)), (0, format!("leadstream {}{revision}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_exits_with_64_and_says_what_is_wrong_on_stderr() {
    let wrong: [&[&str]; 25] = [
        &[],
        &["--no-such-flag"],
        &["replay"],
        &["replay", "--id", "a"],
        &["replay", "--id", "a/b", "--from", "earliest", "--to", "latest"],
        &["replay", "--id", "a", "--from", "earliest", "--to", "latest", "--offsets", "offsets.csv"],
        &["replay", "--id", "a", "--from", "earliest", "--to", "latest", "--yes"],
        &["replay", "--id", "a", "--from", "earliest", "--to", "latest", "--code", "malformed_json"],
        &["replay", "--id", "a", "--offsets", "offsets.csv", "--code", "malformed_json"],
        &["process", "--output", "-"],
        &["process", "leads.ndjson"],
        &["process", "leads.ndjson", "--output", "-", "--now", "yesterday"],
        &["process", "leads.ndjson", "--output", "-", "--format", "raw_lead"],
        &["process", "a/leads.ndjson", "b/leads.ndjson", "--output", "-"],
        &["process", "-", "--output", "/proc/no/such/folder"],
        &["process", "leads.ndjson", "--output", "-", "--framing", "xml"],
        &["explain", "--at", "leads.raw/0"],
        &["explain", "lead.json", "--at", "leads.raw/0/1"],
        &["run", "--wait", "5s"],
        &["demo", "--leads", "0"],
        &["demo", "--rate", "5"],
        &["demo", "--to-kafka", "--rate", "0"],
        &["dlq"],
        &["dlq", "show", "leads.dead-letter/0"],
        &["dlq", "park", "--commit"],
    ];
    for arguments in wrong {
        let output = leadstream(arguments);
        assert_eq!((exit(&output), out(&output).as_str()), (64, ""), "{arguments:?}: {}", err(&output));
        assert!(!err(&output).is_empty(), "{arguments:?} is refused without a word");
    }
}

#[test]
fn a_sound_configuration_checks_with_exit_0_and_shows_the_ruleset() {
    let output = leadstream_in(Path::new("/"), &[("LEADSTREAM__IDENTITY__KEY", "k")], &["check"]);
    assert_eq!(exit(&output), 0, "{}", out(&output));
    let shown = out(&output);
    let hash = shown.strip_prefix("ruleset default ").and_then(|rest| rest.split_once(", hash ")).map(|(_, rest)| &rest[..64]);
    assert!(hash.is_some_and(|hash| hash.chars().all(|c| c.is_ascii_hexdigit())), "{shown}");
    assert!(shown.ends_with("\nno errors, no warnings\n"), "{shown}");
}

#[test]
fn a_warning_is_told_and_is_no_error() {
    let output = leadstream(&["check"]);
    assert_eq!(exit(&output), 0);
    assert!(out(&output).starts_with("warning: identity.key is not set"), "{}", out(&output));
    assert!(out(&output).ends_with("\nno errors, 1 warning\n"), "{}", out(&output));
}

#[test]
fn check_tells_the_problems_of_configuration_and_rules_at_once_as_text_and_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("leadstream.toml"), "[run]\nlane = 2\n[rules]\npath = \"rules.toml\"\n").expect("written");
    fs::write(folder.path().join("rules.toml"), "[ruleset\n").expect("written");

    let output = leadstream_in(folder.path(), &[], &["check", "--config", "leadstream.toml"]);
    assert_eq!(exit(&output), 1);
    let expected = "error: leadstream.toml:2:1: unknown key \"run.lane\"\n  | lane = 2\n  | ^\n  = did you mean \"run.lanes\"?\n\n";
    assert!(out(&output).starts_with(expected), "{}", out(&output));
    assert!(out(&output).contains("error: rules.toml:"), "{}", out(&output));

    let output = leadstream_in(folder.path(), &[], &["check", "--config", "leadstream.toml", "--json", "--set", "run.lanes=0"]);
    assert_eq!(exit(&output), 1);
    assert_eq!(out(&output).lines().count(), 1);
    let report: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(report["ruleset"], Value::Null);
    assert_eq!(
        report["problems"][0],
        serde_json::json!({
            "severity": "error", "file": "leadstream.toml", "line": 2, "column": 1, "code": "unknown_key",
            "message": "unknown key \"run.lane\"", "hint": "did you mean \"run.lanes\"?",
        })
    );
    assert_eq!(report["problems"][1]["file"], "--set run.lanes");
    assert_eq!(report["problems"][1]["line"], 0);
    assert_eq!(report["problems"][2]["code"], "identity_key_unset");
    assert_eq!(report["problems"][2]["severity"], "warning");
    assert_eq!(report["problems"][3]["file"], "rules.toml");
}

#[test]
fn the_json_of_a_sound_configuration_holds_the_ruleset() {
    let output = leadstream(&["check", "--json"]);
    assert_eq!(exit(&output), 0);
    let report: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(report["ruleset"]["name"], "default");
    assert_eq!(report["ruleset"]["hash"].as_str().map(str::len), Some(64));
    assert_eq!(report["ruleset"]["tables"], serde_json::json!({}));
}

#[test]
fn a_bad_configuration_stops_every_verb_with_64_before_it_starts() {
    let verbs: &[&[&str]] = &[
        &["process", "leads.ndjson", "--output", "-"],
        &["explain", "lead.json"],
        &["schemas", "list"],
        #[cfg(feature = "kafka")]
        &["run"],
        #[cfg(feature = "kafka")]
        &["topics", "check"],
        #[cfg(feature = "kafka")]
        &["demo"],
    ];
    for verb in verbs {
        let output = leadstream(&[*verb, &["--set", "run.lanes=0", "--set", "topics.raws=x"]].concat());
        assert_eq!((exit(&output), out(&output).as_str()), (64, ""), "{verb:?}");
        assert!(err(&output).contains("--set run.lanes: ") && err(&output).contains("--set topics.raws: "), "{verb:?}: {}", err(&output));
    }
}

#[test]
fn flags_for_rules_and_tables_go_over_the_configuration() {
    let output = leadstream(&["check", "--set", "rules.path=/a.toml", "--rules", "/b.toml", "--set", "tables.dir=/a", "--tables", "/b"]);
    assert_eq!(exit(&output), 1);
    assert!(out(&output).contains("error: /b.toml: ") && out(&output).contains("error: /b: "), "{}", out(&output));
    assert!(!out(&output).contains("error: /a"), "{}", out(&output));
}

#[test]
fn a_file_that_is_no_table_is_told_and_not_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["offer.csv", "accounts.json", "suppressions.csv", "README.md", ".hidden.csv"] {
        fs::write(folder.path().join(file), "").expect("written");
    }
    let output = leadstream_in(folder.path(), &[], &["check", "--tables", "."]);
    assert_eq!(exit(&output), 1);
    let told: Vec<String> = out(&output).lines().filter(|line| line.starts_with("error: ./")).map(str::to_owned).collect();
    let expected = [
        "error: ./accounts.json: the table \"accounts\" is not in a format leadstream reads",
        "error: ./offer.csv: there is no table \"offer\"",
        "error: ./suppressions.csv: the table has no header",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadstream"))
        .args(["check", "--json"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((exit(&output), err(&output).as_str()), (0, ""));
}

#[test]
fn process_reads_the_format_it_is_told_and_measures_what_it_cannot_keep() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = "x".repeat(3_000_000);
    fs::write(folder.path().join("in.ndjson"), format!("{{\"status\":\"New\",\"id\":\"1\"}}\n{large}\n{{}}\n")).expect("written");
    let arguments = ["process", "in.ndjson", "--output", "-", "--format", "partner_center_referral", "--summary", "sum.json"];
    let output = leadstream_in(folder.path(), &[], &arguments);
    assert_eq!(exit(&output), 0, "{}", err(&output));
    let lines: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["value"]["source"]["format"], "partner_center_referral");
    assert_eq!((&lines[1]["headers"]["dlq-code"], &lines[1]["headers"]["dlq-size"]), (&"too_large".into(), &"3000000".into()));
    assert_eq!((&lines[1]["value"], lines[1]["headers"]["dlq-sha256"].as_str().map(str::len)), (&Value::Null, Some(64)));
    let summary: Value = serde_json::from_slice(&fs::read(folder.path().join("sum.json")).expect("a summary")).expect("JSON");
    assert_eq!((&summary["records"], &summary["dead_letters"]["too_large"]), (&3.into(), &1.into()));
}

#[cfg(feature = "kafka")]
#[test]
fn a_bounded_run_without_a_broker_ends_and_says_why() {
    let arguments = ["run", "--once", "--wait", "1s", "--set", "kafka.brokers=127.0.0.1:1", "--set", "http.listen=127.0.0.1:0"];
    let output = leadstream(&arguments);
    assert_eq!(exit(&output), 75, "{}", err(&output));
    assert!(err(&output).contains("Connection refused"), "{}", err(&output));
}

#[cfg(feature = "kafka")]
#[test]
fn settings_that_do_not_fit_together_are_found_by_check() {
    let output = leadstream(&["check", "--set", "kafka.client.max.poll.interval.ms=1000"]);
    assert_eq!(exit(&output), 1);
    assert!(out(&output).contains("session.timeout.ms"), "{}", out(&output));
}

#[cfg(feature = "kafka")]
#[test]
fn the_client_is_asked_about_its_properties_without_a_broker() {
    let output = leadstream(&["check", "--set", "kafka.client.linger.msx=5", "--set", "kafka.producer.linger.ms=soon"]);
    assert_eq!(exit(&output), 1);
    let expected = "error: --set kafka.client.linger.msx: the Kafka client refuses kafka.client.linger.msx: No such configuration property";
    assert!(out(&output).starts_with(expected), "{}", out(&output));
    assert!(out(&output).contains("error: --set kafka.producer.linger.ms: "), "{}", out(&output));
}

#[cfg(not(feature = "kafka"))]
#[test]
fn a_build_without_kafka_says_so() {
    const REPLAY: &[&str] = &["replay", "--id", "a", "--from", "earliest", "--to", "latest"];
    for arguments in
        [&["run"][..], &["topics", "create"], &["doctor"], &["demo"], &["dlq", "ls"], &["explain", "--at", "leads.raw/0/1"], REPLAY]
    {
        let output = leadstream(arguments);
        assert_eq!((exit(&output), out(&output).as_str()), (64, ""), "{arguments:?}");
        assert!(err(&output).contains("built without it"), "{arguments:?}: {}", err(&output));
    }
}

//! Prometheus's own tool on what Prometheus is to read: its configuration and rules, each alert's proof that it fires and does not,
//! and every query of every dashboard. What a running Prometheus sees is in `tests/kafka`.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use serde_json::Value;

fn promtool(arguments: &[&str]) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    let output = Command::new("promtool").args(arguments).current_dir(folder).output().expect("promtool runs: .ci/packages test");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(told) } else { Err(told) }
}

#[test]
fn prometheus_takes_the_configuration_and_every_rule() {
    let told = promtool(&["check", "config", "prometheus.yml"]).unwrap_or_else(|told| panic!("{told}"));
    assert!(told.contains("2 rule files found"), "{told}");
    for file in ["rules/alerts.yml", "rules/recording.yml"] {
        promtool(&["check", "rules", "--lint-fatal", file]).unwrap_or_else(|told| panic!("{told}"));
    }
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() {
    let told =
        promtool(&["test", "rules", "tests/leads.yml", "tests/rules.yml", "tests/stream.yml"]).unwrap_or_else(|told| panic!("{told}"));
    assert_eq!(told.matches("SUCCESS").count(), 3, "{told}");
}

#[test]
fn a_changed_threshold_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    for name in ["rules/recording.yml", "rules/alerts.yml", "tests/stream.yml"] {
        let text = fs::read_to_string(ours.join(name)).expect("text");
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, text.replace("ratio_rate15m > 0.05", "ratio_rate15m > 0.5")).expect("written");
    }
    let tests = folder.path().join("tests/stream.yml").display().to_string();
    let told = promtool(&["test", "rules", &tests]).expect_err("the alert does not fire any more");
    assert!(told.contains("LeadstreamDeadLetters"), "{told}");
}

#[test]
fn every_query_of_every_dashboard_is_promql() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/dashboards");
    let mut rules = "groups:\n  - name: panels\n    rules:\n".to_owned();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("text");
        let board: Value = serde_json::from_str(&text).expect("JSON");
        let panels = board["panels"].as_array().expect("a list").iter();
        for target in panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default()) {
            let query = target["expr"].as_str().expect("a query").replace("$__rate_interval", "1m").replace("$__range", "1h");
            count += 1;
            writeln!(rules, "      - {{ record: panel:query:{count}, expr: {} }}", Value::from(query)).expect("into memory");
        }
    }
    assert!(count > 80, "{count}");
    let file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    fs::write(file.path(), rules).expect("written");
    let told = promtool(&["check", "rules", &file.path().display().to_string()]).unwrap_or_else(|told| panic!("{told}"));
    assert!(told.contains(&format!("{count} rules found")), "{told}");
}

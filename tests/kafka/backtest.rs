//! A backtest over a range of a real topic: the records received in it and no others, whatever is written meanwhile, and no trace of
//! it in any group.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    broker,
    clients::{self, Open, Raw},
    service::{SOON, Scene},
};

const PARTITIONS: i32 = 3;
/// 2026-11-01T00:00:00Z.
const START: i64 = 1_793_491_200_000;
const HOUR: i64 = 3_600_000;

/// One lead an hour and partition, every third of them from France.
fn leads(hours: i64) -> Vec<Raw> {
    let lead = |hour: i64, partition: i32| {
        let country = if hour % 3 == 0 { "FR" } else { "US" };
        let value = format!(
            r#"{{"userDetails": {{"email": "p{partition}h{hour}@adatum.example", "country": "{country}"}}, "leadSource": "SPZA-PLT|a.b"}}"#
        );
        Raw { partition, key: None, value: Some(value.into_bytes()), headers: Vec::new(), timestamp: Some(START + hour * HOUR) }
    };
    (0..hours).flat_map(|hour| (0..PARTITIONS).map(move |partition| lead(hour, partition))).collect()
}

fn backtest(scene: &Scene, from: &str, to: &str) -> Value {
    let rules = scene.path("candidate.toml");
    let text = "[ruleset]\nname='c'\nversion='1'\nextends='default'\n[[gate]]\nid='fr'\nwhen='contact.country == \"FR\"'\nreason='no'\n";
    std::fs::write(&rules, text).expect("written");
    let output = scene.call(&["backtest", "--candidate", rules.to_str().expect("UTF-8"), "--from", from, "--to", to, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn counts(report: &Value) -> (u64, u64, u64) {
    let count = |key: &str| report[key].as_u64().expect("a number");
    (count("records"), count("leads"), count("changed"))
}

#[test]
fn a_range_is_what_was_received_in_it() {
    let scene = Scene::with_topics("backtest", broker::shared(), PARTITIONS);
    scene.write(&leads(48));
    // 48 leads a partition, 16 of them French.
    assert_eq!(counts(&backtest(&scene, "earliest", "latest")), (144, 144, 48));
    // From six o'clock, before twelve: 6, 9 are French.
    let report = backtest(&scene, "2026-11-01T06:00:00Z", "2026-11-01T12:00:00Z");
    assert_eq!(counts(&report), (18, 18, 6));
    // A time between two records is the second one's; one in the future the end.
    assert_eq!(counts(&backtest(&scene, "2026-11-02T22:30:00Z", "2027-01-01T00:00:00Z")), (3, 3, 0));
    // Turned round it is a mistake, and no backtest in which nothing changes.
    let turned = scene.call(&["backtest", "--candidate-tables", ".", "--from", "2026-11-01T12:00:00Z", "--to", "2026-11-01T06:00:00Z"]);
    assert_eq!(turned.status.code(), Some(64), "{}", String::from_utf8_lossy(&turned.stderr));
    assert!(String::from_utf8_lossy(&turned.stderr).contains("behind --to"));
    // Samples name where the lead stands, and its event time is the record's.
    let at = report["samples"][0]["source"].as_str().expect("a text").to_owned();
    assert!(at.starts_with(&format!("{}/", scene.raw)), "{at}");
    let explained = scene.call(&["explain", "--json", "--at", at.rsplit_once('/').expect("an index").0]);
    let explained: Value = serde_json::from_slice(&explained.stdout).expect("JSON");
    assert_eq!(explained["leads"][0]["contact"]["country"], "FR");
    // Nobody's offsets, and none of leadstream's outputs.
    assert!(scene.progress().committed().is_empty(), "{:?}", scene.progress().committed());
    assert!(scene.outputs().iter().all(|topic| scene.read(topic).is_empty()));
}

#[test]
fn a_range_whose_start_retention_has_deleted_is_told_as_that() {
    let scene = Scene::with_topics("backtest-gone", broker::shared(), PARTITIONS);
    scene.write(&leads(10));
    let since = "2026-11-01T00:00:00Z";
    assert_eq!(backtest(&scene, since, "latest")["gone"], serde_json::json!({}));
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(1, 4)]));
    let report = backtest(&scene, since, "latest");
    assert_eq!(report["gone"], serde_json::json!({format!("{}/1", scene.raw): 4}));
    // What is there now is what was asked for, and a later start is behind what is gone.
    assert_eq!(backtest(&scene, "earliest", "latest")["gone"], serde_json::json!({}));
    assert_eq!(backtest(&scene, "2026-11-01T06:00:00Z", "latest")["gone"], serde_json::json!({}));
    let page = scene.path("report.html");
    let page = page.to_str().expect("UTF-8");
    let told = scene.call(&["backtest", "--candidate-tables", ".", "--from", since, "--to", "latest", "--report", page]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = format!("{}/1: records of the range may be gone, the first that exists is at offset 4: ", scene.raw);
    assert!(told.contains(&line), "{told}");
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains(&format!("<td>Records may be gone from {}/1</td><td>before offset 4</td>", scene.raw)), "{page}");
}

#[test]
fn a_range_ends_before_a_transaction_that_is_open() {
    let scene = Scene::with_topics("backtest-open", broker::shared(), PARTITIONS);
    scene.write(&leads(10));
    Open::write(&scene.brokers, &scene.raw, &leads(5)).abort();
    scene.write(&leads(2));
    // What was taken back is no lead, nor are the markers behind it.
    assert_eq!(counts(&backtest(&scene, "earliest", "latest")), (36, 36, 15));
    let open = Open::write(&scene.brokers, &scene.raw, &leads(5));
    assert_eq!(counts(&backtest(&scene, "earliest", "latest")), (36, 36, 15));
    open.commit();
    assert_eq!(counts(&backtest(&scene, "earliest", "latest")), (51, 51, 21));
}

#[test]
fn a_registry_that_is_away_ends_a_backtest_however_much_there_is_still_to_read() {
    let scene = Scene::with_topics("backtest-away", broker::shared(), PARTITIONS);
    // Far more than is read ahead, all of it in a schema that nobody can tell.
    let value = [&[0, 0, 0, 0, 7][..], &[0x55; 16_000]].concat();
    let record = |number: i32| Raw { partition: number % PARTITIONS, value: Some(value.clone()), ..Raw::default() };
    scene.write(&(0..2_000).map(record).collect::<Vec<_>>());
    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let registry = format!("encoding.registry=http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut backtest = scene.start(&["backtest", "--candidate-tables", ".", "--from", "earliest", "--to", "latest", "--set", &registry]);
    assert_eq!(backtest.exit_within(2 * SOON), 75, "{}", backtest.lines());
    assert!(backtest.lines().contains("does not answer"), "{}", backtest.lines());
}

#[test]
fn nothing_to_compare_by_is_no_proof_that_nothing_changes() {
    let scene = Scene::with_topics("backtest-empty", broker::shared(), PARTITIONS);
    let empty = |more: &[&str]| {
        let range = ["backtest", "--candidate-tables", ".", "--from", "earliest", "--to", "latest"];
        let output = scene.call(&[&range[..], more].concat());
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&told).into_owned())
    };
    let (exit, told) = empty(&[]);
    assert!(exit == Some(0) && told.contains("there were no leads to compare the two by"), "{told}");
    let (exit, told) = empty(&["--fail-if-changed", "100%"]);
    assert!(exit == Some(1) && told.contains("--fail-if-changed cannot hold"), "{told}");
    assert_eq!(empty(&["--fail-if-changed", "5", "--json"]).0, Some(1));
    // Records of which none is a lead are no leads either.
    scene.write(&[Raw { value: Some(b"[]".to_vec()), ..Raw::default() }]);
    assert_eq!(empty(&["--fail-if-changed", "0"]).0, Some(1));
}

//! Metrics as a contract: `schemas/metrics.json` holds what was released, and nothing in the catalogue may differ from it without
//! a deprecation. With `LEADSTREAM_BLESS=1` what is new is added to that file; what a user relies on is never taken away.

use std::{collections::BTreeSet, fs, path::PathBuf};

use leadstream::telemetry::names::{self, Deprecated, Kind, Label, Metric, Unit, Values};
use serde_json::{Map, Value, json};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas/metrics.json")
}

fn released() -> Vec<Value> {
    let text = fs::read_to_string(file()).expect("schemas/metrics.json");
    serde_json::from_str(&text).expect("a list of metrics")
}

/// A metric as it is released. Labels whose values come from outside have none listed.
fn entry(metric: &Metric) -> Value {
    let labels: Map<String, Value> = metric
        .labels
        .iter()
        .map(|label| match label.values {
            Values::Closed(values) => (label.name.to_owned(), json!(values())),
            Values::Bounded(_) => (label.name.to_owned(), Value::Null),
        })
        .collect();
    let mut entry = json!({
        "name": metric.name, "kind": metric.kind.name(), "unit": metric.unit.name(), "labels": labels, "help": metric.help,
        "since": metric.since,
    });
    if let Kind::Histogram(buckets) = metric.kind {
        entry["buckets"] = json!(buckets);
    }
    entry
}

fn items(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(Value::to_string).collect()
}

/// What a user who relies on what was released would miss.
fn broken(released: &[Value], catalogue: &[Metric], deprecated: &[Deprecated]) -> Vec<String> {
    let mut broken = Vec::new();
    for old in released {
        let name = old["name"].as_str().unwrap_or_default();
        let place = deprecated.iter().find(|gone| gone.name == name).map_or(name, |gone| gone.by);
        let Some(metric) = catalogue.iter().find(|metric| metric.name == place) else {
            broken.push(format!("{name} is gone: deprecate it first (DEPRECATED in src/telemetry/names.rs), beside what takes its place"));
            continue;
        };
        let new = entry(metric);
        for what in ["kind", "unit"] {
            if old[what] != new[what] {
                broken.push(format!("{name}: its {what} was {}, and is {}", old[what], new[what]));
            }
        }
        if !items(&old["buckets"]).is_subset(&items(&new["buckets"])) {
            broken.push(format!("{name}: a bucket is gone"));
        }
        let (before, now) = (old["labels"].as_object().expect("labels"), new["labels"].as_object().expect("labels"));
        if before.keys().ne(now.keys()) {
            broken.push(format!("{name}: its labels were {:?}, and are {:?}", before.keys(), now.keys()));
            continue;
        }
        for (label, values) in before {
            let gone: Vec<_> = items(values).difference(&items(&now[label])).cloned().collect();
            if values.is_array() && !gone.is_empty() {
                broken.push(format!("{name}: {label} is never {} any more", gone.join(", ")));
            }
        }
    }
    broken
}

/// What is in the catalogue and not in the file, or says more than the file.
fn added(released: &[Value], catalogue: &[Metric]) -> Vec<Value> {
    let entries = catalogue.iter().map(entry);
    entries.filter(|entry| !released.contains(entry)).collect()
}

#[test]
fn what_is_released_stays() {
    let released = released();
    assert_eq!(broken(&released, names::ALL, names::DEPRECATED), [""; 0]);
    let added = added(&released, names::ALL);
    if std::env::var_os("LEADSTREAM_BLESS").is_some() && !added.is_empty() {
        let kept = released.into_iter().filter(|old| added.iter().all(|new| new["name"] != old["name"]));
        let mut all: Vec<_> = kept.chain(added.iter().cloned()).collect();
        all.sort_by_key(|entry| names::ALL.iter().position(|metric| entry["name"] == metric.name).unwrap_or(usize::MAX));
        fs::write(file(), format!("{:#}\n", Value::Array(all))).expect("written");
        return;
    }
    let names: Vec<_> = added.iter().map(|entry| entry["name"].clone()).collect();
    assert!(names.is_empty(), "not in schemas/metrics.json, or otherwise: {names:?}; LEADSTREAM_BLESS=1 writes them down");
}

const ONE: Metric = Metric {
    name: "leadstream_seen_total",
    kind: Kind::Counter,
    unit: Unit::Count("leads"),
    help: "",
    labels: &[Label { name: "kind", values: Values::Closed(|| vec!["a", "b"]) }],
    since: "0.1.0",
};

#[test]
fn a_change_without_a_deprecation_is_found() {
    let released = [entry(&ONE)];
    let found = |catalogue: &[Metric], deprecated: &[Deprecated]| broken(&released, catalogue, deprecated).join("; ");
    assert_eq!(found(&[ONE], &[]), "");
    let renamed = Metric { name: "leadstream_noticed_total", ..ONE };
    assert!(found(&[renamed], &[]).contains("leadstream_seen_total is gone"));
    let beside = Deprecated { name: "leadstream_seen_total", by: "leadstream_noticed_total", since: "0.2.0" };
    assert_eq!(found(&[renamed], &[beside]), "");
    assert!(found(&[Metric { unit: Unit::Count("records"), ..ONE }], &[]).contains("its unit was \"leads\", and is \"records\""));
    assert!(found(&[Metric { kind: Kind::Gauge, ..ONE }], &[]).contains("its kind"));
    assert!(found(&[Metric { labels: &[], ..ONE }], &[]).contains("its labels were"));
    let fewer = Metric { labels: &[Label { name: "kind", values: Values::Closed(|| vec!["a"]) }], ..ONE };
    assert!(found(&[fewer], &[]).contains("kind is never \"b\" any more"));
    let more = Metric { labels: &[Label { name: "kind", values: Values::Closed(|| vec!["a", "b", "c"]) }], ..ONE };
    assert_eq!(found(&[more], &[]), "");
    assert_eq!(added(&released, &[more]).len(), 1, "what is new is to be written down");
    let histogram = |buckets| Metric { kind: Kind::Histogram(buckets), ..ONE };
    let released = [entry(&histogram(&[1.0, 2.0]))];
    assert_eq!(broken(&released, &[histogram(&[1.0, 1.5, 2.0])], &[]), [""; 0]);
    assert_eq!(broken(&released, &[histogram(&[1.0])], &[]), ["leadstream_seen_total: a bucket is gone"]);
}

/// <https://prometheus.io/docs/practices/naming/>
#[test]
fn names_and_units_are_as_prometheus_asks() {
    for metric in names::ALL {
        let name = metric.name;
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!(name.starts_with("leadstream_") || name.starts_with("process_"), "{name}: whose is it?");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}: a counter ends in _total, nothing else does");
        let bare = name.trim_end_matches("_total");
        match metric.unit {
            Unit::Seconds => assert!(bare.ends_with("_seconds"), "{name} is in seconds"),
            Unit::Bytes => assert!(bare.ends_with("_bytes"), "{name} is in bytes"),
            _ => assert!(!bare.ends_with("_seconds") && !bare.ends_with("_bytes"), "{name}: its unit is {}", metric.unit.name()),
        }
        for other in ["milliseconds", "_ms", "minutes", "kilobytes", "_kb", "percent"] {
            assert!(!name.contains(other), "{name}: base units");
        }
        assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{name}: {}", metric.help);
        for label in metric.labels {
            assert!(!["le", "quantile", "job", "instance"].contains(&label.name), "{name}: {} is Prometheus's own", label.name);
            if let Values::Closed(values) = label.values {
                assert!(values().len() < 64, "{name}: {} has many values", label.name);
            }
        }
        assert!(metric.buckets().is_sorted() && metric.buckets().len() <= 20, "{name}");
    }
    for old in names::DEPRECATED {
        assert!(names::ALL.iter().any(|metric| metric.name == old.by), "{} is replaced by nothing that is there", old.name);
        assert!(names::ALL.iter().all(|metric| metric.name != old.name), "{} is both there and deprecated", old.name);
    }
}

//! What `doctor` finds: on a healthy broker of one node the warnings that one node deserves, and of each fault that is planted its
//! code and nothing else. Rights are planted in `security`.

use std::{collections::BTreeMap, collections::BTreeSet, process::Output};

use serde_json::Value;

use super::{
    broker::{self, Broker, Settings},
    clients::{self, Raw},
    fake_registry::{self, FakeRegistry},
    leads::lead,
    service::{SOON, Scene, now_millis},
};

/// Severity, code and subject of each finding.
pub(crate) type Findings = BTreeSet<(String, String, String)>;

const LARGE: (&str, &str) = ("max.message.bytes", "2000000");
/// What every broker of one node and every configuration of a test deserve.
const DESERVED: [&str; 6] =
    ["identity_key_unset", "instance_unset", "offsets_log", "offsets_retention", "topic_replication", "transaction_log"];

/// Exit code and findings.
pub(crate) fn examined(scene: &Scene, more: &[&str]) -> (i32, Findings) {
    let (code, report) = report(scene, more);
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    let found = report["findings"].as_array().expect("findings");
    for finding in found.iter().filter(|finding| finding["severity"] == "error" || finding["severity"] == "warning") {
        assert!(!text(finding, "why").is_empty() && !text(finding, "fix").is_empty(), "{finding}");
    }
    let findings = found.iter().map(|finding| (text(finding, "severity"), text(finding, "code"), text(finding, "subject"))).collect();
    (code, findings)
}

pub(crate) fn report(scene: &Scene, more: &[&str]) -> (i32, Value) {
    let arguments: Vec<_> = ["doctor", "--json"].iter().chain(more).copied().collect();
    let Output { status, stdout, stderr } = scene.call(&arguments);
    let report = serde_json::from_slice(&stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)));
    (status.code().expect("an exit code"), report)
}

fn healthy(test: &str) -> (Scene, Findings) {
    let scene = Scene::named(test, broker::shared());
    scene.create_topics(2, &[LARGE]);
    let (code, findings) = examined(&scene, &[]);
    assert_eq!(code, 0, "{findings:?}");
    (scene, findings)
}

/// Severity, code and subject of what is found now and was not before.
#[track_caller]
fn assert_new(scene: &Scene, before: &Findings, more: &[&str], expected: &[(&str, &str, &str)]) {
    let (code, now) = examined(scene, more);
    let new: Vec<_> = now.difference(before).map(|(severity, code, subject)| (&**severity, &**code, &**subject)).collect();
    assert_eq!(new, expected);
    assert_eq!(code, i32::from(expected.iter().any(|(severity, ..)| *severity == "error")));
}

#[test]
fn a_healthy_broker_of_one_node_has_warnings_only_and_nothing_is_written() {
    let (scene, findings) = healthy("healthy");
    let of =
        |wanted: &str| findings.iter().filter(|(severity, ..)| severity == wanted).map(|(_, code, _)| &**code).collect::<BTreeSet<_>>();
    assert_eq!(of("error"), BTreeSet::new());
    // Not by default, but whoever tests against 4.3 is told.
    let may_forget = std::env::var("LEADSTREAM_TEST_KAFKA").is_ok_and(|version| version.starts_with("4.3"));
    let deserved: BTreeSet<_> = DESERVED.into_iter().chain(may_forget.then_some("broker_markers")).collect();
    assert_eq!(of("warning"), deserved);
    assert_eq!(of("ok"), BTreeSet::from(["backlog", "broker_version", "topic_partitions", "transactions"]));
    assert_eq!(of("info"), BTreeSet::from(["readers"]));
    for topic in scene.outputs().into_iter().chain([scene.raw.as_str()]) {
        assert_eq!(scene.read(topic), [], "{topic}");
    }
    assert_eq!(scene.progress().committed(), BTreeMap::new());
    let text = scene.call(&["doctor"]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.ends_with("0 errors, 11 warnings: nothing stands in the way of exactly-once\n"), "{text}");
}

#[test]
fn faults_of_topics_are_each_found_alone() {
    let (scene, before) = healthy("faults");
    let routing = scene.routing.clone();
    for (setting, expected) in [
        (("cleanup.policy", "compact"), ("error", "topic_compacted")),
        (("min.insync.replicas", "2"), ("error", "topic_min_insync")),
        (("unclean.leader.election.enable", "true"), ("error", "unclean_election")),
        (("max.message.bytes", "100000"), ("warning", "topic_record_size")),
    ] {
        clients::alter_topic(&scene.brokers, &routing, &[LARGE, setting]);
        assert_new(&scene, &before, &[], &[(expected.0, expected.1, &routing)]);
    }
    clients::alter_topic(&scene.brokers, &routing, &[LARGE]);
    assert_new(&scene, &before, &["--set", "topics.routing=not-there"], &[("error", "topic_missing", "not-there")]);
    assert_new(&scene, &before, &["--set", "run.lanes=3"], &[("warning", "topic_partitions", "partitions")]);
    assert_new(&scene, &before, &["--set", "run.delivery=at-least-once"], &[("warning", "at_least_once", "run.delivery")]);
    let away = ["--set", "encoding.registry=http://127.0.0.1:1"];
    assert_new(&scene, &before, &away, &[("error", "registry_away", "http://127.0.0.1:1")]);
}

#[test]
fn what_was_or_will_be_deleted_undecided_is_found() {
    let (scene, before) = healthy("deleted-undecided");
    let record = |number: usize| Raw { value: Some(lead(8 * number).0), ..Raw::default() };
    scene.write(&(0..5).map(record).collect::<Vec<_>>());
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    assert_new(&scene, &before, &[], &[]);
    let minutes = |minutes: i64| Some(now_millis() + minutes * 60_000);
    scene.write(&[Raw { timestamp: minutes(-55), ..record(5) }, Raw { partition: 1, timestamp: minutes(10), ..record(6) }]);
    let (old, all) = (format!("{}/0", scene.raw), [LARGE, ("retention.ms", "3600000")]);
    assert_new(&scene, &before, &[], &[("warning", "clock_skew", "input")]);
    clients::alter_topic(&scene.brokers, &scene.raw, &all);
    assert_new(&scene, &before, &[], &[("error", "retention", &old), ("warning", "clock_skew", "input")]);
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 6)]));
    assert_new(&scene, &before, &[], &[("error", "offset_out_of_range", &old), ("warning", "clock_skew", "input")]);
}

#[test]
fn a_transaction_that_stays_open_and_who_reads_the_outputs_are_found() {
    let (scene, before) = healthy("open");
    let open = clients::Open::write(&scene.brokers, &scene.raw, &[Raw { partition: 1, ..Raw::default() }]);
    assert_new(&scene, &before, &[], &[("warning", "open_transaction", &format!("{}/1", scene.raw))]);
    open.commit();
    assert_new(&scene, &before, &[], &[]);
    let group = format!("{}.subscriber", scene.group);
    let subscriber = clients::Subscriber::of(&scene.brokers, &group, &scene.qualified);
    let (_, report) = report(&scene, &[]);
    let readers = report["findings"].as_array().expect("findings").iter().find(|finding| finding["code"] == "readers");
    assert!(readers.is_some_and(|readers| readers["message"].to_string().contains(&group)), "{report}");
    drop(subscriber);
}

#[test]
fn a_schema_that_must_not_be_registered_and_is_not_is_found() {
    let (scene, before) = healthy("schema");
    let nothing = FakeRegistry::start(|_| Some(fake_registry::json(404, r#"{"error_code":40401,"message":"no such subject"}"#)));
    let registry = format!("encoding.registry={}", nothing.url());
    let arguments = ["--set", &registry, "--set", "encoding.format.routing=avro", "--set", "encoding.register=false"];
    let subject = |topic: &str| format!("{topic}-value");
    let (routing, qualified, unqualified) = (subject(&scene.routing), subject(&scene.qualified), subject(&scene.unqualified));
    let expected = [("error", "schema_refused", &*routing), ("ok", "schema", &*qualified), ("ok", "schema", &*unqualified)];
    assert_new(&scene, &before, &arguments, &expected);
}

#[test]
fn a_twin_is_found_before_it_costs_anything() {
    let (scene, _) = healthy("doctor-twin");
    let same = ["--set", "kafka.instance=same", "--set", "run.lanes=1"];
    let (_, before) = examined(&scene, &same);
    let first = scene.run(&same);
    first.wait_ready();
    assert_new(&scene, &before, &same, &[("info", "instance_running", "kafka.instance same")]);
    let second = scene.run(&same);
    second.wait_ready();
    let name = format!("{}-same-0", scene.group);
    assert_new(&scene, &before, &same, &[("error", "twin_instance", &name)]);
}

#[test]
fn a_broker_that_allows_too_little_is_found_and_one_that_is_away_is_no_finding_of_ours() {
    let properties = "transaction.max.timeout.ms=5000\ngroup.min.session.timeout.ms=10000\n".to_owned();
    let mut broker = Broker::with(|_| Settings { properties, ..Settings::default() });
    let scene = Scene::named("too-little", broker.address());
    let (code, report) = report(&scene, &[]);
    assert_eq!(code, 75);
    let away = report["findings"].as_array().expect("findings").iter().find(|finding| finding["code"] == "broker_away");
    assert!(away.is_some_and(|away| away["message"].to_string().contains("refused")), "{report}");

    broker.start();
    scene.create_topics(2, &[LARGE]);
    let (code, findings) = examined(&scene, &[]);
    let errors: Vec<_> =
        findings.iter().filter(|(severity, ..)| severity == "error").map(|(_, code, subject)| (&**code, &**subject)).collect();
    let id = format!("{}-any-doctor", scene.group);
    assert_eq!(errors, [("session_timeout", "broker 1"), ("transaction_timeout", "broker 1"), ("transactions", &id)]);
    assert_eq!(code, 1);
}

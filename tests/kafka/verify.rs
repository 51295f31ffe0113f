//! `leadstream verify` on a real broker: what is whole is told whole, and each thing that is tampered with is found, by name where
//! records can be decided again, and by the ledger alone where they are gone.

use std::{collections::BTreeMap, thread, time::Duration};

use serde_json::Value;

use super::{
    broker,
    clients::{self, Kept, Open, Raw},
    leads,
    service::{Scene, now_millis},
    waiting::let_pass,
};

/// A scene in which some records were decided, in several transactions: single leads of all kinds, and some of two leads.
pub(crate) fn decided(test: &str, format: &[&str]) -> Scene {
    let scene = Scene::with_topics(test, broker::shared(), 4);
    for part in 0..3 {
        let mut records = leads::records(part * 100..part * 100 + 100, 4, now_millis());
        for raw in records.iter_mut().step_by(10) {
            let value = String::from_utf8(raw.value.take().expect("a value")).expect("text");
            raw.value = Some(if value.contains("leadSource") { format!("[{value},{value}]").into_bytes() } else { value.into_bytes() });
        }
        scene.write(&records);
        let arguments: Vec<_> = ["run", "--once"].iter().chain(format).copied().collect();
        let output = scene.call(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    scene
}

/// What `verify` tells, with its exit code.
pub(crate) fn verify(scene: &Scene, more: &[&str]) -> (Value, i32) {
    let arguments: Vec<_> = ["verify", "--json"].iter().chain(more).copied().collect();
    let output = scene.call(&arguments);
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().expect("an exit code"))
}

/// Something that is done to the records of a topic.
type Deed = fn(&mut Vec<Kept>);

/// A copy of a topic with something done to it, and the setting that makes it the topic.
pub(crate) fn tampered(scene: &Scene, key: &str, topic: &str, partitions: i32, tamper: impl FnOnce(&mut Vec<Kept>)) -> String {
    let mut records = scene.read(topic);
    // As they stand in their partitions.
    records.sort_by_key(|record| (record.partition, record.offset));
    tamper(&mut records);
    let copy = format!("{topic}.tampered.{}", now_millis());
    clients::create_topics(&scene.brokers, &[(&copy, partitions, &[("max.message.bytes", "12000000")])]);
    let records: Vec<Raw> = records
        .into_iter()
        .map(|Kept { partition, key, value, headers, timestamp, .. }| Raw { partition, key, value, headers, timestamp: Some(timestamp) })
        .collect();
    clients::write(&scene.brokers, &copy, &records);
    format!("topics.{key}={copy}")
}

pub(crate) fn id(record: &Kept) -> String {
    record.json()["event_id"].as_str().expect("an id").to_owned()
}

pub(crate) fn names(report: &Value, kind: &str) -> Vec<String> {
    report[kind].as_array().expect("a list").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// That the report tells of these kinds of findings and of no others.
pub(crate) fn assert_kinds(report: &Value, kinds: &[&str]) {
    let counts = report["counts"].as_object().expect("counts");
    let found: Vec<_> = counts.keys().map(String::as_str).collect();
    assert_eq!(found, kinds, "{report:#}");
}

#[test]
fn what_is_whole_is_told_whole_with_the_raw_records_and_without() {
    let scene = decided("whole", &[]);
    for more in [&[][..], &["--against-ledger"]] {
        let (report, exit) = verify(&scene, more);
        assert_kinds(&report, &[]);
        assert_eq!(exit, 0);
        assert_eq!((&report["records"], &report["accounted"]), (&300.into(), &300.into()), "{report:#}");
        assert!(report["leads"].as_u64() > Some(200) && report["entries"].as_u64() >= Some(12), "{report:#}");
    }
    // Records that are not decided yet are none of its business.
    scene.write(&leads::records(0..8, 4, now_millis()));
    let (report, exit) = verify(&scene, &[]);
    assert_eq!((exit, &report["records"]), (0, &300.into()), "{report:#}");
    // What the raw topic no longer has, the ledger still tells of.
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 50), (1, 10)]));
    let (report, exit) = verify(&scene, &[]);
    assert!(exit == 0 && report["records"].as_u64() < Some(300), "{report:#}");
    let (report, exit) = verify(&scene, &["--against-ledger"]);
    assert_eq!((exit, &report["records"]), (0, &300.into()), "{report:#}");
    // What stands behind somebody's open transaction is waited for.
    let open = Open::write(&scene.brokers, &scene.qualified, &[Raw { value: Some(b"theirs".to_vec()), ..Raw::default() }]);
    thread::scope(|scope| {
        let verified = scope.spawn(|| verify(&scene, &[]));
        let_pass(Duration::from_secs(3));
        open.abort();
        let (report, exit) = verified.join().expect("it ends");
        assert_eq!((exit, report["counts"].as_object().map(serde_json::Map::len)), (0, Some(0)), "{report:#}");
    });
    let turned = scene.call(&["verify", "--from", "latest", "--to", "earliest"]);
    assert_eq!(turned.status.code(), Some(64));
    // A promoted replay and a later run leave it whole.
    let replay = scene.call(&["replay", "--from", "earliest", "--to", "latest", "--id", "again", "--promote", "--yes"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let run = scene.call(&["run", "--once"]);
    assert!(run.status.success());
    let (report, exit) = verify(&scene, &["--against-ledger"]);
    assert_eq!((exit, &report["records"]), (0, &308.into()), "{report:#}");
    assert!(report["replayed"].as_u64() > Some(100), "{report:#}");
}

fn assert_reasons_are_held(scene: &Scene) {
    // Another reason than was written.
    let mut relabelled = String::new();
    let dead = tampered(scene, "dead_letter", &scene.dead_letter, 3, |records| {
        let code = records[2].headers.iter_mut().find(|(name, _)| name == "dlq-code").expect("a code");
        code.1 = Some(b"too_deep".to_vec());
        relabelled = format!("{}/{}/{}/dead-letter", scene.raw, records[2].header("dlq-partition"), records[2].header("dlq-offset"));
    });
    let (report, exit) = verify(scene, &["--set", &dead]);
    assert_kinds(&report, &["changed"]);
    assert_eq!((names(&report, "changed"), exit), (vec![relabelled], 1));
    let (report, _) = verify(scene, &["--set", &dead, "--against-ledger"]);
    assert_kinds(&report, &["changed"]);

    // One thing hides no other.
    let qualified = tampered(scene, "qualified", &scene.qualified, 3, |records| {
        let copy = records[0].clone();
        let (partition, source) = (copy.partition, copy.json()["source"]["partition"].clone());
        records.retain(|record| {
            record.partition != partition || record.json()["source"]["partition"] != source || record.offset == copy.offset
        });
        records.insert(1, copy);
    });
    let (report, exit) = verify(scene, &["--set", &qualified, "--against-ledger"]);
    assert_kinds(&report, &["duplicated", "missing"]);
    assert_eq!(exit, 1);
}

fn assert_doubles_are_found(scene: &Scene) {
    // Doubled, where it stands and at the end.
    for at_the_end in [false, true] {
        let mut twice = String::new();
        let unqualified = tampered(scene, "unqualified", &scene.unqualified, 3, |records| {
            let copy = records[5].clone();
            twice = id(&copy);
            let end = records.iter().rposition(|record| record.partition == copy.partition).expect("itself");
            records.insert(if at_the_end { end + 1 } else { 6 }, copy);
        });
        for more in [&[][..], &["--against-ledger"]] {
            let (report, exit) = verify(scene, &[&["--set", &unqualified], more].concat());
            assert_kinds(&report, &["duplicated"]);
            assert_eq!((names(&report, "duplicated"), exit), (vec![twice.clone()], 1));
        }
    }
}

#[test]
fn each_thing_that_is_tampered_with_is_found_and_named() {
    let scene = decided("tampered", &[]);
    // Deleted.
    let mut lost = Vec::new();
    let routing = tampered(&scene, "routing", &scene.routing, 3, |records| lost.push(id(&records.remove(records.len() / 2))));
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| lost.push(id(&records.remove(7))));
    let both = ["--set", &routing, "--set", &qualified];
    let (report, exit) = verify(&scene, &both);
    assert_kinds(&report, &["missing"]);
    let (mut missing, wanted) = (names(&report, "missing"), {
        lost.sort();
        lost
    });
    missing.sort();
    assert_eq!((missing, exit, &report["accounted"]), (wanted, 1, &298.into()));
    let (report, exit) = verify(&scene, &[&both[..], &["--against-ledger"]].concat());
    assert_kinds(&report, &["missing"]);
    assert_eq!((names(&report, "missing").len(), exit), (2, 1));

    let mut all_of = String::new();
    let dead = tampered(&scene, "dead_letter", &scene.dead_letter, 3, |records| {
        let gone = records.remove(3);
        all_of = format!("{}/{}/{}", scene.raw, gone.header("dlq-partition"), gone.header("dlq-offset"));
    });
    let (report, _) = verify(&scene, &["--set", &dead]);
    assert_kinds(&report, &["missing"]);
    assert_eq!(names(&report, "missing"), [format!("{all_of}/dead-letter")]);

    assert_reasons_are_held(&scene);
    assert_doubles_are_found(&scene);

    // Swapped.
    let mut swapped = String::new();
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
        let source = |record: &Kept| (record.partition, record.json()["source"]["partition"].as_i64());
        let (first, second) = (0..records.len())
            .find_map(|first| {
                (first + 1..records.len()).find(|second| source(&records[*second]) == source(&records[first])).map(|second| (first, second))
            })
            .expect("two of one partition");
        swapped = id(&records[first]);
        records.swap(first, second);
    });
    for more in [&[][..], &["--against-ledger"]] {
        let (report, exit) = verify(&scene, &[&["--set", &qualified], more].concat());
        assert_kinds(&report, &["reordered"]);
        assert_eq!((names(&report, "reordered"), exit), (vec![swapped.clone()], 1));
    }

    // Changed: a word in a value, and a key.
    let mut changed = String::new();
    let routing = tampered(&scene, "routing", &scene.routing, 3, |records| {
        changed = id(&records[9]);
        let value = String::from_utf8(records[9].value.take().expect("a value")).expect("text");
        assert!(value.contains("Granite Bank"));
        records[9].value = Some(value.replace("Granite Bank", "Granite Bang").into_bytes());
    });
    let (report, exit) = verify(&scene, &["--set", &routing]);
    assert_kinds(&report, &["changed"]);
    assert_eq!((names(&report, "changed"), exit), (vec![changed], 1));
    let (report, _) = verify(&scene, &["--set", &routing, "--against-ledger"]);
    assert_kinds(&report, &["changed"]);
    let mut moved = String::new();
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
        moved = id(&records[4]);
        records[4].key = Some(b"somebody else".to_vec());
    });
    let (report, _) = verify(&scene, &["--set", &qualified]);
    assert_kinds(&report, &["changed"]);
    assert_eq!(names(&report, "changed"), [moved]);

    // Something that nothing led to.
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
        let second = records.iter().position(|record| id(record).ends_with("/1/qualified")).expect("a record of two leads");
        let mut forged = records[second].clone();
        let text = String::from_utf8(forged.value.take().expect("a value")).expect("text");
        let (own, other) = (id(&records[second]), id(&records[second]).replace("/1/qualified", "/7/qualified"));
        forged.value = Some(text.replace(&own, &other).into_bytes());
        records.insert(second + 1, forged);
    });
    let (report, exit) = verify(&scene, &["--set", &qualified]);
    assert_kinds(&report, &["unexpected"]);
    assert_eq!(exit, 1);
    // Without the rules of then, what is wrong is told by its range.
    let rules = scene.path("other.toml");
    std::fs::write(&rules, "[ruleset]\nname = \"other\"\nversion = \"1\"\nextends = \"default\"\n[policy]\nlate_after = \"1h\"\n")
        .expect("written");
    let routing = tampered(&scene, "routing", &scene.routing, 3, |records| drop(records.remove(1)));
    let (report, exit) = verify(&scene, &["--set", &routing, "--rules", rules.to_str().expect("a path")]);
    assert_kinds(&report, &["missing"]);
    let missing = names(&report, "missing");
    assert!(exit == 1 && missing.len() == 1 && missing[0].contains("1 of") && missing[0].contains("routed"), "{missing:?}");
}

#[test]
fn a_ledger_that_is_tampered_with_is_found_and_one_that_is_not_there_is_done_without() {
    let scene = decided("ledger", &[]);
    let cases: [(&str, Deed); 6] = [
        ("no entry covers", |records| drop(records.remove(2))),
        ("entries before the first are gone", |records| {
            let key = records[0].key.clone();
            let first = records.iter().position(|record| record.key == key).expect("one");
            records.remove(first);
        }),
        ("is there twice", |records| {
            let copy = records[1].clone();
            records.insert(2, copy);
        }),
        ("its chain is not its own", |records| {
            let text = String::from_utf8(records[1].value.take().expect("a value")).expect("text");
            records[1].value = Some(text.replace("\"routed\":", "\"routed\":1").into_bytes());
        }),
        ("it is said to cover offsets from", |records| {
            let text = String::from_utf8(records[1].value.take().expect("a value")).expect("text");
            records[1].value = Some(text.replace("\"from\":", "\"from\":9").into_bytes());
        }),
        ("no entry of the ledger", |records| records[1].value = Some(b"{}".to_vec())),
    ];
    for (told, tamper) in cases {
        let ledger = tampered(&scene, "ledger", &scene.ledger, 2, tamper);
        for more in [&[][..], &["--against-ledger"]] {
            let (report, exit) = verify(&scene, &[&["--set", &ledger], more].concat());
            let found = names(&report, "ledger");
            assert!(exit == 1 && found.iter().any(|found| found.contains(told)), "{told}: {report:#}");
        }
    }
    // The last entries are gone: the group stands behind what is left.
    let ledger = tampered(&scene, "ledger", &scene.ledger, 2, |records| {
        let key = records.last().expect("some").key.clone();
        let last = records.iter().rposition(|record| record.key == key).expect("one");
        records.remove(last);
    });
    let (report, exit) = verify(&scene, &["--set", &ledger]);
    assert!(exit == 1 && names(&report, "ledger").iter().any(|found| found.contains("the group stands behind them")), "{report:#}");

    let (report, exit) = verify(&scene, &["--set", "topics.ledger=not-there"]);
    assert_kinds(&report, &["ledger"]);
    assert!(exit == 1 && names(&report, "ledger")[0].contains("carries the chain of one"), "{report:#}");
    let (report, exit) = verify(&scene, &["--set", "topics.ledger="]);
    assert_kinds(&report, &[]);
    assert!(exit == 0 && report["notes"][0].as_str().is_some_and(|note| note.contains("no ledger")), "{report:#}");
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| drop(records.remove(7)));
    let (report, exit) = verify(&scene, &["--set", "topics.ledger=", "--set", &qualified]);
    assert_kinds(&report, &["missing"]);
    assert_eq!(exit, 1);
    let output = scene.call(&["verify", "--against-ledger", "--set", "topics.ledger="]);
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_run_that_keeps_no_ledger_in_between_and_offsets_that_somebody_sets_are_told() {
    let scene = decided("between", &[]);
    scene.write(&leads::records(300..340, 4, now_millis()));
    assert!(scene.call(&["run", "--once", "--set", "run.delivery=at-least-once"]).status.success());
    scene.write(&leads::records(340..380, 4, now_millis()));
    assert!(scene.call(&["run", "--once"]).status.success());
    let (report, exit) = verify(&scene, &[]);
    assert_kinds(&report, &["ledger"]);
    assert!(exit == 1 && names(&report, "ledger").iter().all(|found| found.contains("no entry covers")), "{report:#}");
    assert_eq!((&report["accounted"], report["notes"].as_array().map(Vec::len)), (&380.into(), Some(4)), "{report:#}");
    // Decided twice, since somebody has set the group back.
    clients::set_offsets(&scene.brokers, &scene.group, &scene.raw, &BTreeMap::from([(2, 90)]));
    let (report, exit) = verify(&scene, &[]);
    assert!(exit == 1 && names(&report, "ledger").iter().any(|found| found.contains("its offset was set back")), "{report:#}");
    assert!(scene.call(&["run", "--once"]).status.success());
    let (report, exit) = verify(&scene, &[]);
    assert!(exit == 1 && names(&report, "ledger").iter().any(|found| found.contains("stand in two entries")), "{report:#}");
    assert!(report["counts"]["duplicated"].as_u64() > Some(3) && report["counts"]["missing"].is_null(), "{report:#}");
}

#[test]
fn avro_is_read_as_it_is_written() {
    let scene = decided("avro-ledger", &["--set", "encoding.format=avro", "--set", "encoding.format.ledger=avro"]);
    let (report, exit) = verify(&scene, &["--set", "encoding.format=avro"]);
    assert_kinds(&report, &[]);
    assert_eq!((exit, &report["accounted"]), (0, &300.into()), "{report:#}");
    let routing = tampered(&scene, "routing", &scene.routing, 3, |records| drop(records.remove(1)));
    let (report, exit) = verify(&scene, &["--set", "encoding.format=avro", "--set", &routing]);
    assert_kinds(&report, &["missing"]);
    let missing = names(&report, "missing");
    assert!(exit == 1 && missing.len() == 1 && missing[0].contains("/routed/"), "{missing:?}");
}

#[test]
fn a_ledger_whose_topic_is_not_there_is_made_and_other_groups_in_it_are_passed_over() {
    let scene = Scene::named("made", broker::shared());
    let topics = [&scene.raw, &scene.qualified, &scene.unqualified, &scene.routing, &scene.dead_letter];
    clients::create_topics(&scene.brokers, &topics.map(|name| (name.as_str(), 2, &[][..])));
    scene.write(&leads::records(0..40, 2, now_millis()));
    let first = scene.call(&["run", "--once"]);
    let lines = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success() && lines.contains("made the topic"), "{lines}");
    // Somebody else decides the same leads to topics of their own, and has left the ledger as it was.
    let theirs: Vec<String> = ["qualified", "unqualified", "routing", "dead_letter"]
        .iter()
        .flat_map(|key| ["--set".to_owned(), format!("topics.{key}={}.theirs.{}", scene.group, key.replace('_', "-"))])
        .chain(["--set".to_owned(), format!("kafka.group={}.theirs", scene.group)])
        .collect();
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    assert!(scene.call(&[&["topics", "create", "--partitions", "2"][..], &theirs].concat()).status.success());
    assert!(scene.call(&[&["run", "--once"][..], &theirs].concat()).status.success());
    for who in [&[][..], &theirs] {
        let (report, exit) = verify(&scene, who);
        assert_kinds(&report, &[]);
        assert_eq!((exit, &report["accounted"], &report["entries"]), (0, &40.into(), &2.into()), "{report:#}");
    }
}

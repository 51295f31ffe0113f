//! Dead letters made by a wrong setting, set right and retried, with a process that is killed in the middle; everything counted from the
//! topics alone. An outside reader tells what is settled from the topic of that, as its record keys and ranges say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::Value;

use super::{
    broker,
    clients::{self, Kept, Raw},
    disturbed::Disturbed,
    leads::{Dice, Expected, PRIVATE, lead, records, with_note},
    outcomes::Outcomes,
    proxy::{Action, Api},
    service::{SOON, Scene, now_millis},
    verify::{assert_kinds, names, tampered, verify},
    waiting::{let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 3;
/// Every lead of `leads` but the unknown ones is nested deeper than this, in a list.
const TOO_LOW: &str = "limits.depth=2";

/// Records of these leads, each in a list of its own.
fn in_lists(numbers: std::ops::Range<usize>) -> Vec<Raw> {
    let mut all = records(numbers, PARTITIONS, now_millis());
    for raw in &mut all {
        let value = raw.value.take().expect("a value");
        raw.value = Some([b"[", value.as_slice(), b"]"].concat());
    }
    all
}

/// Positions in the dead-letter topic that are settled.
fn settled(scene: &Scene) -> BTreeSet<(i32, i64)> {
    let topic = format!("{}.settled", scene.dead_letter);
    if !clients::has_topic(&scene.brokers, &topic) {
        return BTreeSet::new();
    }
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.expect("not null")).expect("text");
    let last: BTreeMap<String, String> = scene.read(&topic).into_iter().map(|kept| (text(kept.key), text(kept.value))).collect();
    let mut found = BTreeSet::new();
    for (key, told) in last {
        let (partition, _) = key.strip_prefix(&format!("{}/", scene.dead_letter)).and_then(|rest| rest.split_once('/')).expect("its key");
        for letter in told.split(',') {
            let (offset, what) = letter.split_once('=').expect("what was written for it");
            let (fate, digest) = what.split_once(':').expect("a digest");
            assert!(["decided", "rejected", "parked"].contains(&fate) && digest.len() == 16, "{told}");
            found.insert((partition.parse().expect("a number"), offset.parse().expect("a number")));
        }
    }
    found
}

/// All that is committed, but dead letters that are settled.
fn outcomes(scene: &Scene) -> Outcomes {
    let settled = settled(scene);
    let mut outcomes = Outcomes::read(scene);
    let before = outcomes.dead_letter.len();
    outcomes.dead_letter.retain(|dead| !settled.contains(&(dead.partition, dead.offset)));
    assert_eq!(outcomes.dead_letter.len() + settled.len(), before, "what is settled is a dead letter");
    outcomes
}

/// Writes leads and decides them under the wrong setting.
fn made_by_a_wrong_setting(scene: &Scene, leads: usize) -> (Vec<Raw>, Vec<(i32, i64)>) {
    let all = in_lists(0..leads);
    let offsets = scene.write(&all);
    let positions: Vec<_> = all.iter().zip(&offsets).map(|(raw, offset)| (raw.partition, *offset)).collect();
    let decided = scene.call(&["run", "--once", "--set", TOO_LOW, "--set", "rules.test=false"]);
    assert_eq!(decided.status.code(), Some(0), "{}", String::from_utf8_lossy(&decided.stderr));
    let wrong = |number: usize| if number % 8 == 3 { "unknown_format" } else { "too_deep" };
    let expected = positions.iter().enumerate().map(|(number, at)| (*at, Expected::DeadLetter(wrong(number)))).collect();
    outcomes(scene).assert_each_exactly_once(&expected);
    (all, positions)
}

fn assert_all_is_right(scene: &Scene, all: &[Raw], positions: &[(i32, i64)]) {
    let expected: BTreeMap<_, _> = positions.iter().enumerate().map(|(number, at)| (*at, lead(number).1)).collect();
    let outcomes = outcomes(scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_bytes(scene, &positions.iter().copied().zip(all).collect::<Vec<_>>());
    let events = outcomes.qualified.iter().chain(&outcomes.unqualified).chain(&outcomes.routing);
    assert!(events.into_iter().all(|event| event.header("lead-replay") == "dlq-retry"));
}

fn json(scene: &Scene, arguments: &[&str]) -> Value {
    let output = scene.call(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn what_a_wrong_setting_made_is_set_right_once_whenever_a_retry_is_killed() {
    let (leads, kills) = (super::kills::number("LEADSTREAM_KILL_LEADS", 12_000), super::kills::number("LEADSTREAM_KILLS", 6));
    let seed = Dice::seed();
    println!("LEADSTREAM_SEED={seed}: {leads} leads, {kills} kills");
    let mut dice = Dice::new(seed);
    let scene = Scene::with_topics("dlq-kills", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    let (all, positions) = made_by_a_wrong_setting(&scene, leads);

    let dry = json(&scene, &["dlq", "retry", "--code", "too_deep"]);
    assert_eq!((dry["committed"].as_bool(), dry["decided"].as_u64()), (Some(false), Some(leads as u64 / 8 * 6)), "{dry}");
    assert_eq!(dry["rejected"]["malformed_json"].as_u64(), Some(leads as u64 / 8), "{dry}");
    assert!(settled(&scene).is_empty(), "a look settles nothing");

    let mut in_the_middle = 0;
    let observer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &scene.brokers).create().expect("good settings");
    let topic = format!("{}.settled", scene.dead_letter);
    let end = || observer.fetch_watermarks(&topic, 0, SOON).map_or(0, |(_, end)| end);
    for kill in 0..kills {
        // Each transaction adds a record and a marker.
        let enough = end() + 2 * i64::try_from(dice.below(4)).expect("a few");
        let mut retry = scene.start(&["dlq", "retry", "--commit", "--code", "too_deep"]);
        let state = || format!("seed {seed}, kill {kill}: the record is to come to {enough}\n{}", retry.lines());
        wait_for("something is settled between two kills", SOON, state, || (retry.has_ended() || end() > enough).then_some(()));
        let_pass(Duration::from_millis(dice.below(60) as u64));
        in_the_middle += usize::from(!retry.has_ended());
        retry.kill();
        println!("kill {kill}: the record ends at {}", end());
    }
    let mut last = scene.start(&["dlq", "retry", "--commit", "--code", "too_deep"]);
    assert_eq!(last.exit_within(2 * SOON), 0, "{}", last.lines());
    println!("{in_the_middle} of {kills} kills hit a retry at work");
    assert!(in_the_middle > 0, "no kill hit a retry at work");
    assert_all_is_right(&scene, &all, &positions);

    // Once more there is nothing to do, and what was rejected again waits with its second attempt.
    let again = json(&scene, &["dlq", "retry", "--commit", "--code", "too_deep"]);
    assert_eq!((again["decided"].as_u64(), &again["rejected"]), (Some(0), &serde_json::json!({})), "{again}");
    let attempts = |dead: &Kept| dead.header("dlq-attempt").to_owned();
    let of_code = |code: &str| outcomes(&scene).dead_letter.iter().filter(|dead| dead.header("dlq-code") == code).map(attempts).collect();
    let (again, untouched): (BTreeSet<String>, BTreeSet<String>) = (of_code("malformed_json"), of_code("unknown_format"));
    assert_eq!((again, untouched), (BTreeSet::from(["2".to_owned()]), BTreeSet::from(["1".to_owned()])));
    assert_retries_are_held(&scene, leads);
}

/// That `verify` finds what a retry wrote whole, with the raw records and without, and what is done to it.
fn assert_retries_are_held(scene: &Scene, leads: usize) {
    for more in [&[][..], &["--against-ledger"]] {
        let (report, exit) = verify(scene, more);
        assert_kinds(&report, &[]);
        assert_eq!((exit, &report["accounted"]), (0, &leads.into()), "{report:#}");
        let with = |deed: fn(&mut Vec<Kept>)| {
            let routing = tampered(scene, "routing", &scene.routing, 3, deed);
            let (report, exit) = verify(scene, &[&["--set", &routing][..], more].concat());
            assert_eq!((exit, &report["accounted"]), (1, &(leads - 1).into()), "{report:#}");
            report
        };
        assert_kinds(&with(|records| drop(records.remove(9))), &["changed"]);
        assert_kinds(&with(|records| records.insert(9, records[9].clone())), &["duplicated"]);
        let changed = with(|records| records[9].headers.push(("x".to_owned(), None)));
        assert_kinds(&changed, &["changed"]);
        let told = names(&changed, "changed").remove(0);
        assert!(told.contains(&format!(": what came of the dead letter {}/", scene.dead_letter)), "{told}");
    }
}

#[test]
fn a_retry_whose_transactions_end_in_doubt_settles_each_dead_letter_once() {
    let disturbed = Disturbed::with_partitions("dlq-doubts", i32::try_from(PARTITIONS).expect("a few"));
    let Disturbed { scene, proxy, .. } = &disturbed;
    let (all, positions) = made_by_a_wrong_setting(scene, 6_000);
    let ends = AtomicU64::new(0);
    proxy.rule(move |request| match request.commits.map(|_| ends.fetch_add(1, Ordering::Relaxed) % 3) {
        Some(1) => Action::DeliverLate(Duration::from_millis(1_200)),
        Some(2) => Action::CutAfter,
        _ => Action::Pass,
    });
    let brokers = format!("kafka.brokers={}", proxy.address());
    let mut retry = scene.start(&["dlq", "retry", "--commit", "--code", "too_deep", "--set", &brokers]);
    assert_eq!(retry.exit_within(2 * SOON), 0, "{}\n{:?}", retry.lines(), proxy.done());
    println!("{:?}", proxy.done());
    let done = proxy.done();
    let times = |action| done.get(&(Api::EndTxn, action)).copied().unwrap_or_default();
    assert!(times("deliver_late") > 1 && times("cut_after") > 1, "{done:?}");
    proxy.pass_all();
    wait_until("no transaction is open", SOON, || clients::settled(&scene.brokers, &scene.outputs()));
    assert_all_is_right(scene, &all, &positions);
}

#[test]
fn two_retries_at_once_settle_each_dead_letter_once() {
    let scene = Scene::with_topics("dlq-twins", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    let (all, positions) = made_by_a_wrong_setting(&scene, 4_000);
    let mut twins: Vec<_> = (0..3).map(|_| scene.start(&["dlq", "retry", "--commit", "--code", "too_deep"])).collect();
    let ends: Vec<_> = twins.iter_mut().map(|twin| (twin.exit_within(2 * SOON), twin.lines())).collect();
    for (exit, lines) in &ends {
        assert!(*exit == 0 || *exit == 75 && lines.contains("has taken over"), "{ends:?}");
    }
    assert!(ends.iter().any(|(exit, _)| *exit == 0), "{ends:?}");
    assert_all_is_right(&scene, &all, &positions);
}

#[test]
fn what_is_rejected_again_and_again_is_parked_and_what_is_parked_is_not_retried() {
    let scene = Scene::with_topics("dlq-park", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    // Of 24 leads three are of unknown format and three malformed.
    scene.write(&records(0..24, PARTITIONS, now_millis()));
    assert_eq!(scene.call(&["run", "--once"]).status.code(), Some(0));
    let first_failed: BTreeSet<_> = outcomes(&scene).dead_letter.iter().map(|dead| dead.header("dlq-first-failed-at").to_owned()).collect();
    let retry = |expected: [u64; 2]| {
        let told = json(&scene, &["dlq", "retry", "--commit", "--code", "malformed_json"]);
        let count = |what: &str| told[what]["malformed_json"].as_u64().unwrap_or(0);
        assert_eq!([count("rejected"), count("parked")], expected, "{told}");
    };
    retry([3, 0]);
    retry([3, 0]);
    retry([0, 3]);
    retry([0, 0]);
    let parked = scene.read(&format!("{}.parked", scene.dead_letter));
    assert_eq!(parked.len(), 3);
    for dead in &parked {
        assert_eq!((dead.header("dlq-attempt"), dead.header("dlq-code")), ("4", "malformed_json"));
        assert!(first_failed.contains(dead.header("dlq-first-failed-at")), "{first_failed:?}");
    }

    // Retried where it is parked, it stays there as it is, however often.
    let parked_topic = format!("{}.parked", scene.dead_letter);
    for _ in 0..2 {
        let told = json(&scene, &["dlq", "retry", "--commit", "--topic", &parked_topic]);
        assert_eq!((told["left"]["rejected_again"].as_u64(), &told["parked"]), (Some(3), &serde_json::json!({})), "{told}");
    }
    assert_eq!(scene.read(&parked_topic).len(), 3);

    // The others are parked by hand, as they are.
    let open = outcomes(&scene).dead_letter;
    assert_eq!(open.len(), 3);
    let dry = json(&scene, &["dlq", "park", "--code", "unknown_format"]);
    assert_eq!((dry["committed"].as_bool(), dry["parked"]["unknown_format"].as_u64()), (Some(false), Some(3)));
    let at = format!("{}/{}/{}", scene.dead_letter, open[0].partition, open[0].offset);
    assert_eq!(json(&scene, &["dlq", "park", "--commit", "--at", &at])["parked"]["unknown_format"].as_u64(), Some(1));
    assert_eq!(json(&scene, &["dlq", "park", "--commit", "--code", "unknown_format"])["parked"]["unknown_format"].as_u64(), Some(2));
    let parked = scene.read(&format!("{}.parked", scene.dead_letter));
    let as_it_is = |dead: &Kept| (dead.key.clone(), dead.value.clone(), dead.headers.clone());
    let by_hand: Vec<_> = parked.iter().filter(|dead| dead.header("dlq-code") == "unknown_format").map(as_it_is).collect();
    assert_eq!(by_hand.len(), 3);
    assert!(open.iter().map(as_it_is).all(|dead| by_hand.contains(&dead)));
    assert_eq!(json(&scene, &["dlq", "ls"])["open"].as_u64(), Some(0));

    // What is parked is held against what is settled, too.
    let (report, exit) = verify(&scene, &[]);
    assert_kinds(&report, &[]);
    assert_eq!(exit, 0);
    let ends: BTreeMap<i32, i64> = parked.iter().map(|dead| (dead.partition, dead.offset + 1)).collect();
    clients::delete_records(&scene.brokers, &format!("{}.parked", scene.dead_letter), &ends);
    let (report, exit) = verify(&scene, &[]);
    assert_kinds(&report, &["missing"]);
    assert_eq!((names(&report, "missing").len(), exit), (6, 1), "{report:#}");
}

#[test]
fn a_value_that_was_left_out_is_read_where_it_came_from_as_long_as_it_is_there() {
    let scene = Scene::with_topics("dlq-large", broker::shared(), 1);
    let large = |number| Raw { value: Some(with_note(number, 3_000)), ..Raw::default() };
    scene.write(&[large(0), large(1)]);
    let decided = scene.call(&["run", "--once", "--set", "limits.record_bytes=2000", "--set", "rules.test=false"]);
    assert_eq!(decided.status.code(), Some(0), "{}", String::from_utf8_lossy(&decided.stderr));
    assert!(outcomes(&scene).dead_letter.iter().all(|dead| dead.value.is_none() && dead.header("dlq-code") == "too_large"));
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 1)]));
    let done = json(&scene, &["dlq", "retry", "--commit"]);
    assert_eq!((done["leads"]["QUALIFIED"].as_u64(), done["left"]["no_value"].as_u64()), (Some(1), Some(1)), "{done}");
    let ids: Vec<_> = scene.read(&scene.qualified).iter().map(|event| event.json()["event_id"].clone()).collect();
    assert_eq!(ids, [format!("{}/0/1/0/qualified", scene.raw)]);
    assert_eq!(json(&scene, &["dlq", "ls"])["open"].as_u64(), Some(1));
}

#[test]
fn dead_letters_are_listed_by_cause_and_shown_without_a_word_of_anybody() {
    let scene = Scene::with_topics("dlq-shown", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    scene.write(&in_lists(0..48));
    assert_eq!(scene.call(&["run", "--once"]).status.code(), Some(0));
    let listed = json(&scene, &["dlq", "ls"]);
    let groups = listed["groups"].as_array().expect("groups");
    let told: Vec<_> = groups.iter().map(|group| (group["code"].as_str(), group["count"].as_u64())).collect();
    assert_eq!(told, [(Some("malformed_json"), Some(6)), (Some("unknown_format"), Some(6))]);
    assert_eq!(groups[0]["topics"], serde_json::json!([scene.raw]));
    let text = |arguments: &[&str]| {
        let output = scene.call(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let example = groups[0]["example"].as_str().expect("a position");
    let shown = json(&scene, &["dlq", "show", example]);
    assert_eq!((shown["code"].as_str(), shown["now"]["outcome"].as_str()), (Some("malformed_json"), Some("REJECTED")), "{shown}");
    assert!(shown["advice"].as_str().is_some_and(|advice| advice.contains("comma")), "{shown}");
    // By the place where its record stood it is the same one.
    assert_eq!(json(&scene, &["dlq", "show", shown["origin"].as_str().expect("a position")]), shown);
    let deeper = json(&scene, &["dlq", "show", example, "--set", TOO_LOW]);
    assert_eq!(deeper["now"]["why"], serde_json::json!(["too_deep"]));
    for told in [text(&["dlq", "ls"]), listed.to_string(), text(&["dlq", "show", example]), shown.to_string()] {
        assert!(PRIVATE.iter().all(|word| !told.contains(word)), "{told}");
    }
    assert!(text(&["dlq", "show", example, "--with-personal-data"]).contains("Zyxenia"));
    let nothing = scene.call(&["dlq", "show", &format!("{}/0/99", scene.dead_letter)]);
    assert_eq!(nothing.status.code(), Some(64));
}

#[test]
fn dead_letters_of_other_programs_are_read_and_retried() {
    let scene = Scene::with_topics("dlq-dialects", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    let header = |name: &str, value: &[u8]| (name.to_owned(), Some(value.to_vec()));
    let spring = vec![
        header("kafka_dlt-original-topic", scene.raw.as_bytes()),
        header("kafka_dlt-original-partition", &1_i32.to_be_bytes()),
        header("kafka_dlt-original-offset", &300_i64.to_be_bytes()),
        header("kafka_dlt-original-timestamp", &1_793_491_200_000_i64.to_be_bytes()),
        header("kafka_dlt-exception-cause-fqcn", b"java.lang.IllegalStateException"),
        header("kafka_dlt-exception-message", b"cannot store Zyxenia Quillfeather"),
    ];
    let connect = vec![
        header("__connect.errors.topic", scene.raw.as_bytes()),
        header("__connect.errors.partition", b"2"),
        header("__connect.errors.offset", b"7"),
        header("__connect.errors.stage", b"VALUE_CONVERTER"),
        header("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
    ];
    let dead = |headers: Vec<_>| Raw { value: Some(lead(0).0), headers, timestamp: Some(1_793_491_200_000), ..Raw::default() };
    let topic = format!("{}.theirs", scene.group);
    clients::create_topics(&scene.brokers, &[(&topic, 1, &[])]);
    clients::write(&scene.brokers, &topic, &[dead(spring), dead(connect), dead(Vec::new())]);

    let listed = json(&scene, &["dlq", "ls", "--topic", &topic]);
    let told = |key: &str| -> BTreeSet<_> {
        listed["groups"].as_array().expect("groups").iter().map(|group| group[key].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(told("dialect"), ["kafka_connect", "spring"].map(str::to_owned).into());
    assert_eq!(told("code"), ["DataException", "IllegalStateException"].map(str::to_owned).into());
    assert_eq!((listed["open"].as_u64(), listed["no_dead_letters"].as_u64()), (Some(2), Some(1)), "{listed}");
    assert!(PRIVATE.iter().all(|word| !listed.to_string().contains(word)), "{listed}");

    // Their codes are theirs to name, and what would help follows from what leadstream would make of the record.
    let of_code = json(&scene, &["dlq", "ls", "--topic", &topic, "--code", "DataException"]);
    assert_eq!(of_code["open"].as_u64(), Some(1), "{of_code}");
    let advice = |offset: i64| {
        let shown = json(&scene, &["dlq", "show", &format!("{topic}/0/{offset}"), "--topic", &topic]);
        shown["advice"].as_str().expect("advice").to_owned()
    };
    assert!(advice(0).contains(&format!("dlq retry --topic {topic} --at {topic}/0/0 --commit")), "{}", advice(0));
    assert!(advice(2).contains("no dead letter"), "{}", advice(2));

    let done = json(&scene, &["dlq", "retry", "--topic", &topic, "--commit"]);
    assert_eq!((done["decided"].as_u64(), done["left"]["no_dead_letter"].as_u64()), (Some(2), Some(1)), "{done}");
    let parked = json(&scene, &["dlq", "park", "--topic", &topic, "--from", "2026-01-01T00:00:00Z", "--commit"]);
    assert_eq!((&parked["parked"], parked["left"]["no_dead_letter"].as_u64()), (&serde_json::json!({}), Some(1)), "{parked}");
    let ids: BTreeSet<_> =
        scene.read(&scene.qualified).iter().map(|event| event.json()["event_id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids, [(1, 300), (2, 7)].map(|(partition, offset)| format!("{}/{partition}/{offset}/0/qualified", scene.raw)).into());
    assert_eq!(json(&scene, &["dlq", "retry", "--topic", &topic, "--commit"])["decided"].as_u64(), Some(0));
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_read() {
    let scene = Scene::with_topics("dlq-refused", broker::shared(), 1);
    let refused = |arguments: &[&str]| {
        let output = scene.call(&[&["dlq"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {told}");
        told
    };
    for verb in [&["ls"][..], &["retry"], &["retry", "--commit"], &["park"]] {
        let slip = refused(&[verb, &["--code", "to_deep"]].concat());
        assert!(slip.contains("did you mean \"too_deep\"?"), "{slip}");
        let elsewhere = refused(&[verb, &["--code", "too_deep", "--topic", "no.such.topic"]].concat());
        assert!(elsewhere.contains("there is no topic no.such.topic"), "{elsewhere}");
        let turned = refused(&[verb, &["--from", "2026-02-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"]].concat());
        assert!(turned.contains("--from lies behind --to"), "{turned}");
    }
    refused(&["show", &format!("{}/0/0", scene.raw), "--topic", "no.such.topic"]);
    assert!(!clients::has_topic(&scene.brokers, &format!("{}.settled", scene.dead_letter)), "nothing was made");
}

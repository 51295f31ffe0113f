//! What replays and retries write again, on a real broker: never what the other has written, and `verify` counts what was lost and is
//! there again, and nothing else. And what `verify` proves when raw topic or offsets are gone, and of what somebody forged.

use std::collections::BTreeMap;

use super::{
    broker,
    clients::{self, Kept, Raw},
    leads,
    outcomes::Outcomes,
    replay::replay,
    service::{Scene, now_millis},
    verify::{assert_kinds, decided, id, names, tampered, verify},
};

const ALL: [&str; 4] = ["--from", "earliest", "--to", "latest"];

/// Other rules than the default's, which decide the same and say who they are.
fn other_rules(scene: &Scene) -> String {
    let rules = scene.path("other.toml");
    std::fs::write(&rules, "[ruleset]\nname = \"other\"\nversion = \"1\"\nextends = \"default\"\n").expect("written");
    rules.to_str().expect("a path").to_owned()
}

#[test]
fn what_was_lost_and_a_replay_wrote_again_as_it_was_is_there_and_what_it_wrote_otherwise_is_not() {
    let scene = decided("restored", &[]);
    // A dead letter whose record had a header of that name itself.
    let own = ("lead-replay".to_owned(), Some(b"theirs".to_vec()));
    scene.write(&[Raw { value: Some(b"{\"leadSource\":".to_vec()), headers: vec![own], ..Raw::default() }]);
    assert!(scene.call(&["run", "--once"]).status.success());
    let (report, exit) = verify(&scene, &[]);
    assert_kinds(&report, &[]);
    assert_eq!((exit, &report["replayed"], &report["accounted"]), (0, &0.into(), &301.into()), "{report:#}");

    let mut lost = Vec::new();
    let routing = tampered(&scene, "routing", &scene.routing, 3, |records| lost.push(id(&records.remove(records.len() / 2))));
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
        lost.push(id(&records.remove(7)));
        lost.push(id(&records.remove(7)));
    });
    let dead = tampered(&scene, "dead_letter", &scene.dead_letter, 3, |records| {
        let theirs = |dead: &Kept| dead.headers.iter().any(|(name, _)| name == "lead-replay");
        let own = records.remove(records.iter().position(theirs).expect("it is kept"));
        for gone in [own, records.remove(3)] {
            lost.push(format!("{}/{}/{}/dead-letter", scene.raw, gone.header("dlq-partition"), gone.header("dlq-offset")));
        }
    });
    let there: Vec<_> = [&routing, &qualified, &dead].into_iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    let (report, exit) = verify(&scene, &there);
    assert_kinds(&report, &["missing"]);
    let mut missing = names(&report, "missing");
    missing.sort();
    lost.sort();
    assert_eq!((missing, exit), (lost.clone(), 1));

    // By other rules it is not what was lost.
    let rules = other_rules(&scene);
    replay(&scene, "other", 0, &[&ALL[..], &there, &["--promote", "--yes", "--rules", &rules]].concat());
    let (report, exit) = verify(&scene, &there);
    assert_eq!((exit, &report["restored"]), (1, &0.into()), "{report:#}");
    // Of a lost dead letter, whose ruleset stands in a header, as of a lost event.
    assert_kinds(&report, &["changed"]);
    assert_eq!(names(&report, "changed").len(), lost.len(), "{report:#}");
    assert!(names(&report, "changed").iter().all(|told| told.ends_with(": a replay wrote it again, and not as it was")), "{report:#}");
    assert!(report["replayed_otherwise"].as_u64() > Some(200), "{report:#}");

    // The records of dead letters that are there again are `dlq`'s; so are those that a replay wrote otherwise.
    let dead = tampered(&scene, "dead_letter", dead.split_once('=').expect("a setting").1, 3, |records| {
        records.retain(|dead| dead.headers.last().is_none_or(|(name, _)| name != "lead-replay"));
    });
    let there: Vec<_> = [&routing, &qualified, &dead].into_iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    replay(&scene, "same", 0, &[&ALL[..], &there, &["--promote", "--yes"]].concat());
    for more in [&[][..], &["--against-ledger"]] {
        let (report, exit) = verify(&scene, &[&there[..], more].concat());
        assert_kinds(&report, &[]);
        assert_eq!((exit, &report["restored"], &report["accounted"]), (0, &lost.len().into(), &301.into()), "{report:#}");
    }
}

#[test]
fn a_promoted_replay_and_a_retry_never_write_for_the_same_record() {
    let scene = Scene::with_topics("replay-retry", broker::shared(), 3);
    let mut records = leads::records(0..48, 3, now_millis());
    for raw in &mut records {
        let value = raw.value.take().expect("a value");
        raw.value = Some([b"[", value.as_slice(), b"]"].concat());
    }
    scene.write(&records);
    let tight = ["run", "--once", "--set", "limits.depth=2", "--set", "rules.test=false"];
    assert!(scene.call(&tight).status.success());
    let before = Outcomes::read(&scene);
    assert_eq!((before.dead_letter.len(), before.qualified.len()), (48, 0));
    // What the group has not decided is the group's.
    scene.write(&leads::records(48..60, 3, now_millis()));
    let range = [&ALL[..], &["--promote"]].concat();
    let looked_at = replay(&scene, "live", 0, &[&range[..], &["--dry-run"]].concat());
    assert!(looked_at.contains("left     48 records have dead letters") && looked_at.contains("in all   about 48 records"), "{looked_at}");
    let told = replay(&scene, "live", 0, &[&range[..], &["--yes"]].concat());
    assert!(told.contains("48 records, 0 leads") && told.contains("48 records with dead letters were left"), "{told}");
    assert!(scene.call(&["dlq", "retry", "--commit"]).status.success());
    let retried = Outcomes::read(&scene);
    assert!(retried.qualified.len() > 10, "{}", retried.qualified.len());
    // And the other way round.
    replay(&scene, "later", 0, &[&range[..], &["--yes"]].concat());
    let after = Outcomes::read(&scene);
    let count = |found: &Outcomes| [found.qualified.len(), found.unqualified.len(), found.routing.len(), found.dead_letter.len()];
    assert_eq!(count(&after), count(&retried));
    assert!(scene.call(&["run", "--once"]).status.success());
    let (report, exit) = verify(&scene, &[]);
    assert_kinds(&report, &[]);
    assert_eq!((exit, &report["records"]), (0, &60.into()), "{report:#}");

    // An id belongs to what it was begun with.
    let refused = replay(&scene, "later", 64, &["--dead-letters"]);
    assert!(
        refused.contains("was begun with --from earliest --to latest --promote") && refused.contains("this is --dead-letters"),
        "{refused}"
    );
    replay(&scene, "dead", 0, &["--dead-letters"]);
    let refused = replay(&scene, "dead", 64, &ALL);
    assert!(refused.contains("was begun with --dead-letters"), "{refused}");
    replay(&scene, "dlq-retry", 64, &ALL);
}

#[test]
fn without_raw_topic_or_offsets_the_ledger_is_held_against_the_outputs_and_what_that_cannot_prove_is_told() {
    let scene = decided("gone", &[]);
    let broken = tampered(&scene, "qualified", &scene.qualified, 3, |records| drop(records.remove(7)));
    let holds = |what: &str| {
        let (report, exit) = verify(&scene, &["--against-ledger"]);
        assert_kinds(&report, &[]);
        assert_eq!((exit, &report["records"], &report["accounted"]), (0, &300.into(), &300.into()), "{what}: {report:#}");
        let notes = report["notes"].as_array().expect("notes");
        assert!(
            notes.len() == 4 && notes.iter().all(|note| note.as_str().is_some_and(|note| note.contains("is not proven"))),
            "{report:#}"
        );
        let (report, exit) = verify(&scene, &["--against-ledger", "--set", &broken]);
        assert_kinds(&report, &["missing"]);
        assert_eq!(exit, 1, "{what}");
    };
    clients::forget_group(&scene.brokers, &scene.group);
    let without = scene.call(&["verify"]);
    let told = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(without.status.code() == Some(64) && told.contains("--against-ledger needs none"), "{told}");
    holds("the offsets are gone");
    clients::delete_topic(&scene.brokers, &scene.raw);
    holds("the topic is gone");
    let nobody = scene.call(&["verify", "--against-ledger", "--set", "kafka.group=nobody"]);
    assert_eq!(nobody.status.code(), Some(64), "{}", String::from_utf8_lossy(&nobody.stderr));
}

#[test]
fn headers_partitions_and_events_from_nowhere_are_told() {
    let scene = decided("forged", &["--set", "encoding.headers=cloudevents"]);
    let with = |setting: &str, more: &[&str]| {
        let all = [&["--set", "encoding.headers=cloudevents", "--set", setting][..], more].concat();
        let (report, exit) = verify(&scene, &all);
        assert_eq!(exit, 1, "{report:#}");
        report
    };
    let whole = verify(&scene, &["--set", "encoding.headers=cloudevents"]);
    assert_kinds(&whole.0, &[]);

    // A header that says another thing than was written, or that was not there.
    for (name, value) in [("ce_source", "/elsewhere"), ("x-added", "y")] {
        let mut changed = String::new();
        let routing = tampered(&scene, "routing", &scene.routing, 3, |records| {
            changed = id(&records[9]);
            let headers = &mut records[9].headers;
            headers.retain(|(found, _)| found != name);
            headers.push((name.to_owned(), Some(value.as_bytes().to_vec())));
        });
        let report = with(&routing, &[]);
        assert_kinds(&report, &["changed"]);
        assert_eq!(names(&report, "changed"), [changed], "{report:#}");
        assert_kinds(&with(&routing, &["--against-ledger"]), &["changed"]);
    }

    // Moved to another partition, where it stands behind all that came before it.
    let mut moved = String::new();
    let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
        let source = |record: &Kept| {
            let json = record.json();
            (json["source"]["partition"].as_i64(), json["source"]["offset"].as_i64())
        };
        let mut last: BTreeMap<Option<i64>, (Option<i64>, usize)> = BTreeMap::new();
        for (at, (partition, offset)) in records.iter().map(source).enumerate() {
            let known = last.entry(partition).or_insert((offset, at));
            *known = (*known).max((offset, at));
        }
        let (_, at) = *last.values().next().expect("some");
        let mut record = records.remove(at);
        moved = id(&record);
        record.partition = (record.partition + 1) % 3;
        // Each partition keeps its order: at the end of all it is at the end of its own.
        records.push(record);
    });
    for more in [&[][..], &["--against-ledger"]] {
        let report = with(&qualified, more);
        assert_kinds(&report, &["changed"]);
        let told = names(&report, "changed");
        assert!(told.len() == 1 && told[0].starts_with(&format!("{moved}: it stands in another partition than")), "{report:#}");
    }
    // Who places keys otherwise is not held to it.
    let (report, _) =
        verify(&scene, &["--set", "encoding.headers=cloudevents", "--set", &qualified, "--set", "kafka.producer.partitioner=fnv1a"]);
    assert_kinds(&report, &[]);

    // Of a record that nobody has decided, with the header of a replay and without.
    for (as_replay, more, told) in [
        (false, &[][..], "and has not decided its record"),
        (false, &["--against-ledger"], "and has not decided its record"),
        (true, &[], "there is no such record yet, and a replay wrote for it"),
    ] {
        let qualified = tampered(&scene, "qualified", &scene.qualified, 3, |records| {
            let mut forged = records[3].clone();
            let text = String::from_utf8(forged.value.take().expect("a value")).expect("text");
            let own = id(&records[3]);
            let other = own.rsplitn(4, '/').nth(3).map(|partition| format!("{partition}/9000/0/qualified")).expect("an id");
            forged.value = Some(text.replace(&own, &other).into_bytes());
            if as_replay {
                forged.headers.push(("lead-replay".to_owned(), Some(b"x".to_vec())));
            }
            records.insert(4, forged);
        });
        let report = with(&qualified, more);
        assert_kinds(&report, &["unexpected"]);
        assert!(names(&report, "unexpected")[0].contains(told), "{report:#}");
    }
}

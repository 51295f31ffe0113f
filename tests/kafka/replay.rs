//! Replays of a real topic: the same events as the first time, byte for byte, whatever is killed meanwhile; nothing outside the
//! range, nothing twice, and no replay goes on with what it was not begun with.

use std::{collections::BTreeMap, process::Output, time::Duration};

use super::{
    broker, clients,
    clients::{Group, Kept, Open, Raw},
    kills::number,
    leads::{Dice, Expected, lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, now_millis},
    waiting::{let_pass, wait_for},
};

const PARTITIONS: i32 = 3;
const HOUR: i64 = 3_600_000;

/// All that must be the same in a replay: key, value, and the headers that do not tell when or by whom it was written.
type Same = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn same(kept: &[Kept], replay: Option<&str>) -> Vec<Same> {
    let headers = |kept: &Kept| {
        assert_eq!(kept.headers.iter().any(|(name, _)| name == "lead-replay"), replay.is_some(), "{:?}", kept.headers);
        if let Some(id) = replay {
            assert_eq!(kept.header("lead-replay"), id);
        }
        let told = |(name, _): &&(String, _)| !["lead-replay", "ce_time", "dlq-first-failed-at"].contains(&name.as_str());
        kept.headers.iter().filter(told).cloned().collect::<Vec<_>>()
    };
    let mut same: Vec<_> = kept.iter().map(|kept| (kept.key.clone(), kept.value.clone(), headers(kept))).collect();
    same.sort();
    same
}

fn assert_same(first: &Outcomes, again: &Outcomes, id: &str) {
    let topics = |of: &Outcomes| [&of.qualified, &of.unqualified, &of.routing, &of.dead_letter].map(Clone::clone);
    for (number, (first, again)) in topics(first).iter().zip(topics(again)).enumerate() {
        assert_eq!(first.len(), again.len(), "output {number}: number of records");
        assert!(same(first, None) == same(&again, Some(id)), "output {number}: a replay gives other bytes");
    }
}

fn group_of(scene: &Scene, id: &str) -> Group {
    Group::of(&scene.brokers, &format!("{}.replay.{id}", scene.group), &scene.raw)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// `leadstream replay` to its end, with this exit code; what it told.
pub(crate) fn replay(scene: &Scene, id: &str, exit: i32, more: &[&str]) -> String {
    let arguments: Vec<_> = ["replay", "--id", id].iter().chain(more).copied().collect();
    let output = scene.call(&arguments);
    assert_eq!(output.status.code(), Some(exit), "{more:?}: {}", told(&output));
    told(&output)
}

#[test]
fn a_replay_gives_the_same_bytes_whatever_is_killed_meanwhile() {
    let (leads, kills) = (number("LEADSTREAM_REPLAY_LEADS", 4_000), number("LEADSTREAM_REPLAY_KILLS", 5));
    // So that about eight seconds of work are shared by the kills.
    let rate = (leads / 8).max(1).to_string();
    let seed = Dice::seed();
    println!("LEADSTREAM_SEED={seed}: {leads} leads, {kills} kills");
    let mut dice = Dice::new(seed);
    let scene = Scene::with_topics("replay", broker::shared(), PARTITIONS);
    let all = records(0..leads, 3, now_millis());
    let offsets = scene.write(&all);
    let first = scene.call(&["run", "--once", "--set", "encoding.headers=cloudevents", "--set", "run.lanes=1"]);
    assert_eq!(first.status.code(), Some(0), "{}", told(&first));
    let live = Outcomes::read(&scene);

    let group = group_of(&scene, "again");
    let start = |lanes: usize, instance: &str| {
        let instance = format!("kafka.instance={instance}");
        let interval = format!("run.commit_interval={}ms", 20 * lanes);
        let lanes = format!("run.lanes={lanes}");
        let common = ["replay", "--id", "again", "--from", "earliest", "--to", "latest", "--rate", &rate];
        let more = ["--set", "encoding.headers=cloudevents", "--set", &instance, "--set", &lanes, "--set", &interval];
        scene.start(&common.into_iter().chain(more).collect::<Vec<_>>())
    };
    for round in 0..kills {
        let before = group.done();
        let mut service = start(1 + round % 3, "pod-0");
        let lines = || format!("seed {seed}, round {round}\n{}", service.lines());
        wait_for("something is committed between two kills", 2 * SOON, lines, || {
            service.assert_runs();
            (group.done() > before).then_some(())
        });
        let_pass(Duration::from_millis(dice.below(300) as u64));
        service.kill();
        // Behind the end that was fixed at the first start.
        scene.write(&records(0..30, 3, now_millis()));
    }
    // Two share what is left.
    for mut service in [start(2, "pod-0"), start(1, "pod-1")] {
        assert_eq!(service.exit_within(3 * SOON), 0, "{}", service.lines());
    }
    // Once more: all is done, and nothing is written again.
    assert_eq!(start(3, "pod-0").exit_within(SOON), 0);

    let again = Outcomes::of_replay(&scene, "again");
    let expected: BTreeMap<_, _> =
        all.iter().zip(&offsets).enumerate().map(|(number, (raw, offset))| ((raw.partition, *offset), lead(number).1)).collect();
    again.assert_each_exactly_once(&expected);
    again.assert_in_order();
    assert_same(&live, &again, "again");
    // The live topics and the live group know nothing of it.
    assert_eq!(Outcomes::read(&scene).qualified, live.qualified);
    assert_eq!(scene.progress().done(), i64::try_from(leads).expect("a count"));
}

/// One lead an hour and partition, the last an hour ago; every third is from France.
fn hourly(hours: i64) -> (i64, Vec<Raw>) {
    let start = now_millis() / HOUR * HOUR - hours * HOUR;
    let lead = |hour: i64, partition: i32| {
        let country = if hour % 3 == 0 { "FR" } else { "US" };
        let value = format!(
            r#"{{"userDetails": {{"email": "p{partition}h{hour}@adatum.example", "country": "{country}"}}, "leadSource": "SPZA-PLT|a.b"}}"#
        );
        Raw { partition, key: None, value: Some(value.into_bytes()), headers: Vec::new(), timestamp: Some(start + hour * HOUR) }
    };
    (start, (0..hours).flat_map(|hour| (0..PARTITIONS).map(move |partition| lead(hour, partition))).collect())
}

fn qualified(scene: &Scene, id: &str) -> Vec<Kept> {
    scene.read(&format!("{}.replay.{id}", scene.qualified))
}

fn at(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).expect("a time").to_string()
}

#[test]
fn a_range_is_decided_its_chosen_leads_are_published_and_terms_stay() {
    let scene = Scene::with_topics("replay-range", broker::shared(), PARTITIONS);
    let (start, leads) = hourly(24);
    scene.write(&leads);
    let (six, twelve) = (at(start + 6 * HOUR), at(start + 12 * HOUR));
    let range = ["--from", six.as_str(), "--to", twelve.as_str()];

    let dry = replay(&scene, "six", 0, &[&range[..], &["--dry-run"]].concat());
    assert!(dry.contains("/0 from 6 to 12: about 6 records") && dry.contains("about 18 records\n"), "{dry}");
    assert!(dry.contains(&format!("{}.replay.six would be made", scene.routing)), "{dry}");
    assert!(!clients::has_topic(&scene.brokers, &format!("{}.replay.six", scene.qualified)), "a dry run makes no topic");
    assert!(group_of(&scene, "six").committed().is_empty(), "nor does it begin");

    let done = replay(&scene, "six", 0, &range);
    assert!(done.contains("replay six is done: 18 records, 18 leads"), "{done}");
    assert_eq!(qualified(&scene, "six").len(), 18);
    assert_eq!(group_of(&scene, "six").committed(), BTreeMap::from([(0, 12), (1, 12), (2, 12)]));
    // Its topics are like the live ones.
    let made = scene.call(&["topics", "check", "--set", &format!("topics.qualified={}.replay.six", scene.qualified)]);
    assert!(told(&made).contains(".replay.six (3 partitions, records up to 12000000 bytes)"), "{}", told(&made));

    // The same id goes on with the same terms, or not at all.
    let other = replay(&scene, "six", 64, &["--from", "earliest", "--to", "latest"]);
    assert!(other.contains("was begun with --from") && other.contains("choose another id"), "{other}");
    let rules = scene.path("other.toml");
    std::fs::write(&rules, "[ruleset]\nname='other'\nversion='2'\nextends='default'\n").expect("written");
    let other = replay(&scene, "six", 64, &[&range[..], &["--rules", rules.to_str().expect("UTF-8")]].concat());
    assert!(other.contains("other/2/"), "{other}");

    // Of the eighteen six are French.
    let french = ["--where", "contact.country == 'FR' && verdict == 'QUALIFIED'"];
    let done = replay(&scene, "french", 0, &[&range[..], &french].concat());
    assert!(done.contains("18 records, 6 leads"), "{done}");
    let found = qualified(&scene, "french");
    assert!(found.len() == 6 && found.iter().all(|kept| kept.json()["contact"]["country"] == "FR"), "{found:?}");
    let wrong = replay(&scene, "wrong", 64, &[&range[..], &["--where", "contact.county == 'FR'"]].concat());
    assert!(wrong.contains("contact.country"), "{wrong}");
}

#[test]
fn offsets_are_replayed_by_a_file_and_what_retention_took_is_told() {
    let scene = Scene::with_topics("replay-offsets", broker::shared(), PARTITIONS);
    let (start, leads) = hourly(24);
    scene.write(&leads);
    let file = scene.path("offsets.csv");
    std::fs::write(&file, format!("{raw},0,3,7\n{raw},2,20\n", raw = scene.raw)).expect("written");
    let offsets = ["--offsets", file.to_str().expect("UTF-8")];
    let done = replay(&scene, "file", 0, &offsets);
    assert!(done.contains("8 records"), "{done}");
    assert_eq!(group_of(&scene, "file").committed().get(&0), Some(&7));

    // What is not there now will not be there later.
    let wrong = scene.path("wrong.csv");
    std::fs::write(&wrong, format!("{},7,0\n", scene.raw)).expect("written");
    let wrong = replay(&scene, "wrong", 64, &["--offsets", wrong.to_str().expect("UTF-8")]);
    assert!(wrong.contains(&format!("{}/7: there is no such partition, that topic has 0 to 2", scene.raw)), "{wrong}");

    // Who sets the offsets of its group takes its notes away: then nothing tells what is done.
    clients::set_offsets(&scene.brokers, &format!("{}.replay.file", scene.group), &scene.raw, &BTreeMap::from([(0, 3)]));
    let reset = replay(&scene, "file", 64, &offsets);
    assert!(reset.contains("begun with 2 partitions") && reset.contains("notes of 1"), "{reset}");

    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 5)]));
    let gone = replay(&scene, "gone", 64, &offsets);
    assert!(gone.contains("offset 5") && gone.contains("--from-first-existing"), "{gone}");
    let since = at(start);
    let gone = replay(&scene, "gone", 64, &["--from", &since, "--to", "latest"]);
    assert!(gone.contains("offset 5"), "{gone}");
    let done = replay(&scene, "gone", 0, &["--from", &since, "--to", "latest", "--from-first-existing"]);
    assert!(done.contains(&format!("{} records", 3 * 24 - 5)), "{done}");
}

#[test]
fn a_replay_of_a_transactional_topic_ends_before_its_markers_and_begins_with_nothing_in_its_topics() {
    let scene = Scene::with_topics("replay-markers", broker::shared(), PARTITIONS);
    Open::write(&scene.brokers, &scene.raw, &hourly(5).1).commit();
    Open::write(&scene.brokers, &scene.raw, &hourly(5).1).abort();
    let range = ["--from", "earliest", "--to", "latest"];
    let done = replay(&scene, "markers", 0, &range);
    assert!(done.contains("15 records, 15 leads"), "{done}");
    // Markers are nobody's work, and all that was to be done is done.
    assert!(done.contains("(100 %)"), "{done}");
    assert_eq!(qualified(&scene, "markers").len(), 15);

    let taken = format!("{}.replay.taken", scene.routing);
    clients::create_topics(&scene.brokers, &[(&taken, 1, &[])]);
    clients::write(&scene.brokers, &taken, &[Raw { value: Some(b"mine".to_vec()), ..Raw::default() }]);
    for dry in [&[][..], &["--dry-run"]] {
        let refused = replay(&scene, "taken", 64, &[&range[..], dry].concat());
        assert!(refused.contains(&format!("there are records in {taken} already")), "{refused}");
    }
    assert!(group_of(&scene, "taken").committed().is_empty());
}

#[test]
fn a_replay_goes_on_behind_what_retention_took_meanwhile_when_it_is_asked_to() {
    let scene = Scene::with_topics("replay-retention", broker::shared(), PARTITIONS);
    scene.write(&hourly(40).1);
    let range = ["--from", "earliest", "--to", "latest"];
    let group = group_of(&scene, "late");
    let mut service = scene.start(&[&["replay", "--id", "late", "--rate", "20"][..], &range].concat());
    wait_for("something is replayed", SOON, || service.lines(), || (group.done() > 0).then_some(()));
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 75, "{}", service.lines());
    let before = group.done();
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 39), (1, 39), (2, 39)]));
    let gone = replay(&scene, "late", 64, &range);
    assert!(gone.contains("offset 39") && gone.contains("--from-first-existing"), "{gone}");
    let done = replay(&scene, "late", 0, &[&range[..], &["--from-first-existing"]].concat());
    assert!(done.contains(" 3 records"), "{done}");
    assert_eq!(i64::try_from(qualified(&scene, "late").len()).expect("few"), before + 3);
}

#[test]
fn promoted_events_go_to_the_live_topics_when_somebody_says_so() {
    let scene = Scene::with_topics("replay-promote", broker::shared(), PARTITIONS);
    scene.write(&hourly(4).1);
    let range = ["--from", "earliest", "--to", "latest", "--promote"];
    let refused = replay(&scene, "live", 64, &range);
    assert!(refused.contains("--yes"), "{refused}");
    replay(&scene, "live", 0, &[&range[..], &["--yes"]].concat());
    let found = scene.read(&scene.qualified);
    assert!(found.len() == 12 && found.iter().all(|kept| kept.header("lead-replay") == "live"), "{found:?}");
    assert!(scene.progress().committed().is_empty(), "the live group was not there");
    for dry in [&[][..], &["--dry-run"]] {
        let missing = replay(&scene, "none", 64, &[&range[..], &["--yes", "--set", "topics.routing=no.such.topic"], dry].concat());
        assert!(missing.contains("doctor"), "{missing}");
    }
}

#[test]
fn a_rate_is_kept_and_a_stop_is_no_end() {
    let scene = Scene::with_topics("replay-rate", broker::shared(), PARTITIONS);
    scene.write(&hourly(40).1);
    let arguments = ["replay", "--id", "slow", "--from", "earliest", "--to", "latest", "--rate", "20"];
    let mut service = scene.start(&arguments);
    let group = group_of(&scene, "slow");
    wait_for("something is replayed", SOON, || service.lines(), || (group.done() > 0).then_some(()));
    let (before, since) = (group.done(), std::time::Instant::now());
    let_pass(Duration::from_secs(2));
    let (fresh, most) = (group.done() - before, 20.0 * since.elapsed().as_secs_f64() + 10.0);
    assert!(i32::try_from(fresh).map(f64::from).expect("few") <= most, "{fresh} records in {:?}", since.elapsed());
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 75, "{}", service.lines());
    assert!(group.done() < 120 && service.lines().contains("the same command goes on"), "{}", service.lines());
    replay(&scene, "slow", 0, &["--from", "earliest", "--to", "latest"]);
    assert_eq!(qualified(&scene, "slow").len(), 120);
}

#[test]
fn dead_letters_are_decided_again_as_the_records_they_stand_for() {
    let scene = Scene::with_topics("replay-dead", broker::shared(), PARTITIONS);
    let all = records(0..80, 3, now_millis());
    let offsets = scene.write(&all);
    // A wrong setting: no lead in a list is read.
    let tight = ["--set", "limits.depth=2", "--set", "rules.test=false"];
    let lists: Vec<_> = all
        .iter()
        .take(16)
        .map(|raw| Raw { value: raw.value.as_ref().map(|value| [b"[", &value[..], b"]"].concat()), ..raw.clone() })
        .collect();
    let in_lists = scene.write(&lists);
    assert_eq!(scene.call(&[&["run", "--once"][..], &tight].concat()).status.code(), Some(0));
    let dead = Outcomes::read(&scene).dead_letter;
    // All that is in a list and is JSON at all, and what never was a lead.
    let deep = dead.iter().filter(|dead| dead.header("dlq-code") == "too_deep").count();
    assert!(deep >= 12 && dead.len() > deep + 15, "{deep} of {}", dead.len());

    let first = replay(&scene, "set-right", 0, &["--dead-letters"]);
    assert!(first.contains("replay set-right is done"), "{first}");
    let again = Outcomes::of_replay(&scene, "set-right");
    let mut expected = BTreeMap::new();
    for (number, (raw, offset)) in all.iter().zip(&offsets).enumerate() {
        if let outcome @ Expected::DeadLetter(_) = lead(number).1 {
            expected.insert((raw.partition, *offset), outcome);
        }
    }
    for (number, (raw, offset)) in lists.iter().zip(&in_lists).enumerate() {
        let outcome = lead(number).1;
        expected.insert((raw.partition, *offset), outcome);
    }
    again.assert_each_exactly_once(&expected);
    assert!(again.dead_letter.iter().all(|dead| dead.header("dlq-attempt") == "2"));
    // The same value where it was decided at once as where it was a dead letter first.
    let at_once = scene.read(&scene.qualified).into_iter().next().expect("some").json();
    let later = again.qualified.first().expect("some").json();
    assert_eq!(at_once["received_at"], later["received_at"]);

    // One code alone; nothing twice; other tables are other terms.
    replay(&scene, "deep", 0, &["--dead-letters", "--code", "too_deep"]);
    assert_eq!(Outcomes::of_replay(&scene, "deep").by_position_count(), deep);
    replay(&scene, "deep", 0, &["--dead-letters", "--code", "too_deep"]);
    assert_eq!(Outcomes::of_replay(&scene, "deep").by_position_count(), deep);
    std::fs::create_dir_all(scene.path("tables")).expect("a folder");
    std::fs::write(scene.path("tables").join("accounts.csv"), "domain,name\ngranite-bank.example.com,Granite\n").expect("written");
    let tables = scene.path("tables");
    let other = replay(&scene, "deep", 64, &["--dead-letters", "--code", "too_deep", "--tables", tables.to_str().expect("a path")]);
    assert!(other.contains("tables none") && other.contains("choose another id"), "{other}");
    replay(&scene, "live", 64, &["--dead-letters", "--promote", "--yes"]);
}

#[test]
fn a_record_with_several_dead_letters_is_decided_once_by_the_newest_whatever_is_killed() {
    let scene = Scene::with_topics("replay-newest", broker::shared(), PARTITIONS);
    let tight = ["--set", "limits.depth=2", "--set", "rules.test=false"];
    let lists: Vec<_> = records(0..160, 3, now_millis())
        .into_iter()
        .map(|raw| Raw { value: raw.value.as_ref().map(|value| [b"[", &value[..], b"]"].concat()), ..raw })
        .collect();
    let offsets = scene.write(&lists);
    assert_eq!(scene.call(&[&["run", "--once"][..], &tight].concat()).status.code(), Some(0));
    let all = Outcomes::read(&scene).dead_letter;
    let deep = all.iter().filter(|dead| dead.header("dlq-code") == "too_deep").count();
    // Twice more, all that is too deep is rejected again as that.
    for _ in 0..2 {
        let retried = scene.call(&[&["dlq", "retry", "--code", "too_deep", "--commit"][..], &tight].concat());
        assert!(told(&retried).contains(&format!("{deep}  rejected again: too_deep")), "{}", told(&retried));
    }
    assert_eq!(Outcomes::read(&scene).dead_letter.len(), all.len() + 2 * deep);

    let dry = replay(&scene, "newest", 0, &["--dead-letters", "--dry-run", "--where", "score.total > 10"]);
    assert!(dry.contains(&format!("in all   {} records, each once", all.len())), "{dry}");
    assert!(dry.contains(&format!("not      {} dead letters of which a newer one stands", 2 * deep)), "{dry}");
    assert!(dry.contains("where    score.total > 10: not counted here"), "{dry}");
    let dry = replay(&scene, "newest", 0, &["--dead-letters", "--code", "too_deep", "--dry-run"]);
    assert!(dry.contains(&format!("in all   {deep} records, each once")) && !dry.contains("where "), "{dry}");
    let slip = replay(&scene, "newest", 64, &["--dead-letters", "--code", "to_deep", "--dry-run"]);
    assert!(slip.contains("did you mean \"too_deep\"?"), "{slip}");

    let dead = Group::of(&scene.brokers, &format!("{}.replay.newest", scene.group), &scene.dead_letter);
    for round in 0..2 {
        let before = dead.done();
        let mut service = scene.start(&["replay", "--id", "newest", "--dead-letters", "--rate", "100"]);
        wait_for(
            "something is committed between two kills",
            SOON,
            || format!("round {round}\n{}", service.lines()),
            || {
                service.assert_runs();
                (dead.done() > before).then_some(())
            },
        );
        service.kill();
        // What is rejected after the start is not of the range, newer as it is.
        let later = scene.call(&[&["dlq", "retry", "--code", "unknown_format", "--commit"][..], &tight].concat());
        assert_eq!(later.status.code(), Some(0), "{}", told(&later));
    }
    let done = replay(&scene, "newest", 0, &["--dead-letters"]);
    assert!(done.contains("(100 %)"), "{done}");
    let again = Outcomes::of_replay(&scene, "newest");
    let positions = lists.iter().zip(&offsets).map(|(raw, offset)| (raw.partition, *offset));
    again.assert_each_exactly_once(&positions.enumerate().map(|(number, at)| (at, lead(number).1)).collect());
    // One higher than the newest's: of those that were rejected three times four, of those that were rejected once two.
    let attempts = |wanted: &str| again.dead_letter.iter().filter(|dead| dead.header("dlq-attempt") == wanted).count();
    assert!(attempts("4") > 0 && attempts("2") > 0, "{} {}", attempts("4"), attempts("2"));
    assert_eq!(attempts("4") + attempts("2"), again.dead_letter.len());
}

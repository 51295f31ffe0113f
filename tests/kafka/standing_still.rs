//! What stands still until a person has decided: a partition whose position is lost, a lane before a flood of dead letters. It
//! is told once, and seen by whoever looks; the rest goes on; nothing is skipped or flooded; and a person gets it going again.

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker, clients,
    clients::Raw,
    leads::{Expected, lead},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, wait_shared},
    waiting::{wait_for, wait_until},
};

/// Made-up lead `number`, which is a qualified one of the first kind.
fn good(number: usize, partition: i32) -> Raw {
    Raw { partition, value: Some(lead(8 * number).0), ..Raw::default() }
}

/// So many good leads into each partition; their positions.
fn write(scene: &Scene, count: usize, partitions: i32) -> BTreeMap<(i32, i64), Expected> {
    let raw: Vec<_> = (0..partitions).flat_map(|partition| (0..count).map(move |number| good(number, partition))).collect();
    let offsets = scene.write(&raw);
    raw.iter().map(|raw| raw.partition).zip(offsets).map(|at| (at, lead(0).1)).collect()
}

/// Partitions that stand still, by the metrics of these.
fn halted(services: &[&Service]) -> Option<f64> {
    services.iter().map(|service| service.metric("leadstream_halted_partitions")).fold(None, |sum, found| match (sum, found) {
        (Some(sum), Some(found)) => Some(sum + found),
        (sum, found) => sum.or(found),
    })
}

fn committed(scene: &Scene, partition: i32) -> Option<i64> {
    scene.progress().committed().get(&partition).copied()
}

fn ended(service: &mut Service, code: i32) -> String {
    assert_eq!(service.exit_within(SOON), code, "{}", service.lines());
    service.lines()
}

fn terminated(mut service: Service) -> String {
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());
    service.lines()
}

#[test]
fn a_lost_position_stops_its_partition_and_no_other() {
    let scene = Scene::with_topics("lost", broker::shared(), 4);
    let mut expected = write(&scene, 5, 4);
    ended(&mut scene.run(&["--once"]), 0);
    expected.extend(write(&scene, 5, 4));
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(1, 8)]));
    expected.retain(|(partition, offset), _| *partition != 1 || !(5..8).contains(offset));

    let service = scene.run(&[]);
    let state = || format!("{:?}\n{}", scene.progress().committed(), service.lines());
    wait_for("the other partitions are decided", SOON, state, || {
        service.assert_runs();
        (scene.progress().committed() == BTreeMap::from([(0, 10), (1, 5), (2, 10), (3, 10)])).then_some(())
    });
    wait_until("it is counted", SOON, || halted(&[&service]) == Some(1.0));
    let (status, page) = service.try_page("/readyz").expect("it answers");
    let partition = format!("{}/1 stands still", scene.raw);
    let told =
        |text: &str| text.contains(&partition) && text.contains("is 5, and the broker holds 8 to 10") && text.contains(": 3 offsets");
    assert!(status == 503 && told(&page), "{status} {page}");
    assert!(told(&service.page("/status")));
    assert_eq!(service.page("/healthz"), "ok\n", "a new process would find the same");

    // Whoever gets the partition finds the same.
    let second = scene.run(&[]);
    wait_shared(&[&service, &second], 4);
    wait_until("it stands still wherever it went", SOON, || halted(&[&service, &second]) == Some(1.0));
    let lines = terminated(service);
    assert!(lines.matches("stands still").count() <= 2, "once a lane:\n{lines}");
    wait_until("the other has all of them", SOON, || second.partitions() == 4 && halted(&[&second]) == Some(1.0));
    expected.extend(scene.write(&[good(0, 0)]).into_iter().map(|offset| ((0, offset), lead(0).1)));
    wait_until("others go on", SOON, || committed(&scene, 0) == Some(11));
    assert_eq!(committed(&scene, 1), Some(5), "nothing is skipped silently");
    terminated(second);

    let lines = ended(&mut scene.run(&["--once"]), 64);
    assert!(lines.lines().last().is_some_and(|last| last.contains("run --once") && told(last)), "{lines}");

    // A person has chosen.
    let service = scene.run(&["--set", "run.on_lost_position=earliest"]);
    wait_until("it goes on where there is something", SOON, || committed(&scene, 1) == Some(10));
    wait_until("what was passed over is counted", SOON, || service.metric("leadstream_skipped_offsets_total") == Some(3.0));
    service.wait_ready();
    let lines = terminated(service);
    assert_eq!(lines.matches("LEADS WERE PASSED OVER").count(), 1, "{lines}");
    assert!(lines.contains("3 offsets in between") && lines.contains("Going on at offset 8"), "{lines}");
    Outcomes::read(&scene).assert_each_exactly_once(&expected);
}

#[test]
fn a_topic_made_anew_and_shorter_stops_until_a_person_has_set_the_offset() {
    let scene = Scene::with_topics("anew", broker::shared(), 1);
    write(&scene, 20, 1);
    ended(&mut scene.run(&["--once"]), 0);
    clients::delete_topic(&scene.brokers, &scene.raw);
    clients::create_topics(&scene.brokers, &[(&scene.raw, 1, &[])]);
    write(&scene, 5, 1);
    // The broker drops a topic's offsets with it, after a while; an offset that was committed late survives.
    clients::set_offsets(&scene.brokers, &scene.group, &scene.raw, &BTreeMap::from([(0, 20)]));

    let lines = ended(&mut scene.run(&["--once"]), 64);
    assert!(lines.contains("is 20, and the broker holds 0 to 5 only: the topic was made anew"), "{lines}");
    let service = scene.run(&[]);
    wait_until("it stands still", SOON, || halted(&[&service]) == Some(1.0));
    // Grown past the committed offset, it would be read from the middle: it is not.
    write(&scene, 30, 1);
    let decided = Outcomes::read(&scene).qualified.len();
    assert_eq!((decided, committed(&scene, 0)), (20, Some(20)), "{}", service.lines());
    terminated(service);

    clients::set_offsets(&scene.brokers, &scene.group, &scene.raw, &BTreeMap::from([(0, 0)]));
    ended(&mut scene.run(&["--once"]), 0);
    assert_eq!(Outcomes::read(&scene).qualified.len(), 20 + 35);
}

#[test]
fn a_topic_made_anew_under_a_running_lane_is_read_from_its_beginning_or_told() {
    let scene = Scene::with_topics("under-way", broker::shared(), 1);
    write(&scene, 20, 1);
    let service = scene.run(&[]);
    scene.wait_done(20, &service);
    clients::delete_topic(&scene.brokers, &scene.raw);
    clients::create_topics(&scene.brokers, &[(&scene.raw, 1, &[])]);
    write(&scene, 5, 1);
    let state = || format!("{:?}\n{}", scene.progress().committed(), service.lines());
    let decided = || {
        service.assert_runs();
        committed(&scene, 0) == Some(5)
    };
    wait_for("all of it is decided, or it stands still", SOON, state, || (decided() || halted(&[&service]) == Some(1.0)).then_some(()));
    terminated(service);
    // The broker has dropped the offsets with the topic: who starts now begins at its beginning.
    ended(&mut scene.run(&["--once"]), 0);
    let outcomes = Outcomes::read(&scene);
    assert_eq!((outcomes.qualified.len(), committed(&scene, 0)), (20 + 5, Some(5)));
}

#[test]
fn a_flood_of_dead_letters_halts_the_lane_before_it_is_committed() {
    const PARTITIONS: i32 = 3;
    let guard = ["--set", "run.halt_on_dead_letters.ratio=0.5", "--set", "run.halt_on_dead_letters.over_records=20"];
    let scene = Scene::with_topics("flood", broker::shared(), PARTITIONS);
    let mut expected = write(&scene, 30, PARTITIONS);
    let service = scene.run(&guard);
    scene.wait_done(90, &service);
    service.wait_ready();
    // Into one partition, at once: one lane meets it.
    let bad = || Raw { partition: 1, value: Some(lead(3).0), ..Raw::default() };
    let flood = scene.write(&(0..500).map(|_| bad()).collect::<Vec<_>>());
    wait_until("it halts", SOON, || {
        service.assert_runs();
        halted(&[&service]).is_some()
    });
    let (status, page) = service.try_page("/readyz").expect("it answers");
    let told = |text: &str| text.contains("run.halt_on_dead_letters") && text.contains("unknown_format") && text.contains("/1/");
    assert!(status == 503 && page.contains("has halted") && told(&page), "{status} {page}");
    let status = service.status();
    let words: Vec<_> = status["lanes"].as_array().expect("lanes").iter().map(|lane| lane["state"].as_str()).collect();
    assert!(words.contains(&Some("halted")), "{status}");

    // Who comes meanwhile may get some of the partitions, and floods nothing either.
    let second = scene.run(&guard);
    wait_shared(&[&service, &second], usize::try_from(PARTITIONS).expect("a few"));
    expected.extend(write(&scene, 1, PARTITIONS));
    terminated(second);
    let lines = terminated(service);
    assert!(lines.matches("halted by run.halt_on_dead_letters").count() <= 2, "once a lane:\n{lines}");

    let lines = ended(&mut scene.run(&[&["--once"][..], &guard].concat()), 1);
    assert!(told(&lines), "{lines}");
    // The first lane lets nothing of it pass; one that comes counts anew, and so fewer than `over_records` may.
    let passed = committed(&scene, 1).expect("something is committed") - 30;
    assert!((0..20).contains(&passed), "{passed} of the flood are committed");
    assert_eq!(i64::try_from(scene.read(&scene.dead_letter).len()).expect("a few"), passed);

    // A person has looked, and lets it pass.
    ended(&mut scene.run(&["--once", "--set", "run.halt_on_dead_letters.over_records=0"]), 0);
    expected.extend(flood.into_iter().map(|offset| ((1, offset), lead(3).1)));
    Outcomes::read(&scene).assert_each_exactly_once(&expected);
}

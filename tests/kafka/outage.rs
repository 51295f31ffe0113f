//! A broker that is away, at start or in the middle: the process lives on, says so in few lines, and loses nothing.

use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    broker::Broker,
    clients,
    disturbed::{prove, under_load},
    leads::{lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, now_millis},
    waiting::{Enough, let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 4;

fn write(scene: &Scene, numbers: std::ops::Range<usize>) -> BTreeMap<(i32, i64), super::leads::Expected> {
    let raw = records(numbers.clone(), PARTITIONS, now_millis());
    let offsets = scene.write(&raw);
    let positions = raw.iter().map(|raw| raw.partition).zip(offsets);
    positions.zip(numbers.map(|number| lead(number).1)).collect()
}

fn assert_all_is_well(scene: &Scene, service: &Service, expected: &BTreeMap<(i32, i64), super::leads::Expected>) {
    scene.wait_done(expected.len(), service);
    let outcomes = Outcomes::read(scene);
    outcomes.assert_each_exactly_once(expected);
    outcomes.assert_in_order();
    let lines = service.lines();
    assert!(lines.lines().count() < 40, "a flood of lines:\n{lines}");
}

#[test]
fn a_broker_that_comes_late_is_waited_for() {
    let mut broker = Broker::prepared();
    let scene = Scene::named("late-broker", broker.address());
    let service = scene.run(&[]);
    wait_until("it tells that the broker is away", SOON, || {
        service.assert_runs();
        service.lines().contains("does not answer")
    });
    assert_eq!(service.page("/healthz"), "ok\n", "waiting is not being stuck");
    assert_eq!(service.try_page("/readyz").map(|(status, _)| status), Some(503));
    broker.start();
    scene.create_topics(i32::try_from(PARTITIONS).expect("a few"), &[]);
    let expected = write(&scene, 0..1_000);
    service.wait_ready();
    assert_all_is_well(&scene, &service, &expected);
}

#[test]
fn a_broker_that_dies_and_comes_back_costs_nothing_but_time() {
    let mut broker = Broker::started();
    let scene = Scene::with_topics("outage", broker.address(), i32::try_from(PARTITIONS).expect("a few"));
    // One commit every three seconds: a broker killed between "this transaction is committed" and its last marker may forget
    // that marker when it comes back alone, and then no reader gets past it, whoever wrote. So it is killed right after one.
    let service = scene.run(&["--set", "run.lanes=1", "--set", "run.commit_interval=3s"]);
    let group = scene.progress();
    let done = |more_than: i64| {
        service.assert_runs();
        group.done() > more_than
    };
    let enough = Enough::default();
    let expected = thread::scope(|scope| {
        let until = enough.when_dropped();
        let writing = scope.spawn(|| {
            let mut written = BTreeMap::new();
            while !enough.said() {
                let from = written.len();
                written.extend(write(&scene, from..from + 100));
                let_pass(Duration::from_millis(50));
            }
            written
        });
        wait_until("it has begun to work", SOON, || done(0));
        let before = group.done();
        wait_until("it has committed again", SOON, || done(before));
        wait_until("its markers are written", SOON, || clients::settled(&scene.brokers, &scene.outputs()));
        let before = group.done();
        broker.kill();
        // Longer than a request waits for its answer: what was under way is given up, and begun anew.
        let_pass(Duration::from_secs(14));
        assert_eq!(service.page("/healthz"), "ok\n", "waiting is not being stuck");
        broker.start();
        wait_until("it goes on", 2 * SOON, || done(before));
        drop(until);
        writing.join().expect("written")
    });
    assert_all_is_well(&scene, &service, &expected);
}

#[test]
fn a_broker_that_stands_still_or_is_started_anew_costs_nothing_but_time() {
    let mut broker = Broker::started();
    let scene = Scene::with_topics("stalled", broker.address(), i32::try_from(PARTITIONS).expect("a few"));
    let service = scene.run(&[]);
    let group = scene.progress();
    let expected = under_load(&scene, PARTITIONS, || {
        wait_until("it has begun to work", SOON, || group.done() > 0);
        broker.pause();
        // Its connections stay, and so do the requests it has not read: it will find them all, also those sent twice.
        let_pass(Duration::from_secs(12));
        assert_eq!(service.page("/healthz"), "ok\n", "waiting is not being stuck");
        broker.resume();
        let goes_on = || {
            let before = wait_for("the broker answers", SOON, || service.lines(), || Some(group.done()).filter(|done| *done > 0));
            wait_until("it goes on", 2 * SOON, || group.done() > before);
        };
        goes_on();
        broker.stop();
        broker.start();
        goes_on();
    });
    prove(&scene, &expected, &service);
}

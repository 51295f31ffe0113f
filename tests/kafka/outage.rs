//! A broker that is away, at start or in the middle: the process lives on, says so in few lines, and loses nothing.

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker::Broker,
    disturbed::{prove, under_load, write},
    outcomes::Outcomes,
    service::{SOON, Scene, Service},
    waiting::{let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 4;

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
    let expected = write(&scene, 0..1_000, PARTITIONS);
    service.wait_ready();
    assert_all_is_well(&scene, &service, &expected);
}

#[test]
fn a_broker_that_dies_and_comes_back_costs_nothing_but_time() {
    let mut broker = Broker::started();
    let scene = Scene::with_topics("outage", broker.address(), i32::try_from(PARTITIONS).expect("a few"));
    let service = scene.run(&[]);
    let group = scene.progress();
    let done = |more_than: i64| {
        service.assert_runs();
        group.done() > more_than
    };
    let expected = under_load(&scene, PARTITIONS, || {
        wait_until("it has begun to work", SOON, || done(0));
        let before = group.done();
        broker.kill();
        // Longer than a request waits for its answer: what was under way is given up, and begun anew.
        let_pass(Duration::from_secs(14));
        assert_eq!(service.page("/healthz"), "ok\n", "waiting is not being stuck");
        broker.start();
        wait_until("it goes on", 2 * SOON, || done(before));
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

//! A broker that is away, at start or in the middle: the process lives on, says so in few lines, and loses nothing.

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker::Broker,
    leads::{lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, now_millis},
    waiting::{let_pass, wait_until},
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
    let service = scene.run(&[]);
    let mut expected = write(&scene, 0..20_000);
    let group = scene.progress();
    wait_until("it has begun to work", SOON, || {
        service.assert_runs();
        group.done() > 0
    });
    broker.kill();
    let_pass(Duration::from_secs(5));
    assert_eq!(service.page("/healthz"), "ok\n", "waiting is not being stuck");
    broker.start();
    expected.extend(write(&scene, 20_000..21_000));
    assert_all_is_well(&scene, &service, &expected);
}

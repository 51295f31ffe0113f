//! SIGTERM in the middle of work: what is in hand is finished and committed, the rest is left for the next process.

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker,
    leads::{lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, now_millis},
    waiting::wait_until,
};

#[test]
fn sigterm_drains_and_the_next_process_goes_on_where_it_stopped() {
    let scene = Scene::with_topics("stopping", broker::shared(), 4);
    let raw = records(0..20_000, 4, now_millis());
    let offsets = scene.write(&raw);
    let mut first = scene.run(&[]);
    let group = scene.progress();
    wait_until("it has begun to work", SOON, || {
        first.assert_runs();
        group.done() > 0
    });
    first.terminate();
    assert_eq!(first.exit_within(Duration::from_secs(10)), 0, "{}", first.lines());
    let mut second = scene.run(&["--once"]);
    assert_eq!(second.exit_within(2 * SOON), 0, "{}", second.lines());
    let expected: BTreeMap<_, _> =
        raw.iter().zip(offsets).enumerate().map(|(number, (raw, offset))| ((raw.partition, offset), lead(number).1)).collect();
    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
}

#[test]
fn sigterm_ends_a_process_that_starts_has_nothing_to_do_or_no_broker() {
    let scene = Scene::with_topics("idle", broker::shared(), 1);
    let mut starting = scene.run(&[]);
    starting.terminate();
    assert_eq!(starting.exit_within(Duration::from_secs(10)), 0, "{}", starting.lines());

    let mut idle = scene.run(&[]);
    idle.wait_ready();
    idle.terminate();
    assert_eq!(idle.exit_within(Duration::from_secs(10)), 0, "{}", idle.lines());

    let nowhere = Scene::named("nowhere", "127.0.0.1:1");
    let mut waiting = nowhere.run(&[]);
    wait_until("it tells that the broker is away", SOON, || {
        waiting.assert_runs();
        waiting.lines().contains("does not answer")
    });
    waiting.terminate();
    assert_eq!(waiting.exit_within(Duration::from_secs(10)), 0, "{}", waiting.lines());
}

//! A second process comes and goes while leads keep coming: partitions move, nothing is lost, doubled or reordered.

use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    broker, clients,
    clients::Writer,
    leads::{lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, now_millis, wait_shared},
    waiting::{Enough, wait_until},
};

#[test]
fn a_second_process_takes_its_share_and_gives_it_back() {
    let scene = Scene::with_topics("joining", broker::shared(), 8);
    let first = scene.run(&[]);
    first.wait_ready();
    wait_shared(&[&first], 8);
    let timestamp = now_millis();
    let enough = Enough::default();
    let expected: BTreeMap<_, _> = thread::scope(|scope| {
        let until = enough.when_dropped();
        let writing = scope.spawn(|| {
            let writer = Writer::new(&scene.brokers);
            let mut written = BTreeMap::new();
            while !enough.said() {
                let from = written.len();
                let records = records(from..from + 100, 8, timestamp);
                let offsets = writer.write(&scene.raw, &records);
                let outcomes = (from..).map(|number| lead(number).1);
                written.extend(records.iter().map(|record| record.partition).zip(offsets).zip(outcomes));
            }
            written
        });
        let mut second = scene.run(&[]);
        wait_shared(&[&first, &second], 8);
        second.terminate();
        assert_eq!(second.exit_within(Duration::from_secs(10)), 0, "{}", second.lines());
        wait_shared(&[&first], 8);
        drop(until);
        writing.join().expect("written")
    });
    scene.wait_done(expected.len(), &first);
    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
}

/// Every batch is taken back while partitions go to others and come back: what is kept has to go back to what is committed, and
/// what went must not be committed by who had it.
#[test]
fn batches_that_are_taken_back_while_partitions_move_lose_and_double_nothing() {
    const PARTITIONS: usize = 8;
    let scene = Scene::named("taken-back", broker::shared());
    let some: Vec<clients::Topic<'_>> =
        [&scene.raw, &scene.qualified, &scene.unqualified, &scene.dead_letter].iter().map(|name| (name.as_str(), 8, &[][..])).collect();
    clients::create_topics(&scene.brokers, &some);
    let raw = records(0..4_000, PARTITIONS, now_millis());
    let positions: Vec<_> = raw.iter().map(|raw| raw.partition).zip(scene.write(&raw)).collect();
    let first = scene.run(&[]);
    let aborted = |service: &Service| service.metric("leadstream_transactions_total{result=\"aborted\"}").unwrap_or_default();
    wait_until("batches are taken back", SOON, || aborted(&first) >= 2.0);
    let mut second = scene.run(&[]);
    wait_shared(&[&first, &second], PARTITIONS);
    let before = aborted(&first);
    wait_until("both take batches back", SOON, || aborted(&first) > before && aborted(&second) >= 1.0);
    assert_eq!(scene.progress().done(), 0, "nothing is committed in part");
    // In the middle of that one leaves, and the topic that was missing comes.
    second.terminate();
    clients::create_topics(&scene.brokers, &[(&scene.routing, 3, &[])]);
    assert_eq!(second.exit_within(Duration::from_secs(10)), 0, "{}", second.lines());
    scene.wait_done(raw.len(), &first);
    let expected: BTreeMap<_, _> = positions.into_iter().enumerate().map(|(number, at)| (at, lead(number).1)).collect();
    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
}

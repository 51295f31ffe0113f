//! A second process comes and goes while leads keep coming: partitions move, nothing is lost, doubled or reordered.

use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    broker,
    clients::Writer,
    leads::{lead, records},
    outcomes::Outcomes,
    service::{Scene, now_millis, wait_shared},
    waiting::Enough,
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

//! `run.delivery = "at-least-once"`: on a broker that can do no transactions, with processes and the broker killed meanwhile,
//! nothing is lost and what was decided for the first time stands in order; how much was decided again is told.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    thread,
    time::Duration,
};

use super::{
    broker::{Broker, Settings},
    clients::{self, Writer},
    leads::{Dice, lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, now_millis},
    waiting::{Enough, let_pass, wait_for},
};

const PARTITIONS: usize = 4;
const KILLS: usize = 5;
/// So many leads wait when a process is killed.
const BEHIND: i64 = 500;

#[test]
fn without_transactions_nothing_is_lost_and_first_appearances_are_in_order() {
    let seed = Dice::seed();
    let mut dice = Dice::new(seed);
    // With three replicas asked of one broker, there is never a log of transactions: who wants one waits for ever.
    let properties = "transaction.state.log.replication.factor=3\n".to_owned();
    let mut broker = Broker::with(|_| Settings { properties, ..Settings::default() });
    broker.start();
    let scene = Scene::with_topics("at-least-once", broker.address(), i32::try_from(PARTITIONS).expect("a few"));
    let start = || scene.run(&["--set", "run.delivery=at-least-once", "--set", "run.commit_interval=20ms"]);
    let mut services = [start(), start()];
    let group = scene.progress();
    let timestamp = now_millis();
    let enough = Enough::default();
    let so_far = AtomicI64::new(0);
    let expected: BTreeMap<_, _> = thread::scope(|scope| {
        let until = enough.when_dropped();
        let writing = scope.spawn(|| {
            let (writer, writers_view) = (Writer::new(&scene.brokers), scene.progress());
            let mut written = BTreeMap::new();
            while !enough.said() {
                if so_far.load(Ordering::Relaxed) - writers_view.done() > 4 * BEHIND {
                    let_pass(Duration::from_millis(20));
                    continue;
                }
                let from = written.len();
                let records = records(from..from + 1000, PARTITIONS, timestamp);
                let offsets = writer.write(&scene.raw, &records);
                let outcomes = (from..).map(|number| lead(number).1);
                so_far.store(i64::try_from(from + records.len()).expect("a count"), Ordering::Relaxed);
                written.extend(records.iter().map(|record| record.partition).zip(offsets).zip(outcomes));
            }
            written
        });
        for round in 0..KILLS {
            let before = group.done();
            let state = || format!("seed {seed}, round {round}\n{}\n---\n{}", services[0].lines(), services[1].lines());
            wait_for("something is committed between two kills, and more is to be done", 2 * SOON, state, || {
                services.iter().for_each(Service::assert_runs);
                // A kill that finds no work in hand shows nothing.
                let done = group.done();
                (done > before && so_far.load(Ordering::Relaxed) - done >= BEHIND).then_some(())
            });
            let_pass(Duration::from_millis(dice.below(50) as u64));
            if round == KILLS / 2 {
                broker.kill();
                broker.start();
            } else {
                let which = dice.below(2);
                services[which].kill();
                services[which] = start();
            }
        }
        drop(until);
        writing.join().expect("written")
    });
    scene.wait_done(expected.len(), &services[0]);
    for mut service in services {
        service.terminate();
        assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());
    }
    assert!(!clients::has_topic(&scene.brokers, "__transaction_state"), "somebody asked for a transaction");
    let outcomes = Outcomes::read(&scene);
    let again = outcomes.assert_each_at_least_once(&expected);
    println!("LEADSTREAM_SEED={seed}: {} leads, {KILLS} kills, one of them the broker's: {again} outputs again", expected.len());
    outcomes.assert_first_appearances_in_order();
}

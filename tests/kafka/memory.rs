//! The memory of a process stays within its bound where much could pile up in it: a broker that hangs, a backlog of small
//! records, records near the limit; at 64 partitions. Short by default; `make memory-test` is the long form, whose figures stand
//! in `docs/reliability.md`.

use std::time::{Duration, Instant};

use super::{
    broker::{self, Broker},
    clients::{Raw, Writer},
    kills::number,
    leads::{noise, with_note},
    service::{SOON, Scene, Service},
    waiting::{let_pass, wait_for},
};

const PARTITIONS: i32 = 64;
/// What the kernel may count, whatever the input.
const BOUND_KIB: usize = 128 * 1024;

/// The smallest lead that qualifies: what comes out of it is thirty times larger.
fn small(number: usize) -> Raw {
    let value = format!("{{\"userDetails\":{{\"email\":\"q{number}@granite-bank.example.com\"}},\"leadSource\":\"SPZA-INS|a.b\"}}");
    Raw { partition: i32::try_from(number).expect("small") % PARTITIONS, value: Some(value.into_bytes()), ..Raw::default() }
}

fn write_small(scene: &Scene, count: usize) {
    let writer = Writer::new(&scene.brokers);
    for first in (0..count).step_by(50_000) {
        let records: Vec<_> = (first..count.min(first + 50_000)).map(small).collect();
        writer.write(&scene.raw, &records);
    }
}

/// Waits until the group has committed so many records, and tells how long that took.
fn wait_for_records(scene: &Scene, service: &Service, records: usize) -> Duration {
    let (started, group) = (Instant::now(), scene.progress());
    let goal = i64::try_from(records).expect("a count");
    let state = || format!("{} of {goal}, {:?} KiB\n{}", group.done(), service.memory(), service.lines());
    wait_for("so many records are committed", 5 * SOON, state, || {
        service.assert_runs();
        (group.done() >= goal).then_some(())
    });
    started.elapsed()
}

fn assert_within_bound(what: &str, service: &Service) {
    let (now, most) = service.memory();
    println!("memory, {what}: {} MiB at most, {} MiB at the end", most / 1024, now / 1024);
    assert!(most <= BOUND_KIB, "{what}: {most} KiB, the bound is {BOUND_KIB}\n{}", service.lines());
}

#[test]
fn a_backlog_of_small_records_stays_within_the_memory() {
    let backlog = number("LEADSTREAM_MEMORY_RECORDS", 150_000);
    let scene = Scene::with_topics("backlog", broker::shared(), PARTITIONS);
    write_small(&scene, backlog);
    let service = scene.run(&[]);
    // The rest of the backlog brings nothing new; the long form goes through all of it.
    let decided = if backlog > 1_000_000 { backlog } else { backlog / 5 };
    let took = wait_for_records(&scene, &service, decided);
    println!("{decided} of {backlog} records decided in {took:?}");
    assert_within_bound("a backlog of small records", &service);
}

#[test]
fn a_broker_that_hangs_makes_nothing_pile_up() {
    let stall = Duration::from_secs(number("LEADSTREAM_MEMORY_STALL", 12) as u64);
    let mut broker = Broker::started();
    let scene = Scene::with_topics("hanging", broker.address(), PARTITIONS);
    write_small(&scene, 60_000);
    let service = scene.run(&[]);
    wait_for_records(&scene, &service, 2_000);
    broker.pause();
    let_pass(stall);
    assert_within_bound("a broker that hangs", &service);
    broker.resume();
    let before = scene.progress().done();
    wait_for_records(&scene, &service, usize::try_from(before).expect("a count") + 2_000);
    assert_within_bound("after it hung", &service);
}

#[test]
fn records_near_the_limit_stay_within_the_memory() {
    let rounds = number("LEADSTREAM_MEMORY_ROUNDS", 2);
    let scene = Scene::with_topics("near-limit", broker::shared(), PARTITIONS);
    // Whatever compresses: these do not. One kind becomes events, the other leaves as it came.
    let good = with_note(1, 1_040_000);
    let bad = format!("{{\"status\":\"{}\"}}", noise(2, 1_040_000)).into_bytes();
    let record = |number: usize| Raw {
        partition: i32::try_from(number).expect("small") % PARTITIONS,
        value: Some(if (number / 7).is_multiple_of(2) { good.clone() } else { bad.clone() }),
        ..Raw::default()
    };
    let count = rounds * usize::try_from(PARTITIONS).expect("positive");
    for round in 0..rounds {
        let first = round * count / rounds;
        scene.write(&(first..first + count / rounds).map(record).collect::<Vec<_>>());
    }
    let service = scene.run(&[]);
    let took = wait_for_records(&scene, &service, count);
    println!("{count} records of a megabyte decided in {took:?}");
    assert_within_bound("records near the limit", &service);
}

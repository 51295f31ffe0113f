//! A week of leads decided, then replayed and killed again and again, and held against each other byte for byte; then `verify` of all of
//! it. Nothing is kept in memory, so that it takes millions: `LEADSTREAM_WEEK_LEADS`, `LEADSTREAM_WEEK_KILLS`.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers as _},
};

use super::{
    broker,
    clients::{self, Group},
    kills::number,
    leads::{Dice, records},
    service::{SOON, Scene, now_millis},
    verify::{assert_kinds, verify},
    waiting::{let_pass, wait_for},
};

const PARTITIONS: usize = 6;
const WEEK: i64 = 7 * 24 * 3_600_000;
/// Written at once.
const TOGETHER: usize = 10_000;

/// How many records a topic has and what they are, by their own partition and that of the input: the bytes, in their order.
type Found = BTreeMap<(i32, i32), (u64, u64)>;

fn found(scene: &Scene, topic: &str) -> Found {
    let mut found: BTreeMap<(i32, i32), (u64, DefaultHasher)> = BTreeMap::new();
    clients::each_committed(&scene.brokers, topic, |message| {
        let (count, hasher) = found.entry((message.partition(), input(scene, message))).or_default();
        *count += 1;
        (message.key(), message.payload()).hash(hasher);
        let told = |name: &str| !["lead-replay", "ce_time", "dlq-first-failed-at"].contains(&name);
        message.headers().into_iter().flat_map(|headers| headers.iter()).filter(|header| told(header.key)).for_each(|header| {
            (header.key, header.value).hash(hasher);
        });
    });
    found.into_iter().map(|(at, (count, hasher))| (at, (count, hasher.finish()))).collect()
}

/// The input partition that a record came from.
fn input(scene: &Scene, message: &BorrowedMessage<'_>) -> i32 {
    let dead =
        message.headers().and_then(|headers| headers.iter().find(|header| header.key == "dlq-partition").and_then(|header| header.value));
    let text = String::from_utf8_lossy(dead.or(message.payload()).unwrap_or_default()).into_owned();
    let number = if dead.is_some() { Some(text.as_str()) } else { text.split(&format!("\"event_id\":\"{}/", scene.raw)).nth(1) };
    number.and_then(|rest| rest.split('/').next()).and_then(|number| number.parse().ok()).expect("where it came from")
}

fn timed<T>(what: &str, of: usize, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    let took = started.elapsed().as_secs_f64();
    println!("{what}: {took:.1} s for {of} leads");
    done
}

#[test]
fn a_week_of_leads_is_replayed_byte_for_byte_however_often_it_is_killed() {
    let (leads, kills) = (number("LEADSTREAM_WEEK_LEADS", 12_000), number("LEADSTREAM_WEEK_KILLS", 4));
    let seed = Dice::seed();
    println!("LEADSTREAM_SEED={seed}: {leads} leads, {kills} kills");
    let mut dice = Dice::new(seed);
    let scene = Scene::with_topics("week", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    // The broker's own week must not end before this one.
    clients::alter_topic(&scene.brokers, &scene.raw, &[("retention.ms", "-1"), ("max.message.bytes", "12000000")]);
    let (end, step) = (now_millis(), WEEK / i64::try_from(leads).expect("a count"));
    timed("written", leads, || {
        for first in (0..leads).step_by(TOGETHER) {
            let mut some = records(first..leads.min(first + TOGETHER), PARTITIONS, end);
            for (raw, number) in some.iter_mut().zip(first..) {
                raw.timestamp = Some(end - WEEK + step * i64::try_from(number).expect("a count"));
            }
            scene.write(&some);
        }
    });
    let decided = timed("run --once", leads, || scene.call(&["run", "--once"]));
    assert_eq!(decided.status.code(), Some(0), "{}", String::from_utf8_lossy(&decided.stderr));

    let day = |days: i64| jiff::Timestamp::from_millisecond(end - WEEK + days * WEEK / 7).expect("a time").to_string();
    let (from, to) = (day(0), day(7));
    let range = ["replay", "--id", "week", "--from", &from, "--to", &to, "--set", "kafka.instance=pod"];
    timed("replay with its kills", leads, || {
        let mut group: Option<Group> = None;
        for kill in 1..=kills {
            let mut service = scene.start(&range);
            let enough = i64::try_from(leads * kill / (kills + 1)).expect("a count");
            let state = || format!("seed {seed}, kill {kill}\n{}", service.lines());
            wait_for("a part of the week is replayed between two kills", 20 * SOON, state, || {
                service.assert_runs();
                let group = group.get_or_insert_with(|| Group::of(&scene.brokers, &format!("{}.replay.week", scene.group), &scene.raw));
                (group.done() >= enough).then_some(())
            });
            let_pass(Duration::from_millis(dice.below(300) as u64));
            service.kill();
        }
        let mut last = scene.start(&range);
        assert_eq!(last.exit_within(20 * SOON), 0, "{}", last.lines());
    });
    for topic in scene.outputs() {
        let (first, again) = (found(&scene, topic), found(&scene, &format!("{topic}.replay.week")));
        let count: u64 = first.values().map(|(count, _)| count).sum();
        println!("{topic}: {count} records, as they were");
        assert!(count > 0 && first == again, "{topic}: {first:?} and {again:?}");
    }
    for more in [&[][..], &["--against-ledger"]] {
        let (report, exit) = timed(&format!("verify {more:?}"), leads, || verify(&scene, more));
        assert_kinds(&report, &[]);
        assert_eq!((exit, report["accounted"].as_u64()), (0, Some(leads as u64)), "{report:#}");
    }
}

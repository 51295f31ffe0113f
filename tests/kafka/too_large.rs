//! Events that their topic does not take: what was known at the start costs no transaction, a limit that is lowered meanwhile
//! costs one a lane; each such record leaves as a dead letter with its own bytes, all others as always.

use std::collections::BTreeMap;

use super::{
    broker, clients,
    clients::Raw,
    leads::{Expected, lead, noise, with_note},
    outcomes::Outcomes,
    service::{Scene, Service},
};

const PARTITIONS: usize = 4;
const TOO_LARGE: Expected = Expected::DeadLetter("output_too_large");

/// Leads, every other one with a note that makes its event larger than 20,000 bytes however it is compressed.
fn write(scene: &Scene, count: usize) -> BTreeMap<(i32, i64), Expected> {
    let kinds: Vec<_> = (0..count)
        .map(|number| if number % 2 == 0 { (with_note(number, 30_000), TOO_LARGE) } else { (lead(8 * number).0, lead(0).1) })
        .collect();
    let raw = |(number, (value, _)): (usize, &(Vec<u8>, Expected))| Raw {
        partition: i32::try_from(number / 2 % PARTITIONS).expect("a few"),
        value: Some(value.clone()),
        ..Raw::default()
    };
    let raw: Vec<_> = kinds.iter().enumerate().map(raw).collect();
    let offsets = scene.write(&raw);
    raw.iter().map(|raw| raw.partition).zip(offsets).zip(kinds.into_iter().map(|(_, expected)| expected)).collect()
}

fn aborted(service: &Service) -> Option<f64> {
    service.metric("leadstream_transactions_total{result=\"aborted\"}")
}

#[test]
fn what_a_topic_does_not_take_is_known_before_it_is_sent_and_a_lowered_limit_after_one_refusal() {
    let scene = Scene::named("too-large", broker::shared());
    let small: &[(&str, &str)] = &[("max.message.bytes", "20000")];
    let mut topics: Vec<clients::Topic<'_>> =
        [&scene.raw, &scene.unqualified, &scene.routing, &scene.dead_letter, &scene.ledger].map(|name| (name.as_str(), 4, &[][..])).into();
    topics.push((&scene.qualified, 4, small));
    clients::create_topics(&scene.brokers, &topics);
    let mut expected = write(&scene, 200);
    let service = scene.run(&[]);
    scene.wait_done(expected.len(), &service);
    assert_eq!(aborted(&service), Some(0.0), "it was known before:\n{}", service.lines());
    drop(service);

    // The same again with a limit that is lowered while it runs.
    clients::alter_topic(&scene.brokers, &scene.qualified, &[("max.message.bytes", "1000000")]);
    let service = scene.run(&[]);
    service.wait_ready();
    clients::alter_topic(&scene.brokers, &scene.qualified, small);
    expected.extend(write(&scene, 400));
    scene.wait_done(expected.len(), &service);
    let once_a_lane = aborted(&service);
    assert!(once_a_lane > Some(0.0) && once_a_lane <= Some(2.0), "{once_a_lane:?}\n{}", service.lines());
    expected.extend(write(&scene, 400));
    scene.wait_done(expected.len(), &service);
    assert!(aborted(&service) <= Some(2.0), "more of that kind are known: {:?}\n{}", aborted(&service), service.lines());
    assert_eq!(service.lines().matches("takes 20000 bytes now").count(), 2, "{}", service.lines());

    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
    assert!(outcomes.dead_letter.iter().all(|dead| dead.value.as_ref().is_some_and(|value| value.len() > 20_000)), "with its bytes");
}

#[test]
fn a_dead_letter_topic_that_takes_less_now_gets_them_without_their_values() {
    let scene = Scene::with_topics("small-dead", broker::shared(), 1);
    let service = scene.run(&["--set", "run.lanes=1"]);
    service.wait_ready();
    clients::alter_topic(&scene.brokers, &scene.dead_letter, &[("max.message.bytes", "20000")]);
    let bad = format!("{{\"status\":\"{}\"}}", noise(1, 30_000)).into_bytes();
    let raw: Vec<_> = [bad, lead(3).0, lead(0).0].map(|value| Raw { value: Some(value), ..Raw::default() }).into();
    scene.write(&raw);
    scene.wait_done(raw.len(), &service);
    let once = aborted(&service);
    let outcomes = Outcomes::read(&scene);
    let dead: Vec<_> = outcomes.dead_letter.iter().map(|dead| (dead.header("dlq-offset"), dead.value.as_deref())).collect();
    assert_eq!((outcomes.qualified.len(), dead.len()), (1, 2));
    assert_eq!(once, Some(1.0), "{dead:?}\n{}", service.lines());
    assert!(dead.contains(&("0", None)) && dead.contains(&("1", raw[1].value.as_deref())), "{dead:?}");
}

//! `topics create` and `topics check`, and outputs that a topic is too small for.

use std::time::Duration;

use super::{
    broker,
    clients::{self, Raw},
    leads::{lead, with_note},
    outcomes::Outcomes,
    service::{SOON, Scene},
    waiting::wait_until,
};

fn text(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn topics_that_are_missing_are_told_created_and_found_good() {
    let scene = Scene::named("topics", broker::shared());
    let before = scene.call(&["topics", "check"]);
    assert_eq!(before.status.code(), Some(1), "{}", text(&before));
    assert_eq!(text(&before).matches("does not exist").count(), 6, "{}", text(&before));
    let created = scene.call(&["topics", "create", "--partitions", "3"]);
    assert_eq!(created.status.code(), Some(0), "{}", text(&created));
    assert_eq!(text(&created).matches("created ").count(), 6, "{}", text(&created));
    let after = scene.call(&["topics", "check"]);
    assert_eq!(after.status.code(), Some(0), "{}", text(&after));
    let again = scene.call(&["topics", "create", "--partitions", "9"]);
    assert_eq!((again.status.code(), text(&again).matches("exists ").count()), (Some(0), 6), "{}", text(&again));
}

#[test]
fn a_topic_that_would_refuse_outputs_is_told() {
    let scene = Scene::named("small", broker::shared());
    scene.create_topics(1, &[("max.message.bytes", "16384"), ("cleanup.policy", "compact")]);
    let found = scene.call(&["topics", "check"]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found));
    let told = text(&found);
    assert!(told.contains("max.message.bytes is 16384") && told.contains("cleanup.policy is compact"), "{told}");
    assert!(told.contains(&scene.routing), "{told}");
}

/// Each `every`-th lead has a note of `length` characters, the others are as usual.
fn mixed(count: usize, every: usize, length: usize) -> Vec<Raw> {
    let value = |number: usize| if number % every == every / 2 { with_note(number, length) } else { lead(number - number % 8).0 };
    (0..count).map(|number| Raw { value: Some(value(number)), ..Raw::default() }).collect()
}

fn assert_only_the_large_are_dead(scene: &Scene, raw: &[Raw], every: usize) {
    let outcomes = Outcomes::read(scene);
    let mut dead = Vec::new();
    for letter in &outcomes.dead_letter {
        assert_eq!((letter.header("dlq-code"), letter.header("dlq-stage")), ("output_too_large", "encode"));
        let offset: usize = letter.header("dlq-offset").parse().expect("a number");
        assert_eq!(letter.value, raw[offset].value, "the original bytes");
        dead.push(offset);
    }
    dead.sort_unstable();
    let large: Vec<_> = (0..raw.len()).filter(|number| number % every == every / 2).collect();
    assert_eq!(dead, large);
    // All of a record's events go with it: no half outcomes.
    assert_eq!((outcomes.qualified.len(), outcomes.routing.len()), (raw.len() - large.len(), 2 * (raw.len() - large.len())));
}

#[test]
fn an_event_too_large_for_its_topic_makes_a_dead_letter_and_the_lane_goes_on() {
    let scene = Scene::named("too-large", broker::shared());
    scene.create_topics(1, &[("max.message.bytes", "16384")]);
    let raw = mixed(60, 10, 30_000);
    scene.write(&raw);
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    assert_only_the_large_are_dead(&scene, &raw, 10);
}

#[test]
fn a_limit_that_is_lowered_while_running_makes_dead_letters_too() {
    let scene = Scene::named("lowered", broker::shared());
    scene.create_topics(1, &[("max.message.bytes", "2000000")]);
    let mut service = scene.run(&[]);
    service.wait_ready();
    clients::alter_topic(&scene.brokers, &scene.routing, &[("max.message.bytes", "16384")]);
    let raw = mixed(20, 10, 30_000);
    scene.write(&raw);
    scene.wait_done(raw.len(), &service);
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());
    assert_only_the_large_are_dead(&scene, &raw, 10);
}

#[test]
fn events_that_fit_one_by_one_are_not_refused_together() {
    let scene = Scene::named("together", broker::shared());
    scene.create_topics(1, &[("max.message.bytes", "16384")]);
    let raw: Vec<_> = (0..200).map(|number| Raw { value: Some(with_note(number, 3_000)), ..Raw::default() }).collect();
    scene.write(&raw);
    let service = scene.run(&[]);
    scene.wait_done(raw.len(), &service);
    wait_until("it has counted them", SOON, || service.metric("leadstream_records_consumed_total") == Some(200.0));
    let outcomes = Outcomes::read(&scene);
    assert_eq!((outcomes.qualified.len(), outcomes.routing.len(), outcomes.dead_letter.len()), (200, 400, 0));
}

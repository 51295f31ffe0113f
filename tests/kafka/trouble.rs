//! What a person hears of trouble while a lane works: a broker that goes in the middle of a commit, a second process under the
//! same name, a topic that is not there, partitions that come later. What becomes of the leads meanwhile is tested as well.

use std::time::Duration;

use super::{
    broker::{self, Broker},
    clients,
    disturbed::{prove, under_load, write},
    outcomes::Outcomes,
    service::{SOON, Scene, now_millis},
    waiting::{let_pass, wait_for, wait_until},
};

#[test]
fn a_broker_that_goes_while_lanes_commit_is_told_at_once() {
    let mut broker = Broker::started();
    let scene = Scene::with_topics("mid-commit", broker.address(), 4);
    // Far more than is decided before the kill, so that every lane is at work when it comes.
    write(&scene, 0..200_000, 4);
    let service = scene.run(&["--set", "run.lanes=2"]);
    let group = scene.progress();
    wait_until("it has begun to work", SOON, || group.done() > 0);
    service.wait_ready();
    broker.kill();
    // A lane waits up to 15 s for its deliveries: this is heard apart from it.
    let state = || format!("{:?}\n{}", service.try_page("/readyz"), service.lines());
    wait_for("readiness follows", Duration::from_secs(12), state, || (!service.is_ready()).then_some(()));
    let (_, page) = service.try_page("/readyz").expect("it answers");
    assert!(page.contains("does not answer: ") && !page.contains("does not answer: \""), "with the cause: {page}");
    assert_eq!(service.lines().matches("the broker does not answer").count(), 1, "{}", service.lines());
    assert_eq!(service.page("/healthz"), "ok\n");
}

#[test]
fn a_twin_is_told_by_name_and_costs_no_lead() {
    let scene = Scene::with_topics("twin", broker::shared(), 4);
    let same = ["--set", "kafka.instance=same", "--set", "run.lanes=1"];
    let mut twins = [scene.run(&same), scene.run(&same)];
    let mut told = 0;
    let expected = under_load(&scene, 4, || {
        let lines = || twins.iter().map(super::service::Service::lines).collect::<Vec<_>>();
        told = wait_for(
            "one of them says so",
            2 * SOON,
            || lines().join("\n--\n"),
            || lines().iter().position(|lines| lines.contains("was taken over")),
        );
    });
    assert_eq!(twins[told].exit_within(SOON), 64, "{}", twins[told].lines());
    let lines = twins[told].lines();
    assert!(lines.contains("-same-0") && lines.contains("kafka.instance"), "{lines}");
    // Whichever is left, or a new one, does the rest.
    drop(twins);
    let rest = scene.run(&[]);
    prove(&scene, &expected, &rest);
}

#[test]
fn an_output_topic_that_is_not_there_is_named_and_waited_for() {
    let scene = Scene::named("no-routing", broker::shared());
    let some: Vec<clients::Topic<'_>> = [&scene.raw, &scene.qualified, &scene.unqualified, &scene.dead_letter, &scene.ledger]
        .iter()
        .map(|name| (name.as_str(), 2, &[][..]))
        .collect();
    clients::create_topics(&scene.brokers, &some);
    let expected = write(&scene, 0..200, 2);
    let service = scene.run(&[]);
    wait_for(
        "the topic is named",
        SOON,
        || service.lines(),
        || service.lines().contains(&format!("output topic {} does not exist", scene.routing)).then_some(()),
    );
    let aborted = || {
        let page = service.page("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix("leadstream_transactions_total{result=\"aborted\"} "));
        line.map_or(0, |count| count.parse::<u32>().expect("a count"))
    };
    // Each failure makes the next try wait longer: the broker is not kept busy by what cannot succeed.
    wait_until("it has tried several times", SOON, || aborted() >= 3);
    let before = aborted();
    let_pass(Duration::from_secs(5));
    assert!(aborted() - before <= 6, "{} batches were taken back within 5 s", aborted() - before);
    clients::create_topics(&scene.brokers, &[(&scene.routing, 2, &[])]);
    scene.wait_done(expected.len(), &service);
    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    assert!(service.lines().lines().count() < 30, "a flood of lines:\n{}", service.lines());
}

#[test]
fn offsets_that_a_transaction_holds_for_too_long_are_waited_for_and_told() {
    let scene = Scene::with_topics("held-offsets", broker::shared(), 2);
    let expected = write(&scene, 0..200, 2);
    // As one that a broker has forgotten to end.
    let held = clients::Open::hold(&scene.brokers, &scene.group, (&scene.raw, 1), 0);
    let service = scene.run(&["--set", "run.lanes=1"]);
    let told = || service.lines().contains("partitions wait for the group's offsets");
    wait_for("it is told", SOON, || service.lines(), || told().then_some(()));
    let lines = service.lines();
    assert!(lines.contains(&format!("{}/1", scene.raw)) && lines.contains("kafka-transactions.sh"), "{lines}");
    assert!(lines.lines().filter(|line| line.contains("partitions wait for")).all(|line| !line.contains("   ")), "{lines}");
    held.commit();
    scene.wait_done(expected.len(), &service);
    let lines = service.lines();
    assert_eq!((lines.matches("partitions wait for").count(), lines.contains("partitions are read again")), (1, true), "{lines}");
    Outcomes::read(&scene).assert_each_exactly_once(&expected);
}

#[test]
fn latest_begins_at_the_start_and_reads_partitions_that_come_later_whole() {
    let scene = Scene::with_topics("latest", broker::shared(), 2);
    write(&scene, 0..100, 2);
    let before = now_millis();
    wait_until("a millisecond has gone by", SOON, || now_millis() > before);
    let service = scene.run(&["--set", "run.from=latest"]);
    service.wait_ready();
    let mut expected = write(&scene, 100..200, 2);
    wait_until("what came since is decided", SOON, || scene.progress().done() >= 200);
    clients::add_partitions(&scene.brokers, &scene.raw, 4);
    // Written before the lane knows of the new partitions.
    expected.extend(write(&scene, 200..400, 4));
    wait_until("so is all in the new partitions", SOON, || scene.progress().done() >= 400);
    Outcomes::read(&scene).assert_each_exactly_once(&expected);
}

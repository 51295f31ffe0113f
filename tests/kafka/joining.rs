//! A second process comes and goes while leads keep coming: partitions move, nothing is lost, doubled or reordered.

use std::{thread, time::Duration};

use super::{
    broker,
    disturbed::{Disturbed, prove, under_load},
    proxy::{Action, Api},
    service::{SOON, Scene, wait_shared},
    waiting::wait_until,
};

#[test]
fn a_second_process_takes_its_share_and_gives_it_back() {
    let scene = Scene::with_topics("joining", broker::shared(), 8);
    let first = scene.run(&[]);
    first.wait_ready();
    wait_shared(&[&first], 8);
    let expected = under_load(&scene, 8, || {
        let mut second = scene.run(&[]);
        wait_shared(&[&first, &second], 8);
        second.terminate();
        assert_eq!(second.exit_within(Duration::from_secs(10)), 0, "{}", second.lines());
        wait_shared(&[&first], 8);
    });
    prove(&scene, &expected, &first);
}

/// As when the way back is cut without a word: librdkafka would wait five minutes for the answer, and hold on to partitions
/// that the group has given to nobody it knows.
#[test]
fn an_answer_to_a_join_that_never_comes_is_waited_for_half_a_minute() {
    thread::scope(|scope| {
        for strategy in ["cooperative-sticky", "range"] {
            scope.spawn(move || an_answer_never_comes(strategy));
        }
    });
}

fn an_answer_never_comes(strategy: &str) {
    let disturbed = Disturbed::with_partitions(&format!("unanswered-{strategy}"), 4);
    let strategy = format!("kafka.consumer.partition.assignment.strategy={strategy}");
    let service = disturbed.run(&["run.lanes=2", &strategy]);
    service.wait_ready();
    let Disturbed { scene, proxy, .. } = &disturbed;
    let unanswered = || proxy.done().get(&(Api::JoinGroup, Action::DropAnswer.name())).copied().unwrap_or(0);
    let expected = under_load(scene, 4, || {
        let group = scene.progress();
        // Both lanes are members, and neither has a request to join on its way that would be answered.
        wait_until("both lanes have their share", SOON, || service.shares() == [2, 2]);
        wait_until("it has begun to work", SOON, || group.done() > 0);
        // A third member makes both lanes join again; what they are told goes nowhere.
        proxy.rule(|request| if request.api == Api::JoinGroup { Action::DropAnswer } else { Action::Pass });
        let third = scene.run(&["--set", &strategy]);
        wait_until("both lanes have asked", SOON, || unanswered() >= 2);
        drop(third);
        proxy.pass_all();
        let before = group.done();
        wait_until("it goes on", 4 * SOON, || group.done() > before + 1_000);
    });
    prove(scene, &expected, &service);
    assert!(service.lines().contains("joining anew, nothing is lost"), "{}", service.lines());
}

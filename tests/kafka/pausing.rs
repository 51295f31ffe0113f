//! Processes that stand still and go on later, as if nothing had been: longer than their group waits for them, longer than
//! their transaction may be open, longer than they may stay away from the group by their own account.

use std::time::Duration;

use super::{
    disturbed::{Disturbed, prove, under_load},
    proxy::{Action, Api, Request},
    service::{SOON, Service, wait_shared},
    waiting::{let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 4;

fn disturbed(test: &str) -> Disturbed {
    Disturbed::with_partitions(test, i32::try_from(PARTITIONS).expect("a few"))
}

/// Holds the first call of this API from now on back, so that a transaction is open meanwhile; returns when it is held.
fn hold(disturbed: &Disturbed, api: Api, time: Duration) {
    let next = disturbed.proxy.seen(api);
    disturbed.proxy.rule(move |request: &Request| {
        let this = request.api == api && request.count == next;
        if this { Action::Delay(time) } else { Action::Pass }
    });
    wait_until("a transaction is open", SOON, || disturbed.proxy.seen(api) > next);
}

fn told(service: &Service, reason: &str) -> bool {
    service.page("/metrics").contains(&format!("leadstream_producer_recycles_total{{reason=\"{reason}\"}}"))
}

#[test]
fn a_process_that_stood_still_is_no_danger_when_it_goes_on() {
    let disturbed = disturbed("pausing");
    let scene = &disturbed.scene;
    let (first, second) = (disturbed.run(&["run.lanes=1"]), disturbed.run(&["run.lanes=1"]));
    wait_shared(&[&first, &second], PARTITIONS);
    let expected = under_load(scene, PARTITIONS, || {
        // Two seconds are enough for the group to give its partitions to the other one.
        hold(&disturbed, Api::AddOffsetsToTxn, Duration::from_millis(300));
        first.pause();
        wait_until("the other one has it all", SOON, || second.partitions() == PARTITIONS);
        first.resume();
        wait_shared(&[&first, &second], PARTITIONS);
        // And 15 s for the broker to end the transaction.
        hold(&disturbed, Api::Produce, Duration::from_millis(300));
        first.pause();
        second.pause();
        let_pass(Duration::from_secs(17));
        first.resume();
        second.resume();
        wait_shared(&[&first, &second], PARTITIONS);
        let state = || format!("{}\n---\n{}\n{}\n{}", first.lines(), second.lines(), first.page("/metrics"), second.page("/metrics"));
        // The broker says of a transaction it has ended what it says of a twin: it is told apart, and both live.
        wait_for("the one whose transaction was open renewed its producer", SOON, state, || {
            [&first, &second].iter().any(|service| told(service, "fenced")).then_some(())
        });
    });
    prove(scene, &expected, &first);
    second.assert_runs();
}

#[test]
fn a_lane_that_stays_too_long_in_a_commit_loses_its_partitions_and_nothing_else() {
    let disturbed = disturbed("slow-commit");
    let scene = &disturbed.scene;
    let brief = ["run.lanes=1", "kafka.consumer.max.poll.interval.ms=3000"];
    let (first, second) = (disturbed.run(&brief), disturbed.run(&brief));
    wait_shared(&[&first, &second], PARTITIONS);
    let expected = under_load(scene, PARTITIONS, || {
        for api in [Api::TxnOffsetCommit, Api::EndTxn] {
            hold(&disturbed, api, Duration::from_secs(6));
            wait_until("the other one has it all", SOON, || [&first, &second].iter().any(|service| service.partitions() == PARTITIONS));
            wait_shared(&[&first, &second], PARTITIONS);
        }
    });
    prove(scene, &expected, &first);
    second.assert_runs();
}

#[test]
fn transactions_that_abort_while_partitions_move_lose_and_double_nothing() {
    let disturbed = disturbed("partial-revokes");
    let Disturbed { scene, proxy, .. } = &disturbed;
    let first = disturbed.run(&["run.lanes=2"]);
    let expected = under_load(scene, PARTITIONS, || {
        wait_until("it has begun to work", SOON, || scene.progress().done() > 0);
        // Offsets so slow that the group moves on meanwhile and refuses them, and aborts of other causes between.
        proxy.rule(|request| match request.api {
            Api::AddOffsetsToTxn if request.count % 4 == 3 => Action::Answer(27),
            Api::TxnOffsetCommit => Action::Delay(Duration::from_millis(150)),
            Api::EndTxn if request.count % 5 == 4 => Action::CutAfter,
            _ => Action::Pass,
        });
        for _ in 0..3 {
            let mut second = disturbed.run(&["run.lanes=1"]);
            wait_shared(&[&first, &second], PARTITIONS);
            second.terminate();
            assert_eq!(second.exit_within(SOON), 0, "{}", second.lines());
            wait_shared(&[&first], PARTITIONS);
        }
        proxy.pass_all();
    });
    prove(scene, &expected, &first);
    let aborted = first.page("/metrics");
    assert!(aborted.contains("leadstream_transactions_total{result=\"aborted\"}"), "{aborted}");
}

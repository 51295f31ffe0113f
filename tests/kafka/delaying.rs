//! Requests that come late, each of those a transaction is made of: with a process that is killed just then, and with one
//! that goes on by another connection.

use std::time::Duration;

use super::{
    disturbed::{Disturbed, prove, under_load},
    proxy::{Action, Api, Request},
    service::{SOON, Service},
    waiting::{wait_for, wait_until},
};

const PARTITIONS: usize = 4;
/// What a transaction is made of, in its order.
const CALLS: [Api; 5] = [Api::AddPartitionsToTxn, Api::Produce, Api::AddOffsetsToTxn, Api::TxnOffsetCommit, Api::EndTxn];

/// Does `action` to the next request of this API; tells the number it will have.
fn next_of(disturbed: &Disturbed, api: Api, action: Action) -> u64 {
    let next = disturbed.proxy.seen(api);
    disturbed.proxy.rule(move |request: &Request| {
        let this = request.api == api && request.count == next;
        if this { action } else { Action::Pass }
    });
    next
}

fn disturbed(test: &str) -> Disturbed {
    Disturbed::with_partitions(test, i32::try_from(PARTITIONS).expect("a few"))
}

#[test]
fn a_process_killed_while_a_call_is_under_way_loses_and_doubles_nothing() {
    let disturbed = disturbed("delaying");
    let Disturbed { scene, .. } = &disturbed;
    let start = || disturbed.run(&["run.lanes=1", "kafka.instance=same"]);
    let mut service = start();
    let expected = under_load(scene, PARTITIONS, || {
        let group = scene.progress();
        for api in CALLS {
            let before = group.done();
            wait_until("it works", SOON, || {
                service.assert_runs();
                group.done() > before
            });
            // It comes to the broker when the one who sent it is dead, and the next one may be at work.
            let next = next_of(&disturbed, api, Action::Delay(Duration::from_secs(2)));
            wait_until("the call is under way", SOON, || disturbed.proxy.seen(api) > next);
            service.kill();
            service = start();
        }
    });
    prove(scene, &expected, &service);
}

#[test]
fn a_call_that_comes_late_while_the_process_goes_on_loses_and_doubles_nothing() {
    let disturbed = disturbed("overtaking");
    let Disturbed { scene, proxy, .. } = &disturbed;
    let service = disturbed.run(&["run.lanes=1"]);
    let expected = under_load(scene, PARTITIONS, || {
        let group = scene.progress();
        for api in CALLS {
            let before = group.done();
            working(&service, || group.done() > before);
            next_of(&disturbed, api, Action::DeliverLate(Duration::from_millis(1_300)));
            let state = || format!("{:?}\n{}", proxy.done(), service.lines());
            wait_for("the call came late", SOON, state, || proxy.done().contains_key(&(api, "deliver_late")).then_some(()));
        }
    });
    prove(scene, &expected, &service);
}

fn working(service: &Service, progress: impl Fn() -> bool) {
    wait_for(
        "it works",
        SOON,
        || service.lines(),
        || {
            service.assert_runs();
            progress().then_some(())
        },
    );
}

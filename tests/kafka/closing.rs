//! Connections that close while a transaction is being ended, and deliver the end of it too late: the danger that costs
//! exactly once without an error. That the tests can see it is shown by a build that does not heed it.

use std::{collections::BTreeMap, env, time::Duration};

use super::{
    leads::Expected,
    load::{Disturbed, prove, under_load},
    outcomes::{At, Outcomes},
    proxy::{Action, Api, Request},
    service::{SOON, Service},
    waiting::{wait_for, wait_until},
};

const PARTITIONS: usize = 4;
/// Late deliveries, of commits and of aborts; more by `make late-test`.
fn faults() -> u64 {
    env::var("LEADSTREAM_LATE_ENDS").map_or(12, |text| text.parse().expect("LEADSTREAM_LATE_ENDS is a number"))
}

/// Every third transaction is made to abort, by an answer that says the group is not allowed (`GROUP_AUTHORIZATION_FAILED`);
/// every third end of one comes late, of commits and of aborts. Offsets are slow, so that most late ends find a transaction
/// open: with its outputs written and its offsets not yet.
fn ends_come_late(request: &Request) -> Action {
    match request.api {
        Api::AddOffsetsToTxn if request.count % 3 == 2 => Action::Answer(30),
        Api::AddOffsetsToTxn | Api::TxnOffsetCommit => Action::Delay(Duration::from_millis(250)),
        Api::EndTxn if request.count % 3 == 1 => Action::DeliverLate(Duration::from_millis(1_200 + request.count % 4 * 100)),
        _ => Action::Pass,
    }
}

/// Disturbs `service` until enough ends came late; what must become of each lead.
fn disturb(disturbed: &Disturbed, service: &Service) -> BTreeMap<At, Expected> {
    let Disturbed { scene, proxy, .. } = disturbed;
    under_load(scene, PARTITIONS, || {
        wait_until("it has begun to work", SOON, || {
            service.assert_runs();
            scene.progress().done() > 0
        });
        proxy.rule(ends_come_late);
        let late = || proxy.done().get(&(Api::EndTxn, "deliver_late")).copied().unwrap_or(0);
        let state = || format!("{:?}\n{}", proxy.done(), service.lines());
        let (faults, each) = (faults(), Duration::from_secs(10));
        wait_for("enough ends came late", each * u32::try_from(faults).expect("a count"), state, || (late() >= faults).then_some(()));
        proxy.pass_all();
    })
}

fn disturbed(test: &str) -> Disturbed {
    Disturbed::with_partitions(test, i32::try_from(PARTITIONS).expect("a few"))
}

#[test]
fn an_end_that_comes_late_loses_and_doubles_nothing() {
    let disturbed = disturbed("closing");
    let service = disturbed.run(&["run.lanes=2"]);
    let expected = disturb(&disturbed, &service);
    prove(&disturbed.scene, &expected, &service);
    let recycles = service.metric("leadstream_producer_recycles_total").unwrap_or(0.0);
    assert!(recycles > 0.0, "no producer was replaced");
    assert!(service.page("/metrics").contains("leadstream_producer_recycles_total{reason=\"log_line\"}"), "{}", service.page("/metrics"));
    println!("{} leads, {recycles} producers replaced, {:?}", expected.len(), disturbed.proxy.done());
}

#[test]
fn without_the_log_rule_an_end_that_comes_late_loses_or_doubles() {
    let disturbed = disturbed("closing-unheeded");
    let service = disturbed.run_sabotaged("ignore_log_lines", &["run.lanes=2"]);
    let expected = disturb(&disturbed, &service);
    disturbed.scene.wait_done(expected.len(), &service);
    let (count, wrong) = Outcomes::read(&disturbed.scene).wrong(&expected);
    println!("{} leads, {count} wrong, {:?}", expected.len(), disturbed.proxy.done());
    assert!(count > 0, "the test of closing connections would not notice that the rule is gone: {:?}", disturbed.proxy.done());
    assert!(service.lines().contains("LEADSTREAM_SABOTAGE"), "{wrong}");
}

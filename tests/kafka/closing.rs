//! Connections that close while a transaction is being ended, and deliver the end of it too late: the danger that costs
//! exactly once without an error. That the tests can see it is shown by a build that does not heed it.

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    disturbed::{Disturbed, prove, under_load},
    leads::Expected,
    outcomes::{At, Outcomes, Wrong},
    proxy::{Action, Api, Request},
    service::{SOON, Service},
    waiting::{wait_for, wait_until},
};

const PARTITIONS: usize = 4;
/// Late deliveries, of commits and of aborts; more by `make storm-proof`.
fn faults() -> u64 {
    env::var("LEADSTREAM_LATE_ENDS").map_or(12, |text| text.parse().expect("LEADSTREAM_LATE_ENDS is a number"))
}

/// How many ends of transactions came, and how many of them late: of commits, of aborts.
#[derive(Default)]
struct Ends {
    seen: [AtomicU64; 2],
    late: [AtomicU64; 2],
}

impl Ends {
    fn late(&self) -> [u64; 2] {
        [0, 1].map(|kind| self.late[kind].load(Ordering::Relaxed))
    }

    /// Every third transaction is made to abort, by an answer that says the group is moving (`REBALANCE_IN_PROGRESS`): such an
    /// abort is normal, so the lane begins anew without a pause, and late ends find it at work.
    /// The end of every third commit comes late, and that of every other abort; what repeats them comes at once. Offsets are
    /// slow, so that most late ends find a transaction open: with its outputs written and its offsets not yet.
    fn action(&self, request: &Request) -> Action {
        let Some(commits) = request.commits else {
            return match request.api {
                Api::AddOffsetsToTxn if request.count % 3 == 2 => Action::Answer(27),
                Api::AddOffsetsToTxn | Api::TxnOffsetCommit => Action::Delay(Duration::from_millis(250)),
                _ => Action::Pass,
            };
        };
        let (kind, every) = if commits { (0, 3) } else { (1, 2) };
        if self.seen[kind].fetch_add(1, Ordering::Relaxed) % every != 1 {
            return Action::Pass;
        }
        let late = self.late[kind].fetch_add(1, Ordering::Relaxed);
        Action::DeliverLate(Duration::from_millis(1_200 + late % 4 * 100))
    }
}

/// Disturbs `service` until enough ends came late, and does to other requests what `also` says; what must become of each lead.
fn disturb(disturbed: &Disturbed, service: &Service, also: fn(&Request) -> Option<Action>) -> BTreeMap<At, Expected> {
    let Disturbed { scene, proxy, .. } = disturbed;
    under_load(scene, PARTITIONS, || {
        wait_until("it has begun to work", SOON, || {
            service.assert_runs();
            scene.progress().done() > 0
        });
        let ends = Arc::new(Ends::default());
        let its = Arc::clone(&ends);
        proxy.rule(move |request| also(request).unwrap_or_else(|| its.action(request)));
        let (faults, each) = (faults(), Duration::from_secs(10));
        let state = || format!("{:?}\n{}", proxy.done(), service.lines());
        wait_for("enough ends came late", each * u32::try_from(faults).expect("a count"), state, || {
            let [commits, aborts] = ends.late();
            (commits + aborts >= faults && commits.min(aborts) >= faults / 4).then_some(())
        });
        proxy.pass_all();
        // The last of them must find somebody at work, too.
        let [commits, aborts] = ends.late();
        wait_until("all of them have come", SOON, || proxy.done().get(&(Api::EndTxn, "deliver_late")) == Some(&(commits + aborts)));
        println!("late: {:?} commits and aborts; {:?}", ends.late(), proxy.done());
    })
}

fn disturbed(test: &str) -> Disturbed {
    Disturbed::with_partitions(test, i32::try_from(PARTITIONS).expect("a few"))
}

#[test]
fn an_end_that_comes_late_loses_and_doubles_nothing() {
    let disturbed = disturbed("closing");
    let service = disturbed.run(&["run.lanes=2"]);
    let expected = disturb(&disturbed, &service, |_| None);
    prove(&disturbed.scene, &expected, &service);
    let recycles = service.metric("leadstream_producer_recycles_total").unwrap_or(0.0);
    assert!(recycles > 0.0, "no producer was replaced");
    assert!(service.page("/metrics").contains("leadstream_producer_recycles_total{reason=\"log_line\"}"), "{}", service.page("/metrics"));
    println!("{} leads, {recycles} producers replaced", expected.len());
}

/// librdkafka tells the same loss twice and then holds it back for 30 s. Who begins among losses would not be told of the next.
#[test]
fn a_loss_at_the_beginning_hides_none_at_an_end() {
    let disturbed = disturbed("closing-begins");
    let service = disturbed.run(&["run.lanes=1"]);
    let expected =
        disturb(&disturbed, &service, |request| (request.api == Api::InitProducerId && request.count % 5 < 3).then_some(Action::CutAfter));
    prove(&disturbed.scene, &expected, &service);
    assert!(disturbed.proxy.done().contains_key(&(Api::InitProducerId, "cut_after")), "{:?}", disturbed.proxy.done());
    println!("{} leads", expected.len());
}

#[test]
fn without_the_log_rule_an_end_that_comes_late_loses_or_doubles() {
    let disturbed = disturbed("closing-unheeded");
    let service = disturbed.run_sabotaged("ignore_log_lines", &["run.lanes=2"]);
    let expected = disturb(&disturbed, &service, |_| None);
    disturbed.scene.wait_done(expected.len(), &service);
    let Wrong { lost, other, .. } = Outcomes::read(&disturbed.scene).wrong(&expected);
    println!("{} leads, {lost} lost, {other} doubled or torn", expected.len());
    assert!(lost + other > 0, "this test would not notice that the rule is gone: {:?}", disturbed.proxy.done());
    assert!(service.lines().contains("LEADSTREAM_SABOTAGE is set"), "{}", service.lines());
}

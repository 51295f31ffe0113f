//! Builds that are broken on purpose (`src/kafka/sabotage.rs`) are found out: a proof that cannot fail proves nothing. The
//! log rule has its own in `closing`.

use super::{
    disturbed::{Disturbed, prove, under_load},
    outcomes::{Outcomes, Wrong},
    proxy::{Action, Api},
    service::SOON,
    waiting::wait_until,
};

const PARTITIONS: usize = 4;

/// What is wrong after some transactions were made to abort.
fn wrong_after_aborts(disturbed: &Disturbed, switch: &str) -> Wrong {
    let Disturbed { scene, proxy, .. } = disturbed;
    let answered = || proxy.done().get(&(Api::AddOffsetsToTxn, "answer")).copied().unwrap_or(0);
    let before = answered();
    let service = disturbed.run_sabotaged(switch, &["run.lanes=1"]);
    let expected = under_load(scene, PARTITIONS, || {
        let group = scene.progress();
        wait_until("it has begun to work", SOON, || group.done() > 0);
        // REBALANCE_IN_PROGRESS: an abort, and nothing else.
        proxy.rule(|request| if request.api == Api::AddOffsetsToTxn && request.count % 2 == 0 { Action::Answer(27) } else { Action::Pass });
        wait_until("some were aborted", SOON, || answered() >= before + 4);
        proxy.pass_all();
        let before = group.done();
        wait_until("it goes on", SOON, || group.done() > before);
    });
    if switch.is_empty() {
        prove(scene, &expected, &service);
    }
    scene.wait_done(expected.len(), &service);
    Outcomes::read(scene).wrong(&expected)
}

#[test]
fn whoever_forgets_to_rewind_or_commits_offsets_first_is_found_out() {
    let count = i32::try_from(PARTITIONS).expect("a few");
    let disturbed = Disturbed::with_partitions("unbroken", count);
    let unbroken = wrong_after_aborts(&disturbed, "");
    assert_eq!((unbroken.lost, unbroken.other), (0, 0), "aborts cost nothing where nothing is broken");
    let disturbed = disturbed.anew("no-rewind", count);
    assert!(wrong_after_aborts(&disturbed, "no_rewind").lost > 0, "nobody sees that nothing is rewound after an abort");
    let disturbed = disturbed.anew("offsets-first", count);
    assert!(wrong_after_aborts(&disturbed, "offsets_first").lost > 0, "nobody sees that offsets are committed before the outputs");
}

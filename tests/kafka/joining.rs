//! A second process comes and goes while leads keep coming: partitions move, nothing is lost, doubled or reordered.

use std::time::Duration;

use super::{
    broker,
    disturbed::{prove, under_load},
    service::{Scene, wait_shared},
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

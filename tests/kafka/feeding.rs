//! `demo --to-kafka`: made-up leads reach a real Kafka, as many as were asked for, and what is in the way is told.

use super::{
    broker::{self, Broker},
    clients,
    service::{SOON, Scene},
    waiting::wait_until,
};

#[test]
fn made_up_leads_are_written_and_can_be_decided() {
    let scene = Scene::with_topics("feeding", broker::shared(), 3);
    let output = scene.call(&["demo", "--to-kafka", "--rate", "2000", "--leads", "300"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.ends_with(&format!("300 made-up leads written to {}\n", scene.raw)), "{told}");
    assert_eq!(scene.read(&scene.raw).len(), 300);
    let decided = scene.call(&["run", "--once"]);
    assert_eq!(decided.status.code(), Some(0), "{}", String::from_utf8_lossy(&decided.stderr));
    assert_eq!(scene.progress().done(), 300);
    let outputs = [&scene.qualified, &scene.unqualified, &scene.dead_letter].map(|topic| scene.read(topic).len());
    assert_eq!(outputs.iter().sum::<usize>(), 300, "{outputs:?}");
    assert!(outputs.iter().all(|count| *count > 0), "of each kind some: {outputs:?}");
}

#[test]
fn it_goes_on_until_it_is_told_to_end() {
    let scene = Scene::with_topics("feeding-on", broker::shared(), 1);
    let mut feeder = scene.start(&["demo", "--to-kafka", "--rate", "50"]);
    wait_until("leads arrive", SOON, || {
        feeder.assert_runs();
        clients::written(&scene.brokers, &scene.raw) >= 20
    });
    feeder.terminate();
    assert_eq!(feeder.exit_within(SOON), 0, "{}", feeder.lines());
}

#[test]
fn without_the_topic_or_the_broker_it_says_so() {
    let scene = Scene::named("feeding-nowhere", broker::shared());
    let output = scene.call(&["demo", "--to-kafka", "--leads", "1"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{told}");
    assert!(told.contains(&scene.raw) && told.contains("leadstream topics create"), "{told}");

    // A broker that was never started.
    let away = Broker::prepared();
    scene.by_way_of(away.address());
    let output = scene.call(&["demo", "--to-kafka", "--leads", "1"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{told}");
    assert!(told.contains(away.address()), "{told}");
}

//! A lane with nothing to do for longer than the broker remembers its transactional id: when leads come again, it goes on by
//! itself, exactly once.

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker::{Broker, Settings},
    leads::{lead, records},
    outcomes::Outcomes,
    service::{Scene, now_millis},
    waiting::let_pass,
};

/// How long the broker of this test remembers a transactional id that is not used, or a producer.
const MEMORY: Duration = Duration::from_secs(2);

const ROUNDS: u32 = 3;

#[test]
fn a_lane_that_was_idle_for_longer_than_the_broker_remembers_goes_on_exactly_once() {
    let memory = MEMORY.as_millis();
    let properties = format!(
        "transactional.id.expiration.ms={memory}\ntransaction.remove.expired.transaction.cleanup.interval.ms=500\n\
         producer.id.expiration.ms={memory}\nproducer.id.expiration.check.interval.ms=500\n"
    );
    let mut broker = Broker::with(|_| Settings { properties, ..Settings::default() });
    broker.start();
    let scene = Scene::with_topics("idle-for-long", broker.address(), 2);
    let service = scene.run(&["--set", "kafka.instance=idle"]);
    let mut expected = BTreeMap::new();
    for _ in 0..ROUNDS {
        let numbers = expected.len()..expected.len() + 100;
        let raw = records(numbers.clone(), 2, now_millis());
        let positions = raw.iter().map(|raw| raw.partition).zip(scene.write(&raw));
        expected.extend(positions.zip(numbers.map(|number| lead(number).1)));
        scene.wait_done(expected.len(), &service);
        // Twice over, and once more the interval at which it forgets.
        let_pass(2 * MEMORY + Duration::from_millis(500));
    }
    // Each time it was idle, the broker refused its next transaction: else this would show nothing.
    let aborted = service.metric("leadstream_transactions_total{result=\"aborted\"}");
    assert!(aborted >= Some(f64::from(ROUNDS - 1)), "{aborted:?}\n{}", service.lines());
    service.wait_ready();
    assert!(service.lines().lines().count() < 20, "a flood of lines:\n{}", service.lines());
    let outcomes = Outcomes::read(&scene);
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
}

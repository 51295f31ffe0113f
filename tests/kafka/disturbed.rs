//! Leads that keep coming while something is done to whoever decides them, and the proof afterwards. What is done, the
//! tests say.

use std::{collections::BTreeMap, ops::Range, thread, time::Duration};

use super::{
    broker::Broker,
    clients::{self, Writer},
    leads::{Expected, lead, records},
    outcomes::{At, Outcomes},
    proxy::Proxy,
    service::{SOON, Scene, Service, now_millis},
    waiting::{Enough, let_pass, wait_until},
};

/// A broker behind a proxy, and topics on it. Tests reach the broker itself; the program is sent through the proxy.
pub(crate) struct Disturbed {
    pub(crate) scene: Scene,
    pub(crate) proxy: Proxy,
    address: String,
    _broker: Broker,
}

/// A dead process is missed after two seconds, not after six.
const MISSED_SOON: &str = "group.min.session.timeout.ms=1000\n";

impl Disturbed {
    /// Input of so many partitions.
    pub(crate) fn with_partitions(test: &str, partitions: i32) -> Self {
        let (proxy, mut broker) = Proxy::with_broker_of(MISSED_SOON);
        broker.start();
        let scene = Scene::with_topics(test, broker.address(), partitions);
        let address = format!("kafka.brokers={}", proxy.address());
        Self { scene, proxy, address, _broker: broker }
    }

    /// The same broker and proxy, with topics that nothing has happened to.
    pub(crate) fn anew(self, test: &str, partitions: i32) -> Self {
        Self { scene: Scene::with_topics(test, &self.scene.brokers, partitions), ..self }
    }

    fn arguments<'a>(&'a self, settings: &[&'a str]) -> Vec<&'a str> {
        let quick = ["kafka.consumer.session.timeout.ms=2000", "kafka.consumer.heartbeat.interval.ms=500"];
        [&self.address]
            .into_iter()
            .map(String::as_str)
            .chain(quick)
            .chain(settings.iter().copied())
            .flat_map(|set| ["--set", set])
            .collect()
    }

    /// `leadstream run` through the proxy, with these settings (`KEY=VALUE`).
    pub(crate) fn run(&self, settings: &[&str]) -> Service {
        self.scene.run(&self.arguments(settings))
    }

    /// As [`Disturbed::run`], broken on purpose.
    pub(crate) fn run_sabotaged(&self, switch: &str, settings: &[&str]) -> Service {
        self.scene.run_sabotaged(switch, &self.arguments(settings))
    }
}

/// Writes the leads of these numbers; what must become of each.
pub(crate) fn write(scene: &Scene, numbers: Range<usize>, partitions: usize) -> BTreeMap<At, Expected> {
    let raw = records(numbers.clone(), partitions, now_millis());
    let offsets = scene.write(&raw);
    let positions = raw.iter().map(|raw| raw.partition).zip(offsets);
    positions.zip(numbers.map(|number| lead(number).1)).collect()
}

/// Writes leads all the time while `during` is done; what must become of each.
pub(crate) fn under_load(scene: &Scene, partitions: usize, during: impl FnOnce()) -> BTreeMap<At, Expected> {
    let timestamp = now_millis();
    let enough = Enough::default();
    thread::scope(|scope| {
        let until = enough.when_dropped();
        let writing = scope.spawn(|| {
            let writer = Writer::new(&scene.brokers);
            let mut written = BTreeMap::new();
            while !enough.said() {
                let from = written.len();
                let records = records(from..from + 40, partitions, timestamp);
                let offsets = writer.write(&scene.raw, &records);
                let outcomes = (from..).map(|number| lead(number).1);
                written.extend(records.iter().map(|record| record.partition).zip(offsets).zip(outcomes));
                let_pass(Duration::from_millis(50));
            }
            written
        });
        during();
        drop(until);
        writing.join().expect("written")
    })
}

/// Waits until all is decided, and proves it: each exactly once, in order, and no transaction left open.
pub(crate) fn prove(scene: &Scene, expected: &BTreeMap<At, Expected>, service: &Service) {
    scene.wait_done(expected.len(), service);
    let outcomes = Outcomes::read(scene);
    outcomes.assert_each_exactly_once(expected);
    outcomes.assert_in_order();
    wait_until("no transaction is open", SOON, || clients::settled(&scene.brokers, &scene.outputs()));
}

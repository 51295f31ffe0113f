//! From the moment a lead was due to be sent to the moment a reader of committed records has its verdict, for every second of a
//! soak.

use std::time::Duration;

use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};

use super::{
    load::Clock,
    service::Scene,
    template::{STAMP, now, stamp_of},
    waiting::Enough,
};

/// Milliseconds, by the second in which a lead was due.
pub(crate) type BySecond = Vec<Vec<u16>>;

/// Reads verdicts of one partition of each topic (all of them would cost as much as deciding them) until it is enough.
pub(crate) fn read(scene: &Scene, clock: Clock, enough: &Enough) -> BySecond {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &scene.brokers).set("group.id", format!("{}-reader", scene.group));
    config.set("isolation.level", "read_committed").set("enable.auto.commit", "false").set("fetch.queue.backoff.ms", "5");
    config.set("fetch.wait.max.ms", "20").set("reconnect.backoff.max.ms", "500");
    let reader: BaseConsumer = config.create().expect("good settings");
    let mut list = TopicPartitionList::new();
    for topic in [&scene.qualified, &scene.unqualified] {
        list.add_partition_offset(topic, 0, Offset::End).expect("a place");
    }
    reader.assign(&list).expect("assigned");
    let mut seen = BySecond::new();
    while !enough.said() {
        // A connection that goes with a broker that stalls is the client's own to mend.
        let Some(Ok(message)) = reader.poll(Duration::from_millis(50)) else { continue };
        let due = told(message.payload().expect("a value"));
        // Those from before are of finding out what is borne.
        let Ok(since) = usize::try_from(due - clock.millis) else { continue };
        let millis = now().millis() - due;
        if seen.len() <= since / 1000 {
            seen.resize(since / 1000 + 1, Vec::new());
        }
        seen[since / 1000].push(u16::try_from(millis.max(0)).unwrap_or(u16::MAX));
    }
    seen
}

/// The time that a verdict's event tells, milliseconds since 1970.
fn told(value: &[u8]) -> i64 {
    let at = stamp_of(value).expect("every verdict tells when its lead was received");
    let text = std::str::from_utf8(&value[at..at + STAMP]).expect("digits");
    leadstream::lead::Timestamp::parse(text).expect("a time").millis()
}

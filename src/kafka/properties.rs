//! librdkafka properties of each client: the recipe that keeps exactly-once, over what the configuration passes through.
//! Which properties a person may set is checked where the configuration is read.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel, consumer::BaseConsumer, error::KafkaError, producer::BaseProducer};

use crate::config::{Delivery, KafkaConfig, LaneMemory, Secret};

use super::quiet::Quiet;

/// How long the broker keeps a transaction of a silent producer open, and so how long its records hold readers up.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);
/// After this long without an answer librdkafka gives a request up. A call that took longer may have been sent twice.
pub(super) const SOCKET_TIMEOUT: Duration = Duration::from_secs(10);

/// After this long without a sign of life, in milliseconds, a member's partitions go to others.
const SESSION: &str = "6000";

fn base(kafka: &KafkaConfig) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", "leadstream");
    config.set("topic.metadata.refresh.interval.ms", "10000");
    config.set("reconnect.backoff.max.ms", "2000");
    pass_through(&mut config, &kafka.client);
    config.set("bootstrap.servers", &kafka.brokers);
    config
}

fn pass_through<'a>(config: &mut ClientConfig, properties: impl IntoIterator<Item = (&'a String, &'a Secret)>) {
    for (name, value) in properties {
        let own = ALIASES.iter().find(|(alias, _)| alias == name);
        config.set(own.map_or(name.as_str(), |(_, name)| name), value.expose());
    }
}

/// Second names of properties that have a value of ours. Under both names at once, chance would decide which value holds.
const ALIASES: [(&str, &str); 3] = [
    ("compression.codec", "compression.type"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
];

/// A client that is neither member nor producer: admin calls, metadata, offsets of `group`.
pub(super) fn observer(kafka: &KafkaConfig) -> ClientConfig {
    let mut config = base(kafka);
    // As the lanes have it: what a person sets beside it has to fit the same value everywhere.
    config.set("session.timeout.ms", SESSION);
    pass_through(&mut config, kafka.client.iter().chain(&kafka.consumer));
    config.set("group.id", &kafka.group);
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    config.set("isolation.level", "read_committed");
    config.set("auto.offset.reset", "error");
    config.set("enable.partition.eof", "true");
    // Why a connection closes is told there alone, at times.
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// An admin client.
pub(super) fn admin(kafka: &KafkaConfig) -> ClientConfig {
    base(kafka)
}

/// The lane's consumer. `name` is how the group's other observers know it: the lane's transactional id, so that two processes
/// that take the same ids can be told; a person's own `client.id` stands.
pub(super) fn consumer(kafka: &KafkaConfig, name: &str, memory: LaneMemory) -> ClientConfig {
    let mut config = base(kafka);
    if !kafka.client.contains_key("client.id") {
        config.set("client.id", name);
    }
    // A full prefetch queue is looked at again after 10 ms, not after a second; what is prefetched is bounded.
    config.set("fetch.queue.backoff.ms", "10");
    config.set("queued.max.messages.kbytes", (memory.read_ahead() / 1024).to_string());
    config.set("queued.min.messages", memory.records_ahead().to_string());
    config.set("fetch.max.bytes", memory.fetched_at_once().to_string());
    config.set("fetch.message.max.bytes", memory.fetched_of_a_partition().to_string());
    config.set("session.timeout.ms", SESSION);
    config.set("heartbeat.interval.ms", "1000");
    // The others hold too (the storm runs on range as well), but stop every lane at each change of the group.
    config.set("partition.assignment.strategy", "cooperative-sticky");
    // What a person has set wins over these, in the section of both clients too.
    pass_through(&mut config, kafka.client.iter().chain(&kafka.consumer));
    config.set("group.id", &kafka.group);
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    config.set("isolation.level", "read_committed");
    // Where a group starts is decided and committed by the lane itself; a lost position is never papered over.
    config.set("auto.offset.reset", "error");
    config.set("enable.partition.eof", "false");
    config
}

/// How a lane's producer packs records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    /// The largest record it must be able to send, in bytes.
    pub(super) largest: usize,
    /// Records are sent together up to this many bytes: a broker holds a batch against the limit of a record.
    pub(super) together: usize,
    /// Each record alone: slow, but then a refusal names the one it means.
    pub(super) alone: bool,
    /// Records on their way take no more than this, in bytes.
    pub(super) on_the_way: usize,
}

/// The lane's producer: transactional, or idempotent only.
pub(super) fn producer(kafka: &KafkaConfig, delivery: Delivery, transactional_id: &str, packing: Packing) -> ClientConfig {
    let mut config = base(kafka);
    config.set("linger.ms", "5");
    config.set("compression.type", "lz4");
    config.set("batch.size", packing.together.to_string());
    config.set("queue.buffering.max.kbytes", packing.on_the_way.div_ceil(1024).to_string());
    // As the Java clients place records, so that a key's events share their partition whoever writes.
    config.set("partitioner", "murmur2_random");
    pass_through(&mut config, kafka.client.iter().chain(&kafka.producer));
    config.set("message.max.bytes", packing.largest.to_string());
    if packing.alone {
        config.set("batch.num.messages", "1");
    }
    config.set("enable.idempotence", "true");
    // A delivered record is forgotten where the broker's answer is read; nobody is woken for it.
    config.set("delivery.report.only.error", "true");
    config.set("socket.timeout.ms", SOCKET_TIMEOUT.as_millis().to_string());
    config.set("log.connection.close", "true");
    // A log line is part of the safety rule (producer.rs): it must be there, and on our thread.
    config.set_log_level(RDKafkaLogLevel::Info);
    if delivery == Delivery::ExactlyOnce {
        config.set("transactional.id", transactional_id);
        config.set("transaction.timeout.ms", TRANSACTION_TIMEOUT.as_millis().to_string());
    }
    config
}

/// What librdkafka looks at only when it connects.
const MECHANISMS: [&str; 5] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"];

/// Asks librdkafka itself whether it knows the property and takes the value; opens no connection.
///
/// # Errors
/// librdkafka's own words, which name the property and never a secret value.
pub fn check_property(name: &str, value: &str) -> Result<(), String> {
    let mut config = ClientConfig::new();
    config.set(name, value);
    if matches!(name, "sasl.mechanism" | "sasl.mechanisms") && !MECHANISMS.contains(&value) {
        return Err(format!("it knows {} only", MECHANISMS.join(", ")));
    }
    config.create_native_config().map(|_| ()).map_err(|error| match error {
        rdkafka::error::KafkaError::ClientConfig(_, description, ..) if !value.is_empty() => description.replace(value, "…"),
        rdkafka::error::KafkaError::ClientConfig(_, description, ..) => description,
        other => other.to_string(),
    })
}

/// Makes the clients that a lane would make, without brokers to connect to: what is wrong with the settings together, such as
/// two times that do not fit or a certificate that cannot be read. Each with the sections it comes from.
#[must_use]
pub fn check_clients(kafka: &KafkaConfig, delivery: Delivery) -> Vec<(&'static str, String)> {
    let told = |error: KafkaError| match error {
        KafkaError::ClientCreation(why) => why,
        other => other.to_string(),
    };
    let mut found = Vec::new();
    let memory = LaneMemory::share(0, 1);
    let mut consumer = consumer(kafka, "check", memory);
    consumer.remove("bootstrap.servers");
    if let Err(error) = consumer.create_with_context::<_, BaseConsumer<Quiet>>(Quiet::default()) {
        found.push(("[kafka.client] and [kafka.consumer]", told(error)));
    }
    let packing = Packing { largest: 1_000_000, together: 1_000_000, alone: false, on_the_way: memory.on_the_way(1_000_000) };
    let mut producer = producer(kafka, delivery, "check", packing);
    producer.remove("bootstrap.servers");
    if let Err(error) = producer.create_with_context::<_, BaseProducer<Quiet>>(Quiet::default()) {
        let why = told(error);
        // What both clients refuse is told once.
        if !found.iter().any(|(_, known)| *known == why) {
            found.push(("[kafka.client] and [kafka.producer]", why));
        }
    }
    for (name, value) in kafka.client.iter().chain(&kafka.consumer).chain(&kafka.producer) {
        // A path helps whoever reads the message; anything else may be a secret.
        if !value.expose().is_empty() && !name.ends_with(".location") && value.expose().parse::<i64>().is_err() {
            for (_, why) in &mut found {
                *why = why.replace(value.expose(), "…");
            }
        }
    }
    found
}

/// A name for a process that has no stable one: random at each start, so that two of them never share a transactional id.
#[must_use]
pub fn random_instance() -> String {
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guarantees_rest_on_wins_over_what_is_passed_through() {
        let mut kafka = KafkaConfig::default();
        kafka.client.insert("enable.idempotence".into(), Secret::new("false"));
        kafka.client.insert("transactional.id".into(), Secret::new("mine"));
        kafka.consumer.insert("isolation.level".into(), Secret::new("read_uncommitted"));
        kafka.consumer.insert("fetch.wait.max.ms".into(), Secret::new("7"));
        let packing = Packing { largest: 1_000_000, together: 1000, alone: false, on_the_way: 2 << 20 };
        let producer = producer(&kafka, Delivery::ExactlyOnce, "g-i-0", packing);
        assert_eq!(producer.get("enable.idempotence"), Some("true"));
        assert_eq!(producer.get("transactional.id"), Some("g-i-0"));
        let consumer = consumer(&kafka, "g-i-0", LaneMemory::share(64 << 20, 2));
        assert_eq!(consumer.get("client.id"), Some("g-i-0"));
        assert_eq!(consumer.get("queued.max.messages.kbytes"), Some("4096"));
        assert_eq!(consumer.get("isolation.level"), Some("read_committed"));
        assert_eq!(consumer.get("fetch.wait.max.ms"), Some("7"));
    }

    #[test]
    fn a_property_under_its_second_name_wins_over_our_value() {
        let mut kafka = KafkaConfig::default();
        for (alias, _) in ALIASES {
            let value = if alias == "compression.codec" { "zstd" } else { "77" };
            kafka.client.insert(alias.into(), Secret::new(value));
        }
        let memory = LaneMemory::share(64 << 20, 2);
        let packing = Packing { largest: 1_000_000, together: 1000, alone: false, on_the_way: 2 << 20 };
        let (consumer, producer) = (consumer(&kafka, "g-i-0", memory), producer(&kafka, Delivery::ExactlyOnce, "g-i-0", packing));
        assert_eq!((producer.get("compression.type"), producer.get("compression.codec")), (Some("zstd"), None));
        assert_eq!((producer.get("linger.ms"), producer.get("queue.buffering.max.ms")), (Some("77"), None));
        assert_eq!((consumer.get("fetch.message.max.bytes"), consumer.get("max.partition.fetch.bytes")), (Some("77"), None));
    }

    #[test]
    fn at_least_once_asks_a_broker_for_no_transaction() {
        let packing = Packing { largest: 1_000_000, together: 1000, alone: false, on_the_way: 2 << 20 };
        let producer = producer(&KafkaConfig::default(), Delivery::AtLeastOnce, "g-i-0", packing);
        assert_eq!((producer.get("transactional.id"), producer.get("transaction.timeout.ms")), (None, None));
        // Within one producer nothing is doubled or reordered by a repeated request all the same.
        assert_eq!(producer.get("enable.idempotence"), Some("true"));
    }

    #[test]
    fn settings_that_do_not_fit_together_are_told_before_anything_starts() {
        let with = |name: &str, value: &str| {
            let mut kafka = KafkaConfig::default();
            kafka.client.insert(name.into(), Secret::new(value));
            check_clients(&kafka, Delivery::ExactlyOnce)
        };
        assert_eq!(with("client.rack", "r1"), []);
        let told = with("max.poll.interval.ms", "1000");
        assert!(told.len() == 1 && told[0].1.contains("session.timeout.ms"), "{told:?}");
        // Every client of a process has the lanes' session, so that what suits these suits all.
        let mut kafka = KafkaConfig::default();
        kafka.consumer.insert("max.poll.interval.ms".into(), Secret::new("10000"));
        observer(&kafka).remove("bootstrap.servers").create_with_context::<_, BaseConsumer<Quiet>>(Quiet::default()).expect("it fits");
    }

    #[test]
    fn a_property_is_checked_by_librdkafka_without_showing_its_value() {
        assert_eq!(check_property("fetch.wait.max.ms", "7"), Ok(()));
        assert!(check_property("fetch.wait.max.msx", "7").is_err());
        assert!(check_property("sasl.mechanism", "PLAIN").is_ok() && check_property("sasl.mechanism", "BOGUS").is_err());
        let refused = check_property("security.protocol", "hush-hush").expect_err("no such protocol");
        assert!(!refused.contains("hush-hush"), "{refused}");
    }
}

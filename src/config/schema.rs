//! Every key there is, one a row: its path, and how what is written there becomes the typed value. The order is the
//! contract's; `deploy/config/reference.toml` shows the same keys and a test compares them.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Config, Delivery, From, LogFormat, OnLostPosition, encoding, memory, otlp, rules,
    written::{Fault, Faults, Written},
};

/// One key.
pub(super) struct Key {
    /// Sections and name, joined by dots.
    pub(super) path: &'static str,
    /// Reads what is written into the configuration.
    pub(super) read: fn(&mut Config, Written<'_>) -> Result<(), Faults>,
}

/// Sections whose keys are librdkafka's properties.
pub(super) const PROPERTY_SECTIONS: [&str; 3] = ["kafka.client", "kafka.consumer", "kafka.producer"];

/// A topic name may have this many characters (Kafka, `Topic.MAX_NAME_LENGTH`).
const LONGEST_TOPIC: usize = 249;
/// 64 MiB, so that a record with its outputs stays well under the 100 MB librdkafka takes from a broker at once
/// (`receive.message.max.bytes`).
const LARGEST_RECORD: u64 = 67_108_864;
/// A batch must be decided, written and committed within the transaction time-out of 15 s.
const COMMIT_INTERVALS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(5);

/// More than any queue of the client can be told to hold, a lane.
const LARGEST_MEMORY: usize = 16 << 30;

/// Puts a value in its place.
pub(super) fn set<T>(place: &mut T, value: Result<T, impl Into<Faults>>) -> Result<(), Faults> {
    *place = value.map_err(Into::into)?;
    Ok(())
}

/// A row; the last argument says what to do with a value of the key.
pub(super) const fn key(path: &'static str, read: fn(&mut Config, Written<'_>) -> Result<(), Faults>) -> Key {
    Key { path, read }
}

/// Keys before `[encoding]`'s, but librdkafka's.
const BEFORE_ENCODING: &[Key] = &[
    key("kafka.brokers", |config, value| set(&mut config.kafka.brokers, brokers(value))),
    key("kafka.group", |config, value| set(&mut config.kafka.group, value.name(LONGEST_TOPIC))),
    key("kafka.instance", |config, value| {
        let empty = value.text()?.trim().is_empty();
        set(&mut config.kafka.instance, if empty { Ok(String::new()) } else { value.name(200) })
    }),
    key("topics.raw", |config, value| {
        // The good names stand even beside bad ones, so that what they share with other keys is told at the same time.
        let (topics, faults) = input_topics(value);
        config.topics.raw = topics;
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }),
    key("topics.qualified", |config, value| set(&mut config.topics.qualified, output_topic(value))),
    key("topics.unqualified", |config, value| set(&mut config.topics.unqualified, output_topic(value))),
    key("topics.routing", |config, value| set(&mut config.topics.routing, output_topic(value))),
    key("topics.dead_letter", |config, value| set(&mut config.topics.dead_letter, output_topic(value))),
    key("topics.ledger", |config, value| {
        let empty = value.text()?.trim().is_empty();
        set(&mut config.topics.ledger, if empty { Ok(String::new()) } else { output_topic(value) })
    }),
];

/// Keys after `[rules]`'.
const AFTER_RULES: &[Key] = &[
    key("tables.dir", |config, value| set(&mut config.tables.dir, value.path().map(Some))),
    key("identity.key", |config, value| {
        let key = value.secret()?;
        if key.expose().is_empty() {
            return Err(Fault::new("invalid_value", "identity.key is empty")
                .hint("give it a long random text, or leave the key out")
                .into());
        }
        config.identity_key = Some(key);
        Ok(())
    }),
    key("limits.record_bytes", |config, value| set(&mut config.limits.record_bytes, value.size(1..=LARGEST_RECORD))),
    // 127 is as deep as the JSON reader goes; the rest is room for its own levels.
    key("limits.depth", |config, value| set(&mut config.limits.depth, value.size(2..=120))),
    key("limits.leads", |config, value| set(&mut config.limits.leads, value.size(1..=1_000_000))),
    key("limits.field_bytes", |config, value| set(&mut config.limits.field_bytes, value.size(64..=LARGEST_RECORD))),
    key("limits.extra_bytes", |config, value| set(&mut config.limits.extra_bytes, value.size(0..=LARGEST_RECORD))),
    key("run.lanes", |config, value| set(&mut config.run.lanes, value.size(1..=64))),
    key("run.memory", |config, value| set(&mut config.run.memory, value.memory(memory::LEAST..=LARGEST_MEMORY))),
    key("run.commit_interval", |config, value| set(&mut config.run.commit_interval, value.duration(COMMIT_INTERVALS))),
    key("run.from", |config, value| set(&mut config.run.from, value.choice(&[("earliest", From::Earliest), ("latest", From::Latest)]))),
    key("run.on_lost_position", |config, value| {
        let choices = [("stop", OnLostPosition::Stop), ("earliest", OnLostPosition::Earliest)];
        set(&mut config.run.on_lost_position, value.choice(&choices))
    }),
    key("run.delivery", |config, value| {
        let choices = [("exactly-once", Delivery::ExactlyOnce), ("at-least-once", Delivery::AtLeastOnce)];
        set(&mut config.run.delivery, value.choice(&choices))
    }),
    key("run.halt_on_dead_letters.ratio", |config, value| set(&mut config.run.halt_on_dead_letters.ratio, value.share())),
    key("run.halt_on_dead_letters.over_records", |config, value| {
        set(&mut config.run.halt_on_dead_letters.over_records, value.integer(0..=1_000_000_000))
    }),
    key("http.listen", |config, value| set(&mut config.http.listen, value.address())),
    key("log.format", |config, value| set(&mut config.log.format, value.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]))),
    key("log.level", |config, value| {
        use tracing::Level;
        let levels = ["error", "warn", "info", "debug", "trace"];
        let choices: Vec<(&str, Level)> =
            levels.into_iter().zip([Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]).collect();
        set(&mut config.log.level, value.choice(&choices))
    }),
];

/// All keys but librdkafka's, in the contract's order.
pub(super) fn all() -> impl Iterator<Item = &'static Key> {
    BEFORE_ENCODING.iter().chain(&encoding::KEYS).chain(&rules::KEYS).chain(AFTER_RULES).chain(&otlp::KEYS)
}

/// The paths of all keys but librdkafka's properties, in the contract's order, for the reference page.
pub fn keys() -> impl Iterator<Item = &'static str> {
    all().map(|key| key.path)
}

/// The key at `path`.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.path == path)
}

/// Whether `path` holds further keys.
pub(super) fn is_section(path: &str) -> bool {
    let inner = |known: &str| known.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    all().any(|key| inner(key.path)) || PROPERTY_SECTIONS.iter().any(|section| inner(section) || *section == path)
}

/// The known key or section nearest to an unknown one.
pub(super) fn nearest(path: &str) -> Option<&'static str> {
    let sections = all().flat_map(|key| key.path.match_indices('.').map(|(dot, _)| &key.path[..dot]));
    super::suggest::nearest(path, keys().chain(PROPERTY_SECTIONS).chain(sections))
}

/// What may stand before a broker's address, as `SSL://host:port`.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// `host:port`, several with commas; a port may be left out, a protocol may stand before.
fn brokers(value: Written<'_>) -> Result<String, Faults> {
    let wanted = "\"host:port\", several of them with commas";
    let text = value.text().map_err(|_| value.wrong(wanted))?;
    if text.contains('@') {
        // What stands before it may be a password: not shown.
        let fault = Fault::new("invalid_value", format!("kafka.brokers holds a \"@\"; it must be {wanted}"));
        return Err(fault.hint("a user and a password are sasl.username and sasl.password in [kafka.client]").into());
    }
    let good = |broker: &str| {
        let (protocol, address) = broker.split_once("://").unwrap_or((PROTOCOLS[0], broker));
        // An IPv6 address stands in brackets, so the last colon after them is the port's.
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (address, None),
        };
        let host_is_good = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
        let bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        let protocol_is_known = PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol));
        protocol_is_known && host_is_good && !bare_ipv6 && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
    };
    let brokers: Vec<&str> = text.split(',').map(str::trim).collect();
    if brokers.iter().all(|broker| good(broker)) { Ok(brokers.join(",")) } else { Err(value.wrong(wanted).into()) }
}

/// The names that are good, and what is wrong with the others.
fn input_topics(value: Written<'_>) -> (Vec<String>, Vec<Fault>) {
    let mut topics: Vec<String> = Vec::new();
    let elements = match value.list("a list of topic names, such as [\"leads.raw\"]") {
        Ok(elements) => elements,
        Err(fault) => return (topics, vec![fault]),
    };
    let mut faults = Vec::new();
    if elements.is_empty() {
        faults.push(Fault::new("invalid_value", format!("{} is empty", value.key)).hint("name at least one topic to read"));
    }
    for element in elements {
        let (name, offset) = match element {
            Ok(element) => element,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        if let Some(fault) = topic_fault(value.key, name) {
            faults.push(Fault { offset, ..fault });
        } else if topics.iter().any(|known| known == name) {
            let fault = Fault::new("duplicate_topic", format!("{} names {name:?} twice", value.key)).hint("name each topic once");
            faults.push(Fault { offset, ..fault });
        } else {
            topics.push(name.to_owned());
        }
    }
    (topics, faults)
}

fn output_topic(value: Written<'_>) -> Result<String, Faults> {
    let name = value.text()?.trim();
    match topic_fault(value.key, name) {
        Some(fault) => Err(fault.into()),
        None => Ok(name.to_owned()),
    }
}

/// What is wrong with a topic's name by Kafka's own rules (`org.apache.kafka.common.internals.Topic`).
fn topic_fault(key: &str, name: &str) -> Option<Fault> {
    let invalid = |what: String| Some(Fault::new("invalid_topic", format!("{key}: {what}")));
    if name.is_empty() {
        return invalid("a topic name is empty".to_owned()).map(|fault| fault.hint("name a topic"));
    }
    if name.len() > LONGEST_TOPIC {
        return invalid(format!("a topic name has {} characters; Kafka allows {LONGEST_TOPIC}", name.len()));
    }
    if matches!(name, "." | "..") || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
        return invalid(format!("{name:?} is no topic name"))
            .map(|fault| fault.hint("Kafka allows letters, digits, \".\", \"_\" and \"-\""));
    }
    if matches!(name, "__consumer_offsets" | "__transaction_state") {
        return invalid(format!("{name:?} is Kafka's own")).map(|fault| fault.hint("name a topic of yours"));
    }
    None
}

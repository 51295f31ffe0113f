//! librdkafka's properties in `[kafka.client]`, `[kafka.consumer]` and `[kafka.producer]`: which are refused, and why. Names
//! are those of librdkafka's CONFIGURATION.md; whether the others exist is for the client to say, through [`PropertyCheck`].

use super::{
    Secret,
    secret::is_secret_name,
    written::{Fault, Form, Written},
};
use toml::de::DeValue;

/// Whether the client knows a property and takes a value for it; the text says what is wrong. Told by `kafka`, which alone
/// names the client.
pub type PropertyCheck<'a> = dyn Fn(&str, &str) -> Result<(), String> + 'a;

/// Properties the guarantees rest on, with the reason, and what to do instead where there is something.
const REFUSED: &[(&[&str], &str, &str)] = &[
    (&["bootstrap.servers", "metadata.broker.list"], "it has a key of its own", "set kafka.brokers"),
    (&["group.id"], "it has a key of its own", "set kafka.group"),
    (&["transactional.id"], "each lane has its own, made of group, instance and lane", "set kafka.instance"),
    (
        &["auto.offset.reset"],
        "a missing offset would skip or repeat leads without a word",
        "set run.from; it holds only for a group without offsets",
    ),
    (
        &["enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store"],
        "offsets are committed in the transaction of the decisions, or leads would be lost",
        "set run.commit_interval to commit more or less often",
    ),
    (
        &["offset.store.method", "offset.store.path", "offset.store.sync.interval.ms"],
        "offsets are kept by the broker, in the transaction of the decisions",
        "",
    ),
    (&["isolation.level"], "leads of aborted transactions must not be read", ""),
    (
        &["enable.idempotence", "acks", "request.required.acks"],
        "a transaction needs idempotence and the acknowledgement of all replicas",
        "set run.delivery if the brokers allow no transactions",
    ),
    (
        &[
            "max.in.flight",
            "max.in.flight.requests.per.connection",
            "retries",
            "message.send.max.retries",
            "queuing.strategy",
            "msg_order_cmp",
        ],
        "the order of the leads rests on it",
        "",
    ),
    (
        &["message.timeout.ms", "delivery.timeout.ms", "transaction.timeout.ms", "socket.timeout.ms"],
        "the time-outs of a transaction must fit one another, or it ends in the middle",
        "",
    ),
    (&["message.max.bytes"], "it follows from the largest record that is decided", "set limits.record_bytes"),
    (&["queue.buffering.max.kbytes"], "a record that is larger would never leave", "set run.memory"),
    (&["enable.gapless.guarantee"], "an aborted transaction would end the process instead of being repeated", ""),
    (&["delivery.report.only.error"], "only failures are reported, and a commit waits until the client has no event on its way", ""),
    (
        &["log_level", "log.queue", "log.connection.close"],
        "a lost answer of the broker is told in the client's log only, and the producer is renewed when it is",
        "set log.level for leadstream's own log",
    ),
    (
        &["group.protocol", "group.protocol.type", "group.remote.assignor"],
        "a lane without partitions is told nothing by the newer protocol, and would never be ready",
        "",
    ),
    (
        &["group.instance.id"],
        "all lanes would share it, and two members under one id fence each other",
        "set kafka.instance for a stable name",
    ),
    (&["enable.partition.eof", "consume.callback.max.messages"], "the lane reads in its own way", ""),
    (&["topic.blacklist"], "a topic hidden by it would never be read, without an error", "set topics.raw"),
    (
        &["api.version.request", "api.version.fallback.ms", "broker.version.fallback"],
        "transactions need the broker's own list of what it can do",
        "",
    ),
    (&["plugin.library.paths", "interceptors"], "foreign code in the client could see and change every lead", ""),
    (&["enabled_events", "internal.termination.signal"], "the lane handles events and signals itself", ""),
    (&["test.mock.num.brokers", "test.mock.broker.rtt"], "the embedded broker keeps no transactions", "leadstream demo starts one"),
    (&["builtin.features"], "it only tells what the client was built with", ""),
    (
        &["opaque", "default_topic_conf", "ssl_key", "ssl_certificate", "ssl_ca", "ssl_engine_callback_data"],
        "it cannot be written as text",
        "",
    ),
];

/// Reads one property of a section.
pub(super) fn read(name: &str, value: Written<'_>, check: &PropertyCheck<'_>) -> Result<Secret, Fault> {
    refuse(name)?;
    let number_or_word = match value.form {
        Form::Toml(found) => match found.get_ref() {
            DeValue::Boolean(boolean) => Some(boolean.to_string()),
            DeValue::Float(float) => Some(float.to_string()),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|integer| integer.to_string()),
            _ => None,
        },
        Form::Text(_) => None,
    };
    let is_reference = matches!(value.form, Form::Toml(found) if found.get_ref().is_table());
    let secret = match number_or_word {
        Some(text) => Secret::new(text),
        None => value.secret()?,
    };
    if name == "partitioner" && secret.expose() == "random" {
        return Err(refused(
            name,
            "with \"random\" the events of one person would lose their order",
            "use \"murmur2_random\" or another that goes by key",
        ));
    }
    check(name, secret.expose()).map_err(|why| {
        let hidden = is_reference || is_secret_name(name);
        let why = if hidden && !secret.expose().is_empty() { why.replace(secret.expose(), "[redacted]") } else { why };
        Fault::new("invalid_property", format!("the Kafka client refuses {}: {why}", value.key))
            .hint("names and values are those of librdkafka's CONFIGURATION.md")
    })?;
    Ok(secret)
}

fn refuse(name: &str) -> Result<(), Fault> {
    let lower = name.to_lowercase();
    if lower.ends_with("_cb") {
        return Err(refused(name, "it cannot be written as text", ""));
    }
    match REFUSED.iter().find(|(names, _, _)| names.contains(&lower.as_str())) {
        Some((_, reason, instead)) => Err(refused(name, reason, instead)),
        None => Ok(()),
    }
}

fn refused(name: &str, reason: &str, instead: &str) -> Fault {
    let fault = Fault::new("refused_property", format!("{name:?} is leadstream's to set: {reason}"));
    if instead.is_empty() { fault.hint("remove it") } else { fault.hint(instead) }
}

/// The properties that are refused by name, for the reference page.
pub fn refused_properties() -> impl Iterator<Item = &'static str> {
    REFUSED.iter().flat_map(|(names, _, _)| names.iter().copied())
}

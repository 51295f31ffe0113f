//! Whether the brokers can keep the promise: what they speak, what they allow, and how safely they remember transactions and
//! offsets. Judges what was asked; asks nobody.

use std::time::Duration;

use crate::{
    config::{Config, Delivery},
    kafka::{BrokerSettings, ClusterState, TopicState, Unanswered, transaction_timeout},
};

use super::finding::{Code, Finding};

/// Numbers of requests in Kafka's protocol.
const ADD_OFFSETS_TO_TRANSACTION: i16 = 25;
const TRANSACTION_OFFSET_COMMIT: i16 = 28;
const DESCRIBE_LOG_DIRS: i16 = 35;
/// Its first version in Apache Kafka 4.3.
const OF_4_3: i16 = 5;
/// Its first version that carries the group's generation (KIP-447, Apache Kafka 2.5).
const WITH_GENERATION: i16 = 3;
/// Its first version of transactions that the broker itself checks (KIP-890, Apache Kafka 4.0).
const CHECKED_BY_BROKER: i16 = 5;

/// What the brokers speak.
pub(super) fn version(brokers: &str, cluster: &ClusterState) -> Finding {
    let fix = "use Apache Kafka 2.5 or newer, or run.delivery = \"at-least-once\"";
    let nodes = match cluster.nodes.len() {
        1 => "one broker".to_owned(),
        count => format!("{count} brokers"),
    };
    if cluster.requests.is_empty() {
        return Finding::info(Code::BrokerVersion, brokers, format!("{nodes}; which version could not be learnt"), "");
    }
    if !cluster.requests.contains_key(&ADD_OFFSETS_TO_TRANSACTION) {
        return Finding::error(Code::BrokerVersion, brokers, format!("{nodes}, which know no transactions"), fix);
    }
    match cluster.requests.get(&TRANSACTION_OFFSET_COMMIT).copied().unwrap_or(0) {
        ..WITH_GENERATION => {
            let message = format!("{nodes}, whose transactions carry no group generation (before Apache Kafka 2.5)");
            Finding::error(Code::BrokerVersion, brokers, message, fix)
        }
        CHECKED_BY_BROKER.. => Finding::ok(Code::BrokerVersion, brokers, format!("{nodes}, transactions as of Apache Kafka 4.0")),
        _ => Finding::ok(Code::BrokerVersion, brokers, format!("{nodes}, transactions as of Apache Kafka 2.5 or later")),
    }
}

/// Whether the brokers may be of those releases that forget to end transactions. Which release it is no broker tells; the
/// first of them is known by a request that came with it.
pub(super) fn markers(config: &Config, cluster: &ClusterState) -> Option<Finding> {
    let since = cluster.requests.get(&DESCRIBE_LOG_DIRS).is_some_and(|version| *version >= OF_4_3);
    (since && config.run.delivery == Delivery::ExactlyOnce).then(|| {
        let message = "Apache Kafka 4.3 or later: 4.3.0 and 4.3.1 forget the markers of partitions without a leader (KAFKA-20734)";
        let fix = "run the latest 4.2, or a release in which KAFKA-20734 is mended; then this is no more than a reminder";
        Finding::warning(Code::BrokerMarkers, &config.kafka.brokers, message, fix)
    })
}

/// What one broker's settings allow.
pub(super) fn settings(config: &Config, node: i32, settings: &Result<BrokerSettings, Unanswered>) -> Vec<Finding> {
    let subject = format!("broker {node}");
    let settings = match settings {
        Ok(settings) => settings,
        Err(why) => return vec![hidden(&subject, why)],
    };
    let mut found = Vec::new();
    if config.run.delivery == Delivery::ExactlyOnce
        && let Some(most) = milliseconds(settings, "transaction.max.timeout.ms").filter(|most| *most < transaction_timeout())
    {
        let message =
            format!("transaction.max.timeout.ms is {}, and a lane asks for {}", most.as_millis(), transaction_timeout().as_millis());
        let fix = format!("set transaction.max.timeout.ms to {} or more on the brokers", transaction_timeout().as_millis());
        found.push(Finding::error(Code::TransactionTimeout, &subject, message, fix));
    }
    found.extend(session(config, &subject, settings));
    found
}

fn hidden(subject: &str, why: &Unanswered) -> Finding {
    match why {
        Unanswered::NotAllowed => {
            let fix = "run doctor as a principal with DescribeConfigs on the cluster; leadstream itself does not need it";
            Finding::info(Code::BrokerSettings, subject, "its settings may not be seen", fix)
        }
        Unanswered::Failed(why) => {
            Finding::info(Code::BrokerSettings, subject, format!("its settings could not be read: {why}"), "try again")
        }
    }
}

/// The session that lanes ask for, and what the broker allows.
fn session(config: &Config, subject: &str, settings: &BrokerSettings) -> Option<Finding> {
    let own = config.kafka.consumer.get("session.timeout.ms").or_else(|| config.kafka.client.get("session.timeout.ms"));
    let asked = own.and_then(|value| value.expose().parse().ok()).map_or(Duration::from_secs(6), Duration::from_millis);
    let least = milliseconds(settings, "group.min.session.timeout.ms").unwrap_or_default();
    let most = milliseconds(settings, "group.max.session.timeout.ms").unwrap_or(Duration::MAX);
    (asked < least || asked > most).then(|| {
        let bounds = format!("{} to {}", least.as_millis(), most.as_millis());
        let message = format!("sessions of {bounds} ms are allowed, and a lane asks for {}", asked.as_millis());
        let fix = "set \"session.timeout.ms\" in [kafka.consumer] to what the brokers allow, or let them allow it";
        Finding::error(Code::SessionTimeout, subject, message, fix)
    })
}

pub(super) fn milliseconds(settings: &BrokerSettings, name: &str) -> Option<Duration> {
    settings.get(name)?.parse().ok().map(Duration::from_millis)
}

/// The topic in which the brokers remember something of ours: as it is, or if it is not there yet as it will be made.
pub(super) fn log(
    code: Code,
    name: &str,
    state: Option<&TopicState>,
    settings: Option<&BrokerSettings>,
    keys: [&str; 2],
) -> Option<Finding> {
    let number = |key: &str| settings.and_then(|settings| settings.get(key)?.parse::<usize>().ok());
    let [replication, least] = keys;
    let (copies, of_its_own, is_there) = match state {
        Some(TopicState::Present { partitions, settings, .. }) => {
            let own = settings.as_ref().and_then(|settings| settings.get("min.insync.replicas")?.parse().ok());
            (partitions.iter().map(|partition| partition.replicas).min(), own, true)
        }
        _ => (number(replication), None, false),
    };
    let copies = copies?;
    let in_sync = of_its_own.or_else(|| number(least)).unwrap_or(1);
    if copies >= 3 && in_sync >= 2 {
        return None;
    }
    let tense = if is_there { "has" } else { "will have" };
    let message = format!("{tense} {} and min.insync.replicas {in_sync}", counted(copies, "copy", "copies"));
    let fix = format!("with three brokers or more: {replication}=3 and {least}=2 before the topic is made; else reassign it");
    Some(Finding::warning(code, name, message, fix))
}

pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_that_may_forget_markers_are_told_where_transactions_matter() {
        let cluster = |version| ClusterState { nodes: vec![1], operations: None, requests: [(DESCRIBE_LOG_DIRS, version)].into() };
        let mut config = Config::default();
        let found = |config: &Config, version| markers(config, &cluster(version)).map(|finding| finding.code.name());
        assert_eq!((found(&config, 4), found(&config, 5)), (None, Some("broker_markers")));
        config.run.delivery = Delivery::AtLeastOnce;
        assert_eq!(found(&config, 5), None);
    }
}

//! What the configuration alone tells of the promise: names, keys, times, security. Asks nobody.

use std::{net::IpAddr, time::Duration};

use crate::{
    config::{Config, Delivery},
    kafka::transaction_timeout,
};

use super::finding::{Code, Finding};

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if config.kafka.instance.is_empty() {
        let fix = "set kafka.instance to a name that stays with this process, such as a StatefulSet's pod name";
        found.push(Finding::warning(Code::InstanceUnset, "kafka.instance", "is not set", fix));
    }
    if config.identity_key.is_none() {
        let fix = "set identity.key = { env = \"LEADSTREAM_KEY\" } to a long random text, and keep it";
        found.push(Finding::warning(Code::IdentityKeyUnset, "identity.key", "is not set", fix));
    }
    if config.run.delivery == Delivery::AtLeastOnce {
        let fix = "set run.delivery = \"exactly-once\", unless the brokers allow no transactions";
        found.push(Finding::warning(Code::AtLeastOnce, "run.delivery", "is at-least-once", fix));
    }
    // A quarter of the transaction's time, so that the rest is left for writing what was gathered.
    if config.run.delivery == Delivery::ExactlyOnce && config.run.commit_interval * 4 > transaction_timeout() {
        let message = format!("is {}", told(config.run.commit_interval));
        found.push(Finding::warning(Code::CommitInterval, "run.commit_interval", message, "set it to a second or less"));
    }
    if config.log.level > tracing::Level::INFO {
        let message = format!("is {}", config.log.level.as_str().to_lowercase());
        found.push(Finding::warning(Code::LogLevel, "log.level", message, "set it to info once nothing is looked for any more"));
    }
    found.extend(plaintext(config));
    if !config.http.listen.ip().is_loopback() {
        let fix = "keep it behind a network policy, or listen on 127.0.0.1";
        found.push(Finding::info(Code::HttpListen, "http.listen", format!("is {}", config.http.listen), fix));
    }
    found
}

fn told(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

/// A connection that leaves this machine without TLS.
fn plaintext(config: &Config) -> Option<Finding> {
    let protocol = config.kafka.client.get("security.protocol").map(|value| value.expose().to_uppercase());
    let is_plain = match protocol.as_deref() {
        None => !config.kafka.brokers.to_uppercase().contains("SSL://"),
        Some(protocol) => !protocol.ends_with("SSL"),
    };
    let stays_here = |broker: &str| {
        let address = broker.rsplit("://").next().unwrap_or(broker);
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let leaves = config.kafka.brokers.split(',').any(|broker| !stays_here(broker));
    (is_plain && leaves).then(|| {
        let message = format!("{} is spoken to without TLS", config.kafka.brokers);
        let fix = "set \"security.protocol\" = \"SASL_SSL\" (or \"SSL\") in [kafka.client], where the brokers offer it";
        Finding::warning(Code::Plaintext, "kafka.client", message, fix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn codes(config: &Config) -> Vec<&'static str> {
        findings(config).iter().map(|finding| finding.code.name()).collect()
    }

    #[test]
    fn a_laptop_has_two_warnings_and_a_careful_configuration_none() {
        let mut config = Config::default();
        assert_eq!(codes(&config), ["instance_unset", "identity_key_unset"]);
        config.kafka.instance = "leadstream-0".into();
        config.identity_key = Some(Secret::new("k"));
        assert_eq!(codes(&config), [""; 0]);
        config.run.commit_interval = Duration::from_secs(5);
        assert_eq!(codes(&config), ["commit_interval"]);
        // Without a transaction none can grow too old.
        config.run.delivery = Delivery::AtLeastOnce;
        config.log.level = tracing::Level::DEBUG;
        config.kafka.brokers = "127.0.0.1:9092,kafka.example:9092".into();
        config.http.listen = ([0, 0, 0, 0], 9464).into();
        assert_eq!(codes(&config), ["at_least_once", "log_level", "plaintext", "http_listen"]);
        config.kafka.client.insert("security.protocol".into(), Secret::new("sasl_ssl"));
        assert!(!codes(&config).contains(&"plaintext"));
        config.kafka.client.clear();
        config.kafka.brokers = "localhost:9092,[::1]:9092,PLAINTEXT://127.0.0.1:9092".into();
        assert!(!codes(&config).contains(&"plaintext"));
    }
}

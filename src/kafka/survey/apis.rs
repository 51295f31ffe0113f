//! Which requests a broker takes, in which versions. librdkafka learns it of every broker and has no call that tells; it only
//! says so in its log, so a client of its own is made to say it, over whatever security the configuration asks for.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
};

use crate::config::KafkaConfig;

use super::super::properties;

/// More lines than the client has in store by then; a poll serves one.
const LINES: usize = 1000;

/// Notes the versions that the client's log tells.
#[derive(Default)]
struct Overhears(Mutex<BTreeMap<i16, i16>>);

impl ClientContext for Overhears {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "APIVERSION"
            && let Some((request, highest)) = told(message)
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(request, highest);
        }
    }

    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Overhears {}

/// `… ApiKey Produce (0) Versions 0..12`.
fn told(line: &str) -> Option<(i16, i16)> {
    let (_, rest) = line.split_once("ApiKey ")?;
    let (_, rest) = rest.split_once('(')?;
    let (request, rest) = rest.split_once(") Versions ")?;
    let (_, highest) = rest.split_once("..")?;
    Some((request.parse().ok()?, highest.trim().parse().ok()?))
}

/// The highest version of each kind of request, by its number; empty when nothing was told.
pub(super) fn versions(kafka: &KafkaConfig, wait: Duration) -> BTreeMap<i16, i16> {
    let mut config = properties::observer(kafka);
    config.set("debug", "feature").set_log_level(RDKafkaLogLevel::Debug);
    let Ok(client): Result<BaseConsumer<Overhears>, _> = config.create_with_context(Overhears::default()) else {
        return BTreeMap::new();
    };
    // What comes of it does not matter: by then the versions have been told.
    let _ = client.fetch_metadata(Some("__consumer_offsets"), wait);
    for _ in 0..LINES {
        let _ = client.poll(Duration::ZERO);
    }
    let told = client.context().0.lock();
    told.unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::Embedded;

    #[test]
    fn the_client_tells_its_versions_in_words_that_are_understood() {
        let line = "[thrd:127.0.0.1:9092/bootstrap]: 127.0.0.1:9092/bootstrap:   ApiKey TxnOffsetCommit (28) Versions 0..5";
        assert_eq!(told(line), Some((28, 5)));
        assert_eq!(told("127.0.0.1:9092/bootstrap: Broker API support:"), None);
    }

    #[test]
    fn a_broker_is_asked_and_its_answer_overheard() {
        let broker = Embedded::start(&[]).expect("an embedded broker");
        let kafka = KafkaConfig { brokers: broker.brokers(), ..KafkaConfig::default() };
        let found = versions(&kafka, Duration::from_secs(5));
        assert!(found.contains_key(&0) && found.contains_key(&28), "{found:?}");
    }
}

//! Asks the broker, apart from the lanes, whether it answers and has the topics: a lane that waits for a commit asks nobody.
//! What an answer means is the caller's to say.

use std::time::Duration;

use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    metadata::MetadataTopic,
    types::RDKafkaRespErr,
};

use crate::config::KafkaConfig;

use super::{
    Unavailable, properties,
    quiet::{self, Quiet},
};

/// One client for questions.
pub struct Probe {
    client: BaseConsumer<Quiet>,
    brokers: String,
}

impl Probe {
    /// A client; connects when it first asks.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn connect(kafka: &KafkaConfig) -> Result<Self, Unavailable> {
        let client = properties::observer(kafka)
            .create_with_context(Quiet::default())
            .map_err(|error| Unavailable(format!("creating a client: {error}; see [kafka.client] and [kafka.consumer]")))?;
        Ok(Self { client, brokers: kafka.brokers.clone() })
    }

    /// How `topics` are, in their order; an answer of any kind within `wait` for each.
    ///
    /// # Errors
    /// When the broker does not answer; with the cause.
    pub fn presence(&self, topics: &[String], wait: Duration) -> Result<Vec<Presence>, Unavailable> {
        let failed = |error: KafkaError| quiet::failed(&self.client, &format!("asking {}: {error}", self.brokers));
        topics.iter().map(|topic| presence(&self.client, topic, wait).map_err(failed)).collect()
    }
}

/// How a topic looks to one who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// With so many partitions.
    There(usize),
    /// It does not exist.
    Absent,
    /// The principal may not know whether it exists.
    Hidden,
}

pub(super) fn presence(client: &BaseConsumer<Quiet>, topic: &str, wait: Duration) -> KafkaResult<Presence> {
    let answer = client.fetch_metadata(Some(topic), wait)?;
    let found = answer.topics().iter().find(|found| found.name() == topic);
    if found.and_then(MetadataTopic::error) == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        return Ok(Presence::Hidden);
    }
    Ok(match found.map_or(0, |found| found.partitions().len()) {
        0 => Presence::Absent,
        partitions => Presence::There(partitions),
    })
}

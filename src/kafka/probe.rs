//! Asks the broker, apart from the lanes, whether it answers and has the topics: a lane that waits for a commit asks nobody.
//! What an answer means is the caller's to say.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};

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

    /// Which of `topics` do not exist; an answer of any kind within `wait` for each.
    ///
    /// # Errors
    /// When the broker does not answer; with the cause.
    pub fn missing<'t>(&self, topics: &'t [String], wait: Duration) -> Result<Vec<&'t str>, Unavailable> {
        let mut missing = Vec::new();
        for topic in topics {
            let answer = self.client.fetch_metadata(Some(topic), wait);
            let answer = answer.map_err(|error| quiet::failed(&self.client, &format!("asking {}: {error}", self.brokers)))?;
            let found = answer.topics().iter().find(|found| found.name() == topic);
            if found.is_none_or(|found| found.partitions().is_empty()) {
                missing.push(topic.as_str());
            }
        }
        Ok(missing)
    }
}

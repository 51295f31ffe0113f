//! The demo's broker: librdkafka's mock cluster, in this process. It accepts transactions and implements none, keeps 5 MiB a
//! partition and forgets the rest; no claim about delivery is made on it. And the writer of the demo's raw records, to this broker
//! or a real one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer},
};

use crate::config::KafkaConfig;

use super::{Unavailable, properties, quiet::Quiet};

/// A broker that lives as long as this value. Stays on the thread that made it.
pub struct Embedded {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Embedded {
    /// Starts a broker with the given topics and partitions.
    ///
    /// # Errors
    /// When librdkafka cannot start it.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, Unavailable> {
        let failed = |error: KafkaError| Unavailable(format!("starting the embedded broker: {error}"));
        let cluster = MockCluster::new(1).map_err(failed)?;
        for (topic, partitions) in topics {
            cluster.create_topic(topic, *partitions, 1).map_err(failed)?;
        }
        Ok(Self { cluster })
    }

    /// Where it listens.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}

/// Writes raw records; for the demo's made-up leads.
pub struct RawLeads {
    producer: BaseProducer<WriterContext>,
    topic: String,
}

/// Counts what did not arrive.
#[derive(Default)]
struct WriterContext(Quiet, AtomicU64);

impl rdkafka::ClientContext for WriterContext {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl rdkafka::producer::ProducerContext for WriterContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &rdkafka::producer::DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl RawLeads {
    /// A writer to `topic`.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn to(kafka: &KafkaConfig, topic: &str) -> Result<Self, Unavailable> {
        let producer = properties::admin(kafka)
            .set("linger.ms", "5")
            .create_with_context(WriterContext::default())
            .map_err(|error| Unavailable(format!("creating a producer: {error}")))?;
        Ok(Self { producer, topic: topic.to_owned() })
    }

    /// Hands one record over; waits while the queue is full.
    ///
    /// # Errors
    /// When librdkafka does not take it.
    pub fn write(&self, key: &[u8], value: &[u8]) -> Result<(), Unavailable> {
        while !self.offer(key, value)? {
            self.producer.poll(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Hands one record over; `false` where the queue is full.
    ///
    /// # Errors
    /// When librdkafka does not take it.
    pub fn offer(&self, key: &[u8], value: &[u8]) -> Result<bool, Unavailable> {
        let sent = self.producer.send(BaseRecord::to(&self.topic).key(key).payload(value));
        self.producer.poll(Duration::ZERO);
        match sent {
            Ok(()) => Ok(true),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Ok(false),
            Err((error, _)) => Err(Unavailable(format!("writing to {}: {error}", self.topic))),
        }
    }

    /// How many of those handed over are known not to have arrived.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.producer.context().1.load(Ordering::Relaxed)
    }

    /// Waits until all that was handed over has arrived, or is known not to have.
    ///
    /// # Errors
    /// When that is not so within 10 s.
    pub fn flush(&self) -> Result<(), Unavailable> {
        self.producer.flush(Duration::from_secs(10)).map_err(|error| Unavailable(format!("writing to {}: {error}", self.topic)))
    }
}

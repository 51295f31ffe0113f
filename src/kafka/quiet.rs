//! The context of clients that only ask: says nothing by itself, and remembers the cause of a failure for whoever reports it.
//! The lane's own clients have contexts of their own.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

use super::{
    Unavailable,
    reasons::{explained, is_refusal, logged},
};

/// Says nothing by itself: its callers report, with the cause that librdkafka told last.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    cause: Mutex<Cause>,
}

#[derive(Debug, Default)]
struct Cause {
    text: String,
    /// The broker is there and does not let us in, or is not the one we trust.
    is_refusal: bool,
}

impl Quiet {
    /// What failed, and what is known of the cause: the client's own errors only say that there was no answer.
    fn explain(&self, what: &str) -> Unavailable {
        let cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        Unavailable(if cause.text.is_empty() { what.to_owned() } else { format!("{what}: {}", cause.text) })
    }

    /// Whether what was told last is that one side does not trust the other.
    pub(super) fn was_refused(&self) -> bool {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).is_refusal
    }
}

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        logged(facility, message);
        // A door of another kind closes without an error that is told otherwise.
        if facility == "FAIL" {
            let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
            if cause.text.is_empty() {
                // Behind the name of a thread.
                cause.text = explained(message.split_once("]: ").map_or(message, |(_, rest)| rest));
            }
            cause.is_refusal |= is_refusal(message);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        // "All brokers are down" follows upon the cause of each, and says less.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
            cause.text = explained(reason);
            // The connection that closes upon it is told as well, and says less.
            cause.is_refusal |= is_refusal(reason);
        }
    }
}

impl ConsumerContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// The failure of a call on `consumer`, with its cause: librdkafka tells that only where the consumer is polled.
pub(super) fn failed(consumer: &BaseConsumer<Quiet>, what: &str) -> Unavailable {
    for _ in 0..EVENTS {
        let _ = consumer.poll(Duration::ZERO);
    }
    consumer.context().explain(what)
}

/// More events than a client has in store after a failed call.
const EVENTS: usize = 100;

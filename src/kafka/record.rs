//! A Kafka message to a record of a batch: bytes are copied, nothing is looked into.

use rdkafka::{Message, message::BorrowedMessage};

use crate::{
    io::Batch,
    lead::{Partition, Position, Timestamp},
};

use super::native;

/// Copies a record into the batch; returns its timestamp.
pub(super) fn push(batch: &mut Batch, partition: Partition, message: &BorrowedMessage<'_>) -> Timestamp {
    let received_at = Timestamp::from_millis(message.timestamp().to_millis().unwrap_or(0));
    let at = Position { partition, offset: message.offset() };
    match message.headers() {
        None => batch.push(at, received_at, message.key(), message.payload(), std::iter::empty()),
        Some(headers) => {
            let mut owned: Vec<(String, Option<Vec<u8>>)> = Vec::new();
            native::for_each_header(headers, |name, value| owned.push((name.to_owned(), value.map(<[u8]>::to_vec))));
            let headers = owned.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            batch.push(at, received_at, message.key(), message.payload(), headers);
        }
    }
    received_at
}

//! Records handed to a producer many at a time: one call for one partition, with no name to look up, no partitioner to ask and no
//! allocation but the client's own copy. Which partition that is, and what becomes of a refusal, is the producer's to say.

use std::{
    ffi::{CString, c_int, c_void},
    ptr::{self, NonNull},
    sync::Arc,
};

use rdkafka::{
    bindings as native,
    error::RDKafkaErrorCode as Code,
    producer::{BaseProducer, Producer as _, ProducerContext},
    types::RDKafkaRespErr,
    util::IntoOpaque as _,
};

/// So many records a call.
const AT_ONCE: usize = 512;

/// One record for a topic and a partition, without headers.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Handed<'a> {
    /// What its delivery report names.
    pub(in super::super) output: usize,
    pub(in super::super) key: Option<&'a [u8]>,
    pub(in super::super) value: Option<&'a [u8]>,
}

/// A topic as one client knows it.
pub(in super::super) struct TopicHandle<C: ProducerContext<DeliveryOpaque = usize> + 'static> {
    topic: NonNull<native::rd_kafka_topic_t>,
    /// Kept for the client, which reads them during a call alone.
    messages: Vec<native::rd_kafka_message_t>,
    /// Outlives the handle.
    _client: Arc<BaseProducer<C>>,
}

// SAFETY: librdkafka's handles may be used from any thread; the pointers in `messages` are gone when a call returns.
unsafe impl<C: ProducerContext<DeliveryOpaque = usize> + 'static> Send for TopicHandle<C> {}

impl<C: ProducerContext<DeliveryOpaque = usize> + 'static> TopicHandle<C> {
    /// The topic under this name, with the client's own settings; `None`: the name is no topic's.
    pub(in super::super) fn open(client: &Arc<BaseProducer<C>>, name: &str) -> Option<Self> {
        let text = CString::new(name).ok()?;
        // SAFETY: the client's handle is valid while `client` lives, and the name is copied; no settings: the client's.
        let topic = unsafe { native::rd_kafka_topic_new(client.client().native_ptr(), text.as_ptr(), ptr::null_mut()) };
        Some(Self { topic: NonNull::new(topic)?, messages: Vec::new(), _client: Arc::clone(client) })
    }

    /// Hands over records for one partition, in order; they are copied. Tells how many were taken, and where the first was
    /// that was not, and why; where the queue is full, none behind it was taken.
    pub(in super::super) fn produce(
        &mut self,
        partition: i32,
        records: &mut dyn Iterator<Item = Handed<'_>>,
    ) -> (usize, Option<(usize, Code)>) {
        let mut taken = 0;
        loop {
            self.messages.clear();
            self.messages.extend(records.take(AT_ONCE).map(message));
            let Ok(count @ 1..) = c_int::try_from(self.messages.len()) else { return (taken, None) };
            let copy = native::RD_KAFKA_MSG_F_COPY;
            // SAFETY: topic and client are valid; the array has `count` messages, whose keys and values outlive the call and are
            // copied before the call returns; `_private` is what the delivery callback of this client's context takes: a `usize`.
            let good = unsafe { native::rd_kafka_produce_batch(self.topic.as_ptr(), partition, copy, self.messages.as_mut_ptr(), count) };
            taken += usize::try_from(good).unwrap_or(0);
            if good < count {
                let refused = self.messages.iter().find(|message| message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
                return (taken, refused.map(|message| (message._private as usize, message.err.into())));
            }
        }
    }
}

fn message(record: Handed<'_>) -> native::rd_kafka_message_t {
    let bytes =
        |bytes: Option<&[u8]>| bytes.map_or((ptr::null_mut(), 0), |bytes| (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()));
    let ((payload, len), (key, key_len)) = (bytes(record.value), bytes(record.key));
    native::rd_kafka_message_t {
        err: RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
        rkt: ptr::null_mut(),
        partition: 0,
        payload,
        len,
        key,
        key_len,
        offset: 0,
        _private: record.output.into_ptr(),
    }
}

impl<C: ProducerContext<DeliveryOpaque = usize> + 'static> Drop for TopicHandle<C> {
    fn drop(&mut self) {
        // SAFETY: made by `open`, destroyed once, before its client.
        unsafe { native::rd_kafka_topic_destroy(self.topic.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lead::key_hash;

    proptest! {
        #[test]
        fn a_key_is_placed_as_the_client_places_it(key in proptest::collection::vec(any::<u8>(), 0..80), partitions in 1_u16..2000) {
            let count = i32::from(partitions);
            // SAFETY: it reads the key alone; topic and opaques are handed on, not looked into.
            let own = unsafe {
                native::rd_kafka_msg_partitioner_murmur2(
                    ptr::null(), key.as_ptr().cast(), key.len(), count, ptr::null_mut(), ptr::null_mut(),
                )
            };
            prop_assert_eq!(i32::try_from(key_hash(&key) % u32::from(partitions)), Ok(own));
        }
    }
}

//! Records handed to a producer many at a time: one call for one partition, with no name to look up, no partitioner to ask, and
//! values that are not copied but lent. Which partition that is, and what becomes of a refusal, is the producer's to say.

use std::{
    ffi::{CString, c_int, c_void},
    ops::Range,
    ptr::{self, NonNull},
    sync::{Arc, Mutex, PoisonError},
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
#[derive(Clone, Debug)]
pub(in super::super) struct Handed<'a> {
    /// What its delivery report names.
    pub(in super::super) output: usize,
    /// Copied by the client.
    pub(in super::super) key: Option<&'a [u8]>,
    /// Where the value stands in the arena; the client reads it there.
    pub(in super::super) value: Option<Range<usize>>,
}

/// Memory that a client reads values from. A part of its context, which outlives it: where a client never comes to its end, neither
/// does what it was lent.
#[derive(Debug, Default)]
pub(in super::super) struct Lent(Mutex<Vec<Arc<Vec<u8>>>>);

/// The context of a client that takes values without copying them.
pub(in super::super) trait Borrows: ProducerContext<DeliveryOpaque = usize> + 'static {
    /// What it was lent.
    fn lent(&self) -> &Lent;
}

/// Lets go of what the client was lent, if none of its records is on the way any more. Whether that is so.
pub(in super::super) fn give_back<C: Borrows>(client: &BaseProducer<C>) -> bool {
    // Held while records are handed over too: none can come between the look and the end.
    let mut lent = client.context().lent().0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_idle = client.in_flight_count() == 0;
    if is_idle {
        lent.clear();
    }
    is_idle
}

/// A topic as one client knows it.
pub(in super::super) struct TopicHandle<C: Borrows> {
    topic: NonNull<native::rd_kafka_topic_t>,
    /// Kept for the client, which reads them during a call alone.
    messages: Vec<native::rd_kafka_message_t>,
    client: Arc<BaseProducer<C>>,
}

// SAFETY: librdkafka's handles may be used from any thread; the pointers in `messages` are not read when a call has returned.
unsafe impl<C: Borrows> Send for TopicHandle<C> {}

impl<C: Borrows> TopicHandle<C> {
    /// The topic under this name, with the client's own settings; `None`: the name is no topic's.
    pub(in super::super) fn open(client: &Arc<BaseProducer<C>>, name: &str) -> Option<Self> {
        let text = CString::new(name).ok()?;
        // SAFETY: the client's handle is valid while `client` lives, and the name is copied; no settings: the client's.
        let topic = unsafe { native::rd_kafka_topic_new(client.client().native_ptr(), text.as_ptr(), ptr::null_mut()) };
        Some(Self { topic: NonNull::new(topic)?, messages: Vec::new(), client: Arc::clone(client) })
    }

    /// Hands over records for one partition, in order, with their values in `arena`, which is lent until `give_back`. Tells how
    /// many were taken, and where the first was that was not, and why; where the queue is full, none behind it was taken.
    pub(in super::super) fn produce(
        &mut self,
        partition: i32,
        arena: &Arc<Vec<u8>>,
        records: &mut dyn Iterator<Item = Handed<'_>>,
    ) -> (usize, Option<(usize, Code)>) {
        let mut lent = self.client.context().lent().0.lock().unwrap_or_else(PoisonError::into_inner);
        if !lent.iter().any(|lent| Arc::ptr_eq(lent, arena)) {
            lent.push(Arc::clone(arena));
        }
        let mut taken = 0;
        loop {
            self.messages.clear();
            self.messages.extend(records.take(AT_ONCE).map(|record| message(record, arena)));
            let Ok(count @ 1..) = c_int::try_from(self.messages.len()) else { return (taken, None) };
            // No flag: values are neither copied nor freed.
            // SAFETY: topic and client are valid; the array has `count` messages, whose keys are copied before the call returns. Values
            // lie in an arena that the client's context holds, and that nobody writes to as long as it is held, until no record is on
            // the way: then the client has forgotten all of them. `_private` is what the delivery callback of this client's context
            // takes: a `usize`.
            let good = unsafe { native::rd_kafka_produce_batch(self.topic.as_ptr(), partition, 0, self.messages.as_mut_ptr(), count) };
            taken += usize::try_from(good).unwrap_or(0);
            if good < count {
                let refused = self.messages.iter().find(|message| message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
                return (taken, refused.map(|message| (message._private as usize, message.err.into())));
            }
        }
    }
}

fn message(record: Handed<'_>, arena: &[u8]) -> native::rd_kafka_message_t {
    let bytes =
        |bytes: Option<&[u8]>| bytes.map_or((ptr::null_mut(), 0), |bytes| (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()));
    let value = record.value.map(|value| arena.get(value).unwrap_or_default());
    let ((payload, len), (key, key_len)) = (bytes(value), bytes(record.key));
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

impl<C: Borrows> Drop for TopicHandle<C> {
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

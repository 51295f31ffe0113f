//! The few calls that rdkafka's safe interface lacks or gets wrong: header names that are not UTF-8 (its own getter
//! panics on them), the group member's identity (needed before offsets go into a transaction), and the cached end of a
//! partition. Admin calls that it lacks: `admin`; records handed over many at a time: `produce`; what is said to the C library of
//! memory: `heap`. All `unsafe` of the crate is in this folder.
#![allow(unsafe_code)]

mod admin;
mod heap;
mod produce;

pub use admin::{GroupMember, Operation, PartitionReplicas};
pub(super) use admin::{describe_cluster, describe_groups, describe_topics, end_offsets, list_groups};
pub use heap::keep_freed_memory;
pub(super) use produce::{Borrows, Handed, Lent, TopicHandle, give_back};

use std::{
    ffi::{CStr, CString, c_char, c_void},
    ptr,
};

use rdkafka::{
    bindings as native,
    client::{Client, ClientContext},
    message::BorrowedHeaders,
};

/// Calls `each` with name and value of every header, in order; a name's bytes that are not UTF-8 become U+FFFD.
pub(super) fn for_each_header(headers: &BorrowedHeaders, mut each: impl FnMut(&str, Option<&[u8]>)) {
    // A `&BorrowedHeaders` is the native pointer itself: that is how rdkafka makes and uses it.
    let list = ptr::from_ref(headers).cast::<native::rd_kafka_headers_t>();
    for index in 0.. {
        let mut name: *const c_char = ptr::null();
        let mut value: *const c_void = ptr::null();
        let mut size = 0_usize;
        // SAFETY: the list lives as long as the message that `headers` borrows; the out pointers are valid for writes.
        let end = unsafe { native::rd_kafka_header_get_all(list, index, &raw mut name, &raw mut value, &raw mut size) };
        if end != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return;
        }
        // SAFETY: librdkafka ends header names with a NUL; name and value stay valid until the message is destroyed.
        let (name, value) = unsafe {
            let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
            (CStr::from_ptr(name).to_string_lossy(), value)
        };
        each(&name, value);
    }
}

/// Whether this consumer is a live member of its group now: it has a member id and a generation. The metadata of one
/// that never joined would be accepted by the broker and would switch fencing off.
pub(super) fn is_group_member<C: ClientContext>(client: &Client<C>) -> bool {
    generation(client).is_some()
}

/// The generation of its group that this consumer is a member of; `None`: it is no member.
pub(super) fn generation<C: ClientContext>(client: &Client<C>) -> Option<i32> {
    // SAFETY: the client's handle is valid while the client is borrowed; the metadata is destroyed below, after its last use.
    unsafe {
        let metadata = native::rd_kafka_consumer_group_metadata(client.native_ptr());
        if metadata.is_null() {
            return None;
        }
        let member = native::rd_kafka_consumer_group_metadata_member_id(metadata);
        let generation = native::rd_kafka_consumer_group_metadata_generation_id(metadata);
        let joined = !member.is_null() && *member != 0 && generation >= 0;
        native::rd_kafka_consumer_group_metadata_destroy(metadata);
        joined.then_some(generation)
    }
}

/// The partition's high watermark as the last fetch told it, without asking the broker; `None` before the first fetch.
pub(super) fn cached_end<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1_i64, -1_i64);
    // SAFETY: the handle and the C string are valid for the call; the out pointers are valid for writes.
    let code =
        unsafe { native::rd_kafka_get_watermark_offsets(client.native_ptr(), topic.as_ptr(), partition, &raw mut low, &raw mut high) };
    (code == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

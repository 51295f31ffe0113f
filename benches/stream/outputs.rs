//! What a contender wrote, as a reader of committed records sees it: how many records, how many bytes, and a sum that is the
//! same for the same records in whatever order.

use std::collections::BTreeMap;

use rdkafka::Message;
use serde_json::{Value, json};

use super::{clients, ground::Stage};

/// By kind of topic: records, bytes of keys and values, the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outputs(pub(crate) BTreeMap<&'static str, (u64, u64, u64)>);

impl Outputs {
    /// How many records there are.
    pub(crate) fn records(&self) -> u64 {
        self.0.values().map(|(records, ..)| records).sum()
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().map(|(_, bytes, _)| bytes).sum()
    }

    /// Records by topic.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.0.iter().map(|(kind, (records, ..))| (*kind, *records)).collect()
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let topic = |(kind, (records, bytes, sum)): (&&str, &(u64, u64, u64))| {
            ((*kind).to_owned(), json!({ "records": records, "bytes": bytes, "sum": format!("{sum:016x}") }))
        };
        Value::Object(self.0.iter().map(topic).collect())
    }
}

/// Reads all output topics to their ends.
pub(crate) fn read(brokers: &str, stage: &Stage) -> Outputs {
    let read_topic = |(kind, topic): (&'static str, String)| {
        let (mut records, mut bytes, mut sum) = (0, 0, 0_u64);
        clients::each_committed(brokers, &topic, |message| {
            let (key, value) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
            let mut digest = crc32fast::Hasher::new_with_initial(u32::try_from(key.len()).expect("short"));
            digest.update(key);
            digest.update(value);
            records += 1;
            bytes += (key.len() + value.len()) as u64;
            // Twice the same record is not the same as none.
            sum = sum.wrapping_add(u64::from(digest.finalize()).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        });
        (kind, (records, bytes, sum))
    };
    Outputs(stage.outputs().into_iter().map(read_topic).collect())
}

//! From an output back to the record it came from: an event by its id, a dead letter by its headers.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    lead::Record,
    pipeline::{Output, OutputTopic},
};

/// Where an output came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    /// Topic, partition and offset of the record.
    pub(super) topic: Cow<'a, str>,
    pub(super) number: i32,
    pub(super) offset: i64,
    /// Place of the lead in the record, and which event of it; a dead letter has none.
    pub(super) event: Option<(u32, Cow<'a, str>)>,
}

impl Origin<'_> {
    /// The event's id; for a dead letter the record's place and what it is.
    pub(super) fn id(&self) -> String {
        let Self { topic, number, offset, event } = self;
        match event {
            Some((index, kind)) => format!("{topic}/{number}/{offset}/{index}/{kind}"),
            None => format!("{topic}/{number}/{offset}/dead-letter"),
        }
    }

    /// Of `TOPIC/PARTITION/OFFSET/INDEX/KIND`, if the kind is one of the topic's.
    fn of_id(id: &str, topic: OutputTopic) -> Option<Origin<'static>> {
        let mut parts = id.splitn(5, '/');
        let mut part = || parts.next();
        let (name, number, offset) = (part()?.to_owned(), part()?.parse().ok()?, part()?.parse().ok()?);
        let (index, kind) = (part()?.parse().ok()?, part()?);
        let fits = match topic {
            OutputTopic::Qualified => kind == "qualified",
            OutputTopic::Unqualified => kind == "unqualified",
            OutputTopic::Routing => kind.starts_with("routed/"),
            OutputTopic::DeadLetter | OutputTopic::Ledger => false,
        };
        fits.then(|| Origin { topic: name.into(), number, offset, event: Some((index, kind.to_owned().into())) })
    }
}

/// What an output says of its origin; `None`: it says nothing, or something that cannot be.
pub(super) fn origin(output: &Output<'_>) -> Option<Origin<'static>> {
    if output.topic == OutputTopic::DeadLetter {
        let text = |name| output.headers.last(name).and_then(|value| str::from_utf8(value).ok());
        let (topic, number, offset) = (text("dlq-topic")?.to_owned(), text("dlq-partition")?, text("dlq-offset")?);
        return Some(Origin { topic: topic.into(), number: number.parse().ok()?, offset: offset.parse().ok()?, event: None });
    }
    let id = event_id(output.value?)?;
    Origin::of_id(&id, output.topic)
}

/// The field that every event begins with, in each of its forms.
fn event_id(value: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        event_id: Cow<'a, str>,
    }
    let datum = match value {
        [b'{', ..] => return serde_json::from_slice(value).ok().map(|event: Event<'_>| event.event_id),
        // Avro writes fields in the schema's order, and in every version `event_id` is the first.
        [0xc3, 0x01, rest @ ..] => rest.get(8..)?,
        [0, rest @ ..] => rest.get(4..)?,
        _ => return None,
    };
    // A length: seven bits a byte, the lowest first, the last without its highest bit.
    let read = 1 + datum.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let length = datum.iter().take(read).rev().fold(0_u64, |length, byte| length << 7 | u64::from(byte & 0x7f));
    // Zigzag: an even number is twice a length.
    let length = (length % 2 == 0).then(|| usize::try_from(length / 2).ok())??;
    str::from_utf8(datum.get(read..)?.get(..length)?).ok().map(Cow::Borrowed)
}

/// A record of an output topic as what was written there.
#[must_use]
pub fn as_output<'a>(record: &Record<'a>, topic: OutputTopic) -> Output<'a> {
    Output { topic, record: 0, key: record.key, value: record.value, headers: record.headers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_each_form_and_must_fit_its_topic() {
        let id = "leads.raw/3/42/1/routed/A/B";
        let mut avro = vec![u8::try_from(2 * id.len()).expect("short")];
        avro.extend_from_slice(id.as_bytes());
        avro.extend_from_slice(&[0xff; 9]);
        let single = [&[0xc3, 0x01, 1, 2, 3, 4, 5, 6, 7, 8][..], &avro].concat();
        let framed = [&[0, 0, 0, 0, 7][..], &avro].concat();
        let json = format!("{{\"lead_id\":\"x\",\"event_id\":\"{id}\"}}").into_bytes();
        for value in [&single, &framed, &json] {
            let id = event_id(value).expect("an id");
            let origin = Origin::of_id(&id, OutputTopic::Routing).expect("an origin");
            assert_eq!((origin.number, origin.offset, origin.id().as_str()), (3, 42, "leads.raw/3/42/1/routed/A/B"));
            assert_eq!(Origin::of_id(&id, OutputTopic::Qualified), None);
        }
        for value in
            [&b""[..], b"{}", b"\xc3\x01", b"\0\0\0\0\x07\x80\x80\x80\x80\x80\x80", b"\0\0\0\0\x07\x03ab", b"\0\0\0\0\x07\x08ab", b"x"]
        {
            assert_eq!(event_id(value), None, "{value:?}");
        }
        for id in ["", "a/b/1/0/qualified", "a/1/1/0", "a/1/1/-1/qualified", "a/1/1/0/unqualified"] {
            assert_eq!(Origin::of_id(id, OutputTopic::Qualified), None, "{id}");
        }
    }
}

//! The table of headers: every header that an event or a dead letter may carry, and what it says. For documents; the headers
//! themselves are written in `pipeline`, and a test holds this table against what is written there.

use super::document::Document;
use crate::lead::{Campaign, DeadLetterCode, DeadLetterStage, Storefront, Verdict, Vocabulary};

/// One header. Every value is UTF-8 text.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Whether every record with this set of headers has it.
    pub always: bool,
    /// The JSON Schema keywords that say more of its text.
    text: Text,
}

/// What a header's text looks like.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// Anything.
    Any,
    /// This and nothing else.
    Constant(&'static str),
    /// One of these today.
    Words(fn() -> Vec<&'static str>),
    /// A regular expression.
    Pattern(&'static str),
}

impl Header {
    const fn always(name: &'static str, text: Text, doc: &'static str) -> Self {
        Self { name, doc, always: true, text }
    }

    const fn sometimes(name: &'static str, text: Text, doc: &'static str) -> Self {
        Self { name, doc, always: false, text }
    }
}

fn names<V: Vocabulary>() -> Vec<&'static str> {
    V::ALL.iter().map(|value| value.name()).collect()
}

const NUMBER: Text = Text::Pattern("^[0-9]+$");

/// On every event, whatever the configuration.
pub const EVENT: [Header; 2] = [
    Header::sometimes("traceparent", Text::Pattern("^[0-9a-f-]{55,128}$"), "W3C trace context, handed on if the raw record carried one."),
    Header::sometimes("lead-replay", Text::Any, "Id of the replay that wrote the event again; not there on first delivery."),
];

/// On every event with `encoding.headers = "cloudevents"`: the `CloudEvents` Kafka binding, binary mode.
pub const CLOUD_EVENTS: [Header; 10] = [
    Header::always("ce_specversion", Text::Constant("1.0"), "Version of CloudEvents."),
    Header::always("ce_id", Text::Any, "The event's event_id."),
    Header::always("ce_source", Text::Pattern("^/.+/[0-9]+$"), "Where the lead was read: /TOPIC/PARTITION."),
    Header::always("ce_type", Text::Pattern(r"^leadstream\.lead\.(qualified|unqualified|routed)\.v1$"), "Kind of event."),
    Header::always("ce_time", Text::Any, "When the event was written (RFC 3339); the one header that differs in a replay."),
    Header::always("content-type", Text::Any, "Media type of the value."),
    Header::always("lead-storefront", Text::Words(names::<Storefront>), "The lead's storefront."),
    Header::always("lead-campaign", Text::Words(names::<Campaign>), "The lead's campaign."),
    Header::always("lead-verdict", Text::Words(names::<Verdict>), "The lead's verdict."),
    Header::always("lead-ruleset", Text::Any, "What it was decided under: NAME/VERSION/ and the first 12 digits of the hash."),
];

/// On every dead letter, beside the headers of the raw record, which they replace where names are the same.
pub const DEAD_LETTER: [Header; 16] = [
    Header::always("dlq-topic", Text::Any, "Topic of the raw record."),
    Header::always("dlq-partition", NUMBER, "Its partition."),
    Header::always("dlq-offset", NUMBER, "Its offset."),
    Header::always("dlq-timestamp", NUMBER, "Its Kafka timestamp, milliseconds since 1970."),
    Header::always("dlq-stage", Text::Words(names::<DeadLetterStage>), "Where it was rejected."),
    Header::always("dlq-code", Text::Words(names::<DeadLetterCode>), "Why it was rejected; further codes may come."),
    Header::always("dlq-field", Text::Any, "Place in the record, such as [2]; empty: the record as a whole."),
    Header::always("dlq-detail", Text::Any, "What is wrong, in words, without personal data."),
    Header::always("dlq-ruleset", Text::Any, "Ruleset at the time: NAME/VERSION/ and the first 12 digits of the hash."),
    Header::always("dlq-version", Text::Any, "Version of leadstream."),
    Header::always("dlq-first-failed-at", NUMBER, "When it was first rejected, milliseconds since 1970."),
    Header::always("dlq-attempt", NUMBER, "How many times it was tried."),
    Header::sometimes("dlq-test", Text::Constant("true"), "The bytes hold Microsoft's test marker."),
    Header::sometimes("dlq-size", NUMBER, "Size of a value that could not be kept, in bytes."),
    Header::sometimes("dlq-sha256", Text::Pattern("^[0-9a-f]{64}$"), "SHA-256 of a value that could not be kept, in hex."),
    Header::sometimes("lead-replay", Text::Any, "Id of the replay that wrote the dead letter again."),
];

/// Sets of headers as one JSON Schema: an object of texts.
#[must_use]
pub fn schema(sets: &[&[Header]]) -> Document {
    let headers = || sets.iter().copied().flatten();
    let properties = headers().map(|header| {
        let text = Document::object([("type", "string".into()), ("description", header.doc.into())]);
        let text = match header.text {
            Text::Any => text,
            Text::Constant(value) => text.with("const", value),
            Text::Words(words) => text.with("examples", words().into_iter().map(Document::from).collect::<Vec<_>>()),
            Text::Pattern(pattern) => text.with("pattern", pattern),
        };
        (header.name.to_owned(), text)
    });
    let required = headers().filter(|header| header.always).map(|header| header.name.into()).collect::<Vec<_>>();
    Document::object([("type", "object".into())]).with("properties", Document::Object(properties.collect())).with("required", required)
}

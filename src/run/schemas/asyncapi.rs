//! The AsyncAPI 3.0 document of a configuration: its channels, operations and messages. Everything it says of values and headers
//! comes from the schemas and from the table of headers; here is only how AsyncAPI wants it.

use super::{Subscription, WireFormat, bundle, cloud_events, subject};
use crate::{
    pipeline::EventHeaders,
    schemas::{RecordKind, Released, document::Document, headers, json_schema},
};

/// Version of AsyncAPI's Kafka binding.
const KAFKA: &str = "0.5.0";
/// What AsyncAPI calls an Avro schema in JSON.
const AVRO: &str = "application/vnd.apache.avro;version=1.9.0";

const ABOUT: &str = "Microsoft's marketplace leads, each decided once. Read the outputs with isolation.level=read_committed, and \
    deduplicate by event_id. Keys are partitioned by murmur2, as Java's default partitioner does.";

/// One topic, as the document tells it.
struct Channel<'a> {
    /// Its name in the document.
    id: String,
    topic: &'a str,
    doc: &'static str,
    /// The names of its messages.
    messages: &'static [&'static str],
    /// Whether leadstream writes it.
    written: bool,
}

/// The whole document.
pub(super) fn document(subscription: &Subscription) -> Document {
    let channels = channels(subscription);
    Document::object([
        ("asyncapi", "3.0.0".into()),
        (
            "info",
            Document::object([
                ("title", "leadstream".into()),
                ("version", env!("CARGO_PKG_VERSION").into()),
                ("description", ABOUT.into()),
                ("license", Document::object([("name", env!("CARGO_PKG_LICENSE").into())])),
            ]),
        ),
        ("defaultContentType", "application/json".into()),
        ("channels", Document::Object(channels.iter().map(|channel| (channel.id.clone(), told(channel))).collect())),
        ("operations", Document::Object(channels.iter().map(operation).collect())),
        ("components", Document::object([("messages", messages(subscription))])),
    ])
}

fn channels(subscription: &Subscription) -> Vec<Channel<'_>> {
    let raw = subscription.topics.raw.iter().zip(1..).map(|(topic, place)| Channel {
        id: if place == 1 { "rawLeads".to_owned() } else { format!("rawLeads{place}") },
        topic,
        doc: "Raw leads, in any shape that Microsoft sends, one or several a record, or as Avro.",
        messages: &["RawLead", "RawRecord"],
        written: false,
    });
    let outputs = [
        ("qualifiedLeads", &subscription.topics.qualified, "Leads that qualify.", &["QualifiedLead"]),
        ("unqualifiedLeads", &subscription.topics.unqualified, "Leads that do not qualify, and why.", &["UnqualifiedLead"]),
        ("routedLeads", &subscription.topics.routing, "One event a destination: who follows up, by when.", &["LeadRouted"]),
        ("deadLetters", &subscription.topics.dead_letter, "Records that hold no lead: the original bytes, untouched.", &["DeadLetter"]),
        ("ledger", &subscription.topics.ledger, "What was read of each input partition and what was written for it.", &["LedgerEntry"]),
    ];
    let outputs = outputs.into_iter().filter(|(_, topic, ..)| !topic.is_empty());
    let outputs = outputs.map(|(id, topic, doc, messages)| Channel { id: id.to_owned(), topic, doc, messages, written: true });
    raw.chain(outputs).collect()
}

fn told(channel: &Channel<'_>) -> Document {
    let messages = channel.messages.iter().map(|name| (*name, Document::reference(&format!("#/components/messages/{name}"))));
    Document::object([
        ("address", channel.topic.into()),
        ("description", channel.doc.into()),
        ("messages", Document::object(messages)),
        ("bindings", kafka([("topic", channel.topic.into())])),
    ])
}

fn operation(channel: &Channel<'_>) -> (String, Document) {
    let mut id = channel.id.clone();
    id.replace_range(..1, &id[..1].to_uppercase());
    let (verb, action) = if channel.written { ("write", "send") } else { ("read", "receive") };
    let messages = channel.messages.iter().map(|name| Document::reference(&format!("#/channels/{}/messages/{name}", channel.id)));
    let operation = Document::object([
        ("action", action.into()),
        ("channel", Document::reference(&format!("#/channels/{}", channel.id))),
        ("summary", channel.doc.into()),
        ("messages", messages.collect::<Vec<_>>().into()),
    ]);
    (format!("{verb}{id}"), operation)
}

fn messages(subscription: &Subscription) -> Document {
    let events = RecordKind::ALL.map(|kind| (kind.name(), event(subscription, kind.latest())));
    let any = |name: &str, doc: &str| Document::object([("name", name.into()), ("summary", doc.into())]);
    let raw = any("RawRecord", "Anything else a producer writes; told apart by its headers or its structure.")
        .with("payload", Document::object([]))
        .with("bindings", kafka([("key", key("Any key; outputs have keys of their own."))]));
    let dead = any("DeadLetter", "The raw record's own bytes, key and headers, with the reason in further headers.")
        .with("contentType", "application/octet-stream")
        .with("headers", headers::schema(&[&headers::DEAD_LETTER]))
        .with("payload", Document::object([("description", "The value as it came; null where it was too large to be kept.".into())]))
        .with("bindings", kafka([("key", key("The raw record's key."))]));
    Document::object(events.into_iter().chain([("RawRecord", raw), ("DeadLetter", dead)]))
}

/// The message of a record that has a schema.
fn event(subscription: &Subscription, released: &Released) -> Document {
    let (kind, format) = (released.kind, subscription.format(released.kind));
    let avro = || Document::object([("schemaFormat", AVRO.into()), ("schema", bundle::read(released.text))]);
    let payload = if format == WireFormat::Json { json_schema::payload(released) } else { avro() };
    let summary = bundle::read(released.text).get("doc").and_then(Document::text).unwrap_or_default().to_owned();
    let message = Document::object([
        ("name", kind.name().into()),
        ("title", format!("{}, version {}", kind.name(), released.version).into()),
        ("summary", summary.into()),
        ("contentType", format.content_type().into()),
    ]);
    if kind == RecordKind::RawLead {
        let frames = "In the Confluent frame, or in single-object encoding.";
        return message.with("description", frames).with("payload", payload).with("bindings", kafka([("key", key("Any key."))]));
    }
    let is_entry = kind == RecordKind::LedgerEntry;
    let mut sets: Vec<&[headers::Header]> = if is_entry { Vec::new() } else { vec![&headers::EVENT] };
    if subscription.headers == EventHeaders::CloudEvents && !is_entry {
        sets.push(&headers::CLOUD_EVENTS);
    }
    let keys = if is_entry { "The input partition: TOPIC/PARTITION." } else { "The person key, else the lead id: 32 hex digits." };
    let mut binding = vec![("key", key(keys))];
    if format == WireFormat::ConfluentFrame {
        binding.push(("schemaIdLocation", "payload".into()));
        binding.push(("schemaIdPayloadEncoding", "confluent".into()));
        binding.push(("schemaLookupStrategy", "TopicNameStrategy".into()));
    }
    let subject = subject(subscription.topics(kind).first().copied().unwrap_or_default());
    let description = match format {
        WireFormat::Json => "The JSON form; fields that are null or empty are left out.".to_owned(),
        WireFormat::ConfluentFrame => format!("Avro in the Confluent frame; the registry has the schema under the subject {subject}."),
        WireFormat::SingleObject => "Avro in single-object encoding; the schema is the exported one of this fingerprint.".to_owned(),
    };
    message
        .with("description", description)
        .with("headers", headers::schema(&sets))
        .with("payload", payload)
        .with("bindings", kafka(binding))
        .with("examples", vec![example(subscription, kind, format)])
}

/// The schema's example; of Avro only its headers, as AsyncAPI has no word for binary.
fn example(subscription: &Subscription, kind: RecordKind, format: WireFormat) -> Document {
    let value = bundle::example(kind);
    let headers = match subscription.headers {
        EventHeaders::CloudEvents if kind != RecordKind::LedgerEntry => cloud_events::headers(subscription, kind, &value),
        _ => Document::object([]),
    };
    let example = Document::object([("name", "example".into()), ("headers", headers)]);
    if format == WireFormat::Json { example.with("payload", value) } else { example }
}

fn key(doc: &str) -> Document {
    Document::object([("type", "string".into()), ("description", doc.into())])
}

fn kafka<'n>(members: impl IntoIterator<Item = (&'n str, Document)>) -> Document {
    let binding = Document::object(members.into_iter().chain([("bindingVersion", KAFKA.into())]));
    Document::object([("kafka", binding)])
}

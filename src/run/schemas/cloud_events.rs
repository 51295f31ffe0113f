//! Example events as CloudEvents: in structured mode, which is easy to read, and in binary mode, which is how leadstream writes
//! them with `encoding.headers = "cloudevents"`. Made from the schemas' examples; real headers are the encoder's.

use super::Subscription;
use crate::schemas::{RecordKind, document::Document};

/// The headers that an event of this value carries.
#[must_use]
pub(super) fn headers(subscription: &Subscription, kind: RecordKind, event: &Document) -> Document {
    let at = |path: &[&str]| path.iter().try_fold(event, |value, name| value.get(name));
    let text = |path: &[&str]| at(path).and_then(Document::text).unwrap_or_default().to_owned();
    let partition = match at(&["source", "partition"]) {
        Some(Document::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let hash = text(&["ruleset", "hash"]);
    let ruleset = [text(&["ruleset", "name"]), text(&["ruleset", "version"]), hash.chars().take(12).collect()].join("/");
    Document::object([
        ("ce_specversion", "1.0".into()),
        ("ce_id", text(&["event_id"]).into()),
        ("ce_source", format!("/{}/{partition}", text(&["source", "topic"])).into()),
        ("ce_type", kind_of_event(kind).into()),
        // An example's clock stands still.
        ("ce_time", text(&["received_at"]).into()),
        ("content-type", subscription.format(kind).content_type().into()),
        ("lead-storefront", text(&["storefront"]).into()),
        ("lead-campaign", text(&["campaign"]).into()),
        ("lead-verdict", text(&["verdict"]).into()),
        ("lead-ruleset", ruleset.into()),
    ])
}

fn kind_of_event(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::RawLead => "leadstream.lead.raw.v1",
        RecordKind::QualifiedLead => "leadstream.lead.qualified.v1",
        RecordKind::UnqualifiedLead => "leadstream.lead.unqualified.v1",
        RecordKind::LeadRouted => "leadstream.lead.routed.v1",
        RecordKind::LedgerEntry => "leadstream.ledger.entry.v1",
    }
}

/// The event as one JSON object (`application/cloudevents+json`).
pub(super) fn structured(subscription: &Subscription, kind: RecordKind, event: &Document) -> Document {
    let headers = headers(subscription, kind, event);
    let mut members = Vec::new();
    if let Document::Object(headers) = headers {
        for (name, value) in headers {
            let attribute = match name.strip_prefix("ce_") {
                Some(attribute) => attribute.to_owned(),
                None if name == "content-type" => "datacontenttype".to_owned(),
                // An extension's name has no dash.
                None => name.replace('-', ""),
            };
            let value = if attribute == "datacontenttype" { "application/json".into() } else { value };
            members.push((attribute, value));
        }
    }
    Document::Object(members).with("data", event.clone())
}

/// The event as a Kafka record: topic, key, headers, and the value, shown in the JSON form.
pub(super) fn binary(subscription: &Subscription, kind: RecordKind, event: &Document) -> Document {
    let key = event.get("person_key").or_else(|| event.get("lead_id")).cloned().unwrap_or(Document::Null);
    Document::object([
        ("topic", subscription.topics(kind).first().copied().unwrap_or_default().into()),
        ("key", key),
        ("headers", headers(subscription, kind, event)),
        ("value", event.clone()),
    ])
}

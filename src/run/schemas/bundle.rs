//! The bundle for subscribers as texts by path: schemas, the AsyncAPI document, examples, consumers. The same configuration
//! is the same texts; writing them to a folder is `export`'s.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Subscription, WireFormat, asyncapi, cloud_events, hex, subject};
use crate::schemas::{RecordKind, document::Document, evolution::SchemaFile, json_schema::json_schema, released};

/// Files that are the same for everybody.
const FIXED: [(&str, &str); 4] = [
    ("python/consumer.py", include_str!("../../../deploy/subscribers/python/consumer.py")),
    ("python/requirements.txt", include_str!("../../../deploy/subscribers/python/requirements.txt")),
    ("java/Consumer.java", include_str!("../../../deploy/subscribers/java/Consumer.java")),
    ("java/pom.xml", include_str!("../../../deploy/subscribers/java/pom.xml")),
];

/// The page; where `{…}` stands, something is put in.
const README: &str = include_str!("../../../deploy/subscribers/README.md");

/// The examples of the latest versions.
pub(super) fn example(kind: RecordKind) -> Document {
    read(match kind {
        RecordKind::RawLead => include_str!("../../../schemas/RawLead/v1.example.json"),
        RecordKind::QualifiedLead => include_str!("../../../schemas/QualifiedLead/v1.example.json"),
        RecordKind::UnqualifiedLead => include_str!("../../../schemas/UnqualifiedLead/v1.example.json"),
        RecordKind::LeadRouted => include_str!("../../../schemas/LeadRouted/v1.example.json"),
        RecordKind::LedgerEntry => include_str!("../../../schemas/LedgerEntry/v1.example.json"),
    })
}

/// A JSON text that is compiled in.
pub(super) fn read(text: &str) -> Document {
    // What is compiled in is JSON: a test reads each.
    serde_json::from_str(text).unwrap_or(Document::Null)
}

/// Every file of the bundle: its path below the folder, with `/`, and its text.
#[must_use]
pub fn files(subscription: &Subscription) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = FIXED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut lock = String::new();
    for schema in released() {
        let file = SchemaFile { record: schema.kind.name(), version: schema.version, text: schema.text };
        let _ = writeln!(lock, "{}", file.lock_line());
        files.insert(format!("schemas/{}", file.path()), schema.text.to_owned());
        if schema.kind != RecordKind::RawLead {
            files.insert(format!("schemas/{}/v{}.schema.json", file.record, file.version), json_schema(schema).pretty());
        }
    }
    files.insert("schemas/LOCK".to_owned(), lock);
    for kind in RecordKind::ALL {
        files.insert(format!("examples/{}.json", kind.name()), example(kind).pretty());
    }
    for kind in [RecordKind::QualifiedLead, RecordKind::UnqualifiedLead, RecordKind::LeadRouted] {
        let event = example(kind);
        let structured = cloud_events::structured(subscription, kind, &event).pretty();
        files.insert(format!("examples/{}.cloudevent.json", kind.name()), structured);
        files.insert(format!("examples/{}.record.json", kind.name()), cloud_events::binary(subscription, kind, &event).pretty());
    }
    files.insert("asyncapi.json".to_owned(), asyncapi::document(subscription).pretty());
    files.insert("README.md".to_owned(), readme(subscription));
    files
}

fn readme(subscription: &Subscription) -> String {
    let mut topics = String::from("| topic | holds | values |\n|---|---|---|\n");
    for kind in [RecordKind::QualifiedLead, RecordKind::UnqualifiedLead, RecordKind::LeadRouted, RecordKind::LedgerEntry] {
        for topic in subscription.topics(kind) {
            let _ = writeln!(topics, "| `{topic}` | `{}` | {} |", kind.name(), subscription.format(kind).told());
        }
    }
    let _ = writeln!(topics, "| `{}` | what is no lead | the original bytes, the reason in headers |", subscription.topics.dead_letter);
    let mut schemas = String::from("| schema | fingerprint (CRC-64-AVRO, as in the bytes) | subjects |\n|---|---|---|\n");
    for schema in released() {
        let subjects: Vec<_> = subscription.topics(schema.kind).into_iter().map(|topic| format!("`{}`", subject(topic))).collect();
        let path = format!("{}/v{}", schema.kind.name(), schema.version);
        let _ = writeln!(schemas, "| `schemas/{path}.avsc` | `{}` | {} |", hex(schema.fingerprint), subjects.join(", "));
    }
    README
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{topics}\n", &topics)
        .replace("{schemas}\n", &schemas)
        .replace("{qualified}", &subscription.topics.qualified)
        .replace("{registry}", if subscription.qualified == WireFormat::ConfluentFrame { " --registry URL" } else { "" })
}

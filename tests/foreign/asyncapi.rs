//! The AsyncAPI document, read by AsyncAPI's own parser: for every way of writing events, and in copies that are broken.

use std::fs;

use leadstream::{
    pipeline::EventHeaders,
    run::schemas::{Subscription, WireFormat, files},
};

use crate::node;

fn document(format: WireFormat, headers: EventHeaders) -> String {
    let mut subscription = Subscription { qualified: format, unqualified: format, routing: format, headers, ..Subscription::default() };
    subscription.topics.raw.push("leads.more".into());
    files(&subscription)["asyncapi.json"].clone()
}

/// What the parser says of a document.
fn parsed(document: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("asyncapi.json");
    fs::write(&file, document).expect("written");
    node::run("asyncapi.mjs", &[&file])
}

#[test]
fn the_parser_takes_the_document_of_every_format() {
    for format in [WireFormat::Json, WireFormat::ConfluentFrame, WireFormat::SingleObject] {
        for headers in [EventHeaders::None, EventHeaders::CloudEvents] {
            let (good, told) = parsed(&document(format, headers));
            let complaint = told.lines().find(|line| line.starts_with("error") || line.starts_with("warning"));
            assert!(good && complaint.is_none(), "{format:?} {headers:?}: {told}");
            let channels = "channels leads.raw leads.more leads.qualified leads.unqualified leads.routing leads.dead-letter leads.ledger\n";
            assert!(told.ends_with(channels), "{told}");
        }
    }
}

#[test]
fn the_parser_refuses_copies_that_are_broken() {
    let (json, avro) = (document(WireFormat::Json, EventHeaders::None), document(WireFormat::ConfluentFrame, EventHeaders::None));
    let broken = [
        // A reference that leads nowhere.
        (json.replacen("#/components/messages/LeadRouted", "#/components/messages/Routed", 1), "invalid-ref"),
        // An operation of no kind.
        (json.replacen("\"action\": \"send\"", "\"action\": \"shout\"", 1), "must be equal to one of the allowed values"),
        // A type that JSON Schema does not have.
        (json.replacen("\"type\": \"integer\"", "\"type\": \"whole\"", 1), "must be equal to one of the allowed values"),
        // An enum that Avro would not take.
        (avro.replacen("\"symbols\": [", "\"symbol\": [", 1), "must have required property \"symbols\""),
    ];
    for (document, why) in broken {
        assert!(document != json && document != avro, "nothing was broken: {why}");
        let (good, told) = parsed(&document);
        assert!(!good && told.contains(why), "{why}: {told}");
    }
}

//! What is written, read by the protocol's own generated types; and what is counted when too many wait. What a collector gets in a
//! run is tried in `tests/kafka`.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;

use super::*;
use crate::telemetry::Labels;

fn batch(outcome: Outcome) -> BatchSpan {
    let mut links = TraceLinks::default();
    links.see(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    BatchSpan {
        lane: 3,
        end: Timestamp::from_micros(1_800_000_000_123_456),
        took: Duration::from_millis(250),
        records: 12,
        leads: 10,
        dead_letters: 2,
        topic: Some("leads.raw".into()),
        rulesets: vec!["a/1".into(), "b/2".into()],
        outcome,
        links,
    }
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let shown = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(whole) => whole.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|any| any.value.as_ref()).expect("a value") {
        Value::ArrayValue(list) => list.values.iter().map(|any| shown(any.value.as_ref().expect("a value"))).collect::<Vec<_>>().join(" "),
        other => shown(other),
    };
    attributes.iter().map(|attribute| (attribute.key.as_str(), value(attribute))).collect()
}

fn written(batches: Vec<BatchSpan>) -> Vec<Span> {
    let request = Writer::new("leads", "pod-0").request(batches);
    let request = ExportTraceServiceRequest::decode(request.as_slice()).expect("the protocol's own types read it");
    let [whole] = request.resource_spans.as_slice() else { panic!("{request:?}") };
    let resource = attributes(&whole.resource.as_ref().expect("a resource").attributes);
    assert_eq!((resource["service.name"].as_str(), resource["service.instance.id"].as_str()), ("leadstream", "pod-0"));
    let [scope] = whole.scope_spans.as_slice() else { panic!("{request:?}") };
    scope.spans.clone()
}

#[test]
fn a_committed_batch_reads_as_what_it_was() {
    let outcome = Outcome::Committed { decided_in: Duration::from_millis(50), took: Duration::from_millis(200) };
    let spans = written(vec![batch(outcome), batch(outcome)]);
    let span = &spans[0];
    assert_eq!((span.name.as_str(), span.kind(), span.status.as_ref()), ("leadstream batch", SpanKind::Consumer, None));
    assert_eq!(span.end_time_unix_nano, 1_800_000_000_123_456_000);
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 250_000_000);
    assert_eq!((span.trace_id.len(), span.span_id.len(), span.parent_span_id.len(), span.flags), (16, 8, 0, 0x101));
    assert!(span.trace_id != spans[1].trace_id && span.span_id != spans[1].span_id);
    let [link] = span.links.as_slice() else { panic!("{span:?}") };
    assert_eq!(link.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    assert_eq!((link.span_id.as_slice(), link.flags), (&0xb7ad_6b71_6920_3331_u64.to_be_bytes()[..], 0x301));
    let expected = [
        ("leadstream.commit_seconds", "0.2"),
        ("leadstream.dead_letters", "2"),
        ("leadstream.decision_seconds", "0.05"),
        ("leadstream.lane", "3"),
        ("leadstream.leads", "10"),
        ("leadstream.rulesets", "a/1 b/2"),
        ("messaging.batch.message_count", "12"),
        ("messaging.consumer.group.name", "leads"),
        ("messaging.destination.name", "leads.raw"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.system", "kafka"),
    ];
    assert_eq!(attributes(&span.attributes), expected.map(|(key, value)| (key, value.to_owned())).into());
}

#[test]
fn a_batch_that_was_taken_back_is_an_error_with_its_cause() {
    let spans = written(vec![batch(Outcome::TakenBack(Cause::TooLarge))]);
    assert_eq!(spans[0].status.as_ref().map(opentelemetry_proto::tonic::trace::v1::Status::code), Some(StatusCode::Error));
    let attributes = attributes(&spans[0].attributes);
    assert_eq!(attributes["error.type"], "too_large");
    assert!(!attributes.contains_key("leadstream.commit_seconds"));
}

#[test]
fn a_span_too_many_is_counted_and_keeps_nobody() {
    let metrics = Metrics::new(Labels::default()).expect("metrics");
    let queue = Arc::new(Queue::of(2));
    let mut lane = LaneTraces { number: 0, sampler: Sampler::new(1.0), queue: Arc::clone(&queue), metrics: metrics.clone() };
    for _ in 0..5 {
        lane.committed(&Tally::default(), Committed { took: Duration::ZERO }, Duration::ZERO, Timestamp::default());
    }
    let page = String::from_utf8(metrics.render()).expect("text");
    assert_eq!(queue.len(), 2);
    assert!(page.contains("leadstream_spans_total{result=\"dropped\"} 3"), "{page}");
    assert!(page.contains("leadstream_spans_total{result=\"sent\"} 0"), "{page}");
}

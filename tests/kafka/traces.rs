//! Traces in a real run: a collector gets spans with links to the traces of the records and the numbers of the batches, outputs carry
//! the trace on, and a collector that is away, hangs or refuses keeps no lead waiting.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};
use prost::Message as _;

use super::{
    broker,
    clients::{self, Kept, Raw},
    fake_registry::{FakeRegistry, response},
    leads::{Expected, PRIVATE, lead, noise},
    outcomes::Outcomes,
    service::{SOON, Scene, Service},
    waiting::{wait_for, wait_until},
};

const TOKEN: &str = "planted-collector-token";

/// What a collector that takes all answers to OTLP's own request, and to no other.
fn takes_all(line: &str) -> String {
    let status = if line == "POST /api/v1/traces HTTP/1.1" { 200 } else { 404 };
    response(status, "content-type: application/x-protobuf\r\n", "")
}

fn endpoint(collector: &FakeRegistry) -> String {
    format!("{}/v1/traces", collector.url())
}

fn run(scene: &Scene, endpoint: &str, more: &[&str]) -> Service {
    let sets = [format!("otlp.endpoint={endpoint}"), format!("otlp.authorization=Bearer {TOKEN}"), "log.level=trace".to_owned()];
    let sets: Vec<_> = sets.iter().map(String::as_str).chain(more.iter().copied()).flat_map(|set| ["--set", set]).collect();
    scene.run(&sets)
}

fn spans(collector: &FakeRegistry) -> Vec<Span> {
    let request = |body: &[u8]| ExportTraceServiceRequest::decode(body).expect("the protocol's own types read it");
    let resources = collector.asked().into_iter().flat_map(|asked| request(asked.body()).resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn attribute(span: &Span, key: &str) -> Option<Value> {
    span.attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value
}

fn count(span: &Span, key: &str) -> usize {
    match attribute(span, key) {
        Some(Value::IntValue(count)) => usize::try_from(count).expect("a count"),
        other => panic!("{key} is {other:?} in {span:?}"),
    }
}

fn sum(spans: &[Span], key: &str) -> usize {
    spans.iter().map(|span| count(span, key)).sum()
}

fn spans_total(service: &Service, result: &str) -> Option<f64> {
    service.metric(&format!("leadstream_spans_total{{result=\"{result}\"}}"))
}

fn traceparent(number: usize, flags: u8) -> String {
    format!("00-{:032x}-{:016x}-{flags:02x}", number + 1, number + 1)
}

fn record(number: usize, headers: &[(&str, &str)]) -> Raw {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Some(value.as_bytes().to_vec()))).collect();
    Raw { value: Some(lead(number).0), headers, ..Raw::default() }
}

/// By number: in a recorded trace, in one that is not recorded, with what is no trace, with none.
fn traced(number: usize) -> Raw {
    match number % 4 {
        0 => record(number, &[("traceparent", &traceparent(number, 1)), ("tracestate", "zq=planted-state")]),
        1 => record(number, &[("traceparent", &traceparent(number, 0)), ("tracestate", "zq=planted-state")]),
        2 => record(number, &[("traceparent", "zq-garbage")]),
        _ => record(number, &[]),
    }
}

/// `traceparent` of the raw record goes on to each of its events, where it is one, and nothing else does.
fn assert_carried(events: &[Kept]) {
    assert!(!events.is_empty());
    for event in events {
        let number = usize::try_from(event.json()["source"]["offset"].as_u64().expect("an offset")).expect("small");
        let wanted: Vec<_> = match number % 4 {
            0 => Some(traceparent(number, 1)),
            1 => Some(traceparent(number, 0)),
            _ => None,
        }
        .map(|trace| ("traceparent".to_owned(), Some(trace.into_bytes())))
        .into_iter()
        .collect();
        assert_eq!(event.headers, wanted, "record {number}");
    }
}

#[test]
fn a_batch_is_a_span_with_links_to_the_traces_of_its_records_and_events_carry_these_on() {
    const RECORDS: usize = 80;
    let scene = Scene::with_topics("traces", broker::shared(), 1);
    let collector = FakeRegistry::start(|line| Some(takes_all(line)));
    scene.write(&(0..RECORDS).map(traced).collect::<Vec<_>>());
    let mut service = run(&scene, &endpoint(&collector), &["otlp.sample=1"]);
    scene.wait_done(RECORDS, &service);
    let batches = || service.metric("leadstream_transactions_total{result=\"committed\"}");
    let state = || format!("{:?} of {:?}\n{}", spans_total(&service, "sent"), batches(), service.lines());
    wait_for("each batch is told", SOON, state, || (batches() > Some(0.0) && spans_total(&service, "sent") == batches()).then_some(()));

    let told = spans(&collector);
    let dead = (0..RECORDS).filter(|number| matches!(lead(*number).1, Expected::DeadLetter(_))).count();
    assert_eq!(Some(told.len()), batches().map(|batches| format!("{batches}").parse().expect("a count")));
    assert_eq!(sum(&told, "messaging.batch.message_count"), RECORDS);
    assert_eq!((sum(&told, "leadstream.leads"), sum(&told, "leadstream.dead_letters")), (RECORDS - dead, dead));
    for span in &told {
        assert_eq!((span.name.as_str(), span.kind(), span.status.as_ref()), ("leadstream batch", SpanKind::Consumer, None));
        let text = |key| attribute(span, key).map(|value| if let Value::StringValue(text) = value { text } else { String::new() });
        assert_eq!(text("messaging.consumer.group.name").as_ref(), Some(&scene.group));
        assert_eq!(text("messaging.destination.name").as_ref(), Some(&scene.raw));
        assert!(count(span, "leadstream.lane") < 2 && span.start_time_unix_nano < span.end_time_unix_nano, "{span:?}");
    }
    let linked: BTreeSet<_> = told.iter().flat_map(|span| &span.links).map(|link| link.span_id.clone()).collect();
    let recorded = (0..RECORDS).step_by(4).map(|number| (number as u64 + 1).to_be_bytes().to_vec()).collect::<BTreeSet<_>>();
    assert_eq!(linked, recorded, "to those that are recorded, and to no others");

    let outcomes = Outcomes::read(&scene);
    for events in [&outcomes.qualified, &outcomes.unqualified, &outcomes.routing] {
        assert_carried(events);
    }
    let asked = collector.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    assert!(asked.iter().all(|asked| asked.header("content-type") == Some("application/x-protobuf")));
    for word in PRIVATE.into_iter().chain(["garbage", "planted"]) {
        let tells = |body: &[u8]| body.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(!asked.iter().any(|asked| tells(asked.body())), "{word:?} stands in a span");
    }
    let pages = ["/", "/metrics", "/status", "/readyz"].map(|path| service.page(path));
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
    assert!(!service.lines().contains(TOKEN) && !pages.concat().contains(TOKEN));
}

#[test]
fn with_no_share_only_batches_of_recorded_traces_are_told_and_the_last_ones_when_the_process_ends() {
    let scene = Scene::with_topics("traced-only", broker::shared(), 1);
    let collector = FakeRegistry::start(|line| Some(takes_all(line)));
    let mut service = run(&scene, &endpoint(&collector), &["otlp.sample=0", "run.lanes=1"]);
    scene.write(&(0..8).map(|number| record(number, &[])).collect::<Vec<_>>());
    scene.wait_done(8, &service);
    scene.write(&(0..200).map(|number| record(number, &[("traceparent", &traceparent(number, 1))])).collect::<Vec<_>>());
    scene.wait_done(208, &service);
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
    let told = spans(&collector);
    assert!(!told.is_empty() && told.iter().all(|span| (1..=64).contains(&span.links.len())), "{told:?}");
    let left_out = |span: &Span| usize::try_from(span.dropped_links_count).expect("a count");
    assert_eq!(told.iter().map(|span| span.links.len() + left_out(span)).sum::<usize>(), 200, "{}", service.lines());
    assert_eq!(sum(&told, "messaging.batch.message_count"), 200);
}

#[test]
fn a_batch_that_is_taken_back_is_told_as_an_error_beside_the_one_that_stands() {
    let scene = Scene::with_topics("traced-abort", broker::shared(), 1);
    let collector = FakeRegistry::start(|line| Some(takes_all(line)));
    let mut service = run(&scene, &endpoint(&collector), &["otlp.sample=1", "run.lanes=1"]);
    service.wait_ready();
    clients::alter_topic(&scene.brokers, &scene.dead_letter, &[("max.message.bytes", "20000")]);
    let bad = format!("{{\"status\":\"{}\"}}", noise(1, 30_000)).into_bytes();
    scene.write(&[Raw { value: Some(bad), ..traced(0) }, traced(1), traced(5)]);
    scene.wait_done(3, &service);
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
    let (stood, taken_back): (Vec<_>, Vec<_>) = spans(&collector).into_iter().partition(|span| span.status.is_none());
    assert_eq!((sum(&stood, "messaging.batch.message_count"), taken_back.len()), (3, 1), "{}", service.lines());
    assert_eq!(taken_back[0].status.as_ref().map(Status::code), Some(StatusCode::Error));
    assert_eq!(attribute(&taken_back[0], "error.type"), Some(Value::StringValue("too_large".to_owned())));
    assert_eq!(taken_back[0].links.len(), 1);
}

/// Writes leads, waits until they are decided, and then until that many more spans have failed.
fn goes_on(scene: &Scene, service: &Service, done: &mut usize) {
    let before = spans_total(service, "failed").expect("it is there from the start");
    scene.write(&(0..40).map(traced).collect::<Vec<_>>());
    *done += 40;
    scene.wait_done(*done, service);
    // The lane that gets nothing may still be joining when all is done.
    service.wait_ready();
    wait_until("the metric tells", SOON, || spans_total(service, "failed") > Some(before));
}

#[test]
fn a_collector_that_is_away_hangs_or_refuses_keeps_no_lead_and_is_told_once() {
    let [hanging, broken, closed] = [
        FakeRegistry::start(|_| None),
        FakeRegistry::start(|_| Some(response(500, "", "planted words"))),
        FakeRegistry::start(|_| Some(response(401, "", ""))),
    ];
    let cases = BTreeMap::from([
        ("connection refused", "http://127.0.0.1:1/v1/traces".to_owned()),
        ("no answer within 5.0 s", endpoint(&hanging)),
        ("it answers HTTP 500", endpoint(&broken)),
        ("check otlp.authorization", endpoint(&closed)),
    ]);
    let scene = |why: &str| Scene::with_topics(&format!("no-collector-{}", why.len()), broker::shared(), 1);
    for (why, endpoint) in &cases {
        let (scene, mut done) = (scene(why), 0);
        let mut service = run(&scene, endpoint, &["otlp.sample=1"]);
        goes_on(&scene, &service, &mut done);
        goes_on(&scene, &service, &mut done);
        service.terminate();
        assert_eq!(service.exit_within(SOON), 0);
        let lines = service.lines();
        assert_eq!((lines.matches("does not take traces").count(), lines.matches(why).count()), (1, 1), "{why}\n{lines}");
        assert!(!lines.contains("planted"), "{lines}");
    }
    let asked = hanging.asked();
    assert!(asked.iter().chain(&broken.asked()).all(|asked| asked.header("authorization") == Some(&format!("Bearer {TOKEN}"))));

    // It comes back, and then refuses one span of each request.
    let (scene, mut done) = (scene(""), 0);
    let service = run(&scene, &endpoint(&broken), &["otlp.sample=1"]);
    goes_on(&scene, &service, &mut done);
    broken.answers(|line| Some(takes_all(line)));
    scene.write(&[traced(0)]);
    done += 1;
    wait_until("spans arrive again", SOON, || spans_total(&service, "sent") > Some(0.0));
    assert!(service.lines().contains("takes traces again"), "{}", service.lines());
    broken.answers(|_| Some(response(200, "content-type: application/x-protobuf\r\n", "\n\u{2}\u{8}\u{1}")));
    goes_on(&scene, &service, &mut done);
    assert!(service.lines().contains("it refuses 1 of"), "{}", service.lines());
}

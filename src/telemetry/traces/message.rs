//! Spans as OTLP writes them (opentelemetry-proto 1.x, `collector/trace/v1`): the messages and fields that are used here, with the
//! numbers of the protocol, and the attributes of a batch. Tests read what is written by the protocol's own generated types.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use prost::{Message, Oneof};

use super::{BatchSpan, Outcome};
use crate::{io::TraceLink, lead::Vocabulary as _};

#[derive(Clone, PartialEq, Message)]
struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "13")]
    links: Vec<Link>,
    #[prost(uint32, tag = "14")]
    dropped_links_count: u32,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Link {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span: Vec<u8>,
    #[prost(fixed32, tag = "6")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3, 4, 5")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int64, tag = "3")]
    Whole(i64),
    #[prost(double, tag = "4")]
    Number(f64),
    #[prost(message, tag = "5")]
    List(List),
}

#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

/// What a collector answers.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportAnswer {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
}

impl ExportAnswer {
    /// How many spans it did not take.
    pub(super) fn refused(self) -> u64 {
        self.partial_success.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or(0)
    }
}

/// `SPAN_KIND_CONSUMER`.
const CONSUMER: i32 = 5;
/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;
/// `SPAN_FLAGS`: recorded; whether the parent is another's is known; it is.
const SAMPLED: u32 = 0x1;
const REMOTE_IS_KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Whole(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Number(time.as_secs_f64())
    }
}

fn attribute(key: &str, value: impl Into<Value>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value.into()) }) }
}

/// Numbers that no other span has: two streams of splitmix64, from where the system's chance put them.
struct Ids([u64; 2]);

impl Ids {
    fn new() -> Self {
        Self([(); 2].map(|()| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u32(std::process::id());
            hasher.finish()
        }))
    }

    fn next(&mut self, stream: usize) -> [u8; 8] {
        self.0[stream] = self.0[stream].wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = self.0[stream];
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // One that is all zeros is none.
        (mixed ^ (mixed >> 31)).max(1).to_be_bytes()
    }
}

/// Writes the requests of one process.
pub(super) struct Writer {
    group: String,
    resource: Resource,
    ids: Ids,
}

impl Writer {
    /// Of a process of this group; `instance` is empty where it has no name of its own.
    pub(super) fn new(group: &str, instance: &str) -> Self {
        let mut attributes = vec![attribute("service.name", "leadstream"), attribute("service.version", env!("CARGO_PKG_VERSION"))];
        if !instance.is_empty() {
            attributes.push(attribute("service.instance.id", instance));
        }
        Self { group: group.to_owned(), resource: Resource { attributes }, ids: Ids::new() }
    }

    /// One request with these spans.
    pub(super) fn request(&mut self, spans: Vec<BatchSpan>) -> Vec<u8> {
        let spans = spans.into_iter().map(|span| self.span(&span)).collect();
        let scope = Scope { name: "leadstream".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
        let resource_spans = vec![ResourceSpans { resource: Some(self.resource.clone()), scope_spans }];
        ExportRequest { resource_spans }.encode_to_vec()
    }

    fn span(&mut self, batch: &BatchSpan) -> Span {
        let end = u64::try_from(batch.end.micros()).unwrap_or(0).saturating_mul(1000);
        let took = u64::try_from(batch.took.as_nanos()).unwrap_or(u64::MAX);
        Span {
            trace: [self.ids.next(0), self.ids.next(1)].concat(),
            id: self.ids.next(1).into(),
            name: "leadstream batch".to_owned(),
            kind: CONSUMER,
            start_time_unix_nano: end.saturating_sub(took),
            end_time_unix_nano: end,
            attributes: self.attributes(batch),
            links: batch.links.kept().iter().map(link).collect(),
            dropped_links_count: batch.links.left_out(),
            status: match batch.outcome {
                Outcome::Committed { .. } => None,
                Outcome::TakenBack(_) => Some(Status { message: "taken back; decided again".to_owned(), code: ERROR }),
            },
            flags: SAMPLED | REMOTE_IS_KNOWN,
        }
    }

    fn attributes(&self, batch: &BatchSpan) -> Vec<KeyValue> {
        let lane = u64::try_from(batch.lane).unwrap_or(u64::MAX);
        let mut attributes = vec![
            attribute("messaging.system", "kafka"),
            attribute("messaging.operation.name", "process"),
            attribute("messaging.operation.type", "process"),
            attribute("messaging.batch.message_count", batch.records),
            attribute("messaging.consumer.group.name", self.group.as_str()),
            attribute("leadstream.lane", lane),
            attribute("leadstream.leads", batch.leads),
            attribute("leadstream.dead_letters", batch.dead_letters),
            attribute("leadstream.rulesets", Value::List(list(&batch.rulesets))),
        ];
        if let Some(topic) = &batch.topic {
            attributes.push(attribute("messaging.destination.name", &**topic));
        }
        match batch.outcome {
            Outcome::Committed { decided_in, took } => {
                attributes.push(attribute("leadstream.decision_seconds", decided_in));
                attributes.push(attribute("leadstream.commit_seconds", took));
            }
            Outcome::TakenBack(cause) => attributes.push(attribute("error.type", cause.name())),
        }
        attributes
    }
}

fn list(texts: &[Arc<str>]) -> List {
    List { values: texts.iter().map(|text| AnyValue { value: Some(Value::from(&**text)) }).collect() }
}

fn link(link: &TraceLink) -> Link {
    Link { trace: link.trace.into(), span: link.span.into(), flags: SAMPLED | REMOTE_IS_KNOWN | REMOTE }
}

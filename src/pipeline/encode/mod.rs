//! Decisions to events: which events there are, their topics, keys and headers, and how large they may be. What is published
//! of a decision is `published`'s, how a value is written the encoders' (`json`, `avro`).

mod avro;
mod common;
mod headers;
mod json;
mod published;
mod redaction;

pub use avro::frame;
pub(super) use headers::ruleset;

use crate::lead::{DeadLetterCode, DeadLetterStage, Decision, Record, Rejection, Route, Verdict};

use super::{
    OutputBuffer, OutputTopic,
    output::{FRAME, HeaderWriter},
};
use common::Common;
use published::Published;

/// Which headers events carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventHeaders {
    /// None but `traceparent` if the input had one.
    #[default]
    None,
    /// The `CloudEvents` Kafka binding, binary mode.
    CloudEvents,
}

/// How the values of a topic's events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFormat {
    /// JSON.
    #[default]
    Json,
    /// Avro, its schema told by fingerprint (single-object encoding).
    SingleObject,
    /// Avro, its schema told by the registry's number for it (Confluent wire format).
    Confluent(u32),
}

/// How events are written.
#[derive(Clone, Debug, Default)]
pub struct EncodeSettings {
    /// Which headers.
    pub headers: EventHeaders,
    /// The values of each output topic, by `OutputTopic as usize`; a dead letter's are the original bytes whatever stands here.
    pub formats: [EventFormat; OutputTopic::COUNT],
    /// The largest record (key + value + headers, bytes) each output topic takes, by `OutputTopic as usize`; 0: no limit.
    pub largest: [usize; OutputTopic::COUNT],
    /// Every output also carries `lead-replay: ID`.
    pub replay: Option<String>,
}

/// One event of a lead.
#[derive(Clone, Copy, Debug)]
enum Event<'d> {
    /// The lead block, with its verdict.
    Verdict,
    /// The lead block as routed.
    Routed(&'d Route<'d>),
}

/// Writes all events of a record.
///
/// # Errors
/// `output_too_large`: one of them is larger than its topic takes; then none was written.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn events(
    decisions: &[Decision<'_>],
    record: &Record<'_>,
    settings: &EncodeSettings,
    out: &mut OutputBuffer,
) -> Result<(), Rejection> {
    let before = out.mark();
    for decision in decisions {
        let published = Published::of(decision);
        let mut common = [Common::default(), Common::default()];
        let topic = match decision.qualified.verdict {
            Verdict::Qualified => OutputTopic::Qualified,
            Verdict::Unqualified => OutputTopic::Unqualified,
        };
        let routed = decision.routes.iter().map(|route| (OutputTopic::Routing, Event::Routed(route)));
        for (topic, event) in std::iter::once((topic, Event::Verdict)).chain(routed) {
            if let Err(rejection) = write(topic, event, &published, &mut common, record, settings, out) {
                out.truncate(before);
                return Err(rejection);
            }
        }
    }
    Ok(())
}

fn write(
    topic: OutputTopic,
    event: Event<'_>,
    published: &Published<'_>,
    [as_json, as_avro]: &mut [Common; 2],
    record: &Record<'_>,
    settings: &EncodeSettings,
    out: &mut OutputBuffer,
) -> Result<(), Rejection> {
    let decision = published.decision;
    let format = settings.formats.get(topic as usize).copied().unwrap_or_default();
    let start = out.bytes();
    let stamp = out.stamp();
    out.push(
        topic,
        |key| {
            key.extend_from_slice(decision.facts.person_key.as_ref().unwrap_or(&decision.facts.lead_id).as_bytes());
            true
        },
        |value| {
            match format {
                EventFormat::Json => json::event(event, published, as_json, value),
                EventFormat::SingleObject | EventFormat::Confluent(_) => avro::event(event, published, format, as_avro, value),
            }
            true
        },
        |writer: &mut HeaderWriter<'_>| headers::event(event, decision, record, settings, format, stamp, writer),
    );
    let bytes = out.bytes() - start + FRAME;
    match out.largest(topic, &settings.largest) {
        Some(largest) if bytes > largest => Err(Rejection {
            stage: DeadLetterStage::Encode,
            code: DeadLetterCode::OutputTooLarge,
            field: format!("[{}]", decision.facts.index),
            detail: format!("an event of this record has about {bytes} bytes; its topic takes {largest}"),
            unkept: None,
            awaits: None,
        }),
        _ => Ok(()),
    }
}

/// The lead block of a decision as JSON, as `explain` shows it: as published, with what each route adds in `routes`.
pub fn explained(decision: &Decision<'_>, out: &mut Vec<u8>) {
    json::explained(&Published::of(decision), out);
}

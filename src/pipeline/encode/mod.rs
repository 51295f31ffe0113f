//! Decisions to events: which events there are, their topics, keys and headers, and how large they may be. How a value is
//! written is the encoder's (`json`; Avro will be its neighbour).

mod headers;
mod json;
mod redaction;

pub(super) use headers::ruleset;

use crate::lead::{DeadLetterCode, DeadLetterStage, Decision, Record, Rejection, Route, Verdict};

use super::{OutputBuffer, OutputTopic, output::HeaderWriter};

/// Which headers events carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventHeaders {
    /// None but `traceparent` if the input had one.
    #[default]
    None,
    /// The `CloudEvents` Kafka binding, binary mode.
    CloudEvents,
}

/// How events are written.
#[derive(Clone, Debug, Default)]
pub struct EncodeSettings {
    /// Which headers.
    pub headers: EventHeaders,
    /// The largest record (key + value + headers, bytes) each output topic takes, by `OutputTopic as usize`; 0: no limit.
    pub largest: [usize; 4],
    /// Every output also carries `lead-replay: ID`.
    pub replay: Option<String>,
}

/// What Kafka adds to a record's own bytes: the batch header and the lengths.
pub(super) const FRAME: usize = 512;

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
pub(super) fn events(
    decisions: &[Decision<'_>],
    record: &Record<'_>,
    settings: &EncodeSettings,
    out: &mut OutputBuffer,
) -> Result<(), Rejection> {
    let before = out.mark();
    for decision in decisions {
        let topic = match decision.qualified.verdict {
            Verdict::Qualified => OutputTopic::Qualified,
            Verdict::Unqualified => OutputTopic::Unqualified,
        };
        let routed = decision.routes.iter().map(|route| (OutputTopic::Routing, Event::Routed(route)));
        for (topic, event) in std::iter::once((topic, Event::Verdict)).chain(routed) {
            if let Err(rejection) = write(topic, event, decision, record, settings, out) {
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
    decision: &Decision<'_>,
    record: &Record<'_>,
    settings: &EncodeSettings,
    out: &mut OutputBuffer,
) -> Result<(), Rejection> {
    let start = out.bytes();
    let stamp = out.stamp();
    out.push(
        topic,
        |key| {
            key.extend_from_slice(decision.facts.person_key.as_ref().unwrap_or(&decision.facts.lead_id).as_str().as_bytes());
            true
        },
        |value| {
            json::event(event, decision, value);
            true
        },
        |writer: &mut HeaderWriter<'_>| headers::event(event, decision, record, settings, stamp, writer),
    );
    let bytes = out.bytes() - start + FRAME;
    match settings.largest.get(topic as usize) {
        Some(largest) if *largest > 0 && bytes > *largest => Err(Rejection {
            stage: DeadLetterStage::Encode,
            code: DeadLetterCode::OutputTooLarge,
            field: format!("[{}]", decision.facts.index),
            detail: format!("an event of this record has about {bytes} bytes; its topic takes {largest}"),
            unkept: None,
        }),
        _ => Ok(()),
    }
}

/// The lead block of a decision as JSON, as `explain` shows it: as published, with what each route adds in `routes`.
pub fn explained(decision: &Decision<'_>, out: &mut Vec<u8>) {
    json::explained(decision, out);
}

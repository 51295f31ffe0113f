//! Headers of events. A header costs more than the field it repeats (docs/adr), so by default there are none but what traces
//! and replays need.

use std::fmt::Write as _;

use crate::lead::{Decision, Facts, Record, Timestamp, Verdict, Vocabulary as _};

use super::{EncodeSettings, Event, EventFormat, EventHeaders};
use crate::pipeline::output::HeaderWriter;

/// The first digits of a ruleset's hash that headers carry.
pub(crate) const SHORT_HASH: usize = 12;

/// Writes the headers of one event.
pub(super) fn event(
    event: Event<'_>,
    decision: &Decision<'_>,
    record: &Record<'_>,
    settings: &EncodeSettings,
    format: EventFormat,
    stamp: Timestamp,
    headers: &mut HeaderWriter<'_>,
) {
    if let Some(trace) = record.headers.last("traceparent").filter(|trace| is_trace(trace)) {
        headers.push("traceparent", Some(trace));
    }
    if let Some(replay) = &settings.replay {
        headers.push("lead-replay", Some(replay.as_bytes()));
    }
    if settings.headers == EventHeaders::None {
        return;
    }
    let mut text = String::with_capacity(96);
    let mut put = |name: &str, write: &dyn Fn(&mut String)| {
        text.clear();
        write(&mut text);
        headers.push(name, Some(text.as_bytes()));
    };
    let kind = match (event, decision.qualified.verdict) {
        (Event::Routed(_), _) => "leadstream.lead.routed.v1",
        (Event::Verdict, Verdict::Qualified) => "leadstream.lead.qualified.v1",
        (Event::Verdict, Verdict::Unqualified) => "leadstream.lead.unqualified.v1",
    };
    put("ce_specversion", &|text| text.push_str("1.0"));
    put("ce_id", &|text| event_id(event, decision, |id| text.push_str(id)));
    put("ce_source", &|text| {
        // Writing to a String cannot fail.
        let _ = write!(text, "/{}", record.at.partition);
    });
    put("ce_type", &|text| text.push_str(kind));
    put("ce_time", &|text| {
        let _ = write!(text, "{stamp}");
    });
    let content = if format == EventFormat::Json { "application/json" } else { "application/avro" };
    put("content-type", &|text| text.push_str(content));
    put("lead-storefront", &|text| text.push_str(decision.class.storefront.name()));
    put("lead-campaign", &|text| text.push_str(decision.class.campaign.name()));
    put("lead-verdict", &|text| text.push_str(decision.qualified.verdict.name()));
    put("lead-ruleset", &|text| ruleset(decision.rules, text));
}

/// Whether it is a W3C `traceparent`, of this version or a later one. What is none is not handed on: it may hold anything.
fn is_trace(trace: &[u8]) -> bool {
    let dashes = [2, 35, 52].iter().all(|at| trace.get(*at) == Some(&b'-'));
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    dashes && matches!(trace.len(), 55..=128) && trace.iter().all(hex)
}

/// `NAME/VERSION/` and the first digits of the hash.
pub(crate) fn ruleset(rules: &crate::rules::Ruleset, text: &mut String) {
    let _ = write!(text, "{}/{}/{}", rules.name, rules.version, rules.hash.get(..SHORT_HASH).unwrap_or(&rules.hash));
}

/// Writes `TOPIC/PARTITION/OFFSET/INDEX/KIND`, piece by piece: its [`place`] and its [`kind`].
pub(super) fn event_id(event: Event<'_>, decision: &Decision<'_>, mut write: impl FnMut(&str)) {
    let (topic, numbers) = place(decision.facts);
    write(topic);
    for number in numbers {
        write("/");
        write(itoa::Buffer::new().format(number));
    }
    let (kind, destination) = kind(event, decision);
    write(kind);
    write(destination);
}

/// What all events of a lead have in their ids: topic, partition, offset and index.
pub(super) fn place<'f>(facts: &'f Facts<'_>) -> (&'f str, [i64; 3]) {
    (&facts.at.partition.topic, [facts.at.partition.number.into(), facts.at.offset, facts.index.into()])
}

/// What tells an event from the others of its lead: the kind, and where it is routed to, if it is.
pub(super) fn kind<'e>(event: Event<'e>, decision: &Decision<'_>) -> (&'static str, &'e str) {
    match (event, decision.qualified.verdict) {
        (Event::Routed(route), _) => ("/routed/", route.destination),
        (Event::Verdict, Verdict::Qualified) => ("/qualified", ""),
        (Event::Verdict, Verdict::Unqualified) => ("/unqualified", ""),
    }
}

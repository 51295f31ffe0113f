//! What happens to a lead, on one screen: one file a stage, in order. Total and pure: one record in, exactly one outcome
//! out, whatever the bytes; no Kafka, clock, file, log or metric.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod altered;
mod classify;
mod dead_letter;
mod decode;
mod difference;
mod encode;
mod enrich;
mod json_bytes;
mod live;
mod normalize;
mod output;
mod qualify;
mod route;
mod trace;

pub use altered::{Alteration, Said, altered};
pub use dead_letter::{DEAD_LETTER_HEADERS, EarlierFailures, OversizeValue, dead_letter};
pub use decode::{FirstDatum, WRITER_SCHEMA_HEADER, first_datum, knows_key};
pub use difference::{RouteChange, route_changes};
pub use encode::{EncodeSettings, EventFormat, EventHeaders, explained, frame};
pub use enrich::PersonKey;
pub use live::{Canary, Live, Share, Split, Trials};
pub(crate) use normalize::{countries, is_shared_domain};
pub use output::{Mark, Output, OutputBuffer, OutputTopic};
pub use trace::{NoTrace, Trace};

use std::sync::Arc;

use crate::{
    lead::{Decision, Facts, Outcome, Record, Rejection},
    rules::{Condition, Ruleset},
    schemas::ContainerSchema,
    tables::Tables,
};

/// How large things may be; over it a record gets its code, a field its flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record's value: `too_large`.
    pub record_bytes: usize,
    /// Nesting of a value: `too_deep`.
    pub depth: usize,
    /// Leads in a record: `too_many_leads`.
    pub leads: usize,
    /// Bytes of one field: cut, `field_truncated`.
    pub field_bytes: usize,
    /// Bytes of all of `extra`: further entries are left out, `field_truncated`.
    pub extra_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 1_048_576, depth: 64, leads: 10_000, field_bytes: 32_768, extra_bytes: 65_536 }
    }
}

/// One snapshot of all that decides beside the record.
#[derive(Debug)]
pub struct Pipeline {
    /// The live ruleset.
    pub rules: Ruleset,
    /// The live tables.
    pub tables: Tables,
    /// How large things may be.
    pub limits: Limits,
    /// Key of `person_key`.
    pub person_key: PersonKey,
    /// How events are written.
    pub encoding: EncodeSettings,
}

/// What reading a record takes: all but rules, which say nothing about what a record is.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The tables that are looked into.
    pub tables: &'a Tables,
    /// How large things may be.
    pub limits: &'a Limits,
    /// Key of `person_key`.
    pub person_key: &'a PersonKey,
}

impl Pipeline {
    /// What reading a record takes.
    #[must_use]
    pub fn setting(&self) -> Setting<'_> {
        Setting { tables: &self.tables, limits: &self.limits, person_key: &self.person_key }
    }
}

/// Answers to costly questions about values that come again, within bounds. What is decided is the same with a full, an empty
/// or no such memory; a lane owns one, so that nothing is shared.
#[derive(Debug, Default)]
pub struct Memory {
    normalized: normalize::Memory,
    schemas: decode::WriterSchemas,
    lists: decode::Lists,
}

impl Memory {
    /// Remembers the schema a registry has under a number, with those it builds on before it, so that a record that awaited it
    /// can be read.
    pub fn learn_schema<T: AsRef<str>>(&mut self, id: u32, texts: &[T]) {
        self.schemas.learn(id, texts);
    }

    /// From now on records come from an Avro container file of this schema, or from none.
    pub fn begin_file(&mut self, schema: Option<Arc<ContainerSchema>>) {
        self.schemas.begin_file(schema);
    }
}

/// Bytes to facts: decode → normalize → enrich.
///
/// # Errors
/// The one rejection of a record that is no lead.
pub fn read<'a>(record: &Record<'a>, pipeline: &'a Pipeline, memory: &mut Memory) -> Result<Vec<Facts<'a>>, Rejection> {
    read_in(record, &pipeline.setting(), memory)
}

/// The same, with what it takes alone.
///
/// # Errors
/// As [`read`].
pub fn read_in<'a>(record: &Record<'a>, setting: &Setting<'a>, memory: &mut Memory) -> Result<Vec<Facts<'a>>, Rejection> {
    let Setting { tables, limits, person_key } = *setting;
    let value = enrich::ValueDigest::of(record);
    let mut decoded = decode::decode(record, limits, &memory.schemas, &mut memory.lists)?;
    let normalized = decoded.drain(..).map(|lead| normalize::normalize(lead, limits, &mut memory.normalized));
    let facts = normalized.map(|lead| enrich::enrich(lead, record, &value, tables, person_key)).collect();
    memory.lists.keep(decoded);
    Ok(facts)
}

/// Facts to a decision: classify → qualify → route.
pub fn decide<'a>(facts: &'a Facts<'a>, rules: &'a Ruleset, trace: &mut impl Trace) -> Decision<'a> {
    let class = classify::classify(facts, rules, trace);
    let qualified = qualify::qualify(facts, &class, rules, trace);
    let (marketing_campaign, routes) = route::route(facts, &class, &qualified, rules, trace);
    Decision { facts, rules, class, marketing_campaign, qualified, routes }
}

/// An outcome to bytes: its events, or its dead letter.
///
/// # Errors
/// `output_too_large`: then nothing was written, and the rejection is the record's outcome.
pub fn encode(outcome: &Outcome<'_>, record: &Record<'_>, pipeline: &Pipeline, out: &mut OutputBuffer) -> Result<(), Rejection> {
    match outcome {
        Outcome::Decided(decisions) => encode::events(decisions, record, &pipeline.encoding, out),
        Outcome::Rejected(rejection) => {
            dead_letter(rejection, record, EarlierFailures::default(), pipeline, out);
            Ok(())
        }
    }
}

/// One record through all doors. `seen` is shown the outcome before its memory goes.
pub fn run(record: &Record<'_>, pipeline: &Pipeline, memory: &mut Memory, out: &mut OutputBuffer, seen: impl FnOnce(&Outcome<'_>)) {
    conclude(&read(record, pipeline, memory), record, pipeline, Choice::default(), out, seen);
}

/// By whom leads are decided beside the pipeline, and which of them are published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Its leads are decided by its rules.
    pub canary: Option<&'a Canary>,
    /// Decided leads for which it does not hold leave nothing behind.
    pub only: Option<&'a Condition>,
    /// How often the record was rejected before.
    pub earlier: EarlierFailures,
}

/// What was read through the other two doors.
pub fn conclude(
    facts: &Result<Vec<Facts<'_>>, Rejection>,
    record: &Record<'_>,
    pipeline: &Pipeline,
    choice: Choice<'_>,
    out: &mut OutputBuffer,
    seen: impl FnOnce(&Outcome<'_>),
) {
    let decided = outcome(facts, pipeline, choice);
    if let Outcome::Rejected(rejection) = &decided {
        dead_letter(rejection, record, choice.earlier, pipeline, out);
        return seen(&decided);
    }
    match encode(&decided, record, pipeline, out) {
        Ok(()) => seen(&decided),
        Err(too_large) => {
            dead_letter(&too_large, record, choice.earlier, pipeline, out);
            seen(&Outcome::Rejected(too_large));
        }
    }
}

/// What becomes of what was read, unless its events turn out too large.
pub fn outcome<'a>(facts: &'a Result<Vec<Facts<'a>>, Rejection>, pipeline: &'a Pipeline, choice: Choice<'a>) -> Outcome<'a> {
    let Choice { canary, only, .. } = choice;
    let rules_for = |facts: &Facts<'_>| canary.filter(|canary| canary.takes(facts)).map_or(&pipeline.rules, |canary| &*canary.rules);
    let is_chosen = |decision: &Decision<'_>| only.is_none_or(|only| only.holds_for(decision));
    match facts {
        Ok(facts) => {
            let mut decisions = Vec::with_capacity(facts.len());
            decisions.extend(facts.iter().map(|facts| decide(facts, rules_for(facts), &mut NoTrace)).filter(is_chosen));
            Outcome::Decided(decisions)
        }
        Err(rejection) => Outcome::Rejected(rejection.clone()),
    }
}

//! `leadstream explain`: one raw record in, its decisions and the way to them out. Decides through the same core as the
//! service; only listens to it more closely.

mod candidates;
mod nearest;
#[cfg(feature = "kafka")]
mod pasted;
mod rules;
mod steps;
mod tree;
mod trial;

use std::io::{self, Read, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    config::{CanaryConfig, Config},
    io::{Batch, SchemaSource},
    lead::{Decision, Facts, Partition, Position, Record, Rejection, Timestamp, Vocabulary},
    pipeline::{self, Memory, Pipeline, Setting, Share, Split},
    rules::Ruleset,
};

use super::{ExplainArguments, ExplainInput, Failure, Target, reading::read_or_fail};
use nearest::{Nearest, nearest};
#[cfg(feature = "kafka")]
pub(super) use pasted::pasted;
pub(super) use steps::Steps;

/// What `--json` prints, field by field as the contract has it.
#[derive(Serialize)]
struct Explanation<'a> {
    verdict: &'static str,
    reasons: Vec<&'a str>,
    rejection: Option<RejectionShown<'a>>,
    leads: Vec<Box<RawValue>>,
    trace: TraceShown<'a>,
}

#[derive(Serialize)]
struct RejectionShown<'a> {
    stage: &'static str,
    code: &'static str,
    field: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct TraceShown<'a> {
    source: String,
    received_at: Timestamp,
    leads: Vec<LeadTrace<'a>>,
    /// Leads, by their index, that `run` gives to the canary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    canary: Vec<u32>,
}

#[derive(Serialize)]
struct LeadTrace<'a> {
    #[serde(flatten)]
    steps: &'a Steps,
    /// The least total that qualifies.
    threshold: i64,
    /// Only of a lead that does not.
    would_qualify: Option<Nearest>,
}

/// Decides one record and shows why.
///
/// # Errors
/// 64 for an input that cannot be read, 75 when Kafka, or a registry that is needed, does not answer.
pub fn explain(
    config: &Config,
    pipeline: &Pipeline,
    schemas: &dyn SchemaSource,
    arguments: &ExplainArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let batch = record(config, arguments)?;
    let record = batch.get(0).ok_or_else(|| Failure::bug("the record went missing between reading and deciding it"))?;
    let read = read_or_fail(&record, pipeline, &mut Memory::default(), schemas)?;
    let canary = &config.rules.canary;
    let written = if arguments.json { json(&read, &record, pipeline, canary, out) } else { shown(&read, &record, pipeline, canary, out) };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::unavailable(format!("writing the explanation: {error}"))),
        _ => Ok(()),
    }
}

/// The record, as the only one of a batch.
fn record(config: &Config, arguments: &ExplainArguments) -> Result<Batch, Failure> {
    let target = match &arguments.input {
        ExplainInput::Value(target) => target,
        ExplainInput::At(at) => return fetch(config, at),
    };
    let mut value = Vec::new();
    let name = match target {
        Target::Stream => io::stdin().lock().read_to_end(&mut value).map(|_| "-".to_owned()),
        Target::Path(path) => std::fs::read(path).map(|bytes| {
            value = bytes;
            path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned())
        }),
    };
    let name = name.map_err(|error| {
        let what = if let Target::Path(path) = target { path.display().to_string() } else { "standard input".to_owned() };
        Failure::usage(format!("reading {what}: {error}"))
    })?;
    let now = arguments.now.unwrap_or_else(super::now);
    let at = Position { partition: Partition { topic: name.into(), number: 0 }, offset: 0 };
    let mut batch = Batch::default();
    batch.push(at, now, None, Some(&value), std::iter::empty());
    Ok(batch)
}

#[cfg(feature = "kafka")]
fn fetch(config: &Config, at: &Position) -> Result<Batch, Failure> {
    use crate::kafka::{Fetched, fetch};
    match fetch(&config.kafka, at).map_err(|error| Failure::unavailable(error.to_string()))? {
        Fetched::Record(batch) => Ok(batch),
        Fetched::Nothing(why) => Err(Failure::usage(format!("explaining {at}: {why}"))),
    }
}

#[cfg(not(feature = "kafka"))]
fn fetch(_config: &Config, at: &Position) -> Result<Batch, Failure> {
    Err(Failure::usage(format!("reading {at} needs Kafka, and this leadstream was built without it")))
}

/// Decides every lead, listening.
pub(super) fn decide<'a>(facts: &'a [Facts<'a>], rules: &'a Ruleset) -> (Vec<Decision<'a>>, Vec<Steps>) {
    facts
        .iter()
        .map(|facts| {
            let mut steps = Steps::default();
            (pipeline::decide(facts, rules, &mut steps), steps)
        })
        .unzip()
}

/// What a record was read as.
pub(super) type Reading<'a> = Result<Vec<Facts<'a>>, Rejection>;

fn json(read: &Reading<'_>, record: &Record<'_>, pipeline: &Pipeline, canary: &CanaryConfig, out: &mut dyn Write) -> io::Result<()> {
    let (decisions, mut steps) = read.as_ref().map_or_else(|_| (Vec::new(), Vec::new()), |facts| decide(facts, &pipeline.rules));
    // The lead itself is written as it is published; what was compared must not tell more.
    let redacted = decisions.iter().zip(&mut steps).filter(|(decision, _)| decision.qualified.redacted);
    redacted.for_each(|(_, steps)| steps.redact());
    let canarys = read.iter().flatten().filter(|facts| is_canarys(facts, canary)).map(|facts| facts.index).collect();
    write_json(read.as_ref().err(), record, (&decisions, &steps), canarys, Some(pipeline.setting()), out)
}

/// The object that `--json` prints, on a line of its own; `canarys` are the leads, by their index, that `run` gives to the canary. What
/// would qualify a lead is looked for with the `setting` it was read in, if that is handed over.
pub(super) fn write_json(
    rejection: Option<&Rejection>,
    record: &Record<'_>,
    (decisions, steps): (&[Decision<'_>], &[Steps]),
    canarys: Vec<u32>,
    setting: Option<Setting<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in decisions.iter().flat_map(|decision| &decision.qualified.reasons) {
        if !reasons.contains(reason) {
            reasons.push(reason);
        }
    }
    let leads: Result<Vec<_>, serde_json::Error> = decisions
        .iter()
        .map(|decision| {
            let mut lead = Vec::new();
            pipeline::explained(decision, &mut lead);
            RawValue::from_string(String::from_utf8_lossy(&lead).into_owned())
        })
        .collect();
    let traces = decisions.iter().zip(steps).map(|(decision, steps)| LeadTrace {
        steps,
        threshold: decision.rules.scoring.threshold(decision.class.storefront),
        would_qualify: setting.and_then(|setting| would_qualify(decision, steps, setting)),
    });
    let explanation = Explanation {
        verdict: verdict(decisions),
        reasons,
        rejection: rejection.map(|rejection| RejectionShown {
            stage: rejection.stage.name(),
            code: rejection.code.name(),
            field: &rejection.field,
            detail: &rejection.detail,
        }),
        leads: leads?,
        trace: TraceShown { source: record.at.to_string(), received_at: record.received_at, leads: traces.collect(), canary: canarys },
    };
    serde_json::to_writer(&mut *out, &explanation)?;
    writeln!(out)
}

/// What would qualify the lead; the lead itself is written as it is published, and this must not tell more.
fn would_qualify(decision: &Decision<'_>, steps: &Steps, setting: Setting<'_>) -> Option<Nearest> {
    let mut nearest = nearest(decision, steps, setting)?;
    if decision.qualified.redacted {
        nearest.redact();
    }
    Some(nearest)
}

/// Whether `run` gives the lead to the canary. Here the live ruleset explains it all the same.
fn is_canarys(facts: &Facts<'_>, canary: &CanaryConfig) -> bool {
    canary.path.is_some() && Share::of(canary.percent / 100.0).holds(Split::Canary, facts)
}

/// The leads' common verdict.
fn verdict(decisions: &[Decision<'_>]) -> &'static str {
    let mut verdicts = decisions.iter().map(|decision| decision.qualified.verdict);
    match verdicts.next() {
        None => "REJECTED",
        Some(first) if verdicts.all(|verdict| verdict == first) => first.name(),
        Some(_) => "MIXED",
    }
}

fn shown(read: &Reading<'_>, record: &Record<'_>, pipeline: &Pipeline, canary: &CanaryConfig, out: &mut dyn Write) -> io::Result<()> {
    let size = record.value.map_or(0, <[u8]>::len);
    writeln!(out, "{}  {size} bytes, received {}", record.at, record.received_at)?;
    match read {
        Err(rejection) => tree::rejection(rejection, out),
        Ok(facts) => {
            let (decisions, steps) = decide(facts, &pipeline.rules);
            for (decision, steps) in decisions.iter().zip(&steps) {
                tree::lead(decision, steps, pipeline.setting(), out)?;
                if let Some(path) = canary.path.as_ref().filter(|_| is_canarys(decision.facts, canary)) {
                    let (percent, rules) = (canary.percent, path.display());
                    writeln!(out, "   `run` gives this lead to the canary ({percent} % of all), which decides by {rules}: try --rules")?;
                }
            }
            Ok(())
        }
    }
}

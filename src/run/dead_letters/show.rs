//! `dlq show`: one dead letter, as far as it may be seen: why it is one, its headers and bytes, what would help, and what would become
//! of its record now. Masked, unless somebody asks for the data.

use std::io::{self, Write};

use serde::Serialize;

use super::{Selection, is_there, original, read_all, report::written, settled};
use crate::{
    config::Config,
    dead_letters::{Dialect, Letter, advice, fingerprint, hex, hidden, masked, shape},
    io::{Batch, Bound, SchemaSource},
    kafka::{Fetched, fetch},
    lead::{Outcome, Position, Record, Timestamp, Vocabulary as _},
    pipeline::{self, Memory, Pipeline},
    run::{Failure, reading::read_or_fail},
};

/// What `dlq show` is asked.
#[derive(Clone, Debug)]
pub struct ShowArguments {
    /// The topic of dead letters; none: `topics.dead_letter`.
    pub topic: Option<String>,
    /// Where it is, or where its record stood.
    pub at: Position,
    /// Show what the record says.
    pub with_personal_data: bool,
    /// One JSON object in place of text.
    pub json: bool,
}

#[derive(Serialize)]
struct Shown {
    position: String,
    dialect: &'static str,
    settled: bool,
    origin: Option<String>,
    received_at: Timestamp,
    stage: String,
    code: String,
    field: String,
    detail: String,
    attempts: u32,
    first_failed_at: Option<Timestamp>,
    fingerprint: String,
    shape: String,
    advice: Option<String>,
    now: Now,
    /// Whether keys, headers and bytes are shown as they are.
    with_personal_data: bool,
    key: Option<String>,
    headers: Vec<HeaderShown>,
    value: Option<ValueShown>,
}

#[derive(Serialize)]
struct HeaderShown {
    name: String,
    value: Option<String>,
}

#[derive(Serialize)]
struct ValueShown {
    size: usize,
    hex: String,
    text: String,
}

/// What would become of the record now.
#[derive(Default, Serialize)]
struct Now {
    /// `DECIDED`, `REJECTED` or `UNDECIDABLE`.
    outcome: &'static str,
    /// Verdicts of its leads; of a rejection its code; or why it cannot be decided.
    why: Vec<String>,
    detail: String,
}

/// Shows one.
///
/// # Errors
/// 64 when there is none, 75 when broker or registry do not answer.
pub fn show(
    config: &Config,
    pipeline: &Pipeline,
    schemas: &dyn SchemaSource,
    arguments: &ShowArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if let Some(topic) = &arguments.topic {
        is_there(config, topic)?;
    }
    let batch = find(config, arguments)?;
    let record = batch.get(0).ok_or_else(|| Failure::bug("a dead letter went missing between reading and showing it"))?;
    let letter = Letter::of(&record);
    let is_settled = settled(config)?.contains(&record.at);
    let now = decided_now(config, pipeline, schemas, &record, &letter)?;
    let shown = shown(&record, letter, is_settled, now, arguments.with_personal_data);
    written(if arguments.json {
        serde_json::to_writer(&mut *out, &shown).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        text(&shown, &record, out)
    })
}

fn find(config: &Config, arguments: &ShowArguments) -> Result<Batch, Failure> {
    let at = &arguments.at;
    let selection =
        Selection { topic: arguments.topic.clone(), from: Bound::Earliest, to: Bound::Latest, code: None, at: Some(at.clone()) };
    if *at.partition.topic == *selection.topic(config) || at.partition.topic.ends_with(".parked") {
        return match fetch(&config.kafka, at)? {
            Fetched::Record(batch) => Ok(batch),
            Fetched::Nothing(why) => Err(Failure::usage(format!("showing {at}: {why}"))),
        };
    }
    // Of several attempts the last.
    let mut found = None;
    read_all(config, &selection.spans(config)?, &mut |batch| {
        for record in batch.iter().filter(|record| selection.takes(record, &Letter::of(record))) {
            let mut alone = Batch::default();
            alone.push(record.at.clone(), record.received_at, record.key, record.value, record.headers.iter());
            found = Some(alone);
        }
        Ok(true)
    })?;
    found.ok_or_else(|| {
        let what = format!("showing {at}: {} has no dead letter of that record", selection.topic(config));
        Failure::usage(format!("{what}; a dead letter of another topic is shown with --topic"))
    })
}

fn decided_now(
    config: &Config,
    pipeline: &Pipeline,
    schemas: &dyn SchemaSource,
    record: &Record<'_>,
    letter: &Letter,
) -> Result<Now, Failure> {
    let batch = match original(config, record, letter)? {
        Ok(batch) => batch,
        Err(why) => return Ok(Now { outcome: "UNDECIDABLE", why: vec![why.name().to_owned()], ..Now::default() }),
    };
    let original = batch.get(0).ok_or_else(|| Failure::bug("a record went missing between reading and deciding it"))?;
    let mut memory = Memory::default();
    let facts = read_or_fail(&original, pipeline, &mut memory, schemas)?;
    Ok(match pipeline::outcome(&facts, pipeline, pipeline::Choice::default()) {
        Outcome::Rejected(rejection) => Now { outcome: "REJECTED", why: vec![rejection.code.name().to_owned()], detail: rejection.detail },
        Outcome::Decided(decisions) => {
            let verdicts = decisions.iter().map(|decision| decision.qualified.verdict.name().to_owned()).collect();
            Now { outcome: "DECIDED", why: verdicts, ..Now::default() }
        }
    })
}

fn shown(record: &Record<'_>, letter: Letter, settled: bool, now: Now, personal: bool) -> Shown {
    let text = |bytes: &[u8]| if personal { String::from_utf8_lossy(bytes).into_owned() } else { hidden(bytes) };
    let header = |(name, value): (&str, Option<&[u8]>)| {
        let is_ours = letter.dialect == Dialect::Leadstream && letter.dialect.is_its_own(name);
        let shown = value.map(|value| if is_ours { String::from_utf8_lossy(value).into_owned() } else { text(value) });
        HeaderShown { name: name.to_owned(), value: shown }
    };
    let shape = shape(record.value);
    Shown {
        position: record.at.to_string(),
        dialect: letter.dialect.name(),
        settled,
        origin: letter.origin.as_ref().map(ToString::to_string),
        received_at: letter.received_at,
        headers: record.headers.iter().map(header).collect(),
        stage: letter.stage,
        advice: advice(&letter.code).or_else(|| of_others(&now, record)),
        code: letter.code,
        field: letter.field,
        detail: letter.detail,
        attempts: letter.attempts,
        first_failed_at: letter.first_failed_at,
        fingerprint: fingerprint(&shape),
        shape,
        now,
        with_personal_data: personal,
        key: record.key.map(text),
        value: record.value.map(|value| ValueShown { size: value.len(), hex: digits(value, personal, ""), text: text(value) }),
    }
}

/// What would help with a dead letter of another program, whose codes leadstream has no word for: that follows from what would become
/// of its record now.
fn of_others(now: &Now, record: &Record<'_>) -> Option<String> {
    match (now.outcome, now.why.first().map(String::as_str)) {
        ("DECIDED", _) => {
            let Position { partition, .. } = &record.at;
            let retry = format!("leadstream dlq retry --topic {} --at {} --commit", partition.topic, record.at);
            Some(format!("leadstream reads it as it is: {retry} has it leave as events"))
        }
        ("REJECTED", Some(code)) => advice(code),
        (_, Some("no_value")) => Some("its value is nowhere any more: have the producer send the record again".to_owned()),
        (_, Some("no_origin")) => {
            Some("have its program write where the record stood (Connect: context.headers.enable), or send the record again".to_owned())
        }
        (_, Some("no_dead_letter")) => Some("nothing: it has no headers that tell of a failure, so it is no dead letter".to_owned()),
        _ => None,
    }
}

/// Two digits a byte, each byte behind `between` but the first; two dots for one that is hidden.
fn digits(bytes: &[u8], personal: bool, between: &str) -> String {
    let shown = |byte: &u8| if personal { Some(*byte) } else { masked(*byte) };
    let pairs: Vec<_> = bytes.iter().map(|byte| shown(byte).map_or_else(|| "..".to_owned(), |byte| hex(&[byte]))).collect();
    pairs.join(between)
}

/// Bytes of a value that are shown to people; `--json` has all.
const MOST: usize = 2048;
/// Bytes in a line.
const LINE: usize = 16;

fn text(shown: &Shown, record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}{}", shown.position, shown.dialect, if shown.settled { "  settled" } else { "" })?;
    let origin = shown.origin.as_deref().unwrap_or("unknown");
    writeln!(out, "record    {origin}, received {}", shown.received_at)?;
    let named = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!(", {name} {text}") };
    writeln!(out, "code      {}{}{}", shown.code, named("stage", &shown.stage), named("at", &shown.field))?;
    if !shown.detail.is_empty() {
        writeln!(out, "          {}", shown.detail)?;
    }
    let since = shown.first_failed_at.map(|at| format!(", the first at {at}")).unwrap_or_default();
    writeln!(out, "attempts  {}{since}", shown.attempts)?;
    if let Some(advice) = &shown.advice {
        writeln!(out, "to do     {advice}")?;
    }
    let Now { outcome, why, detail } = &shown.now;
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    writeln!(out, "now       {outcome} {}{detail}", why.join(", "))?;
    writeln!(out, "shape     {}  {}", shown.fingerprint, shown.shape)?;
    writeln!(out, "key       {}", shown.key.as_deref().unwrap_or("none"))?;
    for HeaderShown { name, value } in &shown.headers {
        let value =
            value.as_deref().map_or_else(|| " null".to_owned(), |value| if value.is_empty() { String::new() } else { format!(" {value}") });
        writeln!(out, "header    {name}:{value}")?;
    }
    let Some(value) = record.value else { return writeln!(out, "value     null") };
    writeln!(out, "value     {} bytes", value.len())?;
    for (number, line) in value.get(..MOST.min(value.len())).unwrap_or_default().chunks(LINE).enumerate() {
        let pairs = digits(line, shown.with_personal_data, " ");
        let visible = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '·' };
        let text: String = if shown.with_personal_data { line.iter().map(visible).collect() } else { hidden(line) };
        writeln!(out, "{:08x}  {pairs:<47}  {text}", number * LINE)?;
    }
    if value.len() > MOST {
        writeln!(out, "and {} bytes more; --json has all", value.len() - MOST)?;
    }
    if !shown.with_personal_data {
        writeln!(out, "letters are shown as x, digits as 9; --with-personal-data shows what stands there")?;
    }
    Ok(())
}

//! `dlq ls`: the open dead letters, grouped by what is wrong with them and by the shape of their value. Tells nobody's data.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde::Serialize;

use super::{Selection, read_all, settled};
use crate::{
    config::Config,
    dead_letters::{Dialect, Letter, advice, fingerprint, shape},
    lead::{Record, Timestamp},
    run::Failure,
};

/// What `dlq ls` is asked.
#[derive(Clone, Debug)]
pub struct ListArguments {
    /// Which.
    pub selection: Selection,
    /// One JSON object in place of text.
    pub json: bool,
}

/// More groups are counted together: memory is bounded by their number.
const GROUPS: usize = 500;
/// So many topics of a group are told.
const TOPICS: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Cause {
    code: String,
    stage: String,
    field: String,
    fingerprint: String,
    dialect: &'static str,
}

#[derive(Debug, Serialize)]
struct Group {
    count: u64,
    #[serde(flatten)]
    cause: Cause,
    shape: String,
    first_seen: Timestamp,
    last_seen: Timestamp,
    attempts: u32,
    topics: BTreeSet<String>,
    /// What would help, where leadstream has a word for what is wrong.
    advice: Option<String>,
    example: String,
}

#[derive(Debug, Default, Serialize)]
struct Listing {
    topic: String,
    /// `show` has to be told the topic.
    #[serde(skip)]
    is_other: bool,
    open: u64,
    settled: u64,
    groups: Vec<Group>,
    /// Dead letters of causes that found no room.
    more: u64,
    /// Records that no program's headers make one.
    no_dead_letters: u64,
}

/// Lists them, those of which there are most first.
///
/// # Errors
/// 75 when the broker does not answer; 64 when what is settled cannot be read.
pub fn list(config: &Config, arguments: &ListArguments, out: &mut dyn Write) -> Result<(), Failure> {
    let selection = &arguments.selection;
    selection.check(config)?;
    let spans = selection.spans(config)?;
    let settled = settled(config)?;
    let mut groups = BTreeMap::new();
    let topic = selection.topic(config).to_owned();
    let is_other = topic != config.topics.dead_letter && !topic.ends_with(".parked");
    let mut listing = Listing { topic, is_other, ..Listing::default() };
    read_all(config, &spans, &mut |batch| {
        for record in batch.iter() {
            let letter = Letter::of(&record);
            if letter.dialect == Dialect::Unknown {
                listing.no_dead_letters += 1;
                continue;
            }
            if !selection.takes(&record, &letter) {
                continue;
            }
            if settled.contains(&record.at) {
                listing.settled += 1;
                continue;
            }
            listing.open += 1;
            if !add(&mut groups, &record, letter) {
                listing.more += 1;
            }
        }
        Ok(true)
    })?;
    listing.groups = groups.into_values().collect();
    // Of as many of each, the order of causes stands.
    listing.groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let written = if arguments.json { json(&listing, out) } else { text(&listing, out) };
    super::report::written(written)
}

/// Counts one; `false` when it is of a cause of its own and there is no room for one more.
fn add(groups: &mut BTreeMap<Cause, Group>, record: &Record<'_>, letter: Letter) -> bool {
    let shape = shape(record.value);
    let cause = Cause {
        fingerprint: fingerprint(&shape),
        code: letter.code,
        stage: letter.stage,
        field: without_numbers(&letter.field),
        dialect: letter.dialect.name(),
    };
    if !groups.contains_key(&cause) && groups.len() == GROUPS {
        return false;
    }
    let seen = letter.received_at;
    let group = groups.entry(cause.clone()).or_insert_with(|| Group {
        count: 0,
        advice: advice(&cause.code),
        cause,
        shape,
        first_seen: seen,
        last_seen: seen,
        attempts: 0,
        topics: BTreeSet::new(),
        example: record.at.to_string(),
    });
    group.count += 1;
    (group.first_seen, group.last_seen) = (group.first_seen.min(seen), group.last_seen.max(seen));
    group.attempts = group.attempts.max(letter.attempts);
    if let Some(origin) = letter.origin.filter(|_| group.topics.len() < TOPICS) {
        group.topics.insert(origin.partition.topic.to_string());
    }
    true
}

/// `[17].data` → `[n].data`: which element it was makes no cause of its own.
fn without_numbers(field: &str) -> String {
    let mut text = String::new();
    for char in field.chars() {
        match char {
            '0'..='9' if text.ends_with('n') => {}
            '0'..='9' if text.ends_with('[') => text.push('n'),
            other => text.push(other),
        }
    }
    text
}

fn json(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, listing)?;
    writeln!(out)
}

/// A shape this long fills a line.
const LINE: usize = 110;

fn text(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let Listing { topic, is_other, open, settled, groups, more, no_dead_letters } = listing;
    let named = if *is_other { format!(" --topic {topic}") } else { String::new() };
    writeln!(out, "{topic}: {open} open dead letters, {settled} settled")?;
    for group in groups {
        let Cause { code, stage, field, fingerprint, .. } = &group.cause;
        let place = if field.is_empty() { String::new() } else { format!(" at {field}") };
        let stage = if stage.is_empty() { String::new() } else { format!(" ({stage}{place})") };
        writeln!(out, "\n{:>8}  {code}{stage}  {fingerprint}", group.count)?;
        let cut: String = group.shape.chars().take(LINE).collect();
        let dots = if cut.len() < group.shape.len() { "…" } else { "" };
        writeln!(out, "          shape    {cut}{dots}")?;
        writeln!(out, "          received {} to {}", group.first_seen, group.last_seen)?;
        if group.attempts > 1 {
            writeln!(out, "          attempts {}", group.attempts)?;
        }
        let topics: Vec<_> = group.topics.iter().map(String::as_str).collect();
        writeln!(out, "          from     {}", if topics.is_empty() { "unknown".to_owned() } else { topics.join(", ") })?;
        if let Some(advice) = &group.advice {
            writeln!(out, "          to do    {advice}")?;
        }
        writeln!(out, "          example  leadstream dlq show {}{named}", group.example)?;
    }
    if *more > 0 {
        writeln!(out, "\nand {more} more, of other causes; --code, --from and --to show less at once")?;
    }
    if *no_dead_letters > 0 {
        writeln!(out, "\n{no_dead_letters} records of the topic are no dead letters: they have no headers that tell of a failure")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_element_it_was_makes_no_cause_of_its_own() {
        assert_eq!(without_numbers("[17].data.value[0]"), "[n].data.value[n]");
        assert_eq!(without_numbers("CustomerInfo"), "CustomerInfo");
        assert_eq!(without_numbers("line2"), "line2");
    }
}

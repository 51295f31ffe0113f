//! What `verify` looks at of each input partition, by the group's offsets, by what the topics hold, and, where these are gone, by what
//! the ledger tells of; and what of that nothing can prove.

use std::collections::BTreeMap;

use super::{BATCH, there};
use crate::{
    config::Config,
    io::Bound,
    kafka::{NotedOffset, Span, noted_offsets, read_range, spans, written_ends},
    lead::Partition,
    ledger::{Head, LedgerEntry, audit::Stretch},
    run::{Failure, VerifyArguments},
};

/// What is looked at.
pub(super) struct Ground {
    pub(super) stretches: Vec<Stretch>,
    /// What is wrong with it.
    pub(super) wrong: Vec<String>,
    /// What could not be proven.
    pub(super) notes: Vec<String>,
}

/// The group's offsets. By the ledger alone those are asked for that there may be: Kafka drops a topic's offsets with the topic.
pub(super) fn committed(config: &Config, arguments: &VerifyArguments) -> Result<Vec<NotedOffset>, Failure> {
    let topics = if arguments.against_ledger { there(config, &config.topics.raw)? } else { config.topics.raw.clone() };
    Ok(if topics.is_empty() { Vec::new() } else { noted_offsets(&config.kafka, &topics)? })
}

pub(super) fn survey(
    config: &Config,
    arguments: &VerifyArguments,
    committed: &[NotedOffset],
    ledger: &[String],
) -> Result<Ground, Failure> {
    if arguments.against_ledger { by_ledger(config, arguments, committed, ledger) } else { by_records(config, arguments, committed) }
}

fn of_offset(NotedOffset { partition, offset, note }: &NotedOffset) -> Stretch {
    let head = Some((*offset, Head::of(note)));
    Stretch { partition: partition.clone(), from: 0, to: *offset, earliest: 0, end: None, head }
}

/// Of the range, what the group has decided.
fn by_records(config: &Config, arguments: &VerifyArguments, committed: &[NotedOffset]) -> Result<Ground, Failure> {
    let ends = written_ends(&config.kafka, &config.topics.raw)?;
    let end_of = |partition: &Partition| ends.iter().find(|(known, _)| known == partition).map(|(_, end)| *end);
    let mut wrong = Vec::new();
    for NotedOffset { partition, offset, .. } in committed {
        let end = end_of(partition).unwrap_or(0);
        if *offset > end {
            wrong.push(format!("{partition}: the group stands at {offset}, and the topic ends at {end}: it was made anew, or cut short"));
        }
    }
    let spans = spans(&config.kafka, &config.topics.raw, arguments.from, arguments.to)?;
    let within = committed.iter().map(of_offset).filter_map(|stretch| {
        let span = spans.iter().find(|span| span.partition == stretch.partition)?;
        let (to, end) = (stretch.to.min(span.to), end_of(&stretch.partition));
        Some(Stretch { from: span.from.min(to), to, earliest: span.held.start, end, ..stretch })
    });
    // Of the others nothing is decided, unless the group's offset was lost: the ledger may tell.
    let others = spans.iter().filter(|span| !committed.iter().any(|offset| offset.partition == span.partition));
    let nothing = |Span { partition, .. }: &Span| {
        let (partition, end) = (partition.clone(), end_of(partition));
        Stretch { partition, from: 0, to: 0, earliest: 0, end, head: None }
    };
    Ok(Ground { stretches: within.chain(others.map(nothing)).collect(), wrong, notes: Vec::new() })
}

/// What the group has decided by its offsets, and where these are gone, by the ledger.
fn by_ledger(config: &Config, arguments: &VerifyArguments, committed: &[NotedOffset], ledger: &[String]) -> Result<Ground, Failure> {
    let mut reaches: BTreeMap<Partition, i64> = BTreeMap::new();
    read_range(&config.kafka, &spans(&config.kafka, ledger, Bound::Earliest, arguments.to)?, BATCH, &mut |batch| {
        for record in batch.iter() {
            // What is no entry is told when all are looked at.
            let Ok(entry) = LedgerEntry::read(record.value.unwrap_or_default()) else { continue };
            let is_ours = entry.group == config.kafka.group && config.topics.raw.contains(&entry.topic) && entry.nonsense().is_none();
            if is_ours {
                let end = reaches.entry(Partition { topic: entry.topic.into(), number: entry.partition }).or_default();
                *end = entry.to.max(*end);
            }
        }
        true
    })?;
    reaches.retain(|partition, _| !committed.iter().any(|offset| offset.partition == *partition));
    let notes = reaches.iter().map(|(partition, end)| {
        format!(
            "{partition}: the group has no offset there, since the topic was deleted or Kafka has forgotten it; that the ledger reached no \
             further than {end} is not proven"
        )
    });
    let notes = notes.collect();
    if committed.is_empty() && reaches.is_empty() {
        let group = &config.kafka.group;
        return Err(Failure::usage(format!("--against-ledger: neither offsets nor an entry of the group {group} can be found")));
    }
    let lost = reaches.into_iter().map(|(partition, to)| Stretch { partition, from: 0, to, earliest: 0, end: None, head: None });
    Ok(Ground { stretches: committed.iter().map(of_offset).chain(lost).collect(), wrong: Vec::new(), notes })
}

/// Whether the configuration leaves it to murmur2 of the key where an output goes.
pub(super) fn is_placed_by_key(config: &Config) -> bool {
    let kafka = &config.kafka;
    let chosen = kafka.producer.get("partitioner").or_else(|| kafka.client.get("partitioner"));
    chosen.is_none_or(|name| name.expose().starts_with("murmur2"))
}

//! The entries of one input partition among themselves: each follows the one before, in its offsets and in its chain.

use std::collections::HashSet;

use super::{
    Stretch,
    report::Report,
    told::{EntryState, Link, Told, link},
};

/// Looks at all entries, in the order of their offsets; tells what is wrong with those that reach into the stretch. Where the group's
/// offset was set back, entries of then and of later tell of the same offsets, each in a chain of its own.
pub(super) fn judge(entries: &[EntryState], stretch: &Stretch, report: &mut Report) {
    let Stretch { partition, from, to, .. } = stretch;
    let gap = |from: i64, to: i64, why: &str| format!("{partition}: no entry covers {}{why}", offsets(from, to));
    let chains: HashSet<(i64, Link)> = entries.iter().map(|EntryState { told, .. }| (told.to, told.chain)).collect();
    let mut before: Option<&Told> = None;
    // Up to where entries reach, those before the one before among them.
    let mut reached = 0;
    for EntryState { told: entry, .. } in entries {
        let is_meant = entry.to > *from && entry.from < *to;
        let here = offsets(entry.from, entry.to);
        if is_meant && !entry.is_its_own {
            report.ledger.push(format!("{partition}: the entry of {here} was changed: its chain is not its own"));
        }
        match before {
            None if entry.from > *from && is_meant => {
                if entry.previous.is_none() {
                    let line = format!("{partition}: the ledger begins at {}; records before are held against the topics only", entry.from);
                    report.notes.push(line);
                } else {
                    report.ledger.push(gap(*from, entry.from, ": entries before the first are gone"));
                }
            }
            Some(before) if is_meant && before == entry => report.ledger.push(format!("{partition}: the entry of {here} is there twice")),
            Some(_) if is_meant => {
                if entry.from > reached {
                    report.ledger.push(gap(reached.max(*from), entry.from, ""));
                } else if entry.from < reached {
                    report.ledger.push(format!("{partition}: {} stand in two entries", offsets(entry.from, reached.min(entry.to))));
                }
                match entry.previous {
                    None => {
                        let why = "the group's offset was set, or lost its note";
                        report.notes.push(format!("{partition}: the chain of the ledger begins anew at {}: {why}", entry.from));
                    }
                    Some(previous) if !chains.contains(&(entry.from, previous)) => {
                        report.ledger.push(format!("{partition}: the entry of {here} does not follow the one before it"));
                    }
                    Some(_) => {}
                }
            }
            None | Some(_) => {}
        }
        before = Some(entry);
        reached = reached.max(entry.to);
    }
    if before.is_none() {
        let has_chain = stretch.head.as_ref().is_some_and(|(_, head)| !head.chain().is_empty());
        if has_chain && from < to {
            report.ledger.push(gap(*from, *to, ": there is none at all, and the group's offset carries the chain of one"));
        } else if from < to {
            report.notes.push(format!("{partition}: the ledger has not begun; its records are held against the topics only"));
        }
    } else if reached < *to {
        report.ledger.push(gap(reached.max(*from), *to, ": the group stands behind them"));
    }
}

/// The last entry against the head that stands beside the group's offset. Where several reach to that offset, since it was set back,
/// the last of them may be any.
pub(super) fn judge_head(entries: &[EntryState], stretch: &Stretch, report: &mut Report) {
    let Some((committed, head)) = stretch.head.as_ref().filter(|(_, head)| !head.chain().is_empty()) else { return };
    let mut last = entries.iter().map(|state| &state.told).filter(|entry| entry.to == *committed).peekable();
    let Some(first) = last.peek() else { return };
    let here = offsets(first.from, first.to);
    if !last.any(|entry| link(head.chain()) == entry.chain) {
        report.ledger.push(format!(
            "{}: the last entry, of {here}, is not the one whose chain stands beside the group's offset {committed}",
            stretch.partition,
        ));
    }
}

/// Offsets from `from` up to and without `to`, for a person.
pub(super) fn offsets(from: i64, to: i64) -> String {
    if from >= to {
        "no offsets".to_owned()
    } else if to - from == 1 {
        format!("offset {from}")
    } else {
        format!("offsets {from} to {}", to - 1)
    }
}

//! The entries of one input partition among themselves: each follows the one before, in its offsets and in its chain.

use super::{
    Stretch,
    report::Report,
    told::{EntryState, Told, link},
};

/// Looks at all entries, in the order of their offsets; tells what is wrong with those that reach into the stretch.
pub(super) fn judge(entries: &[EntryState], stretch: &Stretch, report: &mut Report) {
    let Stretch { partition, from, to, .. } = stretch;
    let gap = |from: i64, to: i64, why: &str| format!("{partition}: no entry covers {}{why}", offsets(from, to));
    let mut before: Option<&Told> = None;
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
            Some(before) if is_meant => follows(before, entry, stretch, report),
            None | Some(_) => {}
        }
        before = Some(entry);
    }
    let Some(last) = before else {
        let has_chain = stretch.head.as_ref().is_some_and(|(_, head)| !head.chain().is_empty());
        if has_chain && from < to {
            report.ledger.push(gap(*from, *to, ": there is none at all, and the group's offset carries the chain of one"));
        } else if from < to {
            report.notes.push(format!("{partition}: the ledger has not begun; its records are held against the topics only"));
        }
        return;
    };
    if last.to < *to {
        report.ledger.push(gap(last.to.max(*from), *to, ": the group stands behind them"));
    }
}

/// The last entry against the head that stands beside the group's offset.
pub(super) fn judge_head(entries: &[EntryState], stretch: &Stretch, report: &mut Report) {
    let Some((committed, head)) = &stretch.head else { return };
    let Some(last) = entries.iter().map(|state| &state.told).rfind(|entry| entry.to <= *committed) else { return };
    if last.to == *committed && !head.chain().is_empty() && link(head.chain()) != last.chain {
        report.ledger.push(format!(
            "{}: the last entry, of {}, is not the one whose chain stands beside the group's offset {committed}",
            stretch.partition,
            offsets(last.from, last.to)
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

/// Whether an entry follows the one before it.
fn follows(before: &Told, entry: &Told, stretch: &Stretch, report: &mut Report) {
    let Stretch { partition, from, .. } = stretch;
    if entry.from > before.to {
        report.ledger.push(format!("{partition}: no entry covers {}", offsets(before.to.max(*from), entry.from)));
    } else if entry.from < before.to {
        report.ledger.push(format!("{partition}: {} stand in two entries", offsets(entry.from, before.to.min(entry.to))));
    }
    if entry.previous.is_none() {
        let why = "the group's offset was set, or lost its note";
        report.notes.push(format!("{partition}: the chain of the ledger begins anew at {}: {why}", entry.from));
    } else if entry.previous != Some(before.chain) {
        report.ledger.push(format!("{partition}: the entry of {} does not follow the one before it", offsets(entry.from, entry.to)));
    }
}

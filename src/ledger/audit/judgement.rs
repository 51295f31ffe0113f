//! The end of an audit: what was found of each entry and each record, against what should be there.

use super::{Account, Audit, again, chain::offsets, report::Report, told::EntryState};

/// Outputs by kind: as the entry tells, and as they were found.
fn counts(state: &EntryState) -> impl Iterator<Item = (&'static str, i64, i64)> {
    let kinds = ["qualified", "unqualified", "routed", "dead-letter"];
    kinds.into_iter().zip(state.told.outputs.iter().zip(&state.outputs)).map(|(kind, (told, found))| (kind, *told, *found))
}

/// Tells the rest.
pub(super) fn judge(audit: Audit) -> Report {
    let Audit { accounts, with_records, mut report, mut wrong, again, .. } = audit;
    let mut unproven = 0_u64;
    // Records of which it is not known which they are.
    let mut unknown = 0;
    for (place, account) in accounts.iter().enumerate() {
        let by_record = if with_records { records(account, &mut report) } else { Vec::new() };
        wrong.extend(by_record.iter().map(|offset| (place, *offset)));
        for state in &account.entries {
            report.entries += 1;
            let first = by_record.partition_point(|offset| *offset < state.told.from);
            let by_record = by_record.get(first).is_some_and(|offset| *offset < state.told.to);
            let found = entry(account, state, with_records, by_record, &mut report);
            unproven += u64::from(!state.overlaps && !state.named && state.told.outputs != state.outputs);
            let differ = again::within(&again, place, state.told.from..state.told.to);
            if differ > 0 && !state.overlaps && !state.named && !state.agrees() {
                let here = format!("{}: {}", account.stretch.partition, offsets(state.told.from, state.told.to));
                report
                    .changed
                    .push(format!("{here}: replays wrote {differ} outputs that were lost, and together they are not what was written"));
            }
            let span = (place, state.told.from)..(place, state.told.to);
            if found > 0 && wrong.range(span).next().is_none() {
                unknown += u64::try_from(found.min(state.told.records)).unwrap_or_default();
            }
            if !with_records {
                report.records += u64::try_from(state.told.records).unwrap_or_default();
                report.leads += u64::try_from(state.told.leads).unwrap_or_default();
            }
        }
    }
    if unproven > 0 {
        let todo = "verify with the rules, tables and settings of then tells";
        report
            .notes
            .push(format!("in {unproven} entries, where counts differ, nobody can tell whether the rest is as it was written; {todo}"));
    }
    if report.replayed_otherwise > 0 {
        let count = report.replayed_otherwise;
        report.notes.push(format!("{count} events of replays differ from what was written first, as under other rules or settings"));
    }
    report.accounted = report.records.saturating_sub(wrong.len() as u64 + unknown);
    report
}

/// Every record's outcome; the offsets of those that have it not.
fn records(account: &Account, report: &mut Report) -> Vec<i64> {
    let partition = &account.stretch.partition;
    let named = |offset: i64| {
        let place = account.entries.partition_point(|state| state.told.to <= offset);
        account.entries.get(place).is_some_and(|state| state.named && state.told.from <= offset)
    };
    let mut wrong = Vec::new();
    for record in &account.records {
        report.records += 1;
        report.leads += u64::from(record.leads.unwrap_or(0));
        let (offset, verdicts, dead_letters) = (record.offset, record.verdicts, record.dead_letters);
        let told = match (record.leads, verdicts, dead_letters) {
            // What the limits or schemas of today make of it may be another thing than what those of then made.
            (_, 0, 1) | (None, 1.., 0) => continue,
            (Some(leads), verdicts, 0) if verdicts == leads => continue,
            (_, 0, 0) => Err(format!("{partition}/{offset}")),
            (Some(leads), verdicts, 0) if verdicts < leads => Err(format!("{partition}/{offset}: {} of {leads} leads", leads - verdicts)),
            (Some(leads), verdicts, 0) => Ok(format!("{partition}/{offset}: {verdicts} verdicts for {leads} leads")),
            (_, _, 1) => Ok(format!("{partition}/{offset}: verdicts and a dead letter")),
            (_, _, many) => Ok(format!("{partition}/{offset}: {many} dead letters")),
        };
        wrong.push(offset);
        match told {
            Err(missing) if !named(offset) => report.missing.push(missing),
            Err(_) => {}
            Ok(unexpected) => report.unexpected.push(unexpected),
        }
    }
    wrong
}

/// What of an entry was not found, or found beside it; how many. What is told `by_record`, or by the name of each event, is not told
/// again.
fn entry(account: &Account, state: &EntryState, with_records: bool, by_record: bool, report: &mut Report) -> i64 {
    let EntryState { told: entry, named, .. } = state;
    let here = format!("{}: {}", account.stretch.partition, offsets(entry.from, entry.to));
    if with_records {
        let inside = |offset: i64| account.records.partition_point(|record| record.offset < offset);
        let records = i64::try_from(inside(entry.to) - inside(entry.from)).unwrap_or(i64::MAX);
        if records != entry.records {
            report.ledger.push(format!("{here}: the entry tells of {} records, and there are {records}", entry.records));
        }
    }
    if state.overlaps || state.agrees() {
        return 0;
    }
    let mut wrong = 0;
    for (kind, told, found) in counts(state) {
        let is_told = by_record && kind != "routed" || found < told && *named;
        wrong += (told - found).abs();
        if found < told && !is_told {
            report.missing.push(format!("{here}: {} of {told} {kind}", told - found));
        } else if found > told && !is_told {
            report.unexpected.push(format!("{here}: {found} {kind}, and the ledger tells of {told}"));
        }
    }
    if wrong == 0 && !named {
        report.changed.push(format!("{here}: not all is as it was written"));
        wrong = 1;
    }
    wrong
}

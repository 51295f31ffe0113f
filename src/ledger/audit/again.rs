//! What replays and retries of dead letters wrote again: put in the place of what was lost where it is the same, else told. Of what is
//! there as it was written first, nothing is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Account, Audit, Seen, contents, hash, origin::Origin, report::Report, told::EntryState};
use crate::{
    ledger::EventsDigest,
    pipeline::{Output, OutputTopic},
};

/// Under this name `dlq retry` writes; no replay may have it as its id.
pub(super) const RETRY: &[u8] = b"dlq-retry";

/// One output that was written again.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// Place of its input partition, and the offset of its record there.
    place: usize,
    offset: i64,
    index: u32,
    topic: OutputTopic,
    /// Hash of its id.
    id: u64,
    digest: EventsDigest,
    contents: u64,
    /// Hash of the id of the replay.
    replay: u64,
    /// Of a dead letter, its code.
    code: Option<Box<str>>,
    /// It came of a dead letter that was decided again.
    is_retried: bool,
}

impl Again {
    pub(super) fn of(place: usize, origin: &Origin<'_>, output: &Output<'_>, replay: &[u8]) -> Self {
        let mut digest = EventsDigest::default();
        digest.add(output);
        let code = || output.headers.last("dlq-code").map(|code| String::from_utf8_lossy(code).into());
        Self {
            place,
            offset: origin.offset,
            index: origin.event.as_ref().map_or(0, |(index, _)| *index),
            topic: output.topic,
            id: hash(origin.id().as_bytes()),
            digest,
            contents: contents(output),
            code: if output.topic == OutputTopic::DeadLetter { code() } else { None },
            is_retried: replay == RETRY,
            replay: hash(replay),
        }
    }

    /// Puts it in the place of what the entry tells of.
    fn enter(&self, state: &mut EntryState) {
        if let Some(count) = state.outputs.get_mut(self.topic as usize) {
            *count += 1;
        }
        state.digest.join(self.digest);
        if self.topic == OutputTopic::DeadLetter {
            *state.dead_letters.entry(self.code.as_deref().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
}

/// What is told of them when everything is read.
pub(super) fn judge(audit: &mut Audit) {
    let mut again = std::mem::take(&mut audit.again);
    again.sort_by_key(|output| (output.place, output.offset, output.id, output.contents));
    let Audit { accounts, seen, report, with_records, wrong, .. } = audit;
    again.retain(|output| {
        let Some(account) = accounts.get_mut(output.place) else { return false };
        if output.is_retried {
            if was_no_dead_letter(account, output, *with_records) {
                let at = format!("{}/{}", account.stretch.partition, output.offset);
                report.unexpected.push(format!("{at}: a retry of a dead letter wrote for it, and it was none"));
                wrong.insert((output.place, output.offset));
            }
            return false;
        }
        match seen.get(&output.id) {
            Some(found) if *found == output.contents => false,
            Some(_) => {
                report.replayed_otherwise += 1;
                false
            }
            None => true,
        }
    });
    for (place, account) in accounts.iter_mut().enumerate() {
        let from = again.partition_point(|output| output.place < place);
        let of_account = again.get(from..).unwrap_or_default();
        let of_account = of_account.get(..of_account.partition_point(|output| output.place == place)).unwrap_or_default();
        let mut whole = Vec::new();
        for state in account.entries.iter_mut().filter(|state| !state.overlaps && !state.agrees()) {
            let from = of_account.partition_point(|output| output.offset < state.told.from);
            let to = of_account.partition_point(|output| output.offset < state.told.to);
            if let Some(restored) = restored(state, of_account.get(from..to).unwrap_or_default()) {
                whole.extend(restored);
            }
        }
        put_back(account, &whole, seen, report);
    }
    again.retain(|output| !seen.contains_key(&output.id));
    if *with_records {
        beside_the_ledger(accounts, seen, &again, report);
    }
    audit.again = again;
}

/// What makes the entry whole, if anything does. Each replay decides by rules of its own, so one after the other is tried; then, where
/// several had a part of it, of each output the first and the last that was written.
fn restored(state: &mut EntryState, again: &[Again]) -> Option<Vec<Again>> {
    let by_id = |is_meant: &dyn Fn(&Again) -> bool, is_last: bool| {
        let mut by_id: BTreeMap<u64, &Again> = BTreeMap::new();
        for output in again.iter().filter(|output| is_meant(output)) {
            let known = by_id.entry(output.id).or_insert(output);
            *known = if is_last { output } else { *known };
        }
        by_id.into_values().cloned().collect::<Vec<_>>()
    };
    let replays: BTreeSet<u64> = again.iter().map(|output| output.replay).collect();
    let of_each = replays.into_iter().map(|replay| by_id(&move |output: &Again| output.replay == replay, true));
    of_each.chain([false, true].map(|is_last| by_id(&|_| true, is_last))).find(|chosen: &Vec<Again>| {
        let (outputs, dead_letters, digest) = (state.outputs, state.dead_letters.clone(), state.digest);
        for output in chosen {
            output.enter(state);
        }
        let agrees = state.agrees();
        (state.outputs, state.dead_letters, state.digest) = (outputs, dead_letters, digest);
        agrees
    })
}

/// Puts outputs in the place of what was lost: in their entries, and with their records.
pub(super) fn put_back(account: &mut Account, restored: &[Again], seen: &mut Seen, report: &mut Report) {
    report.restored += restored.len() as u64;
    for output in restored {
        seen.insert(output.id, output.contents);
        if let Some(state) = account.entry_of(output.offset) {
            output.enter(state);
        }
        let Some(record) = account.record_at(output.offset) else { continue };
        match output.topic {
            OutputTopic::DeadLetter => record.dead_letters += 1,
            OutputTopic::Qualified | OutputTopic::Unqualified => record.verdicts += 1,
            OutputTopic::Routing | OutputTopic::Ledger => {}
        }
    }
}

/// Where no entry tells what was written, a lead has its verdict if a replay gave it one.
fn beside_the_ledger(accounts: &mut [Account], seen: &mut Seen, again: &[Again], report: &mut Report) {
    for output in again {
        let Some(account) = accounts.get_mut(output.place) else { continue };
        let partition = account.stretch.partition.clone();
        if account.entry_of(output.offset).is_some() {
            continue;
        }
        let Some(record) = account.record_at(output.offset) else { continue };
        let verdict = |kind: &str| hash(format!("{partition}/{}/{}/{kind}", output.offset, output.index).as_bytes());
        let lacks = match output.topic {
            OutputTopic::DeadLetter => record.verdicts + record.dead_letters == 0,
            OutputTopic::Qualified | OutputTopic::Unqualified => {
                record.dead_letters == 0 && ["qualified", "unqualified"].iter().all(|kind| !seen.contains_key(&verdict(kind)))
            }
            // Which of them there were nobody can tell.
            OutputTopic::Routing | OutputTopic::Ledger => false,
        };
        if lacks {
            put_back(account, std::slice::from_ref(output), seen, report);
        }
    }
}

fn was_no_dead_letter(account: &mut Account, output: &Again, with_records: bool) -> bool {
    let entry = account.entry_of(output.offset).filter(|state| !state.overlaps);
    if entry.is_some_and(|state| state.told.dead_letters.is_empty()) {
        return true;
    }
    with_records && account.record_at(output.offset).is_some_and(|record| record.verdicts > 0 && record.dead_letters == 0)
}

/// What replays wrote of an output.
pub(super) enum Found {
    Nothing,
    /// The same again.
    Same(Again),
    /// Only something else.
    Other,
}

/// Looks among what replays wrote for this output.
pub(super) fn found(again: &[Again], place: usize, offset: i64, output: &Output<'_>, id: &str) -> Found {
    let (id, contents) = (hash(id.as_bytes()), contents(output));
    let from = again.partition_point(|output| (output.place, output.offset, output.id) < (place, offset, id));
    let of_id = again.get(from..).unwrap_or_default().iter();
    let mut of_id = of_id.take_while(|output| (output.place, output.offset, output.id) == (place, offset, id)).peekable();
    if of_id.peek().is_none() {
        return Found::Nothing;
    }
    of_id.find(|output| output.contents == contents).map_or(Found::Other, |same| Found::Same(same.clone()))
}

/// How many outputs were written again there, and are not known otherwise.
pub(super) fn within(again: &[Again], place: usize, offsets: std::ops::Range<i64>) -> usize {
    let before = |offset: i64| again.partition_point(|output| (output.place, output.offset) < (place, offset));
    before(offsets.end) - before(offsets.start)
}

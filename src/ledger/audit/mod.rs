//! The audit: what a range of raw records led to, as the ledger tells it and as the topics hold it, held against each other. It is
//! fed entries, then records, then outputs, in the order of their partitions, and keeps some twenty bytes of each record and
//! output; who reads them is not known here.

mod account;
mod again;
mod chain;
mod judgement;
mod origin;
mod placement;
mod report;
mod retried;
mod told;

pub use origin::as_output;
pub use report::{Found, Report};

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

use rustc_hash::FxBuildHasher;
use twox_hash::XxHash3_64;

use super::{EventsDigest, Head, LedgerEntry, Settled, written_again};
use crate::{
    lead::{Partition, Position, Timestamp},
    pipeline::{Output, OutputBuffer, OutputTopic},
};
use account::{Account, RecordState};
use again::Again;
use origin::{Origin, origin};
use placement::{Placed, Placement};
use retried::Retries;
use told::EntryState;

/// What is looked at of one input partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where.
    pub partition: Partition,
    /// The first offset.
    pub from: i64,
    /// The offset after the last: what is not decided yet is not looked at.
    pub to: i64,
    /// The first offset that may be looked at, where entries begin before `from`.
    pub earliest: i64,
    /// Where the input partition ends, decided or not; `None`: it is gone, or nobody looked.
    pub end: Option<i64>,
    /// Where the group stands, and what is noted there.
    pub head: Option<(i64, Head)>,
}

/// Of events behind where the group stands so many are kept by name, the last.
const BEYOND: usize = 1_000;

/// Every output found, by the hash of its id, with the hash of its contents.
type Seen = HashMap<u64, u64, FxBuildHasher>;

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    group: String,
    /// In the order of their partitions.
    accounts: Vec<Account>,
    /// Whether raw records are looked at, or the ledger is taken at its word.
    with_records: bool,
    seen: Seen,
    /// Outputs that were written again, and are not there as they were written first.
    again: Vec<Again>,
    /// Hashes of what replays wrote: the id of each event with that of the replay.
    replayed: HashSet<u64, FxBuildHasher>,
    retries: Retries,
    /// Where outputs stand, by `OutputTopic as usize`, where keys tell.
    placements: [Option<Placement>; OutputTopic::COUNT],
    /// Place of the last record in each partition of each output topic, an input partition each.
    last: HashMap<(OutputTopic, i32, usize), (i64, u32), FxBuildHasher>,
    report: Report,
    /// Input partitions that the ledger knows, and nobody else.
    strangers: BTreeSet<String>,
    /// Records that have not their outcome.
    wrong: BTreeSet<(usize, i64)>,
}

impl Audit {
    /// Of what the group has decided in these stretches, one an input partition; `with_records`: raw records will be fed too.
    #[must_use]
    pub fn new(group: &str, mut stretches: Vec<Stretch>, with_records: bool) -> Self {
        stretches.sort_by(|one, other| one.partition.cmp(&other.partition));
        Self {
            group: group.to_owned(),
            accounts: stretches.into_iter().map(Account::of).collect(),
            with_records,
            seen: Seen::default(),
            again: Vec::new(),
            replayed: HashSet::default(),
            retries: Retries::default(),
            placements: [const { None }; OutputTopic::COUNT],
            last: HashMap::default(),
            report: Report::default(),
            strangers: BTreeSet::new(),
            wrong: BTreeSet::new(),
        }
    }

    fn place_of(&self, topic: &str, number: i32) -> Option<usize> {
        let of = |account: &Account| (*account.stretch.partition.topic).cmp(topic).then(account.stretch.partition.number.cmp(&number));
        self.accounts.binary_search_by(of).ok()
    }

    /// Takes a record of the ledger's topic; those of other groups and input partitions are passed over. Tells whether it reaches into the range.
    pub fn entry(&mut self, at: &Position, value: Option<&[u8]>) -> bool {
        let entry = match LedgerEntry::read(value.unwrap_or_default()) {
            Ok(entry) => entry,
            Err(why) => {
                self.report.ledger.push(format!("{at}: {why}"));
                return false;
            }
        };
        if entry.group != self.group {
            return false;
        }
        if let Some(nonsense) = entry.nonsense() {
            self.report.ledger.push(format!("{at}: the entry of {}: {nonsense}", entry.key()));
            return false;
        }
        let place = self.place_of(&entry.topic, entry.partition);
        let Some(account) = place.and_then(|place| self.accounts.get_mut(place)) else {
            if self.accounts.iter().any(|account| *account.stretch.partition.topic == *entry.topic) {
                self.strangers.insert(entry.key());
            }
            return false;
        };
        account.reaches = account.reaches.max(entry.to);
        // Of what lies outside nothing is kept: a busy ledger is long.
        let is_meant = entry.to > account.stretch.from && entry.from < account.stretch.to;
        if is_meant {
            account.entries.push(EntryState::of(entry));
        }
        is_meant
    }

    /// The range is what the entries cover that were fed, at its beginning, its end, or both.
    pub fn narrow(&mut self, beginning: bool, end: bool) {
        for Account { stretch, entries, .. } in &mut self.accounts {
            let first = entries.iter().map(|state| state.told.from).min().unwrap_or(stretch.to);
            let last = entries.iter().map(|state| state.told.to).max().unwrap_or(stretch.from);
            stretch.from = if beginning { stretch.from.max(first) } else { stretch.from };
            stretch.to = if end { stretch.to.min(last).max(stretch.from) } else { stretch.to };
        }
    }

    /// All entries are there: looks at them, and widens each stretch so that it cuts through no entry.
    pub fn entries_are_read(&mut self) {
        for account in &mut self.accounts {
            let Account { stretch, entries, .. } = account;
            // A topic that got more partitions has the entries of one input partition in two of them.
            entries.sort_by_key(|state| (state.told.from, state.told.to));
            chain::judge(entries, stretch, &mut self.report);
            chain::judge_head(entries, stretch, &mut self.report);
            entries.dedup_by(|later, earlier| later.told == earlier.told);
            // What was decided twice belongs to two entries: nobody can tell which output is whose.
            let mut longest = 0;
            for at in 1..entries.len() {
                if entries[at].told.from < entries[longest].told.to {
                    (entries[at].overlaps, entries[longest].overlaps) = (true, true);
                }
                longest = if entries[at].told.to > entries[longest].told.to { at } else { longest };
            }
            for EntryState { told, .. } in &*entries {
                if told.from < stretch.from && told.to > stretch.from && told.from >= stretch.earliest {
                    stretch.from = told.from;
                }
                if told.from < stretch.to && told.to > stretch.to {
                    stretch.to = told.to;
                }
            }
            entries.retain(|state| state.told.from >= stretch.from && state.told.to <= stretch.to);
        }
    }

    /// Whether the ledger reaches beyond where the group stands anywhere.
    #[must_use]
    pub fn is_ahead(&self, offset_of: impl Fn(&Partition) -> Option<i64>) -> bool {
        // Where only the ledger is looked at, an offset may be gone for good.
        let gone = if self.with_records { 0 } else { i64::MAX };
        self.accounts.iter().any(|account| account.reaches > offset_of(&account.stretch.partition).unwrap_or(gone))
    }

    /// Where the group stands once all entries are read: not before the end of the ledger, unless its offset was lost or set back.
    pub fn group_stands(&mut self, offset_of: impl Fn(&Partition) -> Option<i64>) {
        for Account { stretch: Stretch { partition, .. }, reaches, .. } in &self.accounts {
            let told = match offset_of(partition) {
                Some(offset) if offset < *reaches => {
                    format!("stands at {offset}: its offset was set back, and what is behind that is decided again")
                }
                None if *reaches > 0 && self.with_records => "has no offset there any more, and decides all of it again".to_owned(),
                Some(_) | None => continue,
            };
            self.report.ledger.push(format!("{partition}: the ledger reaches to {reaches}, and the group {told}"));
        }
        for partition in std::mem::take(&mut self.strangers) {
            self.report.ledger.push(format!("{partition}: the ledger has entries of it, and the group has no offset there"));
        }
    }

    /// Something that whoever reads has found.
    pub fn found(&mut self, wrong: String) {
        self.report.ledger.push(wrong);
    }

    /// What is looked at, as it is now.
    pub fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        self.accounts.iter().map(|account| &account.stretch)
    }

    /// Takes a raw record, with the leads read from it; `None`: it is no lead.
    pub fn record(&mut self, at: &Position, leads: Option<usize>) {
        let place = self.place_of(&at.partition.topic, at.partition.number);
        let Some(account) = place.and_then(|place| self.accounts.get_mut(place)) else { return };
        if (account.stretch.from..account.stretch.to).contains(&at.offset) {
            let leads = leads.map(|leads| u32::try_from(leads).unwrap_or(u32::MAX));
            account.records.push(RecordState { offset: at.offset, leads, verdicts: 0, dead_letters: 0 });
        }
    }

    /// Outputs of the topic stand by their keys in so many partitions.
    pub fn is_placed_by_key(&mut self, topic: OutputTopic, partitions: u32) {
        if let Some(placement) = self.placements.get_mut(topic as usize) {
            *placement = (partitions > 0).then(|| Placement::new(partitions));
        }
    }

    /// What `dlq` had settled before the outputs are fed.
    pub fn is_settled(&mut self, settled: Settled) {
        self.retries = Retries::of(settled);
    }

    /// What `dlq` has settled once they are fed: what it wrote is held against that.
    pub fn retries_are_read(&mut self, settled: &Settled) {
        std::mem::take(&mut self.retries).judge(settled, &self.accounts, &mut self.report, &mut self.wrong);
    }

    /// Takes a dead letter that stands in the parking topic.
    pub fn parked(&mut self, at: &Position, output: &Output<'_>) {
        let Some(origin) = origin(output) else { return };
        if let Some(record) = self.record_of(&origin) {
            self.retries.letter(record, at);
            self.retries.wrote(record, &origin, output, true);
        }
    }

    /// The record of the range that an output came from.
    fn record_of(&self, origin: &Origin<'_>) -> Option<(usize, i64)> {
        let place = self.place_of(&origin.topic, origin.number)?;
        let stretch = &self.accounts.get(place)?.stretch;
        (stretch.from..stretch.to).contains(&origin.offset).then_some((place, origin.offset))
    }

    /// Takes a record of an output topic, found at `at` and written at `time`.
    pub fn output(&mut self, at: &Position, time: Timestamp, output: &Output<'_>) {
        let again = written_again(output);
        self.report.replayed += u64::from(again.is_some());
        let Some(origin) = origin(output) else {
            return self.report.unexpected.push(format!("{at}: it does not say which record it came from"));
        };
        let Some(place) = self.place_of(&origin.topic, origin.number) else {
            if self.accounts.iter().any(|account| *account.stretch.partition.topic == *origin.topic) {
                self.report.unexpected.push(format!("{}: there is no such partition", origin.id()));
            }
            return;
        };
        let Some(account) = self.accounts.get_mut(place) else { return };
        let is_inside = (account.stretch.from..account.stretch.to).contains(&origin.offset);
        if let Some(Some(placement)) = self.placements.get_mut(output.topic as usize).filter(|_| is_inside) {
            placement.output(at.partition.number, output.key, time.millis(), || origin.id());
        }
        if is_inside && output.topic == OutputTopic::DeadLetter {
            self.retries.letter((place, origin.offset), at);
        }
        if let Some(again) = again {
            return self.written_again(place, &origin, output, again);
        }
        if !is_inside {
            let stands = account.stretch.head.as_ref().map_or(0, |(committed, _)| *committed);
            if origin.offset >= stands.max(account.stretch.to) {
                account.beyond.insert(origin.offset, origin.id());
                // The last are those that the group has least come to.
                if account.beyond.len() > BEYOND {
                    account.beyond.pop_first();
                }
            }
            return;
        }
        let id = origin.id();
        if self.seen.insert(hash(id.as_bytes()), contents(output)).is_some() {
            self.wrong.insert((place, origin.offset));
            return self.report.duplicated.push(id);
        }
        let index = origin.event.as_ref().map_or(0, |(index, _)| *index);
        let last = self.last.entry((output.topic, at.partition.number, place)).or_insert((-1, 0));
        let here = (origin.offset, index);
        // Several routed events of one lead stand side by side.
        let follows = if output.topic == OutputTopic::Routing { here >= *last } else { last.0 < 0 || here > *last };
        if follows {
            *last = here;
        } else if !account.entry_of(origin.offset).is_some_and(|state| state.overlaps) {
            // What was decided twice stands twice, and once of it behind what came after it.
            self.wrong.insert((place, origin.offset));
            self.report.reordered.push(id.clone());
        }
        if let Some(state) = account.entry_of(origin.offset) {
            if let Some(count) = state.outputs.get_mut(output.topic as usize) {
                *count += 1;
            }
            state.digest.add(output);
            if output.topic == OutputTopic::DeadLetter {
                let code = output.headers.last("dlq-code").map(|code| String::from_utf8_lossy(code).into_owned());
                *state.dead_letters.entry(code.unwrap_or_default()).or_default() += 1;
            }
        }
        if !self.with_records {
            return;
        }
        match account.record_at(origin.offset) {
            Some(record) if output.topic == OutputTopic::DeadLetter => record.dead_letters += 1,
            Some(record) => record.verdicts += u32::from(output.topic != OutputTopic::Routing),
            None => self.report.unexpected.push(format!("{id}: there is no such record")),
        }
    }

    /// Takes what a replay or a retry wrote.
    fn written_again(&mut self, place: usize, origin: &Origin<'_>, output: &Output<'_>, replay: &[u8]) {
        let with_records = self.with_records;
        let Some(account) = self.accounts.get_mut(place) else { return };
        let Stretch { from, to, end, .. } = account.stretch;
        if end.is_some_and(|end| origin.offset >= end) {
            return self.report.unexpected.push(format!("{}: there is no such record yet, and a replay wrote for it", origin.id()));
        }
        if !(from..to).contains(&origin.offset) {
            return;
        }
        if with_records {
            let why = match account.record_at(origin.offset) {
                None => Some("there is no such record".to_owned()),
                Some(RecordState { leads: Some(leads), .. }) if origin.event.as_ref().is_some_and(|(index, _)| *index >= *leads) => {
                    Some(format!("its record has no more than {leads} leads"))
                }
                Some(_) => None,
            };
            if let Some(why) = why {
                return self.report.unexpected.push(format!("{}: {why}, and a replay wrote for it", origin.id()));
            }
        }
        let is_double = if replay == again::RETRY {
            !self.retries.wrote((place, origin.offset), origin, output, false)
        } else {
            !self.replayed.insert(hash(&[origin.id().as_bytes(), &[0], replay].concat()))
        };
        if is_double {
            self.wrong.insert((place, origin.offset));
            return self.report.duplicated.push(format!("{}: one and the same replay or retry wrote it twice", origin.id()));
        }
        // Most replays stand behind what was written first, and write the same.
        if replay == again::RETRY || self.seen.get(&hash(origin.id().as_bytes())) != Some(&contents(output)) {
            self.again.push(Again::of(place, origin, output, replay));
        }
    }

    /// All outputs are there: puts what replays wrote in the place of what was lost.
    pub fn outputs_are_read(&mut self) {
        again::judge(self);
    }

    /// Whether there are outputs of records that the group has not come to.
    #[must_use]
    pub fn is_beyond(&self, offset_of: impl Fn(&Partition) -> Option<i64>) -> bool {
        let last = |account: &Account| account.beyond.last_key_value().map(|(offset, _)| *offset);
        self.accounts.iter().any(|account| last(account) >= Some(account.stands(&offset_of)))
    }

    /// Where the group has come to once all outputs are read: what is behind that came from nothing it decided.
    pub fn group_came_to(&mut self, offset_of: impl Fn(&Partition) -> Option<i64>) {
        for account in &mut self.accounts {
            let stands = account.stands(&offset_of);
            for (_, id) in std::mem::take(&mut account.beyond).range(stands..) {
                self.report.unexpected.push(format!("{id}: the group stands at {stands}, and has not decided its record"));
            }
        }
    }

    /// Ranges in which not everything is as the ledger tells it. Whoever decides their records again can name what is wrong.
    #[must_use]
    pub fn suspects(&self) -> Vec<(Partition, Range<i64>)> {
        let of = |account: &Account| -> Vec<_> {
            let suspect = account.entries.iter().filter(|state| !state.overlaps && !state.agrees());
            suspect.map(|state| (account.stretch.partition.clone(), state.told.from..state.told.to)).collect()
        };
        self.accounts.iter().flat_map(of).collect()
    }

    /// Takes all outputs of a suspect range, decided again. Where they are those that the ledger tells of, what is missing and what was
    /// changed is known by name; where they are others, as under other rules, they say nothing.
    pub fn decided_again(&mut self, partition: &Partition, from: i64, outputs: &OutputBuffer) {
        let Some(place) = self.place_of(&partition.topic, partition.number) else { return };
        let Some(state) = self.accounts.get_mut(place).and_then(|account| account.entry_of(from)) else { return };
        let mut digest = EventsDigest::default();
        outputs.iter().for_each(|output| digest.add(&output));
        if Some(digest.into()) != state.told.digest {
            return;
        }
        state.named = true;
        let mut restored = Vec::new();
        for (output, origin) in outputs.iter().filter_map(|output| origin(&output).map(|origin| (output, origin))) {
            let id = origin.id();
            match self.seen.get(&hash(id.as_bytes())) {
                Some(found) if *found == contents(&output) => continue,
                Some(_) => self.report.changed.push(id),
                None => match again::found(&self.again, place, origin.offset, &output, &id) {
                    again::Found::Same(again) => {
                        restored.push(again);
                        continue;
                    }
                    again::Found::Other => self.report.changed.push(format!("{id}: a replay wrote it again, and not as it was")),
                    again::Found::Nothing => self.report.missing.push(id),
                },
            }
            self.wrong.insert((place, origin.offset));
        }
        if let Some(account) = self.accounts.get_mut(place) {
            again::put_back(account, &restored, &mut self.seen, &mut self.report);
        }
    }

    /// What came of it.
    #[must_use]
    pub fn report(mut self) -> Report {
        for Placed { misplaced, unnamed, of_fewer } in std::mem::take(&mut self.placements).into_iter().flatten().map(Placement::judge) {
            // What has another key now is told as that.
            for (id, told) in misplaced {
                if !self.report.changed.named().contains(&id) {
                    self.report.changed.push(told);
                }
            }
            self.report.changed.add(unnamed);
            if of_fewer > 0 {
                let why = "partitions of an output topic were added since";
                self.report.notes.push(format!("{of_fewer} outputs stand where a smaller number of partitions put them: {why}"));
            }
        }
        judgement::judge(self)
    }
}

/// 64 bits tell some millions of outputs apart.
fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

fn contents(output: &Output<'_>) -> u64 {
    let mut digest = EventsDigest::default();
    digest.add(output);
    digest.half()
}

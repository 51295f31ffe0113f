//! What an audit knows of one input partition: its entries, and of each record how many outcomes were found. What it makes of that is
//! its neighbours'.

use std::collections::BTreeMap;

use super::{Stretch, told::EntryState};
use crate::lead::Partition;

/// One record of the range.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordState {
    pub(super) offset: i64,
    /// Leads read from it; `None`: it is no lead.
    pub(super) leads: Option<u32>,
    /// Verdicts found.
    pub(super) verdicts: u32,
    pub(super) dead_letters: u32,
}

/// One input partition.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) stretch: Stretch,
    pub(super) entries: Vec<EntryState>,
    pub(super) records: Vec<RecordState>,
    /// Up to where the ledger reaches, inside the stretch or not.
    pub(super) reaches: i64,
    /// Ids of outputs of records that the group had not decided when it was asked, by offset.
    pub(super) beyond: BTreeMap<i64, String>,
}

impl Account {
    pub(super) fn of(stretch: Stretch) -> Self {
        Self { stretch, entries: Vec::new(), records: Vec::new(), reaches: 0, beyond: BTreeMap::new() }
    }

    /// The first offset that nobody has decided, by the group and by the ledger.
    pub(super) fn stands(&self, offset_of: impl Fn(&Partition) -> Option<i64>) -> i64 {
        self.reaches.max(offset_of(&self.stretch.partition).unwrap_or(0))
    }

    pub(super) fn entry_of(&mut self, offset: i64) -> Option<&mut EntryState> {
        let place = self.entries.partition_point(|state| state.told.to <= offset);
        self.entries.get_mut(place).filter(|state| state.told.from <= offset)
    }

    /// Leads of a record, where records are looked at.
    pub(super) fn leads_at(&self, offset: i64) -> Option<u32> {
        let place = self.records.binary_search_by_key(&offset, |record| record.offset).ok()?;
        self.records.get(place)?.leads
    }

    pub(super) fn record_at(&mut self, offset: i64) -> Option<&mut RecordState> {
        let place = self.records.binary_search_by_key(&offset, |record| record.offset).ok()?;
        self.records.get_mut(place)
    }
}

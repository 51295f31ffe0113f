//! A lane in memory: the model of what a broker with transactions does, on which the loop is tested. Aborts can be ordered;
//! outputs become visible and progress moves together or not at all.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    lead::{Partition, Position, Timestamp},
    pipeline::{self, OutputBuffer, OutputTopic},
};

use super::{Abort, Batch, BatchLimits, Cause, Committed, Lane, LaneError, Next, Progress};

/// A visible output: topic, key, value.
pub type Visible = (OutputTopic, Option<Vec<u8>>, Option<Vec<u8>>);

/// The headers of one output.
pub type NamedHeaders = Vec<(String, Option<Vec<u8>>)>;

/// One input of records and all outputs, in memory.
#[derive(Debug, Default)]
pub struct MemoryLane {
    records: Vec<(Position, Timestamp, Option<Vec<u8>>)>,
    read: usize,
    committed: usize,
    /// Where readers of the inputs stand, with what is noted there.
    pub standing: BTreeMap<Partition, (i64, String)>,
    /// What readers see.
    pub visible: Vec<Visible>,
    /// The headers of each.
    pub headers: Vec<NamedHeaders>,
    /// Written ahead: not visible yet.
    ahead: (Vec<Visible>, Vec<NamedHeaders>),
    /// Taken in order: `Some` aborts that write or commit, `None` lets it pass.
    pub aborts: VecDeque<Option<Abort>>,
    /// Outputs larger than this are refused as a broker would; 0: none.
    pub largest: usize,
}

impl MemoryLane {
    /// A lane with these values to read, one record each.
    #[must_use]
    pub fn new(records: Vec<(Position, Timestamp, Option<Vec<u8>>)>) -> Self {
        Self { records, ..Self::default() }
    }
}

impl Lane for MemoryLane {
    fn next_batch(&mut self, limits: &BatchLimits, batch: &mut Batch) -> Result<Next, LaneError> {
        batch.clear(0);
        while batch.len() < limits.records && batch.bytes() < limits.bytes {
            let Some((at, received_at, value)) = self.records.get(self.read) else { break };
            batch.push(at.clone(), *received_at, None, value.as_deref(), std::iter::empty());
            self.read += 1;
        }
        Ok(if batch.is_empty() { Next::End } else { Next::Records })
    }

    fn holds_back(&self) -> bool {
        true
    }

    fn write(&mut self, out: &OutputBuffer) -> Result<(), LaneError> {
        if let Some(Some(abort)) = self.aborts.pop_front() {
            return Err(LaneError::Aborted(abort));
        }
        let size = |output: &pipeline::Output<'_>| output.value.map_or(0, <[u8]>::len);
        let too_large: Vec<_> = out
            .iter()
            .enumerate()
            .filter(|(_, output)| self.largest > 0 && size(output) > self.largest)
            .map(|(at, _)| out.first() + at)
            .collect();
        if !too_large.is_empty() {
            return Err(LaneError::Aborted(Abort { reason: Cause::TooLarge, detail: String::new(), too_large, limits: None }));
        }
        assert_eq!(out.first(), self.ahead.0.len(), "each part follows on those before");
        self.ahead.0.extend(out.iter().map(|output| (output.topic, output.key.map(<[u8]>::to_vec), output.value.map(<[u8]>::to_vec))));
        let headers = |output: pipeline::Output<'_>| {
            output.headers.iter().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect()
        };
        self.ahead.1.extend(out.iter().map(headers));
        Ok(())
    }

    fn commit(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<Committed, LaneError> {
        self.write(out)?;
        let (visible, headers) = std::mem::take(&mut self.ahead);
        self.visible.extend(visible);
        self.headers.extend(headers);
        for (partition, next) in progress.iter() {
            self.standing.insert(partition.clone(), (next.get(), progress.noted(partition).to_owned()));
        }
        let is_done = |at: &Position| self.standing.get(&at.partition).is_some_and(|(next, _)| at.offset < *next);
        self.committed = self.records.iter().take_while(|(at, ..)| is_done(at)).count();
        Ok(Committed { took: Duration::ZERO })
    }

    fn standing(&self, partition: &Partition) -> Option<(i64, &str)> {
        self.standing.get(partition).map(|(next, note)| (*next, note.as_str()))
    }

    fn rewind(&mut self) -> Result<(), LaneError> {
        self.read = self.committed;
        self.ahead = Default::default();
        Ok(())
    }

    fn halt(&mut self, _why: &str) {
        self.records.clear();
        self.ahead = Default::default();
    }
}

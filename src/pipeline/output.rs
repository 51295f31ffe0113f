//! The records a batch leaves behind: an arena of bytes for values and headers, and one for keys, cleared and used again batch after
//! batch; the first is lent to who sends them. A batch may have more than one part. Knows the kinds of output topic, not their names.

use std::{ops::Range, sync::Arc};

use crate::lead::{HeaderSpan, Headers, Timestamp};

/// Which of the output topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputTopic {
    /// `QualifiedLead`.
    Qualified,
    /// `UnqualifiedLead`.
    Unqualified,
    /// `LeadRouted`.
    Routing,
    /// The original bytes.
    DeadLetter,
    /// `LedgerEntry`.
    Ledger,
}

impl OutputTopic {
    /// How many there are.
    pub const COUNT: usize = 5;
    /// All, in order; `topic as usize` indexes an array of this length.
    pub const ALL: [Self; Self::COUNT] = [Self::Qualified, Self::Unqualified, Self::Routing, Self::DeadLetter, Self::Ledger];
    /// Those that hold what records lead to; the ledger holds what was written there.
    pub const OUTCOMES: [Self; 4] = [Self::Qualified, Self::Unqualified, Self::Routing, Self::DeadLetter];
}

/// What Kafka adds to a record's own bytes: the batch header and the lengths.
pub(super) const FRAME: usize = 512;

/// One output record, borrowed from the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// Where it goes.
    pub topic: OutputTopic,
    /// Place of its source record in the batch.
    pub record: usize,
    /// Key, if any.
    pub key: Option<&'a [u8]>,
    /// Value; `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: Headers<'a>,
}

impl Output<'_> {
    /// About the bytes it has on its way, as they are held against a topic's limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + length(value)).sum();
        length(self.key) + length(self.value) + headers + FRAME
    }
}

#[derive(Clone, Debug)]
struct Entry {
    topic: OutputTopic,
    record: usize,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// All outputs of a batch, in the order of its records.
#[derive(Debug, Default)]
pub struct OutputBuffer {
    /// Shared only while it is lent.
    bytes: Arc<Vec<u8>>,
    /// Apart: a batch's outputs are placed by their keys when its values have left the processor's cache.
    keys: Vec<u8>,
    headers: Vec<HeaderSpan>,
    entries: Vec<Entry>,
    record: usize,
    /// Of parts that are written already: what is asked of an output that turns out to be too large.
    written: Vec<Written>,
    stamp: Timestamp,
    /// What topics were found to take since the settings were read, in bytes; 0: as the settings say.
    lowered: [usize; OutputTopic::COUNT],
}

/// What is remembered of an output whose bytes are not needed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it went.
    pub topic: OutputTopic,
    /// Place of its source record in the batch.
    pub record: usize,
    /// About the bytes it had on its way.
    pub bytes: usize,
}

/// A state of the buffer to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    keys: usize,
    headers: usize,
    entries: usize,
}

impl OutputBuffer {
    /// Empties the buffer, keeping its memory, for a batch whose one reading of the wall clock is `stamp`; it reaches
    /// nothing but the headers `ce_time` and `dlq-first-failed-at`.
    pub fn begin(&mut self, stamp: Timestamp) {
        self.clear();
        self.written.clear();
        self.record = 0;
        self.stamp = stamp;
    }

    /// Empties the buffer for more outputs of the same batch: those in it are written. They keep their numbers.
    pub fn next_part(&mut self) {
        let of = |output: Output<'_>| Written { topic: output.topic, record: output.record, bytes: output.bytes() };
        let mut written = std::mem::take(&mut self.written);
        written.extend(self.iter().map(of));
        self.written = written;
        self.clear();
    }

    fn clear(&mut self) {
        match Arc::get_mut(&mut self.bytes) {
            Some(bytes) => bytes.clear(),
            // Whoever has it keeps it.
            None => self.bytes = Arc::default(),
        }
        self.keys.clear();
        self.headers.clear();
        self.entries.clear();
    }

    /// Gives back what it holds in memory over `keep` bytes beside what is in it: one huge record must not stay for ever.
    pub fn shrink(&mut self, keep: usize) {
        if let Some(bytes) = Arc::get_mut(&mut self.bytes) {
            bytes.shrink_to(keep);
        }
        self.keys.shrink_to(keep);
        // As many as so many bytes have outputs, if these are small.
        self.written.shrink_to(keep / 256);
    }

    /// From now on no output of `topic` has more than `largest` bytes, whatever the settings allow: the topic takes less now.
    pub fn lower(&mut self, topic: OutputTopic, largest: usize) {
        if let Some(known) = self.lowered.get_mut(topic as usize) {
            *known = if *known == 0 { largest } else { largest.min(*known) };
        }
    }

    /// The most bytes an output of `topic` may have, where the settings allow `allowed`; `None`: any number.
    #[must_use]
    pub fn largest(&self, topic: OutputTopic, allowed: &[usize; OutputTopic::COUNT]) -> Option<usize> {
        let known = [allowed, &self.lowered].map(|limits| limits.get(topic as usize).copied().filter(|limit| *limit > 0));
        known.into_iter().flatten().min()
    }

    /// Says which record of the batch the next outputs come from.
    pub fn begin_record(&mut self, record: usize) {
        self.record = record;
    }

    /// The batch's one reading of the wall clock.
    #[must_use]
    pub fn stamp(&self) -> Timestamp {
        self.stamp
    }

    /// Adds an output. The closures append the key's bytes to the keys and the value's to the arena, and return whether there is one at
    /// all (`false`: null); the third pushes header names and values through a [`HeaderWriter`].
    pub fn push(
        &mut self,
        topic: OutputTopic,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        value: impl FnOnce(&mut Vec<u8>) -> bool,
        headers: impl FnOnce(&mut HeaderWriter<'_>),
    ) {
        let bytes = Arc::make_mut(&mut self.bytes);
        let (key_start, value_start) = (self.keys.len(), bytes.len());
        let has_key = key(&mut self.keys);
        let has_value = value(bytes);
        let value_end = bytes.len();
        let first_header = self.headers.len();
        headers(&mut HeaderWriter { bytes, spans: &mut self.headers });
        self.entries.push(Entry {
            topic,
            record: self.record,
            key: has_key.then_some(key_start..self.keys.len()),
            value: has_value.then_some(value_start..value_end),
            headers: first_header..self.headers.len(),
        });
    }

    /// The state now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), keys: self.keys.len(), headers: self.headers.len(), entries: self.entries.len() }
    }

    /// Takes back all that came after `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        Arc::make_mut(&mut self.bytes).truncate(mark.bytes);
        self.keys.truncate(mark.keys);
        self.headers.truncate(mark.headers);
        self.entries.truncate(mark.entries);
    }

    /// How many outputs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all keys, values and headers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.keys.len()
    }

    /// The number of the first output here among all of the batch: so many are in parts that are written.
    #[must_use]
    pub fn first(&self) -> usize {
        self.written.len()
    }

    /// Where outputs of the batch go, those of parts that are written too.
    pub fn topics(&self) -> impl Iterator<Item = OutputTopic> {
        self.written.iter().map(|written| written.topic).chain(self.entries.iter().map(|entry| entry.topic))
    }

    /// The output of this number among all of the batch; `None` past the end.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Option<Written> {
        let here = || {
            let output = self.get(number.checked_sub(self.first())?)?;
            Some(Written { topic: output.topic, record: output.record, bytes: output.bytes() })
        };
        self.written.get(number).copied().or_else(here)
    }

    /// The output at `index`, in order of pushing; `None` past the end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Output<'_>> {
        self.entries.get(index).map(|entry| self.view(entry))
    }

    /// The memory that all values stand in, for who sends them without copying: as long as somebody holds it nothing is written there.
    #[must_use]
    pub fn arena(&self) -> &Arc<Vec<u8>> {
        &self.bytes
    }

    /// Where in the arena the value of the output at `index` stands; `None`: null, or past the end.
    #[must_use]
    pub fn value_at(&self, index: usize) -> Option<Range<usize>> {
        self.entries.get(index)?.value.clone()
    }

    /// All outputs, in order of pushing.
    pub fn iter(&self) -> impl Iterator<Item = Output<'_>> {
        self.entries.iter().map(|entry| self.view(entry))
    }

    fn view(&self, entry: &Entry) -> Output<'_> {
        Output {
            topic: entry.topic,
            record: entry.record,
            key: entry.key.as_ref().map(|range| self.keys.get(range.clone()).unwrap_or_default()),
            value: entry.value.as_ref().map(|range| self.bytes.get(range.clone()).unwrap_or_default()),
            headers: Headers::new(&self.bytes, self.headers.get(entry.headers.clone()).unwrap_or_default()),
        }
    }
}

/// Appends headers of one output.
#[derive(Debug)]
pub struct HeaderWriter<'a> {
    bytes: &'a mut Vec<u8>,
    spans: &'a mut Vec<HeaderSpan>,
}

impl HeaderWriter<'_> {
    /// Appends one header; `None` is Kafka's null.
    pub fn push(&mut self, name: &str, value: Option<&[u8]>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        let name = start..self.bytes.len();
        let value = value.map(|value| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(value);
            start..self.bytes.len()
        });
        self.spans.push(HeaderSpan { name, value });
    }
}

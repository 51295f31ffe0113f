//! The memory a batch of records lies in: one arena, cleared and used again. Filled by lanes, read as borrowed `Record`s.

use std::ops::Range;

use crate::lead::{HeaderSpan, Headers, Partition, Position, Record, Timestamp};

#[derive(Clone, Debug)]
struct Entry {
    at: Position,
    received_at: Timestamp,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// Records as they were read, in order.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    headers: Vec<HeaderSpan>,
    entries: Vec<Entry>,
}

impl Batch {
    /// Empties the batch; keeps its memory unless one huge record has blown it up past `keep` bytes.
    pub fn clear(&mut self, keep: usize) {
        self.bytes.clear();
        if self.bytes.capacity() > keep {
            self.bytes.shrink_to(keep);
        }
        self.headers.clear();
        self.entries.clear();
    }

    /// Appends a record; bytes are copied.
    pub fn push<'h>(
        &mut self,
        at: Position,
        received_at: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>)>,
    ) {
        let key = key.map(|key| self.store(key));
        let value = value.map(|value| self.store(value));
        let first = self.headers.len();
        for (name, content) in headers {
            let name = self.store(name.as_bytes());
            let value = content.map(|content| self.store(content));
            self.headers.push(HeaderSpan { name, value });
        }
        self.entries.push(Entry { at, received_at, key, value, headers: first..self.headers.len() });
    }

    fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Drops the records of partitions for which `keep` is false: they belong to another member now.
    pub fn retain(&mut self, mut keep: impl FnMut(&Partition) -> bool) {
        self.entries.retain(|entry| keep(&entry.at.partition));
    }

    /// How many records.
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
        self.bytes.len()
    }

    /// The record at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        self.entries.get(index).map(|entry| self.view(entry))
    }

    /// All records, in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| self.view(entry))
    }

    fn view(&self, entry: &Entry) -> Record<'_> {
        let slice = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        Record {
            at: entry.at.clone(),
            received_at: entry.received_at,
            key: entry.key.as_ref().map(slice),
            value: entry.value.as_ref().map(slice),
            headers: Headers::new(&self.bytes, self.headers.get(entry.headers.clone()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_revoked_partition_leave_the_batch_and_the_others_stay_as_they_were() {
        let mut batch = Batch::default();
        for offset in 0..9_i64 {
            let number = i32::try_from(offset % 3).expect("small");
            let at = Position { partition: Partition { topic: "raw".into(), number }, offset };
            let (key, value) = (format!("key {offset}"), format!("value {offset}"));
            let headers = [("name", Some(key.as_bytes()))];
            batch.push(at, Timestamp::from_millis(offset), Some(key.as_bytes()), Some(value.as_bytes()), headers.into_iter());
        }
        batch.retain(|partition| partition.number != 1);
        let kept: Vec<_> = batch.iter().map(|record| (record.at.offset, record.value.map(<[u8]>::to_vec))).collect();
        let expected = [0, 2, 3, 5, 6, 8].map(|offset| (offset, Some(format!("value {offset}").into_bytes())));
        assert_eq!(kept, expected);
        let header = batch.get(1).and_then(|record| record.headers.iter().next().map(|(_, value)| value.map(<[u8]>::to_vec)));
        assert_eq!(header, Some(Some(b"key 2".to_vec())));
    }
}

//! What leadstream writes for one cycle of the corpus, made by its own core: the pass-throughs copy it, so that they write the
//! same number and bytes of records without reading a lead. One file, made by the bench, read by its contenders.

use std::{fmt::Write as _, fs, ops::Range, path::Path};

use leadstream::{
    io::Batch,
    lead::{Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, Limits, Memory, OutputBuffer, OutputTopic, PersonKey, Pipeline},
    rules::{DEFAULT, Ruleset},
    tables::Tables,
};

use super::corpus::{CYCLE, Corpus};

/// A verdict's event tells when the lead was received; a copy of it tells it by so many digits, milliseconds.
pub(crate) const STAMP: usize = 27;
const BEFORE_STAMP: &[u8] = b"\"received_at\":\"";

/// The built-in ruleset.
pub(crate) fn ruleset() -> Ruleset {
    Ruleset::parse(DEFAULT).expect("the built-in ruleset is good")
}

/// Where the time that a verdict's event tells begins.
pub(crate) fn stamp_of(value: &[u8]) -> Option<usize> {
    let at = value.windows(BEFORE_STAMP.len()).rposition(|window| window == BEFORE_STAMP)?;
    Some(at + BEFORE_STAMP.len())
}

/// One record to write.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) topic: usize,
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    /// Where in the bytes the time is written in, if it is.
    pub(crate) stamp: Option<usize>,
}

/// Everything that is written for one cycle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    pub(crate) bytes: Vec<u8>,
    leads: Vec<Vec<Copied>>,
}

impl Template {
    /// Decides one cycle as if it stood in the middle of `leads` records of this topic.
    pub(crate) fn made(corpus: Corpus, raw: &str, partitions: i32, leads: u64) -> Self {
        let pipeline = Pipeline {
            rules: ruleset(),
            tables: Tables::default(),
            limits: Limits::default(),
            person_key: PersonKey::default(),
            encoding: EncodeSettings::default(),
        };
        let (mut batch, mut value, mut made) = (Batch::default(), String::new(), Self::default());
        let topic: std::sync::Arc<str> = raw.into();
        let every = u64::from(partitions.unsigned_abs());
        for number in 0..CYCLE {
            corpus.lead(number, &mut value);
            let partition = Partition { topic: topic.clone(), number: i32::try_from(number % every).expect("small") };
            let offset = i64::try_from(leads / every / 2 + number / every).expect("small");
            batch.push(Position { partition, offset }, now(), None, Some(value.as_bytes()), std::iter::empty());
        }
        let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
        for record in batch.iter() {
            out.begin(now());
            pipeline::run(&record, &pipeline, &mut memory, &mut out, |_| {});
            let mut copied = Vec::new();
            for output in out.iter() {
                let key = made.push(output.key.expect("every event has a key"));
                let value = made.push(output.value.expect("every event has a value"));
                let is_verdict = matches!(output.topic, OutputTopic::Qualified | OutputTopic::Unqualified);
                let stamp = stamp_of(&made.bytes[value.clone()]).filter(|_| is_verdict).map(|at| value.start + at);
                copied.push(Copied { topic: output.topic as usize, key, value, stamp });
            }
            made.leads.push(copied);
        }
        made
    }

    fn push(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// What is written for the lead whose record has this key.
    pub(crate) fn of(&self, key: &[u8]) -> &[Copied] {
        let number = key.iter().fold(0_usize, |number, digit| number * 10 + usize::from(digit & 15));
        &self.leads[number % self.leads.len()]
    }

    /// Records by topic, keys and values together, of so many leads from the first on.
    pub(crate) fn sums(&self, leads: u64) -> [(u64, u64); OutputTopic::COUNT] {
        let mut sums = [(0, 0); OutputTopic::COUNT];
        let (whole, rest) = (leads / self.leads.len() as u64, leads % self.leads.len() as u64);
        for (number, lead) in self.leads.iter().enumerate() {
            let times = whole + u64::from((number as u64) < rest);
            for record in lead {
                sums[record.topic].0 += times;
                sums[record.topic].1 += times * (record.key.len() + record.value.len()) as u64;
            }
        }
        sums
    }

    /// As a file: the records, a line each, then the bytes.
    pub(crate) fn write(&self, file: &Path) {
        let mut lines = String::new();
        for (number, lead) in self.leads.iter().enumerate() {
            for Copied { topic, key, value, stamp } in lead {
                let stamp = stamp.unwrap_or_default();
                let _ = writeln!(lines, "{number} {topic} {} {} {} {stamp}", key.start, value.start, value.end);
            }
        }
        lines.push('\n');
        fs::write(file, [lines.as_bytes(), &self.bytes].concat()).expect("written");
    }

    /// From that file.
    pub(crate) fn read(file: &Path) -> Self {
        let all = fs::read(file).expect("the bench has made it");
        let end = all.windows(2).position(|window| window == b"\n\n").expect("an empty line");
        let mut read = Self { bytes: all[end + 2..].to_vec(), leads: Vec::new() };
        for line in std::str::from_utf8(&all[..end]).expect("text").lines() {
            let numbers: Vec<usize> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
            let &[number, topic, key, value, end, stamp] = numbers.as_slice() else { panic!("six numbers: {line}") };
            read.leads.resize(number + 1, Vec::new());
            read.leads[number].push(Copied { topic, key: key..value, value: value..end, stamp: Some(stamp).filter(|at| *at > 0) });
        }
        read
    }
}

/// Milliseconds as the copies tell them.
pub(crate) fn write_stamp(to: &mut [u8], mut millis: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b'0' + (millis % 10) as u8;
        millis /= 10;
    }
}

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

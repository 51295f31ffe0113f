//! A raw record as it was read, and the names of places in a log: topic, partition, position, next offset. Nothing here
//! knows where records come from; the memory they lie in is the batch's (`io::batch`).

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z. The only clock of a decision is the record's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z, in microseconds: the last instant that every offset can still write with a four-digit
/// year, and so the last one the calendar library takes.
const MAX_MICROS: i64 = 253_402_207_200_000_000;
/// 0001-01-01T00:00:00Z.
const MIN_MICROS: i64 = -62_135_596_800_000_000;

impl Timestamp {
    /// From microseconds since the epoch; outside years 1 to 9999 it is clamped, so that it can always be written.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(MIN_MICROS, MAX_MICROS))
    }

    /// From milliseconds since the epoch, Kafka's unit.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by `micros`, clamped like [`Timestamp::from_micros`].
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// RFC 3339 with an offset or `Z`; more than six decimals are cut. `None` if it is not such a time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self::from_micros(at.as_microsecond()))
    }

    /// `2026-11-01T09:00:00.000000Z`: RFC 3339, UTC, always six decimals, always 27 bytes.
    #[must_use]
    pub fn to_rfc3339(self) -> [u8; 27] {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), small(self.0.rem_euclid(1_000_000)));
        let (days, seconds) = (seconds.div_euclid(86_400), small(seconds.rem_euclid(86_400)));
        let (year, month, day) = civil_from_days(days);
        let mut out = *b"0000-00-00T00:00:00.000000Z";
        let (minutes, hundreds) = (seconds / 60, micros / 100);
        let mut put = |at: usize, pair: u32| [out[at], out[at + 1]] = PAIRS[pair as usize & 127];
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, minutes / 60);
        put(14, minutes % 60);
        put(17, seconds % 60);
        put(20, hundreds / 100);
        put(22, hundreds % 100);
        put(24, micros % 100);
        out
    }
}

/// The digits of each number below a hundred; as many more as let seven bits say which.
const PAIRS: [[u8; 2]; 128] = {
    let mut pairs = [*b"00"; 128];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Of no more than 32 bits, which are cheaper to divide.
fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// Days since 1970-01-01 to (year, month, day) in the proleptic Gregorian calendar, from year 1 on. Divisions and a few additions:
/// on the hot path several times a lead, so not worth a calendar library's checks; tested against one.
fn civil_from_days(days: i64) -> (u32, u32, u32) {
    let shifted = small(days + 719_468);
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u32::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_rfc3339()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.to_rfc3339()).unwrap_or_default())
    }
}

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic's name; shared, since every record of a batch carries it.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// Where one record was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The record's offset in it.
    pub offset: i64,
}

impl Position {
    /// The offset to go on from once this record is done: the only way to make a [`NextOffset`] from a record, so that
    /// nobody commits the last offset where the next is due.
    #[must_use]
    pub fn next(&self) -> NextOffset {
        NextOffset(self.offset + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

/// The offset of the next record to read: what Kafka calls a committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextOffset(i64);

impl NextOffset {
    /// A next offset the broker itself has told (a committed offset, a watermark).
    #[must_use]
    pub fn told_by_broker(offset: i64) -> Self {
        Self(offset)
    }

    /// The number to hand to the broker.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

/// Where a header's name and value lie in the batch's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSpan {
    /// The name, as bytes of UTF-8.
    pub name: std::ops::Range<usize>,
    /// The value; `None` is Kafka's null.
    pub value: Option<std::ops::Range<usize>>,
}

/// The headers of one record, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    spans: &'a [HeaderSpan],
}

impl<'a> Headers<'a> {
    /// Headers that lie in `bytes` at `spans`.
    #[must_use]
    pub fn new(bytes: &'a [u8], spans: &'a [HeaderSpan]) -> Self {
        Self { bytes, spans }
    }

    /// Name and value of each header, in order; a name that is not UTF-8 is shown as empty.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        self.spans.iter().map(move |span| {
            let name = std::str::from_utf8(self.bytes.get(span.name.clone()).unwrap_or_default()).unwrap_or_default();
            (name, span.value.clone().and_then(|value| self.bytes.get(value)))
        })
    }

    /// The last value under `name` (compared without case, as HTTP's headers that become Kafka's are), if it is not null.
    #[must_use]
    pub fn last(self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).last().and_then(|(_, value)| value)
    }

    /// How many.
    #[must_use]
    pub fn len(self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.spans.is_empty()
    }
}

/// One raw record, borrowed from its batch.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Where it was read.
    pub at: Position,
    /// The Kafka timestamp: the only clock a decision sees.
    pub received_at: Timestamp,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is Kafka's null (a tombstone).
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: Headers<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_same_time_as_a_calendar_library() {
        for micros in [0, 1, -1, 951_782_400_000_000, 1_772_323_200_123_456, MIN_MICROS, MAX_MICROS, -2_203_891_200_000_000] {
            let ours = Timestamp::from_micros(micros).to_string();
            let theirs = jiff::Timestamp::from_microsecond(micros).expect("in range");
            assert_eq!(ours, format!("{theirs:.6}"));
            assert_eq!(Timestamp::parse(&ours), Some(Timestamp::from_micros(micros)));
        }
    }

    #[test]
    fn the_next_offset_is_one_past_the_record() {
        let at = Position { partition: Partition { topic: "t".into(), number: 3 }, offset: 41 };
        assert_eq!(at.next().get(), 42);
        assert_eq!(at.to_string(), "t/3/41");
    }
}

//! A rejection to the dead-letter envelope: the original key, value and headers untouched, and everything else in `dlq-*`
//! headers, which replace headers of the same name.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::lead::{DeadLetterCode, Record, Rejection, Timestamp, UnkeptValue, Vocabulary as _};

use super::{Limits, OutputBuffer, OutputTopic, Pipeline, decode::too_large, encode::ruleset, output::FRAME};

/// Microsoft's test marker, so that its test leads can be told from real losses.
const MARKER: &[u8] = b"MSFT_TEST";

/// Headers a dead letter may have, beside those of the input.
pub const DEAD_LETTER_HEADERS: &[&str] = &[
    "dlq-topic",
    "dlq-partition",
    "dlq-offset",
    "dlq-timestamp",
    "dlq-stage",
    "dlq-code",
    "dlq-field",
    "dlq-detail",
    "dlq-ruleset",
    "dlq-version",
    "dlq-first-failed-at",
    "dlq-attempt",
    "dlq-test",
    "dlq-size",
    "dlq-sha256",
];

/// Room for our own headers' names and values; the texts in them are short.
const OUR_BYTES: usize = 2048;

/// How often a record was rejected before, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlierFailures {
    /// So often; 0: this is the first time.
    pub attempts: u32,
    /// When that was first; none: now.
    pub first: Option<Timestamp>,
}

/// Writes the dead letter. Always succeeds: what finds no room beside the value is left out, and a value
/// that finds none is named by size and hash.
pub fn dead_letter(rejection: &Rejection, record: &Record<'_>, earlier: EarlierFailures, pipeline: &Pipeline, out: &mut OutputBuffer) {
    let stamp = out.stamp();
    let value = record.value.unwrap_or_default();
    let key_bytes = record.key.map_or(0, <[u8]>::len);
    let header_bytes: usize = record.headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len) + 16).sum();
    let largest = out.largest(OutputTopic::DeadLetter, &pipeline.encoding.largest).unwrap_or(usize::MAX);
    let room = largest.saturating_sub(FRAME + OUR_BYTES);
    // The value says most, the headers least.
    let with_value = rejection.code != DeadLetterCode::TooLarge && value.len() <= room;
    let room = room - if with_value { value.len() } else { 0 };
    let with_key = key_bytes <= room;
    let room = room - if with_key { key_bytes } else { 0 };
    let with_headers = header_bytes <= room;
    out.push(
        OutputTopic::DeadLetter,
        |bytes| match record.key.filter(|_| with_key) {
            Some(key) => {
                bytes.extend_from_slice(key);
                true
            }
            None => false,
        },
        |bytes| match record.value.filter(|_| with_value) {
            Some(value) => {
                bytes.extend_from_slice(value);
                true
            }
            None => false,
        },
        |headers| {
            if with_headers {
                for (name, value) in record.headers.iter().filter(|(name, _)| !DEAD_LETTER_HEADERS.contains(name)) {
                    headers.push(name, value);
                }
            }
            let mut text = String::with_capacity(64);
            let mut put = |name: &str, value: &dyn Fn(&mut String)| {
                text.clear();
                value(&mut text);
                headers.push(name, Some(text.as_bytes()));
            };
            let at = &record.at;
            let show = |text: &mut String, value: &dyn std::fmt::Display| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{value}");
            };
            put("dlq-topic", &|text| text.push_str(&at.partition.topic));
            put("dlq-partition", &|text| show(text, &at.partition.number));
            put("dlq-offset", &|text| show(text, &at.offset));
            put("dlq-timestamp", &|text| show(text, &record.received_at.millis()));
            put("dlq-stage", &|text| text.push_str(rejection.stage.name()));
            put("dlq-code", &|text| text.push_str(rejection.code.name()));
            put("dlq-field", &|text| text.push_str(&rejection.field));
            put("dlq-detail", &|text| text.push_str(&rejection.detail));
            put("dlq-ruleset", &|text| ruleset(&pipeline.rules, text));
            put("dlq-version", &|text| text.push_str(env!("CARGO_PKG_VERSION")));
            put("dlq-first-failed-at", &|text| show(text, &earlier.first.unwrap_or(stamp).millis()));
            put("dlq-attempt", &|text| show(text, &earlier.attempts.saturating_add(1)));
            if holds_marker(value) || rejection.unkept.is_some_and(|unkept| unkept.is_test) {
                put("dlq-test", &|text| text.push_str("true"));
            }
            if record.value.is_some() && !with_value {
                let (size, sha256) = match rejection.unkept {
                    Some(unkept) => (unkept.size, unkept.sha256),
                    None => (value.len() as u64, Sha256::digest(value).into()),
                };
                put("dlq-size", &|text| show(text, &size));
                put("dlq-sha256", &|text| {
                    for byte in sha256 {
                        let _ = write!(text, "{byte:02x}");
                    }
                });
            }
            if let Some(replay) = &pipeline.encoding.replay {
                put("lead-replay", &|text| text.push_str(replay));
            }
        },
    );
}

/// A value that is read piece by piece because it is too large to be kept.
#[derive(Debug, Default)]
pub struct OversizeValue {
    size: u64,
    digest: Sha256,
    is_test: bool,
    /// The end of the last piece: the marker may lie across two.
    tail: Vec<u8>,
}

impl OversizeValue {
    /// Takes the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.digest.update(piece);
        let joint = &piece[..piece.len().min(MARKER.len())];
        self.tail.extend_from_slice(joint);
        self.is_test |= holds_marker(&self.tail) || holds_marker(piece);
        if piece.len() >= MARKER.len() {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - MARKER.len()..]);
        }
        self.tail.drain(..self.tail.len().saturating_sub(MARKER.len()));
    }

    /// The rejection of a record with this value.
    #[must_use]
    pub fn rejection(self, limits: &Limits) -> Rejection {
        let unkept = UnkeptValue { size: self.size, sha256: self.digest.finalize().into(), is_test: self.is_test };
        Rejection { unkept: Some(unkept), ..too_large(self.size, limits) }
    }
}

/// Whether the bytes hold the test marker, in any case.
fn holds_marker(bytes: &[u8]) -> bool {
    bytes.windows(MARKER.len()).any(|window| window.eq_ignore_ascii_case(MARKER))
}

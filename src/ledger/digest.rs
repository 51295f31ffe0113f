//! A digest of many outputs that does not hang on their order: topics have partitions, and a reader meets the outputs of one
//! batch in any order. XXH3 finds what was lost or changed by accident or by hand; it is no seal against somebody who may
//! write to all topics (ADR 22).

use std::fmt;

use twox_hash::XxHash3_128;

use crate::pipeline::{Output, OutputTopic};

/// The header that a replay, or a retry of a dead letter, adds to what it writes.
const REPLAY: &str = "lead-replay";

/// Whose replay, or retry, wrote an output again; `None`: it was written for the first time. A raw record's own header of that name is
/// carried over onto its dead letter, before those that tell why it is one; a replay's stands behind them, at the end.
#[must_use]
pub fn written_again<'a>(output: &Output<'a>) -> Option<&'a [u8]> {
    let (name, value) = match output.topic {
        OutputTopic::DeadLetter => output.headers.iter().last()?,
        _ => output.headers.iter().find(|(name, _)| *name == REPLAY)?,
    };
    (name == REPLAY).then(|| value.unwrap_or_default())
}

/// The sum of the digests of outputs, each of its kind of topic, its key, its value and its headers, but for those that tell the wall
/// clock, or a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventsDigest(u128);

impl EventsDigest {
    /// Adds one output.
    pub fn add(&mut self, output: &Output<'_>) {
        self.part(output.topic, output.key, output.value);
        let is_dead = output.topic == OutputTopic::DeadLetter;
        let (clock, again) = (if is_dead { "dlq-first-failed-at" } else { "ce_time" }, written_again(output).is_some());
        let last = output.headers.len().saturating_sub(1);
        let counts =
            |(at, (name, _)): &(usize, (&str, Option<&[u8]>))| *name != clock && !(again && *name == REPLAY && (!is_dead || *at == last));
        // Most events have none, and cost nothing here.
        if is_dead || output.headers.iter().enumerate().any(|header| counts(&header)) {
            // Two that have changed their headers are not the same two.
            let seed = XxHash3_128::oneshot(output.key.unwrap_or_default()) ^ XxHash3_128::oneshot(output.value.unwrap_or_default());
            let mut headers = seed.to_be_bytes().to_vec();
            for (_, (name, value)) in output.headers.iter().enumerate().filter(counts) {
                for text in [Some(name.as_bytes()), value] {
                    headers.extend_from_slice(&text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
                    headers.extend_from_slice(text.unwrap_or_default());
                }
            }
            self.0 = self.0.wrapping_add(XxHash3_128::oneshot(&headers));
        }
    }

    /// The lower half, which tells some millions of outputs apart.
    #[must_use]
    pub fn half(self) -> u64 {
        u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or_default()
    }

    /// Adds all of another.
    pub fn join(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// Null and empty differ, and no byte can move from the key to the value unseen.
    fn part(&mut self, topic: OutputTopic, key: Option<&[u8]>, value: Option<&[u8]>) {
        let seed = 4 * (topic as u64) + 2 * u64::from(key.is_some()) + u64::from(value.is_some());
        let key = XxHash3_128::oneshot_with_seed(seed, key.unwrap_or_default());
        // The seed of the second is half of the first: what of the first is left goes into the sum itself.
        let [high, low] = [key >> 64, key & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or_default());
        let value = XxHash3_128::oneshot_with_seed(high, value.unwrap_or_default());
        self.0 = self.0.wrapping_add(value ^ u128::from(low));
    }
}

impl From<EventsDigest> for u128 {
    fn from(digest: EventsDigest) -> Self {
        digest.0
    }
}

impl fmt::Display for EventsDigest {
    /// 32 hex digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given = (OutputTopic, Option<&'static [u8]>, Option<&'static [u8]>);

    fn digest(outputs: &[Given]) -> String {
        let mut digest = EventsDigest::default();
        for (topic, key, value) in outputs {
            digest.part(*topic, *key, *value);
        }
        digest.to_string()
    }

    #[test]
    fn every_byte_counts_and_the_order_does_not() {
        use OutputTopic::{Qualified, Unqualified};
        let (key, value) = (Some(b"key".as_slice()), Some(b"value".as_slice()));
        let first = (Qualified, key, value);
        let others = [
            (Unqualified, key, value),
            (Qualified, None, value),
            (Qualified, key, None),
            (Qualified, Some(b"ke".as_slice()), Some(b"yvalue".as_slice())),
            (Qualified, Some(b"".as_slice()), value),
            (Qualified, key, Some(b"".as_slice())),
            (Qualified, key, Some(b"valuE".as_slice())),
        ];
        let mut seen = std::collections::BTreeSet::from([digest(&[]), digest(&[first])]);
        for other in others {
            assert!(seen.insert(digest(&[other])), "{other:?} has the digest of another");
            assert_eq!(digest(&[first, other]), digest(&[other, first]));
        }
        // Twice the same is not nothing.
        assert_ne!(digest(&[first, first]), digest(&[]));
        assert_eq!(digest(&[]), "0".repeat(32));
    }

    #[test]
    fn the_digest_of_a_released_form_stays_what_it_is() {
        // Entries that were written must be readable for years.
        let found = digest(&[(OutputTopic::Qualified, Some(b"key".as_slice()), Some(b"value".as_slice()))]);
        // As xxHash's own library computes it too.
        assert_eq!(found, "80d55eaa0dd593e94d5d69f12f33e353");
    }

    #[test]
    fn headers_count_but_for_the_wall_clock_and_what_a_replay_adds() {
        use crate::pipeline::OutputBuffer;
        let of = |topic: OutputTopic, headers: &[(&str, &str)]| {
            let mut out = OutputBuffer::default();
            out.push(
                topic,
                |_| false,
                |_| true,
                |writer| headers.iter().for_each(|(name, value)| writer.push(name, Some(value.as_bytes()))),
            );
            let mut digest = EventsDigest::default();
            out.iter().for_each(|output| digest.add(&output));
            (digest, out.iter().any(|output| written_again(&output).is_some()))
        };
        let dead = |headers: &[(&str, &str)]| of(OutputTopic::DeadLetter, headers);
        let first = dead(&[("dlq-code", "too_deep"), ("dlq-first-failed-at", "1")]);
        assert_eq!(first, dead(&[("dlq-code", "too_deep"), ("dlq-first-failed-at", "2")]));
        assert_eq!((first.0, true), dead(&[("dlq-code", "too_deep"), ("dlq-first-failed-at", "2"), (REPLAY, "x")]));
        for other in [
            &[("dlq-code", "too_large"), ("dlq-first-failed-at", "1")][..],
            &[("dlq-codet", "oo_deep")],
            // The record's own.
            &[(REPLAY, "x"), ("dlq-code", "too_deep")],
            &[("ce_time", "1"), ("dlq-code", "too_deep")],
        ] {
            assert!(dead(other).0 != first.0 && !dead(other).1, "{other:?}");
        }
        let event = |headers: &[(&str, &str)]| of(OutputTopic::Routing, headers);
        let first = event(&[]);
        assert_eq!(first, event(&[("ce_time", "1")]));
        assert_eq!((first.0, true), event(&[(REPLAY, "x"), ("ce_time", "2")]));
        assert_ne!(first.0, event(&[("traceparent", "00")]).0);
        assert_ne!(event(&[("ce_id", "1")]).0, event(&[("ce_id", "2"), (REPLAY, "x")]).0);
        assert_eq!(event(&[("ce_id", "1")]).0, event(&[(REPLAY, "x"), ("ce_id", "1")]).0);
    }
}

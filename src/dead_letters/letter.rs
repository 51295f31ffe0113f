//! Whose dead letter it is, where its record stood and why it is one, read from the headers of leadstream, Kafka Connect, Spring and
//! Kafka Streams. Words that come from elsewhere are kept only where they can name nobody.

use crate::{
    lead::{Headers, Partition, Position, Record, Timestamp},
    pipeline::DEAD_LETTER_HEADERS,
};

/// Who wrote a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// leadstream: `dlq-*`.
    Leadstream,
    /// Kafka Connect: `__connect.errors.*`.
    Connect,
    /// Spring for Apache Kafka: `kafka_dlt-*`, numbers in big-endian bytes.
    Spring,
    /// Kafka Streams: `__streams.errors.*`.
    Streams,
    /// Nobody who says so.
    Unknown,
}

impl Dialect {
    /// As people and `--json` are told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Leadstream => "leadstream",
            Self::Connect => "kafka_connect",
            Self::Spring => "spring",
            Self::Streams => "kafka_streams",
            Self::Unknown => "unknown",
        }
    }

    /// What the names of its headers begin with.
    fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Leadstream => Some("dlq-"),
            Self::Connect => Some("__connect.errors."),
            Self::Spring => Some("kafka_dlt-"),
            Self::Streams => Some("__streams.errors."),
            Self::Unknown => None,
        }
    }

    /// Whether a header of a dead letter tells of its failure; the others were the record's own.
    #[must_use]
    pub fn is_its_own(self, header: &str) -> bool {
        match self {
            Self::Leadstream => DEAD_LETTER_HEADERS.contains(&header),
            other => other.prefix().is_some_and(|prefix| header.starts_with(prefix)),
        }
    }
}

/// What is known of a value that found no room in its dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// Bytes.
    pub size: u64,
    /// SHA-256, as 64 hex digits.
    pub sha256: String,
}

/// What a dead letter's headers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who wrote it.
    pub dialect: Dialect,
    /// Where its record stood, if that is told.
    pub origin: Option<Position>,
    /// When its record was received.
    pub received_at: Timestamp,
    /// Where it failed: a stage, or the word that the other program has for one.
    pub stage: String,
    /// Why: a code, or the class of an exception.
    pub code: String,
    /// The place in the record, if that is told.
    pub field: String,
    /// One sentence of leadstream's own; what other programs say may quote the record, and is not kept.
    pub detail: String,
    /// How often it has failed, 1 or more.
    pub attempts: u32,
    /// When it failed first, if that is told.
    pub first_failed_at: Option<Timestamp>,
    /// Its value was left out.
    pub unkept: Option<Unkept>,
}

impl Letter {
    /// Reads the headers of a dead letter.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let headers = record.headers;
        let has = |name: &str| headers.iter().any(|(found, _)| found == name);
        let dialect = if has("dlq-code") {
            Dialect::Leadstream
        } else if has("__connect.errors.topic") || has("__connect.errors.exception.class.name") {
            Dialect::Connect
        } else if has("kafka_dlt-original-topic") || has("kafka_dlt-exception-fqcn") {
            Dialect::Spring
        } else if has("__streams.errors.topic") || has("__streams.errors.exception") {
            Dialect::Streams
        } else {
            Dialect::Unknown
        };
        let mut letter = Self {
            dialect,
            origin: None,
            received_at: record.received_at,
            stage: String::new(),
            code: "unknown".to_owned(),
            field: String::new(),
            detail: String::new(),
            attempts: 1,
            first_failed_at: None,
            unkept: None,
        };
        match dialect {
            Dialect::Leadstream => letter.read_ours(headers),
            Dialect::Connect => {
                let names = ["topic", "partition", "offset"].map(|name| format!("__connect.errors.{name}"));
                letter.origin = position(headers, &names, decimal);
                letter.stage = word(headers.last("__connect.errors.stage"));
                letter.code = class(headers.last("__connect.errors.exception.class.name"));
            }
            Dialect::Streams => {
                let names = ["topic", "partition", "offset"].map(|name| format!("__streams.errors.{name}"));
                letter.origin = position(headers, &names, decimal);
                letter.code = class(headers.last("__streams.errors.exception"));
            }
            Dialect::Spring => {
                let names = ["topic", "partition", "offset"].map(|name| format!("kafka_dlt-original-{name}"));
                letter.origin = position(headers, &names, big_endian);
                if let Some(millis) = first(headers, "kafka_dlt-original-timestamp").and_then(big_endian) {
                    letter.received_at = Timestamp::from_millis(millis);
                }
                // The exception itself is the listener container's, its cause is what went wrong.
                let cause = headers.last("kafka_dlt-exception-cause-fqcn");
                letter.code = class(cause.or_else(|| headers.last("kafka_dlt-exception-fqcn")));
            }
            Dialect::Unknown => {}
        }
        letter
    }

    /// The headers that the record of a dead letter came with. It may have had a `lead-replay` of its own: that of a replay, or of a
    /// retry, is the last header of all.
    pub fn own_headers<'a>(&self, dead: &Record<'a>) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let (dialect, count) = (self.dialect, dead.headers.len());
        let is_a_replays = move |at: usize, name: &str| dialect == Dialect::Leadstream && name == "lead-replay" && at + 1 == count;
        let own = dead.headers.iter().enumerate().filter(move |(at, (name, _))| !dialect.is_its_own(name) && !is_a_replays(*at, name));
        own.map(|(_, header)| header)
    }

    fn read_ours(&mut self, headers: Headers<'_>) {
        let number = |name: &str| headers.last(name).and_then(decimal);
        let text = |name: &str| headers.last(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        self.origin = position(headers, &["dlq-topic", "dlq-partition", "dlq-offset"].map(str::to_owned), decimal);
        if let Some(millis) = number("dlq-timestamp") {
            self.received_at = Timestamp::from_millis(millis);
        }
        self.stage = word(headers.last("dlq-stage"));
        self.code = word(headers.last("dlq-code"));
        (self.field, self.detail) = (text("dlq-field"), text("dlq-detail"));
        self.attempts = number("dlq-attempt").and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(1).max(1);
        self.first_failed_at = number("dlq-first-failed-at").map(Timestamp::from_millis);
        let size = number("dlq-size").and_then(|size| u64::try_from(size).ok());
        self.unkept = size.map(|size| Unkept { size, sha256: word(headers.last("dlq-sha256")) });
    }
}

fn position(headers: Headers<'_>, names: &[String; 3], number: fn(&[u8]) -> Option<i64>) -> Option<Position> {
    let [topic, partition, offset] = names.each_ref().map(|name| first(headers, name));
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let topic = topic.filter(|topic| (1..=249).contains(&topic.len()) && topic.iter().all(|byte| is_legal(*byte)))?;
    let partition = i32::try_from(number(partition?)?).ok().filter(|number| *number >= 0)?;
    let offset = number(offset?).filter(|offset| *offset >= 0)?;
    Some(Position { partition: Partition { topic: std::str::from_utf8(topic).ok()?.into(), number: partition }, offset })
}

/// The first of its name: who fails again on the way adds its own behind.
fn first<'a>(headers: Headers<'a>, name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(found, _)| *found == name).and_then(|(_, value)| value)
}

fn decimal(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Java's `int` or `long` as its bytes; a text of digits too, as some relays make of them.
fn big_endian(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        4 => bytes.try_into().ok().map(i32::from_be_bytes).map(i64::from),
        8 => bytes.try_into().ok().map(i64::from_be_bytes),
        _ => decimal(bytes),
    }
}

/// A word that a program has for something; anything else may be somebody's data.
fn word(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return String::new() };
    let is_plain = bytes.len() <= 120 && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'));
    if is_plain { String::from_utf8_lossy(bytes).into_owned() } else { "unreadable".to_owned() }
}

/// `org.apache.kafka.connect.errors.DataException` → `DataException`.
fn class(bytes: Option<&[u8]>) -> String {
    let word = word(bytes);
    word.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::HeaderSpan;

    /// What is told by headers of these names and values.
    fn letter(headers: &[(&str, &[u8])]) -> Letter {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for (name, value) in headers {
            let start = bytes.len();
            bytes.extend_from_slice(name.as_bytes());
            let middle = bytes.len();
            bytes.extend_from_slice(value);
            spans.push(HeaderSpan { name: start..middle, value: Some(middle..bytes.len()) });
        }
        let at = Position { partition: Partition { topic: "dead".into(), number: 0 }, offset: 9 };
        let received_at = Timestamp::from_millis(5);
        Letter::of(&Record { at, received_at, key: None, value: None, headers: Headers::new(&bytes, &spans) })
    }

    fn told(letter: &Letter) -> (Dialect, Option<String>, i64, &str, &str) {
        let origin = letter.origin.as_ref().map(ToString::to_string);
        (letter.dialect, origin, letter.received_at.millis(), &letter.stage, &letter.code)
    }

    #[test]
    fn leadstreams_own_are_read_whole() {
        let ours = letter(&[
            ("dlq-topic", b"leads.raw"),
            ("dlq-partition", b"3"),
            ("dlq-offset", b"41"),
            ("dlq-timestamp", b"1000"),
            ("dlq-stage", b"decode"),
            ("dlq-code", b"too_many_leads"),
            ("dlq-field", b"[2]"),
            ("dlq-detail", b"a sentence"),
            ("dlq-attempt", b"2"),
            ("dlq-first-failed-at", b"2000"),
            ("dlq-size", b"7"),
            ("dlq-sha256", b"ab"),
        ]);
        assert_eq!(told(&ours), (Dialect::Leadstream, Some("leads.raw/3/41".into()), 1000, "decode", "too_many_leads"));
        assert_eq!((ours.field.as_str(), ours.detail.as_str(), ours.attempts), ("[2]", "a sentence", 2));
        assert_eq!(ours.first_failed_at, Some(Timestamp::from_millis(2000)));
        assert_eq!(ours.unkept, Some(Unkept { size: 7, sha256: "ab".into() }));
    }

    #[test]
    fn kafka_connects_numbers_are_text_and_its_messages_are_not_kept() {
        let connect = letter(&[
            ("__connect.errors.topic", b"crm"),
            ("__connect.errors.partition", b"0"),
            ("__connect.errors.offset", b"12"),
            ("__connect.errors.stage", b"VALUE_CONVERTER"),
            ("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
            ("__connect.errors.exception.message", b"cannot convert jane@adatum.example"),
        ]);
        assert_eq!(told(&connect), (Dialect::Connect, Some("crm/0/12".into()), 5, "VALUE_CONVERTER", "DataException"));
        assert!(!format!("{connect:?}").contains("jane"));
    }

    #[test]
    fn springs_numbers_are_big_endian_bytes_and_the_first_origin_counts() {
        let spring = letter(&[
            ("kafka_dlt-original-topic", b"crm"),
            ("kafka_dlt-original-topic", b"crm-retry"),
            ("kafka_dlt-original-partition", &2_i32.to_be_bytes()),
            ("kafka_dlt-original-offset", &300_i64.to_be_bytes()),
            ("kafka_dlt-original-timestamp", &1_793_491_200_000_i64.to_be_bytes()),
            ("kafka_dlt-exception-fqcn", b"org.springframework.kafka.listener.ListenerExecutionFailedException"),
            ("kafka_dlt-exception-cause-fqcn", b"java.lang.IllegalStateException"),
        ]);
        assert_eq!(told(&spring), (Dialect::Spring, Some("crm/2/300".into()), 1_793_491_200_000, "", "IllegalStateException"));
    }

    #[test]
    fn kafka_streams_are_read_and_what_nobody_wrote_is_unknown() {
        let streams = letter(&[
            ("__streams.errors.topic", b"crm"),
            ("__streams.errors.partition", b"1"),
            ("__streams.errors.offset", b"5"),
            ("__streams.errors.exception", b"org.apache.kafka.common.errors.SerializationException"),
        ]);
        assert_eq!(told(&streams), (Dialect::Streams, Some("crm/1/5".into()), 5, "", "SerializationException"));
        assert_eq!(told(&letter(&[("x", b"y")])), (Dialect::Unknown, None, 5, "", "unknown"));
    }

    #[test]
    fn words_that_could_name_somebody_and_places_that_cannot_be_are_left_out() {
        let forged = letter(&[
            ("dlq-code", b"jane doe"),
            ("dlq-topic", b"jane@adatum.example"),
            ("dlq-partition", b"0"),
            ("dlq-offset", b"-1"),
            ("dlq-attempt", b"many"),
        ]);
        assert_eq!((forged.code.as_str(), &forged.origin, forged.attempts), ("unreadable", &None, 1));
    }

    #[test]
    fn a_records_own_headers_are_told_from_those_of_its_failure() {
        for (dialect, own, others) in [
            (Dialect::Leadstream, "dlq-code", "dlq-mine"),
            (Dialect::Leadstream, "dlq-attempt", "lead-replay"),
            (Dialect::Connect, "__connect.errors.stage", "lead-format"),
            (Dialect::Spring, "kafka_dlt-exception-message", "kafka_other"),
            (Dialect::Streams, "__streams.errors.message", "x"),
        ] {
            assert!(dialect.is_its_own(own) && !dialect.is_its_own(others), "{dialect:?}");
        }
        assert!(!Dialect::Unknown.is_its_own("dlq-code"));
    }
}

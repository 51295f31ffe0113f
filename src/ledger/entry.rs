//! One entry of the ledger, as it is written and read, and the chain that ties it to the one before. What its counts are made of
//! is `accounts`'.

use std::{collections::BTreeMap, fmt::Write as _};

use apache_avro::{Schema, reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use serde::{
    Deserialize,
    ser::{Serialize, SerializeStruct, Serializer},
};
use sha2::{Digest, Sha256};

use crate::{
    pipeline::{EventFormat, frame},
    schemas::{self, RecordKind},
};

/// What one transaction did with a stretch of one input partition. It holds no time: what is decided knows none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LedgerEntry {
    /// Who decided: groups that read the same topics may share a ledger.
    pub group: String,
    /// The input topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// The first offset covered: where the group stood.
    pub from: i64,
    /// The offset after the last covered: where the group stands now. Not every offset in between need hold a record.
    pub to: i64,
    /// Records read.
    pub records: i64,
    /// Leads found in them.
    pub leads: i64,
    /// Events written to the topic of qualified leads.
    #[serde(default)]
    pub qualified: i64,
    /// Events written to the topic of unqualified leads.
    #[serde(default)]
    pub unqualified: i64,
    /// Events written to the topic of routed leads.
    #[serde(default)]
    pub routed: i64,
    /// Dead letters written, by code.
    #[serde(default)]
    pub dead_letters: BTreeMap<String, i64>,
    /// Digest of all outputs, keys and values, whatever their order; 32 hex digits.
    pub digest: String,
    /// By which ruleset it was decided; a canary's stands beside the main one.
    #[serde(default)]
    pub rulesets: Vec<LedgerRuleset>,
    /// By which tables: name to hash.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// `chain` of the entry before; empty where there is none.
    #[serde(default)]
    pub previous: String,
    /// SHA-256 of this entry's JSON form without this field; 64 hex digits.
    pub chain: String,
}

/// A ruleset, as events name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct LedgerRuleset {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of its contents.
    pub hash: String,
}

impl Serialize for LedgerEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON leaves out what is empty; Avro has every field.
        let whole = !serializer.is_human_readable();
        let mut record = serializer.serialize_struct("LedgerEntry", 16)?;
        record.serialize_field("group", &self.group)?;
        record.serialize_field("topic", &self.topic)?;
        record.serialize_field("partition", &self.partition)?;
        record.serialize_field("from", &self.from)?;
        record.serialize_field("to", &self.to)?;
        record.serialize_field("records", &self.records)?;
        record.serialize_field("leads", &self.leads)?;
        record.serialize_field("qualified", &self.qualified)?;
        record.serialize_field("unqualified", &self.unqualified)?;
        record.serialize_field("routed", &self.routed)?;
        if whole || !self.dead_letters.is_empty() {
            record.serialize_field("dead_letters", &self.dead_letters)?;
        }
        record.serialize_field("digest", &self.digest)?;
        if whole || !self.rulesets.is_empty() {
            record.serialize_field("rulesets", &self.rulesets)?;
        }
        if whole || !self.tables.is_empty() {
            record.serialize_field("tables", &self.tables)?;
        }
        if whole || !self.previous.is_empty() {
            record.serialize_field("previous", &self.previous)?;
        }
        if whole || !self.chain.is_empty() {
            record.serialize_field("chain", &self.chain)?;
        }
        record.end()
    }
}

impl LedgerEntry {
    /// The same, tied to what `previous` heads; all else must be in place.
    #[must_use]
    pub fn chained(self, previous: &str) -> Self {
        let mut entry = Self { previous: previous.to_owned(), ..self };
        entry.chain = entry.computed_chain();
        entry
    }

    /// What `chain` must be.
    #[must_use]
    pub fn computed_chain(&self) -> String {
        let unchained = Self { chain: String::new(), ..self.clone() };
        // Writing to memory cannot fail, and every field has a form in JSON.
        let text = serde_json::to_vec(&unchained).unwrap_or_default();
        hex(&text)
    }

    /// Dead letters of all codes.
    #[must_use]
    pub fn dead_lettered(&self) -> i64 {
        self.dead_letters.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// What cannot be of an entry, whoever wrote it.
    #[must_use]
    pub fn nonsense(&self) -> Option<String> {
        let Self { from, to, records, leads, qualified, unqualified, routed, .. } = self;
        if *from < 0 || from >= to {
            return Some(format!("it is said to cover offsets from {from} up to and without {to}"));
        }
        let counts = [records, leads, qualified, unqualified, routed].into_iter().chain(self.dead_letters.values());
        // No transaction has more, and sums of these stay numbers.
        let most = i64::from(i32::MAX);
        let wrong = counts.copied().find(|count| !(0..=most).contains(count));
        wrong
            .map(|count| format!("it counts {count} of something"))
            .or_else(|| (*records > to - from).then(|| format!("it tells of {records} records in {} offsets", to - from)))
    }

    /// The key under which it is written: the input partition, so that the entries of one stand in order.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }

    /// Appends the entry's value.
    pub fn write(&self, format: EventFormat, out: &mut Vec<u8>) {
        if format == EventFormat::Json {
            // Writing to memory cannot fail.
            let _ = serde_json::to_writer(out, self);
            return;
        }
        let latest = RecordKind::LedgerEntry.latest();
        frame(RecordKind::LedgerEntry, format, out);
        // An entry is some hundred bytes a batch: a writer for each is cheap enough, and the schema takes every entry.
        if let Ok(writer) = GenericDatumWriter::builder(&latest.schema).human_readable(false).build() {
            let _ = writer.write_ser(out, self);
        }
    }

    /// Reads an entry's value, whichever way it is written.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn read(value: &[u8]) -> Result<Self, String> {
        if value.first() == Some(&b'{') {
            return serde_json::from_slice(value).map_err(|error| format!("it is no entry of the ledger: {error}"));
        }
        let latest = &RecordKind::LedgerEntry.latest().schema;
        let (schema, mut datum): (&Schema, &[u8]) = match value {
            [0xc3, 0x01, rest @ ..] => {
                let (fingerprint, datum) = rest.split_first_chunk::<8>().ok_or("it ends within its fingerprint")?;
                let released = schemas::by_fingerprint(*fingerprint).ok_or("its schema is not among the released ones")?;
                (&released.schema, datum)
            }
            // Of a registry's number nothing is known here; there is one version, and a later one may be read by it.
            [0, _, _, _, _, datum @ ..] => (latest, datum),
            _ => return Err("it is neither JSON nor Avro".to_owned()),
        };
        let reader = GenericDatumReader::builder(schema).reader_schema(latest).build();
        let read = reader.and_then(|reader| reader.read_value(&mut datum)).and_then(|value| apache_avro::from_value(&value));
        read.map_err(|error| format!("it is no entry of the ledger: {error}"))
    }
}

/// SHA-256, as hex digits.
fn hex(text: &[u8]) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What stands beside a committed offset: the head of the partition's chain, so that whoever has the partition next goes on with
/// it without reading the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head(String);

/// What a note of ours begins with; the number is the form's.
const NOTE: &str = "leadstream ledger 1 ";

impl Head {
    /// After this entry.
    #[must_use]
    pub fn after(entry: &LedgerEntry) -> Self {
        Self(entry.chain.clone())
    }

    /// Of a note; where it is none of ours, the chain begins anew.
    #[must_use]
    pub fn of(note: &str) -> Self {
        let digits = note.strip_prefix(NOTE).filter(|chain| chain.len() == 64 && chain.bytes().all(|byte| byte.is_ascii_hexdigit()));
        Self(digits.unwrap_or_default().to_owned())
    }

    /// The `chain` of the last entry; empty: there is none.
    #[must_use]
    pub fn chain(&self) -> &str {
        &self.0
    }

    /// As it is noted.
    #[must_use]
    pub fn note(&self) -> String {
        format!("{NOTE}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LedgerEntry {
        let entry = LedgerEntry {
            group: "leadstream".to_owned(),
            topic: "leads.raw".to_owned(),
            partition: 3,
            from: 17,
            to: 20,
            records: 3,
            leads: 2,
            qualified: 1,
            unqualified: 1,
            routed: 2,
            dead_letters: BTreeMap::from([("malformed_json".to_owned(), 1)]),
            digest: "0".repeat(32),
            rulesets: vec![LedgerRuleset { name: "default".to_owned(), version: "1".to_owned(), hash: "ab".to_owned() }],
            tables: BTreeMap::new(),
            ..LedgerEntry::default()
        };
        entry.chained("")
    }

    #[test]
    fn what_is_written_is_read_in_every_form() {
        for entry in [entry(), entry().chained(&"a".repeat(64)), LedgerEntry::default().chained("")] {
            for format in [EventFormat::Json, EventFormat::SingleObject, EventFormat::Confluent(7)] {
                let mut value = Vec::new();
                entry.write(format, &mut value);
                assert_eq!(LedgerEntry::read(&value).as_ref(), Ok(&entry), "{format:?}");
            }
        }
        for value in [b"".as_slice(), b"{}", b"[]", b"\xc3\x01abc", b"\xc3\x01abcdefgh", b"\0\0\0\0\x01\xff\xff"] {
            assert!(LedgerEntry::read(value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn the_chain_is_the_digest_of_the_json_without_it_and_every_field_counts() {
        let entry = entry();
        let mut json = Vec::new();
        entry.write(EventFormat::Json, &mut json);
        let json = String::from_utf8(json).expect("text");
        let cut = json.replace(&format!(",\"chain\":\"{}\"", entry.chain), "");
        assert_eq!(entry.chain, hex(cut.as_bytes()));
        let changes: [fn(&mut LedgerEntry); 6] = [
            |entry| entry.to += 1,
            |entry| entry.routed -= 1,
            |entry| entry.dead_letters.clear(),
            |entry| entry.digest.replace_range(..1, "1"),
            |entry| entry.rulesets.clear(),
            |entry| entry.previous.push('0'),
        ];
        for change in changes {
            let mut other = entry.clone();
            change(&mut other);
            assert_ne!(other.computed_chain(), entry.chain);
        }
    }

    #[test]
    fn a_head_is_noted_and_what_is_no_head_begins_a_chain() {
        let head = Head::after(&entry());
        assert_eq!(Head::of(&head.note()), head);
        for note in ["", "something else", "leadstream ledger 1 ", "leadstream ledger 1 xyz", "leadstream ledger 2 00"] {
            assert_eq!(Head::of(note), Head::default(), "{note:?}");
        }
    }
}

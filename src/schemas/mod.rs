//! The released Avro schemas, compiled in: which records there are, their versions, and how each is told apart on the wire.
//! Pure; how a decision fills a record is `pipeline::encode`'s, what a registry knows of them is the shell's.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod container;
pub mod document;
pub mod evolution;
pub mod headers;
pub mod json_schema;
mod writer;

pub use container::{ContainerSchema, Holds};
pub use writer::{Node, NodeId, Unit, WriterSchema};

use std::sync::LazyLock;

use apache_avro::{
    Schema,
    rabin::Rabin,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};

/// The records that have schemas, in the order of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A raw lead as producers write it.
    RawLead,
    /// A lead that qualifies.
    QualifiedLead,
    /// A lead that does not.
    UnqualifiedLead,
    /// A lead on its way to a destination.
    LeadRouted,
    /// What a transaction did with a stretch of an input partition.
    LedgerEntry,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::RawLead, Self::QualifiedLead, Self::UnqualifiedLead, Self::LeadRouted, Self::LedgerEntry];

    /// The record's name, also that of its folder in `schemas/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RawLead => "RawLead",
            Self::QualifiedLead => "QualifiedLead",
            Self::UnqualifiedLead => "UnqualifiedLead",
            Self::LeadRouted => "LeadRouted",
            Self::LedgerEntry => "LedgerEntry",
        }
    }

    /// The version that is written, or against which what is read is resolved.
    #[must_use]
    pub fn latest(self) -> &'static Released {
        // Every kind has a version: `released` names them all, and a test counts.
        released().iter().rfind(|schema| schema.kind == self).unwrap_or(&released()[0])
    }
}

/// One released version of one record's schema.
#[derive(Debug)]
pub struct Released {
    /// Which record.
    pub kind: RecordKind,
    /// From 1.
    pub version: u32,
    /// The file as released.
    pub text: &'static str,
    /// The same, parsed.
    pub schema: Schema,
    /// CRC-64-AVRO of the parsing canonical form, in the byte order of single-object encoding (Avro specification, "Single-object
    /// encoding").
    pub fingerprint: [u8; 8],
}

impl Released {
    /// That a reader with this schema can read what was written with another.
    ///
    /// # Errors
    /// Why it cannot, for a person.
    pub fn reads(&self, text: &str) -> Result<(), String> {
        can_read(&parsed(text)?, &self.schema)
    }

    /// That a reader with another schema can read what is written with this one.
    ///
    /// # Errors
    /// Why it cannot, for a person.
    pub fn is_read_by(&self, text: &str) -> Result<(), String> {
        can_read(&self.schema, &parsed(text)?)
    }
}

fn parsed(text: &str) -> Result<Schema, String> {
    Schema::parse_str(text).map_err(|error| format!("it is no Avro schema: {error}"))
}

fn can_read(written: &Schema, reader: &Schema) -> Result<(), String> {
    match SchemaCompatibility::can_read(written, reader) {
        Ok(Compatibility::Full) => Ok(()),
        Ok(Compatibility::Partial) => Err("not every value of it resolves".to_owned()),
        Err(error) => Err(writer::words(&error)),
    }
}

/// The files, oldest first of each record.
const FILES: [(RecordKind, u32, &str); 5] = [
    (RecordKind::RawLead, 1, include_str!("../../schemas/RawLead/v1.avsc")),
    (RecordKind::QualifiedLead, 1, include_str!("../../schemas/QualifiedLead/v1.avsc")),
    (RecordKind::UnqualifiedLead, 1, include_str!("../../schemas/UnqualifiedLead/v1.avsc")),
    (RecordKind::LeadRouted, 1, include_str!("../../schemas/LeadRouted/v1.avsc")),
    (RecordKind::LedgerEntry, 1, include_str!("../../schemas/LedgerEntry/v1.avsc")),
];

/// All released schemas, in the order of [`RecordKind::ALL`], oldest first of each.
pub fn released() -> &'static [Released] {
    static RELEASED: LazyLock<Vec<Released>> = LazyLock::new(|| {
        FILES
            .iter()
            .map(|(kind, version, text)| {
                // The files are part of the program: one that is no schema fails every test.
                #[allow(clippy::expect_used)]
                let schema = Schema::parse_str(text).expect("a released schema is one");
                let fingerprint = fingerprint(&schema);
                Released { kind: *kind, version: *version, text, schema, fingerprint }
            })
            .collect()
    });
    &RELEASED
}

/// The fingerprint that every other implementation computes.
fn fingerprint(schema: &Schema) -> [u8; 8] {
    // apache-avro 0.22 leaves `{"type":"long"}` of a type that had a logical one, where the canonical form is `"long"`. In this
    // form there is nothing else but names, and no name has a brace; so the text can be put right, and read again.
    let mut canonical = schema.canonical_form();
    for primitive in ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] {
        canonical = canonical.replace(&format!("{{\"type\":\"{primitive}\"}}"), &format!("\"{primitive}\""));
    }
    let digest = Schema::parse_str(&canonical).as_ref().unwrap_or(schema).fingerprint::<Rabin>().bytes;
    let mut fingerprint = [0; 8];
    fingerprint.iter_mut().zip(&digest).for_each(|(byte, found)| *byte = *found);
    fingerprint
}

/// The released schema of this fingerprint.
#[must_use]
pub fn by_fingerprint(fingerprint: [u8; 8]) -> Option<&'static Released> {
    released().iter().find(|schema| schema.fingerprint == fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_other_implementations() {
        // What Java's SchemaNormalization (Apache Avro 1.12.2) and fastavro 1.13 say of the same files.
        let told = [
            (RecordKind::RawLead, 1, 0xbfb2_1de6_4369_edc2),
            (RecordKind::QualifiedLead, 1, 0x3309_37be_65a8_79d4),
            (RecordKind::UnqualifiedLead, 1, 0x06ab_a8a5_a235_7775),
            (RecordKind::LeadRouted, 1, 0x9a53_5e42_d30c_533a_u64),
        ];
        for (kind, version, fingerprint) in told {
            let ours = released().iter().find(|schema| (schema.kind, schema.version) == (kind, version)).expect("released");
            assert_eq!(u64::from_be_bytes(ours.fingerprint), fingerprint, "{} {version}", kind.name());
        }
    }

    #[test]
    fn every_record_has_versions_counted_from_one() {
        for kind in RecordKind::ALL {
            let versions: Vec<_> = released().iter().filter(|schema| schema.kind == kind).map(|schema| schema.version).collect();
            assert_eq!(versions, (1..=u32::try_from(versions.len()).expect("few")).collect::<Vec<_>>(), "{}", kind.name());
            assert_eq!(kind.latest().version, *versions.last().expect("one at least"));
            assert_eq!(by_fingerprint(kind.latest().fingerprint).map(|schema| schema.kind), Some(kind));
        }
    }
}

//! `schemas list` and `schemas export`: what subscribers need to know, told and written out; `register` and `check`: the same
//! schemas at a registry. Here: what is told of a configuration. What the schemas say is `crate::schemas`'s.

mod asyncapi;
#[cfg(feature = "kafka")]
mod at_registry;
mod bundle;
mod cloud_events;
mod export;
mod list;

#[cfg(feature = "kafka")]
pub use at_registry::{check, put as register};
pub use bundle::files;
pub use export::export;
pub use list::list;

use crate::{
    config::{Config, Topics, ValueFormat},
    pipeline::{EventHeaders, OutputTopic},
    schemas::RecordKind,
};

/// How the values of a topic are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WireFormat {
    /// The JSON form.
    #[default]
    Json,
    /// Avro in the Confluent frame: 0, the registry's id of the schema in four bytes, the value.
    ConfluentFrame,
    /// Avro in single-object encoding: C3 01, the schema's fingerprint in eight bytes, the value.
    SingleObject,
}

impl WireFormat {
    /// The media type of such a value.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::ConfluentFrame | Self::SingleObject => "application/avro",
        }
    }

    /// For people.
    fn told(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::ConfluentFrame => "Avro, Confluent frame",
            Self::SingleObject => "Avro, single-object encoding",
        }
    }
}

/// What a subscriber sees of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Subscription {
    /// The topics' names.
    pub topics: Topics,
    /// How qualified leads are written.
    pub qualified: WireFormat,
    /// How unqualified leads are written.
    pub unqualified: WireFormat,
    /// How routed leads are written.
    pub routing: WireFormat,
    /// How the ledger is written.
    pub ledger: WireFormat,
    /// Which headers events carry.
    pub headers: EventHeaders,
}

impl Subscription {
    /// What this configuration leads to.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let encoding = &config.encoding;
        let format = |topic| match (encoding.format_of(topic), encoding.registry()) {
            (ValueFormat::Json, _) => WireFormat::Json,
            (ValueFormat::Avro, Some(_)) => WireFormat::ConfluentFrame,
            (ValueFormat::Avro, None) => WireFormat::SingleObject,
        };
        Self {
            topics: config.topics.clone(),
            qualified: format(OutputTopic::Qualified),
            unqualified: format(OutputTopic::Unqualified),
            routing: format(OutputTopic::Routing),
            ledger: format(OutputTopic::Ledger),
            headers: encoding.headers,
        }
    }

    /// The topics that hold a record; inputs may be several.
    fn topics(&self, kind: RecordKind) -> Vec<&str> {
        match kind {
            RecordKind::RawLead => self.topics.raw.iter().map(String::as_str).collect(),
            RecordKind::QualifiedLead => vec![&self.topics.qualified],
            RecordKind::UnqualifiedLead => vec![&self.topics.unqualified],
            RecordKind::LeadRouted => vec![&self.topics.routing],
            RecordKind::LedgerEntry => Some(self.topics.ledger.as_str()).filter(|name| !name.is_empty()).into_iter().collect(),
        }
    }

    /// How an event is written; a raw lead that has a schema at all is Avro, in either frame.
    fn format(&self, kind: RecordKind) -> WireFormat {
        match kind {
            RecordKind::RawLead => WireFormat::ConfluentFrame,
            RecordKind::QualifiedLead => self.qualified,
            RecordKind::UnqualifiedLead => self.unqualified,
            RecordKind::LeadRouted => self.routing,
            RecordKind::LedgerEntry => self.ledger,
        }
    }
}

/// The subject of a topic's values, by `TopicNameStrategy`.
#[must_use]
pub fn subject(topic: &str) -> String {
    format!("{topic}-value")
}

/// A fingerprint in hex, its bytes in the order in which they stand in a value.
fn hex(fingerprint: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(fingerprint))
}

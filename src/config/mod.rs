//! What a person writes, turned into what the program uses: one small typed struct a component. Every problem is reported
//! at once (`config::load`). Only this room reads environment variables and secret files.

mod encoding;
mod load;
mod memory;
mod otlp;
mod property;
mod quoting;
mod rules;
mod schema;
mod secret;
mod sources;
mod suggest;
mod syntax;
mod url;
mod written;

pub use encoding::{CompatibilityMode, EncodingConfig, RegistryConfig, ValueFormat};
pub use load::{inspect, load};
pub use memory::LaneMemory;
pub use otlp::OtlpConfig;
pub use property::{PropertyCheck, refused_properties};
pub use rules::{CanaryConfig, RulesConfig};
pub use schema::keys;
pub use secret::Secret;
pub use written::parse_duration;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use crate::pipeline::Limits;

/// The whole configuration. No component takes it whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[kafka]`.
    pub kafka: KafkaConfig,
    /// `[topics]`.
    pub topics: Topics,
    /// `[encoding]`.
    pub encoding: EncodingConfig,
    /// `[rules]`.
    pub rules: RulesConfig,
    /// `[tables]`.
    pub tables: TablesConfig,
    /// `[identity] key`.
    pub identity_key: Option<Secret>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[run]`.
    pub run: RunConfig,
    /// `[http] listen`.
    pub http: HttpConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[otlp]`.
    pub otlp: OtlpConfig,
}

/// How to reach the broker and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `bootstrap.servers`.
    pub brokers: String,
    /// `group.id`.
    pub group: String,
    /// Stable name of this process; empty: random at each start.
    pub instance: String,
    /// Properties for both clients, then for each; values may be secrets.
    pub client: BTreeMap<String, Secret>,
    /// For consumers only.
    pub consumer: BTreeMap<String, Secret>,
    /// For producers only.
    pub producer: BTreeMap<String, Secret>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            group: "leadstream".to_owned(),
            instance: String::new(),
            client: BTreeMap::new(),
            consumer: BTreeMap::new(),
            producer: BTreeMap::new(),
        }
    }
}

/// Topic names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// One or more inputs.
    pub raw: Vec<String>,
    /// `QualifiedLead`.
    pub qualified: String,
    /// `UnqualifiedLead`.
    pub unqualified: String,
    /// `LeadRouted`.
    pub routing: String,
    /// The original bytes.
    pub dead_letter: String,
    /// `LedgerEntry`; empty: no ledger is kept.
    pub ledger: String,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            raw: vec!["leads.raw".to_owned()],
            qualified: "leads.qualified".to_owned(),
            unqualified: "leads.unqualified".to_owned(),
            routing: "leads.routing".to_owned(),
            dead_letter: "leads.dead-letter".to_owned(),
            ledger: "leads.ledger".to_owned(),
        }
    }
}

impl Topics {
    /// The output topics that are written, with their names.
    pub fn outputs(&self) -> impl Iterator<Item = (crate::pipeline::OutputTopic, &str)> {
        crate::pipeline::OutputTopic::ALL.into_iter().map(|topic| (topic, self.name(topic))).filter(|(_, name)| !name.is_empty())
    }

    /// The name of an output topic; empty: it is not written.
    #[must_use]
    pub fn name(&self, topic: crate::pipeline::OutputTopic) -> &str {
        use crate::pipeline::OutputTopic;
        match topic {
            OutputTopic::Qualified => &self.qualified,
            OutputTopic::Unqualified => &self.unqualified,
            OutputTopic::Routing => &self.routing,
            OutputTopic::DeadLetter => &self.dead_letter,
            OutputTopic::Ledger => &self.ledger,
        }
    }
}

/// Where the tables are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablesConfig {
    /// `None`: no tables.
    pub dir: Option<PathBuf>,
}

/// Where a group without offsets starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// At the first record there is.
    #[default]
    Earliest,
    /// After the last record there is.
    Latest,
}

/// What becomes of a partition whose committed offset the broker no longer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLostPosition {
    /// It stands still until a person has decided.
    #[default]
    Stop,
    /// It goes on at the first record that is still there; what was passed over is counted and told.
    Earliest,
}

/// What is promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Outputs and offsets in one transaction.
    #[default]
    ExactlyOnce,
    /// Outputs first, then offsets.
    AtLeastOnce,
}

/// When a lane halts before it commits a flood of dead letters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadLetterGuard {
    /// Share of dead letters, above 0 and at most 1.
    pub ratio: f64,
    /// Over this many records; 0: off.
    pub over_records: u64,
}

impl Default for DeadLetterGuard {
    fn default() -> Self {
        Self { ratio: 1.0, over_records: 0 }
    }
}

/// How the service runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// Lanes (threads) in this process, 1 to 64.
    pub lanes: usize,
    /// Bytes that the queues of all lanes together may take.
    pub memory: usize,
    /// Longest time a record waits for its commit.
    pub commit_interval: Duration,
    /// Where a group without offsets starts.
    pub from: From,
    /// What becomes of a partition whose committed offset is gone.
    pub on_lost_position: OnLostPosition,
    /// What is promised.
    pub delivery: Delivery,
    /// When to halt.
    pub halt_on_dead_letters: DeadLetterGuard,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            lanes: 2,
            memory: 64 << 20,
            commit_interval: Duration::from_millis(100),
            from: From::default(),
            on_lost_position: OnLostPosition::default(),
            delivery: Delivery::default(),
            halt_on_dead_letters: DeadLetterGuard::default(),
        }
    }
}

/// Where HTTP listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}

/// Text or JSON lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: tracing::Level,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: tracing::Level::INFO }
    }
}

//! The only room that names rdkafka: the exactly-once lane (consumer, transactions, rebalances, errors), topics, and the
//! embedded broker of the demo. Knows records and outputs as bytes; no lead, no rule, no metric.

mod consumer;
mod embedded;
mod fences;
mod fetch;
mod group;
mod health;
mod lane;
mod native;
mod noted;
mod placement;
mod probe;
mod producer;
mod properties;
mod quiet;
mod range;
mod reasons;
mod record;
mod rights;
mod sabotage;
mod survey;
mod topics;
mod transactions;

pub use embedded::{Embedded, RawLeads};
pub use fetch::{Fetched, fetch};
pub use group::{GroupProgress, Movement};
pub use health::BrokerHealth;
pub use lane::{KafkaLane, LaneSettings};
pub use native::{GroupMember, Operation, PartitionReplicas, keep_freed_memory};
pub use noted::{End, Ends, NotedOffset, note_offsets, noted_offsets};
pub use probe::{Presence, Probe};
pub use properties::{check_clients, check_property, random_instance};
pub use range::{Span, read_range, spans, spans_from, written_ends};
pub use rights::{Resource, Right, principal};
pub use survey::{
    Backlog, BrokerSettings, ClusterState, GroupState, PartitionBacklog, Survey, TopicState, Unanswered, Unreached, transaction_timeout,
};
pub use topics::{Keeps, TopicFinding, TopicPlan, Topics};
pub use transactions::{NotCommitted, TransactionSettings, Transactions};

/// Names of the output topics, by `OutputTopic as usize`; empty: not written.
pub type OutputNames = [String; crate::pipeline::OutputTopic::COUNT];

/// What a caller is told when a call on the broker failed for now: who was asked for what, and why it failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

//! What `doctor` finds, as plain values: each with a code that stays, what it is about, what is the matter, and what to do. Why
//! it matters is the same for all findings of a code, and stands here.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// Exactly-once cannot hold, or nothing can run.
    Error,
    /// It holds until something else goes wrong.
    Warning,
    /// Worth knowing.
    Info,
    /// Looked at, and good.
    Ok,
}

impl Severity {
    /// The word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Ok => "ok",
        }
    }
}

/// What a finding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InstanceUnset,
    IdentityKeyUnset,
    AtLeastOnce,
    CommitInterval,
    LogLevel,
    Plaintext,
    HttpListen,
    BrokerAway,
    BrokerRefuses,
    BrokerVersion,
    BrokerMarkers,
    BrokerSettings,
    TransactionTimeout,
    SessionTimeout,
    TransactionLog,
    OffsetsLog,
    UncleanElection,
    TopicMissing,
    TopicLeader,
    TopicReplication,
    TopicMinInsync,
    TopicCompacted,
    TopicNotCompacted,
    TopicRecordSize,
    TopicPartitions,
    TopicSettings,
    RightMissing,
    RightsUnknown,
    Transactions,
    OpenTransaction,
    OffsetOutOfRange,
    Backlog,
    Retention,
    OffsetsRetention,
    TwinInstance,
    InstanceRunning,
    ForeignMember,
    ClockSkew,
    Readers,
    RegistryAway,
    SchemaRefused,
    Schema,
}

impl Code {
    /// All of them, in the order in which they are looked for.
    const ALL: [Self; 42] = [
        Self::InstanceUnset,
        Self::IdentityKeyUnset,
        Self::AtLeastOnce,
        Self::CommitInterval,
        Self::LogLevel,
        Self::Plaintext,
        Self::HttpListen,
        Self::BrokerAway,
        Self::BrokerRefuses,
        Self::BrokerVersion,
        Self::BrokerMarkers,
        Self::BrokerSettings,
        Self::TransactionTimeout,
        Self::SessionTimeout,
        Self::TransactionLog,
        Self::OffsetsLog,
        Self::UncleanElection,
        Self::TopicMissing,
        Self::TopicLeader,
        Self::TopicReplication,
        Self::TopicMinInsync,
        Self::TopicCompacted,
        Self::TopicNotCompacted,
        Self::TopicRecordSize,
        Self::TopicPartitions,
        Self::TopicSettings,
        Self::RightMissing,
        Self::RightsUnknown,
        Self::Transactions,
        Self::OpenTransaction,
        Self::OffsetOutOfRange,
        Self::Backlog,
        Self::Retention,
        Self::OffsetsRetention,
        Self::TwinInstance,
        Self::InstanceRunning,
        Self::ForeignMember,
        Self::ClockSkew,
        Self::Readers,
        Self::RegistryAway,
        Self::SchemaRefused,
        Self::Schema,
    ];

    /// Its name, which stays.
    pub(super) fn name(self) -> &'static str {
        self.told().0
    }

    /// Why it matters.
    pub(super) fn why(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::InstanceUnset => (
                "instance_unset",
                "each start takes new transactional ids, so a transaction that a killed process left open holds readers up \
                 until the broker ends it after 15 s",
            ),
            Self::IdentityKeyUnset => ("identity_key_unset", "whoever knows an e-mail address can recompute its person_key"),
            Self::AtLeastOnce => {
                ("at_least_once", "after a crash or a rebalance some records are decided, and their events written, again")
            }
            Self::CommitInterval => {
                ("commit_interval", "what is gathered for so long is written in one transaction, which the broker ends after 15 s")
            }
            Self::LogLevel => ("log_level", "every request to the broker becomes a line, and the lines cost more than the leads"),
            Self::Plaintext => ("plaintext", "whoever sees the network reads people's data, and a password with it"),
            Self::HttpListen => ("http_listen", "metrics and status, which name topics and rules but no person, are open to the network"),
            Self::BrokerAway => ("broker_away", "nothing can be decided, nor looked at, without a broker"),
            Self::BrokerRefuses => ("broker_refuses", "nothing can be decided until both sides trust each other and speak alike"),
            Self::BrokerVersion => (
                "broker_version",
                "transactions that carry a group's generation came with Apache Kafka 2.5; without them a lane that lost \
                 its partitions could still commit",
            ),
            Self::BrokerMarkers => (
                "broker_markers",
                "a transaction that ends while one of its partitions has no leader is never ended there: what it committed may stay \
                 hidden, and what it aborted may come to light with the next commit",
            ),
            Self::BrokerSettings => ("broker_settings", "what the principal may not see was not looked at"),
            Self::TransactionTimeout => (
                "transaction_timeout",
                "the broker refuses a producer that asks for a longer transaction than it allows, and every batch with it",
            ),
            Self::SessionTimeout => ("session_timeout", "the broker lets no member in that asks for another session than it allows"),
            Self::TransactionLog => (
                "transaction_log",
                "what was committed is remembered in this topic alone: if its one copy goes, or lags, so does the promise",
            ),
            Self::OffsetsLog => {
                ("offsets_log", "what was decided is remembered in this topic alone: if its one copy goes, leads are decided again")
            }
            Self::UncleanElection => ("unclean_election", "a broker that lags may become leader, and what was committed since is gone"),
            Self::TopicMissing => ("topic_missing", "a batch that must write to it, or read from it, waits until it is there"),
            Self::TopicLeader => ("topic_leader", "batches that touch this partition wait until a broker leads it again"),
            Self::TopicReplication => {
                ("topic_replication", "with fewer than three copies, one lost disk and one restart lose leads or stop the work")
            }
            Self::TopicMinInsync => (
                "topic_min_insync",
                "a commit counts as safe once min.insync.replicas copies have it: with one, the loss of one broker loses it; \
                 with more than there are, none is ever safe and every write is refused",
            ),
            Self::TopicNotCompacted => ("topic_not_compacted", "what is forgotten is retried again, and its leads are there twice"),
            Self::TopicCompacted => ("topic_compacted", "Kafka drops all but the last record of each key, and so most of a person's leads"),
            Self::TopicRecordSize => {
                ("topic_record_size", "a large lead leaves as dead letter output_too_large, a large dead letter without its value")
            }
            Self::TopicPartitions => {
                ("topic_partitions", "lanes share the partitions of the input: no more lanes work than it has partitions")
            }
            Self::TopicSettings => ("topic_settings", "what the principal may not see was not looked at"),
            Self::RightMissing => {
                ("right_missing", "the broker refuses the requests that need it; good records wait, none becomes a dead letter")
            }
            Self::RightsUnknown => ("rights_unknown", "what the broker does not tell was not looked at"),
            Self::Transactions => ("transactions", "outcomes and consumed offsets become visible together only in a transaction"),
            Self::OpenTransaction => (
                "open_transaction",
                "readers of committed records get no further than its beginning, and where it is in the input, neither does this group",
            ),
            Self::OffsetOutOfRange => (
                "offset_out_of_range",
                "records were deleted before they were decided, or the topic was made anew: run lets this partition \
                 stand still rather than pass over them",
            ),
            Self::Backlog => ("backlog", "these records are still to be decided"),
            Self::Retention => ("retention", "records that are deleted before they are decided are lost, and the partition stands still"),
            Self::OffsetsRetention => (
                "offsets_retention",
                "a group without members for so long loses its offsets, and starts again by run.from: what the topic still \
                 holds is decided twice, or passed over",
            ),
            Self::TwinInstance => (
                "twin_instance",
                "two processes of one name take the same transactional ids from each other, batch by batch, until one gives up",
            ),
            Self::InstanceRunning => ("instance_running", "a second process of this name would take its transactional ids"),
            Self::ForeignMember => ("foreign_member", "it shares the partitions, and what it is given leadstream does not decide"),
            Self::ClockSkew => {
                ("clock_skew", "received_at, and every time that follows from it, is the record's; a clock ahead makes deadlines late")
            }
            Self::Readers => (
                "readers",
                "a reader without isolation.level=read_committed sees the events of aborted transactions too, and the same event twice",
            ),
            Self::RegistryAway => ("registry_away", "nothing starts that writes Avro, and records with schemas not seen before wait"),
            Self::SchemaRefused => ("schema_refused", "run ends with exit code 64 when a schema it writes cannot be registered"),
            Self::Schema => ("schema", "subscribers read events by the schema the registry has"),
        }
    }
}

/// The codes of all findings, and why each matters, for the reference page.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    Code::ALL.into_iter().map(Code::told)
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How bad it is.
    pub(super) severity: Severity,
    /// Of what kind.
    pub(super) code: Code,
    /// What it is about: a key, a topic, a group.
    pub(super) subject: String,
    /// What is the matter.
    pub(super) message: String,
    /// What to do; empty: nothing.
    pub(super) fix: String,
}

impl Finding {
    pub(super) fn error(code: Code, subject: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, subject: subject.into(), message: message.into(), fix: fix.into() }
    }

    pub(super) fn warning(code: Code, subject: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, subject, message, fix) }
    }

    pub(super) fn info(code: Code, subject: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Info, ..Self::error(code, subject, message, fix) }
    }

    pub(super) fn ok(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Ok, ..Self::error(code, subject, message, "") }
    }
}

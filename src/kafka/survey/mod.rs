//! What a cluster tells of itself to one who asks before anything runs: brokers, settings, topics, the group, what the principal
//! may do, and whether a transaction could begin. Changes nothing and writes no record; what is good or bad is `doctor`'s to say.

mod apis;
mod backlog;

pub use backlog::{Backlog, PartitionBacklog};

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, OwnedResourceSpecifier, ResourceSpecifier},
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::{BaseProducer, Producer},
};

use crate::config::{Delivery, KafkaConfig};

use super::{
    Unavailable,
    native::{self, GroupMember, Operation, PartitionReplicas},
    properties::{self, Packing},
    quiet::{self, Quiet},
    range,
    reasons::is_hanging_up,
    rights::is_denial,
};

/// How long one answer may take.
const CALL: Duration = Duration::from_secs(5);

/// How long the first answer may take, in several goes: between two, it is seen whether somebody has refused.
const PATIENCE: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(4)];

/// More groups are not looked at.
const MOST_GROUPS: usize = 500;
/// Longer than a transaction of a lane at work.
const TRANSACTION: Duration = Duration::from_secs(2);

/// Settings by name, as the broker has them.
pub type BrokerSettings = BTreeMap<String, String>;

/// Why there is nothing to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Nobody answers.
    Away(String),
    /// Somebody does, and one side does not trust the other (a password, a certificate), or speaks otherwise.
    Refused(String),
}

/// Why a question was not answered by one who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The principal may not ask.
    NotAllowed,
    /// Any other reason.
    Failed(String),
}

/// The brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterState {
    /// Their numbers.
    pub nodes: Vec<i32>,
    /// What the principal may do to the cluster as a whole, if told.
    pub operations: Option<Vec<Operation>>,
    /// The highest version of each kind of request that the broker takes, by number; none where it could not be learnt.
    pub requests: BTreeMap<i16, i16>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// It is there.
    Present {
        /// Where its copies are.
        partitions: Vec<PartitionReplicas>,
        /// What the principal may do to it, if told.
        operations: Option<Vec<Operation>>,
        /// Its settings, if the principal may see them.
        settings: Option<BrokerSettings>,
    },
    /// It does not exist.
    Absent,
    /// The principal may not even know whether it exists.
    Hidden,
    /// The broker answered something else.
    Unclear(String),
}

/// The group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Those who are in it now.
    pub members: Vec<GroupMember>,
    /// What the principal may do to it, if told.
    pub operations: Option<Vec<Operation>>,
}

/// One who asks.
pub struct Survey {
    kafka: KafkaConfig,
    client: BaseConsumer<Quiet>,
    admin: AdminClient<Quiet>,
    runtime: tokio::runtime::Runtime,
}

impl Survey {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn new(kafka: &KafkaConfig) -> Result<Self, Unavailable> {
        let refused = |error: KafkaError| Unavailable(format!("creating a client: {error}; see [kafka.client] and [kafka.consumer]"));
        Ok(Self {
            kafka: kafka.clone(),
            client: properties::observer(kafka).create_with_context(Quiet::default()).map_err(refused)?,
            admin: properties::admin(kafka).create_with_context(Quiet::default()).map_err(refused)?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .map_err(|error| Unavailable(format!("starting the control runtime: {error}")))?,
        })
    }

    /// The brokers, as soon as one answers.
    ///
    /// # Errors
    /// When none does within a few seconds.
    pub fn cluster(&self) -> Result<ClusterState, Unreached> {
        let mut described = Err(KafkaError::AdminOp(Code::OperationTimedOut));
        for wait in PATIENCE {
            described = native::describe_cluster(self.client.client(), wait);
            let Err(error) = &described else { break };
            let Unavailable(why) = quiet::failed(&self.client, &format!("asking {}: {error}", self.kafka.brokers));
            // A refusal stays one, however long it is waited for.
            if self.client.context().was_refused() {
                return Err(Unreached::Refused(why));
            }
        }
        let described = described.map_err(|error| {
            let Unavailable(why) = quiet::failed(&self.client, &format!("asking {}: {error}", self.kafka.brokers));
            if is_hanging_up(&why) { Unreached::Refused(why) } else { Unreached::Away(why) }
        })?;
        Ok(ClusterState { nodes: described.nodes, operations: described.operations, requests: apis::versions(&self.kafka, CALL) })
    }

    /// The settings of one broker.
    ///
    /// # Errors
    /// When the principal may not see them, or the broker does not say.
    pub fn broker_settings(&self, node: i32) -> Result<BrokerSettings, Unanswered> {
        let mut found = self.settings(&[ResourceSpecifier::Broker(node)])?;
        found.pop().map_or_else(|| Err(Unanswered::Failed("no answer".to_owned())), |(_, settings)| settings)
    }

    /// The topics, in the order of `names`.
    ///
    /// # Errors
    /// When the broker does not say.
    pub fn topics(&self, names: &[String]) -> Result<Vec<TopicState>, Unanswered> {
        let described = native::describe_topics(self.client.client(), names, CALL).map_err(|error| unanswered(&error))?;
        let present: Vec<_> = described.iter().filter(|topic| topic.error.is_none()).map(|topic| topic.name.clone()).collect();
        let specifiers: Vec<_> = present.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let settings = if specifiers.is_empty() { Vec::new() } else { self.settings(&specifiers).unwrap_or_default() };
        let mut settings: BTreeMap<String, BrokerSettings> =
            settings.into_iter().filter_map(|(name, settings)| Some((name?, settings.ok()?))).collect();
        let mut states: BTreeMap<String, TopicState> = described
            .into_iter()
            .map(|topic| {
                let state = match topic.error {
                    None => TopicState::Present {
                        partitions: topic.partitions,
                        operations: topic.operations,
                        settings: settings.remove(&topic.name),
                    },
                    Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => TopicState::Absent,
                    Some(Code::TopicAuthorizationFailed) => TopicState::Hidden,
                    Some(code) => TopicState::Unclear(code.to_string()),
                };
                (topic.name, state)
            })
            .collect();
        let unnamed = || TopicState::Unclear("the broker did not answer for it".to_owned());
        Ok(names.iter().map(|name| states.remove(name).unwrap_or_else(unnamed)).collect())
    }

    /// Settings of resources of one kind, each with the name of its topic.
    #[allow(clippy::type_complexity)]
    fn settings(&self, of: &[ResourceSpecifier<'_>]) -> Result<Vec<(Option<String>, Result<BrokerSettings, Unanswered>)>, Unanswered> {
        let options = AdminOptions::new().request_timeout(Some(CALL));
        let described = self.runtime.block_on(self.admin.describe_configs(of, &options)).map_err(|error| unanswered(&error))?;
        let read = |resource: Result<rdkafka::admin::ConfigResource, Code>| match resource {
            Err(code) => (None, Err(unanswered_by(code))),
            Ok(resource) => {
                let entries = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
                let name = match resource.specifier {
                    OwnedResourceSpecifier::Topic(name) => Some(name),
                    _ => None,
                };
                (name, Ok(entries.collect()))
            }
        };
        Ok(described.into_iter().map(read).collect())
    }

    /// The group of the configuration.
    ///
    /// # Errors
    /// When the principal may not see it, or the broker does not say.
    pub fn group(&self) -> Result<GroupState, Unanswered> {
        let deadline = Instant::now() + CALL;
        let described = loop {
            let group = std::slice::from_ref(&self.kafka.group);
            let described = native::describe_groups(self.client.client(), group, CALL).map_err(|error| unanswered(&error))?;
            let Some(described) = described.into_iter().next() else {
                return Err(Unanswered::Failed("no answer".to_owned()));
            };
            // Nobody coordinates a cluster's first group until it was asked for, and a moment longer.
            let is_soon = described.error.is_some_and(range::coordinator_moves);
            if !is_soon || Instant::now() >= deadline {
                break described;
            }
            thread::sleep(Duration::from_millis(100));
        };
        match described.error {
            // Nobody has ever been in it.
            None | Some(Code::GroupIdNotFound) => Ok(GroupState { members: described.members, operations: described.operations }),
            Some(code) => Err(unanswered_by(code)),
        }
    }

    /// Other groups that the principal may see, and that read one of these topics now.
    pub fn readers(&self, topics: &[&str]) -> Vec<String> {
        let client = self.client.client();
        let names: Vec<_> = native::list_groups(client, CALL).unwrap_or_default().into_iter().take(MOST_GROUPS).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let groups = native::describe_groups(client, &names, CALL).unwrap_or_default();
        let reads = |topic: &String| topics.contains(&topic.as_str());
        groups
            .into_iter()
            .filter(|group| group.name != self.kafka.group && group.topics.iter().any(reads))
            .map(|group| group.name)
            .collect()
    }

    /// Partitions in which a transaction is open and stays so, with the offset before which all is decided.
    ///
    /// # Errors
    /// When the broker does not say.
    pub fn open_transactions(&self, partitions: &[(String, i32)]) -> Result<Vec<(String, i32, i64)>, Unanswered> {
        let look =
            |is_committed| native::end_offsets(self.client.client(), partitions, is_committed, CALL).map_err(|error| unanswered(&error));
        let open = || -> Result<Vec<(String, i32, i64)>, Unanswered> {
            // In this order: what is written between the two is open to neither.
            let (all, committed) = (look(false)?, look(true)?);
            let behind = committed.into_iter().filter(|(place, end)| all.get(place).is_some_and(|all| end < all));
            Ok(behind.map(|((topic, number), end)| (topic, number, end)).collect())
        };
        let first = open()?;
        if first.is_empty() {
            return Ok(first);
        }
        // One that is at work is at another offset by then.
        thread::sleep(TRANSACTION);
        let second = open()?;
        Ok(first.into_iter().filter(|place| second.contains(place)).collect())
    }

    /// How far the group is behind in these topics.
    ///
    /// # Errors
    /// When the principal may not see it, or the broker does not say.
    pub fn backlog(&self, topics: &[(&str, Vec<i32>)]) -> Result<Backlog, Unanswered> {
        let deadline = Instant::now() + CALL;
        loop {
            // A coordinator that has just begun says so at first, in one of several ways.
            match backlog::look(&self.client, topics).map_err(|error| unanswered(&error)) {
                Err(Unanswered::Failed(_)) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
                answer => return answer,
            }
        }
    }

    /// Takes `id` as a producer would, and gives it up again: whether transactions work here, and for this principal. An earlier
    /// owner of the id is fenced, so it must be one that no lane has.
    ///
    /// # Errors
    /// Why it could not be taken.
    pub fn take_transactional_id(&self, id: &str) -> Result<(), Unanswered> {
        let packing = Packing { largest: 1_000_000, together: 1_000_000, alone: false, on_the_way: 2 << 20 };
        let config = properties::producer(&self.kafka, Delivery::ExactlyOnce, id, packing);
        let producer: BaseProducer<Quiet> = config.create_with_context(Quiet::default()).map_err(|error| unanswered(&error))?;
        producer.init_transactions(2 * CALL).map_err(|error| unanswered(&error))
    }
}

/// How long the broker keeps a transaction of ours open, in milliseconds.
#[must_use]
pub fn transaction_timeout() -> Duration {
    properties::TRANSACTION_TIMEOUT
}

fn unanswered(error: &KafkaError) -> Unanswered {
    match error.rdkafka_error_code() {
        Some(code) if is_denial(code) => Unanswered::NotAllowed,
        _ => Unanswered::Failed(error.to_string()),
    }
}

fn unanswered_by(code: Code) -> Unanswered {
    if is_denial(code) { Unanswered::NotAllowed } else { Unanswered::Failed(code.to_string()) }
}

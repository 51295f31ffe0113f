//! Topics as the broker has them: creating the missing ones, and what they allow. Which topics there should be is the
//! caller's to say.

use std::time::Duration;

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, ConfigSource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
    },
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::config::KafkaConfig;

use super::{
    Unavailable,
    probe::{self, Presence},
    properties,
    quiet::{self, Quiet},
};

const CALL: Duration = Duration::from_secs(10);

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Name.
    pub name: String,
    /// Partitions, 1 or more.
    pub partitions: i32,
    /// Replicas; -1: the broker's default.
    pub replication: i32,
    /// `max.message.bytes`, if it must not be the broker's default.
    pub largest: Option<usize>,
    /// What is kept, and how long.
    pub keeps: Keeps,
}

/// What a topic keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// As long as the broker says.
    Broker,
    /// Every record, for ever.
    All,
    /// The last record of each key, for ever.
    Last,
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFinding {
    /// Name.
    pub name: String,
    /// Partitions; 0: there is no such topic.
    pub partitions: usize,
    /// It may be there, and the principal may not know it.
    pub is_hidden: bool,
    /// `max.message.bytes`, if the broker tells.
    pub largest: Option<usize>,
    /// `cleanup.policy`, if the broker tells.
    pub cleanup: Option<String>,
    /// `retention.ms`, if the broker tells.
    pub retention_ms: Option<i64>,
}

/// Asks and changes the cluster's topics.
pub struct Topics {
    client: AdminClient<Quiet>,
    /// For what needs no admin call: an admin client never hears why its broker is not there.
    reader: BaseConsumer<Quiet>,
    runtime: tokio::runtime::Runtime,
    brokers: String,
}

impl Topics {
    /// A client; connects when it is first asked.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn connect(kafka: &KafkaConfig) -> Result<Self, Unavailable> {
        let client = properties::admin(kafka)
            .create_with_context(Quiet::default())
            .map_err(|error| Unavailable(format!("creating an admin client: {error}; see [kafka.client]")))?;
        let reader = properties::observer(kafka)
            .create_with_context(Quiet::default())
            .map_err(|error| Unavailable(format!("creating a client: {error}; see [kafka.client] and [kafka.consumer]")))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| Unavailable(format!("starting the control runtime: {error}")))?;
        Ok(Self { client, reader, runtime, brokers: kafka.brokers.clone() })
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> Unavailable {
        quiet::failed(&self.reader, &format!("{what} at {}: {error}", self.brokers))
    }

    /// Creates what does not exist yet; for each, in order: was it made (`true`) or there already, or why not.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn create(&self, plans: &[TopicPlan]) -> Result<Vec<Result<bool, String>>, Unavailable> {
        let sizes: Vec<_> = plans.iter().map(|plan| plan.largest.map(|bytes| bytes.to_string())).collect();
        let topics: Vec<_> = plans
            .iter()
            .zip(&sizes)
            .map(|(plan, largest)| {
                let topic = NewTopic::new(&plan.name, plan.partitions, TopicReplication::Fixed(plan.replication));
                let topic = match plan.keeps {
                    Keeps::Broker => topic,
                    Keeps::All => topic.set("retention.ms", "-1").set("retention.bytes", "-1"),
                    Keeps::Last => topic.set("cleanup.policy", "compact"),
                };
                match largest {
                    Some(largest) => topic.set("max.message.bytes", largest),
                    None => topic,
                }
            })
            .collect();
        let options = AdminOptions::new().request_timeout(Some(CALL)).operation_timeout(Some(CALL));
        let results =
            self.runtime.block_on(self.client.create_topics(&topics, &options)).map_err(|error| self.failed("creating topics", &error))?;
        Ok(results
            .into_iter()
            .map(|result| match result {
                Ok(_) => Ok(true),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(false),
                Err((_, code)) => Err(code.to_string()),
            })
            .collect())
    }

    /// Creates what does not exist yet, each as another topic is: its partitions, replicas, and the settings it has of its own.
    ///
    /// # Errors
    /// When the broker does not answer, does not tell of the other topic, or refuses to make one.
    pub fn create_like(&self, pairs: &[(String, String)]) -> Result<(), Unavailable> {
        let metadata = self.reader.fetch_metadata(None, CALL).map_err(|error| self.failed("asking for the topics", &error))?;
        let of = |name: &str| metadata.topics().iter().find(|topic| topic.name() == name).filter(|topic| !topic.partitions().is_empty());
        let missing: Vec<_> = pairs.iter().filter(|(name, _)| of(name).is_none()).collect();
        let models: Vec<_> = missing.iter().map(|(_, model)| model.clone()).collect();
        let described = self.describe(&models).map_err(|error| self.failed("asking for the topics' settings", &error))?;
        for (name, model) in missing {
            let Some(found) = of(model) else { return Err(Unavailable(format!("there is no topic {model} to make {name} like"))) };
            let partitions = i32::try_from(found.partitions().len()).unwrap_or(i32::MAX);
            let replicas = found.partitions().first().map_or(-1, |first| i32::try_from(first.replicas().len()).unwrap_or(-1));
            let same = |resource: &&ConfigResource| matches!(&resource.specifier, OwnedResourceSpecifier::Topic(name) if name == model);
            let Some(settings) = described.iter().find(same) else {
                let why = "the broker does not tell its settings (right DESCRIBE_CONFIGS); grant it, or make the topic by hand";
                return Err(Unavailable(format!("making {name} like {model}: {why}")));
            };
            let own = settings.entries.iter().filter(|entry| entry.source == ConfigSource::DynamicTopic);
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replicas));
            let topic = own.fold(topic, |topic, entry| match &entry.value {
                Some(value) => topic.set(&entry.name, value),
                None => topic,
            });
            let options = AdminOptions::new().request_timeout(Some(CALL)).operation_timeout(Some(CALL));
            let made = self.runtime.block_on(self.client.create_topics([&topic], &options));
            for result in made.map_err(|error| self.failed(&format!("creating {name}"), &error))? {
                match result {
                    Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                    Err((_, code)) => return Err(self.failed(&format!("creating {name}"), &code)),
                }
            }
        }
        Ok(())
    }

    /// What the broker has, in the order of `names`; waits for its first answer for `wait`.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn find(&self, names: &[String], wait: Duration) -> Result<Vec<TopicFinding>, Unavailable> {
        let metadata = self.reader.fetch_metadata(None, wait).map_err(|error| self.failed("asking for the topics", &error))?;
        let mut findings: Vec<_> = names
            .iter()
            .map(|name| {
                let topic = metadata.topics().iter().find(|topic| topic.name() == name);
                let partitions = topic.map_or(0, |topic| topic.partitions().len());
                // A list of all topics leaves out what the principal may not see: only who asks by name is told so.
                let is_hidden = partitions == 0 && probe::presence(&self.reader, name, wait) == Ok(Presence::Hidden);
                TopicFinding { name: name.clone(), partitions, is_hidden, largest: None, cleanup: None, retention_ms: None }
            })
            .collect();
        let existing: Vec<_> = findings.iter().filter(|topic| topic.partitions > 0).map(|topic| topic.name.clone()).collect();
        // A principal without the right to describe configs, or a broker without the call, still works.
        for resource in self.describe(&existing).unwrap_or_default() {
            let OwnedResourceSpecifier::Topic(name) = &resource.specifier else { continue };
            let Some(topic) = findings.iter_mut().find(|topic| topic.name == *name) else { continue };
            let value = |key: &str| resource.get(key).and_then(|entry| entry.value.clone());
            topic.largest = value("max.message.bytes").and_then(|text| text.parse().ok());
            topic.cleanup = value("cleanup.policy");
            topic.retention_ms = value("retention.ms").and_then(|text| text.parse().ok());
        }
        Ok(findings)
    }

    fn describe(&self, names: &[String]) -> Result<Vec<ConfigResource>, KafkaError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let topics: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let options = AdminOptions::new().request_timeout(Some(CALL));
        let described = self.runtime.block_on(self.client.describe_configs(&topics, &options))?;
        Ok(described.into_iter().filter_map(Result::ok).collect())
    }
}

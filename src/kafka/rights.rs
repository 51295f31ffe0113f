//! What a principal must be allowed to do, in the words of Kafka's ACLs: how a missing right is told, and the command that grants
//! it. Which rights leadstream needs is `deploy/kafka/acls.md`'s matter; who asks the broker for them, others'.

use std::fmt;

use rdkafka::error::RDKafkaErrorCode as Code;

use crate::config::KafkaConfig;

use super::native::Operation;

/// What an ACL is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A topic of this name.
    Topic(String),
    /// The group of this name.
    Group(String),
    /// A transactional id.
    TransactionalId(String),
    /// The cluster.
    Cluster,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::TransactionalId(id) => write!(f, "transactional id {id}"),
            Self::Cluster => f.write_str("the cluster"),
        }
    }
}

/// The right to do something to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// To do what.
    pub operation: Operation,
    /// To what.
    pub resource: Resource,
}

impl Right {
    /// To read a topic.
    pub fn read(topic: impl Into<String>) -> Self {
        Self { operation: Operation::Read, resource: Resource::Topic(topic.into()) }
    }

    /// To write to a topic.
    pub fn write(topic: impl Into<String>) -> Self {
        Self { operation: Operation::Write, resource: Resource::Topic(topic.into()) }
    }

    /// To be in a group.
    pub fn join(group: impl Into<String>) -> Self {
        Self { operation: Operation::Read, resource: Resource::Group(group.into()) }
    }

    /// To have a transactional id.
    pub fn transact(id: impl Into<String>) -> Self {
        Self { operation: Operation::Write, resource: Resource::TransactionalId(id.into()) }
    }

    /// That it is missing, and to whom.
    #[must_use]
    pub fn missing(&self, kafka: &KafkaConfig) -> String {
        let whom = principal(kafka).unwrap_or_else(|| "this process's principal".to_owned());
        format!("{whom} is not allowed to {} {}", self.operation.name(), self.resource)
    }

    /// That it is there again.
    #[must_use]
    pub fn there(&self, kafka: &KafkaConfig) -> String {
        let whom = principal(kafka).unwrap_or_else(|| "this process's principal".to_owned());
        format!("{whom} is allowed to {} {} now", self.operation.name(), self.resource)
    }

    /// The command that grants it.
    #[must_use]
    pub fn grant(&self, kafka: &KafkaConfig) -> String {
        let whom = principal(kafka).map_or_else(|| "User:…".to_owned(), |whom| word(&whom));
        let resource = match &self.resource {
            Resource::Topic(name) => format!("--topic {}", word(name)),
            Resource::Group(name) => format!("--group {}", word(name)),
            // Lanes and processes each have an id of their own, all with the group's name before them.
            Resource::TransactionalId(_) => {
                format!("--transactional-id {} --resource-pattern-type prefixed", word(&format!("{}-", kafka.group)))
            }
            Resource::Cluster => "--cluster".to_owned(),
        };
        format!("kafka-acls.sh --add --allow-principal {whom} --operation {} {resource}", self.operation.name())
    }
}

/// As a shell takes it for one word: whoever copies the command means what stands there.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:,=/@+".contains(letter);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Who this process is to the broker, where the configuration tells: a user name that it keeps elsewhere it does not tell, and
/// the name of a certificate is the broker's to make.
#[must_use]
pub fn principal(kafka: &KafkaConfig) -> Option<String> {
    let property = |name: &str| kafka.client.get(name).or_else(|| kafka.consumer.get(name)).or_else(|| kafka.producer.get(name));
    let text = |name: &str| property(name).map(|value| value.expose().to_uppercase());
    let protocol = text("security.protocol").unwrap_or_default();
    if protocol.starts_with("SASL") {
        let mechanism = text("sasl.mechanism").or_else(|| text("sasl.mechanisms")).unwrap_or_default();
        let has_name = mechanism == "PLAIN" || mechanism.starts_with("SCRAM");
        let name = property("sasl.username").filter(|name| has_name && !name.is_kept_elsewhere())?;
        // A line of the log stays one.
        return Some(format!("User:{}", name.expose().replace(char::is_control, " ")));
    }
    let has_certificate =
        ["ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"].iter().any(|name| property(name).is_some());
    (!has_certificate).then(|| "User:ANONYMOUS".to_owned())
}

/// Whether an ACL is missing.
pub(super) fn is_denial(code: Code) -> bool {
    matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn kafka(properties: &[(&str, &str)]) -> KafkaConfig {
        let mut kafka = KafkaConfig::default();
        kafka.client.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))));
        kafka
    }

    #[test]
    fn a_missing_right_names_what_whom_and_the_command() {
        let kafka = kafka(&[("security.protocol", "sasl_ssl"), ("sasl.mechanisms", "SCRAM-SHA-512"), ("sasl.username", "leads")]);
        let right = Right::write("leads.qualified");
        assert_eq!(right.missing(&kafka), "User:leads is not allowed to Write topic leads.qualified");
        let command = "kafka-acls.sh --add --allow-principal User:leads --operation Write --topic leads.qualified";
        assert_eq!(right.grant(&kafka), command);
        let right = Right::transact("leadstream-a-0");
        assert!(right.grant(&kafka).ends_with("--transactional-id leadstream- --resource-pattern-type prefixed"));
    }

    #[test]
    fn a_name_of_any_kind_is_one_word_of_the_command() {
        let odd = [("security.protocol", "SASL_SSL"), ("sasl.mechanism", "PLAIN"), ("sasl.username", "o'hara $(x)\ny")];
        let command = Right::write("t").grant(&kafka(&odd));
        assert_eq!(command, "kafka-acls.sh --add --allow-principal 'User:o'\\''hara $(x) y' --operation Write --topic t");
    }

    #[test]
    fn a_principal_is_told_only_where_it_is_known() {
        assert_eq!(principal(&kafka(&[])).as_deref(), Some("User:ANONYMOUS"));
        assert_eq!(principal(&kafka(&[("security.protocol", "SSL"), ("ssl.certificate.location", "/c.pem")])), None);
        assert_eq!(principal(&kafka(&[("security.protocol", "SASL_SSL"), ("sasl.mechanism", "OAUTHBEARER")])), None);
    }
}

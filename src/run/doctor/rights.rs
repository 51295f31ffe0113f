//! Which rights are missing: what leadstream does, held against what the broker says the principal may do. The list is that of
//! `deploy/kafka/acls.md`.

use crate::{
    config::Config,
    kafka::{GroupState, Operation, Resource, Right, TopicState, Unanswered},
};

use super::{
    finding::{Code, Finding},
    topics::Topic,
};

fn missing(config: &Config, operation: Operation, resource: Resource<'_>) -> Finding {
    let right = Right { operation, resource };
    Finding::error(Code::RightMissing, resource.to_string(), right.missing(&config.kafka), right.grant(&config.kafka))
}

pub(super) fn of_topics(config: &Config, topics: &[Topic<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for topic in topics {
        let needed = if topic.output.is_some() { Operation::Write } else { Operation::Read };
        let is_missing = match topic.state {
            TopicState::Present { operations: Some(operations), .. } => !operations.contains(&needed),
            TopicState::Present { operations: None, .. } => {
                let message = format!("the broker does not tell who may {} it", needed.name());
                found.push(Finding::info(Code::RightsUnknown, topic.name, message, ""));
                false
            }
            TopicState::Hidden => true,
            TopicState::Absent | TopicState::Unclear(_) => false,
        };
        if is_missing {
            found.push(missing(config, needed, Resource::Topic(topic.name)));
        }
    }
    found
}

pub(super) fn of_group(config: &Config, group: &Result<GroupState, Unanswered>) -> Option<Finding> {
    let resource = Resource::Group(&config.kafka.group);
    match group {
        Ok(GroupState { operations: Some(operations), .. }) if operations.contains(&Operation::Read) => None,
        Ok(GroupState { operations: None, .. }) => {
            Some(Finding::info(Code::RightsUnknown, resource.to_string(), "the broker does not tell who may Read it", ""))
        }
        Ok(_) | Err(Unanswered::NotAllowed) => Some(missing(config, Operation::Read, resource)),
        Err(Unanswered::Failed(why)) => {
            Some(Finding::info(Code::RightsUnknown, resource.to_string(), format!("it could not be described: {why}"), "try again"))
        }
    }
}

/// What came of taking a transactional id.
pub(super) fn of_transactions(config: &Config, id: &str, taken: &Result<(), Unanswered>) -> Finding {
    match taken {
        Ok(()) => Finding::ok(Code::Transactions, id, "was taken as transactional id and given up again"),
        Err(Unanswered::NotAllowed) => missing(config, Operation::Write, Resource::TransactionalId(id)),
        Err(Unanswered::Failed(why)) => {
            let message = format!("could not be taken as transactional id: {why}");
            Finding::error(Code::Transactions, id, message, "see the brokers' log, and the other findings here")
        }
    }
}

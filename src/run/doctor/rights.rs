//! Which rights are missing: what leadstream does, held against what the broker says the principal may do. The list is that of
//! `deploy/kafka/acls.md`.

use crate::{
    config::Config,
    kafka::{GroupState, Operation, Right, TopicState, Unanswered},
};

use super::{
    finding::{Code, Finding},
    topics::Topic,
};

fn missing(config: &Config, right: &Right) -> Finding {
    Finding::error(Code::RightMissing, right.resource.to_string(), right.missing(&config.kafka), right.grant(&config.kafka))
}

pub(super) fn of_topics(config: &Config, topics: &[Topic<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for topic in topics {
        let right = if topic.output.is_some() { Right::write(topic.name) } else { Right::read(topic.name) };
        let is_missing = match topic.state {
            TopicState::Present { operations: Some(operations), .. } => !operations.contains(&right.operation),
            TopicState::Present { operations: None, .. } => {
                let message = format!("the broker does not tell who may {} it", right.operation.name());
                found.push(Finding::info(Code::RightsUnknown, topic.name, message, ""));
                false
            }
            TopicState::Hidden => true,
            TopicState::Absent | TopicState::Unclear(_) => false,
        };
        if is_missing {
            found.push(missing(config, &right));
        }
    }
    found
}

pub(super) fn of_group(config: &Config, group: &Result<GroupState, Unanswered>) -> Option<Finding> {
    let right = Right::join(&config.kafka.group);
    let resource = right.resource.to_string();
    match group {
        Ok(GroupState { operations: Some(operations), .. }) if operations.contains(&Operation::Read) => None,
        Ok(GroupState { operations: None, .. }) => {
            Some(Finding::info(Code::RightsUnknown, resource, "the broker does not tell who may Read it", ""))
        }
        Ok(_) | Err(Unanswered::NotAllowed) => Some(missing(config, &right)),
        Err(Unanswered::Failed(why)) => {
            Some(Finding::info(Code::RightsUnknown, resource, format!("it could not be described: {why}"), "try again"))
        }
    }
}

/// What came of taking a transactional id.
pub(super) fn of_transactions(config: &Config, id: &str, taken: &Result<(), Unanswered>) -> Finding {
    match taken {
        Ok(()) => Finding::ok(Code::Transactions, id, "was taken as transactional id and given up again"),
        Err(Unanswered::NotAllowed) => missing(config, &Right::transact(id)),
        Err(Unanswered::Failed(why)) => {
            let message = format!("could not be taken as transactional id: {why}");
            Finding::error(Code::Transactions, id, message, "see the brokers' log, and the other findings here")
        }
    }
}

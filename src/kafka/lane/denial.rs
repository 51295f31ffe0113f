//! Rights that are missing, as a lane meets them: the broker's answer says that something is not allowed, and seldom what. Here it
//! is told by name, once, and once more when it is allowed; what becomes of the batch is `recovery`'s.

use std::time::{Duration, Instant};

use rdkafka::{consumer::Consumer, error::RDKafkaErrorCode as Code};

use crate::pipeline::OutputBuffer;

use super::{
    super::{Operation, Resource, Right, native, rights::is_denial},
    KafkaLane,
};

/// Between two questions what may be read.
const PAUSE: Duration = Duration::from_secs(5);
/// How long one may take.
const ANSWER: Duration = Duration::from_secs(2);

impl KafkaLane {
    fn deny(&mut self, right: Right) {
        self.health.denied(&right, &self.settings.kafka);
        if !self.denied.contains(&right) {
            self.denied.push(right);
        }
    }

    /// Says of the rights that were missing and are there now that they are.
    pub(super) fn allowed(&mut self, is_there: impl Fn(&Right) -> bool) {
        let (health, kafka) = (&self.health, &self.settings.kafka);
        self.denied.retain(|right| {
            let is_there = is_there(right);
            if is_there {
                health.allowed(right, kafka);
            }
            !is_there
        });
    }

    /// A batch with these outputs was committed: so all that it needed is allowed.
    pub(super) fn committed_with(&mut self, out: &OutputBuffer) {
        if self.denied.is_empty() {
            return;
        }
        let names = self.settings.output.clone();
        let written: Vec<&str> = out.topics().filter_map(|topic| names.get(topic as usize).map(String::as_str)).collect();
        self.allowed(|right| match &right.resource {
            Resource::Topic(topic) if right.operation == Operation::Write => written.contains(&topic.as_str()),
            _ => true,
        });
    }

    /// Reading, or a look at the group, was refused.
    pub(super) fn refused(&mut self, code: Code) {
        match code {
            Code::GroupAuthorizationFailed => self.deny(Right::join(&self.settings.kafka.group)),
            Code::TopicAuthorizationFailed => self.refused_input(),
            _ => {}
        }
    }

    /// Which topic may not be read is not told: where there are several, the broker is asked.
    fn refused_input(&mut self) {
        let inputs = self.settings.input.clone();
        if let [only] = inputs.as_slice() {
            return self.deny(Right::read(only));
        }
        let Some(member) = &self.member else { return };
        if self.rights_asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return;
        }
        self.rights_asked = Some(Instant::now());
        for topic in native::describe_topics(member.consumer.client(), &inputs, ANSWER).unwrap_or_default() {
            let may_read = topic.operations.is_none_or(|allowed| allowed.contains(&Operation::Read));
            if topic.error == Some(Code::TopicAuthorizationFailed) || !may_read {
                self.deny(Right::read(topic.name));
            }
        }
    }

    /// Whether what kept a transaction from its end is a right that is missing; told by name if it is.
    pub(super) fn is_denied(&mut self, trouble: Option<Code>, output: Option<(Code, String)>) -> bool {
        let right = match (trouble, output) {
            (_, Some((Code::TopicAuthorizationFailed, topic))) => Right::write(topic),
            // Of a topic that is read: committing its offsets needs that right too.
            (Some(Code::TopicAuthorizationFailed), _) => {
                self.refused_input();
                return true;
            }
            (trouble, output) => match output.map(|(code, _)| code).filter(|code| is_denial(*code)).or(trouble) {
                Some(Code::GroupAuthorizationFailed) => Right::join(&self.settings.kafka.group),
                Some(Code::TransactionalIdAuthorizationFailed) => Right::transact(&self.settings.transactional_id),
                Some(Code::ClusterAuthorizationFailed) => Right { operation: Operation::IdempotentWrite, resource: Resource::Cluster },
                _ => return false,
            },
        };
        self.deny(right);
        true
    }
}

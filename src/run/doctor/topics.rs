//! Whether the topics can hold what is written, and keep it: copies, leaders, sizes, policies. Judges what was asked; asks nobody.

use crate::{
    config::Config,
    kafka::{BrokerSettings, Keeps, PartitionReplicas, TopicPlan, TopicState},
    pipeline::OutputTopic,
};

use super::{
    super::topics::largest_output,
    cluster::counted,
    finding::{Code, Finding},
};

/// A topic of the configuration, as it was found.
pub(super) struct Topic<'a> {
    pub(super) name: &'a str,
    /// `None`: it is read.
    pub(super) output: Option<OutputTopic>,
    pub(super) state: &'a TopicState,
}

pub(super) fn findings(config: &Config, topic: &Topic<'_>) -> Vec<Finding> {
    let (partitions, settings) = match topic.state {
        TopicState::Present { partitions, settings, .. } => (partitions, settings.as_ref()),
        TopicState::Absent if topic.output == Some(OutputTopic::Ledger) => {
            let fix = "`leadstream topics create` makes it, and so does `run` where it may; topics.ledger = \"\" wants none";
            return vec![Finding::warning(Code::TopicMissing, topic.name, "does not exist, and so there is no ledger", fix)];
        }
        TopicState::Absent => {
            let fix = "`leadstream topics create` makes it";
            return vec![Finding::error(Code::TopicMissing, topic.name, "does not exist", fix)];
        }
        TopicState::Unclear(why) => {
            return vec![Finding::error(Code::TopicMissing, topic.name, format!("the broker does not describe it: {why}"), "try again")];
        }
        // Told as a right that is missing.
        TopicState::Hidden => return Vec::new(),
    };
    let mut found = Vec::new();
    found.extend(leaders(topic.name, partitions));
    let least = settings.and_then(|settings| settings.get("min.insync.replicas")?.parse().ok());
    found.extend(copies(topic, partitions, least));
    if let Some(settings) = settings {
        found.extend(policies(config, topic, settings));
    } else {
        let fix = "run doctor as a principal with DescribeConfigs on the topic; leadstream itself does not need it";
        found.push(Finding::info(Code::TopicSettings, topic.name, "its settings may not be seen", fix));
    }
    found
}

fn leaders(name: &str, partitions: &[PartitionReplicas]) -> Option<Finding> {
    let without: Vec<_> = partitions.iter().filter(|partition| !partition.is_led).map(|partition| partition.number).collect();
    (!without.is_empty()).then(|| {
        let message = format!("no broker leads partitions {without:?}");
        Finding::error(Code::TopicLeader, name, message, "start the brokers that hold them")
    })
}

fn copies(topic: &Topic<'_>, partitions: &[PartitionReplicas], least: Option<usize>) -> Vec<Finding> {
    let name = topic.name;
    let mut found = Vec::new();
    let copies = partitions.iter().map(|partition| partition.replicas).min().unwrap_or(0);
    let in_sync = partitions.iter().map(|partition| partition.in_sync).min().unwrap_or(0);
    if copies < 3 {
        let message = format!("has {}", counted(copies, "copy", "copies"));
        let fix = "on three brokers or more, give it three copies: kafka-reassign-partitions.sh, or `topics create --replication 3`";
        found.push(Finding::warning(Code::TopicReplication, name, message, fix));
    }
    let Some(least) = least.filter(|_| topic.output.is_some()) else { return found };
    if least > copies {
        let message = format!("min.insync.replicas is {least} and it has {}: every write is refused", counted(copies, "copy", "copies"));
        let fix =
            if copies > 1 { format!("set min.insync.replicas to {copies} or less") } else { "set min.insync.replicas to 1".to_owned() };
        found.push(Finding::error(Code::TopicMinInsync, name, message, fix));
    } else if in_sync < least {
        let message = format!(
            "only {} of {copies} up to date, and min.insync.replicas is {least}: writes are refused now",
            counted(in_sync, "copy is", "copies are")
        );
        found.push(Finding::error(Code::TopicMinInsync, name, message, "start the brokers that hold the others"));
    } else if least < 2 && copies > 1 {
        let message = format!("min.insync.replicas is {least} of {}", counted(copies, "copy", "copies"));
        found.push(Finding::warning(Code::TopicMinInsync, name, message, "set min.insync.replicas to 2"));
    }
    found
}

fn policies(config: &Config, topic: &Topic<'_>, settings: &BrokerSettings) -> Vec<Finding> {
    let name = topic.name;
    let setting = |key: &str| settings.get(key).map_or("", String::as_str);
    let mut found = Vec::new();
    if setting("unclean.leader.election.enable") == "true" {
        let fix = "set unclean.leader.election.enable=false on the topic and on the brokers";
        found.push(Finding::error(Code::UncleanElection, name, "unclean.leader.election.enable is true", fix));
    }
    if setting("cleanup.policy").contains("compact") {
        let message = format!("cleanup.policy is {}", setting("cleanup.policy"));
        found.push(Finding::error(Code::TopicCompacted, name, message, "set cleanup.policy=delete"));
    }
    let largest = largest_output(config);
    // An entry of the ledger is small.
    if topic.output.is_some_and(|output| output != OutputTopic::Ledger)
        && let Some(most) = setting("max.message.bytes").parse::<usize>().ok().filter(|most| *most < largest)
    {
        let message = format!("max.message.bytes is {most}, and by limits.record_bytes an output may have {largest}");
        found.push(Finding::warning(Code::TopicRecordSize, name, message, format!("set max.message.bytes={largest}")));
    }
    found
}

/// What is found of a topic that `dlq` writes to.
pub(super) fn of_dlq(config: &Config, plan: &TopicPlan, state: &TopicState) -> Vec<Finding> {
    let is_record = plan.keeps == Keeps::Last;
    // The record of what is settled is small, as an entry of the ledger is.
    let output = Some(if is_record { OutputTopic::Ledger } else { OutputTopic::DeadLetter });
    let mut found = findings(config, &Topic { name: &plan.name, output, state });
    if is_record {
        found.retain(|finding| finding.code != Code::TopicCompacted);
        let policy = match state {
            TopicState::Present { settings: Some(settings), .. } => settings.get("cleanup.policy"),
            _ => None,
        };
        if let Some(policy) = policy.filter(|policy| *policy != "compact") {
            let message = format!("cleanup.policy is {policy}: Kafka would forget which dead letters are settled");
            found.push(Finding::error(Code::TopicNotCompacted, &plan.name, message, "set cleanup.policy=compact"));
        }
    }
    found
}

/// How lanes and partitions fit.
pub(super) fn partitions(config: &Config, topics: &[Topic<'_>]) -> Option<Finding> {
    let count = |topic: &Topic<'_>| match topic.state {
        TopicState::Present { partitions, .. } => Some(partitions.len()),
        _ => None,
    };
    let told: Vec<_> = topics.iter().filter_map(|topic| Some(format!("{} {}", topic.name, count(topic)?))).collect();
    let inputs: usize = topics.iter().filter(|topic| topic.output.is_none()).filter_map(count).sum();
    if told.is_empty() {
        return None;
    }
    let message = format!("{}; this process has {}", told.join(", "), counted(config.run.lanes, "lane", "lanes"));
    Some(if inputs > 0 && config.run.lanes > inputs {
        Finding::warning(Code::TopicPartitions, "partitions", message, "set run.lanes to no more, or give the input more partitions")
    } else {
        Finding::ok(Code::TopicPartitions, "partitions", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(replicas: usize, in_sync: usize, settings: &[(&str, &str)]) -> Vec<String> {
        let partitions = vec![PartitionReplicas { number: 0, is_led: in_sync > 0, replicas, in_sync }];
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let state = TopicState::Present { partitions, operations: None, settings: Some(settings) };
        let topic = Topic { name: "t", output: Some(OutputTopic::Routing), state: &state };
        let told = |finding: &Finding| format!("{} {}", finding.severity.name(), finding.code.name());
        findings(&Config::default(), &topic).iter().map(told).collect()
    }

    #[test]
    fn copies_are_held_against_what_a_commit_waits_for() {
        assert_eq!(found(3, 3, &[("min.insync.replicas", "2")]), [""; 0]);
        assert_eq!(found(3, 3, &[("min.insync.replicas", "1")]), ["warning topic_min_insync"]);
        assert_eq!(found(3, 1, &[("min.insync.replicas", "2")]), ["error topic_min_insync"]);
        assert_eq!(found(1, 1, &[("min.insync.replicas", "1")]), ["warning topic_replication"]);
        assert_eq!(found(1, 1, &[("min.insync.replicas", "2")]), ["warning topic_replication", "error topic_min_insync"]);
        assert_eq!(found(3, 0, &[("min.insync.replicas", "2")]), ["error topic_leader", "error topic_min_insync"]);
    }

    #[test]
    fn policies_that_drop_leads_are_found() {
        let bad = [("unclean.leader.election.enable", "true"), ("cleanup.policy", "compact,delete"), ("max.message.bytes", "1000")];
        assert_eq!(found(3, 3, &bad), ["error unclean_election", "error topic_compacted", "warning topic_record_size"]);
    }
}

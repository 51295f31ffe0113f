//! `topics create` and `topics check`: the topics this configuration reads and writes, made and looked at.

use std::{io::Write, time::Duration};

use crate::{
    config::Config,
    kafka::{Keeps, Right, TopicFinding, TopicPlan, Topics, Unavailable},
    pipeline::OutputTopic,
};

use super::{Failure, dead_letters};

/// What `topics create` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateArguments {
    /// Partitions of each topic.
    pub partitions: i32,
    /// Replicas of each topic; -1: the broker's default.
    pub replication: i32,
    /// Those of `dlq` too.
    pub dlq: bool,
}

/// Bytes an output may be larger than its input: the lead block's own fields, and a dead letter's headers.
pub const OUTPUT_HEADROOM: usize = 256 * 1024;

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::unavailable(error.to_string())
    }
}

/// The largest output record the limits can lead to, in bytes.
#[must_use]
pub fn largest_output(config: &Config) -> usize {
    config.limits.record_bytes.saturating_add(OUTPUT_HEADROOM)
}

/// Inputs, then outputs, each once.
fn plans(config: &Config, arguments: CreateArguments) -> Vec<TopicPlan> {
    let plan = |name: &str, largest| TopicPlan {
        name: name.to_owned(),
        partitions: arguments.partitions,
        replication: arguments.replication,
        largest,
        keeps: Keeps::Broker,
    };
    let mut plans: Vec<TopicPlan> = Vec::new();
    let inputs = config.topics.raw.iter().map(|name| plan(name, None));
    let outputs = config.topics.outputs().map(|(topic, name)| {
        let largest = (topic != OutputTopic::Ledger).then(|| largest_output(config));
        let keeps = if topic == OutputTopic::Ledger { Keeps::All } else { Keeps::Broker };
        TopicPlan { keeps, ..plan(name, largest) }
    });
    let of_dlq = arguments.dlq.then(|| dead_letters::plans(config, arguments.partitions, arguments.replication));
    for wanted in inputs.chain(outputs).chain(of_dlq.into_iter().flatten()) {
        if !plans.iter().any(|known| known.name == wanted.name) {
            plans.push(wanted);
        }
    }
    plans
}

/// Creates the topics that do not exist yet; touches no other.
///
/// # Errors
/// 75 when the broker does not answer, 1 when it refuses a topic.
pub fn create(config: &Config, arguments: CreateArguments, out: &mut dyn Write) -> Result<(), Failure> {
    let plans = plans(config, arguments);
    let results = Topics::connect(&config.kafka)?.create(&plans)?;
    let mut refused = 0;
    for (plan, result) in plans.iter().zip(results) {
        let told = match result {
            Ok(true) => format!("created  {} ({} partitions)", plan.name, plan.partitions),
            Ok(false) => format!("exists   {}", plan.name),
            Err(why) => {
                refused += 1;
                format!("refused  {}: {why}", plan.name)
            }
        };
        tell(out, &told)?;
    }
    if refused > 0 {
        return Err(Failure::found(format!("{refused} topics could not be created at {}", config.kafka.brokers)));
    }
    Ok(())
}

/// Looks whether the topics exist and can hold what will be written; `false`: something was found, and told.
///
/// # Errors
/// 75 when the broker does not answer.
pub fn check(config: &Config, out: &mut dyn Write) -> Result<bool, Failure> {
    let plans = plans(config, CreateArguments { partitions: 1, replication: -1, dlq: true });
    let names: Vec<_> = plans.iter().map(|plan| plan.name.clone()).collect();
    let findings = Topics::connect(&config.kafka)?.find(&names, ANSWER)?;
    let mut problems = 0;
    let of_dlq = dead_letters::plans(config, 1, -1);
    for (plan, found) in plans.iter().zip(&findings) {
        // Those of `dlq` are made when they are needed first, and read or written by nobody else.
        if (found.partitions == 0 || found.is_hidden) && of_dlq.iter().any(|of_dlq| of_dlq.name == plan.name) {
            continue;
        }
        let mut complaints = complaints(plan, found, plan.name == config.topics.dead_letter);
        if found.is_hidden {
            let right = right(config, &found.name);
            complaints = vec![format!("{}; grant it: {}", right.missing(&config.kafka), right.grant(&config.kafka))];
        }
        if complaints.is_empty() {
            let largest = found.largest.map_or_else(|| "of a size it may not see".to_owned(), |largest| format!("up to {largest} bytes"));
            tell(out, &format!("ok       {} ({} partitions, records {largest})", found.name, found.partitions))?;
        }
        for complaint in complaints {
            problems += 1;
            tell(out, &format!("problem  {}: {complaint}", found.name))?;
        }
    }
    Ok(problems == 0)
}

/// What a topic of the configuration is there for.
pub(super) fn right(config: &Config, topic: &str) -> Right {
    let is_input = config.topics.raw.iter().any(|input| input == topic);
    if is_input { Right::read(topic) } else { Right::write(topic) }
}

/// How long a broker may take to answer somebody who waits before a terminal.
const ANSWER: Duration = Duration::from_secs(5);

fn complaints(plan: &TopicPlan, found: &TopicFinding, is_dead_letter: bool) -> Vec<String> {
    if found.partitions == 0 {
        return vec!["does not exist; `leadstream topics create` makes it".to_owned()];
    }
    let mut complaints = Vec::new();
    if let (Some(largest), Some(allowed)) = (plan.largest, found.largest)
        && allowed < largest
    {
        let what = if is_dead_letter {
            "a large dead letter would leave without its value"
        } else {
            "a lead near limits.record_bytes would leave as dead letter output_too_large"
        };
        complaints.push(format!("max.message.bytes is {allowed}, so {what}; set it to {largest}"));
    }
    if plan.keeps == Keeps::Last {
        if let Some(policy) = found.cleanup.as_deref().filter(|policy| *policy != "compact") {
            complaints.push(format!("cleanup.policy is {policy}: Kafka would forget which dead letters are settled; set it to compact"));
        }
    } else if found.cleanup.as_deref().is_some_and(|policy| policy.contains("compact")) {
        complaints.push("cleanup.policy is compact: Kafka would drop all but a key's last record; set it to delete".to_owned());
    }
    complaints
}

fn tell(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::unavailable(format!("writing to standard output: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_planned_once_and_outputs_hold_the_largest_record() {
        let mut config = Config::default();
        config.topics.raw = vec!["a".into(), "b".into(), "a".into()];
        let of_dlq = plans(&config, CreateArguments { partitions: 3, replication: -1, dlq: true }).split_off(7);
        assert_eq!(
            of_dlq.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(),
            ["leads.dead-letter.parked", "leads.dead-letter.settled"]
        );
        assert_eq!((of_dlq[1].keeps, of_dlq[1].partitions), (Keeps::Last, 1));
        let plans = plans(&config, CreateArguments { partitions: 3, replication: -1, dlq: false });
        let names: Vec<_> = plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "leads.qualified", "leads.unqualified", "leads.routing", "leads.dead-letter", "leads.ledger"]);
        assert_eq!((plans[6].largest, plans[6].keeps), (None, Keeps::All), "the ledger's records are small, and kept");
        assert_eq!(plans[0].largest, None);
        assert_eq!(plans[5].largest, Some(1_048_576 + OUTPUT_HEADROOM));
    }

    #[test]
    fn a_topic_that_would_lose_or_refuse_leads_is_a_problem() {
        let plan = TopicPlan { name: "t".into(), partitions: 1, replication: -1, largest: Some(100), keeps: Keeps::Broker };
        let found = TopicFinding {
            name: "t".into(),
            partitions: 1,
            is_hidden: false,
            largest: Some(99),
            cleanup: Some("compact,delete".into()),
            retention_ms: None,
        };
        assert_eq!(complaints(&plan, &found, false).len(), 2);
        assert_eq!(complaints(&plan, &TopicFinding { largest: Some(100), cleanup: Some("delete".into()), ..found.clone() }, true).len(), 0);
        assert_eq!(complaints(&plan, &TopicFinding { partitions: 0, ..found.clone() }, false).len(), 1);
        let record = TopicPlan { keeps: Keeps::Last, largest: None, ..plan };
        let with = |policy: &str| complaints(&record, &TopicFinding { cleanup: Some(policy.into()), ..found.clone() }, false).len();
        assert_eq!((with("compact"), with("delete"), with("compact,delete")), (0, 1, 1));
    }
}

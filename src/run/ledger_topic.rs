//! The ledger's topic at the start of a service: made where it is missing, and done without where it cannot be made. Leads do not wait
//! for the proof of what became of them.

use crate::{
    config::Config,
    kafka::{Keeps, TopicFinding, TopicPlan, Topics},
};

/// The configuration as the service goes on with it: without a ledger where its topic is not there and cannot be made.
pub(super) fn settled(config: &Config, found: &[TopicFinding]) -> Config {
    let mut config = config.clone();
    let of = |name: &str| found.iter().find(|topic| topic.name == name);
    let ledger = config.topics.ledger.clone();
    // One that may not be seen may be there: the lanes tell which right is missing, and wait for it.
    if of(&ledger).is_none_or(|topic| topic.partitions > 0 || topic.is_hidden) {
        return config;
    }
    let partitions = of(&config.topics.qualified).map_or(1, |topic| i32::try_from(topic.partitions).unwrap_or(1)).max(1);
    let plan = TopicPlan { name: ledger.clone(), partitions, replication: -1, largest: None, keeps: Keeps::All };
    let made = Topics::connect(&config.kafka).and_then(|topics| topics.create(&[plan]));
    let refused = match made {
        Ok(results) => results.into_iter().find_map(Result::err),
        Err(error) => Some(error.to_string()),
    };
    match refused {
        None => tracing::info!("made the topic {ledger} of the ledger"),
        Some(why) => {
            tracing::warn!(
                "going on without a ledger: its topic {ledger} is not there, and could not be made: {why}. `leadstream topics create` \
                 makes it, as somebody who may; then start this again. topics.ledger = \"\" says that none is wanted"
            );
            config.topics.ledger.clear();
        }
    }
    config
}

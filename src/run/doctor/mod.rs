//! `leadstream doctor`: asks the configuration, the brokers and the schema registry whether exactly-once can hold here. Each part
//! is judged in a file of its own; here they are asked in turn, and what came of it is told. Changes nothing, and writes no record.

mod cluster;
mod finding;
mod group;
mod registry;
mod report;
mod rights;
mod settings;
mod topics;

pub use finding::codes;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use crate::{
    config::{Config, Delivery},
    kafka::{BrokerSettings, Survey, TopicState, Unanswered, Unreached},
    pipeline::OutputTopic,
};

use super::Failure;
use finding::{Code, Finding, Severity};
use topics::Topic;

/// More brokers are not asked one by one.
const MOST_BROKERS: usize = 16;
const TRANSACTION_LOG: &str = "__transaction_state";
const OFFSETS_LOG: &str = "__consumer_offsets";

/// Looks at everything and tells what was found; the exit code: 0, or 1 where an error is among it.
///
/// # Errors
/// 64 for settings that cannot work, 75 when no broker answers; what was found until then is told.
pub fn doctor(config: &Config, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let (findings, away) = look(config)?;
    let told = if json { report::json(&findings, out) } else { report::text(&findings, out) };
    match told {
        // Whoever read it has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(Failure::unavailable(format!("writing to standard output: {error}")));
        }
        _ => {}
    }
    match away {
        Some(why) => Err(Failure::unavailable(format!("doctor: {why}; try again"))),
        None => Ok(u8::from(findings.iter().any(|finding| finding.severity == Severity::Error))),
    }
}

/// What keeps exactly-once from holding here, a line each.
///
/// # Errors
/// 64 for settings that cannot work.
pub(super) fn errors(config: &Config) -> Result<Vec<String>, Failure> {
    let (findings, _) = look(config)?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    Ok(errors.map(|finding| format!("{}: {}", finding.subject, finding.message)).collect())
}

/// Looks at everything; the findings, the worst first, and why nothing could be asked, where that is so.
fn look(config: &Config) -> Result<(Vec<Finding>, Option<String>), Failure> {
    let survey = Survey::new(&config.kafka).map_err(|error| Failure::usage(error.to_string()))?;
    let mut findings = settings::findings(config);
    findings.extend(registry::findings(config)?);
    let away = match survey.cluster() {
        Ok(found) => {
            findings.push(cluster::version(&config.kafka.brokers, &found));
            findings.extend(cluster::markers(config, &found));
            brokers(config, &survey, &found.nodes, &mut findings);
            None
        }
        Err(Unreached::Refused(why)) => {
            let fix = "look at security.protocol, sasl.* and ssl.* in [kafka.client], and at the brokers' log";
            findings.push(Finding::error(Code::BrokerRefuses, &config.kafka.brokers, why, fix));
            None
        }
        Err(Unreached::Away(why)) => {
            let fix = "start the broker, or set kafka.brokers to where it is";
            findings.push(Finding::error(Code::BrokerAway, &config.kafka.brokers, why.clone(), fix));
            Some(why)
        }
    };
    findings.sort_by_key(|finding| (finding.severity, finding.code as usize));
    Ok((findings, away))
}

/// All that brokers are asked.
fn brokers(config: &Config, survey: &Survey, nodes: &[i32], findings: &mut Vec<Finding>) {
    let settings: Vec<_> = nodes.iter().take(MOST_BROKERS).map(|node| (*node, survey.broker_settings(*node))).collect();
    for (node, settings) in &settings {
        findings.extend(cluster::settings(config, *node, settings));
    }
    let broker = settings.iter().find_map(|(_, settings)| settings.as_ref().ok());

    let inputs = config.topics.raw.iter().map(|name| (name.as_str(), None));
    let outputs = config.topics.outputs().map(|(topic, name)| (name, Some(topic)));
    let wanted: Vec<(&str, Option<OutputTopic>)> = inputs.chain(outputs).collect();
    let names: Vec<String> = wanted.iter().map(|(name, _)| *name).chain([TRANSACTION_LOG, OFFSETS_LOG]).map(str::to_owned).collect();
    let states = match survey.topics(&names) {
        Ok(states) => states,
        Err(why) => vec![TopicState::Unclear(format!("{why:?}")); names.len()],
    };
    let topics: Vec<_> = wanted.iter().zip(&states).map(|((name, output), state)| Topic { name, output: *output, state }).collect();
    for topic in &topics {
        findings.extend(topics::findings(config, topic));
    }
    findings.extend(dead_letters(config, survey));
    findings.extend(topics::partitions(config, &topics));
    logs(&states, wanted.len(), broker, findings);
    findings.extend(rights::of_topics(config, &topics));

    let group = survey.group();
    findings.extend(rights::of_group(config, &group));
    if let Ok(group) = &group {
        findings.extend(group::members(config, &group.members));
    }
    backlog(config, survey, &topics, broker, findings);
    if config.run.delivery == Delivery::ExactlyOnce {
        let instance = if config.kafka.instance.is_empty() { "any" } else { &config.kafka.instance };
        // An id that no lane has, so that nobody is fenced; always the same one, so that the broker remembers no more of them.
        let id = format!("{}-{instance}-doctor", config.kafka.group);
        findings.push(rights::of_transactions(config, &id, &survey.take_transactional_id(&id)));
    }
    findings.extend(open_transactions(survey, &topics));
    findings.push(readers(survey, &topics));
}

/// The topics of `dlq`, where they are there: it makes them when it needs them, and has rights of its own.
fn dead_letters(config: &Config, survey: &Survey) -> Vec<Finding> {
    let plans = super::dead_letters::plans(config, 1, -1);
    let states = survey.topics(&plans.each_ref().map(|plan| plan.name.clone())).unwrap_or_default();
    let present = plans.iter().zip(&states).filter(|(_, state)| matches!(state, TopicState::Present { .. }));
    present.flat_map(|(plan, state)| topics::of_dlq(config, plan, state)).collect()
}

/// Transactions that stay open, whoever writes them.
fn open_transactions(survey: &Survey, topics: &[Topic<'_>]) -> Vec<Finding> {
    let mut places = Vec::new();
    for topic in topics {
        if let TopicState::Present { partitions, .. } = topic.state {
            places.extend(partitions.iter().map(|partition| (topic.name.to_owned(), partition.number)));
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    let fix = "the broker ends that of a killed process within 15 s; one that stays longer is found and ended by kafka-transactions.sh \
               (docs/delivery.md)";
    let finding = |(topic, number, end): (String, i32, i64)| {
        Finding::warning(Code::OpenTransaction, format!("{topic}/{number}"), format!("a transaction is open from offset {end} on"), fix)
    };
    survey.open_transactions(&places).unwrap_or_default().into_iter().map(finding).collect()
}

/// Who reads the outputs: how, no broker knows.
fn readers(survey: &Survey, topics: &[Topic<'_>]) -> Finding {
    let outputs: Vec<&str> = topics.iter().filter(|topic| topic.output.is_some()).map(|topic| topic.name).collect();
    let groups = survey.readers(&outputs);
    let mut message = "no broker knows how a subscriber reads: this cannot be looked at".to_owned();
    if !groups.is_empty() {
        message = format!("{message}; groups that read the outputs now: {}", groups.join(", "));
    }
    let fix = "set isolation.level=read_committed in every subscriber (docs/subscribing.md)";
    Finding::info(Code::Readers, "subscribers", message, fix)
}

/// The brokers' own topics.
fn logs(states: &[TopicState], first: usize, broker: Option<&BrokerSettings>, findings: &mut Vec<Finding>) {
    let of_transactions = ["transaction.state.log.replication.factor", "transaction.state.log.min.isr"];
    findings.extend(cluster::log(Code::TransactionLog, TRANSACTION_LOG, states.get(first), broker, of_transactions));
    let of_offsets = ["offsets.topic.replication.factor", "min.insync.replicas"];
    findings.extend(cluster::log(Code::OffsetsLog, OFFSETS_LOG, states.get(first + 1), broker, of_offsets));
}

/// What is still to be decided, and how long it will be there.
fn backlog(config: &Config, survey: &Survey, topics: &[Topic<'_>], broker: Option<&BrokerSettings>, findings: &mut Vec<Finding>) {
    let mut partitions = Vec::new();
    let mut retention: BTreeMap<&str, Duration> = BTreeMap::new();
    let mut is_known = true;
    for topic in topics.iter().filter(|topic| topic.output.is_none()) {
        let TopicState::Present { partitions: found, settings, .. } = topic.state else { continue };
        partitions.push((topic.name, found.iter().map(|partition| partition.number).collect()));
        is_known &= settings.is_some();
        if let Some(kept) = settings.as_ref().and_then(|settings| cluster::milliseconds(settings, "retention.ms")) {
            retention.insert(topic.name, kept);
        }
    }
    match survey.backlog(&partitions) {
        Ok(places) => findings.extend(group::backlog(config, &places, &retention, jiff::Timestamp::now().as_millisecond())),
        // Told as a right that is missing.
        Err(Unanswered::NotAllowed) => {}
        Err(Unanswered::Failed(why)) => {
            findings.push(Finding::info(Code::Backlog, "input", format!("could not be looked at: {why}"), "try again"));
        }
    }
    if let Some(broker) = broker.filter(|_| is_known && !partitions.is_empty()) {
        findings.extend(group::offsets_retention(config, broker, &retention));
    }
}

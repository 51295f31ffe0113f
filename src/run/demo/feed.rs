//! `leadstream demo --to-kafka`: the made-up leads alone, at a modest rate, written to a real Kafka for another process to decide.
//! No rules, no lanes and no transactions are in here.

use std::{
    io::Write,
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use crate::{
    config::Config,
    kafka::{RawLeads, Topics},
    telemetry::logging,
};

use super::{super::serve::on_signal, DemoArguments, Failure, leads, log_bugs, tell};

/// How long the broker may take to say whether the topic is there, and how long one that is not is waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a line tells how many were written.
const TOLD: Duration = Duration::from_mins(1);

/// Writes `rate` made-up leads a second to the first raw topic, until it is told to end or `--leads` are written.
///
/// # Errors
/// 75 when the broker is away or does not take what is written, 64 when it has no such topic.
pub fn feed(config: &Config, arguments: &DemoArguments, rate: u32, out: &mut dyn Write) -> Result<(), Failure> {
    logging::start(&config.log);
    log_bugs();
    let topic = config.topics.raw.first().cloned().unwrap_or_default();
    let brokers = &config.kafka.brokers;
    let (sender, endings) = channel();
    on_signal(sender)?;
    let (topics, asked) = (Topics::connect(&config.kafka)?, Instant::now());
    // One that was made a moment ago is not known at once.
    while topics.find(std::slice::from_ref(&topic), ANSWER)?.iter().all(|found| found.partitions == 0) {
        if asked.elapsed() > ANSWER {
            return Err(Failure::usage(format!(
                "made-up leads cannot be written: there is no topic {topic} at {brokers}, or it may not be seen; \
                 `leadstream topics create` makes it"
            )));
        }
        if !matches!(endings.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout)) {
            return Ok(());
        }
    }
    let raw = RawLeads::to(&config.kafka, &topic)?;
    if !arguments.quiet {
        tell(out, &format!("writing {rate} made-up leads a second to {topic} at {brokers}"))?;
    }
    let ends = arguments.leads.unwrap_or(u64::MAX);
    let (started, mut told) = (Instant::now(), Instant::now());
    let mut written = 0;
    while written < ends {
        // Each lead has its moment, counted from the start: what came late is caught up with, and a full queue waits for a moment.
        let due = Duration::from_nanos(written.saturating_mul(1_000_000_000 / u64::from(rate)));
        let wait = due.saturating_sub(started.elapsed());
        match endings.recv_timeout(wait) {
            Ok(_) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let (key, value) = leads::lead(written);
        if raw.offer(&key, &value)? {
            written += 1;
        } else if !matches!(endings.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout)) {
            break;
        }
        if !arguments.quiet && told.elapsed() >= TOLD {
            told = Instant::now();
            tell(out, &format!("{written} made-up leads written, {} of them lost", raw.lost()))?;
        }
    }
    raw.flush()?;
    let lost = raw.lost();
    if lost > 0 {
        let why = format!("{lost} of {written} made-up leads did not reach {topic} at {brokers}; `leadstream doctor` tells what is wrong");
        return Err(Failure::unavailable(why));
    }
    if arguments.quiet { Ok(()) } else { tell(out, &format!("{written} made-up leads written to {topic}")) }
}

//! `leadstream demo`: the service on the embedded broker, with made-up leads and a live summary. Shows what leadstream does;
//! proves nothing about delivery, and says so first. Made-up leads for a real Kafka are written in `feed`.

mod feed;
mod leads;

pub use feed::feed;

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use crate::{
    config::{Config, Delivery},
    io::NoRegistry,
    kafka::{BrokerHealth, Embedded, RawLeads},
    pipeline::{Live, OutputTopic, Pipeline, Trials},
    telemetry::logging,
};

use super::{
    DemoArguments, Failure,
    lanes::{Bounds, Ending, Lanes, Shared},
    report::{Counts, Telemetry},
    serve::{log_bugs, on_signal},
    topics::largest_output,
};

const PARTITIONS: i32 = 4;
/// The embedded broker keeps 5 MiB a partition: the writer waits when so many records are undecided.
const AHEAD: u64 = 10_000;
/// Leads a second when there is no end to come to.
const PACE: u64 = 400;

/// Runs the demo.
///
/// # Errors
/// 64 when the HTTP address is taken, 70 when the embedded broker cannot start, and what the lanes end on.
pub fn demo(config: &Config, pipeline: Pipeline, trials: Trials, arguments: &DemoArguments, out: &mut dyn Write) -> Result<(), Failure> {
    logging::start(&config.log);
    log_bugs();
    tell(
        out,
        "leadstream demo: made-up leads on an embedded broker inside this process. It has no transactions and keeps nothing: \
         exactly-once needs a real Kafka and `leadstream run`.",
    )?;
    let mut config = config.clone();
    let mut topics: Vec<(&str, i32)> = config.topics.outputs().map(|(_, name)| (name, PARTITIONS)).collect();
    let raw = config.topics.raw.first().cloned().unwrap_or_default();
    topics.push((&raw, PARTITIONS));
    let broker = Embedded::start(&topics).map_err(|error| Failure::bug(error.to_string()))?;
    drop(topics);
    config.kafka = crate::config::KafkaConfig { brokers: broker.brokers(), group: config.kafka.group, ..Default::default() };
    config.topics.raw = vec![raw.clone()];
    // The embedded broker forgets offsets that were committed in a transaction.
    config.run.delivery = Delivery::AtLeastOnce;
    config.topics.ledger.clear();

    let telemetry = Telemetry::start(&config, &pipeline, &trials)?;
    tell(out, &format!("metrics  http://{}/metrics    status  http://{}/status", telemetry.address(), telemetry.address()))?;
    let (sender, endings) = channel();
    on_signal(sender.clone())?;
    let shared = Shared {
        live: Arc::new(ArcSwap::from_pointee(Live::new(pipeline, trials))),
        schemas: Arc::new(NoRegistry),
        health: Arc::new(BrokerHealth::new(&config.kafka.brokers)),
        largest_output: largest_output(&config),
        limits: [0; OutputTopic::COUNT],
        ends_on_halt: true,
        bounds: Bounds::default(),
    };
    telemetry.explain_by(&shared.live, &shared.schemas, &config.rules.canary);
    telemetry.broker_answers();
    let writer = Writer::start(&config, &raw, arguments.leads)?;
    let lanes = Lanes::start(&config, &shared, &sender, |number| telemetry.lane(number))?;

    let started = Instant::now();
    let mut shown = Shown::default();
    let ending = loop {
        match endings.recv_timeout(Duration::from_millis(100)) {
            Ok(ending) => break ending,
            Err(RecvTimeoutError::Disconnected) => break Ending::Signal,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let counts = telemetry.counts();
        writer.decided.store(counts.records, Ordering::Relaxed);
        if !arguments.quiet {
            shown.show(&counts, started, out)?;
        }
        if arguments.leads.is_some_and(|leads| counts.records >= leads) {
            break Ending::Reached;
        }
    };
    writer.stop.store(true, Ordering::Relaxed);
    lanes.stop(Duration::from_secs(5));
    telemetry.finish();
    if !arguments.quiet {
        summary(&telemetry.counts(), started.elapsed(), out)?;
    }
    drop(broker);
    match ending {
        Ending::Lane(result) => result,
        Ending::Stuck(failure) => Err(failure),
        Ending::Signal | Ending::Reached => Ok(()),
    }
}

/// The thread that writes made-up leads.
struct Writer {
    stop: Arc<AtomicBool>,
    decided: Arc<AtomicU64>,
}

impl Writer {
    fn start(config: &Config, topic: &str, leads: Option<u64>) -> Result<Self, Failure> {
        let writer = Self { stop: Arc::default(), decided: Arc::default() };
        let (stop, decided) = (Arc::clone(&writer.stop), Arc::clone(&writer.decided));
        let raw = RawLeads::to(&config.kafka, topic)?;
        let write = move || {
            let started = Instant::now();
            for number in 0..leads.unwrap_or(u64::MAX) {
                let too_fast = || leads.is_none() && number > PACE * (started.elapsed().as_secs() + 1);
                while number > decided.load(Ordering::Relaxed) + AHEAD || too_fast() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    thread::sleep(Duration::from_millis(10));
                }
                let (key, value) = leads::lead(number);
                if stop.load(Ordering::Relaxed) || raw.write(&key, &value).is_err() {
                    return;
                }
            }
            if raw.flush().is_err() {
                tracing::warn!("the last made-up leads did not reach the embedded broker");
            }
        };
        thread::Builder::new()
            .name("made-up-leads".to_owned())
            .spawn(write)
            .map_err(|error| Failure::unavailable(format!("starting a thread: {error}")))?;
        Ok(writer)
    }
}

/// What was last shown, so that a line comes once a second and the first as soon as there is anything.
#[derive(Default)]
struct Shown {
    at: Option<Instant>,
    records: u64,
}

impl Shown {
    fn show(&mut self, counts: &Counts, started: Instant, out: &mut dyn Write) -> Result<(), Failure> {
        let due = self.at.is_none_or(|at| at.elapsed() >= Duration::from_secs(1));
        if counts.records == 0 || !due {
            return Ok(());
        }
        let since = self.at.unwrap_or(started).elapsed().as_millis().max(1);
        let rate = u128::from(counts.records - self.records) * 1000 / since;
        self.at = Some(Instant::now());
        self.records = counts.records;
        tell(out, &format!("{:>6.1} s  {}  {rate:>6}/s", started.elapsed().as_secs_f64(), line(counts)))
    }
}

fn line(counts: &Counts) -> String {
    format!(
        "decided {:>8}  qualified {:>8} ({:>2} %)  unqualified {:>8}  routed {:>8}  dead letters {:>6}",
        counts.records,
        counts.qualified,
        (counts.qualified * 100).checked_div(counts.qualified + counts.unqualified).unwrap_or(0),
        counts.unqualified,
        counts.routed,
        counts.dead_letters
    )
}

fn summary(counts: &Counts, took: Duration, out: &mut dyn Write) -> Result<(), Failure> {
    tell(out, &format!("{} in {:.1} s", line(counts), took.as_secs_f64()))?;
    tell(
        out,
        &format!("consumed {} = leads {} + dead letters {}", counts.records, counts.qualified + counts.unqualified, counts.dead_letters),
    )
}

fn tell(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // Whoever reads has gone; the demo is for someone to look at.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure { exit: 0, message: String::new() }),
        Err(error) => Err(Failure::unavailable(format!("writing to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

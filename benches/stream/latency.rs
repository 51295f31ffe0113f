//! From the moment a lead was to be sent to the moment its verdict is visible to a reader of committed records, at half of what
//! the contender can do. The load is open: leads are sent when they are due, whatever becomes of those before.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseRecord, Producer},
};
use serde_json::{Value, json};

use super::{
    clients,
    contender::Contender,
    corpus::Corpus,
    ground::{Ground, Stage, send, writer},
    process,
    template::{STAMP, now, stamp_of},
    throughput,
};

/// Leads that show that a contender is at work.
const FIRST: u64 = 2_000;
/// How long another verdict is waited for when all leads are sent.
const REST: Duration = Duration::from_secs(5);
/// So many leads in a row go to one partition, as a producer's batches have them: one lead here and the next there makes thousands
/// of requests a second, and measures the broker.
const IN_A_ROW: u64 = 64;

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    /// Leads a second that were sent.
    pub(crate) load: u64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) most: f64,
    /// CPU-seconds a million leads of the process, at this load.
    pub(crate) cpu: f64,
    /// By how many milliseconds the bench itself sent late, at most: with much of that, nothing was measured but the bench.
    pub(crate) sent_late: f64,
    /// Leads that counted.
    pub(crate) leads: usize,
}

impl Latency {
    /// For a person who waits.
    pub(crate) fn line(&self, contender: Contender) -> String {
        let Self { load, p50, p99, most, sent_late, .. } = self;
        let name = contender.name();
        format!("{name:<12} {load} leads/s: p50 {p50:.0} ms, p99 {p99:.0} ms, most {most:.0} ms; sent {sent_late:.0} ms late at most")
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let Self { load, p50, p99, most, cpu, leads, sent_late } = self;
        json!({
            "leads_a_second": load, "p50_ms": p50, "p99_ms": p99, "most_ms": most, "cpu_seconds_a_million": cpu, "leads": leads,
            "sent_late_ms": sent_late,
        })
    }
}

/// Has a contender decide `load` leads a second.
pub(crate) fn run(ground: &Ground, contender: Contender, load: u64) -> Latency {
    let raw = format!("bench.paced.{}", contender.name());
    // Some leads are there before: without them nobody knows when a contender is at work.
    ground.fill(&raw, ground.options.partitions, FIRST);
    let stage = ground.stage_on(&raw);
    let mut running = ground.start(contender, &stage);
    throughput::looks(ground, &stage, &mut running, FIRST);
    let seconds = ground.options.latency_seconds;
    let (warm, all) = (load * seconds, load * seconds * 2);
    let (sent, begun, started) = (AtomicBool::new(false), now().millis(), Instant::now());
    let counted_from = begun + i64::try_from(seconds * 1000).expect("small");
    let (seen, cpu, sent_late) = thread::scope(|scope| {
        let reader = scope.spawn(|| read(ground, &stage, begun, counted_from, &sent));
        let (half, late) = pace(ground, &raw, (begun, started), load, all, warm, || process::cpu(running.id()));
        let cpu = process::cpu(running.id()) - half;
        sent.store(true, Ordering::Release);
        (reader.join().expect("the reader ends"), cpu, late)
    });
    assert!(!seen.is_empty(), "no verdict came");
    running.assert_runs();
    running.stop();
    ground.clear(&stage);
    clients::delete_topic(ground.brokers(), &raw);
    let mut seen = seen;
    seen.sort_by(f64::total_cmp);
    let at = |share: f64| seen.get(((seen.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
    Latency { load, p50: at(0.5), p99: at(0.99), most: at(1.0), cpu: cpu * 1e6 / (all - warm) as f64, sent_late, leads: seen.len() }
}

/// Sends leads when they are due; what `look` saw when `warm` of them were sent, and by how many milliseconds any later one was late.
fn pace(
    ground: &Ground,
    raw: &str,
    (begun, started): (i64, Instant),
    load: u64,
    all: u64,
    warm: u64,
    look: impl Fn() -> f64,
) -> (f64, f64) {
    let producer = writer(ground.brokers(), "2");
    let (mut key, mut value, mut sent, mut seen, mut late) = (String::new(), String::new(), 0, 0.0, 0.0_f64);
    let every = u64::from(ground.options.partitions.unsigned_abs());
    while sent < all {
        let due = ((started.elapsed().as_secs_f64() * load as f64) as u64).min(all);
        for number in sent..due {
            Corpus::key(number, &mut key);
            ground.corpus.lead(number, &mut value);
            let partition = i32::try_from(number / IN_A_ROW % every).expect("small");
            // When it was to be sent: what waits here counts.
            let at = begun + i64::try_from(number * 1000 / load).expect("small");
            send(&producer, BaseRecord::to(raw).partition(partition).key(&key).payload(&value).timestamp(at));
            if number == warm {
                seen = look();
            }
        }
        if sent >= warm && due > sent {
            late = late.max((started.elapsed().as_secs_f64() - sent as f64 / load as f64) * 1000.0);
        }
        sent = due;
        producer.poll(Duration::ZERO);
        thread::sleep(Duration::from_millis(1));
    }
    producer.flush(Duration::from_secs(30)).expect("the broker takes them");
    (seen, late)
}

/// Reads verdicts of one partition of each topic as they become visible (all of them would cost as much as deciding them); the
/// milliseconds of those that count.
fn read(ground: &Ground, stage: &Stage, begun: i64, counted_from: i64, sent: &AtomicBool) -> Vec<f64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", ground.brokers()).set("group.id", format!("{}-reader", stage.group()));
    config.set("isolation.level", "read_committed").set("enable.auto.commit", "false").set("fetch.queue.backoff.ms", "5");
    let reader: BaseConsumer = config.set("fetch.wait.max.ms", "20").create().expect("good settings");
    let mut list = TopicPartitionList::new();
    for (_, topic) in stage.outputs().iter().filter(|(kind, _)| *kind != "routing") {
        list.add_partition_offset(topic, 0, Offset::Beginning).expect("a place");
    }
    reader.assign(&list).expect("assigned");
    let (mut seen, mut heard) = (Vec::new(), Instant::now());
    while !sent.load(Ordering::Acquire) || heard.elapsed() < REST {
        let Some(read) = reader.poll(Duration::from_millis(50)) else { continue };
        let message = read.expect("read");
        let millis = told(message.payload().expect("a value"));
        let now = now().micros() as f64 / 1000.0;
        // The first leads are older.
        if millis >= begun {
            heard = Instant::now();
        }
        if millis >= counted_from {
            seen.push(now - millis as f64);
        }
    }
    seen
}

/// The time that a verdict's event tells.
fn told(value: &[u8]) -> i64 {
    let at = stamp_of(value).expect("every verdict tells when its lead was received");
    let text = std::str::from_utf8(&value[at..at + STAMP]).expect("digits");
    // A copy tells milliseconds, a decision RFC 3339.
    let told = || leadstream::lead::Timestamp::parse(text).expect("a time").millis();
    text.parse().unwrap_or_else(|_| told())
}

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
/// How long the last verdicts are waited for.
const REST: Duration = Duration::from_secs(20);

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
    /// Leads that counted.
    pub(crate) leads: usize,
}

impl Latency {
    /// For a person who waits.
    pub(crate) fn line(&self, contender: Contender) -> String {
        format!("{:<12} {} leads/s: p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms", contender.name(), self.load, self.p50, self.p99, self.most)
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let Self { load, p50, p99, most, cpu, leads } = self;
        json!({ "leads_a_second": load, "p50_ms": p50, "p99_ms": p99, "most_ms": most, "cpu_seconds_a_million": cpu, "leads": leads })
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
    let (sent, begun) = (AtomicBool::new(false), now().millis());
    let counted_from = begun + i64::try_from(seconds * 1000).expect("small");
    let (seen, cpu) = thread::scope(|scope| {
        let reader = scope.spawn(|| read(ground, &stage, begun, counted_from, all, &sent));
        let half = pace(ground, &raw, begun, load, all, warm, || process::cpu(running.id()));
        let cpu = process::cpu(running.id()) - half;
        sent.store(true, Ordering::Release);
        (reader.join().expect("the reader ends"), cpu)
    });
    running.assert_runs();
    running.stop();
    ground.clear(&stage);
    clients::delete_topic(ground.brokers(), &raw);
    let mut seen = seen;
    seen.sort_by(f64::total_cmp);
    let at = |share: f64| seen.get(((seen.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
    Latency { load, p50: at(0.5), p99: at(0.99), most: at(1.0), cpu: cpu * 1e6 / (all - warm) as f64, leads: seen.len() }
}

/// Sends leads when they are due; what `look` saw when `warm` of them were sent.
fn pace(ground: &Ground, raw: &str, begun: i64, load: u64, all: u64, warm: u64, look: impl Fn() -> f64) -> f64 {
    let producer = writer(ground.brokers(), "2");
    let (mut key, mut value, mut sent, mut seen) = (String::new(), String::new(), 0, 0.0);
    let every = u64::from(ground.options.partitions.unsigned_abs());
    let started = Instant::now();
    while sent < all {
        let due = ((started.elapsed().as_secs_f64() * load as f64) as u64).min(all);
        for number in sent..due {
            Corpus::key(number, &mut key);
            ground.corpus.lead(number, &mut value);
            let partition = i32::try_from(number % every).expect("small");
            // When it was to be sent: what waits here counts.
            let at = begun + i64::try_from(number * 1000 / load).expect("small");
            send(&producer, BaseRecord::to(raw).partition(partition).key(&key).payload(&value).timestamp(at));
            if number == warm {
                seen = look();
            }
        }
        sent = due;
        producer.poll(Duration::ZERO);
        thread::sleep(Duration::from_millis(1));
    }
    producer.flush(Duration::from_secs(30)).expect("the broker takes them");
    seen
}

/// Reads verdicts as they become visible; the milliseconds of those that count.
fn read(ground: &Ground, stage: &Stage, begun: i64, counted_from: i64, all: u64, sent: &AtomicBool) -> Vec<f64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", ground.brokers()).set("group.id", format!("{}-reader", stage.group()));
    config.set("isolation.level", "read_committed").set("enable.auto.commit", "false").set("fetch.queue.backoff.ms", "5");
    let reader: BaseConsumer = config.set("fetch.wait.max.ms", "20").create().expect("good settings");
    let mut list = TopicPartitionList::new();
    for (_, topic) in stage.outputs().iter().filter(|(kind, _)| *kind != "routing") {
        for partition in 0..ground.options.partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).expect("a place");
        }
    }
    reader.assign(&list).expect("assigned");
    let (mut seen, mut count, mut heard) = (Vec::new(), 0, Instant::now());
    while count < all {
        let Some(read) = reader.poll(Duration::from_millis(50)) else {
            assert!(!sent.load(Ordering::Acquire) || heard.elapsed() < REST, "{count} of {all} verdicts came");
            continue;
        };
        let message = read.expect("read");
        let millis = told(message.payload().expect("a value"));
        let now = now().micros() as f64 / 1000.0;
        // The first leads are older.
        if millis >= begun {
            count += 1;
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

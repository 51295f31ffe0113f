//! The pass-through: reads raw leads without looking into them and writes, in transactions, what leadstream writes for them.
//! Plain rdkafka with leadstream's client settings, its wait for deliveries spinning or asleep. A process of its own.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use leadstream::config::LaneMemory;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    contender::Settings,
    template::{STAMP, Template, write_stamp},
};

/// As in leadstream's configuration: bytes of all lanes together, and of the largest output.
pub(crate) const MEMORY: usize = 64 << 20;
pub(crate) const LARGEST: usize = 1_310_720;
const CALL: Duration = Duration::from_secs(30);

/// How it waits while records are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Spinning,
    Asleep,
}

/// Runs until it is killed.
pub(crate) fn main() {
    let settings = Settings::of_environment();
    let wait = if std::env::args().nth(2).as_deref() == Some("spinning") { Wait::Spinning } else { Wait::Asleep };
    let template = Template::read(Path::new(settings.text("TEMPLATE")));
    let lanes: usize = settings.number("LANES");
    thread::scope(|scope| {
        for lane in 0..lanes {
            let (settings, template) = (&settings, template.clone());
            scope.spawn(move || Loop::new(settings, template, lane, lanes, wait).run());
        }
    });
}

struct Loop {
    consumer: BaseConsumer,
    producer: BaseProducer,
    topics: [String; 3],
    template: Template,
    interval: Duration,
    wait: Wait,
}

impl Loop {
    fn new(settings: &Settings, template: Template, lane: usize, lanes: usize, wait: Wait) -> Self {
        let memory = LaneMemory::share(MEMORY, lanes);
        let mut base = ClientConfig::new();
        base.set("bootstrap.servers", settings.text("BROKERS")).set("topic.metadata.refresh.interval.ms", "10000");
        let group = settings.text("GROUP");
        let consumer: BaseConsumer = base
            .clone()
            .set("group.id", group)
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", (memory.read_ahead() / 1024).to_string())
            .set("queued.min.messages", memory.records_ahead().to_string())
            .set("fetch.max.bytes", memory.fetched_at_once().to_string())
            .set("fetch.message.max.bytes", memory.fetched_of_a_partition().to_string())
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            .create()
            .expect("good settings");
        let producer: BaseProducer = base
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("batch.size", "1000000")
            .set("queue.buffering.max.kbytes", (memory.on_the_way(LARGEST) / 1024).to_string())
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", LARGEST.to_string())
            .set("transactional.id", format!("{group}-{lane}"))
            .create()
            .expect("good settings");
        producer.init_transactions(CALL).expect("the broker takes transactions");
        // Its share of the partitions, without a group to wait for.
        let raw = settings.text("RAW");
        let found = consumer.fetch_metadata(Some(raw), CALL).expect("the broker answers");
        let partitions = found.topics().first().expect("asked for").partitions().len();
        let mut mine = TopicPartitionList::new();
        for partition in (lane..partitions).step_by(lanes) {
            mine.add_partition_offset(raw, i32::try_from(partition).expect("few"), Offset::Beginning).expect("a place");
        }
        consumer.assign(&mine).expect("assigned");
        let topics = ["QUALIFIED", "UNQUALIFIED", "ROUTING"].map(|topic| settings.text(topic).to_owned());
        let interval = Duration::from_millis(settings.number("COMMIT_MS"));
        Self { consumer, producer, topics, template, interval, wait }
    }

    fn run(mut self) {
        loop {
            // A transaction is begun by its first record.
            if let Some(Ok(first)) = self.consumer.poll(Duration::from_millis(100)) {
                let mut ends: Vec<(i32, i64)> = Vec::new();
                let raw = first.topic().to_owned();
                let until = Instant::now() + self.interval;
                let mut next = Some(first);
                self.producer.begin_transaction().expect("begun");
                let mut count = 0_u32;
                while let Some(message) = next {
                    let at = (message.partition(), message.offset() + 1);
                    match ends.iter_mut().find(|(partition, _)| *partition == at.0) {
                        Some(end) => *end = at,
                        None => ends.push(at),
                    }
                    let millis = message.timestamp().to_millis().unwrap_or_default().unsigned_abs();
                    let key = message.key().expect("every lead has a key");
                    copy(&self.producer, &self.topics, &mut self.template, key, millis, self.wait);
                    count += 1;
                    if count.is_multiple_of(256) {
                        self.producer.poll(Duration::ZERO);
                    }
                    drop(message);
                    let left = until.saturating_duration_since(Instant::now());
                    next = if left.is_zero() { None } else { self.consumer.poll(left).map(|read| read.expect("read")) };
                }
                self.commit(&raw, &ends);
            }
        }
    }

    fn commit(&self, raw: &str, ends: &[(i32, i64)]) {
        while self.producer.in_flight_count() > 0 {
            wait(&self.producer, self.wait);
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in ends {
            offsets.add_partition_offset(raw, *partition, Offset::Offset(*offset)).expect("a place");
        }
        let group = self.consumer.group_metadata().expect("a group is named");
        self.producer.send_offsets_to_transaction(&offsets, &group, CALL).expect("offsets taken");
        self.producer.commit_transaction(CALL).expect("committed");
    }
}

fn copy(producer: &BaseProducer, topics: &[String; 3], template: &mut Template, key: &[u8], millis: u64, how: Wait) {
    let count = template.of(key).len();
    for at in 0..count {
        let record = template.of(key)[at].clone();
        if let Some(stamp) = record.stamp {
            write_stamp(&mut template.bytes[stamp..stamp + STAMP], millis);
        }
        let bytes = &template.bytes;
        let mut record = BaseRecord::to(&topics[record.topic]).key(&bytes[record.key]).payload(&bytes[record.value]);
        while let Err((error, again)) = producer.send(record) {
            assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
            wait(producer, how);
            record = again;
        }
    }
}

/// Serves deliveries, and lets a moment pass where there are none.
fn wait(producer: &BaseProducer, how: Wait) {
    if how == Wait::Spinning {
        producer.poll(Duration::from_millis(1));
        return;
    }
    let mut waiting = producer.in_flight_count();
    while waiting > 0 {
        producer.poll(Duration::ZERO);
        let now = producer.in_flight_count();
        if now >= waiting {
            thread::sleep(Duration::from_micros(500));
            return;
        }
        waiting = now;
    }
}

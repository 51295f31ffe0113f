//! Leads onto the raw topic: as fast as they are decided, to find out what is borne; then so many a second, whatever becomes of
//! those before. And how many are decided.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    clients,
    corpus::Corpus,
    service::{Scene, now_millis},
    waiting::{Enough, let_pass},
};

/// No two leads have the same phone number: what remembers numbers must forget some.
pub(crate) const CORPUS: Corpus = Corpus { fresh_phones: true };
/// So many leads in a row go to one partition, as a producer's batches have them.
const IN_A_ROW: u64 = 64;
/// Leads that wait while it is found out what is borne: always enough, and none is ever old.
const WAITING: u64 = 150_000;
/// Of finding out, these seconds do not count, and the others do.
const WARM: Duration = Duration::from_secs(20);
const COUNTED: Duration = Duration::from_secs(30);
/// Between two looks at what is decided.
const LOOK: Duration = Duration::from_millis(250);
/// From the last lead sent to the last decided.
const REST: Duration = Duration::from_mins(5);

/// When the load began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    begun: Instant,
    /// Milliseconds since 1970.
    pub(crate) millis: i64,
}

impl Clock {
    /// Now.
    pub(crate) fn started() -> Self {
        Self { begun: Instant::now(), millis: now_millis() }
    }

    /// Seconds since then.
    pub(crate) fn at(self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// All leads of a soak.
pub(crate) struct Load<'s> {
    scene: &'s Scene,
    partitions: u64,
    sent: AtomicU64,
    decided: AtomicU64,
}

impl<'s> Load<'s> {
    /// None yet.
    pub(crate) fn on(scene: &'s Scene, partitions: i32) -> Self {
        Self { scene, partitions: u64::from(partitions.unsigned_abs()), sent: AtomicU64::new(0), decided: AtomicU64::new(0) }
    }

    /// Leads handed to the client so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Leads that are committed, by the last look.
    pub(crate) fn decided(&self) -> u64 {
        self.decided.load(Ordering::Acquire)
    }

    /// Looks at the group's offsets until it is enough.
    pub(crate) fn watch(&self, enough: &Enough) {
        let group = self.scene.progress();
        while !enough.said() {
            // While the broker is away nobody tells.
            self.decided.fetch_max(group.done().unsigned_abs(), Ordering::AcqRel);
            let_pass(LOOK);
        }
    }

    /// Leads a second that are decided while there are always some that wait.
    pub(crate) fn borne(&self) -> f64 {
        let producer = self.producer();
        let started = Instant::now();
        let mut from = None;
        loop {
            let waiting = self.sent().saturating_sub(self.decided());
            for _ in waiting..WAITING.min(waiting + 2_000) {
                self.send(&producer, now_millis());
            }
            if waiting >= WAITING {
                producer.poll(Duration::from_millis(5));
            }
            let look = (Instant::now(), self.decided());
            if from.is_none() && started.elapsed() > WARM {
                from = Some(look);
            }
            if let Some((then, before)) = from
                && then.elapsed() > COUNTED
            {
                producer.flush(REST).expect("the broker takes them");
                return (look.1 - before) as f64 / then.elapsed().as_secs_f64();
            }
        }
    }

    /// Sends leads when they are due, for so many seconds; the seconds that one was sent late, at most.
    pub(crate) fn pace(&self, clock: Clock, rate: u64, seconds: u64) -> f64 {
        let producer = self.producer();
        let (all, mut sent, mut late) = (rate * seconds, 0, 0.0_f64);
        while sent < all {
            let due = ((clock.at() * rate as f64) as u64).min(all);
            for number in sent..due {
                // When it was to be sent: what waits here, since the broker stalls, counts.
                self.send(&producer, clock.millis + i64::try_from(number * 1000 / rate).expect("small"));
                late = late.max(clock.at() - number as f64 / rate as f64);
            }
            sent = due;
            producer.poll(Duration::ZERO);
            thread::sleep(Duration::from_millis(1));
        }
        producer.flush(REST).expect("the broker takes them");
        late
    }

    /// Waits until all that was written is decided.
    pub(crate) fn wait_decided(&self, look: impl Fn()) {
        let written = clients::written(&self.scene.brokers, &self.scene.raw).unsigned_abs();
        assert_eq!(written, self.sent(), "the client wrote each lead once");
        let started = Instant::now();
        while self.decided() < written {
            look();
            assert!(started.elapsed() < REST, "{} of {written} leads are decided after {REST:?}", self.decided());
            let_pass(LOOK);
        }
    }

    fn producer(&self) -> BaseProducer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.scene.brokers).set("compression.type", "lz4").set("linger.ms", "5");
        config.set("batch.size", "262144").set("enable.idempotence", "true").set("reconnect.backoff.max.ms", "500");
        config.create().expect("good settings")
    }

    fn send(&self, producer: &BaseProducer, at: i64) {
        let number = self.sent();
        let (mut key, mut value) = (String::new(), String::new());
        Corpus::key(number, &mut key);
        CORPUS.lead(number, &mut value);
        let partition = i32::try_from(number / IN_A_ROW % self.partitions).expect("small");
        let mut record = BaseRecord::to(&self.scene.raw).partition(partition).key(&key).payload(&value).timestamp(at);
        while let Err((error, again)) = producer.send(record) {
            assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
            producer.poll(Duration::from_millis(1));
            record = again;
        }
        self.sent.store(number + 1, Ordering::Release);
    }
}

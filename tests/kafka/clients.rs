//! Plain Kafka clients that know nothing of the program: topics, raw records in, a `read_committed` reader, a group's offsets.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, Offset, Timestamp, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, DeliveryResult, Header, Headers, OwnedHeaders},
    producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer},
};

use super::waiting::wait_for;

const CALL: Duration = Duration::from_secs(10);
/// Longer than the longest transaction a killed process leaves open.
const SETTLED: Duration = Duration::from_mins(1);

/// A record to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970; none: now.
    pub(crate) timestamp: Option<i64>,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) timestamp: i64,
}

impl Kept {
    /// A header's text; panics where it is missing, twice there, or no text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(known, _)| known == name).collect();
        assert_eq!(found.len(), 1, "header {name} of {:?}", self.headers);
        std::str::from_utf8(found[0].1.as_deref().expect("a value")).expect("text")
    }

    /// The value as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().expect("a value")).expect("JSON")
    }
}

/// Whether something listens there.
pub(crate) fn accepts(address: &str) -> bool {
    TcpStream::connect_timeout(&address.parse().expect("host:port"), Duration::from_secs(1)).is_ok()
}

/// Whether a broker answers there, and takes transactions and groups.
pub(crate) fn answers(address: &str) -> bool {
    accepts(address) && {
        let client: BaseConsumer = config(address).create().expect("good settings");
        client.fetch_metadata(None, Duration::from_secs(2)).is_ok_and(|found| !found.brokers().is_empty())
    }
}

/// Whether a client with these properties is let in.
pub(crate) fn lets_in(address: &str, properties: &[(&str, &str)]) -> bool {
    let mut config = config(address);
    for (name, value) in properties {
        config.set(*name, *value);
    }
    let client: BaseConsumer = config.create().expect("good settings");
    client.fetch_metadata(None, Duration::from_secs(2)).is_ok()
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("reconnect.backoff.max.ms", "500").set_log_level(RDKafkaLogLevel::Critical);
    config
}

/// As many replicas as the cluster's settings say.
const BROKERS_DEFAULT: i32 = -1;

/// Name, partitions, settings of its own.
pub(crate) type Topic<'a> = (&'a str, i32, &'a [(&'a str, &'a str)]);

/// Creates topics.
pub(crate) fn create_topics(brokers: &str, topics: &[Topic<'_>]) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    let new: Vec<_> = topics
        .iter()
        .map(|(name, partitions, settings)| {
            let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(BROKERS_DEFAULT));
            settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
    let results = block_on(admin.create_topics(&new, &options)).expect("the broker answers");
    for result in results {
        result.expect("the topic is created");
    }
    // Created is not yet known to every part of the broker.
    let client: BaseConsumer = config(brokers).create().expect("good settings");
    for (name, partitions, _) in topics {
        let led = || {
            let found = client.fetch_metadata(Some(name), CALL).ok()?;
            let topic = found.topics().first()?;
            let led = topic.partitions().iter().filter(|partition| partition.leader() >= 0).count();
            (topic.error().is_none() && led == usize::try_from(*partitions).ok()?).then_some(())
        };
        wait_for("the topic's partitions have leaders", CALL, String::new, led);
    }
}

/// Deletes a topic, and waits until it is gone.
pub(crate) fn delete_topic(brokers: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
    for result in block_on(admin.delete_topics(&[topic], &options)).expect("the broker answers") {
        result.expect("the topic is deleted");
    }
    let client: BaseConsumer = config(brokers).create().expect("good settings");
    wait_for("the topic is gone", CALL, String::new, || {
        let found = client.fetch_metadata(None, CALL).ok()?;
        found.topics().iter().all(|known| known.name() != topic).then_some(())
    });
}

/// Sets a group's offsets as a person would by Kafka's own tool: nobody may be in the group.
pub(crate) fn set_offsets(brokers: &str, group: &str, topic: &str, offsets: &BTreeMap<i32, i64>) {
    let client: BaseConsumer = config(brokers).set("group.id", group).create().expect("good settings");
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).expect("a place");
    }
    // The last member may have left a moment ago.
    let commit = || client.commit(&list, rdkafka::consumer::CommitMode::Sync).ok();
    wait_for("the group's offsets are set", CALL, String::new, commit);
}

/// Has the broker forget a group and its offsets, as it does by itself after a week; nobody may be in the group.
pub(crate) fn forget_group(brokers: &str, group: &str) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    // The last member may have left a moment ago.
    wait_for("the group is forgotten", CALL, String::new, || {
        let done = block_on(admin.delete_groups(&[group], &AdminOptions::new())).expect("the broker answers");
        done.into_iter().all(|result| result.is_ok()).then_some(())
    });
}

/// Whether there is such a topic, of the broker's own too.
pub(crate) fn has_topic(brokers: &str, topic: &str) -> bool {
    let client: BaseConsumer = config(brokers).create().expect("good settings");
    let found = client.fetch_metadata(None, CALL).expect("the broker answers");
    found.topics().iter().any(|known| known.name() == topic)
}

/// Gives a topic more partitions.
pub(crate) fn add_partitions(brokers: &str, topic: &str, partitions: usize) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    let more = NewPartitions::new(topic, partitions);
    let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
    for result in block_on(admin.create_partitions(&[more], &options)).expect("the broker answers") {
        result.expect("the partitions are added");
    }
    let client: BaseConsumer = config(brokers).create().expect("good settings");
    wait_for("the topic has its partitions", CALL, String::new, || {
        (usize::try_from(self::partitions(&client, topic)).ok()? == partitions).then_some(())
    });
}

/// Changes settings of a topic that is there.
pub(crate) fn alter_topic(brokers: &str, topic: &str, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic));
    let change = settings.iter().fold(change, |change, (key, value)| change.set(key, value));
    let options = AdminOptions::new().request_timeout(Some(CALL));
    for result in block_on(admin.alter_configs(&[change], &options)).expect("the broker answers") {
        result.expect("the topic is changed");
    }
    // Of two values of one setting the last counts.
    let wanted: BTreeMap<_, _> = settings.iter().copied().collect();
    // Taken by the controller is not yet known to the broker.
    wait_for("the topic's settings hold", CALL, String::new, || {
        let described = block_on(admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &options)).ok()?;
        let found = described.into_iter().next()?.ok()?;
        let holds = |(key, value): (&&str, &&str)| found.get(key).and_then(|entry| entry.value.as_deref()) == Some(*value);
        wanted.iter().all(holds).then_some(())
    });
}

/// Deletes what lies before these offsets, by partition.
pub(crate) fn delete_records(brokers: &str, topic: &str, before: &BTreeMap<i32, i64>) {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("good settings");
    let mut list = TopicPartitionList::new();
    for (partition, offset) in before {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).expect("a place");
    }
    let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
    let deleted = block_on(admin.delete_records(&list, &options)).expect("the broker answers");
    deleted.elements().iter().for_each(|partition| partition.error().expect("the records are deleted"));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

#[derive(Default)]
struct Delivered(std::sync::Mutex<Vec<(usize, Result<i64, String>)>>);

impl rdkafka::ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, index: Box<usize>) {
        let result = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.to_string()),
        };
        self.0.lock().expect("not poisoned").push((*index, result));
    }
}

/// Writes raw records, once each and in order; tells at which offset each one is.
pub(crate) struct Writer(ThreadedProducer<Delivered>);

impl Writer {
    pub(crate) fn new(brokers: &str) -> Self {
        let mut config = config(brokers);
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("message.max.bytes", "20000000");
        config.set("queue.buffering.max.messages", "1000000").set("queue.buffering.max.kbytes", "1000000");
        Self(config.create_with_context(Delivered::default()).expect("good settings"))
    }

    /// Returns when all of them are there: their offsets, in the order of `records`.
    pub(crate) fn write(&self, topic: &str, records: &[Raw]) -> Vec<i64> {
        self.0.context().0.lock().expect("not poisoned").clear();
        for (index, raw) in records.iter().enumerate() {
            let mut record = BaseRecord::with_opaque_to(topic, Box::new(index)).partition(raw.partition);
            record.key = raw.key.as_deref();
            record.payload = raw.value.as_deref();
            record.timestamp = raw.timestamp;
            if !raw.headers.is_empty() {
                let headers = raw
                    .headers
                    .iter()
                    .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_deref() }));
                record.headers = Some(headers);
            }
            self.0.send(record).map_err(|(error, _)| error).expect("there is room in the queue");
        }
        self.0.flush(SETTLED).expect("the broker takes them");
        let mut delivered = self.0.context().0.lock().expect("not poisoned");
        delivered.sort_by_key(|(index, _)| *index);
        assert_eq!(delivered.len(), records.len());
        delivered.drain(..).map(|(_, offset)| offset.expect("the broker takes it")).collect()
    }
}

/// A transaction of a foreign writer that stays open until it is committed.
pub(crate) struct Open(ThreadedProducer<Delivered>);

impl Open {
    fn begin(brokers: &str, topic: &str) -> ThreadedProducer<Delivered> {
        let mut config = config(brokers);
        config.set("transactional.id", format!("{topic}.foreign")).set("transaction.timeout.ms", "300000");
        let producer: ThreadedProducer<Delivered> = config.create_with_context(Delivered::default()).expect("good settings");
        producer.init_transactions(SETTLED).expect("the broker takes it");
        producer.begin_transaction().expect("begun");
        producer
    }

    /// Puts a group's offset of one partition into it.
    pub(crate) fn hold(brokers: &str, group: &str, (topic, partition): (&str, i32), offset: i64) -> Self {
        let producer = Self::begin(brokers, topic);
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("a place");
        // Of a group without members anybody may set the offsets.
        let nobody: BaseConsumer = self::config(brokers).set("group.id", group).create().expect("good settings");
        let metadata = nobody.group_metadata().expect("of no member");
        producer.send_offsets_to_transaction(&offsets, &metadata, SETTLED).expect("the broker takes them");
        Self(producer)
    }

    /// Writes these records into it.
    pub(crate) fn write(brokers: &str, topic: &str, records: &[Raw]) -> Self {
        let producer = Self::begin(brokers, topic);
        for (index, raw) in records.iter().enumerate() {
            let mut record = BaseRecord::with_opaque_to(topic, Box::new(index)).partition(raw.partition);
            (record.key, record.payload) = (raw.key.as_deref(), raw.value.as_deref());
            producer.send(record).map_err(|(error, _)| error).expect("there is room in the queue");
        }
        producer.flush(SETTLED).expect("the broker takes them");
        Self(producer)
    }

    pub(crate) fn commit(self) {
        self.0.commit_transaction(SETTLED).expect("committed");
    }

    pub(crate) fn abort(self) {
        self.0.abort_transaction(SETTLED).expect("aborted");
    }
}

/// A group of one that reads a topic, for as long as it lives.
pub(crate) struct Subscriber {
    _reads: BaseConsumer,
}

impl Subscriber {
    /// Returns when it has its partitions.
    pub(crate) fn of(brokers: &str, group: &str, topic: &str) -> Self {
        let reads: BaseConsumer = config(brokers).set("group.id", group).create().expect("good settings");
        reads.subscribe(&[topic]).expect("subscribed");
        wait_for("the subscriber has partitions", CALL, String::new, || {
            drop(reads.poll(Duration::ZERO));
            reads.assignment().is_ok_and(|held| held.count() > 0).then_some(())
        });
        Self { _reads: reads }
    }
}

/// Writes with a writer of its own.
pub(crate) fn write(brokers: &str, topic: &str, records: &[Raw]) -> Vec<i64> {
    Writer::new(brokers).write(topic, records)
}

fn reader(brokers: &str, isolation: &str) -> BaseConsumer {
    let mut config = config(brokers);
    config.set("group.id", "reader-that-commits-nothing").set("isolation.level", isolation);
    config.set("enable.auto.commit", "false").set("enable.partition.eof", "true").set("auto.offset.reset", "error");
    config.set("fetch.message.max.bytes", "20000000").set("check.crcs", "true");
    config.create().expect("good settings")
}

fn partitions(client: &BaseConsumer, topic: &str) -> i32 {
    let found = client.fetch_metadata(Some(topic), CALL).expect("the broker answers");
    i32::try_from(found.topics()[0].partitions().len()).expect("a few")
}

/// Whether no transaction is open, or still being ended, in any of these topics.
pub(crate) fn settled(brokers: &str, topics: &[&str]) -> bool {
    unsettled(brokers, topics).is_empty()
}

/// Partitions of these topics in which a transaction is open, or still being ended.
pub(crate) fn unsettled(brokers: &str, topics: &[&str]) -> Vec<(String, i32)> {
    let (committed, all) = (reader(brokers, "read_committed"), reader(brokers, "read_uncommitted"));
    let partitions = topics.iter().flat_map(|topic| (0..partitions(&all, topic)).map(|partition| (*topic, partition)));
    let open = partitions.filter(|(topic, partition)| !is_settled(&committed, &all, topic, *partition));
    open.map(|(topic, partition)| (topic.to_owned(), partition)).collect()
}

fn is_settled(committed: &BaseConsumer, all: &BaseConsumer, topic: &str, partition: i32) -> bool {
    let visible = committed.fetch_watermarks(topic, partition, CALL);
    let end = all.fetch_watermarks(topic, partition, CALL);
    matches!((visible, end), (Ok((_, visible)), Ok((_, end))) if visible == end)
}

/// How many offsets a topic has had, whether somebody writes meanwhile or not.
pub(crate) fn written(brokers: &str, topic: &str) -> i64 {
    let client = reader(brokers, "read_uncommitted");
    let end = |partition| client.fetch_watermarks(topic, partition, CALL).expect("the broker answers").1;
    (0..partitions(&client, topic)).map(end).sum()
}

/// Everything of a topic that is committed, by partition and offset. Waits until no transaction is open, so that nothing
/// that is still to become visible is missed.
pub(crate) fn read_committed(brokers: &str, topic: &str) -> Vec<Kept> {
    let mut kept = Vec::new();
    each_committed(brokers, topic, |record| kept.push(keep(record)));
    kept.sort_by_key(|kept| (kept.partition, kept.offset));
    kept
}

fn keep(message: &BorrowedMessage<'_>) -> Kept {
    let headers =
        message.headers().map(|headers| headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect());
    Kept {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
        timestamp: match message.timestamp() {
            Timestamp::CreateTime(at) | Timestamp::LogAppendTime(at) => at,
            Timestamp::NotAvailable => -1,
        },
    }
}

/// Shows every committed record of a topic, each partition in its order; waits as [`read_committed`] does.
pub(crate) fn each_committed(brokers: &str, topic: &str, mut see: impl FnMut(&BorrowedMessage<'_>)) {
    let committed = reader(brokers, "read_committed");
    let all = reader(brokers, "read_uncommitted");
    let count = partitions(&committed, topic);
    let mut list = TopicPartitionList::new();
    for partition in 0..count {
        wait_for(
            "every transaction has come to its end",
            SETTLED,
            || format!("{topic}/{partition}"),
            || is_settled(&committed, &all, topic, partition).then_some(()),
        );
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("a place to start");
    }
    committed.assign(&list).expect("assigned");
    let mut at_end = vec![false; usize::try_from(count).expect("positive")];
    let mut heard = Instant::now();
    while at_end.contains(&false) {
        match committed.poll(Duration::from_millis(500)) {
            None => assert!(heard.elapsed() < SETTLED, "{topic} is not read to its end: {at_end:?}"),
            Some(Err(KafkaError::PartitionEOF(partition))) => at_end[usize::try_from(partition).expect("positive")] = true,
            // A connection that comes and goes is the client's own to mend.
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown))) => {}
            Some(Err(error)) => panic!("reading {topic}: {error}"),
            Some(Ok(message)) => {
                heard = Instant::now();
                see(&message);
            }
        }
    }
}

/// A group's committed offsets, looked at from outside.
pub(crate) struct Group {
    client: BaseConsumer,
    topic: String,
    partitions: i32,
}

impl Group {
    pub(crate) fn of(brokers: &str, group: &str, topic: &str) -> Self {
        // Pending offsets of an open transaction must not hold the look up: what counts is what is committed.
        let client: BaseConsumer =
            config(brokers).set("group.id", group).set("isolation.level", "read_uncommitted").create().expect("good settings");
        let partitions = partitions(&client, topic);
        Self { client, topic: topic.to_owned(), partitions }
    }

    /// How many partitions it looks at.
    pub(crate) fn partitions(&self) -> i32 {
        self.partitions
    }

    /// By partition; none: nothing is committed there, or the broker is away.
    pub(crate) fn committed(&self) -> BTreeMap<i32, i64> {
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions {
            list.add_partition(&self.topic, partition);
        }
        let Ok(found) = self.client.committed_offsets(list, Duration::from_secs(3)) else { return BTreeMap::new() };
        found.elements().iter().filter_map(|at| Some((at.partition(), at.offset().to_raw().filter(|offset| *offset >= 0)?))).collect()
    }

    /// Records before the committed offsets, all partitions together; of a topic that was never trimmed.
    pub(crate) fn done(&self) -> i64 {
        self.committed().values().sum()
    }
}

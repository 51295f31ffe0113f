//! Where a lane begins to read and goes back to, on the mock cluster, which knows groups: what librdkafka does to other partitions,
//! or leaves undone, when one is put in place. What the lane makes of a rebalance is tested in `tests`.

use std::collections::BTreeMap;

use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use crate::config::Secret;

use super::{
    super::{End, noted_offsets, properties},
    *,
};

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster with topic `raw`, and ten records in each of its partitions.
fn cluster(partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic("raw", partitions, 1).expect("a topic");
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().expect("a producer");
    for number in 0..partitions {
        for at in 0..10 {
            let value = format!("{number}/{at}");
            producer.send(BaseRecord::<(), _>::to("raw").partition(number).payload(&value)).expect("room");
        }
    }
    producer.flush(Duration::from_secs(20)).expect("written");
    cluster
}

fn kafka(cluster: &Cluster, strategy: &str) -> KafkaConfig {
    let mut kafka = KafkaConfig { brokers: cluster.bootstrap_servers(), group: "g".to_owned(), ..KafkaConfig::default() };
    kafka.consumer.insert("partition.assignment.strategy".into(), Secret::new(strategy));
    kafka
}

fn member(cluster: &Cluster, strategy: &str, name: &str) -> Member {
    let health = Arc::new(BrokerHealth::new(&cluster.bootstrap_servers()));
    let config = properties::consumer(&kafka(cluster, strategy), name, LaneMemory::share(64 << 20, 1));
    Member::join(&config, &["raw".to_owned()], &health).expect("good settings")
}

fn partition(number: i32) -> Partition {
    Partition { topic: Arc::from("raw"), number }
}

/// Polls for so long; what was read by partition, and what was assigned.
fn polled(member: &Member, time: Duration) -> (BTreeMap<i32, Vec<i64>>, Vec<String>) {
    let (mut read, mut changes) = (BTreeMap::<i32, Vec<i64>>::new(), Vec::new());
    let until = Instant::now() + time;
    while Instant::now() < until {
        match member.consumer.poll(Duration::from_millis(50)) {
            Some(Ok(record)) => read.entry(record.partition()).or_default().push(record.offset()),
            Some(Err(error)) => changes.push(format!("{error}")),
            None => {}
        }
        changes.extend(member.changes().into_iter().map(|change| format!("{change:?}")));
    }
    (read, changes)
}

fn unnoted(offsets: &[(Partition, i64)]) -> Vec<NotedOffset> {
    offsets.iter().map(|(partition, offset)| NotedOffset { partition: partition.clone(), offset: *offset, note: String::new() }).collect()
}

#[test]
fn in_an_eager_group_a_partition_that_is_put_back_moves_no_other() {
    let cluster = cluster(2);
    let member = member(&cluster, "range", "a");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !member.changed() {
        assert!(Instant::now() < deadline, "not assigned");
        drop(member.consumer.poll(Duration::from_millis(50)));
    }
    // As `settle` does with partitions that the group has no offset of.
    let start = [(partition(0), 0), (partition(1), 0)];
    member.commit(&unnoted(&start)).expect("committed");
    member.reassign(&start, &start).expect("in place");
    let (read, _) = polled(&member, Duration::from_secs(3));
    assert_eq!((read[&0].len(), read[&1].len()), (10, 10), "all is read");
    let done = [(partition(0), 10), (partition(1), 10)];
    member.commit(&unnoted(&done)).expect("committed");
    // The position of one partition is gone: fetching of it ends.
    member.consumer.seek_partitions(list(&[(partition(1), 9_999)]).expect("a list"), PLACE).expect("sought");
    let (_, told) = polled(&member, Duration::from_secs(2));
    assert!(told.iter().any(|told| told.contains("AutoOffsetReset") || told.contains("OutOfRange")), "{told:?}");
    // As `try_place` does with all partitions then.
    member.place(&done, PLACE).expect("in place");
    let (again, _) = polled(&member, Duration::from_secs(3));
    assert!(again.is_empty(), "what is committed was read again: {again:?}");
}

#[test]
fn a_partition_whose_offset_could_not_be_had_at_once_is_read_all_the_same() {
    for errors in [&[][..], &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR][..]] {
        let cluster = cluster(1);
        let kafka = kafka(&cluster, "cooperative-sticky");
        let before: rdkafka::consumer::BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &kafka.brokers).set("group.id", &kafka.group).create().expect("a consumer");
        before.commit(&list(&[(partition(0), 3)]).expect("a list"), rdkafka::consumer::CommitMode::Sync).expect("committed");
        drop(before);
        let settings = tests::settings(kafka);
        let health = Arc::new(BrokerHealth::new(&settings.kafka.brokers));
        let mut lane = KafkaLane::new(settings, health, Box::new(tests::Told::default()), Arc::default());
        cluster.request_errors(RDKafkaApiKey::OffsetFetch, errors);
        let limits = BatchLimits { records: 100, bytes: 1 << 20, wait: Duration::from_millis(100) };
        let (started, mut batch) = (Instant::now(), Batch::default());
        while lane.next_batch(&limits, &mut batch).expect("no end") != Next::Records {
            assert!(started.elapsed() < Duration::from_secs(40), "{errors:?}: nothing was read in 40 s; owned {:?}", lane.owned);
        }
        println!("{errors:?}: read after {:?}", started.elapsed());
        assert_eq!(batch.get(0).map(|record| record.at.offset), Some(3));
    }
}

#[test]
fn a_bounded_lane_reads_up_to_its_end_again_after_a_rewind_and_notes_what_it_commits() {
    let cluster = cluster(2);
    let mut settings = tests::settings(kafka(&cluster, "cooperative-sticky"));
    let end = End { to: 5, note: "five".to_owned() };
    settings.ends = Some(Arc::new([(partition(0), end)].into_iter().collect()));
    let kafka = settings.kafka.clone();
    let health = Arc::new(BrokerHealth::new(&settings.kafka.brokers));
    let mut lane = KafkaLane::new(settings, health, Box::new(tests::Told::default()), Arc::default());
    let limits = BatchLimits { records: 100, bytes: 1 << 20, wait: Duration::from_secs(2) };
    for round in 0..3 {
        let (started, mut batch, mut read) = (Instant::now(), Batch::default(), Vec::new());
        while read.len() < 5 {
            assert!(started.elapsed() < Duration::from_secs(40), "round {round}: {read:?} in 40 s; owned {:?}", lane.owned);
            lane.next_batch(&limits, &mut batch).expect("no end");
            read.extend(batch.iter().map(|record| (record.at.partition.number, record.at.offset)));
        }
        // Nothing comes after its end, and nothing of a partition that has none.
        lane.next_batch(&limits, &mut batch).expect("no end");
        read.extend(batch.iter().map(|record| (record.at.partition.number, record.at.offset)));
        assert_eq!(read, (0..5).map(|offset| (0, offset)).collect::<Vec<_>>(), "round {round}");
        lane.rewind().expect("no end");
    }
    let mut noted = noted_offsets(&kafka, &["raw".to_owned()]).expect("told");
    noted.sort_by_key(|noted| noted.partition.number);
    let noted: Vec<_> = noted.iter().map(|noted| (noted.partition.number, noted.offset, noted.note.as_str())).collect();
    assert_eq!(noted, [(0, 0, "five"), (1, 0, "")]);
}

//! The tools themselves, tried with plain clients: what the other tests lean on must hold by itself.

use std::{collections::BTreeMap, process::Command, time::Duration};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    broker::{self, Broker},
    clients::{self, Group, Raw},
    service::Scene,
    waiting::wait_until,
};

fn transactional(brokers: &str, id: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("transactional.id", id).set("transaction.timeout.ms", "3000");
    let producer: BaseProducer = config.create().expect("good settings");
    producer.init_transactions(Duration::from_secs(30)).expect("the broker takes transactions");
    producer
}

#[test]
fn the_reader_sees_all_that_is_committed_untouched_and_nothing_else() {
    let scene = Scene::with_topics("reader", broker::shared(), 3);
    let headers = vec![("a".to_owned(), Some(b"1".to_vec())), ("a".to_owned(), None), ("b".to_owned(), Some(vec![0xff]))];
    let raw = Raw {
        partition: 2,
        key: Some(b"k".to_vec()),
        value: Some(b"v\0\xff".to_vec()),
        headers: headers.clone(),
        timestamp: Some(1_000_000_000_123),
    };
    assert_eq!(scene.write(&[raw, Raw::default(), Raw { partition: 2, ..Raw::default() }]), [0, 0, 1]);

    let producer = transactional(&scene.brokers, &scene.group);
    for (value, commit) in [("aborted", false), ("committed", true)] {
        producer.begin_transaction().expect("begun");
        producer.send(BaseRecord::<(), str>::to(&scene.raw).partition(1).payload(value)).map_err(|(error, _)| error).expect("queued");
        if commit {
            producer.commit_transaction(Duration::from_secs(30)).expect("committed");
        } else {
            producer.flush(Duration::from_secs(30)).expect("sent");
            producer.abort_transaction(Duration::from_secs(30)).expect("aborted");
        }
    }
    // One that is left open, as by a killed process: the reader waits until the broker has ended it.
    producer.begin_transaction().expect("begun");
    producer.send(BaseRecord::<(), str>::to(&scene.raw).partition(1).payload("left open")).map_err(|(error, _)| error).expect("queued");
    producer.flush(Duration::from_secs(30)).expect("sent");

    let kept = scene.read(&scene.raw);
    let found: Vec<_> = kept.iter().map(|kept| (kept.partition, kept.offset, kept.value.as_deref())).collect();
    assert_eq!(found, [(0, 0, None), (1, 2, Some(b"committed".as_slice())), (2, 0, Some(b"v\0\xff".as_slice())), (2, 1, None)]);
    assert_eq!((kept[2].key.as_deref(), &kept[2].headers, kept[2].timestamp), (Some(b"k".as_slice()), &headers, 1_000_000_000_123));
}

#[test]
fn a_groups_offsets_are_those_that_are_committed() {
    let scene = Scene::with_topics("group", broker::shared(), 2);
    let group = scene.progress();
    assert_eq!(group.committed(), BTreeMap::new());
    let member: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &scene.brokers).set("group.id", &scene.group).create().expect("good settings");
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&scene.raw, 1, Offset::Offset(7)).expect("a place");
    member.commit(&offsets, rdkafka::consumer::CommitMode::Sync).expect("committed");
    assert_eq!((group.committed(), group.done()), (BTreeMap::from([(1, 7)]), 7));
}

#[test]
fn a_broker_that_is_killed_comes_back_with_its_data_at_its_address() {
    let mut broker = Broker::started();
    let scene = Scene::with_topics("restart", broker.address(), 1);
    scene.write(&[Raw { value: Some(b"before".to_vec()), ..Raw::default() }]);
    broker.kill();
    assert!(!clients::accepts(broker.address()));
    broker.start();
    scene.write(&[Raw { value: Some(b"after".to_vec()), ..Raw::default() }]);
    let values: Vec<_> = scene.read(&scene.raw).into_iter().filter_map(|kept| kept.value).collect();
    assert_eq!(values, [b"before".as_slice(), b"after"]);
    assert_eq!(Group::of(broker.address(), "nobody", &scene.raw).done(), 0);
}

/// Set for the process that this test starts of itself: it starts a broker, tells of it, and waits for its own end.
const VICTIM: &str = "LEADSTREAM_TEST_VICTIM";

#[test]
fn a_broker_dies_with_the_test_process_even_when_that_is_killed() {
    if let Ok(file) = std::env::var(VICTIM) {
        let broker = Broker::started();
        let (guardian, data) = broker.traces();
        std::fs::write(&file, format!("{}\n{guardian}\n{}\n", broker.address(), data.display())).expect("written");
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("traces");
    let mut victim = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "harness::a_broker_dies_with_the_test_process_even_when_that_is_killed"])
        .env(VICTIM, &file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let told = || std::fs::read_to_string(&file).ok().filter(|told| told.lines().count() == 3);
    let told = super::waiting::wait_for("the other process has its broker", Duration::from_mins(2), String::new, told);
    let told: Vec<_> = told.lines().collect();
    assert!(clients::accepts(told[0]));
    victim.kill().expect("it is ours");
    victim.wait().expect("it is ours");
    wait_until("the broker, its guardian and its data are gone", Duration::from_secs(20), || {
        let guardian = Command::new("kill").args(["-0", told[1]]).stderr(std::process::Stdio::null()).status();
        !clients::accepts(told[0]) && !guardian.expect("kill is there").success() && !std::path::Path::new(told[2]).exists()
    });
}

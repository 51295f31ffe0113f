//! What a lane makes of a rebalance between reading a batch and committing it, without a group: the callbacks' notes are made
//! up. What a real group does is tested in `tests/kafka`.

use std::sync::Mutex;

use rdkafka::mocking::MockCluster;

use crate::{
    config::LaneMemory,
    io::{Abort, Cause},
    lead::{NextOffset, Position},
};

use super::{super::properties, *};

/// What the lane told, in words.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl LaneWatch for Told {
    fn tell(&mut self, event: LaneEvent<'_>) {
        let numbers = |partitions: &[Partition]| partitions.iter().map(|partition| partition.number).collect::<Vec<_>>();
        let word = match event {
            LaneEvent::Assigned(partitions) => format!("assigned {:?}", numbers(partitions)),
            LaneEvent::Revoked(partitions) => format!("revoked {:?}", numbers(partitions)),
            LaneEvent::Lost(partitions) => format!("lost {:?}", numbers(partitions)),
            other => format!("{other:?}"),
        };
        self.0.lock().expect("not poisoned").push(word);
    }
}

/// What a lane of the tests needs to know.
pub(super) fn settings(kafka: KafkaConfig) -> LaneSettings {
    LaneSettings {
        kafka,
        input: vec!["raw".to_owned()],
        output: ["qualified", "unqualified", "routing", "dead-letter", ""].map(str::to_owned),
        transactional_id: "test-lane".to_owned(),
        from: From::Earliest,
        on_lost_position: OnLostPosition::Stop,
        started: Timestamp::from_micros(0),
        delivery: Delivery::ExactlyOnce,
        memory: LaneMemory::share(64 << 20, 1),
        largest_output: 1_000_000,
        limits: [0; OutputTopic::COUNT],
        ends: None,
    }
}

/// A lane whose member reaches no group, and what it tells; its producer would write to `brokers`.
pub(super) fn lane(brokers: &str) -> (KafkaLane, Told) {
    let settings = settings(KafkaConfig { brokers: brokers.to_owned(), ..KafkaConfig::default() });
    let (health, told) = (Arc::new(BrokerHealth::new(brokers)), Told::default());
    let nowhere = KafkaConfig { brokers: "127.0.0.1:1".to_owned(), ..KafkaConfig::default() };
    let member =
        Member::join(&properties::consumer(&nowhere, "test-lane", settings.memory), &settings.input, &health).expect("good settings");
    let mut lane = KafkaLane::new(settings, health, Box::new(told.clone()), Arc::default());
    lane.member = Some(member);
    (lane, told)
}

fn partition(number: i32) -> Partition {
    Partition { topic: Arc::from("raw"), number }
}

fn names(numbers: &[i32]) -> Vec<(String, i32)> {
    numbers.iter().map(|number| ("raw".to_owned(), *number)).collect()
}

/// Partitions 0 to 2 are the lane's, and the batch has two records of each.
fn gathered(lane: &mut KafkaLane) -> Batch {
    let mut batch = Batch::default();
    note(lane, Change::Assigned(names(&[0, 1, 2])));
    lane.take_changes(&mut batch);
    for offset in [5, 6] {
        for number in 0..3 {
            let at = Position { partition: partition(number), offset };
            batch.push(at, Timestamp::from_micros(0), None, Some(b"x"), std::iter::empty());
        }
    }
    batch
}

fn note(lane: &KafkaLane, change: Change) {
    lane.member.as_ref().expect("a member").note(change);
}

fn positions(batch: &Batch) -> Vec<(i32, i64)> {
    batch.iter().map(|record| (record.at.partition.number, record.at.offset)).collect()
}

#[test]
fn records_of_partitions_that_go_leave_the_batch_and_those_that_stay_stay() {
    for (lost, word) in [(false, "revoked"), (true, "lost")] {
        let (mut lane, told) = lane("127.0.0.1:1");
        let mut batch = gathered(&mut lane);
        note(&lane, Change::Revoked { partitions: names(&[0, 2]), lost });
        lane.take_changes(&mut batch);
        assert_eq!(positions(&batch), [(1, 5), (1, 6)]);
        assert_eq!(lane.owned.partitions(), [partition(1)]);
        assert_eq!(lane.unsettled, [partition(1)]);
        assert_eq!(*told.0.lock().expect("not poisoned"), ["assigned [0, 1, 2]".to_owned(), format!("{word} [0, 2]")]);
    }
}

#[test]
fn a_partition_that_goes_and_comes_back_starts_at_what_is_committed() {
    let (mut lane, _) = lane("127.0.0.1:1");
    let mut batch = gathered(&mut lane);
    lane.unsettled.clear();
    note(&lane, Change::Revoked { partitions: names(&[1]), lost: false });
    note(&lane, Change::Assigned(names(&[1])));
    lane.take_changes(&mut batch);
    // Another lane may have decided what was read before it went.
    assert_eq!(positions(&batch), [(0, 5), (2, 5), (0, 6), (2, 6)]);
    assert_eq!(lane.unsettled, [partition(1)]);
}

#[test]
fn a_member_that_cannot_follow_its_group_is_dropped_with_all_it_had() {
    let (mut lane, told) = lane("127.0.0.1:1");
    let mut batch = gathered(&mut lane);
    note(&lane, Change::Failed("assigning partitions: no".to_owned()));
    lane.take_changes(&mut batch);
    assert!(lane.member.is_none() && batch.is_empty() && lane.owned.is_empty());
    assert_eq!(told.0.lock().expect("not poisoned").last().map(String::as_str), Some("lost [0, 1, 2]"));
}

/// Parts of a batch lie in a transaction: whatever replaces its producer, what comes after must not be committed without them.
#[test]
fn a_producer_that_falls_into_doubt_in_the_middle_of_a_batch_costs_the_batch() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for topic in ["qualified", "unqualified", "routing", "dead-letter"] {
        cluster.create_topic(topic, 1, 1).expect("created");
    }
    let (mut lane, told) = lane(&cluster.bootstrap_servers());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !lane.connect().expect("no error") {
        assert!(Instant::now() < deadline, "no producer within 20 s");
    }
    let mut out = OutputBuffer::default();
    out.push(OutputTopic::Routing, |_| false, |_| false, |_| {});
    let producer = lane.producer.as_mut().expect("a producer");
    producer.write(&[(&out, &lane.settings.output)]).expect("written");
    lane.ahead = true;
    // What is dropped is aborted by the same producer, and no trouble.
    lane.rewind().expect("it rewinds");
    assert!(!lane.ahead && lane.producer.as_ref().is_some_and(|producer| !producer.is_open()));
    assert_eq!(*told.0.lock().expect("not poisoned"), Vec::<String>::new());

    lane.ahead = true;
    lane.replace_producer(Cause::Idle);
    assert!(lane.ready_producer().is_ok());
    let aborted = lane.commit(&out, &Progress::default());
    assert!(matches!(&aborted, Err(LaneError::Aborted(Abort { reason: Cause::State, .. }))), "{aborted:?}");
    assert!(!lane.ahead && lane.rewinding && lane.producer.is_none());
}

#[test]
fn a_lane_that_is_no_member_commits_nothing_and_keeps_its_producer() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let (mut lane, told) = lane(&cluster.bootstrap_servers());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !lane.connect().expect("no error") {
        assert!(Instant::now() < deadline, "no producer within 20 s");
    }
    let mut progress = Progress::default();
    progress.advance(&partition(0), NextOffset::told_by_broker(7));
    let aborted = lane.commit(&OutputBuffer::default(), &progress);
    assert!(matches!(&aborted, Err(LaneError::Aborted(Abort { reason: Cause::Rebalance, .. }))), "{aborted:?}");
    assert!(lane.rewinding, "what was decided is read again");
    assert!(lane.producer.is_some() && lane.pause_until.is_none());
    assert_eq!(*told.0.lock().expect("not poisoned"), Vec::<String>::new());
}

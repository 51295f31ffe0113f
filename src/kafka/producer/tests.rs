//! Every step of a transaction, met by every answer that librdkafka sorts differently: against its mock cluster, whose
//! requests fail as they are told to. What becomes of the leads meanwhile is tested in `tests/kafka`, which has a real broker.
//!
//! | call | answer | here | on a real broker, in |
//! |---|---|---|---|
//! | poll | broker away; topic unknown | – | `outage`; `trouble` |
//! | send | queue full | `a_full_queue_is_waited_for` | `memory` |
//! | | too large; state; fatal | `a_record_that_…_refuses_is_found`, `a_fence_that_a_record_meets_is_told` | `too_large` |
//! | report | too large; topic unknown; state; fenced | the same | `too_large`; `trouble`; `pausing` |
//! | offsets | generation, member; fenced, state | `an_answer_to_offsets_is_sorted` | `pausing`, `joining`, `kills` |
//! | | time-out, lost connection | `a_call_that_takes_too_long_…`, `a_lost_connection_…` | `pausing`; `delaying` |
//! | commit, abort | fenced, state | `an_answer_to_the_end_of_a_transaction_is_sorted` | `pausing`, `trouble`, `outage` |
//! | | time-out; lost connection | `a_call_that_takes_too_long_…`, `a_lost_connection_…` | `outage`; `closing` |
//! | any | wrong state | `what_is_out_of_turn_costs_the_producer` | – (it would be a bug) |
//! | committed offsets | a transaction holds them | – | `delaying`, `kills` |

use std::{io::Read, net::TcpListener};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    mocking::{MockCluster, MockCoordinator},
    producer::DefaultProducerContext,
    topic_partition_list::Offset,
    types::{RDKafkaApiKey as Api, RDKafkaRespErr as Answer},
};

use crate::{
    config::{Delivery, KafkaConfig, Secret},
    io::Cause,
    lead::Timestamp,
    pipeline::{OutputBuffer, OutputTopic},
};

use super::{
    super::{OutputNames, properties},
    *,
};

#[test]
fn a_line_on_a_missing_right_is_understood() {
    let line =
        "sasl_ssl://127.0.0.1:9093/1: Failed to add partition \"leads.routing\" [2] to transaction: Broker: Topic authorization failed";
    assert_eq!(refusal(line), Some((Code::TopicAuthorizationFailed, "leads.routing")));
    let line = "Fatal transaction error: Failed to add partitions to transaction (TRANSACTIONAL_ID_AUTHORIZATION_FAILED)";
    assert_eq!(refusal(line), Some((Code::TransactionalIdAuthorizationFailed, "")));
    assert_eq!(refusal("Failed to add partition \"t\" [0] to transaction: Broker: Not coordinator"), None);
}

/// The safety rule hangs on librdkafka's log: that a lost connection is logged under FAIL, at a level we ask for, and
/// reaches us on our own thread. To be looked at again whenever rdkafka is raised.
#[test]
fn a_connection_closed_by_the_broker_leaves_a_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let brokers = listener.local_addr().expect("bound").to_string();
    let closing = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("librdkafka connects");
        let _ = connection.read(&mut [0; 512]).expect("and asks something");
    });
    let kafka = KafkaConfig { brokers: brokers.clone(), ..KafkaConfig::default() };
    let packing = properties::Packing { largest: 1_000_000, together: 1_000_000, alone: false, on_the_way: 64 << 20 };
    let config = properties::producer(&kafka, Delivery::ExactlyOnce, "test-closed", packing);
    let health = Arc::new(BrokerHealth::new(&brokers));
    let mut producer = Producer::create(&config, true, &health).expect("the settings are good");
    // As if it had been working: only a producer at work can be doubted.
    producer.initialised = true;
    let deadline = Instant::now() + Duration::from_secs(20);
    let doubt = loop {
        producer.drain();
        if let Some(doubt) = producer.take_doubt() {
            break doubt;
        }
        assert!(Instant::now() < deadline, "no line of facility FAIL within 20 s");
        thread::yield_now();
    };
    assert_eq!(doubt, Cause::LogLine);
    closing.join().expect("closed");
}

/// A mock cluster of one broker, a producer at work on it, and a member whose offsets it takes.
struct Stage {
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: Producer,
    member: BaseConsumer,
    topics: OutputNames,
    /// What `write` writes has a key: it goes by partition.
    keyed: bool,
}

impl Stage {
    fn set() -> Self {
        Self::with(&[], 1_000_000)
    }

    /// With properties of the producer.
    fn with(properties: &[(&str, &str)], largest: usize) -> Self {
        Self::on(MockCluster::new(1).expect("a mock cluster"), properties, largest)
    }

    fn on(cluster: MockCluster<'static, DefaultProducerContext>, properties: &[(&str, &str)], largest: usize) -> Self {
        let topics = ["qualified", "unqualified", "routing", "dead-letter", "ledger"].map(str::to_owned);
        for topic in topics.iter().map(String::as_str).chain(["raw"]) {
            cluster.create_topic(topic, if topic == "unqualified" { 3 } else { 1 }, 1).expect("created");
        }
        let brokers = cluster.bootstrap_servers();
        let mut kafka = KafkaConfig { brokers: brokers.clone(), ..KafkaConfig::default() };
        kafka.producer.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))));
        let packing = properties::Packing { largest, together: 1_000_000, alone: false, on_the_way: 64 << 20 };
        let config = properties::producer(&kafka, Delivery::ExactlyOnce, "test-stage", packing);
        let mut producer = Producer::create(&config, true, &Arc::new(BrokerHealth::new(&brokers))).expect("the settings are good");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !producer.initialise(Duration::from_secs(2)).expect("no error") {
            assert!(Instant::now() < deadline, "no transactional id within 20 s");
        }
        let mut member = ClientConfig::new();
        // Closing would wait for a commit that the mock cluster does not answer.
        member.set("bootstrap.servers", &brokers).set("group.id", "g").set("enable.auto.commit", "false");
        let member = member.create().expect("good settings");
        Self { cluster, producer, member, topics, keyed: false }
    }

    fn write(&mut self, sizes: &[usize]) -> Result<(), Trouble> {
        let mut out = OutputBuffer::default();
        out.begin(Timestamp::from_micros(0));
        for size in sizes {
            let value = |bytes: &mut Vec<u8>| {
                bytes.extend(std::iter::repeat_n(b'x', *size));
                true
            };
            let key = |bytes: &mut Vec<u8>| {
                bytes.extend(b"key");
                self.keyed
            };
            out.push(OutputTopic::Routing, key, value, |_| {});
        }
        self.producer.write(&[(&out, &self.topics)])
    }

    /// One more record, into the same transaction.
    fn send_one(&self) -> Result<(), Trouble> {
        let mut out = OutputBuffer::default();
        out.push(OutputTopic::Routing, |_| false, |_| false, |_| {});
        self.producer.send(1, &out.get(0).expect("pushed"), &self.topics)
    }

    fn send_offsets(&self) -> Result<(), Trouble> {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("raw", 0, Offset::Offset(1)).expect("a place");
        self.producer.send_offsets(offsets, self.member.group_metadata().expect("it has a group"))
    }

    /// Makes the next requests of this kind fail.
    fn fails(&self, api: Api, answers: &[Answer]) {
        self.cluster.request_errors(api, answers);
    }

    fn doubt(&self) -> Option<Cause> {
        self.producer.drain();
        self.producer.take_doubt()
    }

    /// The producer has come to no harm.
    fn assert_fit(&mut self) {
        assert_eq!(self.doubt(), None);
        let written = self.write(&[1]);
        written.unwrap_or_else(|trouble| panic!("{trouble:?}, {:?}", self.producer.reports.failed));
        self.send_offsets().expect("sent");
        self.producer.commit().expect("committed");
        assert_eq!(self.doubt(), None);
    }
}

fn told(result: Result<(), Trouble>) -> (Cause, Remedy) {
    let trouble = result.expect_err("it cannot succeed");
    (trouble.reason, trouble.remedy)
}

#[test]
fn a_transaction_without_trouble_leaves_no_doubt() {
    let mut stage = Stage::set();
    stage.assert_fit();
    stage.write(&[1, 2, 3]).expect("written");
    stage.producer.abort().expect("aborted");
    stage.assert_fit();
}

#[test]
fn an_answer_to_offsets_is_sorted() {
    use Answer::{
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID as FencedInstance, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED as NotAllowed,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION as Generation, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH as Epoch,
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE as State, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS as Rebalance,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED as IdNotAllowed, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID as Member,
    };
    for (api, answer, reason, remedy) in [
        (Api::TxnOffsetCommit, Generation, Cause::Rebalance, Remedy::Abort),
        (Api::TxnOffsetCommit, Member, Cause::Rebalance, Remedy::Abort),
        (Api::TxnOffsetCommit, Rebalance, Cause::Rebalance, Remedy::Abort),
        (Api::TxnOffsetCommit, FencedInstance, Cause::Rebalance, Remedy::Abort),
        (Api::TxnOffsetCommit, NotAllowed, Cause::NotAuthorized, Remedy::Abort),
        (Api::TxnOffsetCommit, Epoch, Cause::Fenced, Remedy::Fenced),
        (Api::TxnOffsetCommit, State, Cause::Fatal, Remedy::Replace),
        (Api::AddOffsetsToTxn, NotAllowed, Cause::NotAuthorized, Remedy::Abort),
        (Api::AddOffsetsToTxn, IdNotAllowed, Cause::Fatal, Remedy::Replace),
        (Api::AddOffsetsToTxn, Epoch, Cause::Fenced, Remedy::Fenced),
        (Api::AddOffsetsToTxn, State, Cause::Fatal, Remedy::Replace),
    ] {
        let mut stage = Stage::set();
        stage.write(&[1]).expect("written");
        stage.fails(api, &[answer]);
        assert_eq!(told(stage.send_offsets()), (reason, remedy), "{api:?} {answer:?}");
        if remedy == Remedy::Abort {
            stage.producer.abort().expect("aborted");
            stage.assert_fit();
        }
    }
}

#[test]
fn an_answer_to_the_end_of_a_transaction_is_sorted() {
    use Answer::{
        RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS as Concurrent, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS as Loading,
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE as State, RD_KAFKA_RESP_ERR_PRODUCER_FENCED as Fenced,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED as IdNotAllowed, RD_KAFKA_RESP_ERR_UNKNOWN as Unknown,
    };
    for commits in [true, false] {
        let end = |stage: &Stage| if commits { stage.producer.commit() } else { stage.producer.abort() };
        for (answer, reason, remedy) in [
            (Fenced, Cause::Fenced, Remedy::Fenced),
            (State, Cause::Fatal, Remedy::Replace),
            (IdNotAllowed, Cause::Fatal, Remedy::Replace),
            (Unknown, Cause::Delivery, Remedy::Abort),
        ] {
            let mut stage = Stage::set();
            stage.write(&[1]).expect("written");
            stage.send_offsets().expect("sent");
            stage.fails(Api::EndTxn, &[answer]);
            assert_eq!(told(end(&stage)), (reason, remedy), "commits: {commits}, {answer:?}");
        }
        // What librdkafka repeats by itself, at the same broker and by the same connection, is no doubt.
        let mut stage = Stage::set();
        stage.write(&[1]).expect("written");
        stage.fails(Api::EndTxn, &[Concurrent, Loading]);
        end(&stage).expect("ended");
        stage.assert_fit();
    }
}

#[test]
fn a_lost_connection_under_the_end_of_a_transaction_leaves_a_doubt() {
    for commits in [true, false] {
        let mut stage = Stage::set();
        stage.write(&[1]).expect("written");
        stage.fails(Api::EndTxn, &[Answer::RD_KAFKA_RESP_ERR__TRANSPORT]);
        let ended = if commits { stage.producer.commit() } else { stage.producer.abort() };
        ended.expect("the second copy is answered, and no error is told");
        assert_eq!(stage.doubt(), Some(Cause::LogLine), "commits: {commits}");
    }
}

#[test]
fn a_call_that_takes_too_long_is_repeated_and_then_given_up() {
    for (commits, patience) in [true, false].into_iter().flat_map(|commits| [(commits, Duration::ZERO), (commits, Duration::from_mins(1))])
    {
        let mut stage = Stage::set();
        stage.write(&[1]).expect("written");
        stage.cluster.broker_round_trip_time(1, Duration::from_millis(700)).expect("set");
        let short = Duration::from_millis(200);
        let end = move |client: &BaseProducer<Reports>| {
            if commits { client.commit_transaction(short) } else { client.abort_transaction(short) }
        };
        let ended = stage.producer.repeat("end", patience, end);
        if patience.is_zero() {
            assert_eq!(told(ended), (Cause::Timeout, Remedy::Replace), "commits: {commits}");
        } else {
            ended.expect("one of them hears the answer");
            assert_eq!(stage.doubt(), Some(Cause::Retriable), "an answer that came late; commits: {commits}");
        }
    }
}

/// librdkafka does not look at its own time-out while it waits for a group's coordinator (2.12.1: `creq_ts_timeout`).
#[test]
fn a_call_that_never_comes_back_is_left_behind() {
    let cluster = MockCluster::new(2).expect("a mock cluster");
    cluster.coordinator(MockCoordinator::Transaction("test-stage".to_owned()), 1).expect("set");
    cluster.coordinator(MockCoordinator::Group("g".to_owned()), 2).expect("set");
    let mut stage = Stage::on(cluster, &[], 1_000_000);
    for topic in &stage.topics {
        stage.cluster.partition_leader(topic, 0, Some(1)).expect("set");
    }
    stage.assert_fit();
    stage.write(&[1]).expect("written");
    stage.cluster.broker_down(2).expect("down");
    stage.producer.left_behind = CALL + Duration::from_secs(2);
    assert_eq!(told(stage.send_offsets()), (Cause::HungCall, Remedy::Replace));
}

#[test]
fn a_record_that_the_broker_refuses_is_found() {
    use Answer::{
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE as State, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE as TooLarge,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED as NotAllowed,
    };
    for (answer, code, too_large, keyed) in [
        (TooLarge, Code::MessageSizeTooLarge, &[0][..]),
        (NotAllowed, Code::TopicAuthorizationFailed, &[]),
        (State, Code::InvalidTransactionalState, &[]),
    ]
    .into_iter()
    .flat_map(|case| [(case, false), (case, true)])
    .map(|((answer, code, too_large), keyed)| (answer, code, too_large, keyed))
    {
        let mut stage = Stage::set();
        stage.keyed = keyed;
        stage.assert_fit();
        stage.fails(Api::Produce, &[answer]);
        assert_eq!(told(stage.write(&[10])), (Cause::Delivery, Remedy::Abort), "{answer:?}");
        assert_eq!(stage.producer.too_large(), too_large);
        assert_eq!(stage.producer.first_cause(), Some((code, "routing".to_owned())));
        // What follows in the same transaction is refused by librdkafka, as out of its state.
        assert_eq!(told(stage.send_one()), (Cause::Delivery, Remedy::Abort), "{answer:?}");
        stage.producer.abort().expect("aborted");
        // The record's number is missing in its partition, so the broker refuses the next one as well: the lane does not go on
        // with such a producer, although its abort was good.
        assert!(stage.write(&[1]).is_err(), "{answer:?}: librdkafka has mended it; the lane need not replace the producer");
    }
}

#[test]
fn a_fence_that_a_record_meets_is_told() {
    use Answer::{RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH as Epoch, RD_KAFKA_RESP_ERR_PRODUCER_FENCED as Fenced};
    for (answer, keyed) in [(Epoch, false), (Epoch, true), (Fenced, false), (Fenced, true)] {
        let mut stage = Stage::set();
        stage.keyed = keyed;
        stage.fails(Api::Produce, &[answer]);
        assert_eq!(told(stage.write(&[10])), (Cause::Delivery, Remedy::Abort), "{answer:?}");
        // Of the two the first is fatal to the client; for the lane it is all the same.
        assert!(stage.producer.first_cause().is_some_and(|(code, _)| is_fence(code)), "{answer:?}");
        assert_eq!(stage.producer.told_fenced("").is_some(), answer == Epoch);
        assert_eq!(told(stage.send_one()).1, if answer == Epoch { Remedy::Fenced } else { Remedy::Abort });
        let aborted = stage.producer.abort();
        assert_eq!(aborted.err().map(|trouble| trouble.remedy), (answer == Epoch).then_some(Remedy::Fenced));
    }
}

#[test]
fn a_record_that_the_client_refuses_is_found() {
    for keyed in [false, true] {
        let mut stage = Stage::with(&[], 2_000);
        stage.keyed = keyed;
        assert_eq!(told(stage.write(&[10, 5_000, 10])), (Cause::TooLarge, Remedy::Abort));
        assert_eq!(stage.producer.too_large(), [1]);
        stage.producer.abort().expect("aborted");
        stage.assert_fit();
    }
}

#[test]
fn what_is_on_its_way_is_kept_whatever_becomes_of_the_buffer() {
    let mut stage = Stage::set();
    let mut out = OutputBuffer::default();
    let fill = |out: &mut OutputBuffer, byte: u8| {
        out.begin(Timestamp::from_micros(0));
        let put = |bytes: &mut Vec<u8>| {
            bytes.extend([byte; 100]);
            true
        };
        out.push(OutputTopic::Routing, put, put, |_| {});
    };
    fill(&mut out, b'a');
    stage.producer.write(&[(&out, &stage.topics)]).expect("written");
    stage.producer.commit().expect("committed");
    assert_eq!(Arc::strong_count(out.arena()), 1, "the client has let go of it");

    let place = Arc::as_ptr(out.arena());
    fill(&mut out, b'b');
    assert_eq!(Arc::as_ptr(out.arena()), place, "used again");
    stage.fails(Api::Produce, &[Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    assert_eq!(told(stage.producer.write(&[(&out, &stage.topics)])), (Cause::Delivery, Remedy::Abort));
    let lent = Arc::clone(out.arena());
    fill(&mut out, b'c');
    assert!(lent.iter().all(|byte| *byte == b'b'), "nobody wrote to what the client may still read");
    assert_eq!(Arc::strong_count(&lent), 2, "the client has it");
    stage.producer.abort().expect("aborted");
    assert_eq!(Arc::strong_count(&lent), 1, "the client has let go of it");
}

#[test]
fn a_full_queue_is_waited_for() {
    for keyed in [false, true] {
        let mut stage = Stage::with(&[("queue.buffering.max.messages", "10")], 1_000_000);
        stage.keyed = keyed;
        stage.write(&[1; 1200]).expect("written, some at a time");
        stage.producer.commit().expect("committed");
        assert!(!stage.producer.is_writing());
        stage.assert_fit();
    }
}

/// The partition and the value of each record of "unqualified", by partition in their order there.
fn read_back(stage: &Stage, count: usize) -> Vec<(i32, String)> {
    let mut partitions = TopicPartitionList::new();
    for number in 0..3 {
        partitions.add_partition_offset("unqualified", number, Offset::Beginning).expect("a place");
    }
    stage.member.assign(&partitions).expect("assigned");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut found = Vec::new();
    while found.len() < count {
        assert!(Instant::now() < deadline, "{} of {count}", found.len());
        if let Some(Ok(message)) = stage.member.poll(Duration::from_millis(100)) {
            found.push((message.partition(), String::from_utf8(message.payload().expect("a value").to_vec()).expect("text")));
        }
    }
    stage.member.unassign().expect("given up");
    found.sort_by_key(|(partition, _)| *partition);
    found
}

#[test]
fn records_stand_where_the_client_would_put_them_and_in_their_order_whichever_way_they_go() {
    const COUNT: usize = 900;
    let written = |headers_every: usize, properties: &[(&str, &str)]| {
        let mut stage = Stage::with(properties, 1_000_000);
        let mut out = OutputBuffer::default();
        for number in 0..COUNT {
            let put = |text: String| {
                move |bytes: &mut Vec<u8>| {
                    bytes.extend(text.bytes());
                    true
                }
            };
            let (key, value) = (put(format!("person {}", number % 97)), put(format!("{number:04}")));
            out.push(OutputTopic::Unqualified, key, value, |headers| {
                if number % headers_every == 3 {
                    headers.push("traceparent", Some(b"00"));
                }
            });
        }
        let ways = stage.producer.destinations.ways(&stage.producer.client, &out, &stage.topics, true);
        stage.producer.write(&[(&out, &stage.topics)]).expect("written");
        stage.producer.commit().expect("committed");
        (ways.iter().flatten().count(), read_back(&stage, COUNT))
    };
    let (by_partition, together) = written(1, &[]);
    assert_eq!(by_partition, 1);
    for (headers_every, properties) in
        [(7, &[][..]), (1, &[("partitioner", "murmur2_random"), ("linger.ms", "0")]), (7, &[("linger.ms", "0")])]
    {
        let (by_partition, other) = written(headers_every, properties);
        assert_eq!((by_partition, other), (usize::from(headers_every == 1), together.clone()));
    }
    // Where somebody chose another partitioner, the client places all.
    let (by_partition, others) = written(1, &[("partitioner", "consistent_random")]);
    assert_eq!((by_partition, others.is_sorted(), others == together), (0, true, false));
    assert!(together.is_sorted(), "in each partition as they were pushed");
}

#[test]
fn what_is_out_of_turn_costs_the_producer() {
    let stage = Stage::set();
    assert_eq!(told(stage.producer.commit()), (Cause::State, Remedy::Replace));
}

#[test]
fn a_transaction_is_written_in_parts_and_a_refused_output_of_any_is_found_by_its_number() {
    let mut stage = Stage::with(&[], 1_000);
    let mut out = OutputBuffer::default();
    let fill = |out: &mut OutputBuffer, sizes: &[usize]| {
        for size in sizes {
            let value = |bytes: &mut Vec<u8>| {
                bytes.extend(std::iter::repeat_n(b'x', *size));
                true
            };
            out.push(OutputTopic::Routing, |_| false, value, |_| {});
        }
    };
    for large in [1, 2_000] {
        out.begin(Timestamp::from_micros(0));
        fill(&mut out, &[1, 2]);
        stage.producer.write(&[(&out, &stage.topics)]).expect("written");
        assert!(stage.producer.is_open());
        let place = Arc::as_ptr(out.arena());
        out.next_part();
        assert_eq!((Arc::as_ptr(out.arena()), out.first(), out.len()), (place, 2, 0), "all is delivered: its memory is used again");
        fill(&mut out, &[1, large]);
        let written = stage.producer.write(&[(&out, &stage.topics)]);
        if large == 1 {
            written.expect("written");
            stage.producer.commit().expect("committed");
        } else {
            assert_eq!(told(written), (Cause::TooLarge, Remedy::Abort));
            assert_eq!(stage.producer.too_large(), [3]);
            stage.producer.abort().expect("aborted");
        }
        assert!(!stage.producer.is_open());
    }
    let bytes = |number| out.numbered(number).map(|written| written.bytes);
    assert!(bytes(0) == bytes(2) && bytes(3) > Some(2_000) && bytes(4).is_none());
}

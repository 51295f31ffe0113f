//! The proxy itself, tried with plain clients: that it carries everything unchanged, picks what it is told to, and does with
//! it what it says. What the program makes of that is tested elsewhere.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    clients::{self, Raw},
    proxy::{Action, Api, Proxy, Request},
    service::{SOON, Scene},
    waiting::wait_until,
};

fn transactional(brokers: &str, id: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("transactional.id", id).set("reconnect.backoff.max.ms", "200");
    // What is not answered is soon sent again; and no transaction is longer than that.
    config.set("socket.timeout.ms", "3000").set("transaction.timeout.ms", "30000");
    let producer: BaseProducer = config.create().expect("good settings");
    producer.init_transactions(SOON).expect("the broker takes transactions");
    producer
}

fn write_one(producer: &BaseProducer, topic: &str, value: &str) {
    producer.begin_transaction().expect("begun");
    producer.send(BaseRecord::<(), str>::to(topic).partition(0).payload(value)).map_err(|(error, _)| error).expect("queued");
    producer.flush(SOON).expect("sent");
}

fn values(scene: &Scene) -> Vec<String> {
    let value = |kept: clients::Kept| String::from_utf8(kept.value.expect("a value")).expect("text");
    clients::read_committed(&scene.brokers, &scene.raw).into_iter().map(value).collect()
}

#[test]
fn the_proxy_carries_what_it_is_not_told_to_touch_and_keeps_its_clients() {
    let (proxy, broker) = Proxy::with_broker();
    let scene = Scene::with_topics("proxied", &proxy.address(), 1);
    let before = proxy.seen(Api::Produce);
    // Far beyond what is carried in one piece, both ways.
    let large: Vec<u8> = (0..8_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    scene.write(&[Raw { value: Some(large.clone()), ..Raw::default() }]);
    assert!(proxy.seen(Api::Produce) > before, "the writer went past the proxy");
    let fetched = proxy.seen(Api::Fetch);
    let kept = scene.read(&scene.raw);
    assert!(proxy.seen(Api::Fetch) > fetched, "the reader went past the proxy");
    assert!(kept.len() == 1 && kept[0].value.as_deref() == Some(&large), "{} records, or other bytes", kept.len());
    assert!(clients::read_committed(broker.address(), &scene.raw) == kept, "the way past the proxy leads to another broker");
    assert_eq!(proxy.done(), BTreeMap::new());
}

#[test]
fn the_proxy_does_to_a_request_what_the_rule_says() {
    let (proxy, broker) = Proxy::with_broker();
    let scene = Scene::with_topics("rules", broker.address(), 1);
    let producer = transactional(&proxy.address(), &scene.group);
    // A rule for the next commit; librdkafka sends it again where it had no answer, and the broker takes it as the same.
    let mut expected = Vec::new();
    let long = Duration::from_secs(1);
    for (number, action) in [Action::Delay(long), Action::DropAnswer, Action::Cut, Action::CutAfter].into_iter().enumerate() {
        let value = format!("{number}");
        write_one(&producer, &scene.raw, &value);
        let first = proxy.seen(Api::EndTxn);
        proxy.rule(move |request: &Request| {
            let this = request.api == Api::EndTxn && request.count == first;
            assert!(!this || request.commits == Some(true), "{request:?}");
            if this { action } else { Action::Pass }
        });
        let began = Instant::now();
        producer.commit_transaction(2 * SOON).expect("committed in the end");
        let (took, sent) = (began.elapsed(), proxy.seen(Api::EndTxn) - first);
        // Once more, or more often where the machine is slow.
        assert!(if matches!(action, Action::Delay(_)) { sent == 1 } else { sent >= 2 }, "{action:?}: sent {sent} times");
        assert!(took >= long || !matches!(action, Action::Delay(_)), "{action:?}: took {took:?}");
        assert_eq!(proxy.done().get(&(Api::EndTxn, action.name())), Some(&1), "{:?}", proxy.done());
        expected.push(value);
        assert_eq!(values(&scene), expected, "{action:?}");
    }
}

#[test]
fn the_proxy_answers_in_the_brokers_place() {
    let (proxy, broker) = Proxy::with_broker();
    let scene = Scene::with_topics("answers", broker.address(), 1);
    let producer = transactional(&proxy.address(), &scene.group);
    // CONCURRENT_TRANSACTIONS twice, and then the broker's own word.
    proxy.rule(|request| if request.api == Api::EndTxn && request.count < 2 { Action::Answer(51) } else { Action::Pass });
    write_one(&producer, &scene.raw, "one");
    producer.commit_transaction(SOON).expect("committed in the end");
    assert_eq!((proxy.seen(Api::EndTxn), values(&scene)), (3, vec!["one".to_owned()]));
    // INVALID_TXN_STATE is the end of a producer.
    proxy.rule(|request| if request.api == Api::EndTxn { Action::Answer(48) } else { Action::Pass });
    write_one(&producer, &scene.raw, "two");
    let error = producer.commit_transaction(SOON).expect_err("refused");
    assert!(matches!(&error, KafkaError::Transaction(inner) if inner.is_fatal()), "{error}");
}

#[test]
fn a_commit_delivered_late_ends_the_next_transaction() {
    let (proxy, broker) = Proxy::with_broker();
    let scene = Scene::with_topics("late", broker.address(), 1);
    let producer = transactional(&proxy.address(), &scene.group);
    proxy.rule(|request| {
        let first = request.api == Api::EndTxn && request.count == 0;
        if first { Action::DeliverLate(Duration::from_secs(2)) } else { Action::Pass }
    });
    write_one(&producer, &scene.raw, "first");
    producer.commit_transaction(SOON).expect("the second copy is answered");
    write_one(&producer, &scene.raw, "second");
    wait_until("the first copy is delivered", SOON, || proxy.done().contains_key(&(Api::EndTxn, "deliver_late")));
    // Nobody committed the second one. This is the danger that the tests of closing connections are about.
    wait_until("it has ended the next transaction", SOON, || values(&scene) == ["first", "second"]);
}

#[test]
fn a_parted_network_lets_nobody_through_until_it_is_whole() {
    let (proxy, _broker) = Proxy::with_broker();
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", proxy.address()).set("reconnect.backoff.max.ms", "200").create().expect("good");
    let answers = |within: u64| client.fetch_metadata(None, Duration::from_secs(within)).is_ok();
    assert!(answers(20));
    proxy.refuse(true);
    assert!(!answers(1));
    proxy.refuse(false);
    assert!(answers(20));
    proxy.cut_all();
    assert!(answers(20), "a cut is mended by the client");
}

//! What is told of how far behind a process is, where the end of a partition is no record: markers of transactions.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    broker,
    service::{SOON, Scene},
    waiting::wait_for,
};

const LEAD: &str = r#"{"userDetails": {"email": "zq1@adatum.example"}, "leadSource": "SPZA-PLT|bakery.app"}"#;

#[test]
fn markers_of_transactions_are_no_lag() {
    let scene = Scene::with_topics("lag", broker::shared(), 1);
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &scene.brokers).set("transactional.id", &scene.group);
    let producer: BaseProducer = config.create().expect("good settings");
    producer.init_transactions(Duration::from_secs(30)).expect("the broker takes transactions");
    let write = |commit: bool| {
        producer.begin_transaction().expect("begun");
        for _ in 0..3 {
            producer.send(BaseRecord::<(), str>::to(&scene.raw).partition(0).payload(LEAD)).map_err(|(error, _)| error).expect("queued");
        }
        if commit {
            producer.commit_transaction(Duration::from_secs(30)).expect("committed");
        } else {
            producer.flush(Duration::from_secs(30)).expect("sent");
            producer.abort_transaction(Duration::from_secs(30)).expect("aborted");
        }
    };
    write(true);
    let mut service = scene.run(&[]);
    // Three records and a marker; then as many that were taken back, and theirs.
    for end in [4, 8] {
        let told = || service.status()["lanes"].to_string();
        wait_for("no lag is told", SOON, told, || {
            let status = service.status();
            let lanes = status["lanes"].as_array()?.iter().flat_map(|lane| lane["partitions"].as_array().into_iter().flatten());
            lanes.into_iter().any(|one| one["end_offset"] == end && one["lag_records"] == 0 && one["lag_seconds"] == 0.0).then_some(())
        });
        assert_eq!(service.status()["counts"]["records"], 3);
        write(false);
    }
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
}

//! What a running service tells of the people whose leads it decides: nothing, at the most talkative level, in either form,
//! on any page, whether all goes well or the broker refuses; and what deleting from Kafka does to it (docs/privacy.md).

use std::{collections::BTreeMap, time::Duration};

use super::{
    broker,
    clients::{self, Kept, Raw},
    leads::lead,
    planted::{self, Becomes, Planted, hidden_marks, marks},
    service::{SOON, Scene, Service},
    waiting::wait_until,
};

/// Raw records of what is planted, each with a key and a header that somebody is in.
fn raw(planted: impl IntoIterator<Item = Planted>) -> Vec<Raw> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), Some(value.as_bytes().to_vec()));
    let record = |planted: Planted| Raw {
        key: Some(b"zqkey 5550173".to_vec()),
        headers: planted.headers.iter().copied().chain([("x-zqheader", "zqheader"), ("traceparent", "zqtrace")]).map(header).collect(),
        value: Some(planted.value),
        ..Raw::default()
    };
    planted.into_iter().map(record).collect()
}

/// Every page there is, and what is said to those who ask for others.
fn assert_pages_tell_nothing(service: &Service) {
    for path in ["/", "/metrics", "/status", "/healthz", "/readyz", "/zqfirst?zqlast=5550173"] {
        let (_, page) = service.try_page(path).unwrap_or_else(|| panic!("{path} does not answer"));
        assert_eq!(marks(&page), [""; 0], "{path}:\n{page}");
    }
}

fn assert_lines_tell_nothing(service: &Service, more_than: usize) {
    let lines = service.lines();
    assert!(lines.lines().count() > more_than, "there are lines to look through:\n{lines}");
    let telling: Vec<_> = lines.lines().filter(|line| !marks(line).is_empty()).collect();
    assert!(telling.is_empty(), "{}", telling.join("\n"));
}

/// What an event's key and headers tell; of a dead letter the headers that leadstream adds.
fn told_beside_the_value(record: &Kept, dead: bool) -> Vec<String> {
    let headers = record.headers.iter().filter(|(name, _)| !dead || name.starts_with("dlq-"));
    let headers = headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_deref().unwrap_or_default())));
    let key = record.key.as_deref().filter(|_| !dead).map(|key| String::from_utf8_lossy(key).into_owned());
    headers.chain(key).filter(|told| !marks(told).is_empty()).collect()
}

#[test]
fn the_most_talkative_service_tells_nothing_of_the_people_whose_leads_it_decides() {
    let scene = Scene::with_topics("discreet", broker::shared(), 1);
    let planted = planted::all();
    let broken = planted.iter().filter(|planted| planted.becomes == Becomes::DeadLetter).count();
    let raw = raw(planted);
    scene.write(&raw);
    // librdkafka's own lines too, as many as it has.
    let loud = ["--set", "log.level=trace", "--set", "kafka.client.debug=all", "--set", "encoding.headers=cloudevents"];
    let mut service = scene.run(&loud);
    scene.wait_done(raw.len(), &service);
    let refused = || service.metric("leadstream_dead_letters_total").map(|count| count.to_string());
    wait_until("it has counted them", SOON, || refused() == Some(broken.to_string()));
    assert_pages_tell_nothing(&service);
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0);
    assert_lines_tell_nothing(&service, 30);

    let mut told = Vec::new();
    let mut open = String::new();
    for topic in scene.outputs() {
        for record in scene.read(topic) {
            let dead = topic == scene.dead_letter;
            told.extend(told_beside_the_value(&record, dead));
            let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            if !dead && value.contains("\"redacted\"") && !hidden_marks(&value).is_empty() {
                told.push(value);
            } else if topic == scene.qualified {
                open.push_str(&value);
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(hidden_marks(&open).len() > 5, "the events do hold what was looked for");
}

#[test]
fn a_broker_that_refuses_makes_the_service_no_less_discreet() {
    let scene = Scene::with_topics("refused", broker::shared(), 1);
    let mut service = scene.run(&["--set", "log.level=trace", "--log-format", "json"]);
    service.wait_ready();
    // Noticed only when a transaction is under way: it is taken back, and its records leave as dead letters.
    clients::alter_topic(&scene.brokers, &scene.routing, &[("max.message.bytes", "200")]);
    let raw = raw(planted::shapes().into_iter().filter(|planted| planted.name.ends_with("bare")).chain(planted::broken()));
    scene.write(&raw);
    scene.wait_done(raw.len(), &service);
    assert_pages_tell_nothing(&service);
    let error = service.status()["lanes"].to_string();
    assert!(error.contains("too_large") || error.contains("MessageSizeTooLarge"), "{error}");
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0);
    assert_lines_tell_nothing(&service, 5);
    let dead = scene.read(&scene.dead_letter);
    assert!(dead.iter().any(|letter| letter.header("dlq-code") == "output_too_large"));
    let told: Vec<_> = dead.iter().flat_map(|letter| told_beside_the_value(letter, true)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn what_is_deleted_behind_the_committed_offset_is_gone_and_not_missed() {
    let scene = Scene::with_topics("deleted", broker::shared(), 1);
    let record = |number: usize| Raw { value: Some(lead(8 * number).0), ..Raw::default() };
    scene.write(&(0..10).map(record).collect::<Vec<_>>());
    let mut service = scene.run(&[]);
    scene.wait_done(10, &service);
    let before = BTreeMap::from([(0, 10)]);
    clients::delete_records(&scene.brokers, &scene.raw, &before);
    // A tombstone erases nothing here: it is a record like others, and none that is a lead.
    let tombstone = Raw { key: Some(b"somebody".to_vec()), ..Raw::default() };
    scene.write(&[record(10), tombstone]);
    scene.wait_done(12, &service);
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());
    assert_eq!(scene.read(&scene.raw).iter().map(|kept| kept.offset).collect::<Vec<_>>(), [10, 11]);
    assert_eq!(scene.read(&scene.dead_letter)[0].header("dlq-code"), "empty_value");
    assert_eq!(scene.read(&scene.qualified).len(), 11, "outputs are another topic's matter");
    let gone = scene.call(&["explain", "--at", &format!("{}/0/3", scene.raw)]);
    assert_eq!(gone.status.code(), Some(64), "{}", String::from_utf8_lossy(&gone.stderr));
}

#[test]
fn what_is_deleted_before_it_was_read_ends_the_service_with_the_reason() {
    let scene = Scene::with_topics("unread", broker::shared(), 1);
    let record = |number: usize| Raw { value: Some(lead(8 * number).0), ..Raw::default() };
    scene.write(&(0..5).map(record).collect::<Vec<_>>());
    let mut first = scene.run(&["--once"]);
    assert_eq!(first.exit_within(SOON), 0, "{}", first.lines());
    scene.write(&(5..10).map(record).collect::<Vec<_>>());
    clients::delete_records(&scene.brokers, &scene.raw, &BTreeMap::from([(0, 8)]));
    let mut second = scene.run(&["--once"]);
    assert_eq!(second.exit_within(SOON), 64);
    assert!(second.lines().contains("were deleted before they were decided"), "{}", second.lines());
    assert_eq!(scene.progress().committed(), BTreeMap::from([(0, 5)]), "nothing is passed over without a word");
}

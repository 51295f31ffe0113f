//! The whole path once through: keys, values, routing events, dead letters, offsets, exit code, metrics; and that a person's
//! data stand in values only.

use std::collections::BTreeMap;

use super::{
    broker,
    clients::{Kept, Open, Raw},
    leads::{Expected, PRIVATE, lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, now_millis},
    waiting::wait_until,
};

#[test]
fn once_through_every_lead_has_its_events_and_the_group_stands_at_the_end() {
    let scene = Scene::with_topics("path", broker::shared(), 2);
    let raw = records(0..80, 2, now_millis());
    let offsets = scene.write(&raw);
    let positions: Vec<_> = raw.iter().zip(offsets).map(|(raw, offset)| (raw.partition, offset)).collect();
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    assert_eq!(scene.progress().committed(), BTreeMap::from([(0, 40), (1, 40)]));

    let outcomes = Outcomes::read(&scene);
    let expected: BTreeMap<_, _> = positions.iter().enumerate().map(|(number, at)| (*at, lead(number).1)).collect();
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
    outcomes.assert_bytes(&scene, &positions.iter().copied().zip(&raw).collect::<Vec<_>>());

    for event in outcomes.qualified.iter().chain(&outcomes.unqualified).chain(&outcomes.routing) {
        let json = event.json();
        let key = json["person_key"].as_str().or(json["lead_id"].as_str()).expect("a person or a lead");
        assert_eq!(event.key.as_deref(), Some(key.as_bytes()));
        assert!(event.headers.is_empty(), "events carry no headers by default: {:?}", event.headers);
    }
    for event in &outcomes.unqualified {
        let json = event.json();
        let at = (json["source"]["partition"].as_i64(), json["source"]["offset"].as_i64());
        let at = (i32::try_from(at.0.expect("a number")).expect("small"), at.1.expect("a number"));
        let Expected::Unqualified(reason) = expected[&at] else { panic!("{at:?} is not unqualified") };
        assert_eq!((json["verdict"].as_str(), &json["reasons"]), (Some("UNQUALIFIED"), &serde_json::json!([reason])));
    }
}

#[test]
fn once_with_nothing_to_do_ends_at_once() {
    let scene = Scene::with_topics("empty", broker::shared(), 2);
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
}

#[test]
fn once_does_not_take_an_open_transaction_for_the_end() {
    let scene = Scene::with_topics("open-tail", broker::shared(), 1);
    scene.write(&records(0..10, 1, now_millis()));
    let open = Open::write(&scene.brokers, &scene.raw, &records(10..15, 1, now_millis()));
    let mut service = scene.run(&["--once", "--wait", "3s"]);
    assert_eq!(service.exit_within(SOON), 75, "{}", service.lines());
    assert_eq!(scene.progress().committed(), BTreeMap::from([(0, 10)]), "what can be read is decided");
    open.commit();
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    assert_eq!(scene.progress().committed(), BTreeMap::from([(0, 15)]));
}

#[allow(clippy::unnecessary_wraps)] // values and headers may be missing, and so are written this way
fn some(value: &str) -> Option<Vec<u8>> {
    Some(value.as_bytes().to_vec())
}

/// Bad values and what each is called.
fn bad_values() -> Vec<(Option<Vec<u8>>, &'static str)> {
    vec![
        (None, "empty_value"),
        (some(""), "empty_value"),
        (some(" \t\r\n"), "empty_value"),
        (Some(b"{\"leadSource\": \"\xff\xfe\"}".to_vec()), "not_utf8"),
        (some("{\"leadSource\": "), "malformed_json"),
        (some("{\"leadSource\": \"MSFT_TEST_1\" \"offerTitle\": \"x\"}"), "malformed_json"),
        (some("{\"status\":\"ok\"}"), "unknown_format"),
        (some("[]"), "not_a_lead"),
        (some("42"), "not_a_lead"),
        (some("[{\"leadSource\":\"SPZA-INS|a.b\"},{},17]"), "not_a_lead"),
        (Some("[".repeat(100_000).into_bytes()), "too_deep"),
        (Some(format!("[{}{{}}]", "{},".repeat(19_999)).into_bytes()), "too_many_leads"),
    ]
}

#[test]
fn a_bad_record_leaves_as_it_came_with_the_reason_in_its_headers() {
    let scene = Scene::with_topics("dead", broker::shared(), 1);
    let timestamp = now_millis() - 5_000;
    let headers: Vec<(String, Option<Vec<u8>>)> = vec![
        ("trace".to_owned(), some("abc")),
        ("trace".to_owned(), Some(vec![0xff, 0])),
        ("dlq-code".to_owned(), some("of an earlier life")),
        ("empty".to_owned(), None),
    ];
    let bad = bad_values();
    let raw: Vec<_> = bad
        .iter()
        .enumerate()
        .map(|(number, (value, _))| Raw {
            partition: 0,
            key: (number % 2 == 0).then(|| vec![0, 0xff, 7]),
            value: value.clone(),
            headers: headers.clone(),
            timestamp: Some(timestamp),
        })
        .collect();
    scene.write(&raw);
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    let outcomes = Outcomes::read(&scene);
    assert_eq!((outcomes.qualified.len(), outcomes.unqualified.len(), outcomes.dead_letter.len()), (0, 0, bad.len()));
    for dead in &outcomes.dead_letter {
        let number: usize = dead.header("dlq-offset").parse().expect("a number");
        let code = bad[number].1;
        assert_eq!(dead.header("dlq-code"), code, "record {number}");
        assert_eq!((&dead.key, &dead.value), (&raw[number].key, &raw[number].value), "record {number}, {code}");
        let own = |(name, _): &&(String, Option<Vec<u8>>)| name.starts_with("dlq-");
        let kept: Vec<_> = dead.headers.iter().filter(|header| !own(header)).collect();
        assert_eq!(kept, [&headers[0], &headers[1], &headers[3]], "record {number}, {code}");
        assert_eq!((dead.header("dlq-topic"), dead.header("dlq-partition")), (scene.raw.as_str(), "0"));
        assert_eq!((dead.header("dlq-timestamp"), dead.header("dlq-stage")), (timestamp.to_string().as_str(), "decode"));
        assert_eq!((dead.header("dlq-version"), dead.header("dlq-attempt")), (env!("CARGO_PKG_VERSION"), "1"));
        assert!(!dead.header("dlq-detail").is_empty() && !dead.header("dlq-ruleset").is_empty());
        let failed: i64 = dead.header("dlq-first-failed-at").parse().expect("a time");
        assert!((timestamp..=now_millis()).contains(&failed));
        let test = dead.headers.iter().any(|(name, _)| name == "dlq-test");
        assert_eq!(test, code == "malformed_json" && raw[number].value.as_ref().is_some_and(|value| value.len() > 30));
    }
    let third = outcomes.dead_letter.iter().find(|dead| dead.header("dlq-offset") == "9").expect("it is there");
    assert_eq!(third.header("dlq-field"), "[2]");
}

#[test]
fn a_record_over_the_limit_leaves_its_size_and_hash() {
    let scene = Scene::with_topics("large", broker::shared(), 1);
    let large = vec![b'x'; 10_000_000];
    let (good, _) = lead(0);
    scene.write(&[Raw { value: Some(large), ..Raw::default() }, Raw { value: Some(good), ..Raw::default() }]);
    let mut service = scene.run(&["--once"]);
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    let outcomes = Outcomes::read(&scene);
    assert_eq!((outcomes.qualified.len(), outcomes.dead_letter.len()), (1, 1));
    let dead: &Kept = &outcomes.dead_letter[0];
    assert_eq!((dead.header("dlq-code"), dead.header("dlq-size"), &dead.value), ("too_large", "10000000", &None));
    // head -c 10000000 /dev/zero | tr '\0' x | sha256sum
    assert_eq!(dead.header("dlq-sha256"), "0c9a42b3d065a64063eca67e98c932fa2e9a077bc7973a421a964a11304c998c");
}

#[test]
fn metrics_add_up_and_a_person_stands_in_values_only() {
    const RECORDS: usize = 800;
    let scene = Scene::with_topics("numbers", broker::shared(), 4);
    let raw = records(0..RECORDS, 4, now_millis());
    scene.write(&raw);
    let service = scene.run(&["--set", "log.level=debug"]);
    scene.wait_done(RECORDS, &service);
    let consumed = || service.metric("leadstream_records_consumed_total");
    wait_until("counters follow the commit", SOON, || consumed() == Some(800.0));
    let count = |kind: fn(&Expected) -> bool| (0..RECORDS).filter(|number| kind(&lead(*number).1)).count();
    let dead = count(|expected| matches!(expected, Expected::DeadLetter(_)));
    let qualified = count(|expected| matches!(expected, Expected::Qualified(_)));
    let metric = |name: &str| service.metric(&format!("leadstream_{name}")).unwrap_or_else(|| panic!("no leadstream_{name}"));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small whole numbers
    let whole = |name: &str| metric(name) as usize;
    assert_eq!((whole("leads_total"), whole("dead_letters_total")), (RECORDS - dead, dead));
    assert_eq!(whole("leads_total") + whole("dead_letters_total"), whole("records_consumed_total"));
    assert_eq!(whole("routes_total"), 2 * qualified);
    assert_eq!(whole("events_produced_total"), RECORDS + 2 * qualified);
    assert_eq!(whole("unaccounted_records"), 0);
    assert_eq!(whole("assigned_partitions"), 4);
    let status = service.status();
    assert_eq!((status["counts"]["records"].as_u64(), status["counts"]["qualified"].as_u64()), (Some(800), Some(qualified as u64)));
    assert_eq!(status["ready"].as_bool(), Some(true));

    let told = [service.lines(), service.page("/metrics"), service.page("/status"), service.page("/readyz")];
    for (told, word) in told.iter().flat_map(|told| PRIVATE.map(|word| (told, word))) {
        assert!(!told.contains(word), "{word:?} stands in:\n{told}");
    }
    // The words do stand where they belong; else the check above could not fail.
    let values: Vec<_> = Outcomes::read(&scene).qualified.iter().map(|event| event.json().to_string()).collect();
    assert!(PRIVATE.iter().all(|word| values.iter().any(|value| value.contains(word))));
    // Nor do they stand in the headers of a dead letter.
    for letter in scene.read(&scene.dead_letter) {
        for (name, value) in &letter.headers {
            let value = String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned();
            assert!(!PRIVATE.iter().any(|word| value.contains(word)), "{name}: {value}");
        }
    }
}

//! Avro with a registry, on a real broker: events that are read by the schema their number names, raw leads in Avro, a registry
//! that is away, refuses, or turns into something else. No dead letter ever comes of a registry that does not answer.

use std::time::Duration;

use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value as Avro, writer::datum::GenericDatumWriter};
use serde_json::{Value, json};

use super::{
    broker,
    clients::Raw,
    fake_registry::{self, FakeRegistry},
    python,
    registry::{self, Registry},
    service::{SOON, Scene, Service, now_millis},
    waiting::{let_pass, wait_for, wait_until},
};

const LEAD: &str = r#"{"userDetails":{"email":"a@adatum.example","company":"Adatum","country":"US"},"leadSource":"SPZA-CDR|contoso.app"}"#;

fn raw(value: impl Into<Vec<u8>>) -> Raw {
    Raw { value: Some(value.into()), timestamp: Some(now_millis()), ..Raw::default() }
}

/// A raw lead behind the frame of schema `id`, with the plain schema `schema(name)`.
fn framed(id: u32, extra_field: &str, number: usize) -> Raw {
    let schema = Schema::parse_str(&schema(extra_field)).expect("a schema");
    let record = Avro::Record(vec![
        ("email".to_owned(), Avro::String(format!("p{number}@adatum.example"))),
        ("lead_source".to_owned(), Avro::String("SPZA-CDR|contoso.app".to_owned())),
        (extra_field.to_owned(), Avro::String("x".to_owned())),
    ]);
    let datum = GenericDatumWriter::builder(&schema).build().expect("a writer").write_value_to_vec(record).expect("written");
    raw([&[0][..], &id.to_be_bytes(), &datum].concat())
}

/// A producer's own schema of raw leads.
fn schema(extra_field: &str) -> String {
    let field = |name: &str| json!({ "name": name, "type": "string" });
    let fields = [field("email"), field("lead_source"), field(extra_field)];
    json!({ "type": "record", "name": "RawLead", "fields": fields }).to_string()
}

fn avro<'s>(url: &'s str, more: &[&'s str]) -> Vec<String> {
    let sets = ["encoding.format=avro", &format!("encoding.registry={url}")].map(str::to_owned);
    sets.into_iter().chain(more.iter().map(|more| (*more).to_owned())).flat_map(|set| ["--set".to_owned(), set]).collect()
}

fn run(scene: &Scene, arguments: &[String]) -> Service {
    scene.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// An event's bytes as JSON, by the schema the registry has under its number.
fn event(registry: &Registry, bytes: &[u8]) -> Value {
    assert_eq!(bytes[0], 0, "the Confluent frame");
    let id = u32::from_be_bytes(bytes[1..5].try_into().expect("four bytes"));
    let (status, answer) = registry.ask("GET", &format!("/schemas/ids/{id}"), None);
    assert_eq!(status, 200, "{answer}");
    let schema = Schema::parse_str(answer["schema"].as_str().expect("a text")).expect("a schema");
    let value = GenericDatumReader::builder(&schema).build().expect("a reader").read_value(&mut &bytes[5..]).expect("a datum");
    value.try_into().expect("JSON")
}

fn assert_no_dead_letters(scene: &Scene) {
    let dead = scene.read(&scene.dead_letter);
    let codes: Vec<_> = dead.iter().map(|dead| dead.header("dlq-detail")).collect();
    assert!(codes.is_empty(), "{codes:?}");
}

#[test]
fn leads_go_in_and_events_come_out_by_the_registrys_numbers() {
    let registry = registry::shared();
    let scene = Scene::with_topics("avro", broker::shared(), 2);
    let id = registry.register(&format!("{}-value", scene.raw), &schema("tier"));
    let subject = format!("{}-value", scene.qualified);
    let mut service = run(&scene, &avro(&registry.url(), &["encoding.registry_compatibility=FULL_TRANSITIVE"]));
    scene.write(&[raw(LEAD), framed(id, "tier", 1), raw("{}"), raw("[")]);
    scene.wait_done(4, &service);

    let qualified = scene.read(&scene.qualified);
    let mut events: Vec<_> = qualified.iter().map(|kept| event(registry, kept.value.as_ref().expect("a value"))).collect();
    events.sort_by_key(|event| event["event_id"].to_string());
    assert_eq!(events.len(), 2);
    let formats: Vec<_> = events.iter().map(|event| event["source"]["format"].as_str().expect("a format")).collect();
    assert_eq!(formats, ["https_json", "raw_lead"]);
    assert_eq!(events[1]["extra"]["tier"], "\"x\"");
    let routed = scene.read(&scene.routing);
    assert_eq!(routed.len(), 4);
    assert_eq!(event(registry, routed[0].value.as_ref().expect("a value"))["destination"], "PUBLISHER_CRM");
    let unqualified = scene.read(&scene.unqualified);
    assert_eq!(event(registry, unqualified[0].value.as_ref().expect("a value"))["reasons"], json!(["no_contact"]));
    assert_eq!(scene.read(&scene.dead_letter)[0].value.as_deref(), Some(&b"["[..]));

    let (_, config) = registry.ask("GET", &format!("/config/{subject}"), None);
    assert_eq!(config["compatibilityLevel"], "FULL_TRANSITIVE", "{config}");
    assert_eq!(service.metric("leadstream_registry_up"), Some(1.0));
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
    // A second start registers nothing anew, and one that may not register finds what is there.
    let service = run(&scene, &avro(&registry.url(), &["encoding.register=false"]));
    service.wait_ready();
    let (_, versions) = registry.ask("GET", &format!("/subjects/{subject}/versions"), None);
    assert_eq!(versions, json!([1]));
}

#[test]
fn confluents_python_client_writes_what_is_read_and_reads_what_is_written() {
    let registry = registry::shared();
    let scene = Scene::with_topics("avro-python", broker::shared(), 2);
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/RawLead/v1.avsc");
    let fields = Schema::parse_str(&std::fs::read_to_string(schema).expect("text")).expect("a schema");
    let Schema::Record(record) = fields else { panic!("a record") };
    let lead = |number: usize| {
        let value = |name: &str| match name {
            "email" => json!(format!("p{number}@adatum.example")),
            "lead_source" => json!("SPZA-CDR|contoso.app"),
            "event_time" => json!(1_793_520_000_000_000_i64),
            "extra" => json!({ "utm_source": "fair" }),
            _ => Value::Null,
        };
        let fields = record.fields.iter().map(|field| (field.name.clone(), value(&field.name)));
        Value::Object(fields.collect()).to_string() + "\n"
    };
    let leads: String = (0..50).map(lead).collect();
    python::run(&["produce_raw.py", &scene.brokers, &registry.url(), &scene.raw, schema], &leads);
    scene.write(&[raw(LEAD), raw("{}"), raw("[")]);
    let service = run(&scene, &avro(&registry.url(), &["encoding.headers=cloudevents"]));
    scene.wait_done(53, &service);

    let [qualified, unqualified, routing, _] = scene.outputs();
    let url = registry.url();
    let told = python::run(&["read_topics.py", &scene.brokers, &url, qualified, unqualified, routing], "");
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let count = |topic: &str| events.iter().filter(|event| event["topic"] == topic).count();
    assert_eq!((count(qualified), count(unqualified), count(routing)), (51, 1, 102));
    assert_eq!(scene.read(&scene.dead_letter).len(), 1);
    let read = events.iter().find(|event| event["value"]["contact"]["email"] == "p7@adatum.example").expect("the eighth lead");
    assert_eq!(read["key"], read["value"]["person_key"]);
    assert_eq!(
        (&read["value"]["event_time"], &read["value"]["attribution"]),
        (&json!("2026-11-01T08:00:00.000000Z"), &json!({ "utm_source": "fair" }))
    );
    assert_eq!(read["value"]["source"]["format"], "raw_lead");
}

#[test]
fn a_registry_that_is_away_at_the_start_is_waited_for() {
    let scene = Scene::with_topics("avro-start", broker::shared(), 1);
    scene.write(&[raw(LEAD)]);
    let mut registry = Registry::prepared();
    let service = run(&scene, &avro(&registry.url(), &[]));
    let state = || format!("{:?}\n{}", service.try_page("/readyz"), service.lines());
    wait_for("readiness names the registry", SOON, state, || {
        service.try_page("/readyz").filter(|(status, page)| *status == 503 && page.contains("schema registry")).map(drop)
    });
    assert_eq!(service.metric("leadstream_registry_up"), Some(0.0));
    assert_eq!(service.page("/healthz"), "ok\n");
    registry.start();
    scene.wait_done(1, &service);
    service.wait_ready();
    assert_no_dead_letters(&scene);
    assert_eq!(service.lines().matches("the schema registry does not answer").count(), 1, "{}", service.lines());

    // Bounded work gives up, and says that it may be tried again.
    registry.kill();
    let arguments = avro(&registry.url(), &[]);
    let once: Vec<_> = ["--once", "--wait", "1s"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let mut once = scene.run(&once);
    assert_eq!(once.exit_within(SOON), 75, "{}", once.lines());
}

#[test]
fn a_registry_that_goes_and_comes_under_load_costs_no_lead() {
    let mut registry = Registry::started();
    let scene = Scene::with_topics("avro-away", broker::shared(), 2);
    let register = |registry: &Registry| {
        let subjects = ["first", "second"].map(|field| registry.register(&format!("{}-{field}", scene.raw), &schema(field)));
        assert_eq!(subjects, [1, 2], "a registry in memory counts anew");
    };
    register(&registry);
    let service = run(&scene, &avro(&registry.url(), &["run.commit_interval=10ms"]));
    scene.write(&(0..500).map(|number| framed(1, "first", number)).collect::<Vec<_>>());
    scene.wait_done(500, &service);
    service.wait_ready();

    registry.kill();
    // What is known already needs no registry …
    scene.write(&(500..1000).map(|number| framed(1, "first", number)).collect::<Vec<_>>());
    scene.wait_done(1000, &service);
    // … and what is not waits for it: with what came before it done, and what comes after it behind it.
    let mixed = |number: usize| if number == 1200 { framed(2, "second", number) } else { framed(1, "first", number) };
    scene.write(&(1000..1500).map(mixed).collect::<Vec<_>>());
    let group = scene.progress();
    let state = || format!("{:?}\n{:?}\n{}", group.committed(), service.try_page("/readyz"), service.lines());
    wait_for("all before the waiting record is done", SOON, state, || (group.done() == 1200).then_some(()));
    wait_for("readiness follows", SOON, state, || (!service.is_ready()).then_some(()));
    assert!(service.status()["registry"]["needed"].as_bool().expect("told"));
    assert_eq!(group.done(), 1200);

    // This registry comes back empty. Who asked it before the schemas are there again would rightly hear that there is none.
    service.pause();
    registry.start();
    register(&registry);
    service.resume();
    scene.wait_done(1500, &service);
    service.wait_ready();
    assert_no_dead_letters(&scene);
    let events = scene.read(&scene.qualified);
    let keys: std::collections::BTreeSet<_> = events.iter().map(|event| event.key.clone()).collect();
    assert_eq!((events.len(), keys.len()), (1500, 1500), "each lead once");
    assert_eq!(service.metric("leadstream_unaccounted_records"), Some(0.0));
}

#[test]
fn a_subject_that_cannot_be_continued_is_found_at_the_start() {
    let registry = registry::shared();
    let other = r#"{"type":"record","name":"QualifiedLead","namespace":"leadstream","fields":[{"name":"event_id","type":"int"}]}"#;
    for mode in [None, Some("BACKWARD")] {
        let scene = Scene::with_topics("avro-planted", broker::shared(), 1);
        let subject = format!("{}-value", scene.qualified);
        registry.register(&subject, other);
        if let Some(mode) = mode {
            let (status, answer) = registry.ask("PUT", &format!("/config/{subject}"), Some(&json!({ "compatibility": mode })));
            assert_eq!(status, 200, "{answer}");
        }
        let mut service = run(&scene, &avro(&registry.url(), &[]));
        assert_eq!(service.exit_within(SOON), 64, "{}", service.lines());
        let lines = service.lines();
        assert!(lines.contains("QualifiedLead 1") && lines.contains(&subject) && lines.contains("event_id"), "{lines}");
    }
    // Who says that anything goes may register it.
    let scene = Scene::with_topics("avro-anything", broker::shared(), 1);
    registry.register(&format!("{}-value", scene.qualified), other);
    run(&scene, &avro(&registry.url(), &["encoding.registry_compatibility=NONE"])).wait_ready();
    // What is not there and must not be registered is told.
    let scene = Scene::with_topics("avro-unregistered", broker::shared(), 1);
    let mut service = run(&scene, &avro(&registry.url(), &["encoding.register=false"]));
    assert_eq!(service.exit_within(SOON), 64);
    assert!(service.lines().contains("leadstream schemas register"), "{}", service.lines());
}

#[test]
fn a_process_ends_at_once_while_a_registry_takes_its_time() {
    let scene = Scene::with_topics("avro-slow", broker::shared(), 1);
    // Each answer would take the client's patience.
    let fake = FakeRegistry::start(|_| None);
    let mut service = run(&scene, &avro(&fake.url(), &[]));
    wait_until("it has asked", SOON, || !fake.asked().is_empty());
    let (status, page) = service.try_page("/readyz").expect("it answers");
    assert!(status == 503 && page.contains("schema registry"), "{page}");
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(3)), 0, "{}", service.lines());
}

#[test]
fn a_process_ends_soon_among_many_schemas_of_a_slow_registry() {
    let scene = Scene::with_topics("avro-many", broker::shared(), 1);
    let answer = fake_registry::json(200, &json!({ "schema": schema("tier") }).to_string());
    let fake = FakeRegistry::start(move |_| {
        // Slow, and yet within the client's patience.
        let_pass(Duration::from_secs(2));
        Some(answer.clone())
    });
    scene.write(&(1..=40).map(|number| framed(number, "tier", 1)).collect::<Vec<_>>());
    let mut service = scene.run(&["--set", &format!("encoding.registry={}", fake.url()), "--set", "run.lanes=1"]);
    let group = scene.progress();
    wait_until("some are decided, one after the other", SOON, || group.done() > 0);
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(7)), 0, "{}", service.lines());
    assert!(!service.lines().contains("did not come to its end"), "{}", service.lines());
    assert!(group.done() < 40);
    assert_no_dead_letters(&scene);
}

#[test]
fn schemas_are_registered_and_looked_at_by_hand() {
    let registry = registry::shared();
    let scene = Scene::with_topics("avro-by-hand", broker::shared(), 1);
    let arguments = avro(&registry.url(), &["encoding.register=false"]);
    let call = |verb: &[&str], more: &[&str]| {
        let sets = arguments.iter().map(String::as_str);
        let output = scene.call(&verb.iter().copied().chain(sets).chain(more.iter().copied()).collect::<Vec<_>>());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, told) = call(&["schemas", "check"], &[]);
    assert_eq!((code, told.matches("not registered").count()), (Some(1), 3), "{told}");
    let (code, told) = call(&["schemas", "register", "--raw"], &[]);
    assert_eq!((code, told.matches("schema id").count()), (Some(0), 4), "{told}");
    let (code, told) = call(&["schemas", "check", "--raw"], &[]);
    assert_eq!((code, told.matches("schema id").count()), (Some(0), 4), "{told}");
    assert!(told.contains(&format!("{}-value", scene.raw)), "{told}");

    // The same schema laid out in another way is the same schema.
    let compact: Value = serde_json::from_str(leadstream::schemas::RecordKind::LeadRouted.latest().text).expect("JSON");
    let id = registry.register(&format!("{}-compact-value", scene.routing), &compact.to_string());
    let (code, told) = call(&["schemas", "check"], &["--set", &format!("topics.routing={}-compact", scene.routing)]);
    assert!(code == Some(0) && told.contains(&format!("schema id {id}\n")), "{code:?} {told}");

    // What `check` says is what `register` does, under the mode that is to be set.
    let mut wider = compact;
    wider["fields"].as_array_mut().expect("fields").push(json!({ "name": "needed", "type": "string" }));
    registry.register(&format!("{}-wider-value", scene.routing), &wider.to_string());
    let wider = format!("topics.routing={}-wider", scene.routing);
    for (mode, code) in [("FULL_TRANSITIVE", 1), ("BACKWARD", 0), ("NONE", 0)] {
        let mode = format!("encoding.registry_compatibility={mode}");
        for verb in ["check", "register"] {
            let (found, told) = call(&["schemas", verb], &["--set", &wider, "--set", &mode, "--set", "encoding.register=true"]);
            assert_eq!(found, Some(code), "{verb} {mode}: {told}");
        }
    }

    let planted = format!("topics.routing={}-other", scene.routing);
    registry.register(&format!("{}-other-value", scene.routing), &schema("tier"));
    for verb in ["check", "register"] {
        let (code, told) = call(&["schemas", verb], &["--set", &planted]);
        assert!(code == Some(1) && told.contains("LeadRouted 1: "), "{verb}: {code:?}\n{told}");
    }
    // An address that is a web server's and not the API's is no registry without schemas.
    let (code, told) =
        call(&["schemas", "check"], &["--set", &format!("encoding.registry={}", registry.url().replace("/apis/ccompat/v7", ""))]);
    assert!(code == Some(75) && told.contains("base of a Confluent API"), "{code:?} {told}");
    for url in ["http://[::1", "http://registry.example:99999"] {
        assert_eq!(call(&["schemas", "check"], &["--set", &format!("encoding.registry={url}")]).0, Some(64), "{url}");
    }
    assert_eq!(call(&["schemas", "check"], &["--set", "encoding.registry="]).0, Some(64));
    assert_eq!(call(&["schemas", "check"], &["--set", "encoding.registry=http://127.0.0.1:1"]).0, Some(75));
}

#[test]
fn whatever_a_registry_turns_into_records_wait() {
    let scene = Scene::with_topics("avro-fake", broker::shared(), 1);
    let elsewhere = FakeRegistry::start(|_| Some(fake_registry::json(200, "{}")));
    let redirect = fake_registry::response(302, &format!("location: {}/schemas/ids/7\r\n", elsewhere.url()), "");
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5 << 20));
    let answers: Vec<(&str, Option<String>)> = vec![
        ("HTML", Some(fake_registry::response(200, "content-type: text/html\r\n", "<html>welcome</html>"))),
        ("HTML that says there is no such page", Some(fake_registry::response(404, "content-type: text/html\r\n", "<html>404</html>"))),
        ("a web framework's JSON", Some(fake_registry::json(404, r#"{"error_code":404,"message":"no such path"}"#))),
        ("another refusal", Some(fake_registry::json(422, r#"{"error_code":42201,"message":"invalid"}"#))),
        ("JSON of somebody else", Some(fake_registry::json(404, r#"{"detail":"Not Found"}"#))),
        ("JSON without a schema", Some(fake_registry::json(200, r#"{"id":7}"#))),
        ("an error of its own", Some(fake_registry::json(500, r#"{"error_code":50001,"message":"store"}"#))),
        ("too many questions", Some(fake_registry::json(429, "{}"))),
        ("no entrance", Some(fake_registry::json(401, r#"{"error_code":40101,"message":"who are you"}"#))),
        ("a redirect", Some(redirect)),
        ("half an answer", Some("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"schema\"".to_owned())),
        ("an answer without end", Some(endless)),
        ("no HTTP", Some("SSH-2.0-OpenSSH_9.2\r\n".to_owned())),
        ("silence", None),
    ];
    let fake = FakeRegistry::start(|_| None);
    let url = format!("encoding.registry={}", fake.url());
    let secret = ["encoding.registry_user=planted-user", "encoding.registry_password=planted-password"];
    let service = scene.run(&["--set", &url, "--set", secret[0], "--set", secret[1]]);
    let up = |id: usize| {
        move |line: &str| {
            let answer = json!({ "schema": schema("tier") }).to_string();
            Some(if line.contains(&format!("/schemas/ids/{id} ")) {
                fake_registry::json(200, &answer)
            } else {
                fake_registry::json(404, "{}")
            })
        }
    };
    let group = scene.progress();
    let mut done = 0;
    for (number, (what, answer)) in answers.into_iter().enumerate() {
        let asked = fake.asked().len();
        fake.answers(move |_| answer.clone());
        // A number of its own: what was learnt once is not asked again.
        scene.write(&[framed(u32::try_from(number).expect("few") + 100, "tier", number)]);
        wait_until(&format!("it has asked twice and met {what}"), SOON, || fake.asked().len() >= asked + 2);
        assert_eq!(group.done(), done, "{what}: the record waits");
        fake.answers(up(number + 100));
        done += 1;
        wait_until(&format!("after {what} it goes on"), SOON, || group.done() == done);
    }
    assert_no_dead_letters(&scene);
    assert_eq!(elsewhere.asked().len(), 0, "no redirect is followed");
    let authorization = format!("Basic {}", "cGxhbnRlZC11c2VyOnBsYW50ZWQtcGFzc3dvcmQ=");
    assert!(fake.asked().iter().all(|asked| asked.header("authorization") == Some(&authorization)));
    let told = [service.lines(), service.page("/status"), service.page("/metrics")].concat();
    assert!(!told.contains("planted-password") && !told.contains(&authorization[6..]), "{told}");

    // A number no registry can have asks nobody.
    let asked = fake.asked().len();
    scene.write(&[framed(u32::MAX, "tier", 0)]);
    done += 1;
    wait_until("it is decided", SOON, || group.done() == done);
    assert_eq!(fake.asked().len(), asked);

    // Only a registry that says that there is no such schema makes a dead letter.
    fake.answers(|_| Some(fake_registry::json(404, r#"{"error_code":40403,"message":"Schema not found"}"#)));
    scene.write(&[framed(7, "tier", 0)]);
    wait_until("it is decided", SOON, || group.done() == done + 1);
    let dead = scene.read(&scene.dead_letter);
    let codes: Vec<_> = dead.iter().map(|dead| dead.header("dlq-code")).collect();
    assert_eq!(codes, ["unknown_schema", "unknown_schema"]);
    assert!(dead.iter().any(|dead| dead.value == framed(7, "tier", 0).value), "its bytes are untouched");
}

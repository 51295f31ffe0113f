//! Rulesets on trial while leads are decided: what shadows would change is counted exactly, whatever is taken back; a canary
//! decides its share and no other lead, and stops by itself; each is changed and refused without the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use sha2::{Digest, Sha256};

use super::{
    broker,
    clients::{self, Raw},
    leads::{Expected, records, with_note},
    service::{SOON, Scene, Service, now_millis},
    waiting::{wait_for, wait_until},
};

/// The built-in rules under another version; `gate`: the condition of one more gate.
fn rules(version: &str, gate: Option<&str>) -> String {
    let text = fs::read_to_string("deploy/rules/default/ruleset.toml").expect("the built-in rules");
    let text = text.replacen("version = \"1\"", &format!("version = \"{version}\""), 1);
    let more = gate.map(|when| format!("\n[[gate]]\nid = \"more\"\nwhen = '{when}'\nreason = \"closed_today\"\n")).unwrap_or_default();
    text.replacen("\n[[gate]]", &format!("{more}\n[[gate]]"), 1)
}

const APP_SOURCE: &str = "storefront == \"APP_SOURCE\"";

/// A scene with one partition and a live ruleset, `default/live`.
fn set_up(test: &str) -> Scene {
    let scene = Scene::with_topics(test, broker::shared(), 1);
    put(&scene, "live.toml", &rules("live", None));
    scene
}

/// As editors and deployments do it: another file takes the name.
fn put(scene: &Scene, name: &str, text: &str) -> PathBuf {
    let (new, file) = (scene.path(&format!("{name}.new")), scene.path(name));
    fs::write(&new, text).expect("written");
    fs::rename(new, &file).expect("renamed");
    file
}

fn run(scene: &Scene, settings: &[String]) -> Service {
    let live = format!("rules.path={}", scene.path("live.toml").display());
    let arguments: Vec<&str> =
        [live.as_str()].into_iter().chain(settings.iter().map(String::as_str)).flat_map(|set| ["--set", set]).collect();
    let service = scene.run(&arguments);
    service.wait_ready();
    service
}

fn shadows(scene: &Scene, names: &[&str]) -> String {
    let paths: Vec<_> = names.iter().map(|name| scene.path(name).display().to_string()).collect();
    format!("rules.shadow={}", paths.join(","))
}

fn canary(scene: &Scene, name: &str, percent: u32) -> [String; 3] {
    let path = scene.path(name);
    [format!("rules.canary.path={}", path.display()), format!("rules.canary.percent={percent}"), "rules.canary.after=30".to_owned()]
}

/// Writes the leads of these numbers, all received at one time.
fn write(scene: &Scene, numbers: std::ops::Range<usize>, timestamp: i64) {
    scene.write(&records(numbers, 1, timestamp));
}

/// The events of a topic, as text.
fn events(scene: &Scene, topic: &str) -> Vec<String> {
    scene.read(topic).into_iter().map(|kept| String::from_utf8(kept.value.expect("a value")).expect("text")).collect()
}

/// Versions of the rules that stand on the events of these offsets.
fn versions(scene: &Scene, from: i64) -> BTreeSet<String> {
    let all = [&scene.qualified, &scene.unqualified, &scene.routing].into_iter().flat_map(|topic| events(scene, topic));
    let json = all.map(|event| serde_json::from_str::<serde_json::Value>(&event).expect("JSON"));
    let late = json.filter(|event| event["source"]["offset"].as_i64() >= Some(from));
    late.map(|event| event["ruleset"]["version"].as_str().expect("text").to_owned()).collect()
}

/// As docs/trying.md tells it.
fn is_canarys(event: &str, percent: u64) -> bool {
    let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
    let digest = Sha256::digest(format!("canary/{}", event["lead_id"].as_str().expect("text")));
    u64::from_be_bytes(digest[..8].try_into().expect("eight")) % 1_000_000 < percent * 10_000
}

#[test]
fn what_a_shadow_would_change_is_counted_once_whatever_is_taken_back() {
    let scene = set_up("shadow");
    put(&scene, "same.toml", &rules("same", None));
    put(&scene, "other.toml", &rules("other", Some(APP_SOURCE)));
    let service = run(&scene, &[shadows(&scene, &["same.toml", "other.toml"]), "rules.shadow_share=1".to_owned()]);
    // What the broker refuses now takes back the batch it is in, which is decided again without it.
    clients::alter_topic(&scene.brokers, &scene.qualified, &[("max.message.bytes", "20000")]);
    let mut raw = records(0..400, 1, now_millis());
    raw.insert(200, Raw { value: Some(with_note(1, 30_000)), ..Raw::default() });
    scene.write(&raw);
    scene.wait_done(raw.len(), &service);
    let expected: Vec<_> = (0..400).map(|number| super::leads::lead(number).1).collect();
    let leads = expected.iter().filter(|expected| !matches!(expected, Expected::DeadLetter(_))).count();
    let app_source =
        expected.iter().filter(|expected| matches!(expected, Expected::Qualified(to) if to.contains(&"PUBLISHER_CRM"))).count();
    assert!(service.metric("leadstream_transactions_total{result=\"aborted\"}") >= Some(1.0), "{}", service.lines());
    let counted: BTreeMap<_, _> = [
        "leads_total{candidate=\"default/same\"}",
        "changes_total{candidate=\"default/same\",from=\"QUALIFIED\",to=\"UNQUALIFIED\"}",
        "leads_total{candidate=\"default/other\"}",
        "changes_total{candidate=\"default/other\",from=\"QUALIFIED\",to=\"UNQUALIFIED\"}",
        "changes_total{candidate=\"default/other\",from=\"UNQUALIFIED\",to=\"QUALIFIED\"}",
        "route_changes_total{candidate=\"default/other\",change=\"removed\",destination=\"PUBLISHER_CRM\"}",
    ]
    .into_iter()
    .map(|series| (series, value(&service, &format!("leadstream_shadow_{series}"))))
    .collect();
    let counts: Vec<_> = counted.values().copied().collect();
    assert_eq!(counts, [app_source, 0, 0, leads, leads, app_source], "{counted:#?}");
    assert_eq!(service.metric("leadstream_shadow_sampled_share"), Some(1.0));
    let page = service.status();
    assert_eq!(page["shadows"]["candidates"][0]["samples"], serde_json::json!([]), "equal rules change nothing");
    let sample = &page["shadows"]["candidates"][1]["samples"][0];
    assert_eq!((&sample["before"]["verdict"], &sample["after"]["verdict"]), (&"QUALIFIED".into(), &"UNQUALIFIED".into()));
    assert!(super::leads::PRIVATE.iter().all(|word| !page.to_string().contains(word)), "{page:#}");
    assert_eq!(versions(&scene, 0), BTreeSet::from(["live".to_owned()]), "shadows write nothing");
}

/// The value of the one series that is written like this.
fn value(service: &Service, series: &str) -> usize {
    let page = service.page("/metrics");
    let found = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or_else(|| panic!("no {series} in\n{page}"))
}

/// The events that `leadstream process` makes of the leads of these numbers under a ruleset, by output topic.
fn processed(scene: &Scene, rules: &str, numbers: std::ops::Range<usize>, timestamp: i64) -> [Vec<String>; 3] {
    let folder = scene.path(&format!("by-{rules}"));
    fs::create_dir_all(&folder).expect("a folder");
    // Named as the topic, so that events are the same to the byte.
    let input = folder.join(&scene.raw);
    let values = numbers.map(|number| super::leads::lead(number).0);
    let framed: Vec<u8> =
        values.flat_map(|value| [&u32::try_from(value.len()).expect("small").to_be_bytes()[..], &value].concat()).collect();
    fs::write(&input, framed).expect("written");
    let now = jiff::Timestamp::from_millisecond(timestamp).expect("a time").to_string();
    let (input, out, rules) = (input.display().to_string(), folder.join("out"), scene.path(rules).display().to_string());
    let to = out.display().to_string();
    let done = scene.call(&["process", &input, "--framing", "length", "--now", &now, "--output", &to, "--quiet", "--rules", &rules]);
    assert!(done.status.success(), "process: {}", String::from_utf8_lossy(&done.stderr));
    ["qualified", "unqualified", "routing"].map(|name| {
        let text = fs::read_to_string(out.join(format!("{name}.ndjson"))).expect("process wrote it");
        text.lines().map(str::to_owned).collect()
    })
}

#[test]
fn a_canary_decides_the_leads_that_their_ids_give_it_byte_for_byte() {
    let scene = set_up("canary");
    put(&scene, "canary.toml", &rules("canary", Some("contact.email.startsWith(\"zyx.quillf1\")")));
    let settings = canary(&scene, "canary.toml", 20);
    // As far apart as it likes: the split is looked at here.
    let service = run(&scene, &[&settings[..], &["rules.canary.band=100".to_owned()]].concat());
    let timestamp = now_millis();
    write(&scene, 0..1_200, timestamp);
    scene.wait_done(1_200, &service);
    let [live, own] = ["live.toml", "canary.toml"].map(|rules| processed(&scene, rules, 0..1_200, timestamp));
    let mut canarys = 0;
    for (at, topic) in [&scene.qualified, &scene.unqualified, &scene.routing].into_iter().enumerate() {
        let by_live = live[at].iter().filter(|event| !is_canarys(event, 20));
        let by_canary = own[at].iter().filter(|event| is_canarys(event, 20));
        canarys += by_canary.clone().count();
        let mut expected: Vec<_> = by_live.chain(by_canary).cloned().collect();
        let mut found = events(&scene, topic);
        expected.sort();
        found.sort();
        let other = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert!(found.len() == expected.len() && other.is_none(), "{topic}: {} and {}: {other:?}", found.len(), expected.len());
    }
    assert!(canarys > 100, "only {canarys} events are the canary's");
    let leads = |version: &str| {
        let labels = format!("{{ruleset=\"default/{version}\",verdict=\"QUALIFIED\"}}");
        value(&service, &format!("leadstream_ruleset_leads_total{labels}"))
    };
    let qualified = |version: &str| {
        let name = format!("\"version\":\"{version}\"");
        events(&scene, &scene.qualified).iter().filter(|event| event.contains(&name)).count()
    };
    assert_eq!([leads("live"), leads("canary")], [qualified("live"), qualified("canary")]);
    assert!(scene.read(&scene.dead_letter).iter().all(|dead| dead.header("dlq-ruleset").starts_with("default/live/")));
    assert_eq!((service.metric("leadstream_canary_share"), service.metric("leadstream_canary_stopped")), (Some(0.2), Some(0.0)));
}

#[test]
fn a_canary_that_leaves_its_band_stops_by_itself_until_it_is_changed() {
    let scene = set_up("canary-stops");
    put(&scene, "canary.toml", &rules("wrong", Some("true")));
    let service = run(&scene, &canary(&scene, "canary.toml", 20));
    let timestamp = now_millis();
    write(&scene, 0..1_600, timestamp);
    scene.wait_done(1_600, &service);
    wait_for("it is stopped", SOON, || service.lines(), || (service.metric("leadstream_canary_stopped") == Some(1.0)).then_some(()));
    assert_eq!(service.metric("leadstream_canary_share"), Some(0.0));
    let why = "its qualification rate has left the band";
    let (code, page) = service.try_page("/readyz").expect("it answers");
    assert!(code == 200 && page.contains("the canary default/wrong is stopped") && page.contains(why), "{page}");
    assert!(service.lines().contains(why) && service.status()["canary"]["stopped"].as_str().is_some_and(|told| told.contains(why)));
    assert!(versions(&scene, 0).contains("wrong"), "it decided its share before");

    write(&scene, 1_600..2_000, timestamp);
    scene.wait_done(2_000, &service);
    assert_eq!(versions(&scene, 1_600), BTreeSet::from(["live".to_owned()]));
    // Being asked, other live rules, and the same file once more bring nothing back.
    put(&scene, "canary.toml", &rules("wrong", Some("true")));
    put(&scene, "live.toml", &rules("live2", None));
    wait_until("the new rules are live", SOON, || service.status()["ruleset"]["version"] == "live2");
    service.hang_up();
    let asked = || service.lines().contains("canary.toml are as they were");
    wait_for("it was asked", SOON, || service.lines(), || asked().then_some(()));
    assert_eq!(service.metric("leadstream_canary_stopped"), Some(1.0));

    put(&scene, "canary.toml", &rules("right", None));
    wait_for("it begins anew", SOON, || service.lines(), || (service.metric("leadstream_canary_share") == Some(0.2)).then_some(()));
    assert!(service.metric("leadstream_canary_stopped") == Some(0.0) && !service.page("/readyz").contains("stopped"));
    write(&scene, 2_000..2_800, timestamp);
    scene.wait_done(2_800, &service);
    assert_eq!(versions(&scene, 2_000), BTreeSet::from(["live2".to_owned(), "right".to_owned()]));
    assert_eq!(service.metric("leadstream_canary_stopped"), Some(0.0), "it decides alike:\n{}", service.lines());
    drop(service);
    // A start begins anew, whatever came of it before.
    put(&scene, "canary.toml", &rules("wrong", Some("true")));
    let service = run(&scene, &canary(&scene, "canary.toml", 20));
    assert_eq!(service.metric("leadstream_canary_share"), Some(0.2));
}

#[test]
fn each_ruleset_on_trial_is_changed_and_refused_by_itself() {
    let scene = set_up("candidates");
    for name in ["a", "b"] {
        put(&scene, name, &rules(name, None));
    }
    put(&scene, "canary", &rules("canary", None));
    let settings = [&[shadows(&scene, &["a", "b"]), "rules.shadow_share=1".to_owned()], &canary(&scene, "canary", 50)[..]].concat();
    let service = run(&scene, &settings);
    let reloads =
        |result: &str| service.metric(&format!("leadstream_ruleset_reloads_total{{result=\"{result}\"}}")).expect("from the start");
    let reach = |ok: f64, refused: f64| {
        wait_for(
            &format!("{ok} are taken, {refused} refused"),
            SOON,
            || service.lines(),
            || ((reloads("ok"), reloads("refused")) == (ok, refused)).then_some(()),
        );
    };
    let page = || service.page("/readyz");
    let shown = || {
        let status = service.status();
        let all = status["shadows"]["candidates"].as_array().expect("a list").iter().map(|candidate| &candidate["ruleset"]["label"]);
        all.chain([&status["canary"]["ruleset"]["label"]]).map(|label| label.as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    // Bad ones: the old go on, and the live rules change all the same.
    put(&scene, "a", &rules("a2", Some("is_tset")));
    put(&scene, "canary", "no rules at all");
    put(&scene, "live.toml", &rules("live2", None));
    reach(1.0, 2.0);
    assert!(page().contains("changed rules of the shadow") && page().contains("changed rules of the canary"), "{}", page());
    assert_eq!(shown(), ["default/a", "default/b", "default/canary"]);
    // They change names with one another; one cannot have another's.
    put(&scene, "a", &rules("b", Some(APP_SOURCE)));
    reach(1.0, 3.0);
    assert!(page().contains("two candidates are called default/b"), "{}", page());
    put(&scene, "a", &rules("a2", Some(APP_SOURCE)));
    put(&scene, "canary", &rules("live2", Some("true")));
    reach(2.0, 4.0);
    assert!(page().contains("the canary is called default/live2 as the live ruleset is"), "{}", page());
    put(&scene, "canary", &rules("canary2", None));
    reach(3.0, 4.0);
    wait_until("nothing is wrong any more", SOON, || page().contains("\"warnings\":[]"));
    assert_eq!(shown(), ["default/a2", "default/b", "default/canary2"]);
    write(&scene, 0..400, now_millis());
    scene.wait_done(400, &service);
    assert_eq!(versions(&scene, 0), BTreeSet::from(["live2".to_owned(), "canary2".to_owned()]));
    let changes = |candidate: &str| {
        let labels = format!("{{candidate=\"default/{candidate}\",from=\"QUALIFIED\",to=\"UNQUALIFIED\"}}");
        value(&service, &format!("leadstream_shadow_changes_total{labels}"))
    };
    assert!(changes("a2") > 10 && changes("b") == 0);
    let by_live = value(&service, "leadstream_ruleset_leads_total{ruleset=\"default/live2\",verdict=\"QUALIFIED\"}")
        + value(&service, "leadstream_ruleset_leads_total{ruleset=\"default/live2\",verdict=\"UNQUALIFIED\"}");
    assert_eq!(value(&service, "leadstream_shadow_leads_total{candidate=\"default/b\"}"), by_live, "the canary's are not compared");
    // The live rules take the canary's name: it stops, since nobody could tell their events apart.
    put(&scene, "live.toml", &rules("canary2", Some("is_spam")));
    wait_for("it is stopped", SOON, || service.lines(), || (service.metric("leadstream_canary_stopped") == Some(1.0)).then_some(()));
    assert!(page().contains("is stopped"), "{}", page());
}

//! What an operator sees: every query of every dashboard, every recording rule and every alert, asked of a real Prometheus that
//! scrapes real processes under load, with rules on trial, dead letters, batches taken back, reloads, and a process that is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use leadstream::telemetry::names::{self, Metric};
use serde_json::Value;

use super::{
    broker::{self, free_ports},
    clients::{self, Raw, Writer},
    leads::{records, with_note},
    prometheus::{Prometheus, Series},
    service::{SOON, Scene, Service, now_millis},
    waiting::{Enough, let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 4;
/// Records written at once, ten times a second at most.
const AT_ONCE: usize = 40;

/// Panels of which nothing is to be seen in this load, and why.
const EMPTY: [(&str, &str); 1] =
    [("What stands still", "no position is lost and no lane halts: tests/kafka/standing_still.rs sees that metric")];

/// Alerts whose condition holds in this load; of all others it must not.
const HOLD: [&str; 3] = ["LeadstreamDeadLetters", "LeadstreamReloadRefused", "LeadstreamCanaryStopped"];

/// The built-in rules under another version; `gate`: the condition of one more gate.
fn rules(version: &str, gate: Option<&str>) -> String {
    let text = fs::read_to_string("deploy/rules/default/ruleset.toml").expect("the built-in rules");
    let text = text.replacen("version = \"1\"", &format!("version = \"{version}\""), 1);
    let more = gate.map(|when| format!("\n[[gate]]\nid = \"more\"\nwhen = '{when}'\nreason = \"closed_today\"\n")).unwrap_or_default();
    text.replacen("\n[[gate]]", &format!("{more}\n[[gate]]"), 1)
}

/// As editors and deployments do it: another file takes the name.
fn put(scene: &Scene, name: &str, text: &str) {
    let (new, file) = (scene.path(&format!("{name}.new")), scene.path(name));
    fs::write(&new, text).expect("written");
    fs::rename(new, &file).expect("renamed");
}

fn run(scene: &Scene, port: u16) -> Service {
    let path = |name: &str| scene.path(name).display().to_string();
    let settings = [
        format!("http.listen=127.0.0.1:{port}"),
        format!("rules.path={}", path("live.toml")),
        format!("rules.shadow={}", path("shadow.toml")),
        "rules.shadow_share=1".to_owned(),
        format!("rules.canary.path={}", path("canary.toml")),
        "rules.canary.percent=40".to_owned(),
        "rules.canary.band=1".to_owned(),
        "rules.canary.after=30".to_owned(),
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let service = scene.run(&arguments);
    service.wait_ready();
    service
}

/// A lead of both storefronts in turn that a CRM had for a day before it came, one whose source nobody knows, and one that the
/// broker will not take.
fn odd(number: usize) -> Vec<Raw> {
    let source = if number.is_multiple_of(2) { "SPZA-PLT|demo.rota" } else { "AzurePortal-Create|demo.cold-chain" };
    let created = jiff::Timestamp::from_millisecond(now_millis() - 24 * 3_600_000).expect("a time");
    let row = |source: &str, created: jiff::Timestamp| {
        format!(
            "{{\"leadid\": \"zq{number}\", \"firstname\": \"Zyxenia\", \"emailaddress1\": \"zq{number}@granite-bank.example\", \"companyname\": \
             \"Granite Bank\", \"subject\": \"{source}\", \"createdon\": \"{created}\"}}"
        )
    };
    let values = [
        row(source, created).into_bytes(),
        row(&format!("NEWSRC{}-PLT|demo.rota", number % 3), jiff::Timestamp::now()).into_bytes(),
        with_note(number, 30_000),
    ];
    let partition = i32::try_from(number % PARTITIONS).expect("a few");
    values.into_iter().map(|value| Raw { partition, value: Some(value), timestamp: Some(now_millis()), ..Raw::default() }).collect()
}

/// Writes leads while `act` goes on; how many.
fn under_load(scene: &Scene, act: impl FnOnce(&AtomicUsize)) -> usize {
    let (enough, written) = (Enough::default(), AtomicUsize::new(0));
    thread::scope(|threads| {
        threads.spawn(|| {
            let writer = Writer::new(&scene.brokers);
            for round in 0.. {
                if enough.said() {
                    break;
                }
                let mut raw = records(round * AT_ONCE..(round + 1) * AT_ONCE, PARTITIONS, now_millis());
                if round % 10 == 0 {
                    raw.extend(odd(round / 10));
                }
                writer.write(&scene.raw, &raw);
                written.fetch_add(raw.len(), Ordering::Relaxed);
                let_pass(Duration::from_millis(100));
            }
        });
        let _guard = enough.when_dropped();
        act(&written);
    });
    written.into_inner()
}

/// A query of a dashboard, as Grafana sends it.
#[derive(Clone, Debug)]
struct Asked {
    place: String,
    title: String,
    query: String,
    over_time: bool,
}

/// Every query of every panel and annotation, with all variables at `All`.
fn asked() -> Vec<Asked> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/dashboards");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let board: Value = serde_json::from_str(&fs::read_to_string(&path).expect("text")).expect("JSON");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
        let mut take = |title: &Value, target: &Value, over_time: bool| {
            let query = target["expr"].as_str().expect("a query");
            let values = [("$job", ".+"), ("$instance", ".+"), ("$storefront", ".+"), ("$__rate_interval", "10s"), ("$__range", "1m")];
            let query = values.iter().fold(query.to_owned(), |query, (variable, value)| query.replace(variable, value));
            assert!(!query.contains('$'), "{query}");
            let title = title.as_str().expect("a title").to_owned();
            found.push(Asked { place: format!("{name}: {title}, {}", target["refId"]), title, query, over_time });
        };
        for panel in list(&board["panels"]) {
            for target in list(&panel["targets"]) {
                take(&panel["title"], &target, target["range"] == true);
            }
        }
        for annotation in list(&board["annotations"]["list"]) {
            take(&annotation["name"], &annotation["target"], true);
        }
    }
    assert!(found.len() > 80, "{}", found.len());
    found
}

fn answer(prometheus: &Prometheus, asked: &Asked) -> Vec<Series> {
    let found = if asked.over_time { prometheus.history(&asked.query, 30) } else { prometheus.query(&asked.query) };
    for series in &found {
        assert!(series.values.iter().all(|value| value.is_finite()), "{}: {series:?}", asked.place);
    }
    found
}

/// Asks until each has had an answer but those that are empty by nature, which must have none.
fn see_all(prometheus: &Prometheus, services: &[&Service]) {
    let mut left = asked();
    let empty: BTreeSet<_> = EMPTY.iter().map(|(title, _)| *title).collect();
    let lines = || services.iter().map(|service| service.lines()).collect::<String>();
    let mut missing = Vec::new();
    let done = |left: &mut Vec<Asked>| {
        left.retain(|asked| answer(prometheus, asked).is_empty());
        left.iter().all(|asked| empty.contains(asked.title.as_str())).then_some(())
    };
    let deadline = std::time::Instant::now() + 2 * SOON;
    while done(&mut left).is_none() {
        missing = left.iter().map(|asked| format!("{}: {}", asked.place, asked.query)).collect();
        assert!(std::time::Instant::now() < deadline, "nothing is seen of {missing:#?}\n{}", lines());
        let_pass(Duration::from_millis(200));
    }
    drop(missing);
    let still: BTreeSet<_> = left.iter().map(|asked| asked.title.as_str()).collect();
    assert_eq!(still, empty, "what is listed as empty by nature, is");
}

/// Asks every rule's own expression: recording rules have values, alerts hold where they must and nowhere else.
fn see_rules(prometheus: &Prometheus) {
    let rules = prometheus.rules();
    assert!(rules.len() >= 28, "{rules:?}");
    let mut holding = BTreeSet::new();
    for rule in &rules {
        let (name, query) = (rule["name"].as_str().expect("a name"), rule["query"].as_str().expect("a query"));
        let state = || format!("{rule:#}");
        wait_for("it has been evaluated, without error", 2 * SOON, state, || {
            let now = prometheus.rules().into_iter().find(|now| now["name"] == name).expect("it is still there");
            assert_ne!(now["health"], "err", "{now:#}");
            (now["health"] == "ok").then_some(())
        });
        let is_told = |found: &[Series]| found.iter().any(|series| series.labels["job"] == "leadstream");
        // Only where a partition is behind by more than a record at this moment.
        let may_be_empty = rule["type"] == "alerting" || name == "job_topic:leadstream_consumer_lag_seconds:max";
        // What is made of another rule's record has a value when that one was evaluated again.
        let found = wait_for("it has a value", 2 * SOON, state, || {
            let found = prometheus.query(query);
            (may_be_empty || is_told(&found)).then_some(found)
        });
        assert!(found.iter().all(|series| series.values.iter().all(|value| value.is_finite())), "{name}: {found:?}");
        if rule["type"] == "alerting" {
            holding.extend((!found.is_empty()).then(|| name.to_owned()));
        }
    }
    assert_eq!(holding, HOLD.map(str::to_owned).into());
}

#[test]
fn every_panel_and_every_rule_sees_what_happens_and_a_kill_leaves_rates_sane() {
    let scene = Scene::with_topics("observed", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    put(&scene, "live.toml", &rules("live", None));
    put(&scene, "shadow.toml", &rules("shadow", Some("storefront == \"APP_SOURCE\"")));
    put(&scene, "canary.toml", &rules("canary", None));
    let ports = free_ports::<2>();
    let prometheus = Prometheus::scraping(&ports);
    let first = run(&scene, ports[0]);
    let mut second = run(&scene, ports[1]);
    let instance = |port: u16| format!("127.0.0.1:{port}");
    // What the broker refuses now takes back the batch it is in.
    clients::alter_topic(&scene.brokers, &scene.qualified, &[("max.message.bytes", "20000")]);

    // What was counted before the first scrape is in no increase.
    wait_until("both are scraped", SOON, || prometheus.query("leadstream_ready == 1").len() == 2);

    let written = under_load(&scene, |_| {
        put(&scene, "live.toml", "no rules at all");
        wait_until("it is refused", SOON, || prometheus.value("sum(leadstream_ruleset_reloads_total{result=\"refused\"})") == Some(2.0));
        put(&scene, "live.toml", &rules("live2", None));
        wait_until("another is taken", SOON, || prometheus.value("sum(leadstream_ruleset_reloads_total{result=\"ok\"})") == Some(2.0));
        see_all(&prometheus, &[&first, &second]);
        for (selector, label) in
            [("leadstream_build_info", "job"), ("leadstream_build_info", "instance"), ("leadstream_leads_total", "storefront")]
        {
            assert!(prometheus.label_values(selector, label) >= 1, "{label}");
        }
        put(&scene, "canary.toml", &rules("wrong", Some("true")));
        wait_until("the canary stops", SOON, || prometheus.value("max(leadstream_canary_stopped)") == Some(1.0));
        put(&scene, "live.toml", "no rules again");
        wait_until("it is refused until it is mended", SOON, || prometheus.value("sum(leadstream_rulesets_refused)") == Some(2.0));
        see_rules(&prometheus);
        put(&scene, "live.toml", &rules("live2", None));
        wait_until("none is refused", SOON, || prometheus.value("sum(leadstream_rulesets_refused)") == Some(0.0));

        second.kill();
        let up = |port: u16| prometheus.value(&format!("up{{instance=\"{}\"}}", instance(port)));
        wait_until("it is seen to be gone", SOON, || up(ports[1]) == Some(0.0));
        second = run(&scene, ports[1]);
        wait_until("it is seen again", SOON, || up(ports[1]) == Some(1.0));
        let counted = format!("increase(leadstream_records_consumed_total{{instance=\"{}\"}}[10s]) > 0", instance(ports[1]));
        wait_until("it decides again", SOON, || !prometheus.query(&counted).is_empty());
    });
    scene_done(&scene, written, &[&first, &second]);
    wait_until("the last scrape has all", SOON, || prometheus.value("sum(leadstream_consumer_lag_records)") == Some(0.0));
    sane(&prometheus, written, &instance(ports[0]));
}

fn scene_done(scene: &Scene, written: usize, services: &[&Service]) {
    let goal = i64::try_from(written).expect("a count");
    let state = || services.iter().map(|service| service.lines()).collect::<String>();
    wait_for("all is committed", 2 * SOON, state, || (scene.progress().done() == goal).then_some(()));
}

/// No counter went back but by the kill, no rate is below zero, and no more was counted than was written.
fn sane(prometheus: &Prometheus, written: usize, survivor: &str) {
    let mut most = BTreeMap::new();
    for name in
        names::ALL.iter().flat_map(Metric::series).filter(|name| ["_total", "_count", "_bucket"].iter().any(|end| name.ends_with(end)))
    {
        for series in prometheus.query(&format!("max by (instance) (resets({name}[30m]))")) {
            let instance = series.labels["instance"].as_str().expect("a name").to_owned();
            let (highest, of) = most.entry(instance).or_insert((0.0, String::new()));
            if series.values[0] > *highest {
                (*highest, *of) = (series.values[0], name.clone());
            }
        }
    }
    assert_eq!(most.len(), 2);
    for (instance, (resets, name)) in most {
        let is_right = if instance == survivor { resets < 0.5 } else { (resets - 1.0).abs() < 0.5 };
        assert!(is_right, "{instance}: {name} went back {resets} times");
    }
    #[allow(clippy::cast_precision_loss)]
    let written = written as f64;
    for asked in asked().into_iter().filter(|asked| asked.over_time && asked.query.contains("rate(") && !asked.query.contains("score")) {
        for series in prometheus.history(&asked.query, 300) {
            assert!(series.values.iter().all(|value| *value >= 0.0), "{}: {series:?}", asked.place);
        }
    }
    let rates = prometheus.history("sum(rate(leadstream_records_consumed_total[10s]))", 300);
    let most = rates.iter().flat_map(|series| &series.values).copied().fold(0.0, f64::max);
    let all = prometheus.value("sum(increase(leadstream_records_consumed_total[30m]))").expect("a sum");
    println!("{written} records written, {all:.0} counted over both lives, {most:.0} a second at most");
    // Prometheus guesses what lies before a series' first and behind its last sample.
    assert!(all <= written * 1.05 && all >= written * 0.8, "{all} of {written}");
    assert!(most * 10.0 <= written * 1.25, "{most} a second");
}

//! Rules that change while leads are decided: never half of them, never lost by a bad file, and each event by the rules it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{
    broker,
    disturbed::{under_load, write},
    leads::Expected,
    outcomes::At,
    service::{SOON, Scene, Service},
    waiting::{let_pass, wait_for, wait_until},
};

const PARTITIONS: usize = 4;

/// The built-in rules under another version; `closed`: no lead qualifies.
fn rules(version: usize, closed: bool) -> String {
    let text = fs::read_to_string("deploy/rules/default/ruleset.toml").expect("the built-in rules");
    let text = text.replacen("name = \"default\"\nversion = \"1\"", &format!("name = \"reloaded\"\nversion = \"{version}\""), 1);
    assert!(text.contains("\"reloaded\""), "the head of the built-in rules has changed");
    let gate = "\n[[gate]]\nid = \"not-today\"\nwhen = 'true'\nreason = \"closed_today\"\n";
    if closed { text.replacen("\n[[gate]]", &format!("{gate}\n[[gate]]"), 1) } else { text }
}

struct Desk {
    scene: Scene,
    file: PathBuf,
}

impl Desk {
    fn set_up(test: &str) -> Self {
        let scene = Scene::with_topics(test, broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
        let file = scene.path("ruleset.toml");
        let desk = Self { scene, file };
        desk.put(&rules(0, false));
        desk
    }

    /// As editors and deployments do it: another file takes the name.
    fn put(&self, text: &str) {
        let new = self.scene.path("ruleset.new");
        fs::write(&new, text).expect("written");
        fs::rename(new, &self.file).expect("renamed");
    }

    fn run(&self, more: &[&str]) -> Service {
        let path = format!("rules.path={}", self.file.display());
        let mut arguments = vec!["--set", &path];
        arguments.extend(more);
        self.scene.run(&arguments)
    }
}

fn live_version(service: &Service) -> String {
    service.status()["ruleset"]["version"].as_str().expect("a text").to_owned()
}

fn reloads(service: &Service, result: &str) -> f64 {
    service.metric(&format!("leadstream_ruleset_reloads_total{{result=\"{result}\"}}")).unwrap_or(-1.0)
}

/// The events of each position: version of the rules that stands on them, and what they are.
fn decided(scene: &Scene) -> BTreeMap<At, Vec<(String, String)>> {
    let mut found: BTreeMap<At, Vec<(String, String)>> = BTreeMap::new();
    for topic in [&scene.qualified, &scene.unqualified, &scene.routing] {
        for event in scene.read(topic) {
            let json = event.json();
            let number = |key: &str| json["source"][key].as_i64().expect("a number");
            let at = (i32::try_from(number("partition")).expect("small"), number("offset"));
            let kind = json["event_id"].as_str().and_then(|id| id.splitn(4, '/').nth(3)).expect("an id").to_owned();
            let reason = json["reasons"][0].as_str().unwrap_or_default();
            let version = json["ruleset"]["version"].as_str().expect("a version").to_owned();
            found.entry(at).or_default().push((version, format!("{kind} {reason}").trim_end().to_owned()));
        }
    }
    found
}

#[test]
fn each_event_is_by_the_rules_it_names_however_often_they_change() {
    let desk = Desk::set_up("reloading");
    let service = desk.run(&["--set", "run.lanes=2"]);
    service.wait_ready();
    let mut version = 0;
    let expected = under_load(&desk.scene, PARTITIONS, || {
        // However slowly they are taken up, one of each kind decides some.
        for _ in 0..2 {
            for round in 0..21 {
                version += 1;
                let text = rules(version, version % 2 == 1);
                if round % 4 == 3 {
                    // As who writes slowly into the file itself: what is there meanwhile is half of it.
                    fs::write(&desk.file, &text[..text.len() / 2]).expect("written");
                    let_pass(Duration::from_millis(30));
                    fs::write(&desk.file, &text).expect("written");
                } else {
                    desk.put(&text);
                }
                let_pass(Duration::from_millis(100));
            }
            // The last is in use, and others before it were.
            let last = version.to_string();
            wait_for("the last rules are live", SOON, || service.lines(), || (live_version(&service) == last).then_some(()));
            let group = desk.scene.progress();
            let before = group.done();
            wait_until("more is decided", SOON, || group.done() > before + 200);
        }
    });
    desk.scene.wait_done(expected.len(), &service);
    let decided = decided(&desk.scene);
    let mut versions = BTreeSet::new();
    for (at, fate) in &expected {
        let events = decided.get(at).map_or(&[][..], Vec::as_slice);
        let Some((version, _)) = events.first() else {
            assert!(matches!(fate, Expected::DeadLetter(_)), "{at:?} has no event");
            continue;
        };
        assert!(events.iter().all(|(other, _)| other == version), "{at:?} was decided by two rulesets: {events:?}");
        versions.insert(version.parse::<usize>().expect("a number"));
        let closed = version.parse::<usize>().expect("a number") % 2 == 1;
        let mut kinds: Vec<_> = events.iter().map(|(_, kind)| kind.as_str()).collect();
        kinds.sort_unstable();
        match fate {
            Expected::Qualified(destinations) if !closed => {
                let routed: Vec<_> = destinations.iter().map(|destination| format!("0/routed/{destination}")).collect();
                let all: Vec<_> = std::iter::once("0/qualified").chain(routed.iter().map(String::as_str)).collect();
                assert_eq!(kinds, all, "{at:?} by {version}");
            }
            Expected::Qualified(_) => assert_eq!(kinds, ["0/unqualified closed_today"], "{at:?} by {version}"),
            Expected::Unqualified(_) => assert!(kinds.len() == 1 && kinds[0].starts_with("0/unqualified"), "{at:?}: {kinds:?}"),
            Expected::DeadLetter(_) => panic!("{at:?} is no lead, and has {kinds:?}"),
        }
    }
    assert!(
        versions.iter().any(|version| version % 2 == 1) && versions.iter().any(|version| version % 2 == 0),
        "decided by {versions:?}\n{}",
        service.lines()
    );
    assert!(reloads(&service, "ok") >= 2.0 && service.is_ready(), "{}", service.lines());
    println!("{} leads by {} rulesets, {} reloads", expected.len(), versions.len(), reloads(&service, "ok"));
}

#[test]
fn a_bad_file_is_told_and_what_was_in_use_stays() {
    let desk = Desk::set_up("bad-rules");
    let service = desk.run(&["--set", "run.lanes=1"]);
    service.wait_ready();
    let hash = service.status()["ruleset"]["hash"].clone();
    let refused = |count: f64| {
        wait_for("it is refused", SOON, || service.lines(), || (reloads(&service, "refused") >= count).then_some(()));
    };
    desk.put(&rules(1, false).replacen("storefront = ", "storefrunt = ", 1));
    refused(1.0);
    let refused_now = || service.metric("leadstream_rulesets_refused").expect("from the start");
    wait_until("it is refused now", SOON, || refused_now() > 0.5);
    let lines = service.lines();
    assert!(lines.contains("storefrunt") && lines.contains("what was in use stays in use"), "{lines}");
    let (code, page) = service.try_page("/readyz").expect("it answers");
    assert!(code == 200 && page.contains("changed rules are refused"), "leads are decided meanwhile: {page}");
    assert_eq!(service.status()["ruleset"]["hash"], hash);
    // Gone altogether, then no text, then back: each is told once, and nothing is lost.
    fs::remove_file(&desk.file).expect("it was there");
    refused(2.0);
    desk.put("\u{feff}\u{0}");
    refused(3.0);
    let expected = write(&desk.scene, 0..200, PARTITIONS);
    desk.scene.wait_done(expected.len(), &service);
    assert!(decided(&desk.scene).values().flatten().all(|(version, _)| version == "0"));
    desk.put(&rules(0, false));
    wait_until("nothing is wrong any more", SOON, || !service.page("/readyz").contains("refused"));
    wait_until("none is refused now", SOON, || refused_now() < 0.5);
    assert_eq!((reloads(&service, "ok"), reloads(&service, "refused")), (0.0, 3.0), "what came back is what was in use");
}

#[test]
fn a_change_of_what_the_rules_extend_is_one_too() {
    let desk = Desk::set_up("extended-rules");
    let base = desk.scene.path("base.toml");
    fs::write(&base, rules(7, false)).expect("written");
    desk.put("[ruleset]\nname = \"extending\"\nversion = \"1\"\nextends = \"base.toml\"\n");
    let service = desk.run(&["--set", "run.lanes=1"]);
    service.wait_ready();
    let before = write(&desk.scene, 0..40, PARTITIONS);
    desk.scene.wait_done(before.len(), &service);
    let hash = service.status()["ruleset"]["hash"].clone();
    // In its place, by who has time.
    fs::write(&base, rules(8, true)).expect("written");
    wait_for("the base is read again", SOON, || service.lines(), || (reloads(&service, "ok") >= 1.0).then_some(()));
    assert!(service.status()["ruleset"]["hash"] != hash && live_version(&service) == "1");
    let after = write(&desk.scene, 40..80, PARTITIONS);
    desk.scene.wait_done(before.len() + after.len(), &service);
    let decided = decided(&desk.scene);
    let closed = |at: &At| decided.get(at).is_some_and(|events| events.iter().all(|(_, kind)| kind.ends_with("closed_today")));
    for (at, fate) in before.iter().chain(&after).filter(|(_, fate)| matches!(fate, Expected::Qualified(_))) {
        assert_eq!(closed(at), after.contains_key(at), "{at:?}: {fate:?}");
    }
}

#[test]
fn where_nobody_watches_a_signal_asks() {
    let desk = Desk::set_up("hangup");
    let service = desk.run(&["--set", "run.lanes=1", "--set", "rules.watch=false"]);
    service.wait_ready();
    desk.put(&rules(1, true));
    let expected = write(&desk.scene, 0..100, PARTITIONS);
    desk.scene.wait_done(expected.len(), &service);
    assert_eq!(live_version(&service), "0");
    service.hang_up();
    wait_for("the new rules are live", SOON, || service.lines(), || (live_version(&service) == "1").then_some(()));
    assert!(service.page("/metrics").contains("version=\"1\"") && !service.page("/metrics").contains("version=\"0\""));
    service.assert_runs();
}

#[test]
fn a_ruleset_that_fails_its_own_tests_is_not_taken() {
    let desk = Desk::set_up("tested-rules");
    let tests = desk.scene.path("ruleset.test.toml");
    let test = |verdict: &str| {
        let lead = r#"{"userDetails": {"email": "jane@adatum.example"}, "leadSource": "SPZA-PLT|acme.app"}"#;
        format!("[[test]]\nname = \"an ordinary lead\"\nlead = '{lead}'\nexpect = {{ verdict = \"{verdict}\" }}\n")
    };
    fs::write(&tests, test("QUALIFIED")).expect("written");
    let service = desk.run(&["--set", "run.lanes=1"]);
    service.wait_ready();
    let settled = |ok: f64, refused: f64| {
        let count = || (reloads(&service, "ok"), reloads(&service, "refused"));
        wait_for("it is looked at", SOON, || service.lines(), || (count() == (ok, refused)).then_some(()));
    };
    // No lead would qualify: the test says otherwise.
    desk.put(&rules(1, true));
    settled(0.0, 1.0);
    assert_eq!(live_version(&service), "0");
    let lines = service.lines();
    assert!(lines.contains("fails: verdict is not as expected") && !lines.contains("adatum.example"), "{lines}");
    assert!(service.page("/readyz").contains("changed rules are refused"));
    // The test was what was wrong: a change of it alone is one, too.
    fs::write(&tests, test("UNQUALIFIED")).expect("written");
    settled(1.0, 1.0);
    assert_eq!(live_version(&service), "1");
    drop(service);
    // Nor does a service start with what it would not have taken.
    fs::write(&tests, test("QUALIFIED")).expect("written");
    let mut refused = desk.run(&["--set", "run.lanes=1"]);
    assert_eq!(refused.exit_within(SOON), 64, "{}", refused.lines());
    let trusted = desk.run(&["--set", "run.lanes=1", "--set", "rules.test=false"]);
    trusted.wait_ready();
}

/// The reasons of a lead, and the version of the table it was decided with.
fn suppressions(scene: &Scene) -> BTreeMap<At, (String, String)> {
    let events = [&scene.qualified, &scene.unqualified].into_iter().flat_map(|topic| scene.read(topic));
    let told = events.map(|event| {
        let json = event.json();
        let number = |key: &str| json["source"][key].as_i64().expect("a number");
        let at = (i32::try_from(number("partition")).expect("small"), number("offset"));
        let version = json["ruleset"]["tables"]["suppressions"].as_str().expect("a hash").to_owned();
        (at, (json["reasons"].to_string(), version))
    });
    told.collect()
}

#[test]
fn a_changed_table_is_in_use_between_two_batches_and_each_decision_names_its_version() {
    let desk = Desk::set_up("changed-tables");
    let (folder, new) = (desk.scene.path("tables"), desk.scene.path("suppressions.new"));
    fs::create_dir_all(&folder).expect("a folder");
    let table = |domain: &str| format!("scope,domain\ndomain,{domain}\n");
    let put = |text: &str| {
        fs::write(&new, text).expect("written");
        fs::rename(&new, folder.join("suppressions.csv")).expect("renamed");
    };
    let hash = |text: &str| Sha256::digest(text).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    let (none, bank) = (table("nobody.example.net"), table("granite-bank.example.com"));
    put(&none);
    let tables = format!("tables.dir={}", folder.display());
    let service = desk.run(&["--set", &tables]);
    service.wait_ready();
    let before = write(&desk.scene, 0..80, PARTITIONS);
    desk.scene.wait_done(before.len(), &service);
    // Not good: what was in use stays, with its version.
    put("scope,domain\ndomain,http://granite-bank.example.com/about\n");
    wait_for("it is refused", SOON, || service.lines(), || (reloads(&service, "refused") >= 1.0).then_some(()));
    let meanwhile = write(&desk.scene, 80..160, PARTITIONS);
    desk.scene.wait_done(before.len() + meanwhile.len(), &service);
    put(&bank);
    wait_for("it is in use", SOON, || service.lines(), || (reloads(&service, "ok") >= 1.0).then_some(()));
    let after = write(&desk.scene, 160..240, PARTITIONS);
    desk.scene.wait_done(240, &service);
    assert_eq!(live_version(&service), "0", "the rules are the same");
    let told = suppressions(&desk.scene);
    for (at, fate) in before.iter().chain(&meanwhile).chain(&after).filter(|(_, fate)| !matches!(fate, Expected::DeadLetter(_))) {
        let (reasons, version) = &told[at];
        let table = if after.contains_key(at) { &bank } else { &none };
        assert_eq!(version, &hash(table), "{at:?}");
        let has_address = !matches!(fate, Expected::Unqualified("no_contact"));
        assert_eq!(reasons.contains("suppressed"), has_address && after.contains_key(at), "{at:?} {fate:?}: {reasons}");
    }
}

//! `backtest` against what two runs of `process` write: flips, reasons, destinations and samples, counted here from the events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::mutate::Dice;

const NOW: &str = "2026-11-01T09:00:00Z";

const CANDIDATE: &str = r#"
[ruleset]
name = "candidate"
version = "2"
extends = "default"
remove = ["score.free_mail"]
[[gate]]
id = "country"
when = 'contact.country == "FR"'
reason = "country_not_allowed"
[score]
threshold = 15
[[score.rule]]
id = "manager"
part = "fit"
when = 'contact.seniority == "MANAGER"'
points = 30
[[route]]
id = "desk"
when = 'contact.country == "JP"'
destination = "JAPAN_DESK"
stop = true
[[route]]
id = "queue"
when = 'storefront == "APP_SOURCE"'
destination = "PUBLISHER_CRM"
queue = "apps"
"#;

fn leadstream(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).output().expect("leadstream runs")
}

/// So many made-up leads, two of them in a record now and then, and a record that is none.
pub(crate) fn leads(count: u64) -> String {
    let mut dice = Dice::of(26, 11);
    let mut text = String::new();
    for number in 0..count {
        let mut lead = || {
            let mail = dice.of_all(&["adatum.example", "gmail.com", "uni.edu"]);
            let country = dice.of_all(&["US", "FR", "JP", "DE"]);
            let title = dice.of_all(&["CEO", "Office Manager", "Accountant"]);
            let source = format!("{}-{}", dice.of_all(&["SPZA", "AzureMarketplace", "odd"]), dice.of_all(&["INS", "PLT", "DNC", "Frob"]));
            json!({"userDetails": {"firstName": "Zqfirst", "email": format!("zqmail{number}@{mail}"), "country": country, "title": title},
                   "leadSource": format!("{source}|contoso.app")})
        };
        match number % 50 {
            7 => writeln!(text, "[{}, {}]", lead(), lead()),
            13 => writeln!(text, "{{\"lead"),
            _ => writeln!(text, "{}", lead()),
        }
        .expect("memory");
    }
    text
}

/// What `process` makes of the leads: verdict, reasons, total and destinations by position.
type Decided = BTreeMap<String, (String, Vec<String>, i64, BTreeMap<String, Value>)>;

fn decided(folder: &Path, rules: Option<&str>) -> Decided {
    let mut arguments = vec!["process", "leads.ndjson", "--output", "out", "--now", NOW, "--quiet"];
    arguments.extend(rules.iter().flat_map(|rules| ["--rules", rules]));
    assert_eq!(leadstream(&arguments, folder).status.code(), Some(0));
    let mut found = Decided::new();
    for file in ["qualified", "unqualified", "routing"] {
        for line in fs::read_to_string(folder.join(format!("out/{file}.ndjson"))).expect("written").lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let id = event["event_id"].as_str().expect("an id").splitn(5, '/').take(4).collect::<Vec<_>>().join("/");
            let lead = found.entry(id).or_default();
            if file == "routing" {
                let follow_up = json!([event["queue"], event["owner"], event["priority"], event["first_touch_due"], event["hot_until"]]);
                lead.3.insert(event["destination"].as_str().expect("a text").to_owned(), follow_up);
            } else {
                let texts =
                    |value: &Value| value.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned()).collect();
                event["verdict"].as_str().expect("a text").clone_into(&mut lead.0);
                (lead.1, lead.2) = (texts(&event["reasons"]), event["score"]["total"].as_i64().expect("a number"));
            }
        }
    }
    found
}

#[test]
fn what_a_backtest_counts_is_what_two_runs_write() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("leads.ndjson"), leads(4_000)).expect("written");
    fs::write(folder.path().join("candidate.toml"), CANDIDATE).expect("written");
    let (before, after) = (decided(folder.path(), None), decided(folder.path(), Some("candidate.toml")));
    let arguments = ["backtest", "--candidate", "candidate.toml", "leads.ndjson", "--now", NOW, "--json", "--samples", "5"];
    let output = leadstream(&arguments, folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let (mut changed, mut rescored) = (BTreeSet::new(), 0);
    let (mut verdicts, mut gained, mut lost, mut routes, mut follow_up) = <(Counts, Counts, Counts, Counts, Counts)>::default();
    let (mut sums, mut by_country) = ([0_i32, 0], BTreeMap::<&str, u64>::new());
    for (id, then) in &before {
        let now = &after[id];
        rescored += u64::from(then.2 != now.2);
        for (sum, total) in sums.iter_mut().zip([then.2, now.2]) {
            *sum += i32::try_from(total).expect("small");
        }
        if then.0 != now.0 {
            *verdicts.entry(format!("{}->{}", then.0, now.0)).or_default() += 1;
        }
        now.1.iter().filter(|reason| !then.1.contains(reason)).for_each(|reason| *gained.entry(reason.clone()).or_default() += 1);
        then.1.iter().filter(|reason| !now.1.contains(reason)).for_each(|reason| *lost.entry(reason.clone()).or_default() += 1);
        let gone: Vec<_> = then.3.keys().filter(|to| !now.3.contains_key(*to)).collect();
        let new: Vec<_> = now.3.keys().filter(|to| !then.3.contains_key(*to)).collect();
        if let ([from], [to]) = (gone.as_slice(), new.as_slice()) {
            *routes.entry(format!("{from}->{to}")).or_default() += 1;
        } else {
            let each = gone.iter().map(|from| format!("{from}->none")).chain(new.iter().map(|to| format!("none->{to}")));
            each.for_each(|route| *routes.entry(route).or_default() += 1);
        }
        for (to, how) in &then.3 {
            if now.3.get(to).is_some_and(|other| other != how) {
                *follow_up.entry(to.clone()).or_default() += 1;
            }
        }
        if (&then.0, &then.1, &then.3) != (&now.0, &now.1, &now.3) {
            changed.insert(id.clone());
            *by_country.entry(if now.1.contains(&"country_not_allowed".to_owned()) { "FR" } else { "" }).or_default() += 1;
        }
    }
    assert!(changed.len() > 1_000 && changed.len() < before.len(), "the candidate changes much, and not all");
    let count = |value: &Value| value.as_u64().expect("a number");
    assert_eq!((count(&report["leads"]), count(&report["changed"])), (before.len() as u64, changed.len() as u64));
    assert_eq!((count(&report["records"]), count(&report["rejected"]), count(&report["rescored"])), (4_000, 80, rescored));
    assert_eq!(report["verdicts"], json!(verdicts));
    assert_eq!(report["reasons"], json!({"gained": gained, "lost": lost}));
    assert_eq!(report["routes"], json!(routes));
    assert_eq!(report["follow_up"], json!(follow_up));
    for (side, sum) in ["before", "after"].into_iter().zip(sums) {
        let mean = report["scores"][side]["mean"].as_f64().expect("a number");
        let leads = f64::from(u32::try_from(before.len()).expect("few"));
        assert!((mean * leads - f64::from(sum)).abs() < 0.5, "{side}: {mean}");
        let steps = report["scores"][side]["steps"].as_object().expect("a map").values();
        assert_eq!(steps.map(count).sum::<u64>(), before.len() as u64);
    }
    assert!(by_country["FR"] <= count(&report["by"]["country"]["FR"]["changed"]));
    // Every changed lead has one cause, and samples are changed leads.
    let causes: BTreeMap<_, _> = report["causes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cause| (cause["rule"].as_str().unwrap_or_default(), count(&cause["leads"])))
        .collect();
    assert_eq!(causes.values().sum::<u64>(), changed.len() as u64, "{causes:?}");
    assert_eq!(
        causes.keys().copied().collect::<Vec<_>>(),
        ["gate.country", "route.desk", "route.queue", "score.free_mail", "score.manager", "score.threshold"]
    );
    let samples = report["samples"].as_array().expect("a list");
    assert_eq!(samples.len(), 5 * causes.len());
    for sample in samples {
        let id = sample["source"].as_str().expect("a text");
        assert!(changed.contains(id), "{id}");
        for (side, wanted) in [("before", &before[id]), ("after", &after[id])] {
            assert_eq!((&sample[side]["verdict"], &sample[side]["score"]), (&json!(wanted.0), &json!(wanted.2)), "{id}");
        }
    }
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.to_lowercase().contains("zq"), "samples tell nobody's data");
    // In any order of threads the same.
    for _ in 0..3 {
        assert!(leadstream(&arguments, folder.path()).stdout == text.as_bytes());
    }
    let open = leadstream(&[&arguments[..], &["--with-personal-data"]].concat(), folder.path());
    assert!(String::from_utf8_lossy(&open.stdout).contains("zqmail"));
}

type Counts = BTreeMap<String, u64>;

#[test]
fn equal_rules_change_nothing_and_a_limit_is_held() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("leads.ndjson"), leads(300)).expect("written");
    fs::write(folder.path().join("same.toml"), "[ruleset]\nname = \"same\"\nversion = \"1\"\nextends = \"default\"\n").expect("written");
    fs::write(folder.path().join("candidate.toml"), CANDIDATE).expect("written");
    let run = |more: &[&str]| {
        let output = leadstream(&[&["backtest", "leads.ndjson", "--now", NOW], more].concat(), folder.path());
        (
            output.status.code().expect("a code"),
            String::from_utf8(output.stdout).expect("UTF-8"),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    };
    let (exit, out, _) = run(&["--candidate", "same.toml", "--fail-if-changed", "0"]);
    assert!(exit == 0 && out.contains("\n0 would change: 0.00 %\n"), "{out}");
    let (exit, out, _) = run(&["--candidate", "candidate.toml", "--fail-if-changed", "0"]);
    assert!(exit == 1 && out.ends_with("more leads would change than --fail-if-changed allows\n"), "{out}");
    assert_eq!(run(&["--candidate", "candidate.toml", "--fail-if-changed", "1%"]).0, 1);
    assert_eq!(run(&["--candidate", "candidate.toml", "--fail-if-changed", "99.5%"]).0, 0);
    assert_eq!(run(&["--candidate", "candidate.toml", "--fail-if-changed", "299"]).0, 0);
    assert_eq!(run(&["--candidate", "candidate.toml", "--baseline", "candidate.toml", "--fail-if-changed", "0"]).0, 0);
    let (exit, out, err) = run(&["--candidate", "nowhere.toml"]);
    assert!(exit == 64 && out.is_empty() && err.contains("cannot read the ruleset"), "{err}");
    assert_eq!(run(&["--candidate", "same.toml", "--fail-if-changed", "101%"]).0, 64);
    assert_eq!(run(&[]).0, 64);
}

#[test]
fn a_sample_shows_what_is_otherwise_and_the_page_has_its_numbers_without_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("leads.ndjson"), leads(100)).expect("written");
    let rules = |name: &str, queue: &str| {
        let route =
            format!("[[route]]\nid = \"desk\"\nwhen = 'storefront == \"APP_SOURCE\"'\ndestination = \"DESK\"\nqueue = \"{queue}\"\n");
        let text = format!("[ruleset]\nname = \"{name}\"\nversion = \"1\"\nextends = \"default\"\n{route}");
        fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
    };
    rules("old", "first");
    rules("new", "second");
    let compared = ["backtest", "leads.ndjson", "--now", NOW, "--baseline", "old.toml", "--candidate", "new.toml"];
    let output = leadstream(&[&compared[..], &["--samples", "1", "--report", "page.html"]].concat(), folder.path());
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{out}{}", String::from_utf8_lossy(&output.stderr));
    let side = |sign: &str| out.lines().find(|line| line.starts_with(&format!("  {sign} "))).unwrap_or_default();
    assert!(side("-").contains("DESK (queue first)") && side("+").contains("DESK (queue second)"), "{out}");
    assert_eq!(side("-").replace("  - ", "").replace("first", "second"), side("+").replace("  + ", ""), "nothing else is otherwise");

    let page = fs::read_to_string(folder.path().join("page.html")).expect("written");
    let (_, plain) = page.split_once("<noscript>").expect("something without a script");
    let (plain, _) = plain.split_once("</noscript>").expect("its end");
    let changed = out.lines().find_map(|line| line.split_once(" would change: ")).expect("a count");
    assert!(plain.contains(&format!("<td>Would change</td><td>{} ({})</td>", changed.0, changed.1)), "{plain}");
    assert!(plain.contains("because of route.desk (changed)"), "{plain}");
    let added = ["backtest", "leads.ndjson", "--now", NOW, "--candidate", "new.toml", "--report", "page.html"];
    assert_eq!(leadstream(&added, folder.path()).status.code(), Some(0));
    let page = fs::read_to_string(folder.path().join("page.html")).expect("written");
    assert!(page.contains("<td>none-&gt;DESK</td>"), "{page}");
}

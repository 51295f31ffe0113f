//! Rulesets on trial, driven through the loop on the lane in memory: shadows leave no trace in what is written and count each
//! lead once; a canary decides the leads that its split gives it, and no others.

use std::{cell::RefCell, collections::BTreeMap, fs, rc::Rc, sync::Arc, time::Duration};

use leadstream::{
    config::{Config, DeadLetterGuard},
    io::{Abort, BatchLimits, Committed, MemoryLane, NoRegistry, Observer, Tally, Visible},
    lead::Vocabulary,
    pipeline::{Canary, Live, Pipeline, Share, Trials},
    problem::Problem,
    rules::{DEFAULT, Ruleset},
    run::{
        self, ExplainArguments, ExplainInput, ShadowBudget, Target,
        drive::{DriveSettings, drive},
    },
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::core::{at, now, pipeline};

/// The built-in rules under another version, with `more` before their first gate.
fn variant(version: &str, more: &str) -> Arc<Ruleset> {
    let text = DEFAULT.replacen("version = \"1\"", &format!("version = \"{version}\""), 1);
    let text = text.replacen("\n[[gate]]", &format!("\n{more}\n[[gate]]"), 1);
    Arc::new(Ruleset::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}")))
}

/// Refuses leads from Germany, and routes those from the United States to a queue of their own.
fn candidate() -> Arc<Ruleset> {
    variant(
        "candidate",
        "[[gate]]\nid = 'de'\nwhen = 'contact.country == \"DE\"'\nreason = 'country_not_allowed'\n\
         [[route]]\nid = 'us'\nwhen = 'contact.country == \"US\"'\ndestination = 'PUBLISHER_CRM'\nqueue = 'us'",
    )
}

/// A lead of `person`, from a country in turn: DE, US, FR, and now and then no lead at all.
fn value(person: usize) -> Vec<u8> {
    if person % 10 == 9 {
        return b"{\"status\":1}".to_vec();
    }
    let country = ["DE", "US", "FR"][person % 3];
    let user = format!(r#"{{"firstName":"Ada","email":"ada{person}@cedar-labs.example","country":"{country}"}}"#);
    format!(r#"{{"userDetails":{user},"leadSource":"SPZA-INS|cedar.planner"}}"#).into_bytes()
}

/// Adds up what it is told.
#[derive(Clone, Default)]
struct Told(Rc<RefCell<Tally>>);

impl Observer for Told {
    fn committed(&mut self, tally: &Tally, _: Committed, _: Duration) {
        self.0.borrow_mut().merge(tally);
    }

    fn aborted(&mut self, _: &Tally, _: &Abort, _: Duration) {}
}

/// What becomes visible of these records, and what is told.
fn driven(values: &[Vec<u8>], size: usize, aborts: &[bool], trials: Trials, share: f64) -> (Vec<Visible>, Tally) {
    let mut lane = MemoryLane::new((0..).zip(values).map(|(offset, value)| (at(offset), now(), Some(value.clone()))).collect());
    let abort = || Abort { reason: leadstream::io::Cause::Delivery, detail: String::new(), too_large: Vec::new(), limits: None };
    lane.aborts = aborts.iter().map(|aborts| aborts.then(abort)).collect();
    let batch = BatchLimits { records: size, bytes: 1 << 20, wait: Duration::ZERO };
    let shadows = Arc::new(ShadowBudget::new(share));
    let settings = DriveSettings {
        batch,
        guard: DeadLetterGuard::default(),
        outputs: 1 << 20,
        ends_on_halt: false,
        shadows,
        ledger: None,
        restore: None,
        passed_over: None,
        traced: false,
    };
    let (told, live) = (Told::default(), Arc::new(Live::new(pipeline(), trials)));
    drive(&mut lane, &mut told.clone(), || Arc::clone(&live), &NoRegistry, &settings).expect("memory does not fail");
    let tally = told.0.borrow().clone();
    (lane.visible, tally)
}

fn shadows(rulesets: &[&Arc<Ruleset>]) -> Trials {
    Trials { shadows: rulesets.iter().map(|rules| Arc::clone(rules)).collect(), ..Trials::default() }
}

fn canary(rules: &Arc<Ruleset>, percent: f64) -> Trials {
    Trials { canary: Some(Canary { rules: Arc::clone(rules), share: Share::of(percent / 100.0), stopped: None }), ..Trials::default() }
}

/// What was counted of shadows: leads, verdicts and follow-ups that change, by candidate.
fn counted(tally: &Tally) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for of in tally.shadows.iter() {
        let label = &of.ruleset.label;
        counted.insert(format!("{label} leads"), of.leads);
        for ((from, to), count) in of.verdicts.iter() {
            counted.insert(format!("{label} {} {}", from.name(), to.name()), count);
        }
        for ((destination, change), count) in of.routes.iter() {
            counted.insert(format!("{label} {destination} {}", change.name()), count);
        }
    }
    counted
}

fn counts(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn shadows_change_no_byte_and_count_each_committed_lead_once(
        persons in vec(0..40_usize, 1..40),
        size in 1..9_usize,
        aborts in vec(any::<bool>(), 0..12),
    ) {
        let values: Vec<_> = persons.iter().map(|person| value(*person)).collect();
        let (plain, without) = driven(&values, usize::MAX, &[], Trials::default(), 1.0);
        let (same, candidate) = (variant("1b", ""), candidate());
        let (visible, tally) = driven(&values, size, &aborts, shadows(&[&same, &candidate]), 1.0);
        prop_assert_eq!(&plain, &visible);
        prop_assert_eq!(without.shadows.iter().count(), 0);
        let leads = persons.iter().filter(|person| *person % 10 != 9);
        let from = |country: usize| leads.clone().filter(|person| *person % 3 == country).count() as u64;
        let expected = counts(&[
            ("default/1b leads", leads.clone().count() as u64),
            ("default/candidate leads", leads.clone().count() as u64),
            ("default/candidate QUALIFIED UNQUALIFIED", from(0)),
            ("default/candidate PUBLISHER_CRM removed", from(0)),
            ("default/candidate MICROSOFT_FIELD_SELLER_CRM removed", from(0)),
            ("default/candidate PUBLISHER_CRM changed", from(1)),
        ]);
        prop_assert_eq!(counted(&tally), expected.into_iter().filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn a_bound_leaves_leads_out_and_changes_nothing_else(persons in vec(0..40_usize, 1..40), share in 0.000_001..0.5_f64) {
        let values: Vec<_> = persons.iter().map(|person| value(*person)).collect();
        let (plain, _) = driven(&values, 5, &[], Trials::default(), 1.0);
        let candidate = candidate();
        let (visible, tally) = driven(&values, 5, &[], shadows(&[&candidate; 1]), share);
        prop_assert_eq!(&plain, &visible);
        let shown: u64 = tally.shadows.iter().map(|of| of.leads).sum();
        prop_assert!(shown <= tally.leads.total());
    }

    #[test]
    fn a_canary_decides_the_leads_its_split_gives_it(
        persons in vec(0..400_usize, 1..60),
        percent in prop_oneof![Just(0.0), Just(100.0), 0.0..100.0_f64],
        size in 1..9_usize,
        aborts in vec(any::<bool>(), 0..12),
    ) {
        let values: Vec<_> = persons.iter().map(|person| value(*person)).collect();
        let rules = candidate();
        let (plain, _) = driven(&values, usize::MAX, &[], Trials::default(), 1.0);
        let (by_canary, _) = driven(&values, usize::MAX, &[], canary(&rules, 100.0), 1.0);
        let (visible, tally) = driven(&values, size, &aborts, canary(&rules, percent), 1.0);
        // Every lead's events are those of the ruleset that its id gives it to, and dead letters are the live one's.
        let whole = |all: &[Visible], canarys: bool| -> Vec<Visible> {
            let of = |visible: &&Visible| lead_id(visible).is_some_and(|id| is_canarys(&id, percent)) == canarys;
            all.iter().filter(of).cloned().collect()
        };
        prop_assert_eq!(whole(&visible, false), whole(&plain, false));
        prop_assert_eq!(whole(&visible, true), whole(&by_canary, true));
        prop_assert_eq!(visible.len(), whole(&plain, false).len() + whole(&by_canary, true).len());
        let mut decided = BTreeMap::new();
        for event in visible.iter().filter_map(json).filter(|event| event["destination"].is_null()) {
            *decided.entry(event["ruleset"]["version"].as_str().expect("text").to_owned()).or_insert(0) += 1;
        }
        let told: BTreeMap<_, _> = tally.rulesets.iter().map(|of| (of.ruleset.label.split('/').nth(1).expect("a version").to_owned(), of.judged.leads)).collect();
        prop_assert_eq!(told, decided);
    }
}

fn json((_, _, value): &Visible) -> Option<Value> {
    serde_json::from_slice::<Value>(value.as_deref()?).ok().filter(|event| event["lead_id"].is_string())
}

fn lead_id(visible: &Visible) -> Option<String> {
    json(visible)?["lead_id"].as_str().map(str::to_owned)
}

/// As the page about it tells anybody to compute it.
fn is_canarys(lead_id: &str, percent: f64) -> bool {
    let digest = Sha256::digest(format!("canary/{lead_id}"));
    let number = u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
    let place = u32::try_from(number % 1_000_000).expect("below a million");
    f64::from(place) < (percent * 10_000.0).round()
}

#[test]
fn a_canarys_leads_are_not_shown_to_shadows_and_a_stopped_one_has_none() {
    let values: Vec<_> = (0..300).map(value).collect();
    let rules = candidate();
    let shadow = variant("shadow", "");
    let mut trials = Trials { shadows: vec![shadow], ..canary(&rules, 30.0) };
    let (_, tally) = driven(&values, 50, &[], trials.clone(), 1.0);
    let by = |tally: &Tally, label: &str| tally.rulesets.iter().find(|of| &*of.ruleset.label == label).map_or(0, |of| of.judged.leads);
    assert!(by(&tally, "default/candidate") > 50 && by(&tally, "default/1") > 150);
    assert_eq!(counted(&tally), counts(&[("default/shadow leads", by(&tally, "default/1"))]));
    trials.canary.as_mut().expect("one").stopped = Some("it was seen to be wrong".to_owned());
    let (visible, tally) = driven(&values, 50, &[], trials, 1.0);
    assert_eq!(visible, driven(&values, 50, &[], Trials::default(), 1.0).0);
    assert_eq!((by(&tally, "default/candidate"), by(&tally, "default/1")), (0, 270));
}

#[test]
fn a_few_changed_decisions_are_kept_with_their_place_and_nothing_of_the_person() {
    let values: Vec<_> = (0..30).map(value).collect();
    let (_, tally) = driven(&values, 100, &[], shadows(&[&candidate()]), 1.0);
    let samples: Vec<_> = tally.shadows.iter().flat_map(|of| &of.samples).collect();
    assert_eq!(samples.iter().map(|sample| sample.at.offset).collect::<Vec<_>>(), [0, 1]);
    let [de, us] = samples[..] else { panic!("{samples:?}") };
    assert_eq!((de.before.verdict.name(), de.after.verdict.name()), ("QUALIFIED", "UNQUALIFIED"));
    assert_eq!((de.after.reasons.join(" "), de.after.routes.len()), ("country_not_allowed".to_owned(), 0));
    assert_eq!((us.before.routes[0].queue.as_deref(), us.after.routes[0].queue.as_deref()), (None, Some("us")));
    assert_eq!((&*us.before.ruleset.label, &*us.after.ruleset.label), ("default/1", "default/candidate"));
    let all = format!("{samples:?}").to_lowercase();
    assert!(!all.contains("cedar") && !all.contains("ada0"), "{all}");
}

#[test]
fn test_leads_and_notices_are_counted_apart() {
    let lead = |name: &str, source: &str| {
        let user = format!(r#"{{"firstName":"{name}","email":"ada@cedar-labs.example","country":"FR"}}"#);
        format!(r#"{{"userDetails":{user},"leadSource":"{source}|cedar.planner"}}"#).into_bytes()
    };
    let values = [lead("Ada", "SPZA-INS"), lead("MSFT_TEST", "SPZA-INS"), lead("Ada", "SPZA-DNC"), lead("MSFT_TEST", "SPZA-DNC")];
    let (_, tally) = driven(&values, 10, &[], Trials::default(), 1.0);
    let of = tally.rulesets.iter().next().expect("one ruleset");
    assert_eq!((of.judged.leads, of.judged.qualified, of.judged.left_out, of.judged.rate()), (4, 1, 3, Some(1.0)));
}

/// Problems of a configuration whose rulesets are these files of one folder, each `code file`.
fn inspected(files: &[(&str, &str)], live: &str, shadow: &[&str], canary: Option<&str>) -> (Option<(Pipeline, Trials)>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for (name, text) in files {
        fs::write(path(name), text).expect("written");
    }
    let mut config = Config::default();
    config.rules.path = Some(path(live));
    config.rules.shadow = shadow.iter().map(|name| path(name)).collect();
    config.rules.canary.path = canary.map(path);
    config.rules.canary.percent = 20.0;
    let (found, problems) = run::inspect_live(&config);
    let place = |problem: &Problem| problem.file.as_deref().and_then(|file| file.rsplit('/').next()).unwrap_or_default().to_owned();
    (found, problems.iter().map(|problem| format!("{} {}", problem.code, place(problem))).collect())
}

#[test]
fn every_ruleset_on_trial_is_checked_with_all_others() {
    let named = |version: &str, more: &str| format!("[ruleset]\nname='a'\nversion='{version}'\nextends='default'\n{more}\n");
    let gate = "[[gate]]\nid='g'\nwhen='is_test'\nreason='x'";
    let (one, two, bad) = (named("1", ""), named("2", ""), named("3", "[[gate]]\nid='g'\nwhen='is_tset'\nreason='x'"));
    let (other_one, other_two) = (named("1", gate), named("2", gate));
    let files = [("1", &*one), ("2", &two), ("3", &bad), ("1b", &other_one), ("2b", &other_two), ("2c", &two)];
    let (found, problems) = inspected(&files, "1", &["2", "1b"], Some("2b"));
    assert_eq!(problems, [""; 0], "only shadows among themselves, and the canary beside the live one, are told apart by name");
    let (_, trials) = found.expect("good");
    let share = trials.canary.as_ref().map(|canary| (canary.rules.label(), canary.share.as_f64()));
    assert_eq!((share, trials.shadows.len()), (Some(("a/2".to_owned(), 0.2)), 2));
    for (live, shadow, canary, expected) in [
        ("1", &["3", "away"][..], Some("3"), &["condition 3", "unreadable_file away"][..]),
        ("3", &["3"], None, &["condition 3"]),
        ("1", &["2", "2b", "2c"], None, &["duplicate_candidate 2b", "duplicate_candidate 2c"]),
        ("1", &[], Some("1b"), &["mistakable_ruleset 1b"]),
        ("1", &["1"], Some("1"), &[]),
    ] {
        let (found, problems) = inspected(&files, live, shadow, canary);
        assert_eq!(problems, expected, "{live} {shadow:?} {canary:?}");
        assert_eq!(found.is_none(), !expected.is_empty());
    }
}

/// A configuration with the built-in rules, a canary of half the leads, and a shadow, in this folder.
fn with_trials(folder: &std::path::Path) -> Config {
    let mut config = Config::default();
    for (name, version) in [("canary.toml", "c"), ("shadow.toml", "s")] {
        fs::write(folder.join(name), format!("[ruleset]\nname='a'\nversion='{version}'\nextends='default'\n")).expect("written");
    }
    config.rules.canary.path = Some(folder.join("canary.toml"));
    config.rules.canary.percent = 50.0;
    config.rules.shadow = vec![folder.join("shadow.toml")];
    config
}

#[test]
fn check_tells_what_is_on_trial() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = with_trials(folder.path());
    let checked = |json: bool| {
        let mut out = Vec::new();
        assert!(run::check::check(&config, Vec::new(), json, &mut out).expect("memory takes all"));
        String::from_utf8(out).expect("text")
    };
    let lines = checked(false);
    assert!(lines.contains("\ncanary a c, hash ") && lines.contains("\nshadow a s, hash "), "{lines}");
    let report: Value = serde_json::from_str(&checked(true)).expect("JSON");
    let told: Vec<_> = report["candidates"].as_array().into_iter().flatten().map(|of| (&of["role"], &of["version"])).collect();
    assert_eq!(told, [(&"canary".into(), &"c".into()), (&"shadow".into(), &"s".into())]);
}

#[test]
fn explain_is_by_the_live_ruleset_and_says_when_a_lead_is_the_canarys() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = with_trials(folder.path());
    let mut canarys = 0;
    for person in 0..20 {
        let file = folder.path().join("lead.json");
        fs::write(&file, value(person)).expect("written");
        let explained = |json: bool| {
            let input = ExplainInput::Value(Target::Path(file.clone()));
            let (arguments, mut out) = (ExplainArguments { input, json, now: Some(now()) }, Vec::new());
            run::explain::explain(&config, &pipeline(), &NoRegistry, &arguments, &mut out).expect("explained");
            String::from_utf8(out).expect("text")
        };
        let json: Value = serde_json::from_str(&explained(true)).expect("JSON");
        let Some(id) = json["leads"][0]["lead_id"].as_str() else { continue };
        assert_eq!(json["leads"][0]["ruleset"]["name"], "default");
        let expected = is_canarys(id, 50.0);
        assert_eq!(json["trace"]["canary"], if expected { serde_json::json!([0]) } else { Value::Null });
        assert_eq!(explained(false).contains("gives this lead to the canary (50 % of all)"), expected);
        canarys += usize::from(expected);
    }
    assert!((3..15).contains(&canarys), "{canarys} of 18 are the canary's");
}

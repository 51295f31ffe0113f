//! What metrics and `/status` tell of rulesets on trial: counts by ruleset that stay few, however often rulesets change.

use std::time::Instant;

use leadstream::{
    io::{Batch, Judged, RulesetName, Tally},
    lead::{Outcome, Timestamp},
    pipeline::{self, Memory, NoTrace, Share},
    rules::{DEFAULT, Ruleset},
    telemetry::{ShownCanary, ShownTrials, Status},
};
use serde_json::json;

use crate::{
    core::{self, PIPELINE},
    metrics::{commit, metrics, series, text, value},
};

const LEAD: &[u8] = br#"{"userDetails": {"firstName": "Zyxenia", "email": "zyx@bakery-company.de"}, "leadSource": "SPZA-PLT|bakery.app"}"#;

fn variant(version: &str, more: &str) -> Ruleset {
    let text = DEFAULT.replacen("version = \"1\"", &format!("version = \"{version}\""), 1);
    Ruleset::parse(&format!("{text}\n{more}\n")).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn name(rules: &Ruleset) -> RulesetName {
    RulesetName { label: rules.label().into(), hash: rules.hash.as_str().into() }
}

/// Of a candidate: everybody is refused, and the review queue gets those that are.
fn refusing(version: &str) -> Ruleset {
    variant(
        version,
        "[[gate]]\nid='none'\nwhen='true'\nreason='closed_today'\n[[route]]\nid='r'\ndestination='REVIEW_QUEUE'\nverdict='UNQUALIFIED'",
    )
}

/// A lead that the built-in rules decide, and a candidate of this version otherwise.
pub(crate) fn tried(version: &str) -> Tally {
    let mut batch = Batch::default();
    batch.push(core::at(7), core::now(), None, Some(LEAD), std::iter::empty());
    let record = batch.get(0).expect("just pushed");
    let facts = pipeline::read(&record, &PIPELINE, &mut Memory::default()).expect("a lead");
    let decide = |rules| pipeline::decide(&facts[0], rules, &mut NoTrace);
    let mut tally = Tally::default();
    tally.record(&record.at.partition.topic, &Outcome::Decided(vec![decide(&PIPELINE.rules)]));
    tally.shadows.compare(&decide(&PIPELINE.rules), &decide(&refusing(version)));
    tally.shadows.sampled = Some(Share::of(0.5));
    tally.shadows.seconds = 0.25;
    tally
}

fn on_trial(canary: Option<(&str, Option<&str>)>, shadows: &[&str]) -> ShownTrials {
    let canary = canary.map(|(version, stopped)| ShownCanary {
        ruleset: name(&variant(version, "")),
        share: Share::of(0.2),
        stopped: stopped.map(str::to_owned),
    });
    ShownTrials { canary, shadows: shadows.iter().map(|version| name(&refusing(version))).collect() }
}

#[test]
fn each_ruleset_has_its_counts_from_zero_on() {
    let metrics = metrics();
    metrics.trials(&on_trial(Some(("2", None)), &["3"]));
    let fresh = text(&metrics);
    for series in [
        "leadstream_ruleset_leads_total{ruleset=\"default/2026.11.1\",verdict=\"QUALIFIED\"}",
        "leadstream_ruleset_leads_total{ruleset=\"default/2\",verdict=\"UNQUALIFIED\"}",
        "leadstream_ruleset_unqualified_total{reason=\"do_not_contact\",ruleset=\"default/2\"}",
        "leadstream_shadow_leads_total{candidate=\"default/3\"}",
        "leadstream_shadow_changes_total{candidate=\"default/3\",from=\"UNQUALIFIED\",to=\"QUALIFIED\"}",
        "leadstream_canary_stopped",
    ] {
        assert_eq!(value(&fresh, series), Some(0.0), "{series}");
    }
    assert_eq!(value(&fresh, "leadstream_canary_share"), Some(0.2));
    commit(&metrics, &tried("3"));
    metrics.trials(&on_trial(Some(("2", Some("too far"))), &["3"]));
    let after = text(&metrics);
    for (series, expected) in [
        ("leadstream_ruleset_leads_total{ruleset=\"default/1\",verdict=\"QUALIFIED\"}", 1.0),
        ("leadstream_shadow_leads_total{candidate=\"default/3\"}", 1.0),
        ("leadstream_shadow_changes_total{candidate=\"default/3\",from=\"QUALIFIED\",to=\"UNQUALIFIED\"}", 1.0),
        ("leadstream_shadow_route_changes_total{candidate=\"default/3\",change=\"removed\",destination=\"PUBLISHER_CRM\"}", 1.0),
        ("leadstream_shadow_route_changes_total{candidate=\"default/3\",change=\"added\",destination=\"REVIEW_QUEUE\"}", 1.0),
        ("leadstream_shadow_sampled_share", 0.5),
        ("leadstream_shadow_seconds_total", 0.25),
        ("leadstream_canary_share", 0.0),
        ("leadstream_canary_stopped", 1.0),
    ] {
        assert_eq!(value(&after, series), Some(expected), "{series}");
    }
}

#[test]
fn rulesets_that_are_long_gone_leave_no_series() {
    let metrics = metrics();
    for version in 0..100 {
        let version = version.to_string();
        metrics.ruleset_taken(&["live".to_owned(), version.clone(), "ab".repeat(32)]);
        metrics.trials(&on_trial(None, &[&version]));
        commit(&metrics, &tried(&version));
    }
    let shown = text(&metrics);
    let of = |name: &str| series(&shown).filter(|line| line.starts_with(name)).count();
    assert_eq!(of("leadstream_ruleset_leads_total"), 32, "two verdicts of sixteen rulesets");
    assert_eq!((of("leadstream_shadow_leads_total"), of("leadstream_shadow_route_changes_total")), (16, 48));
    assert!(shown.contains("ruleset=\"live/99\"") && !shown.contains("ruleset=\"live/0\""));
    assert!(of("leadstream_ruleset_unqualified_total") <= 16 * 12, "{}", of("leadstream_ruleset_unqualified_total"));
}

#[test]
fn the_status_shows_what_is_on_trial_and_what_came_of_it_without_the_person() {
    let status = Status::new(["default".to_owned(), "1".to_owned(), "ab".repeat(32)], Timestamp::from_millis(0));
    let shown = || status.to_json(Instant::now());
    assert_eq!((&shown()["canary"], &shown()["shadows"]["candidates"]), (&json!(null), &json!([])));
    status.add_lane();
    status.trials(on_trial(Some(("2", None)), &["3"]));
    for _ in 0..30 {
        status.committed(0, &tried("3"), Timestamp::from_millis(1));
    }
    status.compared(Judged { leads: 40, qualified: 20, left_out: 10 }, Judged { leads: 10, qualified: 10, left_out: 0 });
    let page = shown();
    let candidate = &page["shadows"]["candidates"][0];
    assert_eq!((candidate["leads"].as_u64(), page["shadows"]["sampled"].as_f64()), (Some(30), Some(0.5)));
    assert_eq!(candidate["verdicts"], json!({ "QUALIFIED->UNQUALIFIED": 30 }));
    assert_eq!(candidate["routes"], json!({ "added": 30, "removed": 60, "changed": 0 }));
    assert_eq!(candidate["samples"].as_array().map(Vec::len), Some(20), "the last ones");
    let sample = &candidate["samples"][19];
    assert_eq!((&sample["at"], &sample["index"]), (&json!("leads.raw/3/7"), &json!(0)));
    assert_eq!((&sample["before"]["verdict"], &sample["after"]["reasons"]), (&json!("QUALIFIED"), &json!(["closed_today"])));
    assert!(!page.to_string().to_lowercase().contains("zyx"), "{page}");
    let live = json!({ "leads": 40, "qualified": 20, "left_out": 10, "rate": 0.6667 });
    assert_eq!((&page["canary"]["percent"], &page["canary"]["decided"]["live"]), (&json!(20.0), &live));
    assert_eq!(status.warnings(), [""; 0]);

    status.rules_refused("rules of the shadow x.toml", "line 3".to_owned());
    status.trials(on_trial(Some(("2", Some("too far"))), &["4"]));
    let warnings = [
        "changed rules of the shadow x.toml are refused, the old ones are in use: line 3",
        "the canary default/2 is stopped, every lead is decided by the live ruleset: too far",
    ];
    assert_eq!(status.warnings(), warnings);
    let page = shown();
    assert_eq!((&page["canary"]["percent"], &page["canary"]["decided"]["live"]), (&json!(0.0), &live), "what it was stopped for stays");
    assert_eq!(page["shadows"]["candidates"][0]["leads"], json!(0), "another candidate begins anew");
    status.rules_accepted("rules of the shadow x.toml");
    assert_eq!(status.warnings(), warnings[1..]);
    // A batch that was decided by the one before may be committed late.
    status.committed(0, &tried("3"), Timestamp::from_millis(1));
    assert_eq!(shown()["shadows"]["candidates"][0]["leads"], json!(0));
}

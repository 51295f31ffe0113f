//! Rulesets of several files: what they are merged to, written down for a person, and what holds for any of them. What is no
//! ruleset at all: `ruleset_files`.

use std::{fs, path::Path, sync::LazyLock};

use leadstream::{
    pipeline::Pipeline,
    rules::{self, Ruleset, RulesetFile},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::core::{pipeline, run};

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets"))
}

fn file(name: &str) -> RulesetFile {
    RulesetFile { name: name.to_owned(), text: fs::read_to_string(fixtures().join(name)).expect("a ruleset") }
}

fn acme() -> Vec<RulesetFile> {
    vec![file("acme/ruleset.toml"), file("base/ruleset.toml"), rules::built_in()]
}

fn merged(files: &[RulesetFile]) -> Pipeline {
    let rules = Ruleset::merge(files).unwrap_or_else(|problems| panic!("{problems:#?}"));
    Pipeline { rules, ..pipeline() }
}

/// The leads of the cases, as they came.
static LEADS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let cases = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cases.jsonl")).expect("the cases");
    let cases = cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case"));
    cases.filter_map(|case| case["raw"].as_str().map(|raw| raw.as_bytes().to_vec())).collect()
});

/// All that is decided of the leads, but for the ruleset's own name.
fn decisions(pipeline: &Pipeline) -> Vec<String> {
    let outputs = LEADS.iter().flat_map(|lead| run(pipeline, None, Some(lead), &[]).0);
    outputs
        .filter(|output| output.topic != "leads.dead-letter")
        .map(|output| {
            let mut event = output.json();
            event.as_object_mut().expect("an object").remove("ruleset");
            format!("{} {event}", output.topic)
        })
        .collect()
}

#[test]
fn a_ruleset_that_extends_others_is_merged_as_written_down() {
    let shown = Ruleset::show(&acme()).expect("a ruleset");
    let path = fixtures().join("acme/shown.toml");
    if std::env::var_os("LEADSTREAM_BLESS").is_some() {
        fs::write(&path, &shown).expect("written");
    }
    assert_eq!(shown, fs::read_to_string(&path).unwrap_or_default());
}

#[test]
fn a_lead_is_decided_by_what_was_merged() {
    let lead = r#"{"userDetails": {"email": "jane.doe@adatum-industries.example", "country": "FR"}, "leadSource": "SPZA-PLT|acme.app"}"#;
    let events: Vec<Value> = run(&merged(&acme()), None, Some(lead.as_bytes()), &[]).0.iter().map(crate::core::Written::json).collect();
    assert_eq!((&events[0]["channel"], &events[0]["verdict"]), (&"PARTNER_CENTER".into(), &"QUALIFIED".into()));
    assert_eq!(events[0]["ruleset"]["hash"].as_str(), Some(merged(&acme()).rules.hash.as_str()));
    let route = |event: &Value| {
        let fields = ["destination", "route", "owner", "first_touch_due"];
        fields.map(|field| event[field].as_str().unwrap_or("-").to_owned()).join(" ")
    };
    // It came on a Sunday: four hours of Monday.
    assert_eq!(
        events[1..].iter().map(route).collect::<Vec<_>>(),
        [
            "PUBLISHER_CRM emea team-emea 2026-11-02T12:00:00.000000Z",
            "MICROSOFT_FIELD_SELLER_CRM follow_up.APP_SOURCE.MICROSOFT_FIELD_SELLER_CRM - 2026-11-02T12:00:00.000000Z",
        ]
    );
    let lead = lead.replace("PLT", "Frob").replace("adatum-industries.example", "gmail.com");
    let events = run(&merged(&acme()), None, Some(lead.as_bytes()), &[]).0;
    assert_eq!(
        (events[0].json()["reasons"][0].as_str(), events[1].json()["destination"].as_str()),
        (Some("low_score"), Some("NURTURE_PROGRAMME"))
    );
}

/// A ruleset's text without comments.
fn rules_of(shown: &str) -> String {
    shown.lines().map(|line| line.split("  # ").next().unwrap_or(line)).filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_shown_loads_again_to_the_same_rules() {
    for files in [acme(), vec![rules::built_in()]] {
        let shown = Ruleset::show(&files).expect("a ruleset");
        let again = RulesetFile { name: "shown.toml".to_owned(), text: shown.clone() };
        assert_eq!(rules_of(&Ruleset::show(std::slice::from_ref(&again)).expect("a ruleset")), rules_of(&shown));
        assert_eq!(decisions(&merged(&[again])), decisions(&merged(&files)));
    }
    assert!(decisions(&merged(&acme())) != decisions(&merged(&[rules::built_in()])), "there is a difference to see");
}

#[test]
fn any_key_and_any_quotes_are_shown_as_they_load() {
    let text = "[ruleset]\nname = 'a'\nversion = '1'\n[source.\"a\\\"b\\\\c\\td #\"]\nchannel = \"\"\"\\\n   WEB\"\"\"\n[[gate]]\nid = 'x'\nreason = 'r'\n\
                when = '''\nis_test  # comment?\n || is_spam'''\n[policy]\nown_domains = [ # the first\n 'a.example', # the second\n 'b.example' ]\n";
    let text = text.replace("  # comment?", "");
    let files = [RulesetFile { name: "a\nb".to_owned(), text }];
    let shown = Ruleset::show(&files).expect("a ruleset");
    let again = [RulesetFile { name: "again".to_owned(), text: shown.clone() }];
    assert_eq!(
        toml::from_str::<toml::Table>(&shown).expect("TOML"),
        toml::from_str::<toml::Table>(&files[0].text).expect("TOML"),
        "{shown}"
    );
    assert_eq!(rules_of(&Ruleset::show(&again).expect("a ruleset")), rules_of(&shown));
}

/// What can be taken out of the built-in ruleset without leaving a name behind that names nothing.
fn removable() -> Vec<String> {
    let named = ["gate.do_not_contact", "gate.consent_denied", "gate.suppressed", "clock.referral", "source.AzureMarketplace"];
    everything(&rules::built_in()).into_iter().filter(|name| !named.contains(&name.as_str())).collect()
}

/// The name of every entry of a file, as `remove` has it.
fn everything(file: &RulesetFile) -> Vec<String> {
    let root: toml::Table = file.text.parse().expect("TOML");
    let list = |kind: &str, list: Option<&toml::Value>| -> Vec<String> {
        let ids = list.and_then(toml::Value::as_array).into_iter().flatten().filter_map(|entry| entry["id"].as_str());
        ids.map(|id| format!("{kind}.{id}")).collect()
    };
    let table = |kind: &str| -> Vec<String> {
        root.get(kind).and_then(toml::Value::as_table).into_iter().flatten().map(|(key, _)| format!("{kind}.{key}")).collect()
    };
    let lists = ["gate", "route", "campaign"].into_iter().flat_map(|kind| list(kind, root.get(kind)));
    let scored = list("score", root.get("score").and_then(|score| score.get("rule")));
    let tables = ["source", "action", "offer_type", "storefront", "clock", "calendar", "owner"].into_iter().flat_map(table);
    lists.chain(scored).chain(tables).collect()
}

fn without(removed: &[String]) -> RulesetFile {
    let text =
        format!("[ruleset]\nname = \"less\"\nversion = \"1\"\nextends = \"default\"\nremove = {}\n", toml::Value::from(removed.to_vec()));
    RulesetFile { name: "less".to_owned(), text }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Of the built-in ruleset with anything taken out: an empty one over it changes nothing, and one that removes all and says
    /// it again, neither.
    #[test]
    fn nothing_laid_over_changes_nothing_and_all_said_again_decides_alike(removed in proptest::sample::subsequence(removable(), 0..removable().len())) {
        let inner = [without(&removed), rules::built_in()];
        let wanted = decisions(&merged(&inner));
        let shown = Ruleset::show(&inner).expect("a ruleset");
        let over = |text: String| {
            let outer = RulesetFile { name: "outer".to_owned(), text };
            [&[outer], &inner[..]].concat()
        };
        let empty = over("[ruleset]\nname = \"less\"\nversion = \"1\"\nextends = \"inner\"\n".to_owned());
        prop_assert_eq!(rules_of(&Ruleset::show(&empty).expect("a ruleset")), rules_of(&shown));
        prop_assert_eq!(&decisions(&merged(&empty)), &wanted);

        let all = everything(&RulesetFile { name: String::new(), text: shown.clone() });
        let extends = format!("version = \"1\"\nextends = \"inner\"\nremove = {}", toml::Value::from(all));
        let again = over(shown.replacen("version = \"1\"", &extends, 1));
        prop_assert_eq!(rules_of(&Ruleset::show(&again).expect("a ruleset")), rules_of(&shown));
        prop_assert_eq!(&decisions(&merged(&again)), &wanted);
    }
}

//! `leadstream rules diff`: two rulesets and what a person reads of their difference, written down. With `LEADSTREAM_BLESS=1` it
//! is written anew, for `git diff` to show.

use std::{fs, path::Path};

use leadstream::{
    rules::{self, Ruleset, RulesetFile, What},
    run::diff_rulesets,
};
use serde_json::Value;

use crate::{
    ruleset_schema::{every_key, mutated},
    toml_json,
};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets").join(name)
}

fn difference(before: &Path, after: &Path, json: bool) -> String {
    diff_rulesets(before, after, json).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn differences_are_told_as_written_down() {
    let default = Path::new("default");
    for (before, after, told) in [
        (fixture("diff/before.toml"), fixture("diff/after.toml"), "diff/words.txt"),
        (fixture("diff/after.toml"), fixture("diff/before.toml"), "diff/words_back.txt"),
        (default.to_owned(), fixture("base"), "base/words.txt"),
        (fixture("base"), fixture("acme"), "acme/words.txt"),
    ] {
        let told = fixture(told);
        let words = difference(&before, &after, false);
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&told, &words).expect("written");
        }
        assert_eq!(words, fs::read_to_string(&told).unwrap_or_default(), "{}", told.display());
    }
}

#[test]
fn how_a_ruleset_is_written_makes_no_difference() {
    let told = difference(&fixture("acme"), &fixture("acme/shown.toml"), false);
    assert_eq!(told, "acme 2026.11.1 → acme 2026.11.1\nno difference: both decide alike\n");
}

#[test]
fn programs_read_the_same_as_json() {
    let told: Value = serde_json::from_str(&difference(&fixture("diff/before.toml"), &fixture("diff/after.toml"), true)).expect("JSON");
    assert_eq!(told["before"]["version"], "2026.11.1");
    let changes = told["changes"].as_array().expect("a list");
    let of =
        |table: &str, id: &str| changes.iter().find(|change| change["table"] == table && change["id"] == id).expect("a change").to_string();
    assert_eq!(
        of("score.rule", "senior"),
        r#"{"after":20,"before":15,"change":"changed","id":"senior","key":"points","table":"score.rule"}"#
    );
    assert_eq!(
        of("route", "amer"),
        r#"{"before":{"destination":"PUBLISHER_CRM","id":"amer","queue":"amer","when":"contact.region == \"AMER\""},"change":"removed","id":"amer","table":"route"}"#
    );
    assert_eq!(of("gate", "too-small").matches("\"stands_before\":\"competitor\"").count(), 1);
}

#[test]
fn problems_of_both_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let (bad, worse) = (file("bad.toml", "[ruleset]\nname = 'a'\n"), file("worse.toml", "[ruleset"));
    let codes = |before: &Path, after: &Path| -> Vec<&str> {
        diff_rulesets(before, after, false).expect_err("problems").iter().map(|problem| problem.code).collect()
    };
    assert_eq!(codes(&bad, &worse), ["missing_key", "toml_syntax"]);
    assert_eq!(codes(&fixture("acme"), &folder.path().join("none.toml")), ["unreadable_file"]);
}

/// Every change of one value that can be loaded is told; the other way round it is as many.
#[test]
fn every_change_is_told() {
    let file = |text: String| [RulesetFile { name: String::new(), text }];
    let original = file(toml_json::write(&every_key()));
    let mut told = 0;
    for (what, mutant) in mutated(&every_key()) {
        let mutant = file(toml_json::write(&mutant));
        if Ruleset::merge(&mutant).is_err() || what.starts_with("/ruleset") {
            continue;
        }
        let [there, back] =
            [(&original, &mutant), (&mutant, &original)].map(|(before, after)| Ruleset::diff(before, after).expect("rulesets"));
        // One element more or less of a list that had none.
        assert_eq!(there.changes.len(), back.changes.len(), "{what}");
        let empty = ["[]", "{}"].iter().any(|empty| what.ends_with(empty));
        assert!(!there.changes.is_empty() || empty, "{what}");
        told += there.changes.len();
    }
    assert!(told > 50, "{told}");
}

#[test]
fn entries_that_keep_their_order_are_not_told_as_moved() {
    let gates = |ids: &[u32]| {
        let gates = ids.iter().map(|id| format!("[[gate]]\nid = 'g{id}'\nwhen = 'is_test'\nreason = 'r'\n"));
        [RulesetFile { name: String::new(), text: "[ruleset]\nname = 'a'\nversion = '1'\n".to_owned() + &gates.collect::<String>() }]
    };
    let moved = |before: &[u32], after: &[u32]| -> Vec<String> {
        let changes = Ruleset::diff(&gates(before), &gates(after)).expect("rulesets").changes;
        let told = changes.into_iter().map(|change| match change.what {
            What::Moved { stands_before } => format!("{} {}", change.id, stands_before.unwrap_or_default()),
            other => panic!("{other:?}"),
        });
        told.collect()
    };
    assert_eq!(moved(&[1, 2, 3, 4, 5], &[5, 1, 2, 3, 4]), ["g5 g1"]);
    assert_eq!(moved(&[1, 2, 3, 4, 5], &[2, 3, 4, 5, 1]), ["g1 "]);
    assert_eq!(moved(&[1, 2, 3, 4, 5, 6], &[1, 5, 2, 6, 3, 4]), ["g5 g2", "g6 g3"]);
    assert_eq!(moved(&[1, 2, 3], &[1, 2, 3]), [""; 0]);
    let many: Vec<u32> = (0..300).collect();
    assert_eq!(moved(&many, &many.iter().rev().copied().collect::<Vec<_>>()).len(), 299);
    assert_eq!(Ruleset::diff(&[rules::built_in()], &[rules::built_in()]).expect("rulesets").changes, []);
}

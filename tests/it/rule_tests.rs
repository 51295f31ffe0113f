//! `leadstream test` as a person uses it: where tests are found, what is printed when they fail, what no test tried, and that the
//! built-in ruleset passes its own, which try all of it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

const RULESET: &str = r#"
[ruleset]
name = "acme"
version = "1"
extends = "default"
[[gate]]
id = "country"
when = '!(contact.country in ["US", "CA"]) && storefront != "UNKNOWN"'
reason = "country_not_allowed"
[[route]]
id = "emea"
when = 'contact.region == "EMEA" && storefront == "UNKNOWN"'
destination = "EMEA_DESK"
"#;

const TESTS: &str = r#"
now = "2026-11-01T09:00:00Z"
[[test]]
name = "a French lead is refused"
lead = '{"userDetails": {"email": "a@b-company.example", "country": "FR"}, "leadSource": "SPZA-PLT|acme.app"}'
expect = { verdict = "UNQUALIFIED", "reasons+" = ["country_not_allowed"] }
[[test]]
name = "an American lead is not"
lead = '{"userDetails": {"email": "a@b-company.example", "country": "US"}, "leadSource": "SPZA-PLT|acme.app"}'
expect = { verdict = "QUALIFIED", reasons = [], "routes.destination" = ["MICROSOFT_FIELD_SELLER_CRM", "PUBLISHER_CRM"] }
"#;

/// Exit code, standard output, standard error; in `folder`, so that paths are short.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).output().expect("leadstream runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

#[test]
fn the_built_in_ruleset_passes_tests_that_try_all_of_it() {
    let (exit, out, err) = run(Path::new("."), &["test", "--coverage", "--json"]);
    assert_eq!((exit, err.as_str()), (0, ""), "{out}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["failed"], 0);
    assert!(report["passed"].as_u64() > Some(50), "{}", report["passed"]);
    // Without own domains nothing can be one.
    let gaps = report["coverage"][0]["gaps"].as_array().expect("a list");
    let entries: Vec<_> = gaps.iter().map(|gap| gap["entry"].as_str().unwrap_or_default()).collect();
    assert_eq!(entries, ["gate.own_domain"], "{gaps:?}");
    // The same from its folder.
    let (exit, out, err) = run(Path::new(env!("CARGO_MANIFEST_DIR")), &["test", "deploy/rules/default"]);
    assert_eq!((exit, err.as_str()), (0, ""), "{out}");
}

#[test]
fn tests_stand_beside_their_ruleset() {
    let good = folder(&[
        ("whole/ruleset.toml", RULESET),
        ("whole/b.test.toml", TESTS),
        ("whole/a.test.toml", TESTS),
        ("whole/.hidden.test.toml", "nonsense"),
        ("acme.toml", RULESET),
        ("acme.test.toml", TESTS),
        ("other.test.toml", "nonsense"),
        ("inside.toml", &format!("{RULESET}\n{}", TESTS.replace("now = \"2026-11-01T09:00:00Z\"", ""))),
    ]);
    let four = "whole/a.test.toml: 2 of 2 passed\nwhole/b.test.toml: 2 of 2 passed\n\n4 passed, 0 failed\n";
    for (arguments, told) in [
        (&["test", "whole"][..], four),
        (&["test", "whole/ruleset.toml"], four),
        (&["test", "acme.toml"], "acme.test.toml: 2 of 2 passed\n\n2 passed, 0 failed\n"),
        (&["test", "--rules", "acme.toml"], "acme.test.toml: 2 of 2 passed\n\n2 passed, 0 failed\n"),
        (&["test", "acme.test.toml"], "acme.test.toml: 2 of 2 passed\n\n2 passed, 0 failed\n"),
        (&["test", "whole/b.test.toml"], "whole/b.test.toml: 2 of 2 passed\n\n2 passed, 0 failed\n"),
        (&["test", "inside.toml"], "inside.toml: 2 of 2 passed\n\n2 passed, 0 failed\n"),
        (&["test", "acme.toml", "inside.toml"], "acme.test.toml: 2 of 2 passed\ninside.toml: 2 of 2 passed\n\n4 passed, 0 failed\n"),
    ] {
        assert_eq!(run(good.path(), arguments), (0, told.to_owned(), String::new()), "{arguments:?}");
    }
    let (exit, out, _) = run(&good.path().join("whole"), &["test", "ruleset.toml"]);
    assert_eq!((exit, out.lines().last()), (0, Some("4 passed, 0 failed")));
    let bare = folder(&[("ruleset.toml", RULESET), ("other.test.toml.off", "")]);
    let (exit, out, err) = run(bare.path(), &["test", "ruleset.toml"]);
    assert_eq!((exit, out.as_str()), (64, ""));
    assert!(err.starts_with("error: ruleset.toml: there are no tests of this ruleset"), "{err}");
}

/// What waits for a report finds one, whatever kept the tests from being run.
#[test]
fn a_report_tells_of_a_ruleset_with_errors_too() {
    let broken = RULESET.replace("contact.country", "contact.contry");
    let folder = folder(&[("ruleset.toml", &broken), ("a.test.toml", TESTS)]);
    let (exit, _, err) = run(folder.path(), &["test", "ruleset.toml", "--junit", "report.xml"]);
    assert_eq!(exit, 64, "{err}");
    let report = fs::read_to_string(folder.path().join("report.xml")).expect("written");
    assert!(report.contains("tests=\"1\" failures=\"0\" errors=\"1\">"), "{report}");
    assert!(report.contains("<error message=\"unknown field contact.contry\">error: ruleset.toml:"), "{report}");
}

#[test]
fn a_folder_that_is_called_like_tests_is_told() {
    let folder = folder(&[("ruleset.toml", RULESET), ("a.test.toml", TESTS)]);
    fs::create_dir(folder.path().join("b.test.toml")).expect("a folder");
    let (exit, _, err) = run(folder.path(), &["test", "ruleset.toml"]);
    assert_eq!(exit, 64);
    assert!(err.starts_with("error: b.test.toml: "), "{err}");
}

#[test]
fn a_failure_is_shown_like_a_diff() {
    let wrong = TESTS.replace("[\"MICROSOFT_FIELD_SELLER_CRM\", \"PUBLISHER_CRM\"]", "[\"EMEA_DESK\"]");
    let folder = folder(&[("ruleset.toml", RULESET), ("a.test.toml", &wrong)]);
    let (exit, out, err) = run(folder.path(), &["test", "ruleset.toml", "--junit", "report.xml"]);
    assert_eq!((exit, err.as_str()), (1, ""));
    assert_eq!(
        out,
        r#"a.test.toml: 1 of 2 passed

  FAILED an American lead is not  (a.test.toml:7)
    - routes.destination = ["EMEA_DESK"]
    + routes.destination = ["MICROSOFT_FIELD_SELLER_CRM","PUBLISHER_CRM"]
      decided: APP_SOURCE QUALIFIED score 35 to PUBLISHER_CRM, MICROSOFT_FIELD_SELLER_CRM

1 passed, 1 failed
"#
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("report.xml")).expect("written"),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="leadstream test" tests="2" failures="1" errors="0">
  <testsuite name="a.test.toml" tests="2" failures="1">
    <testcase name="a French lead is refused" classname="a.test.toml" file="a.test.toml" line="3"/>
    <testcase name="an American lead is not" classname="a.test.toml" file="a.test.toml" line="7">
      <failure message="routes.destination should be [&quot;EMEA_DESK&quot;], and is [&quot;MICROSOFT_FIELD_SELLER_CRM&quot;,&quot;PUBLISHER_CRM&quot;]">routes.destination should be [&quot;EMEA_DESK&quot;], and is [&quot;MICROSOFT_FIELD_SELLER_CRM&quot;,&quot;PUBLISHER_CRM&quot;]
decided: APP_SOURCE QUALIFIED score 35 to PUBLISHER_CRM, MICROSOFT_FIELD_SELLER_CRM</failure>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
    let (exit, out, _) = run(folder.path(), &["test", "ruleset.toml", "--json"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((exit, &report["passed"], &report["failed"]), (1, &1.into(), &1.into()));
    let failure = &report["tests"][1]["failures"][0];
    assert_eq!((&failure["path"], &failure["line"]), (&"routes.destination".into(), &10.into()));
}

#[test]
fn coverage_tells_what_no_test_tried() {
    let folder = folder(&[("ruleset.toml", RULESET), ("a.test.toml", TESTS)]);
    let (exit, out, _) = run(folder.path(), &["test", "ruleset.toml", "--coverage"]);
    assert_eq!(exit, 0);
    assert_eq!(
        out,
        r#"a.test.toml: 2 of 2 passed

ruleset.toml: 1 of 2 entries decided something, 6 of 8 branches were taken
  ruleset.toml:6  gate.country: no test in which storefront != "UNKNOWN" is false
  ruleset.toml:10  route.emea: no test in which it holds

2 passed, 0 failed
"#
    );
}

#[test]
fn tests_bring_leads_and_tables_of_their_own() {
    let tests = r#"
[[test]]
name = "from a file, with an offer"
lead_file = "leads/french.json"
offers = [{ publisher_id = "acme", offer_id = "app", offer_type = "virtual_machine" }]
expect = { storefront = "AZURE_MARKETPLACE", "flags+" = ["storefront_inferred"] }
[[test]]
name = "without the offer"
lead_file = "leads/french.json"
expect = { storefront = "UNKNOWN", "routes.destination" = ["EMEA_DESK", "REVIEW_QUEUE"] }
[[test]]
name = "bytes that are no text"
lead_hex = "ff fe"
expect = { verdict = "REJECTED", "rejection.code" = "not_utf8" }
[[test]]
name = "a format that must be told"
lead = '[]'
format = "https_json"
expect = { "rejection.code" = "not_a_lead", "leads.length" = 0 }
[[test]]
name = "two leads in a record"
lead = '[{"leadSource": "SPZA-PLT"}, {"leadSource": "AzureMarketplace-INS"}]'
expect = { "leads.length" = 2, storefront = "APP_SOURCE", "leads.1.storefront" = "AZURE_MARKETPLACE" }
"#;
    let lead = r#"{"userDetails": {"email": "a@b-company.example", "country": "FR"}, "leadSource": "x|acme.app"}"#;
    let good = folder(&[("ruleset.toml", RULESET), ("a.test.toml", tests), ("leads/french.json", lead)]);
    let told = (0, "a.test.toml: 5 of 5 passed\n\n5 passed, 0 failed\n".to_owned(), String::new());
    assert_eq!(run(good.path(), &["test", "ruleset.toml"]), told);
    fs::remove_file(good.path().join("leads/french.json")).expect("removed");
    let (exit, out, _) = run(good.path(), &["test", "ruleset.toml"]);
    assert!(exit == 1 && out.contains("+ lead_file = leads/french.json: No such file or"), "{out}");
    // What is no file at all would be waited for.
    fs::create_dir(good.path().join("leads/french.json")).expect("made");
    let (exit, out, _) = run(good.path(), &["test", "ruleset.toml"]);
    assert!(exit == 1 && out.contains("+ lead_file = leads/french.json: it is no regular file"), "{out}");
    let wrong = tests.replace("virtual_machine", "virtual_machin");
    let rows = folder(&[("ruleset.toml", RULESET), ("a.test.toml", &wrong), ("leads/french.json", lead)]);
    let (exit, out, _) = run(rows.path(), &["test", "ruleset.toml"]);
    assert!(exit == 1 && out.contains("- offers = rows of this table\n    + offers = row 1: "), "{out}");
}

#[test]
fn what_is_no_ruleset_or_no_test_is_told_before_anything_runs() {
    let bad = folder(&[
        ("ruleset.toml", RULESET),
        ("a.test.toml", "[[test]]\nname = 'a'\nlead = '{}'\nexpect = { verdcit = 'QUALIFIED' }\n"),
        ("b.test.toml", "[[test]\n"),
        ("broken.toml", &RULESET.replace("contact.country", "contact.cuontry")),
    ]);
    let (exit, out, err) = run(bad.path(), &["test", "ruleset.toml", "broken.toml", "nowhere.toml"]);
    assert_eq!((exit, out.as_str()), (64, ""));
    // As `check` has it, since `run` would not start with them.
    let (exit, out, _) = run(bad.path(), &["check", "--rules", "ruleset.toml"]);
    assert!(exit == 1 && out.contains("error: a.test.toml:4:12: a decision has no \"verdcit\""), "{out}");
    for told in [
        "error: a.test.toml:4:12: a decision has no \"verdcit\"",
        "  = did you mean \"verdict\"?",
        "error: b.test.toml:1:",
        "error: broken.toml:8:",
        "error: nowhere.toml: cannot read the ruleset",
    ] {
        assert!(err.contains(told), "{told}\n{err}");
    }
}

/// No gap in what the tests of this ruleset try, and nothing that `check` has to say of it.
fn assert_whole(folder: &Path, ruleset: &str) {
    let (exit, out, err) = run(folder, &["test", ruleset, "--coverage", "--json"]);
    assert_eq!((exit, err.as_str()), (0, ""), "{ruleset}: {out}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["coverage"][0]["gaps"], serde_json::json!([]), "{ruleset}");
    let (exit, out, err) = run(folder, &["check", "--json", "--set", "identity.key=k", "--rules", ruleset]);
    assert_eq!((exit, err.as_str()), (0, ""), "{ruleset}: {out}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["problems"], serde_json::json!([]), "{ruleset}");
}

#[test]
fn the_examples_are_tested_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rules/examples");
    let mut examples: Vec<_> = fs::read_dir(&folder).expect("the examples").map(|entry| entry.expect("an entry").path()).collect();
    examples.retain(|path| path.is_dir());
    assert_eq!(examples.len(), 3, "{examples:?}");
    let readme = fs::read_to_string(folder.join("README.md")).expect("the page");
    for example in examples {
        let name = example.file_name().expect("a name").to_str().expect("UTF-8");
        assert!(readme.contains(&format!("({name}/ruleset.toml)")), "{name} is not on the page");
        assert_whole(&folder, name);
    }
}

#[test]
fn a_new_ruleset_is_good_and_tested() {
    let folder = tempfile::tempdir().expect("a folder");
    let (exit, out, err) = run(folder.path(), &["rules", "new", "rules/acme-2"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    assert!(out.starts_with("rules/acme-2: the ruleset \"acme-2\" with two tests. Next:\n"), "{out}");
    assert_whole(folder.path(), "rules/acme-2");
    let (exit, out, _) = run(folder.path(), &["rules", "show", "--rules", "rules/acme-2"]);
    assert!(exit == 0 && out.contains("\n[ruleset]\nname = \"acme-2\"\nversion = \"1\"\n"), "{out}");
    // Nothing of somebody's is written over.
    let ruleset = folder.path().join("rules/acme-2/ruleset.toml");
    fs::write(&ruleset, "mine").expect("written");
    let (exit, _, err) = run(folder.path(), &["rules", "new", "rules/acme-2"]);
    assert_eq!((exit, err.as_str()), (64, "error: rules/acme-2/ruleset.toml is there already: name a folder without a ruleset\n"));
    assert_eq!(fs::read_to_string(&ruleset).expect("read"), "mine");
    // A path that a shell would take apart.
    let (_, out, _) = run(folder.path(), &["rules", "new", "our rules/kim's"]);
    assert!(out.contains("\n  leadstream check --rules 'our rules/kim'\\''s'\n"), "{out}");
    // A folder whose name is no name of a ruleset.
    let (exit, _, err) = run(folder.path(), &["rules", "new", "--quiet", "été…/…"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    assert_whole(folder.path(), "été…/…");
}

#[test]
fn a_test_that_fails_for_a_limit_alone_names_it() {
    let lead = r#"lead = '{"userDetails": {"email": "a@b-company.example", "country": "US", "more": {"a": {"b": [[1]]}}}, "leadSource": "SPZA-PLT|acme.app"}'"#;
    let tests = format!("[[test]]\nname = \"deep\"\n{lead}\nexpect = {{ verdict = \"QUALIFIED\" }}\n");
    let wrong = tests.replace("\"QUALIFIED\"", "\"UNQUALIFIED\"");
    let folder = folder(&[("a.toml", RULESET), ("a.test.toml", &tests), ("b.toml", RULESET), ("b.test.toml", &wrong)]);
    let (exit, out, _) = run(folder.path(), &["test", "a.toml"]);
    assert_eq!(exit, 0, "{out}");
    let named = "limits.depth is 3 here: with 64, the default, it passes";
    let (exit, out, _) = run(folder.path(), &["test", "a.toml", "--set", "limits.depth=3"]);
    assert!(exit == 1 && out.contains(named), "{out}");
    let (_, out, _) = run(folder.path(), &["test", "a.toml", "--json", "--set", "limits.depth=3"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["tests"][0]["limit"], named);
    // `check` tells of it as `run` would not start.
    let (exit, out, _) = run(folder.path(), &["check", "--rules", "a.toml", "--set", "limits.depth=3"]);
    assert!(exit == 1 && out.contains(named) && out.contains("raise the limit"), "{out}");
    // What fails with any limit is the test's own fault, or the rules'.
    let (exit, out, _) = run(folder.path(), &["test", "b.toml", "--set", "limits.depth=3"]);
    assert!(exit == 1 && !out.contains("it passes"), "{out}");
}

#[test]
fn what_a_test_brings_along_and_is_wrong_is_told_as_the_tests_fault() {
    let lead = r#"lead = '{"leadSource": "SPZA-PLT|acme.app"}'"#;
    let expect = "expect = { verdict = \"UNQUALIFIED\" }\n";
    for (given, path, why) in [
        (format!("lead_file = \"gone.json\"\n{expect}"), "lead_file", "gone.json"),
        (format!("{lead}\naccounts = [{{ owner = \"kim\" }}]\n{expect}"), "accounts", "row 1"),
        (
            format!("{lead}\noffers = [{{ publisher_id = \"acme\", offer_id = \"app\", offer_type = \"boat\" }}]\n{expect}"),
            "offers",
            "row 1",
        ),
    ] {
        let tests = format!("[[test]]\nname = \"t\"\n{given}");
        let folder = folder(&[("a.toml", RULESET), ("a.test.toml", &tests)]);
        let (exit, out, _) = run(folder.path(), &["check", "--rules", "a.toml"]);
        assert_eq!(exit, 1, "{out}");
        assert!(out.contains(&format!("the ruleset's own test \"t\" cannot be tried: its {path} must be")), "{out}");
        assert!(out.contains("mend the test") && !out.contains("mend the rules"), "{out}");
        let (exit, out, _) = run(folder.path(), &["test", "a.toml"]);
        assert!(exit == 1 && out.contains(why), "{out}");
    }
}

//! Tests of how rule tests are read and compared. That they decide as the service does, `tests/it/rule_tests.rs` shows.

use serde_json::json;

use super::*;
use crate::rules::{Ruleset, RulesetFile};

fn read(text: &str) -> Result<Vec<RuleTest>, Vec<String>> {
    let rules = Ruleset::built_in().expect("the built-in ruleset");
    let file = RulesetFile { name: "x.test.toml".to_owned(), text: text.to_owned() };
    rule_tests(&file, &rules).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The first lines of the problems of one `expect`.
fn refused(expect: &str) -> Vec<String> {
    let problems = read(&format!("[[test]]\nname = 'a'\nlead = '{{}}'\nexpect = {expect}\n")).expect_err("a problem");
    problems
        .iter()
        .map(|problem| problem.lines().next().unwrap_or_default().trim_start_matches("error: x.test.toml:4:").to_owned())
        .collect()
}

#[test]
fn an_expectation_that_could_never_fail_or_never_hold_is_told() {
    for (expect, told) in [
        ("{ verdcit = 'QUALIFIED' }", "12: a decision has no \"verdcit\""),
        ("{ verdict = 'qualified' }", "22: verdict is never \"qualified\""),
        ("{ 'reasons-' = ['cuontry'] }", "26: reasons is never \"cuontry\""),
        ("{ 'routes.destination-' = ['CRM'] }", "37: routes.destination is never \"CRM\""),
        ("{ 'routes.CRM.queue!' = 'x' }", "34: no route has the destination of routes.CRM.queue"),
        ("{ 'routes.CRM.queu' = 'x' }", "12: a decision has no \"routes.CRM.queu\""),
        ("{ 'flags+' = 'test_lead' }", "23: flags must be a list, not a text"),
        ("{ 'storefront+' = ['APP_SOURCE'] }", "28: storefront is no list"),
        ("{ 'storefront?' = ['APPSOURCE'] }", "29: storefront is never \"APPSOURCE\""),
        ("{ reasons = 'spam' }", "22: reasons must be a list, not a text"),
        ("{ 'lead_id^' = 7 }", "25: lead_id must be a text, not a whole number"),
        ("{ 'leads.x.verdict' = 'QUALIFIED' }", "12: a decision has no \"leads.x.verdict\""),
        ("{ needs_hydration = true }", "12: a decision has no \"needs_hydration\""),
        ("{ 'reasons-' = [] }", "25: nothing is asked of reasons: this cannot fail"),
        ("{ 'note^' = '' }", "22: nothing is asked of note: this cannot fail"),
        ("{ 'score.total!' = '35' }", "29: score.total must be a number, not a text"),
        ("{ is_test = '' }", "22: is_test must be true or false, not a text"),
        ("{}", "10: nothing is expected: this test cannot fail"),
        ("'QUALIFIED'", "10: expect must be a table, not a text"),
    ] {
        assert_eq!(refused(expect), [told], "{expect}");
    }
}

#[test]
fn all_problems_of_a_file_are_told_with_their_places() {
    let told = read(
        "nwo = 1\n[[test]]\nnam = 'a'\nlead = '{}'\nlead_hex = 'zz'\nexpect = { verdict = 'QUALIFIED' }\n\
         [[test]]\nname = 'b'\nnow = 'noon'\nexpect = { verdict = 'QUALIFIED' }\n\
         [[test]]\nname = 'b'\nlead_hex = '7b7'\nformat = 'xml'\noffers = 'none'\nexpect = { verdict = 'QUALIFIED' }\n",
    )
    .expect_err("problems");
    let places: Vec<&str> = told.iter().filter_map(|problem| problem.lines().next()?.strip_prefix("error: x.test.toml:")).collect();
    assert_eq!(
        places,
        [
            "1:1: unknown key \"nwo\"",
            "3:1: unknown key \"nam\" in test",
            "5:12: lead_hex beside lead: a test has one lead",
            "7:1: the test has no lead",
            "9:7: now is no point in time with a zone",
            "12:8: there is another test \"b\"",
            "13:12: lead_hex is not written in hexadecimal",
            "14:10: \"xml\" is no value of format",
            "15:10: offers must be a list, not a text",
        ]
    );
}

#[test]
fn what_is_there_is_compared_as_it_is_written() {
    let decided = json!({
        "verdict": "MIXED", "reasons": ["spam"], "rejection": null,
        "leads": [
            {"verdict": "QUALIFIED", "storefront": "APP_SOURCE", "flags": ["late_delivery", "edu_domain"], "score": {"total": 35},
             "event_time": "2026-11-01T09:00:00.000000Z", "attribution": {"utm.source": "x"},
             "routes": [{"destination": "PUBLISHER_CRM", "queue": "emea"}, {"destination": "CO_SELL_DESK"}]},
            {"verdict": "UNQUALIFIED", "reasons": ["spam"]},
        ],
    });
    let mismatches = |expect: &str| {
        let tests =
            read(&format!("[[test]]\nname = 'a'\nlead = '{{}}'\n[test.expect]\n{expect}\n")).unwrap_or_else(|told| panic!("{told:?}"));
        let found = tests[0].expect.iter().filter_map(|expected| expected.compare(&decided));
        found.map(|mismatch| format!("{} {} {}", mismatch.path, mismatch.want, mismatch.got)).collect::<Vec<_>>()
    };
    for holds in [
        "verdict = 'QUALIFIED'",
        "'leads.1.verdict' = 'UNQUALIFIED'\n'leads.1.reasons' = ['spam']",
        "'leads.length' = 2",
        "'flags+' = ['edu_domain']\n'flags-' = ['redacted']",
        "score.total = 35\n'score.total!' = 0\n'score.total?' = [1, 35]",
        "'storefront!' = 'UNKNOWN'\n'storefront?' = ['APP_SOURCE', 'UNKNOWN']\n'storefront^' = 'APP'",
        "event_time = 2026-11-01T10:00:00+01:00",
        "'routes.destination' = ['CO_SELL_DESK', 'PUBLISHER_CRM']",
        "'routes.PUBLISHER_CRM.queue' = 'emea'\n'routes.CO_SELL_DESK.queue' = ''",
        "'attribution.utm.source' = 'x'\nattribution = { 'utm.source' = 'x' }\nextra = {}",
        "note = ''\nreasons = []",
        "'rejection.code' = ''",
    ] {
        assert_eq!(mismatches(holds), [""; 0], "{holds}");
    }
    for (fails, told) in [
        ("verdict = 'UNQUALIFIED'", "verdict \"UNQUALIFIED\" \"QUALIFIED\""),
        ("'leads.2.verdict' = 'QUALIFIED'", "verdict \"QUALIFIED\" null"),
        ("'flags+' = ['redacted', 'edu_domain']", "flags with all of [\"redacted\",\"edu_domain\"] [\"late_delivery\",\"edu_domain\"]"),
        ("'flags-' = ['edu_domain']", "flags with none of [\"edu_domain\"] [\"late_delivery\",\"edu_domain\"]"),
        ("'storefront!' = 'APP_SOURCE'", "storefront other than \"APP_SOURCE\" \"APP_SOURCE\""),
        ("'storefront^' = 'AZURE'", "storefront beginning with \"AZURE\" \"APP_SOURCE\""),
        ("'routes.CO_SELL_DESK.queue' = 'emea'", "routes.CO_SELL_DESK.queue \"emea\" null"),
        ("'leads.length' = 1", "leads.length 1 2"),
    ] {
        let found = mismatches(fails);
        assert!(found.len() == 1 && found[0].ends_with(told), "{fails}: {found:?}");
    }
}

#[test]
fn what_is_said_of_a_lead_that_is_not_there_is_not_met() {
    let rejected = json!({"verdict": "REJECTED", "reasons": [], "rejection": {"code": "malformed_json"}, "leads": []});
    let one = json!({"verdict": "QUALIFIED", "rejection": null, "leads": [{"verdict": "QUALIFIED"}]});
    let unmet = |expect: &str, decided| {
        let tests =
            read(&format!("[[test]]\nname = 'a'\nlead = '{{}}'\n[test.expect]\n{expect}\n")).unwrap_or_else(|told| panic!("{told:?}"));
        unmet(&tests[0].expect, decided, &tests[0].place).map(|mismatch| format!("{}, not {}", mismatch.want, mismatch.got))
    };
    for (expect, decided, told) in [
        ("'reasons-' = ['spam']", &rejected, Some("more than 0, not 0: the record is rejected as malformed_json")),
        ("note = ''", &rejected, Some("more than 0, not 0: the record is rejected as malformed_json")),
        ("verdict = 'REJECTED'\nreasons = []", &rejected, None),
        ("rejection.code = 'malformed_json'", &rejected, None),
        ("'leads.length' = 0", &rejected, None),
        ("'leads.1.reasons-' = ['spam']", &one, Some("more than 1, not 1")),
        ("'leads.1.verdict!' = 'QUALIFIED'", &one, Some("more than 1, not 1")),
        ("verdict = 'QUALIFIED'\n'leads.0.reasons' = []", &one, None),
    ] {
        assert_eq!(unmet(expect, decided).as_deref(), told, "{expect}");
    }
}

#[test]
fn a_test_that_says_nothing_of_time_is_at_a_fixed_one() {
    let tests = read("[[test]]\nname = 'a'\nlead = '{}'\nexpect = { verdict = 'QUALIFIED' }\n").expect("a test");
    assert_eq!(Some(tests[0].now), Timestamp::parse(NOW));
    let tests =
        read("now = '2026-11-01T09:00:00Z'\n[[test]]\nname = 'a'\nlead = '{}'\nexpect = { verdict = 'QUALIFIED' }\n").expect("a test");
    assert_eq!(Some(tests[0].now), Timestamp::parse("2026-11-01T09:00:00Z"));
}

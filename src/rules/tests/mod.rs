//! Rulesets in, problems or rules out: what a person who writes rules sees.

mod dates;
mod merging;

use proptest::prelude::*;

use super::*;

/// `line:column code message` and `line:column code message | hint`.
fn problems(text: &str) -> Vec<String> {
    let found = Ruleset::parse(text).err().unwrap_or_default();
    found.iter().map(|problem| format!("{}:{} {} {}", problem.line, problem.column, problem.code, problem.message)).collect()
}

#[test]
fn the_built_in_ruleset_loads() {
    assert_eq!(problems(DEFAULT), [""; 0]);
    let rules = Ruleset::built_in().expect("the built-in ruleset");
    assert_eq!((rules.name.as_str(), rules.version.as_str()), ("default", "1"));
    assert_eq!(rules.hash.len(), 64);
    let reasons: Vec<_> = rules.reasons().collect();
    assert_eq!(
        reasons,
        [
            "test_lead",
            "do_not_contact",
            "no_contact",
            "consent_denied",
            "spam",
            "suppressed",
            "closed",
            "expired",
            "needs_hydration",
            "own_domain",
            "low_score"
        ]
    );
    let destinations: Vec<_> = rules.destinations().collect();
    assert_eq!(
        destinations,
        ["CO_SELL_DESK", "MICROSOFT_QUALIFIED_DESK", "PUBLISHER_CRM", "REVIEW_QUEUE", "MICROSOFT_FIELD_SELLER_CRM", "AZURE_MARKETPLACE"]
    );
}

#[test]
fn every_problem_of_a_file_is_told_at_its_place() {
    assert_eq!(
        problems(BAD),
        [
            "3:8 invalid_value \"ac me\" is no good name",
            "4:11 wrong_type extends must be a text, not a whole number",
            "5:1 unknown_key unknown key \"versoin\" in ruleset",
            "8:14 invalid_value \"APPSOURCE\" is no value of storefront",
            "9:1 unknown_key unknown key \"chanel\" in source.\"SPZA\"",
            "10:9 duplicate_token the source token \"s p z a\" compares like \"SPZA\"",
            "11:1 missing_key action.\"PLT\" has no \"action\"",
            "12:9 invalid_value \"X\" is no value of stage",
            "13:20 unknown_name \"SPZAA\" is neither a storefront nor a token of [source]",
            "14:29 invalid_value \"lst\" is no value of listing_option",
            "15:13 invalid_value \"sass\" is no value of offer_type",
            "17:15 wrong_type storefronts must be a list, not a text",
            "19:14 invalid_value \"A B\" is no good destination",
            "19:26 duplicate_id \"X\" is named twice",
            "20:9 unknown_name there is no [clock.fsat]",
            "22:14 wrong_type late_after must be a length of time, not a whole number",
            "23:16 invalid_value \"@acme.example\" is no domain",
            "24:11 unknown_name no gate gives the reason \"do_not_contct\"",
            "27:9 condition unknown field contact.contry",
            "27:55 condition \"EMEAA\" is none of the values this field can have",
            "29:1 missing_key gate \"a\" has no \"when\"",
            "30:6 duplicate_id the id \"a\" is already taken in this list",
            "31:10 invalid_value \"Low\" is no good reason",
            "33:13 wrong_type threshold must be a whole number, not a text",
            "34:23 invalid_value grades must fall from A to C; here they are 1, 2, 20",
            "37:8 invalid_value \"fitt\" is no value of part",
            "38:9 condition a condition must be true or false; this is a text",
            "39:10 wrong_type points must be a whole number, not a fraction",
            "42:8 invalid_value from is no point in time with a zone",
            "44:1 missing_key campaign \"d\" would hold for every lead",
            "46:1 wrong_type route must be a list of rules, not a table",
            "48:15 invalid_value \"4 hours\" is no length of time from 1s to 3650d",
            "49:2 unknown_key unknown key \"clok\"",
        ]
    );
}

const BAD: &str = r#"
[ruleset]
name = "ac me"
extends = 1
versoin = "1"

[source."SPZA"]
storefront = "APPSOURCE"
chanel = "WEB"
[source."s p z a"]
[action.PLT]
stage = "X"
impossible_with = ["SPZAA"]
stage_by_listing_option = { lst = "TRIAL" }
[offer_type.sass]
[offer_type.saas]
storefronts = "APP_SOURCE"
[storefront.APP_SOURCE]
follow_up = ["A B", "X", "X"]
clock = "fsat"
[policy]
late_after = 6
own_domains = ["@acme.example"]
redact = ["do_not_contct"]
[[gate]]
id = "a"
when = "contact.contry == \"US\" && contact.region == \"EMEAA\""
reason = "do_not_contact"
[[gate]]
id = "a"
reason = "Low"
[score]
threshold = "0"
grades = { A = 1, B = 2 }
[[score.rule]]
id = "x"
part = "fitt"
when = 'note'
points = 1.5
[[campaign]]
id = "c"
from = "2026-01-01"
until = 2026-01-01T00:00:00Z
[[campaign]]
id = "d"
[route]
[clock.fast]
first_touch = "4 hours"
[clok]
"#;

/// The problems of a small ruleset with `body` below its `[ruleset]`, lines counted from the body's first.
fn problems_of(body: &str) -> Vec<String> {
    let text = format!("[ruleset]\nname = \"a\"\nversion = \"1\"\n{body}");
    let found = Ruleset::parse(&text).err().unwrap_or_default();
    found.iter().map(|problem| format!("{}:{} {}", problem.line - 3, problem.column, problem.message)).collect()
}

#[test]
fn a_file_that_is_no_toml_or_no_ruleset_is_refused() {
    assert_eq!(problems(""), ["1:1 missing_key there is no [ruleset]"]);
    assert_eq!(problems("[ruleset\nname = 1"), ["1:9 toml_syntax not valid TOML: unclosed table, expected `]`"]);
    assert_eq!(problems("ruleset = 3"), ["1:11 wrong_type ruleset must be a table, not a whole number"]);
    assert_eq!(problems("\u{feff}rulset = 1"), ["1:1 unknown_key unknown key \"rulset\""]);
    // The TOML parser bounds its own depth.
    assert!(problems(&format!("a = {}", "[".repeat(100_000))).iter().all(|problem| problem.contains("toml_syntax")));
    assert!(Ruleset::parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert_eq!(problems_of("a = 1\na = 2"), ["2:1 not valid TOML: duplicate key"]);
}

/// As many mistakes as lines: each is looked at once, not with the whole text before it.
#[test]
fn a_text_with_a_mistake_on_every_line_is_refused_all_the_same() {
    let text = format!("[ruleset]\nname = \"a\"\nversion = \"1\"\n{}", "[policy]\nlate_after = \"1h\"\n".repeat(20_000));
    let found = problems(&text);
    assert_eq!(found.len(), 1001, "the first are told, and how many more there are");
    assert_eq!(found.first().map(String::as_str), Some("6:2 toml_syntax not valid TOML: duplicate key"));
    assert_eq!(found.last().map(String::as_str), Some("0:0 more_problems and 18999 more of the kind toml_syntax"));
}

#[test]
fn grades_that_do_not_fall_are_told_where_the_one_is_written_that_should() {
    for (score, wanted) in [
        ("[score.grades]\nA = 40\nB = 50\nC = 20", "3:5 grades must fall from A to C; here they are 40, 50, 20"),
        ("[score.grades]\nA = 70\nB = 50\nC = 50", "4:5 grades must fall from A to C; here they are 70, 50, 50"),
        // The other two are those that every ruleset has.
        ("[score]\ngrades = { A = 30 }", "2:16 grades must fall from A to C; here they are 30, 40, 20"),
        // With a fault of its own, a grade is none that others are held against.
        ("[score]\ngrades = { A = \"70\", B = 65 }", "2:16 A must be a whole number, not a text"),
    ] {
        assert_eq!(problems_of(score), [wanted], "{score}");
    }
}

#[test]
fn a_fault_inside_a_condition_is_told_at_its_own_letter_however_it_is_quoted() {
    for (when, wanted) in [
        (r"'is_test || foo'", "2:20 unknown field foo"),
        (r#""note == \"\u00e9\" || foo""#, "2:31 unknown field foo"),
        ("'''\nis_test\n  || foo'''", "4:6 unknown field foo"),
        ("\"\"\"is_test \\\n  || foo\"\"\"", "3:6 unknown field foo"),
    ] {
        assert_eq!(problems_of(&format!("[[gate]]\nwhen = {when}\nid = \"a\"\nreason = \"a\"\n")), [wanted], "{when}");
    }
}

#[test]
fn hints_name_what_was_probably_meant() {
    let problems = Ruleset::parse(BAD).err().unwrap_or_default();
    let hint = |line: usize| problems.iter().find(|problem| problem.line == line).and_then(|problem| problem.hint.as_deref());
    assert_eq!(hint(5), Some("did you mean \"version\"?"));
    assert_eq!(hint(8), Some("did you mean \"APP_SOURCE\"?"));
    assert_eq!(hint(20), Some("did you mean \"fast\"?"));
    assert_eq!(hint(24), Some("did you mean \"do_not_contact\"?"));
    assert_eq!(hint(27), Some("did you mean contact.country?"));
    assert!(problems.iter().all(|problem| problem.hint.as_ref().is_some_and(|hint| !hint.is_empty()) && problem.quoted.is_some()));
}

#[test]
fn names_that_go_into_events_and_metrics_are_kept_short_and_plain() {
    let route = |id: &str, destination: &str| problems_of(&format!("[[route]]\nid = {id:?}\ndestination = {destination:?}\n"));
    assert_eq!(route("a", "CRM"), [""; 0]);
    assert_eq!(route("a", "C R M"), ["3:15 \"C R M\" is no good destination"]);
    assert_eq!(route("", "CRM"), ["2:6 \"\" is no good id"]);
    assert_eq!(route("follow_up.X", "CRM"), ["2:6 ids that begin with \"follow_up.\" belong to the follow_up of storefronts"]);
    assert_eq!(problems_of("[[gate]]\nid='a'\nwhen='true'\nreason='low_score'"), ["4:8 \"low_score\" is no gate's reason"]);
    assert_eq!(route("a", &"x".repeat(65)).len(), 1);
}

#[test]
fn reasons_and_destinations_of_ones_own_are_told_once_each() {
    let text = r#"
        [ruleset]
        name = "a"
        version = "1"
        [storefront.APP_SOURCE]
        follow_up = ["B", "A"]
        [[gate]]
        id = "1"
        when = 'is_spam'
        reason = "junk"
        [[gate]]
        id = "2"
        when = 'is_test'
        reason = "junk"
        [[route]]
        id = "x"
        destination = "A"
    "#;
    let rules = Ruleset::parse(text).expect("a ruleset");
    assert_eq!(rules.reasons().collect::<Vec<_>>(), ["junk", "low_score"]);
    assert_eq!(rules.destinations().collect::<Vec<_>>(), ["A", "B"]);
}

/// The example of the documentation: every key there is.
#[test]
fn every_documented_key_loads() {
    let text = include_str!("../../../docs/rules.md");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(problems(example), [""; 0]);
    let root = toml::from_str::<toml::Table>(example).expect("TOML");
    for key in keys::ROOT.iter().filter(|key| key.name != "test") {
        assert!(root.contains_key(key.name), "the example lacks {}", key.name);
    }
}

proptest! {
    #[test]
    fn no_text_makes_parse_panic(text in ".{0,200}") {
        let _ = Ruleset::parse(&text);
    }

    /// The built-in ruleset with a piece cut out and another put in.
    #[test]
    fn no_damage_makes_parse_panic(from in 0..DEFAULT.len(), length in 0..80_usize, piece in "[\\[\\]{}\"'=a-z0-9.\n\\\\é]{0,8}") {
        let boundary = |at: usize| (0..=at.min(DEFAULT.len())).rev().find(|at| DEFAULT.is_char_boundary(*at)).unwrap_or_default();
        let text = format!("{}{piece}{}", &DEFAULT[..boundary(from)], &DEFAULT[boundary(from + length)..]);
        for problem in Ruleset::parse(&text).err().unwrap_or_default() {
            prop_assert!(problem.line >= 1 && problem.column >= 1, "{problem}");
        }
    }
}

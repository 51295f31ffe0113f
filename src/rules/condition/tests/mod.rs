//! Conditions as texts, asked about one lead: what is true, what is refused and where. That the page of the language is so, is
//! shown in `page`; that `cel` says the same of random conditions, in `tests/it/conditions`.

mod bad_input;
mod functions;
mod page;

use proptest::prelude::*;

use super::*;
use crate::{
    lead::{Facts, Flag, Qualified, Referral, Timestamp},
    pipeline,
    rules::{Ruleset, sample},
    tables::{Offer, TableForm, Tables},
};

/// What each condition says about the sample lead, as a route would ask it.
fn ask(facts: &Facts<'_>, when: &str) -> bool {
    let rules = Ruleset::built_in().expect("the built-in ruleset");
    let decision = pipeline::decide(facts, &rules, &mut pipeline::NoTrace);
    let qualified: &Qualified<'_> = &decision.qualified;
    let subject =
        Subject { facts, class: &decision.class, policy: &rules.policy, qualified: Some(qualified), marketing_campaign: Some("spring") };
    let condition = Condition::parse(when, Sight::Routed).unwrap_or_else(|faults| panic!("{when}: {faults:?}"));
    condition.holds(&subject)
}

fn holds(facts: &Facts<'_>, truths: &[&str], falsehoods: &[&str]) {
    for when in truths {
        assert!(ask(facts, when), "should hold: {when}");
    }
    for when in falsehoods {
        assert!(!ask(facts, when), "should not hold: {when}");
    }
}

#[test]
fn fields_compare_with_literals() {
    let mut facts = sample::facts();
    facts.source_raw = Some("SPZA-PLT|acme.app".into());
    holds(
        &facts,
        &[
            "true",
            "storefront == \"APP_SOURCE\"",
            "storefront != \"UNKNOWN\"",
            "contact.country in [\"US\", 'FR']",
            "!(contact.country in [\"US\"])",
            "contact.company.startsWith(\"Ada\") && contact.company.endsWith(\"tries\") && contact.company.contains(\"tum I\")",
            "size(contact.country) == 2 && contact.country.size() < 3",
            "contact.first_name < contact.company || true",
            "score.total == score.fit + score.intent",
            "score.total * 2 - 1 > score.total && -score.total < 0",
            "score.total == 35.0 && score.total < 35.5 && score.total > 34.9",
            "score.total / 2 == 17 && score.total % 2 == 1",
            "score.grade in [\"A\", \"B\", \"C\"] && verdict == \"QUALIFIED\"",
            "size(reasons) == 0",
            "marketing_campaign == \"spring\"",
            "event_time == received_at && event_time > timestamp(\"2026-01-01T00:00:00Z\")",
            "source.topic == \"leads.raw\" && source.partition == 3 && source.offset == 42 && source.index == 0",
            "source.format == \"https_json\"",
            "is_test == false && !is_spam",
            "false || !false && true",
        ],
        &["false", "contact.country == \"US\"", "is_test", "\"low_score\" in reasons", "\"redacted\" == note", "true && false || false"],
    );
}

#[test]
fn a_missing_value_is_null_and_makes_ordering_and_text_tests_false() {
    let facts = sample::facts();
    holds(
        &facts,
        &[
            "note == null",
            "null == note",
            "note != \"x\"",
            "!(note == \"x\")",
            "!has(note)",
            "has(contact.country)",
            "note == contact.title",
            "note in [null]",
            "!(note in [\"x\"])",
            "!(note < \"x\") && !(note >= \"x\")",
            "referral == null && account == null && offer == null",
            "referral.status == null && account.tier == null && offer.plan == null",
            "referral.deal_value != 5.0",
            "!(referral.deal_value > 5.0) && !(referral.deal_value <= 5.0)",
            "offer.listing_option != \"transact\"",
        ],
        &[
            "note != null",
            "has(note)",
            "note == \"\"",
            "note.contains(\"\")",
            "note.startsWith(note)",
            "size(note) >= 0",
            "size(note) != 3",
            "referral.expires_at <= received_at",
            "has(referral.deal_value)",
            "has(account) || has(offer)",
        ],
    );
}

#[test]
fn a_missing_key_and_impossible_arithmetic_make_their_comparison_false() {
    let mut facts = sample::facts();
    facts.attribution = vec![("utm-x".into(), "1".into()), ("utm_campaign".into(), "spring".into())];
    facts.extra = vec![("Mobile".into(), "\"1\"".into())];
    holds(
        &facts,
        &[
            "attribution[\"utm_campaign\"] == \"spring\"",
            "attribution.utm_campaign == \"spring\"",
            "\"utm-x\" in attribution && !(\"utm_y\" in attribution)",
            "has(attribution[\"utm-x\"]) && !has(attribution[\"utm_y\"])",
            "size(attribution) == 2 && size(extra) == 1",
            "extra[\"Mobile\"] == '\"1\"'",
            "!(attribution[\"utm_y\"] == \"spring\")",
        ],
        &[
            "attribution[\"utm_y\"] == \"spring\"",
            "attribution[\"utm_y\"] != \"spring\"",
            "attribution[\"utm_y\"] == null",
            "attribution[\"utm_y\"] in [null, \"spring\"]",
            "attribution[contact.title] == \"spring\"",
            "1 / 0 == 0",
            "1 / 0 != 0",
            "1 % (score.total - score.total) == 0",
            "9223372036854775807 + 1 > 0",
            "1.0 / 0.0 < 1.0",
        ],
    );
}

#[test]
fn whole_numbers_and_fractions_compare_exactly() {
    holds(
        &sample::facts(),
        &[
            "9007199254740993 > 9007199254740992.0",
            "9007199254740992 == 9007199254740992.0",
            "-1 < -0.5",
            "2 > 1.5",
            "9223372036854775807 < 9.3e18",
        ],
        &["9007199254740993 == 9007199254740992.0", "-9223372036854775808 < -9.3e18", "0.0 / 0.0 == 0", "0.0 / 0.0 < 1 || 0.0 / 0.0 >= 1"],
    );
}

#[test]
fn rows_referrals_and_flags_are_seen() {
    let mut facts = sample::facts();
    let mut tables = Tables::default();
    assert_eq!(tables.add("accounts", TableForm::Csv, "domain,segment,tier\nadatum.example,enterprise,gold\n"), []);
    let offer = Offer {
        publisher_id: "acme".into(),
        offer_id: "app".into(),
        columns: [("line".to_owned(), "crm".to_owned())].into(),
        ..Default::default()
    };
    facts.account = tables.account("mail.adatum.example");
    facts.offer.row = Some(&offer);
    facts.referral = Some(Referral {
        status: Some("New".into()),
        deal_value: Some(10.5),
        expires_at: Timestamp::parse("2026-12-01T00:00:00Z"),
        ..Default::default()
    });
    facts.flags.insert(Flag::EduDomain);
    holds(
        &facts,
        &[
            "has(account) && account.segment == \"enterprise\" && account.tier == \"gold\"",
            "offer != null && offer.line == \"crm\" && offer.offer_id == \"app\"",
            "referral.status == \"New\" && referral.deal_value > 10",
            "referral.expires_at > event_time",
            "\"edu_domain\" in flags",
            "size(flags) >= 2 && \"storefront_unresolved\" in flags",
        ],
        &["account.owner == \"x\"", "\"action_conflict\" in flags", "contact.title in flags"],
    );
}

/// Faults as `offset message`.
fn faults(when: &str, sight: Sight) -> Vec<String> {
    let faults = Condition::parse(when, sight).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{} {}", fault.offset, fault.message)).collect()
}

#[test]
fn what_is_wrong_is_told_at_its_first_letter() {
    for (when, wanted) in [
        ("contact.contry == \"FR\"", "0 unknown field contact.contry"),
        ("true && (contact.seniority in [\"VP\", \"C_LEVL\"])", "37 \"C_LEVL\" is none of the values this field can have"),
        ("'ä' == note && xyz == 1", "16 unknown field xyz"),
        ("'ä' == note & true", "13 not valid CEL: unexpected '& '"),
        ("\"x\" == storefront", "0 \"x\" is none of the values this field can have"),
        ("has(note) && note", "13 each side of && must be true or false; this is a text"),
        ("note", "0 a condition must be true or false; this is a text"),
        ("note.match(\"x\")", "5 unknown function match"),
        ("size(note) > \"3\"", "13 a whole number cannot be compared with a text"),
        ("null < 3", "7 null cannot be compared with a whole number"),
        ("event_time > \"2026-01-01T00:00:00Z\"", "13 a time cannot be compared with a text"),
        ("event_time > timestamp(\"2026\")", "23 this is no time"),
        ("note in note", "8 `in` needs a list or a map to its right; this is a text"),
        ("\"spma\" in flags", "0 \"spma\" is no flag"),
        ("\"redacted\" in flags", "0 the flag \"redacted\" is set only after all rules"),
        ("contact == null", "0 contact is no value by itself"),
        ("1 + 1.5 == 2.5", "4 both sides must be whole numbers, or both fractions"),
        ("note + 1 == 'y'", "7 a text can only be joined with a text; this is a whole number"),
        ("contact.country = \"FR\"", "16 not valid CEL: unexpected '= '"),
        ("is_test &&", "10 not valid CEL: unexpected the end"),
        ("is_test\n  && (foo == 1)", "14 unknown field foo"),
        ("", "0 the condition is empty"),
        ("note == \"x", "8 this text is not closed"),
        ("score.total > 1", "0 score.total is not known yet here: only routes and campaigns see it"),
        ("marketing_campaign == \"x\"", "0 marketing_campaign is not known yet here: only routes see it"),
    ] {
        assert_eq!(faults(when, Sight::Lead), [wanted], "{when}");
    }
    assert_eq!(faults("score.total > 1", Sight::Judged), [""; 0]);
    assert_eq!(faults("marketing_campaign == 'x'", Sight::Judged).len(), 1);
    assert_eq!(faults("marketing_campaign == 'x'", Sight::Routed), [""; 0]);
}

#[test]
fn several_faults_are_told_at_once() {
    assert_eq!(
        faults("foo == 1 || storefront == \"X\" || bar.baz(1)", Sight::Lead),
        ["0 unknown field foo", "26 \"X\" is none of the values this field can have", "37 unknown function baz"]
    );
}

#[test]
fn the_deepest_and_the_longest_that_pass_the_bounds_are_parsed() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("true && (", ")"), ("true == (", " == false)"), ("has(", ")")] {
        let deep = format!("{}is_test{}", open.repeat(8), close.repeat(8));
        assert_eq!(faults(&deep, Sight::Lead), [""; 0], "{deep}");
    }
    let _ = Condition::parse(&format!("{}1{}", "[".repeat(8), "]".repeat(8)), Sight::Lead);
    let _ = Condition::parse(&format!("{}1{}", "{1:".repeat(8), "}".repeat(8)), Sight::Lead);
    let _ = Condition::parse(&format!("{}1{}", "a[b.c(".repeat(4), ")]".repeat(4)), Sight::Lead);
    let _ = Condition::parse(&"1 ? 1 : ".repeat(8), Sight::Lead);
    assert_eq!(faults(&format!("{}true", "!".repeat(30)), Sight::Lead), [""; 0]);
    let long = vec!["is_test"; 370].join(" || ");
    assert!(long.len() > 4000);
    assert_eq!(faults(&long, Sight::Lead), [""; 0]);
    assert_eq!(faults(&"is_test ||".repeat(500), Sight::Lead), ["4096 a condition has at most 4096 bytes"]);
    assert_eq!(faults(&"(".repeat(100), Sight::Lead), ["8 a condition nests at most 32 levels and 8 brackets deep"]);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = Condition::parse(&text, Sight::Routed);
    }

    /// Words of the language in any order: gets further than letters in any order.
    #[test]
    fn no_words_make_the_parser_panic(words in prop::collection::vec(prop::sample::select(vec![
        "note", "contact", ".", "country", "==", "!=", "<", "in", "[", "]", "(", ")", "{", "}", ",", ":", "?", "&&", "||", "!", "-", "+", "/", "%",
        "\"x\"", "'", "\"", "\"\"\"", "r\"\\\"", "b'x'", "1", "1.5", "0x1F", "5u", "1e400", "99999999999999999999", "null", "true", "has", "size",
        "attribution", "\n", " ", "\\", "`", "//", "\"\\u12\"", "\"\\777\"", "'\\xZZ'", "é", "\u{1F600}", "timestamp", "matches", "for", "@", "#",
    ]), 0..40)) {
        let _ = Condition::parse(&words.concat(), Sight::Routed);
        let _ = Condition::parse(&words.join(" "), Sight::Routed);
    }
}

//! Rulesets in, problems or rules out: what a person who writes rules sees.

use proptest::prelude::*;

use super::*;

/// `line:column code message` and `line:column code message | hint`.
fn problems(text: &str) -> Vec<String> {
    let found = Ruleset::parse(text).err().unwrap_or_default();
    found.iter().map(|problem| format!("{}:{} {} {}", problem.line, problem.column, problem.code, problem.message)).collect()
}

#[test]
fn the_built_in_ruleset_loads() {
    let rules = match Ruleset::built_in() {
        Ok(rules) => rules,
        Err(problems) => panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()),
    };
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

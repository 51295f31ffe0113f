//! What holds of every lead, whatever the conditions: how fields hang together, and what the rules themselves make of a lead. Each
//! law is certain; where it is not, there is none.

use super::{
    super::tree::Node,
    Space,
    formula::Formula,
    values::Known,
    variables::{Of, name_of_reason},
};
use crate::{
    lead::{Storefront, Vocabulary},
    rules::LOW_SCORE,
};

/// Laws about the lead itself, and about what was decided of it.
#[derive(Debug, Default)]
pub(super) struct Laws {
    pub(super) of_the_lead: Vec<Formula>,
    pub(super) of_the_decision: Vec<Formula>,
}

/// With more gates a lead that does not qualify is not followed back to one of them.
const MOST_GATES: usize = 200;

impl Laws {
    pub(super) fn of(space: &Space<'_>) -> Self {
        let known = |laws: Vec<Formula>| laws.into_iter().filter(|law| !matches!(law, Formula::Always | Formula::Maybe)).collect();
        Self { of_the_lead: known(of_the_lead(space)), of_the_decision: known(of_the_decision(space)) }
    }
}

/// If the one, then the other.
fn then(one: Formula, other: Formula) -> Formula {
    match (&one, &other) {
        (Formula::Maybe, _) | (_, Formula::Maybe) => Formula::Maybe,
        _ => Formula::any([one.not(), other]),
    }
}

fn both(one: &Formula, other: &Formula) -> [Formula; 2] {
    [then(one.clone(), other.clone()), then(other.clone(), one.clone())]
}

fn of_the_lead(space: &Space<'_>) -> Vec<Formula> {
    let there = |name: &str| space.rows(name, Known::is_there);
    let truth = |name: &str| space.rows(name, |value| *value == Known::Bool(true));
    let is_unknown = |name: &str| space.rows(name, |value| *value == Known::Word("UNKNOWN"));
    let mut laws = Vec::new();
    let fields = space.variables.iter().filter(|variable| matches!(variable.of, Of::Term(Node::Field(_) | Node::Column(..)) | Of::Class));
    for name in fields.flat_map(|variable| &variable.columns) {
        if let Some((record @ ("account" | "offer" | "referral"), _)) = name.split_once('.') {
            laws.push(then(there(name), there(record)));
        }
    }
    laws.push(then(there("account"), there("account.domain")));
    laws.push(then(there("offer"), there("offer.publisher_id")));
    laws.push(then(there("offer"), there("offer.offer_id")));
    laws.push(then(there("offer"), Formula::all([there("publisher_id"), there("offer_id")])));

    let domain = there("contact.email_domain");
    laws.extend(both(&domain, &is_unknown("contact.email_kind").not()));
    laws.push(then(domain.clone(), there("contact.email")));
    laws.push(then(domain.clone(), truth("reachable")));
    laws.push(then(truth("own_domain"), domain.clone()));
    laws.push(then(there("account.domain"), domain.clone()));
    laws.push(then(there("account"), domain.clone()));
    laws.push(then(Formula::all([truth("reachable"), domain.not()]), there("contact.phone_raw")));
    laws.push(then(there("contact.phone_e164"), there("contact.phone_raw")));
    laws.extend(both(&there("contact.title"), &is_unknown("contact.seniority").not()));
    laws.push(then(there("contact.country"), there("contact.country_raw")));
    let policy = &space.rules.policy;
    if policy.own_domains.is_empty() {
        laws.push(truth("own_domain").not());
    }
    // Of texts that are written somewhere it is known whether they are one's own.
    let own = space.rows("contact.email_domain", |value| matches!(value, Known::Text(text) if policy.is_own_domain(text)));
    let not_own = space.rows("contact.email_domain", |value| matches!(value, Known::Text(text) if !policy.is_own_domain(text)));
    laws.push(then(own, truth("own_domain")));
    laws.push(then(not_own, truth("own_domain").not()));
    laws
}

fn of_the_decision(space: &Space<'_>) -> Vec<Formula> {
    let rules = space.rules;
    let qualified = space.is("verdict", "QUALIFIED");
    let reason = |name: &str| space.rows(&name_of_reason(name), |value| *value == Known::Bool(true));
    let gates: Vec<(&str, Formula)> = rules.gates.iter().map(|gate| (gate.reason.as_str(), space.gate(gate))).collect();
    let mut laws = Vec::new();
    for (name, gate) in &gates {
        laws.push(then(gate.clone(), qualified.clone().not()));
        laws.push(then(gate.clone(), reason(name)));
        laws.push(then(gate.clone(), reason(LOW_SCORE).not()));
    }
    for name in rules.reasons() {
        laws.push(then(qualified.clone(), reason(name).not()));
        if name != LOW_SCORE && gates.len() <= MOST_GATES {
            laws.push(then(reason(name), Formula::any(gates.iter().filter(|(of, _)| *of == name).map(|(_, gate)| gate.clone()))));
        }
    }
    if gates.len() <= MOST_GATES {
        laws.push(then(qualified.clone().not(), Formula::any(rules.reasons().map(reason))));
    }
    let reaches = |storefront: &Storefront| {
        let least = rules.scoring.threshold(*storefront);
        Formula::all([space.is("storefront", storefront.name()), space.total_from(least)])
    };
    let enough = Formula::any(Storefront::ALL.iter().map(reaches));
    laws.push(then(qualified, enough.clone()));
    laws.push(then(reason(LOW_SCORE), enough.not()));

    let campaign = |id: Option<&str>| {
        space.rows("marketing_campaign", |value| match (value, id) {
            (Known::Text(text), Some(id)) => **text == *id,
            (Known::Null, None) => true,
            _ => false,
        })
    };
    if space.variables.iter().any(|variable| matches!(variable.of, Of::Campaign)) {
        for rule in &rules.campaigns {
            let holds = space.campaign(rule);
            laws.push(then(campaign(Some(&rule.id)), holds.clone()));
            laws.push(then(holds, campaign(None).not()));
        }
    }
    laws
}

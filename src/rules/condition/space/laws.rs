//! What holds of every lead, whatever the conditions: how fields hang together, and what the rules themselves make of a lead. Each
//! law is certain; where it is not, there is none.

use std::collections::BTreeSet;

use super::{
    super::tree::{Comparison, Node},
    Space,
    formula::{AskedOfText, Formula},
    question::{self, Test, flag_name},
    unlisted::Feature,
    values::{self, Known},
    variables::{Of, name_of_reason, pair_passes},
};
use crate::{
    lead::{EmailKind, Flag, Storefront, Vocabulary},
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

/// How late an event was received, as conditions may ask for it, and whether it is turned round there.
pub(super) fn delays() -> [(String, bool); 2] {
    let name = |one, other| question::difference_name(one, other);
    [(name("received_at", "event_time"), false), (name("event_time", "received_at"), true)]
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
    let flag = |flag: Flag| truth(&flag_name(flag.name()));
    laws.extend(both(&flag(Flag::EduDomain), &space.is("contact.email_kind", EmailKind::Edu.name())));
    laws.extend(both(&flag(Flag::EmailInvalid), &Formula::all([there("contact.email"), there("contact.email_domain").not()])));
    laws.extend(both(&flag(Flag::CountryUnknown), &Formula::all([there("contact.country_raw"), there("contact.country").not()])));
    laws.extend(both(&flag(Flag::PhoneUnverifiable), &Formula::all([there("contact.phone_raw"), there("contact.phone_e164").not()])));
    let late_after = space.rules.policy.late_after;
    for (name, turned) in delays() {
        let is_late = |value: &Known| value.rank().is_some_and(|micros| if turned { -micros } else { micros } > late_after);
        laws.extend(both(&flag(Flag::LateDelivery), &space.rows(&name, is_late)));
        // How the two times stand to each other, and what lies between them.
        let (pair, how) = question::pair_name("event_time", "received_at", Comparison::Less);
        let follows = |value: &Known| value.rank().is_some_and(|micros| if turned { micros < 0 } else { micros > 0 });
        laws.extend(both(&space.rows(&pair, |standing| pair_passes(how, standing)), &space.rows(&name, follows)));
        let is_same = |value: &Known| value.rank() == Some(0);
        laws.extend(both(&space.rows(&pair, |standing| pair_passes(Comparison::Equal, standing)), &space.rows(&name, is_same)));
    }
    let policy = &space.rules.policy;
    if policy.own_domains.is_empty() {
        laws.push(truth("own_domain").not());
    }
    // Of texts that are written somewhere it is known whether they are one's own.
    let own = space.rows("contact.email_domain", |value| matches!(value, Known::Text(text) if policy.is_own_domain(text)));
    let not_own = space.rows("contact.email_domain", |value| matches!(value, Known::Text(text) if !policy.is_own_domain(text)));
    laws.push(then(own, truth("own_domain")));
    laws.push(then(not_own, truth("own_domain").not()));
    laws.extend(of_sizes(space));
    laws
}

/// How long texts are: those that are written somewhere, those that begin or end with something, and what is missing.
fn of_sizes(space: &Space<'_>) -> Vec<Formula> {
    let mut laws = Vec::new();
    for sizes in &space.variables {
        let (Of::Term(Node::Size(of)), Some(size)) = (sizes.of, sizes.columns.first()) else { continue };
        let name = question::name(of);
        let found = space.columns.get(&name).and_then(|(at, column)| Some((*at, *column, space.variables.get(*at)?)));
        let (Some((at, column, texts)), Node::Field(_) | Node::Column(..)) = (found, &**of) else { continue };
        let there = space.rows(&name, Known::is_there);
        laws.extend(both(&there, &space.rows(size, |value| value.rank().is_some())));
        if values::is_never_empty(of) {
            laws.push(then(there, space.rows(size, |value| value.rank().is_some_and(|size| size > 0))));
        }
        // A row stands for all sizes up to the next one.
        let standing_for = |letters: usize| sizes.row_with(&Known::Int(i64::try_from(letters).unwrap_or(i64::MAX)));
        let of_row = |row: &Vec<Known>| match row.get(column) {
            Some(Known::Text(text)) => Some(text.chars().count()),
            _ => None,
        };
        for letters in texts.rows.iter().filter_map(of_row).collect::<BTreeSet<_>>() {
            let Some(row) = standing_for(letters) else { continue };
            let of_this = space.rows(&name, |value| matches!(value, Known::Text(text) if text.chars().count() == letters));
            laws.push(then(
                of_this,
                sizes.rows.get(row).map_or(Formula::Maybe, |row| space.rows(size, |value| row.first() == Some(value))),
            ));
        }
        for (feature, known) in texts.features.iter().enumerate() {
            let (Feature::Part { how, part, lowered: false }, Some(unlisted)) = (known, texts.unlisted) else { continue };
            let Some(least) = standing_for(part.chars().count()).and_then(|row| sizes.rows.get(row)?.first()?.rank()) else { continue };
            let mut rows = texts.rows_where(column, |value| Test::Text(*how, part).passes(value.value()));
            rows.put(unlisted, true);
            let has = Formula::Text(AskedOfText { variable: at, rows, feature, has: true });
            laws.push(then(has, space.rows(size, |value| value.rank().is_some_and(|size| size >= least))));
        }
    }
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
    // Whoever does not qualify has a reason, and nobody else has.
    let none = space.rows(&question::size_name("reasons"), |value| value.rank() == Some(0));
    laws.extend(both(&space.is("verdict", "QUALIFIED"), &none));

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

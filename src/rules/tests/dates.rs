//! Entries with dates, by the event's time and no other; owners; thresholds and routes that depend on the storefront or verdict.

use std::sync::LazyLock;

use super::*;
use crate::{
    lead::{Decision, Facts, Flag, ListingOption, OfferType, Timestamp, Vocabulary as _},
    pipeline::{NoTrace, decide},
    rules::sample,
    tables::Offer,
};

fn extending(body: &str) -> Ruleset {
    Ruleset::parse(&format!("[ruleset]\nname = 'a'\nversion = '1'\nextends = 'default'\n{body}"))
        .unwrap_or_else(|found| panic!("{found:?}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

const MARCH: &str = "from = '2026-03-01T00:00:00Z'\nuntil = '2026-04-01T00:00:00+02:00'\n";

/// What `told` says of a lead before March, at its first and last microsecond, and after it.
fn around_march(rules: &Ruleset, facts: &Facts<'static>, told: impl Fn(&Decision<'_>) -> String) -> Vec<String> {
    ["2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2026-03-31T21:59:59.999999Z", "2026-03-31T22:00:00Z"]
        .map(|time| {
            let mut facts = facts.clone();
            facts.event_time = at(time);
            told(&decide(&facts, rules, &mut NoTrace))
        })
        .into()
}

fn lead(source: &'static str) -> Facts<'static> {
    let mut facts = sample::facts();
    facts.source_raw = Some(source.into());
    facts
}

#[test]
fn a_gate_and_a_score_rule_hold_within_their_dates() {
    let gate = extending(&format!("[[gate]]\nid = 'g'\nwhen = 'true'\nreason = 'fair'\n{MARCH}"));
    let reasons = |decision: &Decision<'_>| decision.qualified.reasons.join(" ");
    assert_eq!(around_march(&gate, &lead("SPZA-PLT"), reasons), ["", "fair", "fair", ""]);
    let score = extending(&format!("[[score.rule]]\nid = 's'\npart = 'fit'\npoints = 7\nwhen = 'true'\n{MARCH}"));
    let total = |decision: &Decision<'_>| decision.qualified.score.total.to_string();
    assert_eq!(around_march(&score, &lead("SPZA-PLT"), total), ["35", "42", "42", "35"]);
}

#[test]
fn a_campaign_a_route_and_a_clock_are_in_force_within_their_dates() {
    let rules = extending(&format!(
        "[[campaign]]\nid = 'spring'\n{MARCH}[[route]]\nid = 'r'\ndestination = 'FAIR'\nclock = 'fair'\n[[route]]\nid = 'dated'\n\
         destination = 'DATED'\nstop = true\n{MARCH}[clock.fair]\nhot = '1h'\n{MARCH}"
    ));
    let told = |decision: &Decision<'_>| {
        let routes = decision.routes.iter().map(|route| route.destination).collect::<Vec<_>>().join(" ");
        let hot = decision.routes[0].hot_until.expect("a clock").micros() - decision.facts.event_time.micros();
        format!("{} {routes} {}h", decision.marketing_campaign.as_deref().unwrap_or("-"), hot / 3_600_000_000)
    };
    // Out of its time the clock named gives way to the default one.
    let (without, within) = ("- FAIR PUBLISHER_CRM MICROSOFT_FIELD_SELLER_CRM 72h", "spring FAIR DATED 1h");
    assert_eq!(around_march(&rules, &lead("SPZA-PLT"), told), [without, within, within, without]);
    let none = extending(&format!("[clock.default]\n{MARCH}"));
    let clocks = |decision: &Decision<'_>| decision.routes[0].hot_until.is_some().to_string();
    assert_eq!(around_march(&none, &lead("SPZA-PLT"), clocks), ["false", "true", "true", "false"]);
}

/// One that is sold.
static OFFER: LazyLock<Offer> =
    LazyLock::new(|| Offer { offer_type: Some(OfferType::Saas), listing_option: Some(ListingOption::Transact), ..Offer::default() });

#[test]
fn rows_of_tables_are_there_within_their_dates() {
    let told = |decision: &Decision<'_>| {
        let class = &decision.class;
        let flags: Vec<_> = decision.flags().iter().map(Flag::name).filter(|flag| *flag != "late_delivery").collect();
        format!("{:?} {:?} {:?} {:?} {}", class.storefront, class.action, class.campaign, class.listing, flags.join(" "))
    };
    let of = |body: &str| {
        let mut facts = lead("New-Buy");
        facts.offer.row = Some(&OFFER);
        around_march(&extending(body), &facts, told)
    };
    let tables = "[source.New]\nstorefront = 'APP_SOURCE'\nD1\n[action.Buy]\naction = 'INSTALL'\nD2\n[offer_type.saas]\nD3\n[storefront.APP_SOURCE]\nD4\n";
    let with = |dated: &str| {
        let body = ["D1", "D2", "D3", "D4"]
            .iter()
            .fold(tables.to_owned(), |body, mark| body.replace(mark, if *mark == dated { MARCH } else { "" }));
        of(&body)
    };
    let always = "AppSource Install Nurture App ";
    assert_eq!(with(""), [always; 4]);
    for (dated, otherwise) in [
        ("D1", "Unknown Install Unclassified App storefront_unresolved unknown_source"),
        ("D2", "AppSource Unknown Nurture App unknown_action"),
        ("D3", "AppSource Install Nurture Unknown "),
        ("D4", "AppSource Install Unclassified App "),
    ] {
        assert_eq!(with(dated), [otherwise, always, always, otherwise], "{dated}");
    }
    let storefront = extending(&format!("[storefront.APP_SOURCE]\n{MARCH}"));
    let routes = |decision: &Decision<'_>| decision.routes.len().to_string();
    assert_eq!(around_march(&storefront, &lead("SPZA-PLT"), routes), ["0", "2", "2", "0"]);
}

#[test]
fn dates_that_never_come_are_told_on_every_kind_of_entry() {
    let dates = "from = '2026-03-01T00:00:00Z'\nuntil = '2026-03-01T01:00:00+01:00'\n";
    for (entry, line) in [
        ("[[gate]]\nid = 'x'\nwhen = 'true'\nreason = 'x'\n", 10),
        ("[[score.rule]]\nid = 'x'\nwhen = 'true'\npart = 'fit'\npoints = 1\n", 11),
        ("[[campaign]]\nid = 'x'\n", 8),
        ("[[route]]\nid = 'x'\ndestination = 'X'\n", 9),
        ("[clock.x]\n", 7),
        ("[source.x]\n", 7),
        ("[action.x]\naction = 'CREATE'\n", 8),
        ("[offer_type.saas]\nstorefronts = []\n", 8),
        ("[storefront.UNKNOWN]\n", 7),
    ] {
        let text = format!("[ruleset]\nname = 'a'\nversion = '1'\n\n{entry}{dates}");
        assert_eq!(problems(&text), [format!("{line}:9 invalid_value until must come after from")], "{entry}");
    }
}

#[test]
fn a_route_has_one_of_the_owners_where_they_are_listed() {
    let route = "[[route]]\nid = 'r'\ndestination = 'X'\nowner = 'team-emae'\n";
    assert!(Ruleset::parse(&format!("[ruleset]\nname = 'a'\nversion = '1'\n{route}")).is_ok());
    let owners = "[owner.team-emea]\nname = 'Team EMEA'\ncontact = 'emea@acme.example'\n";
    let found = Ruleset::parse(&format!("[ruleset]\nname = 'a'\nversion = '1'\n{route}{owners}")).err().unwrap_or_default();
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["error: 7:9: there is no [owner.team-emae]\n  | owner = 'team-emae'\n  |         ^^^^^^^^^^^\n  = did you mean \"team-emea\"?"]
    );
    let rules = extending(&format!("{}{owners}", route.replace("emae", "emea")));
    assert_eq!(decide(&lead("SPZA-PLT"), &rules, &mut NoTrace).routes[0].owner, Some("team-emea"));
    assert_eq!(problems_of("[owner.x]\nname = ''\nmail = 'y'").len(), 2);
}

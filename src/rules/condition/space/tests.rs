//! Of the space of leads: its classes are those that the pipeline makes, no more and no fewer than can be known.

use super::*;
use crate::{
    lead::{ListingOption, OfferType, Origin, Vocabulary},
    pipeline::{NoTrace, decide},
    rules::{DEFAULT, sample},
    tables::Offer,
};

const WITH_DATES: &str = "[source.fair]\nstorefront = 'APP_SOURCE'\nchannel = 'PARTNER_CENTER'\nuntil = 2026-01-01T00:00:00Z\n\
    [[gate]]\nid = 'all'\nreason = 'r'\nwhen = '''\n\
    origin == \"CO_SELL\" || channel == \"WEB\" || campaign == \"NURTURE\" || audience == \"UNKNOWN\" || listing == \"APP\" || stage == \"TRIAL\" || \
    confidence == \"LOW\" || consent.contact == \"DENIED\" || has(offer) || offer.offer_type == \"saas\" || offer.listing_option == \"list\" || \
    \"storefront_inferred\" in flags || \"storefront_unresolved\" in flags'''\n";

/// What is told of a class, and of a lead's.
fn line(values: impl Iterator<Item = Known>) -> String {
    format!("{:?}", values.collect::<Vec<_>>())
}

#[test]
fn the_classes_are_those_that_leads_have() {
    let text = format!("{DEFAULT}{WITH_DATES}").replace("[offer_type.saas]", "[offer_type.saas]\nfrom = 2026-01-01T00:00:00Z");
    let text = text.replace("[storefront.APP_SOURCE]", "[storefront.APP_SOURCE]\nfrom = 2026-06-01T00:00:00Z");
    let rules = Ruleset::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let space = Space::new(&rules, sample::noon());
    let known: std::collections::BTreeSet<String> =
        space.classes.iter().map(|class| line(classes::COLUMNS.iter().map(|column| class.value(column)))).collect();
    let mut seen = std::collections::BTreeSet::new();
    let types = OfferType::ALL.iter().copied().map(Some).chain([None]);
    let rows = types.flat_map(|offer_type| {
        ListingOption::ALL.iter().copied().map(Some).chain([None]).map(move |listing_option| Offer {
            offer_type,
            listing_option,
            ..Offer::default()
        })
    });
    let rows: Vec<Option<Offer>> = rows.map(Some).chain([None]).collect();
    for origin in Origin::ALL.iter().copied() {
        for source in ["", "SPZA", "AzureMarketplace", "AzurePortal", "TestDrive", "fair", "other"] {
            for code in ["", "INS", "PLT", "DNC", "Create", "StartTestDrive", "other"] {
                for (at, row) in rows.iter().enumerate() {
                    let mut facts = sample::facts();
                    facts.origin = origin;
                    facts.source_raw = (!source.is_empty()).then(|| source.into());
                    facts.action_raw = (!code.is_empty()).then(|| code.into());
                    facts.offer.row = row.as_ref();
                    facts.consent.contact = crate::lead::Consent::ALL[at % 3];
                    let times = ["2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-11-01T00:00:00Z"];
                    facts.event_time = Timestamp::parse(times[(at + code.len()) % 3]).expect("a time");
                    let class = decide(&facts, &rules, &mut NoTrace).class;
                    let subject = crate::rules::Subject {
                        facts: &facts,
                        class: &class,
                        policy: &rules.policy,
                        qualified: None,
                        marketing_campaign: None,
                    };
                    let value = |column: &&str| match column.split_once(" in flags") {
                        Some((flag, _)) => Known::Bool(class.flags.iter().any(|set| format!("{:?}", set.name()) == flag)),
                        None => match (super::super::fields::find(column).expect(column).read)(&subject) {
                            super::super::fields::Value::Text(text) => Known::Word(text.to_owned().leak()),
                            other => Known::of(other),
                        },
                    };
                    let line = line(classes::COLUMNS.iter().map(value));
                    assert!(known.contains(&line), "{line}\n{facts:?}");
                    seen.insert(line);
                }
            }
        }
    }
    // Of consents and times each lead here has one of three.
    assert!(known.len() < seen.len() * 9, "{} {}", known.len(), seen.len());
}

#[test]
fn what_is_not_the_same_has_another_name() {
    let names = |text: &str| {
        let condition = Condition::parse(text, crate::rules::condition::Sight::Routed).unwrap_or_else(|faults| panic!("{faults:?}"));
        question::name(&condition.0)
    };
    for (one, other) in [
        ("event_time.getHours(\"Europe/Berlin\") == 1", "event_time.getHours(\"Europe/Paris\") == 1"),
        ("event_time.getHours(\"+02:00\") == 1", "event_time.getHours(\"+03:00\") == 1"),
        ("event_time.getHours() == 1", "event_time.getHours(\"UTC\") == 1"),
        ("note.matches(\"a\")", "note.matches(\"(?i)a\")"),
        ("size(note) == 1", "size(extra) == 1"),
        ("attribution.x == \"1\"", "extra.x == \"1\""),
        ("account.x == \"1\"", "offer.x == \"1\""),
        ("flags.exists(f, f == \"edu_domain\")", "flags.all(f, f == \"edu_domain\")"),
        ("referral.deal_value == 0.0", "referral.deal_value == -0.0"),
        ("received_at - event_time > duration(\"1s\")", "event_time - received_at > duration(\"1s\")"),
    ] {
        assert_ne!(names(one), names(other));
    }
}

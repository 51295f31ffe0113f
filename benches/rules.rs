//! What a lead costs under rulesets of many rules, and what it costs to load them (the figures of `docs/rules.md`). Run it with
//! `cargo bench --no-default-features --bench rules`. Tests nothing.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used)]

use std::{fmt::Write, hint::black_box, time::Duration};

use criterion::{Criterion, SamplingMode};
use leadstream::{
    io::Batch,
    lead::{Facts, Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, Limits, Memory, NoTrace, PersonKey, Pipeline, Trace},
    rules::{DEFAULT, Ruleset},
    tables::{TableForm, Tables},
};

const LEAD: &str = r#"{
    "userDetails": {
        "firstName": "Ada", "lastName": "Brandt", "email": "ada.brandt@cedar-labs.example", "phone": "14255550123",
        "country": "DE", "company": "Cedar Labs GmbH", "title": "CTO"
    },
    "leadSource": "SPZA-INS|cedar.planner",
    "description": "?utm_source=web&utm_campaign=Spring"
}"#;

const SIZES: [usize; 5] = [10, 100, 1_000, 2_000, 10_000];

/// A kind of condition, and how it is written for the rule of a number.
type Kind = (&'static str, fn(usize) -> String);

const KINDS: [Kind; 7] = [
    ("one offer each", |number| format!("offer_id == \"offer-{number}\"")),
    ("a country", |number| format!("contact.country == \"{}\"", country(number))),
    ("an owner out of 500", |number| format!("account.owner == \"owner-{}\"", number % 500)),
    ("a seniority", |number| format!("contact.seniority == \"{}\"", SENIORITIES[number % SENIORITIES.len()])),
    ("a storefront and a country", |number| {
        format!("storefront == \"{}\" && contact.country == \"{}\"", STOREFRONTS[number % 2], country(number / 2))
    }),
    ("four fixed lists", |number| {
        let (storefront, action) = (STOREFRONTS[number % 2], ACTIONS[number / 2 % ACTIONS.len()]);
        let (region, seniority) = (REGIONS[number / 10 % REGIONS.len()], SENIORITIES[number / 30 % SENIORITIES.len()]);
        format!(
            "storefront == \"{storefront}\" && action == \"{action}\" && contact.region == \"{region}\" && contact.seniority == \"{seniority}\" && score.total >= {number}"
        )
    }),
    ("no equality", |number| format!("contact.company.startsWith(\"company {number} \")")),
];

const STOREFRONTS: [&str; 2] = ["APP_SOURCE", "AZURE_MARKETPLACE"];
const ACTIONS: [&str; 5] = ["INSTALL", "CONTACT_ME", "DO_NOT_CONTACT", "CREATE", "START_TEST_DRIVE"];
const REGIONS: [&str; 3] = ["EMEA", "AMER", "APAC"];
const SENIORITIES: [&str; 6] = ["C_LEVEL", "VP", "DIRECTOR", "MANAGER", "STAFF", "UNKNOWN"];

/// One of 250 codes: as many as there are countries.
fn country(number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number % 25).expect("a letter"));
    [letter(number / 25 % 10), letter(number)].iter().collect()
}

/// So many routes to one destination, of which few hold.
fn ruleset(rules: usize, condition: fn(usize) -> String) -> String {
    let mut text = "[ruleset]\nname = \"many\"\nversion = \"1\"\nextends = \"default\"\n".to_owned();
    for number in 0..rules {
        writeln!(text, "[[route]]\nid = \"r{number}\"\nwhen = '{}'\ndestination = \"PUBLISHER_CRM\"", condition(number)).expect("memory");
    }
    text
}

/// Wants to be told of everything, and forgets it: each rule is asked.
struct Everything;

impl Trace for Everything {}

fn pipeline(rules: Ruleset) -> Pipeline {
    let mut tables = Tables::default();
    assert_eq!(tables.add("accounts", TableForm::Csv, "domain,name,owner\ncedar-labs.example,Cedar Labs,owner-17\n"), []);
    Pipeline { rules, tables, limits: Limits::default(), person_key: PersonKey::default(), encoding: EncodeSettings::default() }
}

/// The lead, as it is read before any rule is asked.
fn with_facts(pipeline: &Pipeline, then: impl FnOnce(&Facts<'_>)) {
    let mut batch = Batch::default();
    let at = Position { partition: Partition { topic: "leads.raw".into(), number: 0 }, offset: 0 };
    let received_at = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    batch.push(at, received_at, None, Some(LEAD.as_bytes()), std::iter::empty());
    let facts = pipeline::read(&batch.get(0).expect("pushed"), pipeline, &mut Memory::default()).expect("a lead");
    then(&facts[0]);
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let built_in = pipeline(Ruleset::parse(DEFAULT).expect("the built-in ruleset"));
    let mut group = criterion.benchmark_group("decide");
    with_facts(&built_in, |facts| {
        group.bench_function("built-in ruleset", |bencher| {
            bencher.iter(|| pipeline::decide(black_box(facts), &built_in.rules, &mut NoTrace).routes.len());
        });
    });
    group.finish();

    for (kind, condition) in KINDS {
        let mut group = criterion.benchmark_group(kind);
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600)).sample_size(20);
        for size in SIZES {
            // The built-in ruleset has rules of its own.
            let size = size.min(9_900);
            let pipeline = pipeline(Ruleset::parse(&ruleset(size, condition)).expect("a ruleset"));
            with_facts(&pipeline, |facts| {
                group.bench_function(size.to_string(), |bencher| {
                    bencher.iter(|| pipeline::decide(black_box(facts), &pipeline.rules, &mut NoTrace).routes.len());
                });
                group.bench_function(format!("{size}, each asked"), |bencher| {
                    bencher.iter(|| pipeline::decide(black_box(facts), &pipeline.rules, &mut Everything).routes.len());
                });
            });
        }
        group.finish();
    }

    let mut group = criterion.benchmark_group("load");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(5));
    for size in [2_000, 9_900] {
        for (kind, condition) in [KINDS[0], KINDS[5]] {
            let text = ruleset(size, condition);
            group.bench_function(format!("{size} of {kind}"), |bencher| bencher.iter(|| Ruleset::parse(black_box(&text)).is_ok()));
        }
    }
    group.finish();
    criterion.final_summary();
}

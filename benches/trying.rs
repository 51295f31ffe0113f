//! What a lead costs with rulesets on trial beside the live one (the figures of `docs/trying.md`): read, decided and encoded with
//! no, one and eight shadows, and with a canary's split. Run it with `cargo bench --no-default-features --bench trying`. Tests
//! nothing.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used)]

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use leadstream::{
    io::{Batch, ShadowTally, Tally},
    lead::{Outcome, Partition, Position, Timestamp},
    pipeline::{self, Canary, EncodeSettings, Limits, Memory, NoTrace, OutputBuffer, PersonKey, Pipeline, Share, Split},
    rules::{DEFAULT, Ruleset},
    tables::Tables,
};

/// As many leads as a batch of a busy lane has.
const LEADS: usize = 1_000;

fn lead(number: usize) -> String {
    let source = ["SPZA-INS|cedar.planner", "AzurePortal-Create|cedar.vm", "SPZA-PLT|cedar.planner"][number % 3];
    let user = format!(
        r#"{{"firstName":"Ada","lastName":"Brandt {number}","email":"ada.brandt{number}@cedar-labs.example","phone":"14255550{:03}","country":"DE","company":"Cedar Labs GmbH","title":"CTO"}}"#,
        number % 1000
    );
    format!(r#"{{"userDetails":{user},"leadSource":"{source}","description":"?utm_source=web&utm_campaign=Spring"}}"#)
}

/// The built-in rules under another name, with one more gate.
fn candidate(number: usize) -> Arc<Ruleset> {
    let text = DEFAULT.replacen("version = \"1\"", &format!("version = \"candidate-{number}\""), 1);
    let gate =
        "[[gate]]\nid = 'more'\nwhen = 'contact.country == \"DE\" && contact.seniority == \"STAFF\"'\nreason = 'country_not_allowed'\n";
    Arc::new(Ruleset::parse(&format!("{text}\n{gate}")).expect("a ruleset"))
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let pipeline = Pipeline {
        rules: Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"),
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::default(),
        encoding: EncodeSettings::default(),
    };
    let received_at = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    let partition = Partition { topic: "leads.raw".into(), number: 0 };
    let mut batch = Batch::default();
    for (number, offset) in (0..LEADS).zip(0..) {
        let at = Position { partition: partition.clone(), offset };
        batch.push(at, received_at, None, Some(lead(number).as_bytes()), std::iter::empty());
    }
    let mut memory = Memory::default();

    let mut group = criterion.benchmark_group("a lead read, decided and encoded");
    group.throughput(Throughput::Elements(LEADS as u64));
    let quarter = Canary { rules: candidate(0), share: Share::of(0.25), stopped: None };
    for (name, shadows, canary) in
        [("no shadow", 0, None), ("1 shadow", 1, None), ("8 shadows", 8, None), ("no shadow, a canary at 25 %", 0, Some(&quarter))]
    {
        let shadows: Vec<_> = (0..shadows).map(candidate).collect();
        let (mut tally, mut out) = (Tally::default(), OutputBuffer::default());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                tally.clear();
                out.begin(received_at);
                for (index, record) in batch.iter().enumerate() {
                    out.begin_record(index);
                    let facts = pipeline::read(&record, &pipeline, &mut memory);
                    pipeline::conclude(&facts, &record, &pipeline, canary, &mut out, |outcome| {
                        tally.outcome(outcome);
                        show(outcome, &shadows, &mut tally.shadows);
                    });
                }
                out.len()
            });
        });
    }
    group.finish();

    let facts: Vec<_> = batch.iter().map(|record| pipeline::read(&record, &pipeline, &mut memory).expect("a lead")).collect();
    let half = Share::of(0.5);
    let mut group = criterion.benchmark_group("whose a lead is");
    group.throughput(Throughput::Elements(LEADS as u64));
    let count = || facts.iter().flatten().filter(|lead| half.holds(Split::Shadow, lead)).count();
    group.bench_function("by its hash", |bencher| bencher.iter(count));
    group.finish();
    criterion.final_summary();
}

/// As a lane shows a record to its shadows.
fn show(outcome: &Outcome<'_>, shadows: &[Arc<Ruleset>], tally: &mut ShadowTally) {
    let Outcome::Decided(decisions) = outcome else { return };
    for decision in decisions {
        for rules in shadows {
            tally.compare(decision, &pipeline::decide(decision.facts, rules, &mut NoTrace));
        }
    }
}

//! What Avro costs beside JSON: one lead written as all its events, and one raw lead read, in each form. Run it with
//! `cargo bench --no-default-features --bench encoding`. Tests nothing.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::{hint::black_box, path::Path};

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use leadstream::{
    io::Batch,
    lead::{Outcome, Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, EventFormat, Limits, Memory, NoTrace, OutputBuffer, OutputTopic, PersonKey, Pipeline},
    rules::{DEFAULT, Ruleset},
    tables::Tables,
};

fn pipeline(format: EventFormat) -> Pipeline {
    Pipeline {
        rules: Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"),
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::default(),
        encoding: EncodeSettings { formats: [format; OutputTopic::COUNT], ..EncodeSettings::default() },
    }
}

fn batch(golden: &str) -> Batch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(golden);
    let value = std::fs::read(path).expect("a golden lead");
    let mut batch = Batch::default();
    let at = Position { partition: Partition { topic: "leads.raw".into(), number: 3 }, offset: 42 };
    batch.push(at, Timestamp::from_millis(1_793_523_600_000), None, Some(&value), std::iter::empty());
    batch
}

/// Writing alone: the events of one decision, a verdict and two routes.
fn write(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, format: EventFormat) {
    let (pipeline, batch) = (pipeline(format), batch("raw-lead-avro/input.avro"));
    let record = batch.get(0).expect("just pushed");
    let facts = pipeline::read(&record, &pipeline, &mut Memory::default()).expect("a lead");
    let decided = facts.iter().map(|facts| pipeline::decide(facts, &pipeline.rules, &mut NoTrace)).collect();
    let outcome = Outcome::Decided(decided);
    let mut out = OutputBuffer::default();
    pipeline::encode(&outcome, &record, &pipeline, &mut out).expect("within bounds");
    println!("{name}: {} events, {} bytes", out.len(), out.bytes());
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.begin(Timestamp::default());
            pipeline::encode(black_box(&outcome), &record, &pipeline, &mut out).expect("within bounds");
        });
    });
}

/// Reading alone: the same customer in Avro and in the JSON of the HTTPS endpoint, her number seen before.
fn read(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, golden: &str) {
    let (pipeline, batch) = (pipeline(EventFormat::Json), batch(golden));
    let record = batch.get(0).expect("just pushed");
    let mut memory = Memory::default();
    group.bench_function(name, |bencher| {
        bencher.iter(|| black_box(pipeline::read(black_box(&record), &pipeline, &mut memory).expect("a lead")).len());
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("encode");
    write(&mut group, "json", EventFormat::Json);
    write(&mut group, "avro", EventFormat::Confluent(7));
    group.finish();
    let mut group = criterion.benchmark_group("read");
    read(&mut group, "https_json", "app-source-contact-me/input.json");
    read(&mut group, "raw_lead", "raw-lead-avro/input.avro");
    group.finish();
}

//! What a condition costs once it is compiled, beside the interpreter of the `cel` crate on the same lead, and what it costs to
//! compile one. Run it with `cargo bench --no-default-features --bench conditions`. Tests nothing.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used)]

use std::{collections::HashMap, hint::black_box, sync::Arc, time::Duration};

use cel::{Context, Env, Value, extensions};
use criterion::Criterion;
use leadstream::{
    io::Batch,
    lead::{Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, Limits, Memory, NoTrace, PersonKey, Pipeline},
    rules::{Condition, DEFAULT, Ruleset},
    tables::Tables,
};
use serde_json::Value as Json;

const LEAD: &str = r#"{
    "userDetails": {
        "firstName": "Ada", "lastName": "Brandt", "email": "ada.brandt@cedar-labs.example", "phone": "14255550123",
        "country": "DE", "company": "Cedar Labs GmbH", "title": "CTO"
    },
    "leadSource": "SPZA-INS|cedar.planner",
    "description": "?utm_source=web&utm_campaign=Spring"
}"#;

/// From what most rules ask to what few do.
const CONDITIONS: [&str; 14] = [
    "is_test",
    r#"storefront == "APP_SOURCE""#,
    r#"contact.country == "US""#,
    r#"contact.seniority in ["C_LEVEL", "VP"]"#,
    "score.total >= 20",
    "contact.country != null",
    r#"contact.company.startsWith("Cedar")"#,
    r#"attribution["utm_campaign"] == "Spring""#,
    r#"storefront == "APP_SOURCE" && contact.region == "EMEA" && score.total >= 20"#,
    r#"contact.company.lowerAscii() == "cedar labs gmbh""#,
    r#"["GmbH", "AG", "KG"].exists(form, contact.company.endsWith(form))"#,
    r#"received_at - event_time < duration("24h")"#,
    r#"received_at.getHours("Europe/Berlin") < 18"#,
    r#"contact.title.matches("(?i)^(chief|c[a-z]o|vp)\\b")"#,
];

/// A JSON block as the interpreter's values; times by their names.
fn seen(name: &str, value: &Json, environment: &Arc<Env>) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Int(number.as_i64().unwrap_or_default()),
        Json::String(text) if matches!(name, "event_time" | "received_at") => {
            let literal = environment.compile(&format!("timestamp('{text}')")).expect("a time");
            literal.execute(&Context::with_env(Arc::clone(environment))).expect("a time")
        }
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => list.iter().map(|value| seen("", value, environment)).collect::<Vec<_>>().into(),
        Json::Object(object) => {
            let entries = object.iter().map(|(key, value)| (key.clone(), seen(key, value, environment)));
            entries.collect::<HashMap<String, Value>>().into()
        }
    }
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
    let mut batch = Batch::default();
    let at = Position { partition: Partition { topic: "leads.raw".into(), number: 0 }, offset: 0 };
    let received_at = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    batch.push(at, received_at, None, Some(LEAD.as_bytes()), std::iter::empty());
    let facts = pipeline::read(&batch.get(0).expect("pushed"), &pipeline, &mut Memory::default()).expect("a lead");
    let decision = pipeline::decide(&facts[0], &pipeline.rules, &mut NoTrace);

    let mut environment = Env::stdlib();
    environment.add_extension(extensions::strings).expect("the extension of texts");
    let environment = Arc::new(environment);
    let mut block = Vec::new();
    pipeline::explained(&decision, &mut block);
    let block: Json = serde_json::from_slice(&block).expect("JSON");
    let mut context = Context::with_env(Arc::clone(&environment));
    for (name, value) in block.as_object().expect("an object") {
        context.add_variable_from_value(name.as_str(), seen(name, value, &environment));
    }

    for when in CONDITIONS {
        let ours = Condition::of_route(when).expect("a condition");
        let theirs = environment.compile(when).expect("CEL");
        assert_eq!(theirs.execute(&context), Ok(Value::Bool(ours.holds_for(&decision))), "{when}");
        let mut group = criterion.benchmark_group(when);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
        group.bench_function("leadstream", |bencher| bencher.iter(|| black_box(&ours).holds_for(black_box(&decision))));
        group.bench_function("cel", |bencher| bencher.iter(|| black_box(&theirs).execute(black_box(&context))));
        group.finish();
    }

    let all: Vec<Condition> = CONDITIONS[..9].iter().map(|when| Condition::of_route(when).expect("a condition")).collect();
    let theirs: Vec<_> = CONDITIONS[..9].iter().map(|when| environment.compile(when).expect("CEL")).collect();
    let mut group = criterion.benchmark_group("the nine simple ones");
    group.bench_function("leadstream", |bencher| {
        bencher.iter(|| all.iter().filter(|condition| condition.holds_for(black_box(&decision))).count());
    });
    group.bench_function("cel", |bencher| {
        bencher.iter(|| theirs.iter().filter(|theirs| theirs.execute(black_box(&context)) == Ok(Value::Bool(true))).count());
    });
    group.finish();

    let mut group = criterion.benchmark_group("compile");
    group.measurement_time(Duration::from_secs(2));
    for when in [CONDITIONS[1], CONDITIONS[8], CONDITIONS[13]] {
        group.bench_function(when, |bencher| bencher.iter(|| Condition::of_route(black_box(when)).is_ok()));
    }
    group.finish();
    criterion.final_summary();
}

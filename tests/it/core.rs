//! The pure core as the tests here drive it: one record in, its outputs out.

use std::sync::LazyLock;

use leadstream::{
    config::Topics,
    io::Batch,
    lead::{Outcome, Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, Limits, Memory, OutputBuffer, PersonKey, Pipeline},
    rules::{self, Ruleset},
    tables::Tables,
};

/// One output, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) topic: String,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Written {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(found, _)| found == name)?;
        Some(String::from_utf8_lossy(value.as_deref()?).into_owned())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().expect("an event has a value")).expect("an event is JSON")
    }
}

/// The built-in ruleset, no tables, the default limits.
pub(crate) fn pipeline() -> Pipeline {
    Pipeline {
        rules: Ruleset::parse(rules::DEFAULT).expect("the built-in ruleset is good"),
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::default(),
        encoding: EncodeSettings::default(),
    }
}

/// 2026-11-01T09:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-01T09:00:00Z").expect("a time")
}

pub(crate) fn at(offset: i64) -> Position {
    Position { partition: Partition { topic: "leads.raw".into(), number: 3 }, offset }
}

/// Runs one record through the core; tells its outputs and whether it was decided.
pub(crate) fn run(pipeline: &Pipeline, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, &[u8])]) -> (Vec<Written>, bool) {
    run_with(&mut Memory::default(), pipeline, key, value, headers)
}

/// The same with a memory that has seen other records.
pub(crate) fn run_with(
    memory: &mut Memory,
    pipeline: &Pipeline,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(&str, &[u8])],
) -> (Vec<Written>, bool) {
    let mut batch = Batch::default();
    batch.push(at(42), now(), key, value, headers.iter().map(|(name, value)| (*name, Some(*value))));
    let mut out = OutputBuffer::default();
    out.begin(now());
    let mut outcomes = Vec::new();
    let record = batch.get(0).expect("just pushed");
    pipeline::run(&record, pipeline, memory, &mut out, |outcome| outcomes.push(matches!(outcome, Outcome::Decided(_))));
    assert_eq!(outcomes.len(), 1, "one record has one outcome");
    let topics = Topics::default();
    let written = out
        .iter()
        .map(|output| Written {
            topic: topics.name(output.topic).to_owned(),
            key: output.key.map(<[u8]>::to_vec),
            value: output.value.map(<[u8]>::to_vec),
            headers: output.headers.iter().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect(),
        })
        .collect();
    (written, outcomes[0])
}

/// Reading the ruleset takes longer than deciding a thousand leads.
pub(crate) static PIPELINE: LazyLock<Pipeline> = LazyLock::new(pipeline);

/// Runs a value alone.
pub(crate) fn decide(value: &[u8]) -> (Vec<Written>, bool) {
    run(&PIPELINE, None, Some(value), &[])
}

//! What each target does with its bytes: through the public core, and then judged by what the tests hold to be true of every
//! record (`tests/it/invariants.rs`).

#[path = "../../tests/it/invariants.rs"]
mod invariants;

use std::cell::RefCell;

use leadstream::{
    io::Batch,
    lead::{LeadSource, Partition, Position, Timestamp, fold},
    pipeline::{EncodeSettings, Limits, Memory, NoTrace, OutputBuffer, PersonKey, Pipeline, decide, read, run},
    rules::{Condition, DEFAULT, Ruleset},
    tables::Tables,
};

use invariants::{Checker, Input};

thread_local! {
    static CHECKER: RefCell<Checker> = RefCell::new(Checker::new(pipeline()));
}

fn pipeline() -> Pipeline {
    Pipeline {
        rules: Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"),
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::default(),
        encoding: EncodeSettings::default(),
    }
}

/// Decides a record with these headers and this value, and panics where something does not hold.
pub fn record(headers: &[(&str, &[u8])], value: &[u8]) {
    CHECKER.with_borrow_mut(|checker| checker.check(&Input { key: Some(b"key"), value: Some(value), headers }));
}

/// Reads a datum by a registry's schema: twice the same, one outcome, and within bounds.
pub fn by_schema(schema: &str, datum: &[u8]) {
    let pipeline = pipeline();
    let value = [&[0, 0, 0, 0, 7][..], datum].concat();
    let outputs = || {
        let mut memory = Memory::default();
        memory.learn_schema(7, &[schema]);
        let mut batch = Batch::default();
        let at = Position { partition: Partition { topic: "leads.raw".into(), number: 0 }, offset: 0 };
        batch.push(at, Timestamp::from_millis(1_790_000_000_000), None, Some(&value), std::iter::empty());
        let mut out = OutputBuffer::default();
        out.begin(Timestamp::default());
        let mut outcomes = 0;
        run(&batch.get(0).expect("just pushed"), &pipeline, &mut memory, &mut out, |_| outcomes += 1);
        assert_eq!(outcomes, 1);
        out
    };
    let (one, other) = (outputs(), outputs());
    assert!(one.iter().map(|output| output.value).eq(other.iter().map(|output| output.value)));
    assert!(one.bytes() <= one.len() * 16_384 + 64 * value.len(), "{} bytes for {}", one.bytes(), value.len());
}

/// A lead with something in most fields.
const LEAD: &[u8] = br#"{
    "userDetails": {
        "firstName": "Ada", "lastName": "Brandt", "email": "ada.brandt@cedar-labs.example", "phone": "14255550123",
        "country": "DE", "company": "Cedar Labs GmbH", "title": "CTO"
    },
    "leadSource": "SPZA-INS|cedar.planner", "description": "?utm_source=web&utm_campaign=Spring", "seats": 200
}"#;

/// Reads a condition: either there are problems, each within the text and with something to do, or it is true or false of a lead,
/// and the same again.
pub fn condition(text: &str) {
    let condition = match Condition::of_route(text) {
        Ok(condition) => condition,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                let line = text.lines().nth(problem.line - 1).unwrap_or_default();
                assert!(problem.column <= line.chars().count() + 1 && problem.underlined >= 1, "{problem}");
                assert!(problem.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{problem}");
                // A long text is told about in few words.
                assert!(problem.to_string().len() < 4_000 + 8 * text.len().min(4_096), "{problem}");
            }
            return;
        }
    };
    thread_local! {
        static PIPELINE: Pipeline = pipeline();
    }
    PIPELINE.with(|pipeline| {
        let mut batch = Batch::default();
        let at = Position { partition: Partition { topic: "leads.raw".into(), number: 0 }, offset: 0 };
        batch.push(at, Timestamp::from_millis(1_790_000_000_000), None, Some(LEAD), std::iter::empty());
        let facts = read(&batch.get(0).expect("just pushed"), pipeline, &mut Memory::default()).expect("a lead");
        let decision = decide(&facts[0], &pipeline.rules, &mut NoTrace);
        assert_eq!(condition.holds_for(&decision), condition.holds_for(&decision));
    });
}

/// Splits a `LeadSource`, and decides a lead that has it.
pub fn lead_source(text: &str) {
    let LeadSource { left, source, action, offer } = LeadSource::split(text);
    for part in [left, source, action, offer] {
        assert_eq!(part, part.trim());
        let folded = fold(part);
        assert!(!folded.contains(char::is_whitespace) && fold(&folded) == folded, "{part:?} folds to {folded:?}");
    }
    assert!(!left.contains('|') && !action.contains('-'));
    let (before, after) = text.split_once('|').unwrap_or((text, ""));
    assert_eq!((before.trim(), after.trim()), (left, offer));
    assert!(left.starts_with(source) && left.ends_with(action));
    let customer = serde_json::json!({"firstName": "Zqfirst", "lastName": "Zqlast", "email": "zqmail@adatum.example"});
    let lead = serde_json::json!({"userDetails": customer, "leadSource": text});
    record(&[], lead.to_string().as_bytes());
    record(&[], serde_json::json!({"leadSource": text, "actionCode": "DNC", "userDetails": customer}).to_string().as_bytes());
}

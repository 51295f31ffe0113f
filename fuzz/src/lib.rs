//! What each target does with its bytes: through the public core, and then judged by what the tests hold to be true of every
//! record (`tests/it/invariants.rs`).

#[path = "../../tests/it/invariants.rs"]
mod invariants;

use std::cell::RefCell;

use leadstream::{
    lead::{LeadSource, fold},
    pipeline::{EncodeSettings, Limits, PersonKey, Pipeline},
    rules::{DEFAULT, Ruleset},
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

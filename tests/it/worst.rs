//! The worst that a record of the largest size can hold, of everything that is counted, looked for or unwrapped: decided in
//! time, and as `invariants` has it. Slowness that grows with the square of the record shows here.

use std::time::Instant;

use leadstream::pipeline::Limits;

use crate::{
    core::pipeline,
    invariants::{Checker, Input},
    mutations::LONGEST,
};

/// A text as long as a record may be, full of one thing.
fn full_of(before: &str, between: impl Fn(usize) -> String, after: &str) -> String {
    let room = Limits::default().record_bytes - after.len();
    let mut text = before.to_owned();
    for number in 0.. {
        let next = between(number);
        if next.is_empty() || text.len() + next.len() > room {
            break;
        }
        text.push_str(&next);
    }
    text + after
}

/// At most as many leads as a record may hold, between commas.
fn leads(number: usize, lead: &str) -> String {
    match number {
        0 => lead.to_owned(),
        1..10_000 => format!(",{lead}"),
        _ => String::new(),
    }
}

fn comma(number: usize) -> &'static str {
    if number == 0 { "" } else { "," }
}

fn worst() -> Vec<(&'static str, String)> {
    let dnc = r#"{"leadSource":"SPZA-DNC","userDetails":{"firstName":""#;
    let nobody = format!(r#"{{"leadSource":"x","title":"{}"}}"#, "t".repeat(75));
    let referral = r#"{"id":"1","status":"New","substatus":"Received","details":{"notes":"n"}}"#;
    vec![
        ("leads of nobody", full_of("[", |number| leads(number, &nobody), "]")),
        ("a list of referrals", full_of(r#"{"value":["#, |number| leads(number, referral), "]}")),
        ("empty leads", full_of("[", |number| leads(number, "{}"), "]")),
        ("refused leads", full_of("[", |number| leads(number, &format!("{dnc}Jane\"}}}}")), "]")),
        ("unknown keys", full_of(r#"{"leadSource":"x""#, |number| format!(r#","k{number}":{number}"#), "}")),
        ("one key again and again", full_of(r#"{"leadSource":"x""#, |number| format!(r#","leadSource":"{number}""#), "}")),
        ("campaign parameters", full_of(&format!("{dnc}Jane\"}}"), |number| format!(r#","utm_{number}":"x jane""#), "}")),
        ("a name of many words", full_of(dnc, |number| format!("name{number}abcd "), r#""}}"#)),
        ("a name of one letter", full_of(dnc, |_| "a".to_owned(), r#""},"offerTitle":"aaaaaaaaaaaaaaaaaaaaaaaab"}"#)),
        ("a number of many digits", full_of(r#"{"leadSource":"SPZA-DNC","userDetails":{"phone":""#, |_| "1234567 ".to_owned(), r#""}}"#)),
        ("an address of many signs", full_of(r#"{"userDetails":{"email":""#, |_| "@".to_owned(), r#""}}"#)),
        ("a source of pipes and hyphens", full_of(r#"{"leadSource":""#, |_| "-|".to_owned(), r#""}"#)),
        ("a description of parameters", full_of(r#"{"description":"?"#, |number| format!("utm_{number}=%41&"), r#""}"#)),
        ("a description of JSON", full_of(r#"{"description":"{"#, |number| format!(r#"{}\"k{number}\":1"#, comma(number)), r#"}"}"#)),
        ("a customer of escapes", full_of(r#"{"CustomerInfo":""#, |_| r"\\".to_owned(), r#"","LeadSource":"SPZA"}"#)),
        ("brackets that do not close", full_of("", |_| r#"[{"a":"#.to_owned(), "")),
        ("events in events", full_of("", |_| r#"{"specversion":"1","type":"t","source":"s","data":"#.to_owned(), "{}")),
        ("lines", full_of("", |number| if number < 9_000 { format!("{{\"leadSource\":\"{number}\"}}\n") } else { String::new() }, "")),
        ("a form of many fields", full_of("oid=1", |number| format!("&k{number}=%41"), "")),
        ("a form of ampersands", full_of("oid=1", |_| "&".to_owned(), "")),
        ("a form of percents", full_of("oid=1&last_name=", |_| "%".to_owned(), "")),
        ("a form of charsets", full_of("oid=1", |_| "&encoding=Shift_JIS".to_owned(), "")),
        ("forms", full_of("", |number| if number < 9_999 { format!("oid={number}&email=a%40b.example\n") } else { String::new() }, "")),
        ("a team", full_of(r#"{"customerProfile":{"team":["#, |number| format!(r#"{}{{"title":"x"}}"#, comma(number)), "]}}")),
        (
            "an event's attributes",
            full_of(r#"{"specversion":"1.0","type":"t","source":"s","data":{}"#, |number| format!(r#","a{number}":1"#), "}"),
        ),
        ("an event of leads", full_of(r#"{"specversion":"1.0","type":"t","source":"s","data":["#, |number| leads(number, "{}"), "]}")),
    ]
}

#[test]
fn the_worst_that_a_record_can_hold_is_decided_in_time() {
    for (name, value) in worst() {
        let started = Instant::now();
        let seen = Checker::new(pipeline()).check(&Input { value: Some(value.as_bytes()), ..Input::default() });
        let took = started.elapsed();
        println!("{took:>10.1?}  {name}: {} in, {} out, {} leads {}", value.len(), seen.bytes, seen.leads, seen.code);
        assert!(took < LONGEST, "{name} took {took:?}");
    }
}

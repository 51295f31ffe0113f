//! `explain` for a person: goldens of the whole tree, in `tests/fixtures/explain`; and that its JSON says the same. With
//! `LEADSTREAM_BLESS=1` the goldens are written anew.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/explain");

/// Leads by the name of their golden file.
const LEADS: [(&str, &str); 3] = [
    (
        "refused",
        r#"{"userDetails": {"firstName": "Jane", "lastName": "Doe", "email": "jane.doe@gmail.com", "country": "FR", "title": "IT Director"},
            "leadSource": "SPZA-PLT|contoso.crm-app", "offerTitle": "Contoso App", "description": "200 seats"}"#,
    ),
    (
        "routed",
        r#"{"userDetails": {"firstName": "Jane", "email": "jane@adatum.example", "country": "Germany"},
            "leadSource": "AzureMarketplace-INS|contoso.vm?utm_campaign=spring"}"#,
    ),
    ("rejected", r#"{"userDetails": {"firstName": "Jane" "lastName": "Doe"}}"#),
];

fn explain(lead: &str, arguments: &[&str]) -> String {
    let rules = format!("{FOLDER}/ruleset.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(["explain", "--now", "2026-11-01T09:00:00Z", "--rules", &rules]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program");
    child.stdin.take().expect("a pipe").write_all(lead.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The ruleset's hash changes with each letter of the file: it is no part of the golden.
fn without_hash(text: &str) -> String {
    let lines = text.lines().map(|line| if line.contains("└─ ruleset") { "   └─ ruleset     acme/2026.11.1  HASH" } else { line });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn a_person_can_read_why() {
    let mut wrong = Vec::new();
    for (name, lead) in LEADS {
        let (path, shown) = (format!("{FOLDER}/{name}.txt"), without_hash(&explain(lead, &[])));
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&path, &shown).expect("written");
        } else if fs::read_to_string(&path).unwrap_or_default() != shown {
            wrong.push(format!("{path}:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "not as in the golden files:\n{}", wrong.join("\n"));
}

#[test]
fn the_trace_tells_the_same_to_programs() {
    let explained: Value = serde_json::from_str(&explain(LEADS[0].1, &["--json"])).expect("JSON");
    let lead = &explained["trace"]["leads"][0];
    let gate = &lead["gates"][0];
    assert_eq!((&gate["id"], &gate["held"]), (&"country".into(), &true.into()));
    assert_eq!(gate["parts"][0]["parts"][0]["values"][0], serde_json::json!({"field": "contact.country", "is": "\"FR\""}));
    let nearest = &lead["would_qualify"];
    assert_eq!(nearest["gates"][0]["would_need"][0]["want"], "contact.country in [\"US\", \"CA\"]");
    assert_eq!((&nearest["score"]["points"], &lead["threshold"]), (&5.into(), &30.into()));
    let rules = nearest["score"]["rules"].as_array().expect("a list");
    assert!(rules.iter().all(|rule| rule["enough"] == true && rule["points"].as_i64() >= Some(5)), "{rules:?}");
    // What qualifies needs nothing.
    let routed: Value = serde_json::from_str(&explain(LEADS[1].1, &["--json"])).expect("JSON");
    assert_eq!(routed["trace"]["leads"][0]["would_qualify"], Value::Null);
}

#[test]
fn what_would_qualify_a_lead_does() {
    // Each of the score rules that are said to be enough alone, tried.
    let refused = LEADS[0].1.replace("\"FR\"", "\"US\"");
    let verdict = |lead: &str| {
        let explained: Value = serde_json::from_str(&explain(lead, &["--json"])).expect("JSON");
        explained["verdict"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(verdict(&refused), "UNQUALIFIED");
    for (from, to) in [("PLT", "Create"), ("gmail.com", "adatum.example"), ("IT Director", "CEO")] {
        assert_eq!(verdict(&refused.replace(from, to)), "QUALIFIED", "{to}");
    }
}

#[test]
fn nothing_is_proposed_twice_and_what_follows_is_followed() {
    let proposed = |lead: &str| {
        let explained: Value = serde_json::from_str(&explain(lead, &["--json"])).expect("JSON");
        let rules = explained["trace"]["leads"][0]["would_qualify"]["score"]["rules"].as_array().cloned().unwrap_or_default();
        rules.iter().map(|rule| rule["would_need"].to_string()).collect::<Vec<_>>()
    };
    let refused = LEADS[0].1.replace("\"FR\"", "\"US\"");
    let by_action = |proposed: &[String]| proposed.iter().filter(|needs| needs.contains("\"action\"")).count();
    let stated = proposed(&refused);
    assert!(by_action(&stated) > 0, "{stated:?}");
    // An action with which the storefront would be another, and with it the threshold, was tried with all that follows.
    let unknown = proposed(&refused.replace("SPZA", "Elsewhere").replace("AppSource", "Elsewhere"));
    assert!(by_action(&unknown) > 0, "{unknown:?}");
}

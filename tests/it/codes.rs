//! Every code the contract names: told on its page (docs/codes.md), no more and no fewer, and reached from raw bytes through
//! the whole core by a lead that differs from an ordinary one in the one thing the code is about.

use std::{collections::BTreeSet, fs, path::Path};

use leadstream::{
    lead::{DeadLetterCode, Flag, Vocabulary},
    pipeline::Pipeline,
    rules::{DEFAULT, Ruleset},
    tables::TableForm,
};
use serde_json::Value;

use crate::core::{pipeline, run};

/// A storefront lead about which there is nothing to say.
const ORDINARY: &str = r#"{"userDetails":{"firstName":"Jane","lastName":"Doe","email":"jane@adatum.example","phone":"14255550123","country":"US","company":"Adatum","title":"IT Director"},"leadSource":"SPZA-PLT|contoso.app","offerTitle":"Contoso App","description":"Please call"}"#;

/// A referral about which there is nothing to say.
const REFERRAL: &str = r#"{"id":"r-1","createdDateTime":"2026-11-01T08:00:00Z","status":"New","substatus":"Received","type":"Independent","qualification":"Direct","offerId":"contoso.app","customerProfile":{"name":"Adatum","team":[{"firstName":"Jane","email":"jane@adatum.example"}]},"consent":{"consentToContact":true}}"#;

/// A row of the Azure table, seven hours old.
const ROW: &str =
    r#"{"CreatedTime":"2026-11-01T02:00:00Z","CustomerInfo":"{\"Email\":\"jane@adatum.example\"}","LeadSource":"SPZA-PLT|contoso.app"}"#;

/// What is there beside the record.
type Around = fn(&mut Pipeline);

/// A code, the lead it is about, what is around it, and all flags of that lead (for a reason: all reasons).
type Case = (&'static str, String, Around, &'static str);

fn nothing(_: &mut Pipeline) {}

fn virtual_machine(pipeline: &mut Pipeline) {
    let row = r#"{"publisher_id":"contoso","offer_id":"app","offer_type":"virtual_machine"}"#;
    assert!(pipeline.tables.add("offers", TableForm::Ndjson, row).is_empty());
}

fn suppressed(pipeline: &mut Pipeline) {
    let row = r#"{"scope":"domain","domain":"adatum.example"}"#;
    assert!(pipeline.tables.add("suppressions", TableForm::Ndjson, row).is_empty());
}

fn own_domain(pipeline: &mut Pipeline) {
    let rules = DEFAULT.replace("own_domains = []", "own_domains = [\"adatum.example\"]");
    pipeline.rules = Ruleset::parse(&rules).expect("a ruleset");
}

fn countries(pipeline: &mut Pipeline) {
    let gate = "\n[[gate]]\nid = 'country'\nwhen = '!(contact.country in [\"FR\"])'\nreason = 'country_not_allowed'\n";
    pipeline.rules = Ruleset::parse(&format!("{DEFAULT}{gate}")).expect("a ruleset");
}

/// `text` with its only `from` changed.
fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// In the order of the contract.
fn reasons() -> Vec<Case> {
    let source = "SPZA-PLT|contoso.app";
    let state = r#""status":"New","substatus":"Received""#;
    let webhook = r#"{"EventName":"referral-created","ResourceUri":"https://api.example/referrals/1","ResourceName":"referral"}"#;
    let nobody = with(&with(ORDINARY, ",\"title\":\"IT Director\"", ""), "jane@adatum.example", "jane@gmail.com");
    vec![
        ("test_lead", with(ORDINARY, "Jane", "MSFT_TEST_636573304831318844"), nothing, "test_lead"),
        ("do_not_contact", with(ORDINARY, source, "SPZA-DNC|contoso.app"), nothing, "do_not_contact"),
        ("no_contact", "{}".to_owned(), nothing, "no_contact"),
        ("consent_denied", with(REFERRAL, "true", "false"), nothing, "consent_denied"),
        ("spam", with(REFERRAL, "\"id\"", "\"isSpam\":true,\"id\""), nothing, "spam"),
        ("suppressed", ORDINARY.to_owned(), suppressed, "suppressed"),
        ("closed", with(REFERRAL, state, r#""status":"Closed","substatus":"Lost""#), nothing, "closed"),
        ("expired", with(REFERRAL, "\"id\"", "\"expirationDateTime\":\"2026-11-01T09:00:00Z\",\"id\""), nothing, "expired"),
        ("low_score", with(&nobody, source, "SPZA|contoso.app"), nothing, "low_score"),
        ("needs_hydration", webhook.to_owned(), nothing, "needs_hydration"),
        ("own_domain", ORDINARY.to_owned(), own_domain, "own_domain"),
        ("country_not_allowed", ORDINARY.to_owned(), countries, "country_not_allowed"),
    ]
}

/// In the order in which they are written.
fn flags() -> Vec<Case> {
    let source = |to: &str| with(ORDINARY, "SPZA-PLT|contoso.app", to);
    let mail = |to: &str| with(ORDINARY, "jane@adatum.example", to);
    let offer = ",\"offerTitle\":\"Contoso App\"";
    let identity = r#""firstName":"Jane","lastName":"Doe","email":"jane@adatum.example","phone":"14255550123","#;
    let short: Around = |pipeline| pipeline.limits.field_bytes = 20;
    vec![
        ("action_conflict", with(ORDINARY, offer, ",\"actionCode\":\"INS\",\"offerTitle\":\"Contoso App\""), nothing, "action_conflict"),
        ("catalogue_mismatch", ORDINARY.to_owned(), virtual_machine, "catalogue_mismatch"),
        ("consent_unknown", with(REFERRAL, "{\"consentToContact\":true}", "null"), nothing, "consent_unknown"),
        ("country_unknown", with(ORDINARY, "\"US\"", "\"Atlantis\""), nothing, "country_unknown"),
        ("duplicate_key", with(ORDINARY, offer, ",\"LeadSource\":\"SPZA-INS\",\"offerTitle\":\"Contoso App\""), nothing, "duplicate_key"),
        ("edu_domain", mail("jane@adatum-college.edu"), nothing, "edu_domain"),
        ("email_invalid", mail("jane at adatum"), nothing, "email_invalid"),
        ("field_truncated", with(ORDINARY, "Please call", "Please call, any time"), short, "field_truncated"),
        ("impossible_pair", source("SPZA-Create|contoso.app"), nothing, "impossible_pair"),
        ("late_delivery", ROW.to_owned(), nothing, "late_delivery"),
        ("manual_lookup", with(ORDINARY, identity, ""), nothing, "manual_lookup"),
        ("offer_id_missing", source("SPZA-PLT"), nothing, "offer_id_missing"),
        ("offer_missing", with(&source("SPZA-PLT"), offer, ""), nothing, "offer_missing"),
        ("phone_unverifiable", with(ORDINARY, "14255550123", "1234567890"), nothing, "phone_unverifiable"),
        ("redacted", ORDINARY.to_owned(), suppressed, "redacted"),
        ("sample_domain", mail("someone@contoso.com"), nothing, "sample_domain"),
        ("storefront_inferred", source("TestDrive-PLT|contoso.app"), nothing, "storefront_inferred"),
        ("storefront_unresolved", source("TestDrive-StartTestDrive|contoso.app"), nothing, "storefront_unresolved"),
        ("undocumented_pair", source("AzureMarketplace-PLT|contoso.app"), nothing, "undocumented_pair"),
        ("unknown_action", source("SPZA-Frob|contoso.app"), nothing, "unknown_action"),
        ("unknown_source", source("MicrosoftMarketplace-PLT|contoso.app"), nothing, "storefront_inferred unknown_source"),
        ("unparsed_lead_source", source("Fair in May|contoso.app"), nothing, "storefront_unresolved unparsed_lead_source"),
    ]
}

/// In the order of the contract: each with the stage, the record's value, and what is around it.
fn dead_letters() -> Vec<(&'static str, &'static str, Option<&'static [u8]>, Around)> {
    let small: Around = |pipeline| pipeline.limits.record_bytes = 100;
    let flat: Around = |pipeline| pipeline.limits.depth = 2;
    let one: Around = |pipeline| pipeline.limits.leads = 1;
    let tight: Around = |pipeline| pipeline.encoding.largest = [1_000, 1_000, 1_000, 1_000_000, 0];
    let ordinary = ORDINARY.as_bytes();
    vec![
        ("empty_value", "decode", None, nothing),
        ("too_large", "decode", Some(ordinary), small),
        ("not_utf8", "decode", Some(b"{\"leadSource\":\"\xff\"}"), nothing),
        ("malformed_json", "decode", Some(b"{\"leadSource\":"), nothing),
        ("malformed_avro", "decode", Some(b"\xc3\x01\x00"), nothing),
        ("unknown_schema", "decode", Some(b"\x00\x00\x00\x00\x07\x02"), nothing),
        ("unknown_format", "decode", Some(b"{\"status\":\"ok\"}"), nothing),
        ("not_a_lead", "decode", Some(b"[]"), nothing),
        ("too_deep", "decode", Some(b"{\"leadSource\":{\"a\":{}}}"), flat),
        ("too_many_leads", "decode", Some(b"[{},{}]"), one),
        ("output_too_large", "encode", Some(ordinary), tight),
    ]
}

/// The one lead of a record, as published.
fn lead(raw: &str, around: Around) -> Value {
    let mut pipeline = pipeline();
    around(&mut pipeline);
    let (outputs, decided) = run(&pipeline, None, Some(raw.as_bytes()), &[]);
    assert!(decided, "{raw}");
    outputs[0].json()
}

/// The words of a list, with blanks between them.
fn words(list: &Value) -> String {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn codes(cases: &[Case]) -> Vec<&'static str> {
    cases.iter().map(|(code, ..)| *code).collect()
}

#[test]
fn of_ordinary_leads_there_is_nothing_to_say() {
    for raw in [ORDINARY, REFERRAL] {
        let lead = lead(raw, nothing);
        assert_eq!((lead["verdict"].as_str(), &lead["reasons"], &lead["flags"]), (Some("QUALIFIED"), &Value::Null, &Value::Null), "{raw}");
    }
}

#[test]
fn every_reason_is_reached() {
    for (code, raw, around, wanted) in reasons() {
        let lead = lead(&raw, around);
        assert_eq!((lead["verdict"].as_str(), words(&lead["reasons"]).as_str()), (Some("UNQUALIFIED"), wanted), "{code}: {raw}");
        assert!(wanted.split(' ').any(|reason| reason == code));
    }
}

#[test]
fn every_flag_is_reached() {
    for (code, raw, around, wanted) in flags() {
        assert_eq!(words(&lead(&raw, around)["flags"]), wanted, "{code}: {raw}");
        assert!(wanted.split(' ').any(|flag| flag == code));
    }
    let known: Vec<_> = Flag::ALL.iter().map(|flag| flag.name()).collect();
    assert_eq!(codes(&flags()), known);
}

#[test]
fn every_dead_letter_code_is_reached() {
    for (code, stage, value, around) in dead_letters() {
        let mut pipeline = pipeline();
        around(&mut pipeline);
        let (outputs, decided) = run(&pipeline, None, value, &[]);
        assert!(!decided && outputs.len() == 1, "{code}");
        let told = ["dlq-code", "dlq-stage"].map(|name| outputs[0].header(name).unwrap_or_default());
        assert_eq!(told, [code, stage]);
    }
    let known = DeadLetterCode::ALL.iter().map(|code| code.name());
    assert!(known.eq(dead_letters().iter().map(|(code, ..)| *code)));
}

#[test]
fn the_page_has_every_code_and_no_other() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md")).expect("docs/codes.md");
    // What the built-in rules can say, and the one reason that the contract names for rulesets.
    let rules = Ruleset::built_in().expect("the built-in ruleset");
    let said: BTreeSet<_> = rules.reasons().chain(["country_not_allowed"]).collect();
    assert_eq!(codes(&reasons()).into_iter().collect::<BTreeSet<_>>(), said);
    let reserved = ["duplicate", "not_a_storefront_lead"];
    assert!(reserved.iter().all(|reason| !said.contains(reason)), "no longer reserved");

    let all = DeadLetterCode::ALL.iter().map(|code| code.name());
    assert_eq!(table(&page, "## Reasons", 0), codes(&reasons()));
    assert_eq!(table(&page, "## Reasons", 1), reserved);
    assert_eq!(table(&page, "## Flags", 0), codes(&flags()));
    assert_eq!(table(&page, "## Dead-letter codes", 0), all.collect::<Vec<_>>());
}

/// The first column of the table that stands `place` tables after a heading; every other cell of it must say something.
fn table<'p>(page: &'p str, heading: &str, place: usize) -> Vec<&'p str> {
    let section = page.split(heading).nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section");
    let lines = section.split("\n|---").nth(place + 1).expect("a table").lines().skip(1);
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            assert!(cells.len() >= 2 && cells.iter().all(|cell| !cell.is_empty()), "{line}");
            cells[0].trim_matches('`')
        })
        .collect()
}

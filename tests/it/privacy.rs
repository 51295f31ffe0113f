//! A person's data stand in values and nowhere else: not in keys and headers; and not in the values of events about people who
//! are not to be approached (docs/privacy.md). The people are `planted`'s; what the program prints is `discretion`'s.

use leadstream::{
    pipeline::{EventHeaders, PersonKey, Pipeline},
    rules::{self, Ruleset},
    tables::TableForm,
};

use crate::{
    core::{Written, decide, pipeline, run},
    planted::{self, Becomes, MAIL_DOMAIN, Planted, hidden_marks, marks},
};

fn outputs(pipeline: &Pipeline, planted: &Planted) -> (Vec<Written>, bool) {
    let own = planted.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let headers: Vec<_> = own.chain([("x-zqheader", &b"zqheader"[..]), ("traceparent", b"00-zqtrace")]).collect();
    run(pipeline, Some(b"zqkey"), Some(&planted.value), &headers)
}

fn value(output: &Written) -> String {
    String::from_utf8_lossy(output.value.as_deref().unwrap_or_default()).into_owned()
}

/// Fails with everything that was found.
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}

/// The built-in ruleset with more of this.
fn ruleset(from: &str, to: &str, more: &str) -> Ruleset {
    Ruleset::parse(&format!("{}{more}", rules::DEFAULT.replace(from, to))).expect("a ruleset")
}

/// What the key and the headers of an output tell, as far as leadstream has written them.
fn told_beside_the_value(output: &Written) -> Vec<String> {
    // A dead letter keeps the key and the headers that it came with.
    let dead = output.topic == "leads.dead-letter";
    let headers = output.headers.iter().filter(|(name, _)| !dead || name.starts_with("dlq-"));
    let headers = headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_deref().unwrap_or_default())));
    let key = output.key.as_deref().filter(|_| !dead).map(|key| format!("key: {}", String::from_utf8_lossy(key)));
    headers.chain(key).filter(|told| !marks(told).is_empty()).collect()
}

#[test]
fn keys_and_headers_tell_nobody() {
    let mut found = Vec::new();
    let (plain, mut cloud_events, mut narrow) = (pipeline(), pipeline(), pipeline());
    cloud_events.encoding.headers = EventHeaders::CloudEvents;
    cloud_events.person_key = PersonKey::new(Some(b"secret"));
    // Every lead leaves as a dead letter of the last stage.
    narrow.encoding.largest = [600, 600, 600, 0, 0];
    for planted in planted::all() {
        for (pipeline, decided) in [(&plain, planted.becomes != Becomes::DeadLetter), (&narrow, false)] {
            let (outputs, was_decided) = outputs(pipeline, &planted);
            assert_eq!(was_decided, decided, "{}", planted.name);
            found.extend(outputs.iter().flat_map(told_beside_the_value).map(|told| format!("{}: {told}", planted.name)));
        }
        let (outputs, decided) = outputs(&cloud_events, &planted);
        assert!(outputs.iter().all(|output| output.headers.len() > 9), "there are headers to look into: {}", planted.name);
        assert!(decided || outputs[0].key.as_deref() == Some(b"zqkey") && outputs[0].header("x-zqheader").is_some());
        found.extend(outputs.iter().flat_map(told_beside_the_value).map(|told| format!("{}: {told}", planted.name)));
    }
    assert_none(&found);
}

#[test]
fn a_trace_is_handed_on_only_if_it_is_one() {
    let lead = br#"{"userDetails":{"email":"a@b.example"},"leadSource":"SPZA-PLT"}"#;
    let whole = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let later = b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00";
    for (trace, kept) in [(&whole[..], true), (later, true), (&whole[..54], false), (b"jane.doe", false), (&[b'-'; 200], false)] {
        let (outputs, _) = run(&pipeline(), None, Some(lead), &[("traceparent", trace)]);
        assert_eq!(outputs.len(), 3);
        for output in outputs {
            let wanted = kept.then(|| String::from_utf8_lossy(trace).into_owned());
            assert_eq!((output.header("traceparent"), output.headers.len()), (wanted, usize::from(kept)));
        }
    }
}

/// What redacted events tell of the person, and which are not redacted.
fn told_by(planted: &Planted, events: &[Written]) -> Vec<String> {
    let mut told = Vec::new();
    for event in events {
        if !event.json()["flags"].to_string().contains("\"redacted\"") {
            told.push(format!("{}: {} is not redacted", planted.name, event.topic));
        }
        let marks = hidden_marks(&value(event));
        if !marks.is_empty() {
            told.push(format!("{}: {} tells {marks:?}: {}", planted.name, event.topic, value(event)));
        }
    }
    told
}

#[test]
fn a_redacted_event_tells_nothing_of_the_person_wherever_it_stood() {
    // A route for those who are refused too: its events are redacted like the others.
    let mut pipeline = pipeline();
    pipeline.rules = ruleset("", "", "\n[[route]]\nid = \"all\"\ndestination = \"ARCHIVE\"\nverdict = \"UNQUALIFIED\"\n");
    let mut found = Vec::new();
    for planted in planted::all().into_iter().filter(|planted| planted.becomes == Becomes::Redacted) {
        let (events, _) = outputs(&pipeline, &planted);
        assert!(events.iter().any(|event| event.topic == "leads.routing"), "{}", planted.name);
        found.extend(told_by(&planted, &events));
    }
    assert_none(&found);
}

#[test]
fn who_is_suppressed_is_told_as_little_as_who_has_refused() {
    let mut pipeline = pipeline();
    let table = format!("scope,domain\ndomain,{MAIL_DOMAIN}\n");
    assert_eq!(pipeline.tables.add("suppressions", TableForm::Csv, &table), []);
    let mut found = Vec::new();
    // A webhook event has no address to suppress, and no data of the customer's.
    let all = planted::shapes().into_iter().filter(|planted| planted.becomes == Becomes::Open && !planted.name.contains("webhook"));
    for planted in all {
        let (events, _) = outputs(&pipeline, &planted);
        assert!(events.iter().all(|event| event.json()["suppressed_by"] == "domain"), "{}", planted.name);
        found.extend(told_by(&planted, &events));
    }
    assert_none(&found);
}

/// Without this the tests above could not fail.
#[test]
fn every_mark_stands_in_the_events_of_who_is_to_be_approached() {
    for planted in planted::shapes().into_iter().filter(|planted| planted.becomes == Becomes::Open) {
        let (events, _) = outputs(&pipeline(), &planted);
        let (first, told) = (events[0].json(), hidden_marks(&value(&events[0])));
        assert!(!first["flags"].to_string().contains("redacted"), "{}", planted.name);
        assert!(told.contains(&"zqother") || planted.name.contains("listing"), "{}: unknown keys", planted.name);
        if planted.name.contains("webhook") {
            continue;
        }
        for mark in ["zqfirst", "zqlast", "zqmail", "zqnote"] {
            assert!(told.contains(&mark), "{}: {mark} in {told:?}", planted.name);
        }
        assert_eq!(first["contact"]["phone_e164"], "+14255550173", "{}", planted.name);
    }
}

#[test]
fn what_numbers_need_stays_in_a_redacted_event() {
    let lead = br#"{"userDetails":{"FirstName":"Jane","LastName":"Doe","Email":"jane.doe@adatum.example","Phone":"14255550123","Country":"US","Company":"Adatum","Title":"CTO"},"leadSource":"SPZA-DNC|contoso.app","actionCode":"DNC","offerTitle":"Contoso App","description":"{\"mktcmpid\":\"7\",\"who\":\"x\"}","more":1}"#;
    let lead = decide(lead).0[0].json();
    let contact = serde_json::json!({
        "email_domain": "adatum.example", "email_kind": "BUSINESS", "country": "US", "country_raw": "US", "region": "AMER",
        "company": "Adatum", "title": "CTO", "seniority": "C_LEVEL",
    });
    assert_eq!(lead["contact"], contact);
    for (field, wanted) in [
        ("source_raw", "SPZA-DNC|contoso.app"),
        ("action_raw", "DNC"),
        ("publisher_id", "contoso"),
        ("offer_id", "app"),
        ("offer_title", "Contoso App"),
        ("offer_raw", "contoso.app"),
    ] {
        assert_eq!(lead[field], wanted, "{field}");
    }
    assert_eq!((&lead["attribution"], lead["person_key"].as_str().map(str::len)), (&serde_json::json!({"mktcmpid": "7"}), Some(32)));
    assert!(lead["note"].is_null() && lead["extra"].is_null());
}

#[test]
fn the_policy_says_for_which_reasons_events_are_redacted() {
    let dnc = br#"{"userDetails":{"firstName":"Jane","email":"jane@adatum.example"},"leadSource":"SPZA-DNC"}"#;
    let edu = br#"{"userDetails":{"firstName":"Jane","email":"jane@state.edu"},"leadSource":"SPZA-PLT"}"#;
    let name = |rules: Ruleset, value: &[u8]| {
        let mut pipeline = pipeline();
        pipeline.rules = rules;
        let event = run(&pipeline, None, Some(value), &[]).0[0].json();
        event["contact"]["first_name"].as_str().map(str::to_owned)
    };
    let list = r#"redact = ["do_not_contact", "consent_denied", "suppressed"]"#;
    assert_eq!(name(ruleset("", "", ""), dnc), None);
    assert_eq!(name(ruleset(list, "redact = []", ""), dnc).as_deref(), Some("Jane"));
    assert_eq!(name(ruleset("", "", ""), edu).as_deref(), Some("Jane"));
    let gate = "\n[[gate]]\nid = \"edu\"\nwhen = 'contact.email_kind == \"EDU\"'\nreason = \"edu\"\n";
    assert_eq!(name(ruleset(list, "redact = [\"edu\"]", gate), edu), None);
    // A reason that no gate gives is refused: a slip there would publish what must not be published.
    let slip = Ruleset::parse(&rules::DEFAULT.replace(list, r#"redact = ["do_not_contract"]"#)).expect_err("refused");
    assert_eq!(slip[0].code, "unknown_name");
}

#[test]
fn another_key_makes_other_people_and_leaves_every_event_its_id() {
    let with = |key: Option<&[u8]>, value: &[u8]| {
        let mut pipeline = pipeline();
        pipeline.person_key = PersonKey::new(key);
        run(&pipeline, None, Some(value), &[]).0
    };
    let lead = br#"{"userDetails":{"firstName":"Jane","email":" Jane.Doe@Adatum.example"},"leadSource":"SPZA-PLT"}"#;
    let (old, new) = (with(Some(b"old"), lead), with(Some(b"new"), lead));
    for (old, new) in old.iter().zip(&new) {
        let (was, is) = (old.json(), new.json());
        assert_eq!(was["event_id"], is["event_id"]);
        assert!(was["person_key"] != is["person_key"] && was["lead_id"] != is["lead_id"] && old.key != new.key);
    }
    // printf 'email\037jane.doe@adatum.example\037' | openssl dgst -sha256 -hmac old
    assert_eq!(old[0].key.as_deref(), Some(&b"e9a974021dd9c17522d0bd97b3359314"[..]));
    // printf 'email\037jane.doe@adatum.example\037' | sha256sum
    assert_eq!(with(None, lead)[0].key.as_deref(), Some(&b"6cd434ccc933d667f23258f8d41adeec"[..]));
}

#[test]
fn a_suppression_holds_under_the_key_it_was_made_with_and_old_rows_beside_new_ones_do_no_harm() {
    let lead = br#"{"userDetails":{"email":"jane.doe@adatum.example"},"leadSource":"SPZA-PLT"}"#;
    let suppressed = |key: &[u8], rows: &str| {
        let mut pipeline = pipeline();
        pipeline.person_key = PersonKey::new(Some(key));
        assert_eq!(pipeline.tables.add("suppressions", TableForm::Csv, &format!("scope,key_hash\n{rows}")), []);
        run(&pipeline, None, Some(lead), &[]).0[0].json()["suppressed_by"] == "person"
    };
    // Of jane.doe@adatum.example, under "old" and under "new".
    let (old, new) = ("person,e9a974021dd9c17522d0bd97b3359314\n", "person,7578a9e9b0b70e2870d10895307cf1bb\n");
    assert!(suppressed(b"old", old) && !suppressed(b"new", old));
    assert!(suppressed(b"new", &format!("{old}{new}")));
}

#[test]
fn the_document_names_every_field_of_the_lead_block() {
    let document = include_str!("../../docs/privacy.md");
    let mut pipeline = pipeline();
    let table = "publisher_id,offer_id\nzqpub,zqoffer\n";
    assert_eq!(pipeline.tables.add("offers", TableForm::Csv, table), []);
    let mut missing = std::collections::BTreeSet::new();
    for planted in planted::shapes() {
        for event in outputs(&pipeline, &planted).0 {
            let event = event.json();
            let contact = event["contact"].as_object().expect("an object").keys().map(String::as_str);
            let names = event.as_object().expect("an object").keys().map(String::as_str).chain(contact);
            missing.extend(names.filter(|name| !document.contains(&format!("`{name}`"))).map(str::to_owned));
        }
    }
    assert_none(&missing.into_iter().collect::<Vec<_>>());
}

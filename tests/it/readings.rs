//! Where Microsoft's pages are silent or disagree, what leadstream does: each from bytes to the lead as published. What other
//! tests hold already is not held again here.

use serde_json::Value;

use crate::core::decide;

/// The one lead of a record.
fn lead(value: &str) -> Value {
    let (outputs, decided) = decide(value.as_bytes());
    assert!(decided, "{value}");
    outputs[0].json()
}

#[test]
fn the_test_marker_counts_in_every_field_of_the_customers() {
    let user = r#"{"firstName":"Jane","lastName":"Doe","email":"jane@adatum.example","phone":"14255550123","country":"US","company":"Adatum","title":"CEO"}"#;
    for value in ["Jane", "Doe", "jane", "14255550123", "US", "Adatum", "CEO"] {
        let marked = user.replacen(value, "Msft_Test_636573304831318844", 1);
        let lead = lead(&format!(r#"{{"userDetails":{marked},"leadSource":"SPZA-PLT|contoso.app"}}"#));
        assert_eq!((&lead["is_test"], &lead["reasons"][0]), (&Value::Bool(true), &Value::from("test_lead")), "{value}");
    }
    let other = lead(&format!(r#"{{"userDetails":{user},"leadSource":"SPZA-PLT|contoso.app","offerTitle":"MSFT_TEST_1"}}"#));
    assert_eq!(other["is_test"], false, "the offer's name is the publisher's");
}

#[test]
fn a_touch_is_one_person_source_action_offer_and_day() {
    let id = |source: &str, code: &str, mail: &str, time: &str| {
        let info = serde_json::to_string(&format!(r#"{{"Email":"{mail}"}}"#)).expect("a text");
        let row = format!(r#"{{"CustomerInfo":{info},"LeadSource":"{source}","ActionCode":"{code}","CreatedTime":"{time}"}}"#);
        lead(&row)["lead_id"].as_str().expect("an id").to_owned()
    };
    let of = |source, code| id(source, code, "jane@adatum.example", "2026-10-31T10:00:00Z");
    let one = of("SPZA-PLT|contoso.app", "");
    // The same touch, told in another way or once more.
    assert_eq!(one, of("SPZA|contoso.app", "PLT"));
    assert_eq!(one, of("spza - plt | Contoso.App", "Plt"));
    assert_eq!(one, id("SPZA-PLT|contoso.app", "", "Jane@Adatum.example", "2026-10-31T23:59:59Z"));
    // Another person, day, source, action, offer.
    assert_ne!(one, id("SPZA-PLT|contoso.app", "", "joe@adatum.example", "2026-10-31T10:00:00Z"));
    assert_ne!(one, id("SPZA-PLT|contoso.app", "", "jane@adatum.example", "2026-11-01T00:00:00Z"));
    for (source, code) in [("AzureMarketplace-PLT|contoso.app", ""), ("SPZA-INS|contoso.app", ""), ("SPZA-PLT|contoso.other", "")] {
        assert_ne!(one, of(source, code), "{source}");
    }
    // A do-not-contact notice is not the contact-me whose source it repeats, nor is another action.
    let conflicts = ["DNC", "INS"].map(|code| of("SPZA-PLT|contoso.app", code));
    assert!(!conflicts.contains(&one) && conflicts[0] != conflicts[1]);
}

#[test]
fn a_referrals_id_and_reason_are_kept_in_any_case() {
    let lead = lead(r#"{"Id":"r-1","EngagementId":"e-1","Status":"Closed","Substatus":"Lost","StatusReason":"2"}"#);
    assert_eq!((&lead["extra"]["Id"], &lead["extra"]["StatusReason"]), (&Value::from("\"r-1\""), &Value::from("\"2\"")));
}

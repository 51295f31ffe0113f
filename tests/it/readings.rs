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

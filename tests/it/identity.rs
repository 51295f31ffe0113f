//! Who a person is where neither address nor number tells: the name, and the company whatever its legal form.

use serde_json::{Value, json};

use crate::core::decide;

fn person_key(first: &str, company: &str) -> Value {
    let user = json!({"firstName": first, "lastName": "Doe", "company": company});
    let lead = json!({"userDetails": user, "leadSource": "SPZA-PLT|adatum.app"});
    let (outputs, _) = decide(lead.to_string().as_bytes());
    let event = outputs[0].json();
    assert!(!event.to_string().contains("company_key"), "the key is for joins, and in no event");
    event["person_key"].clone()
}

#[test]
fn spellings_of_a_company_are_one_persons() {
    let jane = person_key("Jane", "Adatum Industries");
    assert!(jane.is_string());
    for company in ["ADATUM INDUSTRIES, INC.", "Adatum-Industries GmbH & Co. KG", "The Adatum Industries Company", "Adatum Industries S.A."]
    {
        assert_eq!(person_key("Jane", company), jane, "{company}");
    }
    assert_ne!(person_key("Jane", "Adatum Services"), jane);
    assert_ne!(person_key("John", "Adatum Industries"), jane);
}

#[test]
fn a_company_without_a_letter_tells_nobody() {
    assert_eq!(person_key("Jane", "—"), Value::Null);
}

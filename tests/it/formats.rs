//! Every shape Microsoft sends (facts.md §1), from bytes to the lead as published: what is read from where. What shapes come
//! in is tested in `envelopes`, deciding elsewhere.

use serde_json::{Value, json};

use crate::core::{PIPELINE, Written, pipeline, run};

/// The outputs of a record with these headers.
fn outputs(value: &[u8], headers: &[(&str, &str)]) -> (Vec<Written>, bool) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    run(&PIPELINE, None, Some(value), &headers)
}

/// All leads of a record, in order.
pub(crate) fn leads(value: impl AsRef<[u8]>, headers: &[(&str, &str)]) -> Vec<Value> {
    let (outputs, decided) = outputs(value.as_ref(), headers);
    assert!(decided, "{:?}: {:?}", String::from_utf8_lossy(value.as_ref()), outputs[0].headers);
    outputs.iter().filter(|output| output.topic != "leads.routing").map(Written::json).collect()
}

/// The one lead of a record without headers.
pub(crate) fn lead(value: impl AsRef<[u8]>) -> Value {
    let mut leads = leads(value, &[]);
    assert_eq!(leads.len(), 1);
    leads.remove(0)
}

/// `CODE FIELD` of a rejected record.
pub(crate) fn refused(value: impl AsRef<[u8]>, headers: &[(&str, &str)]) -> String {
    let (outputs, decided) = outputs(value.as_ref(), headers);
    assert!(!decided && outputs.len() == 1, "{}", String::from_utf8_lossy(value.as_ref()));
    assert_eq!(outputs[0].value.as_deref(), Some(value.as_ref()), "bytes untouched");
    format!("{} {}", outputs[0].header("dlq-code").unwrap_or_default(), outputs[0].header("dlq-field").unwrap_or_default())
}

pub(crate) fn has(list: &Value, word: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|found| found == word))
}

const JANE: &str = r#"{"FirstName":"Jane","LastName":"Doe","Email":"jane@adatum.example","Phone":"14255550123","Country":"US","Company":"Adatum","Title":"IT Director"}"#;

/// A table row with `info` as `CustomerInfo`, JSON text.
pub(crate) fn row(info: &str) -> String {
    format!(
        r#"{{"PartitionKey":"3:2F1:2F2026","RowKey":"r1","Timestamp":"2026-03-01T10:00:05Z","CreatedTime":"2026-03-01T10:00:00Z","ActionCode":"INS","CustomerInfo":{info},"Description":"Campaigns: ","LeadSource":"AzureMarketplace-INS|contoso.vm","OfferDisplayName":"Contoso VM","ProductId":"contoso.vm"}}"#
    )
}

/// A referral with this `customerProfile`.
pub(crate) fn referral(profile: &str) -> String {
    format!(
        r#"{{"id":"r-1","engagementId":"e-1","createdDateTime":"2026-10-30T10:00:00Z","status":"New","substatus":"Received","qualification":"Direct","type":"Independent","customerProfile":{profile},"consent":{{"consentToContact":true}},"details":{{"notes":"Please call","dealValue":50000,"currency":"USD"}}}}"#
    )
}

pub(crate) const PROFILE: &str = r#"{"name":"Adatum","size":"51to250employees","address":{"country":"US","city":"Redmond"},"team":[{"firstName":"Jane","lastName":"Doe","phoneNumber":"14255550123","email":"jane@adatum.example"}],"ids":[]}"#;

pub(crate) fn assert_jane(lead: &Value) {
    let contact = &lead["contact"];
    assert_eq!((&contact["first_name"], &contact["last_name"]), (&json!("Jane"), &json!("Doe")), "{lead}");
    assert_eq!((&contact["email"], &contact["phone_e164"]), (&json!("jane@adatum.example"), &json!("+14255550123")), "{lead}");
    assert_eq!((&contact["country"], &contact["company"]), (&json!("US"), &json!("Adatum")), "{lead}");
}

#[test]
fn a_table_row_has_its_customer_in_a_string() {
    let quoted = serde_json::to_string(JANE).expect("a text");
    let twice = serde_json::to_string(&quoted).expect("a text");
    let camel = serde_json::to_string(&JANE.replace("\"FirstName\"", "\"firstName\"").replace("Email", "email")).expect("a text");
    for info in [quoted.as_str(), &twice, &camel, JANE, &format!("[{JANE}]"), &format!("{{\"_\":{quoted},\"$\":\"Edm.String\"}}")] {
        let lead = lead(row(info));
        assert_jane(&lead);
        assert_eq!(lead["source"]["format"], "azure_table");
        assert_eq!((&lead["offer_id"], &lead["offer_title"]), (&json!("vm"), &json!("Contoso VM")));
        assert_eq!(lead["event_time"], "2026-03-01T10:00:00.000000Z");
        assert_eq!((&lead["note"], &lead["attribution"]), (&Value::Null, &Value::Null));
        assert_eq!(lead["extra"], json!({"PartitionKey": "\"3:2F1:2F2026\"", "RowKey": "\"r1\""}));
    }
}

#[test]
fn a_table_row_may_have_the_customer_in_columns_or_not_at_all() {
    let columns = lead(row("\"\"").replacen('{', &format!("{},", JANE.trim_end_matches('}')), 1));
    assert_jane(&columns);
    for info in ["\"\"", "\" \"", "null", "\"{}\"", "{}", "\"null\"", "[]"] {
        assert!(has(&lead(row(info))["reasons"], "no_contact"), "{info}");
    }
    assert_eq!(lead(row("\"[1,2]\""))["extra"]["CustomerInfo[1]"], "2");
}

#[test]
fn a_customer_that_cannot_be_read_is_a_dead_letter_not_a_lead_without_contact() {
    for info in ["\"{\\\"FirstName\\\": \\\"Jane\\\"\"", "\"Jane Doe\"", "\"{'FirstName': 'Jane'}\""] {
        assert_eq!(refused(row(info), &[]), "malformed_json CustomerInfo", "{info}");
    }
    assert_eq!(refused(format!("[{},{}]", row("null"), row("\"{\"")), &[]), "malformed_json [1].CustomerInfo");
    let deep = format!("\"{{\\\"x\\\":{}{}}}\"", "[".repeat(70), "]".repeat(70));
    assert_eq!(refused(row(&deep), &[]), "too_deep CustomerInfo");
}

#[test]
fn a_table_rows_time_is_the_first_that_can_be_read() {
    let time = |row: String| lead(row)["event_time"].as_str().unwrap_or_default().to_owned();
    let created = "\"CreatedTime\":\"2026-03-01T10:00:00Z\",";
    assert_eq!(time(row("null").replace(created, "\"CreatedTime\":\"3/1/2026 9:00:00 AM\",")), "2026-03-01T09:00:00.000000Z");
    assert_eq!(time(row("null").replace(created, "")), "2026-03-01T10:00:05.000000Z");
    let without = row("null").replace(created, "\"CreatedTime\":\"soon\",").replace("\"Timestamp\":\"2026-03-01T10:00:05Z\",", "");
    assert_eq!(time(without.clone()), "2026-03-01T00:00:00.000000Z");
    assert_eq!(lead(without)["extra"]["CreatedTime"], "\"soon\"");
    assert_eq!(time("{\"CustomerInfo\":null,\"PartitionKey\":\"x\"}".to_owned()), "2026-11-01T09:00:00.000000Z");
}

#[test]
fn the_product_id_stands_in_where_the_source_names_no_offer() {
    let of = |source: &str, product: &str| {
        let row = row("null")
            .replace("AzureMarketplace-INS|contoso.vm", source)
            .replace("\"ProductId\":\"contoso.vm\"", &format!("\"ProductId\":\"{product}\""));
        let lead = lead(row);
        let text = |field: &str| lead[field].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            text("publisher_id"),
            text("offer_id"),
            text("offer_raw"),
            lead["extra"]["product_id"].as_str().unwrap_or("-")
        )
    };
    assert_eq!(of("AzureMarketplace-INS|contoso.vm", "contoso.vm"), "contoso vm contoso.vm -");
    assert_eq!(of("AzureMarketplace-INS", "Contoso.VM"), "contoso vm Contoso.VM -");
    assert_eq!(of("AzureMarketplace-INS|My Offer", "contoso.vm"), "contoso vm My Offer -");
    assert_eq!(of("AzureMarketplace-INS|contoso.vm", "contoso.other"), "contoso vm contoso.vm \"contoso.other\"");
    assert_eq!(of("AzureMarketplace-INS", "vm-offer"), "- vm-offer vm-offer -");
    assert_eq!(of("AzureMarketplace-INS|contoso.vm", ""), "contoso vm contoso.vm -");
}

pub(crate) const FORM: &str = "oid=00Do0000000ZHog&encoding=UTF-8&encoding=UTF-8&first_name=Jane&last_name=Doe&email=jane%40adatum.example&company=Adatum&title=IT+Director&phone=%2B1+425+555+0123&country=US&description=Call+me%21%0D%0ASoon&lead_source=SPZA-PLT%7Ccontoso.app&retURL=x";

#[test]
fn a_form_is_read_with_or_without_a_header() {
    for headers in [&[][..], &[("lead-format", "salesforce_form")], &[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")]]
    {
        let leads = leads(FORM, headers);
        assert_jane(&leads[0]);
        assert_eq!((&leads[0]["source"]["format"], &leads[0]["storefront"]), (&json!("salesforce_form"), &json!("APP_SOURCE")));
        assert_eq!(leads[0]["note"], "Call me!\nSoon");
        assert_eq!(leads[0]["extra"], json!({"oid": "\"00Do0000000ZHog\"", "retURL": "\"x\""}));
        assert!(!has(&leads[0]["flags"], "duplicate_key"), "the same twice is no conflict");
    }
}

#[test]
fn a_form_names_its_own_charset() {
    let name =
        |form: &[u8], headers: &[(&str, &str)]| leads(form, headers)[0]["contact"]["first_name"].as_str().unwrap_or_default().to_owned();
    assert_eq!(name(b"oid=1&first_name=Ren%C3%A9", &[]), "Ren\u{e9}");
    assert_eq!(name(b"oid=1&first_name=Ren%E9&encoding=ISO-8859-1", &[]), "Ren\u{e9}");
    assert_eq!(name(b"oid=1&first_name=%93%FA%96%7B&encoding=Shift_JIS", &[]), "\u{65e5}\u{672c}");
    assert_eq!(
        name(b"oid=1&first_name=%A3ukasz", &[("content-type", "application/x-www-form-urlencoded;charset=iso-8859-2")]),
        "\u{141}ukasz"
    );
    // One that says UTF-8 and is not, and raw bytes that were never escaped.
    assert_eq!(name(b"oid=1&first_name=Ren%E9&encoding=UTF-8", &[]), "Ren\u{e9}");
    assert_eq!(name(b"oid=1&first_name=Ren\xe9", &[]), "Ren\u{e9}");
    assert_eq!(name(b"oid=1&first_name=a&encoding=no-such", &[]), "a");
    assert_eq!(name(b"oid=1&first_name=a&encoding=UTF-16", &[]), "a");
}

#[test]
fn fields_of_a_form_that_come_twice_give_the_first_that_is_not_blank() {
    let lead = lead("oid=1&email=&email=a%40b.example&email=c%40d.example&mobile=14255550123&phone=");
    assert_eq!(lead["contact"]["email"], "a@b.example");
    assert_eq!(lead["contact"]["phone_e164"], "+14255550123");
    assert!(has(&lead["flags"], "duplicate_key"));
}

#[test]
fn broken_escapes_lose_no_form() {
    let lead = lead("oid=1&first_name=100%&last_name=%zz&company=a%2&email&=x&&title==");
    assert_eq!((&lead["contact"]["first_name"], &lead["contact"]["last_name"]), (&json!("100%"), &json!("%zz")));
    assert_eq!((&lead["contact"]["company"], &lead["contact"]["title"]), (&json!("a%2"), &json!("=")));
}

#[test]
fn the_debug_mails_listing_is_a_form_too() {
    let lead = lead(
        "company = Oil & Gas\ncountry = US\nemail = jane@adatum.example\nencoding = UTF-8\nencoding = UTF-8\nlead_source = AzureMarketplace-INS|<Offer Name>\noid = 00Do0000000ZHog\nphone = +1 425 555 0123",
    );
    assert_eq!((&lead["contact"]["company"], &lead["contact"]["phone_e164"]), (&json!("Oil & Gas"), &json!("+14255550123")));
    assert_eq!((&lead["storefront"], &lead["offer_title"]), (&json!("AZURE_MARKETPLACE"), &json!("<Offer Name>")));
}

#[test]
fn a_referral_is_read_with_its_customer_consent_and_deal() {
    let lead = lead(referral(PROFILE));
    assert_jane(&lead);
    assert_eq!(
        (&lead["origin"], &lead["channel"], &lead["campaign"]),
        (&json!("PARTNER_CENTER_DIRECT"), &json!("PARTNER_CENTER"), &json!("UNCLASSIFIED"))
    );
    assert_eq!(lead["consent"], json!({"contact": "GRANTED", "share": "UNKNOWN", "marketing": "UNKNOWN"}));
    assert_eq!(
        lead["referral"],
        json!({"status": "New", "substatus": "Received", "expires_at": "2026-11-13T10:00:00.000000Z", "deal_value": 50000.0, "deal_currency": "USD"})
    );
    assert_eq!((&lead["note"], &lead["event_time"]), (&json!("Please call"), &json!("2026-10-30T10:00:00.000000Z")));
    assert_eq!(lead["extra"]["customerProfile.address.city"], "\"Redmond\"");
    assert_eq!((&lead["extra"]["id"], &lead["extra"]["engagementId"]), (&json!("\"r-1\""), &json!("\"e-1\"")));
    assert_eq!(lead["verdict"], "QUALIFIED");
}

#[test]
fn objects_and_arrays_stand_for_each_other_in_a_referral() {
    let member = r#"{"firstName":"Jane","lastName":"Doe","phoneNumber":"14255550123","email":"jane@adatum.example"}"#;
    for profile in [
        PROFILE.replace(&format!("[{member}]"), member),
        PROFILE.replace(member, &format!("{{}},null,{member}")),
        format!("[{PROFILE}]"),
        PROFILE.replace("{\"country\":\"US\",\"city\":\"Redmond\"}", "[{\"country\":\"US\"}]").replace("\"ids\":[]", "\"ids\":{}"),
    ] {
        assert_jane(&lead(referral(&profile)));
    }
    for (profile, key, kept) in [
        ("7", "customerProfile", json!("7")),
        ("[1]", "customerProfile[0]", json!("1")),
        ("null", "customerProfile", Value::Null),
        ("[]", "customerProfile", Value::Null),
        ("{}", "customerProfile", Value::Null),
    ] {
        let lead = lead(referral(profile));
        assert_eq!((&lead["extra"][key], has(&lead["reasons"], "no_contact")), (&kept, true), "{profile}");
    }
}

#[test]
fn the_contact_is_the_first_of_the_customers_people_who_can_be_reached() {
    let team = r#"{"team":[{"firstName":"Bo","email":null},{"firstName":"Jane","email":"jane@adatum.example","contactPreference":{"locale":"en-us"}},{"firstName":"Al","email":"al@adatum.example"}]}"#;
    let lead = lead(referral(team));
    assert_eq!((&lead["contact"]["first_name"], &lead["contact"]["email"]), (&json!("Jane"), &json!("jane@adatum.example")));
    assert_eq!(lead["extra"]["customerProfile.team[2]"], r#"{"firstName":"Al","email":"al@adatum.example"}"#);
    assert_eq!(lead["extra"]["customerProfile.team[1].contactPreference"], r#"{"locale":"en-us"}"#);
}

#[test]
fn what_kind_of_referral_it_is_tells_its_desk() {
    for (from, to, origin, destination) in [
        ("Direct", "SalesQualified", "MICROSOFT_SALES_QUALIFIED", "MICROSOFT_QUALIFIED_DESK"),
        ("Direct", "MarketingQualified", "MICROSOFT_MARKETING_QUALIFIED", "MICROSOFT_QUALIFIED_DESK"),
        ("Independent", "Shared", "CO_SELL", "CO_SELL_DESK"),
        ("Direct", "None", "UNKNOWN", "REVIEW_QUEUE"),
        ("Direct", "Direct", "PARTNER_CENTER_DIRECT", "PUBLISHER_CRM"),
    ] {
        let (outputs, _) = outputs(referral(PROFILE).replace(from, to).as_bytes(), &[]);
        let events: Vec<_> = outputs.iter().map(Written::json).collect();
        assert_eq!((&events[0]["origin"], &events[0]["storefront"]), (&json!(origin), &json!("UNKNOWN")));
        assert_eq!(events[0]["campaign"], "UNCLASSIFIED");
        assert_eq!(events.len(), 2, "one route");
        assert_eq!(events[1]["destination"], destination);
    }
}

#[test]
fn a_referral_may_name_the_store_it_came_from() {
    let stated = referral(PROFILE).replace("\"id\"", "\"referralSource\":\"AppSource\",\"callToAction\":\"PLT\",\"id\"");
    let lead = lead(stated);
    assert_eq!(
        (&lead["storefront"], &lead["action"], &lead["campaign"]),
        (&json!("APP_SOURCE"), &json!("CONTACT_ME"), &json!("UNCLASSIFIED"))
    );
    let other = self::lead(referral(PROFILE).replace("\"id\"", "\"referralSource\":\"WebDirect\",\"id\""));
    assert_eq!((&other["storefront"], &other["source_raw"]), (&json!("UNKNOWN"), &json!("WebDirect")));
    assert!(has(&other["flags"], "unknown_source"));
}

#[test]
fn consent_that_is_not_told_is_unknown_and_no_is_no() {
    let of = |consent: &str| lead(referral(PROFILE).replace("{\"consentToContact\":true}", consent));
    let absent = of("null");
    assert_eq!(
        (&absent["consent"]["contact"], &absent["verdict"], has(&absent["flags"], "consent_unknown")),
        (&json!("UNKNOWN"), &json!("QUALIFIED"), true)
    );
    for no in ["{\"consentToContact\":false}", "{\"ConsentToContact\":\"No\"}", "[{\"consentToContact\":\"false\"}]"] {
        let denied = of(no);
        assert!(has(&denied["reasons"], "consent_denied") && has(&denied["flags"], "redacted"), "{no}");
        assert_eq!((&denied["contact"]["email"], &denied["note"], &denied["extra"]), (&Value::Null, &Value::Null, &Value::Null));
    }
    let lies = referral(PROFILE).replace("{\"consentToContact\":true}", "{\"consentToContact\":false}");
    let lies = lies.replace(
        "\"id\"",
        "\"callToAction\":\"jane@adatum.example\",\"utm_term\":\"doe\",\"utm_source\":\"fair\",\"campaignId\":\"c\",\"id\"",
    );
    let lies = lead(lies);
    assert_eq!((&lies["action_raw"], &lies["attribution"]), (&Value::Null, &json!({"campaignId": "c", "utm_source": "fair"})));
    // An address where the offer belongs has the form of publisher and offer.
    let offer = lead(r#"{"userDetails":{"email":"jane@adatum.example"},"leadSource":"SPZA-DNC|jane.doe@adatum.example"}"#);
    assert!(!offer.to_string().contains("jane") && !offer.to_string().contains("doe@"), "{offer}");
    assert_eq!(lead(r#"{"leadSource":"SPZA-DNC|contoso.app"}"#)["publisher_id"], "contoso");
    let share = of("{\"consentToToShareInfoWithOthers\":false,\"consentToContact\":true}");
    assert_eq!((&share["consent"]["share"], &share["verdict"]), (&json!("DENIED"), &json!("QUALIFIED")));
}

#[test]
fn a_refusal_among_several_is_a_refusal_and_two_customers_are_not_one() {
    let of = |consent: &str| lead(referral(PROFILE).replace("{\"consentToContact\":true}", consent));
    for no in [
        "[{\"consentToContact\":false},{\"consentToToShareInfoWithOthers\":true}]",
        "[null,{\"consentToContact\":false}]",
        "[{\"consentToContact\":true},{\"consentToContact\":\"No\"}]",
        "{\"consentToContact\":true,\"ConsentToContact\":false}",
        "[7,[{\"consentToContact\":false}]]",
    ] {
        assert!(has(&of(no)["reasons"], "consent_denied"), "{no}");
    }
    let other = r#"{"name":"Other","team":[{"firstName":"Bo","phoneNumber":"14255550199"}]}"#;
    let two = lead(referral(&format!("[{PROFILE},{other}]")));
    assert_jane(&two);
    assert_eq!(two["extra"]["customerProfile[1]"], other);
    let odd = lead(referral(&PROFILE.replace("\"team\":[", "\"team\":[\"x\",")));
    assert_jane(&odd);
    assert_eq!(odd["extra"]["customerProfile.team[0]"], "\"x\"");
    assert_jane(&lead(referral(&PROFILE.replace("\"team\":[", "\"team\":[[").replace("}],\"ids\"", "}]],\"ids\""))));
}

#[test]
fn one_known_key_is_enough() {
    for (object, format) in [
        (r#"{"ProductId":"a.b"}"#, "azure_table"),
        (r#"{"Title":"CTO"}"#, "crm_row"),
        (r#"{"Country":"US"}"#, "crm_row"),
        (r#"{"subject":"SPZA-PLT|a.b"}"#, "crm_row"),
        (r#"{"qualification":"Direct"}"#, "partner_center_referral"),
        (r#"{"referralSource":"SPZA"}"#, "partner_center_referral"),
        (r#"{"EventName":"referral-created"}"#, "partner_center_webhook"),
    ] {
        assert_eq!(lead(object)["source"]["format"], format, "{object}");
    }
}

#[test]
fn what_cannot_be_seen_is_no_part_of_an_address() {
    let of = |email: &str| lead(format!("{{\"userDetails\":{{\"email\":\"{email}\"}}}}"));
    let plain = of("jane@adatum.example");
    for hidden in ["\u{feff}jane@adatum.example", "ja\u{200b}ne@adatum.example", "jane\u{ad}@adatum.example", "jane@adatum\u{2060}.example"]
    {
        assert_eq!((&of(hidden)["contact"], &of(hidden)["person_key"]), (&plain["contact"], &plain["person_key"]), "{hidden:?}");
    }
}

#[test]
fn a_time_that_cannot_be_read_is_kept_within_the_limits() {
    let lead = lead(format!("{{\"email\":\"a@b.example\",\"createdon\":\"{}\"}}", "x".repeat(200_000)));
    assert!(has(&lead["flags"], "field_truncated") && lead["extra"].is_null(), "{lead}");
}

#[test]
fn the_state_of_a_referral_gates_it() {
    let reasons = |from: &str, to: &str| lead(referral(PROFILE).replace(from, to))["reasons"].clone();
    assert!(has(&reasons("\"New\",\"substatus\":\"Received\"", "\"closed\",\"substatus\":\"declined\""), "closed"));
    assert!(has(&reasons("\"id\"", "\"expirationDateTime\":\"2026-11-01T08:59:59Z\",\"id\""), "expired"));
    assert!(has(&reasons("2026-10-30T10", "2026-10-01T10"), "expired"), "fourteen days");
    assert_eq!(reasons("\"New\",\"substatus\":\"Received\"", "\"Active\",\"substatus\":\"Accepted\""), Value::Null);
    assert!(has(&reasons("\"id\"", "\"isSpam\":true,\"id\""), "spam"));
    assert!(has(&reasons("\"New\",\"substatus\":\"Received\"", "\"Closed\",\"substatus\":\"Error\",\"statusReason\":\"7\""), "test_lead"));
    assert!(has(&reasons("Please call", "MSFT_TEST_1"), "test_lead"));
}

#[test]
fn two_referrals_of_one_person_on_one_day_are_two_touches() {
    let (one, two) = (lead(referral(PROFILE)), lead(referral(PROFILE).replace("r-1", "r-2")));
    assert_eq!(one["person_key"], two["person_key"]);
    assert_ne!(one["lead_id"], two["lead_id"]);
    assert_eq!(one["lead_id"], lead(referral(PROFILE).replace("Please call", "Called"))["lead_id"], "an update is the same touch");
}

#[test]
fn a_webhook_event_is_thin() {
    let event = |name: &str, resource: &str| {
        format!(
            r#"{{"EventName":"{name}","ResourceUri":"https://api.partnercenter.microsoft.com/engagements/v1/referrals/1","ResourceName":"{resource}","AuditUri":null,"ResourceChangeUtcDate":"2026-10-30T00:05:39.5485487+00:00"}}"#
        )
    };
    for name in ["referral-created", "referral-updated", "related-referral-created", "Related-Referral-Updated"] {
        let lead = lead(event(name, "referral"));
        assert_eq!((&lead["reasons"], &lead["origin"]), (&json!(["needs_hydration"]), &json!("UNKNOWN")), "{name}");
        assert_eq!(lead["extra"]["ResourceUri"], "\"https://api.partnercenter.microsoft.com/engagements/v1/referrals/1\"");
        assert_eq!(
            (&lead["event_time"], &lead["source"]["format"]),
            (&json!("2026-10-30T00:05:39.548548Z"), &json!("partner_center_webhook"))
        );
        assert!(!has(&lead["flags"], "manual_lookup") && !has(&lead["flags"], "offer_missing"));
    }
    assert!(has(&lead(event("test-created", "test"))["reasons"], "test_lead"));
    assert_eq!(refused(event("invoice-ready", "invoice"), &[]), "not_a_lead ");
    assert_eq!(refused(format!("[{},{}]", event("referral-created", "referral"), event("a", "b")), &[]), "not_a_lead [1]");
}

#[test]
fn a_row_of_a_crm_is_read_by_its_columns() {
    let dynamics = r#"{"leadid":"1","firstname":"Jane","lastname":"Doe","emailaddress1":"jane@adatum.example","telephone1":"14255550123","companyname":"Adatum","jobtitle":"IT Director","address1_country":"US","description":"{\"mktcmpid\":\"7\"}","subject":"SPZA-PLT|contoso.app","leadsourcecode":8,"leadsourcecode@OData.Community.Display.V1.FormattedValue":"Web","createdon":"2026-10-30T10:00:00Z"}"#;
    let lead = lead(dynamics);
    assert_jane(&lead);
    assert_eq!((&lead["storefront"], &lead["action"], &lead["offer_id"]), (&json!("APP_SOURCE"), &json!("CONTACT_ME"), &json!("app")));
    assert_eq!((&lead["attribution"], &lead["event_time"]), (&json!({"mktcmpid": "7"}), &json!("2026-10-30T10:00:00.000000Z")));
    assert_eq!((&lead["source"]["format"], &lead["extra"]["leadsourcecode"]), (&json!("crm_row"), &json!("8")));
    let salesforce = r#"{"attributes":{"type":"Lead"},"Id":"00Q","FirstName":"Jane","LastName":"Doe","Email":"jane@adatum.example","Phone":null,"MobilePhone":"14255550123","Company":"Adatum","Title":"IT Director","Country":"US","LeadSource":"AzureMarketplace-INS|contoso.vm","CreatedDate":"2026-10-30T10:00:00.000+0000","HasOptedOutOfEmail":true}"#;
    let lead = self::lead(salesforce);
    assert_jane(&lead);
    assert_eq!((&lead["storefront"], &lead["event_time"]), (&json!("AZURE_MARKETPLACE"), &json!("2026-10-30T10:00:00.000000Z")));
    assert_eq!(lead["consent"]["marketing"], "DENIED");
    let report = r#"{"First Name":"Jane","Last Name":"Doe","Email Address":"jane@adatum.example","Phone":"14255550123","Company / Account":"Adatum","Country":"US","Lead Source":"SPZA-INS"}"#;
    let lead = self::lead(report);
    assert_jane(&lead);
    assert_eq!(lead["storefront"], "APP_SOURCE");
}

#[test]
fn the_column_most_like_a_lead_source_is_taken_for_one() {
    for (code, subject, wanted) in [
        ("\"AzureMarketplace\"", "Jane Doe wants a demo", "AzureMarketplace"),
        ("\"Web\"", "SPZA-PLT", "SPZA-PLT"),
        ("\"Partner web site\"", "SPZA-PLT | My Offer", "SPZA-PLT | My Offer"),
        ("8", "free text", "-"),
        ("8", "SPZA", "SPZA"),
        ("null", "", "-"),
    ] {
        let lead = lead(format!(r#"{{"emailaddress1":"a@b.example","leadsourcecode":{code},"subject":"{subject}"}}"#));
        assert_eq!(lead["source_raw"].as_str().unwrap_or("-"), wanted);
    }
}

#[test]
fn campaign_parameters_are_attribution_wherever_they_stand() {
    let lead = lead(
        r#"{"leadSource":"SPZA-PLT","UTM_Source":"fair","mktcmpid":7,"userDetails":{"utm_medium":"mail"},"description":"utm_term=a%20b&x=1"}"#,
    );
    assert_eq!(lead["attribution"], json!({"utm_source": "fair", "mktcmpid": "7", "utm_medium": "mail", "utm_term": "a b", "x": "1"}));
}

#[test]
fn a_ten_megabyte_form_is_read_within_its_limits() {
    let mut pipeline = pipeline();
    pipeline.limits.record_bytes = 20 << 20;
    let form = format!("{FORM}&custom={}{}", "%41".repeat(1 << 20), "&00N1=x".repeat(1 << 20));
    let (outputs, decided) = run(&pipeline, None, Some(form.as_bytes()), &[]);
    assert!(decided);
    let lead = outputs[0].json();
    assert_jane(&lead);
    assert!(has(&lead["flags"], "field_truncated"));
    assert!(outputs[0].value.as_ref().is_some_and(|value| value.len() < 200_000));
}

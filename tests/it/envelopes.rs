//! What leads come in: arrays, lines, list replies, `CloudEvents`; and headers that say what is not so. Shapes are tested in
//! `formats`.

use base64::Engine as _;
use serde_json::json;

use crate::formats::{FORM, PROFILE, assert_jane, has, lead, leads, referral, refused, row};

#[test]
fn a_list_reply_is_its_resources() {
    let reply = |list: &str| format!(r#"{{"@odata.context":"c","@odata.count":2,"value":{list},"@odata.nextLink":"n"}}"#);
    let both = leads(reply(&format!("[{},{}]", referral(PROFILE), referral(PROFILE))), &[]);
    assert_eq!(both.iter().map(|lead| lead["source"]["index"].as_i64()).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert_eq!(leads(reply(&format!("[{}]", row("null"))), &[])[0]["source"]["format"], "azure_table");
    assert_eq!(refused(reply(&format!("[{},7]", referral(PROFILE))), &[]), "not_a_lead value[1]");
    assert_eq!(refused(reply("[]"), &[]), "not_a_lead value");
    assert_eq!(leads(reply(&referral(PROFILE)), &[]).len(), 1);
    assert_eq!(refused("{\"value\":{}}", &[]), "unknown_format ");
    let rows = r#"{"totalSize":1,"done":true,"records":[{"FirstName":"Jane","Email":"jane@adatum.example"}]}"#;
    assert_eq!(lead(rows)["source"]["format"], "crm_row");
    let many = reply(&format!("[{}{}]", format!("{},", referral(PROFILE)).repeat(1_700), referral(PROFILE)));
    assert_eq!(leads(many, &[]).len(), 1_701);
}

#[test]
fn lines_and_arrays_hold_leads_of_any_shape() {
    let https = r#"{"userDetails":{"email":"a@b.example"},"leadSource":"SPZA-PLT"}"#;
    let form = serde_json::to_string(FORM).expect("a text");
    let formats = |value: String| {
        let leads = leads(value, &[]);
        let indexes: Vec<_> = leads.iter().map(|lead| lead["source"]["index"].as_u64().unwrap_or(99)).collect();
        assert!(indexes.iter().copied().eq(0..leads.len() as u64));
        leads.iter().map(|lead| lead["source"]["format"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let each = [https, &row("null"), &referral("null")];
    assert_eq!(formats(format!("[{},{form}]", each.join(","))), "https_json azure_table partner_center_referral salesforce_form");
    assert_eq!(formats(format!("\r\n{}\r\n\r\n", each.join("\r\n"))), "https_json azure_table partner_center_referral");
    assert_eq!(formats(format!("{FORM}\n{FORM}\n")), "salesforce_form salesforce_form");
    let lines = &[("content-type", "application/x-ndjson")];
    assert_eq!(leads(https, lines).len(), 1);
    assert_eq!(refused(format!("{https}\n{https}x\n{{}}"), &[]), "malformed_json [1]");
    assert_eq!(refused(format!("{https}\n7\n{{}}"), &[]), "not_a_lead [1]");
    assert_eq!(refused(format!("{https}\n{{\"x\":1}}"), &[]), "unknown_format [1]");
    assert_eq!(refused(format!("{{\n{https}"), lines), "malformed_json [0]");
    assert_eq!(refused("{\n\"leadSource\":\n", &[]), "malformed_json ");
    assert_eq!(refused(format!("{https}{https}"), &[]), "malformed_json ");
    assert_eq!(refused("{}\n".repeat(10_001), &[]), "too_many_leads ");
}

#[test]
fn a_cloud_event_is_its_data() {
    let event = |rest: &str| {
        format!(r#"{{"specversion":"1.0","id":"e1","source":"/s","type":"t","time":"2026-10-30T10:00:00Z","subject":"x",{rest}}}"#)
    };
    let https = r#"{"userDetails":{"email":"a@b.example"},"leadSource":"SPZA-PLT"}"#;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for data in [
        format!("\"data\":{https}"),
        format!("\"datacontenttype\":\"application/json\",\"data\":[{https}]"),
        format!("\"data\":{}", serde_json::to_string(https).expect("a text")),
        format!("\"data_base64\":\"{}\"", base64(https)),
    ] {
        let lead = lead(event(&data));
        assert_eq!(
            (&lead["contact"]["email"], &lead["event_time"]),
            (&json!("a@b.example"), &json!("2026-10-30T10:00:00.000000Z")),
            "{data}"
        );
        assert_eq!((&lead["extra"]["ce_id"], &lead["extra"]["ce_subject"]), (&json!("\"e1\""), &json!("\"x\"")));
    }
    for data in [
        format!("\"datacontenttype\":\"application/x-www-form-urlencoded\",\"data\":{}", serde_json::to_string(FORM).expect("a text")),
        format!("\"data_base64\":\"{}\"", base64(FORM)),
    ] {
        assert_jane(&lead(event(&data)));
    }
    let forms = serde_json::to_string(&format!("{FORM}\n{FORM}")).expect("a text");
    assert_eq!(leads(event(&format!("\"data\":{forms}")), &[]).len(), 2);
    assert_eq!(leads(format!("[{forms},{forms}]"), &[]).len(), 4);
    let lines = serde_json::to_string(&format!("{https}\n{https}")).expect("a text");
    assert_eq!(leads(event(&format!("\"data\":{lines}")), &[]).len(), 2);
    // The lead's own time before the envelope's; a list and a batch inside and outside.
    assert_eq!(lead(event(&format!("\"data\":{}", row("null"))))["event_time"], "2026-03-01T10:00:00.000000Z");
    assert_eq!(leads(event(&format!("\"data\":{{\"value\":[{},{}]}}", referral(PROFILE), referral(PROFILE))), &[]).len(), 2);
    let batch = format!("[{},{}]", event(&format!("\"data\":{https}")), event(&format!("\"data\":[{https},{https}]")));
    assert_eq!(leads(batch, &[("content-type", "application/cloudevents-batch+json")]).len(), 3);
    for (data, wanted) in [
        ("\"x\":1", "not_a_lead "),
        ("\"data\":null", "not_a_lead "),
        ("\"data\":7", "not_a_lead data"),
        ("\"data\":{\"x\":1}", "unknown_format data"),
        ("\"data\":[{},7]", "not_a_lead data[1]"),
        ("\"data\":\"text\"", "not_a_lead data"),
        ("\"data\":\"{\"", "malformed_json data"),
        (&format!("\"data\":\"{}\"", "[".repeat(1_000)), "too_deep data"),
        ("\"data_base64\":\"*\"", "not_a_lead data_base64"),
        ("\"data_base64\":\"/w==\"", "not_utf8 data_base64"),
        ("\"data_base64\":\"\"", "not_a_lead data_base64"),
    ] {
        assert_eq!(refused(event(data), &[]), wanted, "{data}");
    }
    // Nothing is no form either, whoever says so.
    for data in ["\"data_base64\":\"\"", "\"data\":\"\""] {
        assert!(refused(event(data), &[("lead-format", "salesforce_form")]).starts_with("not_a_lead data"), "{data}");
    }
    assert_eq!(refused(format!("[{},{}]", event(&format!("\"data\":{https}")), event("\"data\":[7]")), &[]), "not_a_lead [1].data[0]");
    let long = event(&format!("\"data\":{https},\"long\":\"{}\"", "x".repeat(2_000)));
    assert!(has(&lead(long)["flags"], "field_truncated"));
}

#[test]
fn a_header_that_is_wrong_is_a_fault_of_the_record() {
    let https = r#"{"userDetails":{"email":"a@b.example"},"leadSource":"SPZA-PLT"}"#;
    for (value, name, header, wanted) in [
        (https, "lead-format", "azure_table", "unknown_format "),
        (https, "lead-format", "salesforce_form", "unknown_format "),
        (https, "lead-format", "raw_lead", "malformed_avro "),
        (https, "content-type", "application/x-www-form-urlencoded", "unknown_format "),
        (https, "content-type", "application/avro", "malformed_avro "),
        (FORM, "lead-format", "https_json", "malformed_json "),
        ("[\"oid=1&email=a%40b.example\"]", "lead-format", "azure_table", "unknown_format [0]"),
        (FORM, "content-type", "application/json", "malformed_json "),
        ("a=1&b=2", "content-type", "application/x-www-form-urlencoded", "unknown_format "),
        ("{\"status\":\"x\"}", "lead-format", "https_json", "unknown_format "),
    ] {
        assert_eq!(refused(value, &[(name, header)]), wanted, "{name}: {header}");
    }
    // One that does not say enough is no fault, and one that says more is believed.
    assert_eq!(leads(https, &[("content-type", "text/plain")]).len(), 1);
    assert_eq!(
        leads("{\"id\":\"1\",\"status\":\"New\"}", &[("lead-format", "partner_center_referral")])[0]["source"]["format"],
        "partner_center_referral"
    );
    assert_eq!(leads("{}", &[("lead-format", "azure_table")])[0]["source"]["format"], "azure_table");
    assert_eq!(leads(r#"{"oid":"1","last_name":"Doe"}"#, &[("lead-format", "salesforce_form")])[0]["source"]["format"], "salesforce_form");
}

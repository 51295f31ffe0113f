//! Every kind of bad input ends as exactly one documented outcome (docs/bad-input.md), with its bytes untouched.

use leadstream::pipeline::Limits;

use crate::core::{Written, decide, pipeline, run};

/// The one dead letter of a value, whose bytes are those that came.
fn rejected(value: &[u8]) -> Written {
    let (outputs, decided) = decide(value);
    assert!(!decided && outputs.len() == 1, "one dead letter");
    assert_eq!(outputs[0].topic, "leads.dead-letter");
    assert_eq!(outputs[0].value.as_deref(), Some(value), "bytes untouched");
    outputs.into_iter().next().expect("one")
}

fn code(value: &[u8]) -> String {
    rejected(value).header("dlq-code").expect("a code")
}

/// The one lead of a value.
fn lead(value: &str) -> serde_json::Value {
    let (outputs, decided) = decide(value.as_bytes());
    assert!(decided, "{value}");
    outputs[0].json()
}

#[test]
fn nothing_at_all_is_an_empty_value() {
    for value in ["", " ", "\n\t \r\n", "\u{feff}", "\u{feff}  "] {
        assert_eq!(code(value.as_bytes()), "empty_value", "{value:?}");
    }
    let (outputs, decided) = run(&pipeline(), Some(b"k"), None, &[]);
    assert!(!decided);
    assert_eq!((outputs[0].value.clone(), outputs[0].header("dlq-code")), (None, Some("empty_value".into())));
    assert_eq!(outputs[0].header("dlq-size"), None);
}

#[test]
fn bytes_that_are_no_text_and_text_that_is_no_json() {
    assert_eq!(code(b"{\"Un\xff\":1}"), "not_utf8");
    for value in [
        "{",
        "{\"leadSource\":\"x\"",
        "{\"leadSource\":\"x\",}",
        "{'leadSource':1}",
        "nonsense",
        "{\"a\":\"\u{0}\"}",
        "{}{}",
        "[{}",
        "\"",
        "[1,]",
    ] {
        assert_eq!(code(value.as_bytes()), "malformed_json", "{value:?}");
    }
}

#[test]
fn json_that_is_no_lead() {
    for value in ["[]", "1", "\"text\"", "null", "true", "[[]]", "[1]", "[null]"] {
        assert_eq!(code(value.as_bytes()), "not_a_lead", "{value:?}");
    }
    for value in ["{\"status\":\"ok\"}", "{\"a\":{\"leadSource\":\"SPZA\"}}"] {
        assert_eq!(code(value.as_bytes()), "unknown_format", "{value:?}");
    }
}

#[test]
fn one_element_that_is_no_lead_rejects_the_whole_record() {
    let letter = rejected(b"[{\"leadSource\":\"SPZA-INS\"},{},7,{\"x\":1}]");
    assert_eq!((letter.header("dlq-code"), letter.header("dlq-field")), (Some("not_a_lead".into()), Some("[2]".into())));
    let letter = rejected(b"[{},{\"x\":1}]");
    assert_eq!((letter.header("dlq-code"), letter.header("dlq-field")), (Some("unknown_format".into()), Some("[1]".into())));
}

#[test]
fn an_empty_object_is_a_lead_without_contact() {
    let lead = lead("{}");
    assert_eq!((lead["verdict"].as_str(), lead["reasons"][0].as_str()), (Some("UNQUALIFIED"), Some("no_contact")));
}

#[test]
fn a_byte_order_mark_is_skipped_and_kept_in_a_dead_letter() {
    assert_eq!(lead("\u{feff}{\"leadSource\":\"SPZA-INS\"}")["storefront"], "APP_SOURCE");
    assert_eq!(code("\u{feff}{".as_bytes()), "malformed_json");
}

#[test]
fn a_record_of_ten_megabytes_leaves_as_its_size_and_hash() {
    let value = vec![b'x'; 10 << 20];
    let (outputs, decided) = decide(&value);
    assert!(!decided);
    assert_eq!(outputs[0].value, None);
    assert_eq!(outputs[0].header("dlq-code").as_deref(), Some("too_large"));
    assert_eq!(outputs[0].header("dlq-size").as_deref(), Some("10485760"));
    assert_eq!(outputs[0].header("dlq-sha256").map(|hash| hash.len()), Some(64));
}

#[test]
fn nesting_is_bounded_wherever_it_lies() {
    let deep = "[".repeat(100_000);
    assert_eq!(code(deep.as_bytes()), "too_deep");
    let closed = format!("{{\"leadSource\":\"SPZA\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code(closed.as_bytes()), "too_deep");
    assert_eq!(code(format!("{}1", "{\"a\":".repeat(100_000)).as_bytes()), "too_deep");
    let within = |levels: usize| format!("{{\"leadSource\":\"SPZA\",\"x\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(lead(&within(63))["storefront"], "APP_SOURCE");
    assert_eq!(code(within(64).as_bytes()), "too_deep");
    let in_details = format!("{{\"userDetails\":{{\"x\":{}1{}}}}}", "[".repeat(63), "]".repeat(63));
    assert_eq!(code(in_details.as_bytes()), "too_deep");
}

#[test]
fn an_array_of_twenty_thousand_leads_is_too_many() {
    let many = format!("[{}{{}}]", "{},".repeat(19_999));
    assert_eq!(code(many.as_bytes()), "too_many_leads");
    let (outputs, decided) = decide(format!("[{}{{}}]", "{},".repeat(9_999)).as_bytes());
    assert!(decided);
    assert_eq!(outputs.iter().filter(|output| output.topic == "leads.unqualified").count(), 10_000);
}

#[test]
fn a_key_that_comes_twice_gives_its_first_value_that_is_not_blank() {
    let lead = lead("{\"leadSource\":\"\",\"LeadSource\":\"SPZA-INS\",\"LEADSOURCE\":\"AzurePortal-Create\"}");
    assert_eq!((lead["storefront"].as_str(), lead["flags"].to_string().contains("duplicate_key")), (Some("APP_SOURCE"), true));
    let same = self::lead("{\"leadSource\":\"SPZA-INS\",\"LeadSource\":\"SPZA-INS\"}");
    assert!(!same["flags"].to_string().contains("duplicate_key"));
}

#[test]
fn values_of_the_wrong_type_lose_no_lead() {
    let lead = lead(
        "{\"userDetails\":{\"firstName\":7,\"phone\":14255550123,\"company\":true,\"title\":null,\"email\":[\"a\"]},\"leadSource\":{\"x\": 1},\"More\":[1, 2]}",
    );
    assert_eq!(lead["contact"]["first_name"], "7");
    assert_eq!(lead["contact"]["phone_e164"], "+14255550123");
    assert_eq!(lead["contact"]["company"], "true");
    assert_eq!(lead["extra"]["leadSource"], "{\"x\":1}");
    assert_eq!(lead["extra"]["userDetails.email"], "[\"a\"]");
    assert_eq!(lead["extra"]["More"], "[1,2]");
    let odd = self::lead("{\"userDetails\":\"x\",\"leadSource\":\"SPZA-INS\"}");
    assert_eq!(odd["extra"]["userDetails"], "\"x\"");
}

#[test]
fn control_characters_and_lone_surrogates_lose_no_lead() {
    let lead = lead(
        r#"{"userDetails":{"firstName":"A\u0000d\u001fa","lastName":"\ud83d","company":"\ud83d\ude00 Ltd"},"leadSource":"SPZA-PLT","x\ud800":1}"#,
    );
    assert_eq!(lead["contact"]["first_name"], "Ada");
    assert_eq!(lead["contact"]["last_name"], "\u{fffd}");
    assert_eq!(lead["contact"]["company"], "😀 Ltd");
    assert_eq!(lead["extra"]["x\u{fffd}"], "1");
}

#[test]
fn long_fields_are_cut_and_much_extra_is_left_out() {
    let lead = lead(&format!("{{\"description\":\"{}\",\"a\":\"{}\",\"b\":1}}", "é".repeat(20_000), "x".repeat(70_000)));
    assert_eq!(lead["note"].as_str().map(str::len), Some(32_768));
    assert_eq!((lead["extra"]["a"].is_null(), lead["extra"]["b"].as_str()), (true, Some("1")));
    assert!(lead["flags"].to_string().contains("field_truncated"));
}

#[test]
fn the_official_test_lead_that_is_no_json_is_marked_as_test() {
    let letter = rejected(b"{\"userDetails\":{\"FirstName\":\"MSFT_TEST_636573304831318844\" \"LastName\":\"x\"}}");
    assert_eq!((letter.header("dlq-code"), letter.header("dlq-test")), (Some("malformed_json".into()), Some("true".into())));
    assert_eq!(rejected(b"{").header("dlq-test"), None);
}

#[test]
fn a_dead_letter_tells_where_it_came_from_and_keeps_what_came_with_it() {
    let headers: &[(&str, &[u8])] = &[("traceparent", b"00-aa-bb-01"), ("dlq-code", b"old"), ("bin", &[0xff, 0])];
    let (outputs, _) = run(&pipeline(), Some(b"\xffkey"), Some(b"{"), headers);
    let letter = &outputs[0];
    assert_eq!(letter.key.as_deref(), Some(&b"\xffkey"[..]));
    let names: Vec<_> = letter.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "traceparent",
            "bin",
            "dlq-topic",
            "dlq-partition",
            "dlq-offset",
            "dlq-timestamp",
            "dlq-stage",
            "dlq-code",
            "dlq-field",
            "dlq-detail",
            "dlq-ruleset",
            "dlq-version",
            "dlq-first-failed-at",
            "dlq-attempt"
        ]
    );
    for (name, value) in [
        ("dlq-topic", "leads.raw"),
        ("dlq-partition", "3"),
        ("dlq-offset", "42"),
        ("dlq-timestamp", "1793523600000"),
        ("dlq-stage", "decode"),
        ("dlq-attempt", "1"),
    ] {
        assert_eq!(letter.header(name).as_deref(), Some(value));
    }
    assert_eq!(letter.headers[1].1.as_deref(), Some(&[0xff, 0][..]));
}

#[test]
fn an_event_too_large_for_its_topic_makes_the_record_a_dead_letter_and_a_large_dead_letter_sheds_its_value() {
    let mut pipeline = pipeline();
    pipeline.encoding.largest = [2_000, 2_000, 2_000, 20_000, 0];
    let value = format!(
        "{{\"userDetails\":{{\"email\":\"a@acme.example\"}},\"leadSource\":\"SPZA-INS\",\"description\":\"{}\"}}",
        "x".repeat(3_000)
    );
    let (outputs, decided) = run(&pipeline, None, Some(value.as_bytes()), &[]);
    assert!(!decided && outputs.len() == 1);
    assert_eq!(
        (outputs[0].header("dlq-code").as_deref(), outputs[0].header("dlq-stage").as_deref()),
        (Some("output_too_large"), Some("encode"))
    );
    assert_eq!(outputs[0].value.as_deref(), Some(value.as_bytes()));
    let long = format!("{{{}", " ".repeat(30_000));
    let (outputs, _) = run(&pipeline, Some(&vec![7; 50_000]), Some(long.as_bytes()), &[("h", &vec![1; 50_000])]);
    assert_eq!((outputs[0].value.clone(), outputs[0].key.clone(), outputs[0].header("h")), (None, None, None));
    assert_eq!(
        (outputs[0].header("dlq-code").as_deref(), outputs[0].header("dlq-size").as_deref()),
        (Some("malformed_json"), Some("30001"))
    );
    // What finds room is kept: the value first, then the key.
    let (outputs, _) = run(&pipeline, Some(&vec![7; 50_000]), Some(b"no lead"), &[("h", b"x")]);
    assert_eq!(
        (outputs[0].value.as_deref(), outputs[0].key.clone(), outputs[0].header("h")),
        (Some(&b"no lead"[..]), None, Some("x".into()))
    );
    let (outputs, _) = run(&pipeline, Some(b"k"), Some(b"no lead"), &[("h", &vec![1; 50_000])]);
    assert_eq!((outputs[0].key.as_deref(), outputs[0].header("h"), outputs[0].header("dlq-size")), (Some(&b"k"[..]), None, None));
}

#[test]
fn headers_may_name_the_format() {
    let pipeline = pipeline();
    let of = |name: &str, value: &[u8]| run(&pipeline, None, Some(b"{}"), &[(name, value)]);
    assert!(of("lead-format", b"https_json").1);
    assert!(of("content-type", b"application/json; charset=utf-8").1);
    for (name, value) in
        [("lead-format", &b"no_such"[..]), ("lead-format", b"\xff"), ("Content-Type", b"application/x-www-form-urlencoded")]
    {
        let (outputs, decided) = of(name, value);
        assert!(!decided);
        assert_eq!(outputs[0].header("dlq-code").as_deref(), Some("unknown_format"), "{name}");
    }
}

#[test]
fn limits_are_the_ones_that_are_set() {
    let mut pipeline = pipeline();
    pipeline.limits = Limits { record_bytes: 10, depth: 2, leads: 1, ..Limits::default() };
    let code = |value: &str| run(&pipeline, None, Some(value.as_bytes()), &[]).0[0].header("dlq-code");
    assert_eq!(code("[{},{}]").as_deref(), Some("too_many_leads"));
    assert_eq!(code("[[[]]]").as_deref(), Some("too_deep"));
    assert_eq!(code("           ").as_deref(), Some("too_large"));
}

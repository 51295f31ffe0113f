//! Every function, operator and macro of the language, asked about one lead, and how each is told when it is used wrongly.

use super::*;
use crate::rules::condition::times;

#[test]
fn one_of_two_values_is_chosen() {
    holds(
        &sample::facts(),
        &[
            "is_test ? false : true",
            "(is_test ? \"a\" : \"b\") == \"b\"",
            "(contact.country == \"FR\" ? 10 : 20) < 15",
            "(is_test ? 1.5 : 2.5) == 2.5",
            "(is_test ? note : null) == null",
            "size(is_test ? \"a\" : \"bcd\") == 3",
            "(is_test ? received_at : event_time) == event_time",
            "is_test ? 1 / 0 == 0 : true",
        ],
        &["(is_test ? \"a\" : note) == \"a\"", "(true ? null : \"a\") != null", "(is_test ? 1 : 1 / 0) == 1"],
    );
}

#[test]
fn texts_are_joined_lowered_and_matched() {
    let mut facts = sample::facts();
    facts.attribution = vec![("utm_campaign".into(), "Spring".into())];
    facts.contact.title = Some("Ärztin \u{212A}".into());
    holds(
        &facts,
        &[
            "contact.first_name + \" \" + contact.last_name == \"Jane Doe\"",
            "contact.first_name + \".\" + contact.last_name in [\"x\", contact.first_name + \".Doe\"]",
            "(contact.first_name + contact.last_name).startsWith(\"JaneD\") && size(contact.country + \"!\") == 3",
            "attribution[\"utm_\" + \"campaign\"] == \"Spring\" && \"utm_\" + \"campaign\" in attribution",
            "contact.company.lowerAscii() == \"adatum industries\" && contact.company.lowerAscii() != \"adatum\"",
            "\"adatum industries\" == contact.company.lowerAscii()",
            "contact.company.lowerAscii() in [\"x\", \"adatum industries\"]",
            "contact.company.lowerAscii().startsWith(\"adatum\") && contact.company.lowerAscii().endsWith(\"tries\")",
            "contact.company.lowerAscii().contains(\"m i\") && contact.company.lowerAscii().contains(\"\")",
            "(contact.company + \"!\").lowerAscii() == \"adatum industries!\"",
            "contact.company.lowerAscii() == contact.company.lowerAscii()",
            "(is_test ? contact.country : contact.company).lowerAscii().contains(\"adatum\")",
            "contact.title.lowerAscii() == \"Ärztin \u{212A}\"",
            "contact.company.matches(\"^A[a-z]+ I\") && contact.company.matches(\"(?i)INDUSTRIES$\")",
            "matches(contact.company, \"tum\") && (contact.country + \"!\").matches(\"^FR!$\")",
            "contact.email.matches(r\"^\\w+\\.doe@\")",
        ],
        &[
            "note.lowerAscii() == \"x\"",
            "note.lowerAscii() != \"x\"",
            "note.lowerAscii() in [\"x\"]",
            "note.lowerAscii().contains(\"\")",
            "note.matches(\"\")",
            "note + \"x\" == \"x\" || note + \"x\" != \"x\"",
            "has(note + \"x\")",
            "contact.company.lowerAscii().startsWith(\"adatum industries and more\")",
            "contact.company.lowerAscii().endsWith(\"and more adatum industries\")",
            "contact.title.lowerAscii().contains(\"k\")",
            "contact.company.matches(\"^tum\")",
        ],
    );
}

#[test]
fn elements_of_lists_are_asked() {
    let mut facts = sample::facts();
    facts.attribution = vec![("utm_campaign".into(), "spring".into()), ("utm_source".into(), "web".into())];
    facts.flags.insert(Flag::EduDomain);
    holds(
        &facts,
        &[
            "[\"dat\", \"zzz\"].exists(part, contact.company.contains(part))",
            "[\"A\", \"In\"].all(part, contact.company.contains(part))",
            "flags.exists(flag, flag == \"edu_domain\") && flags.exists(flag, flag.endsWith(\"_domain\"))",
            "!flags.all(flag, flag.endsWith(\"_domain\"))",
            "attribution.all(key, key.startsWith(\"utm_\")) && attribution.exists(key, attribution[key] == \"web\")",
            "extra.all(key, false) && !extra.exists(key, true)",
            "[1, 2, 3].exists(n, n * n == 9) && [1.5].all(x, x > 1.0) && [true].all(x, x)",
            "[event_time].all(t, t == received_at) && [duration(\"1h\")].exists(d, d > duration(\"1m\"))",
            "[\"a\", \"b\"].exists(x, [\"b\", \"c\"].exists(y, x == y))",
            "[\"a\"].all(x, [\"b\"].all(y, [\"c\"].all(z, x + y + z == \"abc\")))",
            "[contact.country + \"!\"].exists(x, x == \"FR!\") && [contact.country.lowerAscii()].all(x, x == \"fr\")",
            "attribution.exists(key, [\"web\", \"mail\"].exists(from, attribution[key] == from))",
            "[\"web\"].exists(from, attribution.exists(key, attribution[key] == from))",
            "size(reasons) == 0 && reasons.all(reason, reason == \"x\")",
            "[\"a\"].exists(country, [country].exists(other, other == country))",
            "size([1, 2]) == 2",
        ],
        &[
            "[note].exists(x, x == \"a\")",
            "[note].all(x, x < \"a\")",
            "[].exists(x, true)",
            "reasons.exists(reason, true)",
            "flags.exists(flag, flag == \"action_conflict\")",
        ],
    );
}

#[test]
fn times_and_durations_are_calculated_with() {
    // 2026-11-01 is a Sunday; 09:00 UTC is 10:00 in Berlin, and 01:00 in Los Angeles, on the day its summer time ends at 02:00.
    let mut facts = sample::facts();
    facts.event_time = Timestamp::parse("2026-10-31T23:30:15.250Z").expect("a time");
    holds(
        &facts,
        &[
            "received_at - event_time < duration(\"24h\") && received_at - event_time > duration(\"9h29m\")",
            "received_at - event_time == duration(\"9h29m44.75s\")",
            "event_time + duration(\"30m\") > timestamp(\"2026-11-01T00:00:00Z\")",
            "duration(\"30m\") + event_time == event_time + duration(\"0.5h\")",
            "received_at - duration(\"24h\") < event_time",
            "duration(\"1h\") - duration(\"90m\") == duration(\"-30m\") && duration(\"1h\") + duration(\"1m\") > duration(\"1h\")",
            "(received_at - event_time).getHours() == 9 && (received_at - event_time).getMinutes() == 569",
            "duration(\"1m\").getSeconds() == 60 && duration(\"1.5s\").getMilliseconds() == 1500 && duration(\"-90m\").getHours() == -1",
            "received_at.getHours() == 9 && received_at.getHours(\"Europe/Berlin\") == 10 && received_at.getHours(\"-08:00\") == 1",
            "received_at.getHours(\"America/Los_Angeles\") == 1 && (received_at + duration(\"1h\")).getHours(\"America/Los_Angeles\") == 2",
            "received_at.getDayOfWeek() == 0 && event_time.getDayOfWeek() == 6 && event_time.getDayOfWeek(\"Europe/Berlin\") == 0",
            "received_at.getFullYear() == 2026 && received_at.getMonth() == 10 && received_at.getDate() == 1",
            "received_at.getDayOfMonth() == 0 && received_at.getDayOfYear() == 304 && event_time.getDate(\"Asia/Tokyo\") == 1",
            "event_time.getMinutes() == 30 && event_time.getSeconds() == 15 && event_time.getMilliseconds() == 250",
            "event_time.getMinutes(\"Asia/Kolkata\") == 0",
            "timestamp(\"2026-11-01T10:00:00+01:00\") == received_at",
            "!(received_at.getHours() in [10, 11]) && received_at.getDayOfWeek(\"Europe/Berlin\") in [0, 6]",
        ],
        &[
            "referral.expires_at - received_at < duration(\"24h\")",
            "referral.expires_at - received_at >= duration(\"24h\")",
            "referral.expires_at.getHours() >= 0",
            "timestamp(\"9999-12-30T00:00:00Z\") + duration(\"48h\") > received_at",
            "timestamp(\"0001-01-01T00:00:00Z\") - duration(\"1h\") < received_at",
        ],
    );
}

#[test]
fn what_is_used_wrongly_is_told_with_what_to_write() {
    for (when, wanted) in [
        ("is_test ? 1 : \"a\"", "14 3 both sides of : must be of one type; these are a whole number and a text"),
        ("note ? true : false", "0 4 what ? asks must be true or false; this is a text"),
        ("note - \"a\" == \"b\"", "0 10 texts can only be joined, with +; they cannot be calculated with"),
        ("event_time + received_at > event_time", "0 24 a time and a time cannot be calculated with like this"),
        ("event_time - 5 > received_at", "0 14 a time and a whole number cannot be calculated with like this"),
        ("received_at - event_time < 24", "27 2 a duration cannot be compared with a whole number"),
        ("duration(\"1d\") > duration(\"1h\")", "9 4 this is no duration"),
        ("duration(note) > duration(\"1h\")", "9 4 duration(…) takes a written text only"),
        ("timestamp(note) > event_time", "10 4 timestamp(…) takes a written text only"),
        ("timestamp(event_time) > event_time", "10 10 timestamp(…) takes a written text only"),
        ("event_time.getHours(\"Mars/Base\") == 1", "20 11 \"Mars/Base\" is no time zone"),
        ("event_time.getHours(note) == 1", "20 4 a zone is a written text only"),
        ("event_time.getHours() == 24", "25 2 getHours() compared with 24 is never true"),
        ("event_time.getDayOfWeek() in [6, 7]", "33 1 getDayOfWeek() compared with 7 is never true"),
        ("12 == event_time.getMonth()", "0 2 getMonth() compared with 12 is never true"),
        ("event_time.getHours(\"UTC\") != -1", "30 2 getHours() compared with -1 is always true"),
        ("size(note) < 0", "13 1 a size compared with 0 is never true"),
        ("note.getHours() == 1", "0 4 a text has no getHours() like this"),
        ("duration(\"1h\").getMonth() == 1", "0 14 a duration has no getMonth() like this"),
        ("duration(\"1h\").getHours(\"UTC\") == 1", "0 14 a duration has no getHours() like this"),
        ("note.matches(contact.title)", "13 13 matches(…) takes a written text only, so that it can be checked now"),
        ("note.matches(\"(a\")", "13 4 this is no regular expression: unclosed group"),
        (
            "note.matches(\"(?=a)\")",
            "13 7 this is no regular expression: look-around, including look-ahead and look-behind, is not supported",
        ),
        ("note.matches(\"(a{1000}){1000}\")", "13 17 this regular expression is costly: it takes more than 256 KiB"),
        ("contact.company.lowerAscii() == \"ACME\"", "32 6 a text from lowerAscii() is never \"ACME\""),
        ("contact.company.lowerAscii().contains(\"Acme\")", "38 6 a text from lowerAscii() never has \"Acme\" in it"),
        (
            "contact.country == \"France\"",
            "19 8 contact.country is never \"France\": it is always a country's code of two capital letters (ISO 3166-1)",
        ),
        (
            "contact.email_domain.endsWith(\"@adatum.example\")",
            "30 17 contact.email_domain never has \"@adatum.example\" in it: it is always a domain in small letters",
        ),
        (
            "contact.email_domain == \"Adatum.example\"",
            "24 16 contact.email_domain is never \"Adatum.example\": it is always a domain in small letters",
        ),
        ("offer_id.startsWith(\"App\")", "20 5 offer_id never has \"App\" in it: it is always in small letters"),
        (
            "contact.country.startsWith(\"d\")",
            "27 3 contact.country never has \"d\" in it: it is always a country's code of two capital letters (ISO 3166-1)",
        ),
        ("offer_id.matches(\"^(App|Crm)\")", "17 12 this needs a capital 'A', and is asked of a text in small letters"),
        ("note.lowerAscii().matches(\"call[A-C]+\")", "26 12 this needs a capital 'A', and is asked of a text in small letters"),
        ("offer_id in [\"App\"]", "13 5 offer_id is never \"App\": it is always in small letters"),
        ("storefront == source.format", "14 13 these two have no value in common"),
        ("flags.exists(flag, flag == \"edu\")", "27 5 \"edu\" is none of the values this field can have"),
        ("note.exists(x, true)", "0 4 this is no list; it is a text"),
        ("flags.exists(note, true)", "13 4 note already has a meaning here"),
        ("flags.exists(x, [1].all(x, x == 1))", "24 1 x already has a meaning here"),
        ("flags.exists(\"x\", true)", "13 3 here stands the name of an element"),
        ("flags.exists(x, x.y == 1)", "16 3 x is a text out of a fixed list, which has no fields"),
        ("flags.exists(x, x)", "16 1 what exists(…) asks of each element must be true or false; this is a text out of a fixed list"),
        ("flags.exists(x)", "0 15 exists is not called like this"),
        ("[1, \"a\"].exists(x, true)", "4 3 the elements of a list are of one type; this is a text, the first is a whole number"),
        ("[\"a\", \"b\"] == [\"a\"]", "0 10 a list may only stand to the right of `in`, before .exists(…) or .all(…), or in size(…)"),
        ("attribution.exists(a, extra.exists(b, a == b))", "22 23 in this loop another goes over a list whose length only the lead tells"),
        ("flags.all(a, flags.all(b, flags.all(c, flags.all(d, a == b))))", "13 48 this could take 32958 steps; a condition may take 10000"),
        ("x.map(a, a) == 1", "2 3 map() is not supported in conditions"),
        ("flags.filter(f, true).exists(x, true)", "6 6 filter() is not supported in conditions"),
        ("string(score.total) == \"1\"", "0 6 string() is not supported in conditions"),
        ("int(note) == 1", "0 3 int() is not supported in conditions"),
        ("score.total == 5u", "15 2 5u is not supported in conditions"),
        ("note == b\"a\"", "8 4 b\"…\" is not supported in conditions"),
        ("{\"a\": 1}.a == 1", "0 8 {…} is not supported in conditions"),
        ("a.?b == 1", "0 4 x.?y is not supported in conditions"),
        ("attribution[?\"a\"] == \"b\"", "0 17 x[?y] is not supported in conditions"),
    ] {
        let faults = Condition::parse(when, Sight::Routed).err().unwrap_or_default();
        let told: Vec<_> = faults.iter().map(|fault| format!("{} {} {}", fault.offset, fault.length, fault.message)).collect();
        let first = told.first().cloned().unwrap_or_default();
        assert_eq!(first, wanted, "{when}: {told:?}");
        assert!(faults.iter().all(|fault| !fault.hint.is_empty()), "{when}: {faults:?}");
    }
}

#[test]
fn hints_name_the_values_and_the_nearest() {
    for (when, wanted) in [
        ("contact.contry == \"FR\"", "did you mean contact.country?"),
        ("storefront == APP_SOURCE", "a text stands in quotes: \"APP_SOURCE\""),
        ("contact.region == \"EMAE\"", "did you mean \"EMEA\"? its values are \"AMER\", \"EMEA\", \"APAC\" or \"UNKNOWN\""),
        ("note.startWith(\"a\")", "did you mean startsWith?"),
        ("note.upperAscii() == \"A\"", "use lowerAscii() and write the other text in small letters"),
        ("event_time.getDayOfWeek() == 7", "the days are 0 (Sunday) to 6 (Saturday)"),
        ("offer_id == \"App\"", "write \"app\""),
        ("contact.country == \"us\"", "write \"US\""),
        ("contact.country == \"UK\"", "write \"GB\""),
        ("contact.country == \"Germany\"", "write a country's code of two capital letters (ISO 3166-1)"),
        ("event_time.getHours(\"Berlin\") == 1", "did you mean \"Europe/Berlin\"?"),
        ("contact.email_domain == \"@Adatum.example\"", "write \"adatum.example\""),
        ("now() > event_time", "received_at is the only clock: when the record reached Kafka; a replay decides the same"),
        ("not is_test", "write ! for \"not\""),
        ("not(is_test)", "write ! for \"not\""),
        ("is_spam and not is_test", "write && for \"and\""),
        ("is_spam OR is_test", "write || for \"or\""),
        ("is_spam & is_test", "write && for \"and\""),
        ("contact.country not in [\"US\"]", "write !(x in […])"),
        ("contact.country IN [\"US\"]", "write in, in small letters"),
        ("contact.company LIKE \"A%\"", "write x.startsWith(\"…\"), x.endsWith(\"…\"), x.contains(\"…\") or x.matches(\"…\")"),
        ("note is null", "write x == null for \"is null\", and has(x) for \"is not null\""),
        ("contact.country = \"US\"", "write == to compare"),
        ("contact.country === \"US\"", "write == or !="),
        ("contact.country <> \"US\"", "write != for \"<>\""),
        ("is_test == True", "write true"),
        ("note == None", "write null"),
        ("note != NULL", "write null"),
    ] {
        let faults = Condition::parse(when, Sight::Lead).err().unwrap_or_default();
        assert_eq!(faults.first().map(|fault| fault.hint.as_str()), Some(wanted), "{when}");
    }
}

#[test]
fn parts_of_times_are_functions() {
    for (name, part, _) in times::PARTS {
        assert_eq!(times::shown(part), format!("{name}()"));
    }
}

#[test]
fn only_joined_and_lowered_texts_are_bounded_by_their_parts() {
    let sum = |count: usize| format!("{} == \"x\"", vec!["note"; count].join(" + "));
    assert_eq!(faults(&sum(16), Sight::Lead), [""; 0]);
    assert_eq!(faults(&sum(17), Sight::Lead), ["0 a text is joined of at most 16 texts"]);
    assert_eq!(faults(&sum(20), Sight::Lead), ["0 a text is joined of at most 16 texts"]);
}

//! What hangs together in a lead though no condition says so: the sums of the score, times and their parts, flags and what they are
//! made of, reasons and the verdict.

use super::{DEFAULT, check, gate, marked_route, route};

/// A route that asks so for leads of either verdict.
fn asking(when: &str, verdict: &str, mark: &str) -> String {
    let lines = format!("destination = \"X\"\nverdict = \"{verdict}\"");
    DEFAULT.to_owned() + &if mark.is_empty() { route("r", &lines, when) } else { marked_route("r", &lines, when, mark) }
}

#[test]
fn the_total_is_fit_and_intent() {
    for when in [
        "score.fit + score.intent >= 40 && score.total < 40",
        "score.intent + score.fit != score.total",
        "score.fit >= 20 && score.intent >= 20 && score.total < 40",
        "score.total - score.fit > 10 && score.intent <= 10",
        "score.total > 60 && score.fit <= 20",
        "score.fit >= 10 && score.intent >= 25 && score.grade == \"D\"",
        "score.fit > 25",
        "score.intent > 40",
        "score.total > 65",
        "score.fit + score.intent > 65",
    ] {
        check(&asking(when, "QUALIFIED", "never_fires"));
    }
    for when in [
        "score.fit + score.intent >= 40 && score.total < 50",
        "score.fit >= 20 && score.intent >= 20 && score.total < 46",
        "score.total - score.fit > 10 && score.intent <= 30",
        "score.total == 65 && score.fit == 25",
        "score.fit < 0 && score.intent > 30 && score.total < 25",
        "score.total > 40 && score.fit <= 20",
    ] {
        check(&asking(when, "QUALIFIED", ""));
    }
}

#[test]
fn who_qualifies_has_no_reason() {
    check(&asking("size(reasons) > 0", "QUALIFIED", "never_fires"));
    check(&asking("reasons.size() == 0", "UNQUALIFIED", "never_fires"));
    check(&asking("size(reasons) == 0", "QUALIFIED", ""));
    check(&asking("size(reasons) == 2", "UNQUALIFIED", ""));
    check(&asking("size(reasons) < 2 && \"low_score\" in reasons", "UNQUALIFIED", ""));
}

#[test]
fn times_have_the_dates_between_them() {
    for when in [
        "event_time.getFullYear() == 2025 && event_time >= timestamp(\"2026-01-01T00:00:00Z\")",
        "event_time.getFullYear() >= 2026 && event_time < timestamp(\"2026-01-01T00:00:00Z\")",
        "event_time.getFullYear(\"Europe/Berlin\") == 2025 && event_time >= timestamp(\"2025-12-31T23:00:00Z\")",
        "event_time.getMonth() == 11 && event_time >= timestamp(\"2026-03-01T00:00:00Z\") && event_time < timestamp(\"2026-06-01T00:00:00Z\")",
        "event_time.getMonth() == 1 && event_time.getDate() == 30",
        "event_time.getDate() == 1 && event_time.getDayOfMonth() == 1",
        "event_time.getDayOfYear() > 40 && event_time.getMonth() == 0",
        "event_time.getFullYear() == 2026 && event_time.getMonth() == 10 && event_time.getDate() == 1 && event_time.getDayOfWeek() == 1",
        "event_time.getFullYear() == 2026 && event_time.getMonth() == 1 && event_time.getDate() == 29",
        "received_at.getHours() == 5 && received_at >= timestamp(\"2026-03-01T08:00:00Z\") && received_at < timestamp(\"2026-03-01T17:00:00Z\")",
        "received_at.getDayOfWeek() in [0, 6] && received_at >= timestamp(\"2026-11-02T00:00:00Z\") && received_at < timestamp(\"2026-11-07T00:00:00Z\")",
        "!has(event_time.getHours())",
    ] {
        check(&gate(when, " # <- never_fires"));
    }
    for when in [
        "event_time.getFullYear() == 2025 && event_time >= timestamp(\"2025-12-31T23:59:59Z\")",
        "event_time.getFullYear(\"Europe/Berlin\") == 2025 && event_time >= timestamp(\"2025-12-31T22:59:59Z\")",
        "event_time.getFullYear(\"America/Los_Angeles\") == 2025 && event_time >= timestamp(\"2026-01-01T00:00:00Z\")",
        "event_time.getMonth() == 1 && event_time.getDate() == 29",
        "event_time.getDayOfYear() == 365 && event_time.getDayOfWeek() == 6",
        "event_time.getMonth() == 5 && event_time >= timestamp(\"2026-03-01T00:00:00Z\") && event_time < timestamp(\"2026-06-01T00:00:01Z\")",
        "received_at.getHours() == 16 && received_at >= timestamp(\"2026-03-01T08:00:00Z\") && received_at < timestamp(\"2026-03-01T17:00:00Z\")",
        "received_at.getHours() == 5 && received_at >= timestamp(\"2026-03-01T08:00:00Z\")",
        "event_time.getHours(\"Europe/Berlin\") == 2 && event_time.getMonth() == 2 && event_time.getMinutes() == 30",
        "!(referral.expires_at.getHours() < 5) && !(referral.expires_at.getHours() > 3)",
    ] {
        check(&gate(when, ""));
    }
}

#[test]
fn flags_are_of_what_they_tell() {
    for when in [
        "\"late_delivery\" in flags && received_at - event_time < duration(\"2h\")",
        "!(\"late_delivery\" in flags) && received_at - event_time > duration(\"24h\")",
        "\"late_delivery\" in flags && event_time - received_at > duration(\"-6h\")",
        "event_time - received_at > duration(\"72h\") && received_at > event_time",
        "received_at - event_time > duration(\"1h\") && received_at == event_time",
        "received_at < event_time && received_at - event_time > duration(\"-1h\") && \"late_delivery\" in flags",
        "\"edu_domain\" in flags && contact.email_kind == \"BUSINESS\"",
        "\"email_invalid\" in flags && has(contact.email_domain)",
        "\"country_unknown\" in flags && contact.country == \"DE\"",
        "\"phone_unverifiable\" in flags && has(contact.phone_e164)",
    ] {
        check(&gate(when, " # <- never_fires"));
    }
    for when in [
        "\"late_delivery\" in flags && received_at - event_time < duration(\"7h\")",
        "!(\"late_delivery\" in flags) && received_at - event_time > duration(\"5h\")",
        "\"edu_domain\" in flags && contact.email_kind == \"EDU\"",
        "\"email_invalid\" in flags && has(contact.email)",
        "\"country_unknown\" in flags && has(contact.country_raw)",
    ] {
        check(&gate(when, ""));
    }
    let late = "[policy]\nlate_after = \"30m\"\n";
    check(&(gate("\"late_delivery\" in flags && received_at - event_time < duration(\"2h\")", "") + late));
}

/// Points of both halves make one total, and so do those of several rules.
#[test]
fn scores_cancel_across_halves_and_among_three() {
    let rule = |id: &str, part: &str, points: i64, when: &str, mark: &str| {
        format!("[[score.rule]]\nid = \"{id}\"\npart = \"{part}\"\npoints = {points}\nwhen = '{when}'{mark}\n")
    };
    let halves = |mark: &str| rule("a", "fit", 10, "has(note)", "") + &rule("b", "intent", -10, "has(note)", mark);
    check(&format!("{DEFAULT}{}", halves(" # <- scores_cancel")));
    // Where one of the two is asked for alone each counts.
    check(&format!("{DEFAULT}{}{}", halves(""), route("r", "destination = \"X\"", "score.fit >= 20")));
    let three = |last: i64, mark: &str| {
        rule("a", "fit", 10, "has(note)", "") + &rule("b", "fit", 5, "has(note)", "") + &rule("c", "fit", last, "has(note)", mark)
    };
    check(&format!("{DEFAULT}{}", three(-15, " # <- scores_cancel")));
    check(&format!("{DEFAULT}{}", three(-14, "")));
}

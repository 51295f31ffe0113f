//! Conditions: those that no lead meets, those that some lead does, and leads that are made for whatever is asked.

use leadstream::rules::Ruleset;

use super::{DEFAULT, check, gate, linted, marked_route, route};

#[test]
fn conditions_that_exclude_themselves_never_fire() {
    for when in [
        "false",
        "storefront == \"APP_SOURCE\" && storefront == \"AZURE_MARKETPLACE\"",
        "storefront == \"APP_SOURCE\" && campaign == \"DEMAND_GENERATION\"",
        "campaign == \"NURTURE\" && audience == \"ALL_CUSTOMERS\"",
        "campaign == \"NURTURE\" && origin == \"CO_SELL\"",
        "origin == \"CO_SELL\" && channel == \"WEB\"",
        "action == \"CREATE\" && stage == \"TRIAL\"",
        "action == \"CREATE\" && storefront == \"UNKNOWN\" && origin == \"STOREFRONT\"",
        "confidence == \"HIGH\" && storefront == \"UNKNOWN\"",
        "\"storefront_inferred\" in flags && confidence == \"HIGH\"",
        "offer.offer_type == \"saas\" && listing == \"OFFER\"",
        "!has(offer) && offer.listing_option == \"transact\"",
        "action == \"DO_NOT_CONTACT\" && consent.contact == \"GRANTED\"",
        "contact.country == \"FR\" && contact.region == \"AMER\"",
        "contact.country in [\"US\", \"CA\"] && contact.region != \"AMER\"",
        "!has(contact.country) && contact.region == \"EMEA\"",
        "is_test && !is_test",
        "(is_test || is_spam) && !is_test && !is_spam",
        "contact.company == \"\"",
        "contact.company == \" Adatum\"",
        "contact.company == \"Adatum\" && contact.company != \"Adatum\"",
        "contact.company.startsWith(\"A\") && contact.company.startsWith(\"B\")",
        "contact.company.startsWith(\"Ada\") && !contact.company.startsWith(\"Ad\")",
        "contact.company.startsWith(\"Ada\") && contact.company in [\"Beta\", \"Gamma\"]",
        "contact.company.endsWith(\"GmbH\") && !contact.company.lowerAscii().contains(\"gmb\")",
        "contact.company.lowerAscii() == \"adatum\" && contact.company.lowerAscii().startsWith(\"b\")",
        "contact.company.lowerAscii() in [\"a\", \"b\"] && contact.company.lowerAscii() == \"c\"",
        "contact.company.matches(\"^A\") && !contact.company.matches(\"^A\")",
        "contact.company.matches(\"^A\") && contact.company == \"Beta\"",
        "!has(note) && note.contains(\"seats\")",
        "note < \"b\" && note > \"c\"",
        "size(note) > 5 && size(note) < 3",
        "size(note) > 5 && size(note) < 7 && size(note) != 6",
        "size(attribution) < 1 && size(attribution) > 0",
        "referral.deal_value > 100.0 && referral.deal_value < 50.5",
        "!has(referral) && has(referral.status)",
        "!has(referral) && referral.status == \"New\"",
        "has(offer) && !has(offer_id)",
        "!has(account) && account.segment == \"smb\"",
        "!has(account) && account.tier == \"gold\"",
        "has(account) && !has(contact.email_domain)",
        "attribution[\"utm_source\"] == \"web\" && !(\"utm_source\" in attribution)",
        "attribution.utm_source == \"web\" && attribution[\"utm_source\"] == \"mail\"",
        "event_time < timestamp(\"2026-01-01T00:00:00Z\") && event_time > timestamp(\"2026-06-01T00:00:00Z\")",
        "event_time.getHours(\"Europe/Berlin\") >= 18 && event_time.getHours(\"Europe/Berlin\") < 8",
        "event_time.getHours() > 22 && event_time.getHours() != 23",
        "received_at - event_time > duration(\"24h\") && received_at - event_time < duration(\"12h\")",
        "received_at < event_time && received_at >= event_time",
        "received_at - event_time > duration(\"24h\") && event_time > received_at",
        "event_time > received_at && event_time == received_at",
        "reachable && !has(contact.email_domain) && !has(contact.phone_raw)",
        "!reachable && has(contact.email_domain)",
        "!reachable && contact.email_kind == \"BUSINESS\"",
        "contact.email_kind == \"BUSINESS\" && !has(contact.email)",
        "own_domain && reachable",
        "contact.seniority == \"VP\" && !has(contact.title)",
        "suppressed_by == \"person\" && suppressed_by == \"domain\"",
        "suppressed_by == \"person\" && !has(suppressed_by)",
        "\"edu_domain\" in flags && !(\"edu_domain\" in flags)",
        "(is_test ? is_spam : false) && !is_test",
        "is_test == true && is_test == false",
        "is_test == is_spam && is_test && !is_spam",
        "1 > 2",
        "source.partition < 0",
        "!(contact.region == \"EMEA\" || contact.region == \"AMER\" || contact.region == \"APAC\" || contact.region == \"UNKNOWN\")",
        "[\"GmbH\", \"AG\"].exists(form, contact.company.endsWith(form)) && contact.company == \"Adatum\"",
        "[\"a\", \"b\"].all(part, note.contains(part)) && !note.contains(\"b\")",
        "[note, contact.title].exists(text, text == \"x\") && note != \"x\" && !has(contact.title)",
        "(has(note) ? note : \"none\") == \"none\" && note == \"x\"",
        "flags.exists(flag, flag == \"edu_domain\") && !flags.exists(flag, flag == \"edu_domain\")",
        "extra[\"x\"] > \"a\" && extra[\"x\"] == \"1\"",
    ] {
        check(&gate(when, " # <- never_fires"));
    }
}

#[test]
fn conditions_that_some_lead_meets_are_left_alone() {
    for when in [
        "storefront == \"UNKNOWN\" && campaign == \"UNCLASSIFIED\"",
        "storefront == \"APP_SOURCE\" && campaign == \"UNCLASSIFIED\"",
        "action == \"INSTALL\" && stage == \"TRIAL\"",
        "contact.country == \"XK\" && contact.region == \"EMEA\"",
        "!(note < \"b\") && !(note > \"a\")",
        "note != \"x\" && !(note != \"y\")",
        "!(attribution[\"x\"] == \"a\") && !(attribution[\"x\"] != \"a\")",
        "!(referral.deal_value < 5.0) && !(referral.deal_value >= 5.0)",
        "contact.company.startsWith(\"Ada\") && contact.company.endsWith(\"daX\") && contact.company.contains(\"q\")",
        "contact.company.lowerAscii() == \"adatum\" && contact.company != \"adatum\"",
        "contact.company.lowerAscii() == \"adatum\" && contact.company.startsWith(\"A\")",
        "contact.company > \"a\" && contact.company < \"b\" && contact.company != \"aa\"",
        "contact.company.matches(\"^A\") && !contact.company.startsWith(\"A\")",
        "size(note) > 5 && note == \"x seats\" || is_spam",
        "event_time.getHours() == 3 && event_time.getHours(\"Europe/Berlin\") == 5",
        "referral.deal_value / referral.deal_value != referral.deal_value / referral.deal_value",
        "own_domain",
        "event_time.getFullYear() != 2026 && event_time.getDate() != 1",
        "size(note) != 0 && source.partition != 0",
        "\"unknown_action\" in flags && action == \"UNKNOWN\"",
        "contact.email_kind == \"UNKNOWN\" && has(contact.email)",
        "score_is_not_seen_here || true".strip_prefix("score_is_not_seen_here || ").map_or("", |_| "is_test || is_spam"),
        "event_time == timestamp(\"2026-01-01T00:00:00.000001Z\")",
        "[\"GmbH\", \"AG\"].exists(form, contact.company.endsWith(form))",
        "[\"a\", \"b\"].exists(part, (part + note).contains(\"x\")) && ![\"a\", \"c\"].exists(part, (part + note).contains(\"x\"))",
        "[note, contact.title].exists(text, contact.company.startsWith(text)) && !contact.company.startsWith(note)",
        "!has(contact.country) || contact.country != \"US\"",
    ] {
        check(&gate(when, ""));
    }
}

/// What is asked first by a route that stops, and once more with something else by a later one.
#[test]
fn whatever_is_asked_a_lead_is_made_that_shows_it() {
    for asked in [
        "event_time.getHours(\"Europe/Berlin\") >= 18",
        "event_time.getHours(\"Europe/Berlin\") >= 18 && event_time.getDayOfWeek(\"Europe/Berlin\") in [0, 6]",
        "received_at.getMonth() == 11 && received_at.getDate() == 24",
        "received_at.getMinutes() == 59",
        "size(note) > 5",
        "note.size() == 500 && note.startsWith(\"x\")",
        "size(attribution) == 3",
        "received_at - event_time > duration(\"24h\")",
        "referral.expires_at - received_at < duration(\"24h\")",
        "referral.expires_at > received_at && referral.status == \"Active\"",
        "contact.title.matches(\"(?i)(chief|head) .*officer\")",
        "contact.email.matches(\"@.*[.]edu$\")",
        "contact.company.lowerAscii().contains(\"adatum\") && contact.company.endsWith(\"GmbH\")",
        "contact.company.lowerAscii() in [\"adatum\", \"acme\"]",
        "contact.company < \"b\" && contact.company > \"a\"",
        "\"edu_domain\" in flags && !(\"unknown_action\" in flags)",
        "\"late_delivery\" in flags",
        "account.tier == \"gold\" && account.segment != \"smb\" && has(account.name)",
        "account.domain == \"adatum.com\"",
        "offer.line == \"crm\" && offer.listing_option == \"free_trial\" && offer.title.startsWith(\"P\")",
        "offer_id == \"planner\" && publisher_id == \"acme\"",
        "attribution[\"utm_source\"] == \"web\" && \"gclid\" in attribution",
        "extra[\"x\"] == \"1\"",
        "referral.deal_value > 1000.5 && referral.deal_currency == \"EUR\"",
        "contact.email_kind == \"FREE_MAIL\" && contact.phone_raw == \"12345\"",
        "contact.email_domain.endsWith(\".edu\")",
        "!has(contact.email_domain)",
        "contact.seniority == \"VP\" && contact.title.contains(\"VP\")",
        "consent.marketing == \"DENIED\" && consent.share == \"UNKNOWN\"",
        "source.format == \"crm_row\" && source.topic == \"leads.raw\" && source.partition == 3 && source.offset > 10 && source.index < 2",
        "contact.first_name == \"Ada\" && contact.last_name != \"Brandt\" && contact.country_raw == \"Deutschland\"",
        "storefront == \"UNKNOWN\" && channel == \"TEST_DRIVE\"",
        "origin == \"CO_SELL\" && confidence == \"LOW\"",
        "score.fit >= 20 && score.intent <= 30 && score.total > 40",
        "score.grade == \"B\"",
        "event_time > timestamp(\"2026-12-24T00:00:00Z\")",
        "event_time < received_at",
        "account.region == contact.region",
        "offer_id == offer.offer_id",
        "contact.company != account.name",
        "(has(contact.title) ? contact.seniority : \"none\") == \"STAFF\"",
        "score.fit + score.intent == score.total",
        "[\"GmbH\", \"AG\"].exists(form, contact.company.endsWith(form))",
        "flags.all(flag, flag != \"edu_domain\")",
        "person_key == \"00112233445566778899aabbccddeeff\"",
        "has(person_key)",
    ] {
        let first = route("a", "destination = \"X\"\nstop = true", asked);
        let later = marked_route("b", "destination = \"Y\"", &format!("({asked}) && action != \"CREATE\""), "never_fires");
        check(&format!("{DEFAULT}{first}{later}"));
    }
}

/// A text and its size are of one lead.
#[test]
fn the_size_of_a_text_is_that_of_the_text() {
    for when in [
        "!has(note) && size(note) > 3",
        "!has(note) && size(note) == 0",
        "has(contact.company) && size(contact.company) < 1",
        "contact.email_domain == \"adatum.example\" && size(contact.email_domain) > 40",
        "contact.email_domain in [\"adatum.example\", \"b.example\"] && size(contact.email_domain) < 9",
        "contact.company.startsWith(\"Adatum\") && size(contact.company) < 6",
        "contact.company.endsWith(\"GmbH\") && contact.company.contains(\"Industries\") && size(contact.company) <= 9",
        "account.tier == \"gold\" && size(account.tier) != 4",
    ] {
        check(&gate(when, " # <- never_fires"));
    }
    for when in [
        "has(note) && size(note) > 3",
        "has(note) && size(note) < 3",
        "!(size(note) > 3)",
        "contact.email_domain == \"adatum.example\" && size(contact.email_domain) > 10",
        "contact.email_domain in [\"adatum.example\", \"b.example\"] && size(contact.email_domain) < 10",
        "contact.company.startsWith(\"Adatum\") && size(contact.company) < 7",
        "contact.company.startsWith(\"Adatum\") && size(contact.company) > 60",
        "account.tier == \"gold\" && size(account.tier) == 4",
        "account.tier != \"gold\" && size(account.tier) == 7",
    ] {
        check(&gate(when, ""));
    }
}

#[test]
fn parts_that_never_hold_beside_others_are_told() {
    for when in [
        "is_spam || contact.country == \"DE\" && contact.region == \"AMER\"",
        "contact.region == \"EMEA\" && (contact.country == \"DE\" || contact.country == \"US\")",
        "is_spam || storefront == \"APP_SOURCE\" && campaign == \"DEMAND_GENERATION\"",
        "note.contains(\"x\") || !has(note) && size(note) > 2",
        "is_spam || contact.company == \"\"",
    ] {
        check(&gate(when, " # <- dead_branch"));
    }
    for when in [
        "is_spam || own_domain",
        "is_spam || contact.country == \"DE\" && contact.region == \"EMEA\"",
        "contact.region == \"EMEA\" && (contact.country == \"DE\" || contact.country == \"FR\")",
        "is_spam || note.matches(\"x\") || [\"a\"].exists(e, e == note)",
        "contact.country in [\"DE\", \"US\"] || account.owner == \"kim\"",
    ] {
        check(&gate(when, ""));
    }
    // What follows from another mistake is told by that.
    let dead = "[[campaign]]\nid = \"c\"\nwhen = 'is_test && !is_test' # <- never_fires\n".to_owned()
        + &route("r", "destination = \"X\"", "marketing_campaign == \"c\" || has(note)");
    check(&format!("{DEFAULT}{dead}"));
    check(&format!("{DEFAULT}{}", marked_route("r", "destination = \"X\"", "score.total >= 200 || has(note)", "dead_branch")));
    check(&format!(
        "{DEFAULT}{}",
        marked_route("r", "destination = \"X\"", "marketing_campaign == \"spring\" || has(note)", "dead_branch")
    ));
}

#[test]
fn texts_that_a_field_never_has_are_told() {
    for (when, hint) in [
        ("contact.phone_e164 == \"4930901820\"", "write \"+4930901820\""),
        ("contact.phone_e164.startsWith(\"+49 30\")", "write \"+4930\""),
        ("contact.phone_e164.endsWith(\"-20\")", "write \"20\""),
        ("extra[\"x\"] == \"abc\"", "write '\"abc\"'"),
        ("extra.x in [\"1\", \"abc\"]", "write '\"abc\"'"),
        ("extra[\"x\"].startsWith(\"abc\")", "write '\"abc'"),
        ("extra[\"x\"].lowerAscii() == \"abc\"", "write '\"abc\"'"),
        ("extra[\"x\"].endsWith(\"abc\")", "write 'abc\"'"),
    ] {
        let found = check(&gate(when, " # <- impossible_text"));
        assert_eq!(found[0].hint.as_deref(), Some(hint), "{when}");
    }
    for when in [
        "contact.phone_e164.startsWith(\"+49\") || contact.phone_e164.endsWith(\"20\") || contact.phone_e164.contains(\"0901\")",
        "extra[\"x\"] in [\"1\", \"true\", \"null\", '\"abc\"', '[1,2]'] || extra[\"x\"].contains(\"abc\")",
        "attribution[\"x\"] == \"abc\"",
        "contact.phone_raw.startsWith(\"49\")",
        "referral.deal_currency == \"usd\"",
    ] {
        check(&gate(when, ""));
    }
    for (when, hint) in
        [("contact.title.matches(\"/ceo/i\")", "write \"(?i)ceo\""), ("contact.company.matches(\"/^adatum/\")", "write \"^adatum\"")]
    {
        assert_eq!(check(&gate(when, " # <- slashed_regex"))[0].hint.as_deref(), Some(hint));
    }
    for when in ["note.matches(\"/pricing/\")", "contact.title.matches(\"ceo/cto\")", "contact.title.matches(\"/ceo\")"] {
        check(&gate(when, ""));
    }
}

/// A slip is told where it stands, also in a condition of several lines.
#[test]
fn a_slip_in_a_condition_of_several_lines_is_told_on_its_line() {
    let text = format!(
        "{DEFAULT}[[gate]]\nid = \"g\"\nreason = \"r\"\nwhen = '''\nis_test\n  || contact.contry == \"US\"\n  || note.contain(\"x\")'''\n\
         [[gate]]\nid = \"h\"\nreason = \"r\"\nwhen = \"\"\"\n  is_spam &&\n  storefront = \"X\" \"\"\"\n"
    );
    let problems = Ruleset::parse(&text).expect_err("slips");
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.line, problem.column, problem.quoted.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        told,
        [(10, 6, "  || contact.contry == \"US\""), (11, 11, "  || note.contain(\"x\")'''"), (17, 14, "  storefront = \"X\" \"\"\"")],
        "{problems:?}"
    );
}

/// The same of what can never hold: the part of it that is meant, however it is spaced and quoted.
#[test]
fn a_part_that_never_holds_is_told_where_it_begins() {
    for (when, line, column) in [
        (r#"'contact.country == "DE" || size(note) > 3 && !has(note)'"#, 5, 36),
        ("'''\ncontact.country == \"DE\"\n  || size( note ) > 3\n  && !has(note)'''", 7, 6),
        (r#""account.name == 'x' || account.tier == \"a b\" && account.tier == \"c\"""#, 5, 32),
        (r#"'account.tier == "x" && account.tier == "y" || account.segment == "z"'"#, 5, 9),
    ] {
        let text = format!("{DEFAULT}[[score.rule]]\nid = \"x\"\npart = \"fit\"\npoints = 5\nwhen = {when}\n");
        let head = DEFAULT.lines().count();
        let told: Vec<_> = linted(&text).iter().map(|problem| (problem.code, problem.line - head, problem.column)).collect();
        assert_eq!(told, [("dead_branch", line, column)], "{when}");
    }
}

#[test]
fn a_list_without_elements_is_named_as_what_keeps_it_from_holding() {
    for when in ["contact.country in []", "has(account) && contact.title in []"] {
        let found = check(&gate(when, " # <- never_fires"));
        let hint = found.first().and_then(|problem| problem.hint.as_deref());
        assert_eq!(hint, Some("nothing is in a list without elements: write those that it may be, or take it out"), "{when}");
    }
}

//! What a record could say instead, so that conditions come out otherwise: candidates for one field after the other, made of what the
//! conditions name and of what such fields usually hold. Tries none of them.

use crate::{
    lead::{Facts, ListingOption, OfferType, Origin, Timestamp, Vocabulary},
    pipeline::{Alteration, Said},
    rules::{Asked, Ruleset},
};

/// Several fields may have to change together.
pub(super) type Candidate = Vec<Alteration>;

/// What is changed for a field that conditions ask for, and the values it may get.
pub(super) struct Candidates {
    /// The same for fields that follow from the same part of the record.
    pub(super) of: String,
    pub(super) all: Vec<Candidate>,
}

/// Texts of conditions that are put together, two by two.
const MOST_JOINED: usize = 8;
/// Letters of a text that is made for its size.
const LONGEST: i64 = 4_096;
/// Candidates of a source: tokens times codes.
const MOST_SOURCES: usize = 120;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// A mail domain of each kind.
const DOMAINS: [&str; 5] = ["company.example", "gmail.com", "company.onmicrosoft.com", "company.edu", "mailinator.com"];
const TITLES: [&str; 5] = ["CEO", "Vice President", "Director", "Manager", "Engineer"];
/// One of each region first.
const COUNTRIES: [&str; 6] = ["US", "DE", "JP", "BR", "AE", "IN"];
const WORDS: [&str; 3] = ["GRANTED", "DENIED", "UNKNOWN"];

/// Fields that the left part of a source tells, and those that its right part tells.
const BY_TOKEN: [&str; 8] = ["storefront", "channel", "campaign", "audience", "confidence", "source_raw", "action_raw", "flags"];
const BY_CODE: [&str; 5] = ["action", "stage", "source_raw", "action_raw", "flags"];

/// The candidates for a field of the lead, beside the other `fields` that are asked for; nothing for one that no record tells.
pub(super) fn candidates(field: &str, fields: &[&str], asked: &[Asked], facts: &Facts<'_>, rules: &Ruleset) -> Option<Candidates> {
    let texts: Vec<&str> =
        asked.iter().filter_map(|asked| if let Asked::Text(text) = asked { Some(text.as_str()) } else { None }).collect();
    let of = |of: &str, all: Vec<Said>| Some(Candidates { of: of.to_owned(), all: each(of, all) });
    match field {
        "storefront" | "channel" | "campaign" | "audience" | "action" | "stage" | "confidence" | "source_raw" | "action_raw" => {
            Some(Candidates { of: "source_raw".to_owned(), all: sources(&texts, fields, facts, rules) })
        }
        "flags" => flags(&texts, facts, rules),
        "contact.email" | "contact.email_domain" | "contact.email_kind" | "own_domain" => of("contact.email", emails(&texts, rules)),
        "reachable" => of("contact.email", emails(&[], rules)),
        "contact.phone_raw" | "contact.phone_e164" => of("contact.phone_raw", phones(&texts)),
        "contact.country" | "contact.country_raw" | "contact.region" => of("contact.country_raw", countries(&texts)),
        "contact.title" | "contact.seniority" => {
            let titles = TITLES.iter().map(|title| Said::Text((*title).to_owned()));
            of("contact.title", titles.chain(made(&texts, asked, "Engineer")).collect())
        }
        "consent.contact" | "consent.share" | "consent.marketing" => of(field, words(WORDS)),
        "is_test" | "is_spam" | "needs_hydration" => of(field, vec![Said::Truth(false), Said::Truth(true)]),
        "suppressed_by" => of(field, vec![Said::Nothing]),
        "origin" => of(field, words(Origin::ALL.iter().map(|origin| origin.name()))),
        "source.format" => of(field, words(texts.iter().copied())),
        "source.topic" => of(field, made(&texts, asked, "leads")),
        "source.partition" | "source.offset" | "source.index" => of(field, numbers(asked).map(Said::Whole).collect()),
        "event_time" | "received_at" => {
            of(field, times(asked, facts, if field == "event_time" { facts.event_time } else { facts.received_at }))
        }
        "referral.expires_at" => {
            let now = facts.referral.as_ref().and_then(|referral| referral.expires_at).unwrap_or(facts.received_at);
            of(field, times(asked, facts, now).into_iter().chain([Said::Nothing]).collect())
        }
        "referral.deal_value" => of(field, fractions(asked).map(Said::Fraction).chain([Said::Nothing]).collect()),
        "account" | "offer" => of(field, vec![Said::Truth(true), Said::Nothing]),
        "listing" => candidates("offer.offer_type", fields, asked, facts, rules),
        "offer.offer_type" => of(field, words(OfferType::ALL.iter().map(|of| of.name())).into_iter().chain([Said::Nothing]).collect()),
        "offer.listing_option" => {
            of(field, words(ListingOption::ALL.iter().map(|option| option.name())).into_iter().chain([Said::Nothing]).collect())
        }
        "attribution" | "extra" => Some(Candidates { of: field.to_owned(), all: entries(field, &texts, facts) }),
        _ if field.starts_with("extra[") => {
            // Values are compact JSON, whatever stands in them.
            let is_json = |said: &Said| matches!(said, Said::Text(text) if serde_json::from_str::<serde_json::Value>(text).is_ok());
            let quoted = texts.iter().filter_map(|text| serde_json::to_string(text).ok()).map(Said::Text);
            let all = made(&texts, asked, "\"other\"").into_iter().chain(quoted);
            of(field, all.filter(is_json).chain([Said::Nothing]).collect())
        }
        "lead_id" | "person_key" | "account.domain" => None,
        _ => of(field, made(&texts, asked, "other")),
    }
}

fn each(field: &str, all: Vec<Said>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for said in all {
        let candidate = vec![Alteration { field: field.to_owned(), said }];
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    candidates
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Said> {
    words.into_iter().map(|word| Said::Text(word.to_owned())).collect()
}

/// Texts of which something can be asked: those that are named, more than them, none, and of some sizes.
fn made(texts: &[&str], asked: &[Asked], usual: &str) -> Vec<Said> {
    let mut all: Vec<String> = vec![usual.to_owned()];
    all.extend(texts.iter().map(|text| text.trim().to_owned()));
    for text in texts {
        all.extend([format!("{text}x"), format!("x{text}"), format!("x {text} x"), text.to_uppercase()]);
    }
    for one in texts.iter().take(MOST_JOINED) {
        all.extend(texts.iter().take(MOST_JOINED).flat_map(|other| [format!("{one}{other}"), format!("{one} {other}")]));
    }
    for size in numbers(asked).filter(|size| (1..=LONGEST).contains(size)) {
        all.push("x".repeat(usize::try_from(size).unwrap_or_default()));
    }
    all.into_iter().filter(|text| !text.is_empty() && text.trim() == text).map(Said::Text).chain([Said::Nothing]).collect()
}

fn emails(texts: &[&str], rules: &Ruleset) -> Vec<Said> {
    let at = |domain: &str| format!("kim@{domain}");
    let mut all: Vec<String> = DOMAINS.iter().map(|domain| at(domain)).collect();
    all.extend(rules.own_domains().map(at));
    for text in texts {
        all.extend([
            (*text).to_owned(),
            at(text),
            format!("kim{text}"),
            format!("kim@company{text}"),
            format!("kim@company.{text}"),
            format!("{text}company.example"),
            format!("{text}@company.example"),
            format!("kim@{text}.example"),
        ]);
    }
    all.into_iter().map(Said::Text).chain([Said::Nothing]).collect()
}

fn phones(texts: &[&str]) -> Vec<Said> {
    let mut all = vec!["+1 425 555 0100".to_owned(), "+49 30 901820".to_owned()];
    all.extend(texts.iter().flat_map(|text| [(*text).to_owned(), format!("{text}30901820"), format!("{text}4255550100")]));
    all.into_iter().map(Said::Text).chain([Said::Nothing]).collect()
}

fn countries(texts: &[&str]) -> Vec<Said> {
    let every = crate::pipeline::countries().map(|(code, _)| code);
    let all = texts.iter().copied().chain(COUNTRIES).chain(every);
    words(all).into_iter().chain([Said::Nothing]).collect()
}

/// What `LeadSource` and `ActionCode` could say: another action alone, another source alone, or both, as it is asked for.
fn sources(texts: &[&str], fields: &[&str], facts: &Facts<'_>, rules: &Ruleset) -> Vec<Candidate> {
    let parts = facts.lead_source();
    let offer = if parts.offer.is_empty() { String::new() } else { format!("|{}", parts.offer) };
    let both = |source: &str, code: &str| {
        let left = match (source.is_empty(), code.is_empty()) {
            (_, true) => source.to_owned(),
            (true, false) => String::new(),
            (false, false) => format!("{source}-{code}"),
        };
        let by_code = if source.is_empty() && !code.is_empty() { Said::Text(code.to_owned()) } else { Said::Nothing };
        let whole = format!("{left}{offer}");
        let source = if whole.is_empty() { Said::Nothing } else { Said::Text(whole) };
        vec![Alteration { field: "source_raw".to_owned(), said: source }, Alteration { field: "action_raw".to_owned(), said: by_code }]
    };
    let written = facts.action_raw.as_deref().unwrap_or_default();
    let code = if parts.action.is_empty() { written } else { parts.action };
    let codes = || rules.action_codes().chain([""]);
    let tokens = || rules.source_tokens().chain(["", "other"]);
    let asks = |by: &[&str]| fields.iter().any(|field| by.contains(field));
    let (by_token, by_code) = (asks(&BY_TOKEN), asks(&BY_CODE));
    let mut all: Vec<Candidate> = Vec::new();
    if by_code {
        all.extend(codes().map(|code| both(parts.source, code)));
    }
    if by_token {
        all.extend(tokens().map(|token| both(token, code)));
    }
    if by_token && by_code {
        all.extend(tokens().flat_map(|token| codes().map(move |code| both(token, code))).take(MOST_SOURCES));
    }
    let own = texts.iter().flat_map(|text| {
        ["source_raw", "action_raw"].map(|field| vec![Alteration { field: field.to_owned(), said: Said::Text((*text).to_owned()) }])
    });
    all.extend(own.filter(|_| by_token && by_code));
    all
}

/// For the first of the flags that are named: what its record says otherwise.
fn flags(texts: &[&str], facts: &Facts<'_>, rules: &Ruleset) -> Option<Candidates> {
    match *texts.first()? {
        "email_invalid" | "edu_domain" | "sample_domain" => candidates("contact.email", &[], &[], facts, rules),
        "country_unknown" => candidates("contact.country", &[], &[], facts, rules),
        "phone_unverifiable" => candidates("contact.phone_raw", &[], &[], facts, rules),
        "late_delivery" => {
            let all = each("received_at", vec![Said::Time(facts.event_time), Said::Time(facts.event_time.plus_micros(3_650 * DAY))]);
            Some(Candidates { of: "received_at".to_owned(), all })
        }
        flag @ ("offer_missing" | "offer_id_missing" | "manual_lookup" | "duplicate_key" | "field_truncated") => {
            Some(Candidates { of: format!("flags {flag}"), all: each("flags", vec![Said::Text(flag.to_owned())]) })
        }
        _ => candidates("action", &["flags"], &[], facts, rules),
    }
}

/// Entries of a map under the names that are asked for, and none at all.
fn entries(map: &str, texts: &[&str], facts: &Facts<'_>) -> Vec<Candidate> {
    let entry = |key: &str, said: Said| Alteration { field: format!("{map}[{}]", serde_json::Value::from(key)), said };
    let there = if map == "extra" { &facts.extra } else { &facts.attribution };
    let value = || Said::Text(if map == "extra" { "\"x\"" } else { "x" }.to_owned());
    let mut all: Vec<Candidate> = texts.iter().map(|key| vec![entry(key, value())]).collect();
    all.extend(texts.iter().map(|key| vec![entry(key, Said::Nothing)]));
    all.push(there.iter().map(|(key, _)| entry(key, Said::Nothing)).collect());
    all
}

/// Numbers that are named, and those beside them.
fn numbers(asked: &[Asked]) -> impl Iterator<Item = i64> {
    let named = asked.iter().filter_map(|asked| if let Asked::Whole(number) = asked { Some(*number) } else { None });
    named.flat_map(|number| [number, number.saturating_add(1), number.saturating_sub(1)]).chain([0])
}

fn fractions(asked: &[Asked]) -> impl Iterator<Item = f64> {
    #[expect(clippy::cast_precision_loss, reason = "it is a guess")]
    let named = asked.iter().filter_map(|asked| match asked {
        Asked::Whole(number) => Some(*number as f64),
        Asked::Fraction(number) => Some(*number),
        _ => None,
    });
    named.flat_map(|number| [number, number + 1.0, number - 1.0])
}

/// Times that are named or lie so long from the others, those of a week by the hour, and some of a year.
fn times(asked: &[Asked], facts: &Facts<'_>, now: Timestamp) -> Vec<Said> {
    let from = [facts.event_time, facts.received_at, now];
    let mut all: Vec<Timestamp> = Vec::new();
    for asked in asked {
        match asked {
            Asked::Time(time) => all.extend([*time, time.plus_micros(-1_000_000), time.plus_micros(1_000_000)]),
            Asked::Length(micros) => {
                let lengths = [*micros, micros.saturating_add(1_000_000), micros.saturating_sub(1_000_000)];
                all.extend(
                    from.iter()
                        .flat_map(|from| lengths.into_iter().flat_map(|by| [from.plus_micros(by), from.plus_micros(by.saturating_neg())])),
                );
            }
            _ => {}
        }
    }
    all.extend(from);
    all.extend((1..7 * 24).map(|hours| now.plus_micros(hours * HOUR)));
    all.extend((1..60).map(|minutes| now.plus_micros(minutes * HOUR / 60)));
    all.extend((1..53).map(|weeks| now.plus_micros(weeks * 7 * DAY)));
    all.into_iter().map(Said::Time).collect()
}

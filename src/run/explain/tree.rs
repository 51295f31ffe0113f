//! The explanation for a person: what was read, what was concluded and why, what was tried, what follows.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::{nearest::nearest, rules, steps::Steps};
use crate::{
    lead::{Decision, Rejection, Vocabulary},
    pipeline::Setting,
};

/// A record that is no lead.
pub(super) fn rejection(rejection: &Rejection, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "└─ REJECTED  {} ({}): {}", rejection.code.name(), rejection.stage.name(), rejection.detail)?;
    if !rejection.field.is_empty() {
        writeln!(out, "   at {}", rejection.field)?;
    }
    writeln!(out, "   The record goes to the dead-letter topic, its bytes untouched.")
}

/// One lead.
pub(super) fn lead(decision: &Decision<'_>, steps: &Steps, setting: Setting<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (facts, qualified) = (decision.facts, &decision.qualified);
    let score = &qualified.score;
    writeln!(
        out,
        "└─ lead {}  {}  score {} (fit {}, intent {}), grade {}",
        facts.index,
        qualified.verdict.name(),
        score.total,
        score.fit,
        score.intent,
        score.grade.name()
    )?;
    read(decision, out)?;
    writeln!(out, "   ├─ concluded")?;
    for step in &steps.classified {
        writeln!(out, "   │    {:<12} {:<18} {}", step.what, step.value, step.because)?;
    }
    rules::gates(decision, steps, out)?;
    rules::score(decision, steps, out)?;
    let flags: Vec<_> = decision.flags().iter().map(Vocabulary::name).collect();
    writeln!(out, "   ├─ flags       {}", if flags.is_empty() { "none".to_owned() } else { flags.join(", ") })?;
    rules::campaigns(steps, out)?;
    rules::routes(decision, steps, out)?;
    if let Some(nearest) = nearest(decision, steps, setting) {
        rules::would_qualify(&nearest, out)?;
    }
    let ruleset = decision.rules;
    writeln!(out, "   └─ ruleset     {}/{}  {}", ruleset.name, ruleset.version, ruleset.hash.get(..12).unwrap_or(&ruleset.hash))
}

/// What the record says of customer and offer.
fn read(decision: &Decision<'_>, out: &mut dyn Write) -> io::Result<()> {
    let facts = decision.facts;
    let contact = &facts.contact;
    let email_kind = contact.email.as_ref().map(|_| contact.email_kind.name());
    let fields: [(&str, Option<&str>, Option<&str>); 9] = [
        ("name", contact.first_name.as_deref(), contact.last_name.as_deref()),
        ("email", contact.email.as_deref(), email_kind),
        ("phone", contact.phone_raw.as_deref(), contact.phone_e164.as_deref()),
        ("country", contact.country_raw.as_deref(), contact.country),
        ("company", contact.company.as_deref(), None),
        ("title", contact.title.as_deref(), Some(contact.seniority.name()).filter(|_| contact.title.is_some())),
        ("source", facts.source_raw.as_deref(), facts.action_raw.as_deref()),
        ("offer", facts.offer.offer_title.as_deref(), facts.offer.offer_id.as_deref()),
        ("note", facts.note.as_deref(), None),
    ];
    writeln!(out, "   ├─ read        {}", facts.format.name())?;
    for (name, written, meant) in fields {
        let shown: Vec<_> = [written, meant].into_iter().flatten().map(on_one_line).collect();
        if !shown.is_empty() {
            writeln!(out, "   │    {name:<12} {}", shown.join("  "))?;
        }
    }
    let mut told: Vec<(&str, String)> = Vec::new();
    if facts.event_time != facts.received_at {
        told.push(("happened", facts.event_time.to_string()));
    }
    told.push(("origin", facts.origin.name().to_owned()));
    if let Some(referral) = &facts.referral {
        let mut words: Vec<_> = [&referral.status, &referral.substatus].into_iter().flatten().map(ToString::to_string).collect();
        words.extend(referral.expires_at.map(|at| format!("to be accepted by {at}")));
        words.extend(referral.deal_value.map(|value| format!("{value} {}", referral.deal_currency.as_deref().unwrap_or_default())));
        told.push(("referral", words.join("  ")));
    }
    let consent = &decision.class.consent;
    let consents = [("contact", consent.contact), ("share", consent.share), ("marketing", consent.marketing)];
    told.push(("consent", consents.map(|(what, consent)| format!("{what} {}", consent.name())).join("  ")));
    told.extend(facts.account.map(|account| ("account", account.domain().to_owned())));
    told.extend(facts.suppressed_by.map(|scope| ("suppressed", format!("by {scope}"))));
    for (name, text) in told {
        writeln!(out, "   │    {name:<12} {}", on_one_line(&text))?;
    }
    for (key, value) in &facts.attribution {
        writeln!(out, "   │    {:<12} {} = {}", "attribution", on_one_line(key), on_one_line(value))?;
    }
    for (key, value) in &facts.extra {
        writeln!(out, "   │    {:<12} {} = {}", "extra", on_one_line(key), on_one_line(value))?;
    }
    Ok(())
}

/// A text of the record's as it can be shown beside others: what would break the line, or turn its direction, is a blank.
fn on_one_line(text: &str) -> Cow<'_, str> {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let breaks = |letter: char| letter.is_control() || turns(letter);
    if text.contains(breaks) { Cow::Owned(text.replace(breaks, " ")) } else { Cow::Borrowed(text) }
}

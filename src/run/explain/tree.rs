//! The explanation for a person: what was read, what was concluded and why, what was tried, what follows.

use std::io::{self, Write};

use crate::lead::{Decision, Rejection, Vocabulary};

use super::steps::Steps;

/// A record that is no lead.
pub(super) fn rejection(rejection: &Rejection, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "└─ REJECTED  {} ({}): {}", rejection.code.name(), rejection.stage.name(), rejection.detail)?;
    if !rejection.field.is_empty() {
        writeln!(out, "   at {}", rejection.field)?;
    }
    writeln!(out, "   The record goes to the dead-letter topic, its bytes untouched.")
}

/// One lead.
pub(super) fn lead(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
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
        writeln!(out, "   │    {:<12} {:<20} {}", step.what, step.value, step.because)?;
    }
    gates(decision, steps, out)?;
    writeln!(out, "   ├─ score")?;
    for step in steps.score.iter().filter(|step| step.held) {
        writeln!(out, "   │    {:>+4}  {:<7} {}", step.points, step.part, step.rule)?;
    }
    if !steps.score.iter().any(|step| step.held) {
        writeln!(out, "   │    no rule held")?;
    }
    let flags: Vec<_> = decision.flags().iter().map(Vocabulary::name).collect();
    writeln!(out, "   ├─ flags       {}", if flags.is_empty() { "none".to_owned() } else { flags.join(", ") })?;
    routes(decision, steps, out)?;
    let rules = decision.rules;
    writeln!(out, "   └─ ruleset     {}/{}  {}", rules.name, rules.version, rules.hash.get(..12).unwrap_or(&rules.hash))
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
        let shown: Vec<_> = [written, meant].into_iter().flatten().collect();
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
        writeln!(out, "   │    {name:<12} {text}")?;
    }
    for (key, value) in &facts.attribution {
        writeln!(out, "   │    {:<12} {key} = {value}", "attribution")?;
    }
    for (key, value) in &facts.extra {
        writeln!(out, "   │    {:<12} {key} = {value}", "extra")?;
    }
    Ok(())
}

fn gates(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    let held: Vec<_> = steps.gates.iter().filter(|gate| gate.held).collect();
    writeln!(out, "   ├─ gates       {} tried, {} held", steps.gates.len(), held.len())?;
    for gate in held {
        writeln!(out, "   │    {:<12} {}", gate.id, gate.reason)?;
    }
    if !decision.qualified.reasons.is_empty() {
        writeln!(out, "   │    {:<12} {}", "reasons", decision.qualified.reasons.join(", "))?;
    }
    if decision.qualified.redacted {
        writeln!(out, "   │    the published event carries no names, e-mail, phone or note")?;
    }
    Ok(())
}

fn routes(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "   ├─ routes      {} tried, {} taken", steps.routes.len(), decision.routes.len())?;
    for route in &decision.routes {
        let by = [Some(route.route), route.queue, route.owner, route.priority].into_iter().flatten().collect::<Vec<_>>().join(" ");
        writeln!(out, "   │    {:<28} by {by}", route.destination)?;
        let owner = route.owner.and_then(|owner| decision.rules.owners.get(owner)).into_iter();
        let named = owner.flat_map(|owner| [owner.name.as_deref(), owner.contact.as_deref()]).flatten().collect::<Vec<_>>().join(", ");
        if !named.is_empty() {
            writeln!(out, "   │      {:<16} {named}", "owner")?;
        }
        let late = if route.late_delivery { " (late delivery: a fresh clock)" } else { "" };
        for (what, time) in [("first touch due", route.first_touch_due), ("accept due", route.accept_due), ("hot until", route.hot_until)] {
            if let Some(time) = time {
                writeln!(out, "   │      {what:<16} {time}{late}")?;
            }
        }
    }
    Ok(())
}

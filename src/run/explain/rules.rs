//! The explanation for a person, the part about rules: each gate, score rule, campaign and route with what it asks and what the
//! lead has, the clocks, and what would qualify the lead. What was read and concluded is in `tree`.

use std::io::{self, Write};

use super::{
    nearest::Nearest,
    steps::{Routed, Steps},
};
use crate::{
    lead::{Decision, Route, Verdict},
    rules::{Compared, Turned, Weighed},
};

/// Rules of a kind that do not hold are shown up to here; `--json` has all.
const MOST_SHOWN: usize = 40;
/// Letters of a condition that are shown.
const LONGEST_SHOWN: usize = 200;

/// What stands before a rule.
fn sign(held: bool) -> &'static str {
    if held { "holds" } else { "-" }
}

pub(super) fn gates(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    let held = steps.gates.iter().filter(|gate| gate.weighed.held).count();
    writeln!(out, "   ├─ gates       {} tried, {held} held", steps.gates.len())?;
    let all = steps.gates.iter().map(|gate| (&gate.weighed, gate.id.clone()));
    listed(all, out)?;
    if !decision.qualified.reasons.is_empty() {
        writeln!(out, "   │    reasons: {}", decision.qualified.reasons.join(", "))?;
    }
    if decision.qualified.redacted {
        writeln!(out, "   │    the published event carries no names, e-mail, phone or note")?;
    }
    Ok(())
}

pub(super) fn score(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    let (total, threshold) = (decision.qualified.score.total, decision.rules.scoring.threshold(decision.class.storefront));
    let compared = if total < threshold { "below" } else { "reaches" };
    writeln!(out, "   ├─ score       {total} {compared} the threshold {threshold}")?;
    let all = steps.score.iter().map(|rule| (&rule.weighed, format!("{:+} {} {}", rule.points, rule.part, rule.rule)));
    listed(all, out)
}

pub(super) fn campaigns(steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    if steps.campaigns.is_empty() {
        return Ok(());
    }
    writeln!(out, "   ├─ campaigns   {} tried, the first that holds is the lead's", steps.campaigns.len())?;
    listed(steps.campaigns.iter().map(|campaign| (&campaign.weighed, campaign.id.clone())), out)
}

pub(super) fn routes(decision: &Decision<'_>, steps: &Steps, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "   ├─ routes      {} tried, {} taken", steps.routes.len(), decision.routes.len())?;
    let asks_more = |route: &&Routed| route.weighed.held || decision.qualified.verdict == Verdict::Qualified;
    let tried: Vec<_> = steps.routes.iter().filter(asks_more).collect();
    listed(tried.iter().map(|route| (&route.weighed, named(route, decision))), out)?;
    if tried.len() < steps.routes.len() {
        let more = if tried.is_empty() { "" } else { " more" };
        writeln!(out, "   │    {}{more} ask for another verdict, or for something else", steps.routes.len() - tried.len())?;
    }
    let untried = decision.rules.routes.len().saturating_sub(steps.routes.len());
    if let Some(last) = steps.routes.last().filter(|_| untried > 0) {
        writeln!(out, "   │    {untried} more were not tried: {} ends the list (stop)", last.id)?;
    }
    decision.routes.iter().try_for_each(|route| follow_up(decision, route, out))
}

fn named(route: &Routed, decision: &Decision<'_>) -> String {
    let mut name = format!("{} → {}", route.id, route.destination);
    if route.weighed.held && !route.won {
        let taken = decision.routes.iter().find(|taken| taken.destination == route.destination);
        name.push_str(&taken.map_or_else(String::new, |taken| format!(" (already taken by {})", taken.route)));
    }
    name
}

/// Who follows up, and by when.
fn follow_up(decision: &Decision<'_>, route: &Route<'_>, out: &mut dyn Write) -> io::Result<()> {
    let by = [Some(route.route), route.queue, route.owner, route.priority].into_iter().flatten().collect::<Vec<_>>().join(" ");
    writeln!(out, "   │    to {:<28} by {by}", route.destination)?;
    let owner = route.owner.and_then(|owner| decision.rules.owners.get(owner)).into_iter();
    let named = owner.flat_map(|owner| [owner.name.as_deref(), owner.contact.as_deref()]).flatten().collect::<Vec<_>>().join(", ");
    if !named.is_empty() {
        writeln!(out, "   │      {:<16} {named}", "owner")?;
    }
    let rule = decision.rules.routes.iter().find(|rule| rule.id == route.route);
    let Some(clock) = rule.and_then(|rule| rule.clock.at(decision.facts.event_time)) else { return Ok(()) };
    let from_event = |micros: Option<i64>| micros.map(|micros| format!("{} from the event", clock.counted(micros)));
    let late = clock.late_first_touch.filter(|_| route.late_delivery);
    let first = late.map(|micros| format!("{} from its arrival: it came late", clock.counted(micros)));
    let accept = from_event(clock.accept).map(|counted| match decision.facts.referral {
        Some(ref referral) if referral.expires_at == route.accept_due => "when the referral expires".to_owned(),
        _ => counted,
    });
    for (what, time, why) in [
        ("first touch due", route.first_touch_due, first.or_else(|| from_event(clock.first_touch))),
        ("accept due", route.accept_due, accept),
        ("hot until", route.hot_until, from_event(clock.hot)),
    ] {
        if let Some(time) = time {
            writeln!(out, "   │      {what:<16} {time}  {}", why.unwrap_or_default())?;
        }
    }
    Ok(())
}

pub(super) fn would_qualify(nearest: &Nearest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "   ├─ what would qualify it")?;
    for gate in &nearest.gates {
        match &gate.would_need {
            Some(turned) => writeln!(out, "   │    gate {}: {}{}", gate.gate, needed(turned), such_as(turned, &gate.such_as))?,
            None => writeln!(out, "   │    gate {}: nothing was found that it lets pass", gate.gate)?,
        }
    }
    if let Some(score) = &nearest.score {
        let points = if score.points == 1 { "1 point".to_owned() } else { format!("{} points", score.points) };
        let how = match score.rules.as_slice() {
            [] => ": no score rule would add any",
            [first, ..] if first.enough => ", of any of these:",
            _ if nearest.qualifies => ", of all of these together:",
            _ => "; these would add some, and not enough:",
        };
        writeln!(out, "   │    score: {points} more{how}")?;
        for rule in &score.rules {
            writeln!(
                out,
                "   │      {:+} by {}: {}{}",
                rule.points,
                rule.rule,
                needed(&rule.would_need),
                such_as(&rule.would_need, &rule.such_as)
            )?;
        }
    }
    if !nearest.qualifies {
        writeln!(out, "   │    no change of these alone was found that qualifies it")?;
    }
    Ok(())
}

/// What the record said when it was tried, where the conditions do not name it.
fn such_as(turned: &[Turned], all: &[Compared]) -> String {
    // A source stands for the action, or the storefront, that it tells.
    let is_plain = |value: &&Compared| {
        !matches!(value.is.as_str(), "null" | "true" | "false")
            && !matches!(value.field.as_str(), "source_raw" | "action_raw")
            && !turned.iter().any(|turned| turned.want.contains(&value.is))
    };
    let each: Vec<_> = all.iter().filter(is_plain).map(|value| format!("{} {}", value.field, cut(&value.is))).collect();
    if each.is_empty() { String::new() } else { format!(", such as {}", each.join(", ")) }
}

/// Every rule that holds, then the first of the others.
fn listed<'s>(all: impl Iterator<Item = (&'s Weighed, String)>, out: &mut dyn Write) -> io::Result<()> {
    let (held, others): (Vec<_>, Vec<_>) = all.partition(|(weighed, _)| weighed.held);
    let left_out = others.len().saturating_sub(MOST_SHOWN);
    for (weighed, name) in held.iter().chain(others.iter().take(MOST_SHOWN)) {
        let mut values = Vec::new();
        compared(weighed, &mut values);
        writeln!(out, "   │    {:<5}  {name}: {}{}", sign(weighed.held), cut(&weighed.when), shown(&values))?;
    }
    if left_out > 0 {
        writeln!(out, "   │    … and {left_out} more that do not hold: --json tells all")?;
    }
    Ok(())
}

fn needed(turned: &[Turned]) -> String {
    let each = turned.iter().map(|turned| format!("{}{}", cut(&turned.want), shown(&turned.values.iter().collect::<Vec<_>>())));
    each.collect::<Vec<_>>().join(" and ")
}

/// Every value that was compared, each once.
fn compared<'w>(weighed: &'w Weighed, values: &mut Vec<&'w Compared>) {
    for value in &weighed.values {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    weighed.parts.iter().for_each(|part| compared(part, values));
}

fn shown(values: &[&Compared]) -> String {
    let each: Vec<_> = values.iter().map(|value| format!("{} is {}", value.field, value.is)).collect();
    if each.is_empty() { String::new() } else { format!("   ({})", each.join(", ")) }
}

fn cut(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

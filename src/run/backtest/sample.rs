//! One lead whose decision would change, shown: both decisions, and the rules that came out otherwise with what they compare.
//! Without personal data unless it is asked for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{compare::Cause, tally::Sample};
use crate::{
    lead::{Decision, Facts, Record, Timestamp, Vocabulary as _},
    pipeline,
    rules::Weighed,
    run::explain::Steps,
};

pub(super) fn sample(
    record: &Record<'_>,
    cause: &Cause,
    (facts, before): (&Facts<'_>, &Decision<'_>),
    (other, after): (&Facts<'_>, &Decision<'_>),
    with_personal_data: bool,
) -> Sample {
    let steps = |facts: &Facts<'_>, decision: &Decision<'_>| {
        let mut steps = Steps::default();
        pipeline::decide(facts, decision.rules, &mut steps);
        steps
    };
    let (mut one, mut two) = (steps(facts, before), steps(other, after));
    if !with_personal_data {
        one.redact();
        two.redact();
    }
    Sample {
        source: format!("{}/{}", record.at, facts.index),
        cause: cause.rule.clone(),
        before: side(before, &one, &two, with_personal_data),
        after: side(after, &two, &one, with_personal_data),
    }
}

/// One decision; of its rules those that held, and those that held in the other.
fn side(decision: &Decision<'_>, steps: &Steps, other: &Steps, with_personal_data: bool) -> Value {
    let (class, qualified) = (&decision.class, &decision.qualified);
    let due = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let routes: Vec<Value> = decision
        .routes
        .iter()
        .map(|route| {
            json!({
                "destination": route.destination, "route": route.route, "queue": route.queue, "owner": route.owner,
                "priority": route.priority, "first_touch_due": due(route.first_touch_due), "accept_due": due(route.accept_due),
                "hot_until": due(route.hot_until), "late_delivery": route.late_delivery,
            })
        })
        .collect();
    let others: BTreeSet<String> = rules(other).filter(|rule| rule.decided).map(|rule| rule.name).collect();
    let shown = rules(steps).filter(|rule| rule.decided || others.contains(&rule.name));
    let rules: Vec<Value> = shown.map(|rule| json!({"rule": rule.name, "gives": rule.gives, "weighed": rule.weighed})).collect();
    let mut shown = json!({
        "verdict": qualified.verdict.name(), "reasons": qualified.reasons, "score": qualified.score.total,
        "grade": qualified.score.grade.name(), "threshold": decision.rules.scoring.threshold(class.storefront),
        "storefront": class.storefront.name(), "campaign": class.campaign.name(), "action": class.action.name(), "stage": class.stage.name(),
        "marketing_campaign": decision.marketing_campaign, "routes": routes, "rules": rules,
    });
    if with_personal_data && let Some(shown) = shown.as_object_mut() {
        let mut lead = Vec::new();
        pipeline::explained(decision, &mut lead);
        shown.insert("lead".to_owned(), serde_json::from_slice(&lead).unwrap_or(Value::Null));
    }
    shown
}

/// A rule that was tried.
struct Tried<'s> {
    name: String,
    /// The reason, the points, or the destination.
    gives: Value,
    weighed: &'s Weighed,
    decided: bool,
}

fn rules(steps: &Steps) -> impl Iterator<Item = Tried<'_>> {
    let tried = |kind: &str, id: &str, gives: Value, weighed, decided| Tried { name: format!("{kind}.{id}"), gives, weighed, decided };
    let gates = steps.gates.iter().map(move |gate| tried("gate", &gate.id, json!(gate.reason), &gate.weighed, gate.weighed.held));
    let score = steps.score.iter().map(move |part| tried("score", &part.rule, json!(part.points), &part.weighed, part.weighed.held));
    let routes = steps.routes.iter().map(move |route| tried("route", &route.id, json!(route.destination), &route.weighed, route.won));
    gates.chain(score).chain(routes)
}

//! A verdict to destinations: the publisher's campaign, who follows up, and by when. The rules are the ruleset's; that the
//! first one wins its destination, and from when clocks run, is here.

use std::borrow::Cow;

use crate::{
    lead::{Classified, Facts, Qualified, Route, Timestamp},
    rules::{RouteRule, Ruleset, Subject},
};

use super::Trace;

/// Routes.
pub(super) fn route<'a>(
    facts: &'a Facts<'a>,
    class: &Classified,
    qualified: &Qualified<'a>,
    rules: &'a Ruleset,
    trace: &mut impl Trace,
) -> (Option<Cow<'a, str>>, Vec<Route<'a>>) {
    let judged = Subject { facts, class, policy: &rules.policy, qualified: Some(qualified), marketing_campaign: None };
    let campaign = rules.campaigns.iter().find(|campaign| campaign.holds(&judged)).map(|campaign| campaign.id.as_str());
    let subject = Subject { marketing_campaign: campaign, ..judged };
    let mut routes: Vec<Route<'a>> = Vec::new();
    for rule in &rules.routes {
        let held = rule.holds(&subject);
        let won = held && !routes.iter().any(|route| route.destination == rule.destination);
        trace.route(&rule.id, &rule.destination, held, won);
        if won {
            routes.push(follow_up(facts, rule, rules));
        }
        if held && rule.stop {
            break;
        }
    }
    (campaign.map(Cow::Borrowed), routes)
}

/// One destination with its clocks. They run from the event, not from its arrival; but a first touch that was due before the
/// lead came would only raise alarms, so a late lead gets a short time of its own (readings Q30, Q33).
fn follow_up<'a>(facts: &Facts<'_>, rule: &'a RouteRule, rules: &'a Ruleset) -> Route<'a> {
    let clock = &rule.clock;
    let due = |micros: Option<i64>| micros.map(|micros| facts.event_time.plus_micros(micros));
    let late_delivery = facts.received_at > facts.event_time.plus_micros(rules.policy.late_after);
    let first_touch_due = match clock.late_first_touch {
        Some(micros) if late_delivery && clock.first_touch.is_some() => Some(facts.received_at.plus_micros(micros)),
        _ => due(clock.first_touch),
    };
    // The offer to accept ends with the referral at the latest.
    let expires_at = facts.referral.as_ref().and_then(|referral| referral.expires_at);
    let accept_due: Option<Timestamp> = due(clock.accept).map(|due| expires_at.map_or(due, |end| due.min(end)));
    Route {
        destination: &rule.destination,
        queue: rule.queue.as_deref(),
        owner: rule.owner.as_deref(),
        priority: rule.priority.as_deref(),
        route: &rule.id,
        first_touch_due,
        accept_due,
        hot_until: due(clock.hot),
        late_delivery,
    }
}

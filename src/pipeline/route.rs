//! A verdict to destinations: the publisher's campaign, who follows up, and by when. The rules are the ruleset's; that the
//! first one wins its destination, and from when clocks run, is here.

use std::borrow::Cow;

use crate::{
    lead::{Classified, Facts, Flag, Qualified, Route, Timestamp},
    rules::{Clock, RouteRule, Ruleset, Subject},
};

use super::Trace;

/// Routes.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn route<'a, T: Trace>(
    facts: &'a Facts<'a>,
    class: &Classified,
    qualified: &Qualified<'a>,
    rules: &'a Ruleset,
    trace: &mut T,
) -> (Option<Cow<'a, str>>, Vec<Route<'a>>) {
    let judged = Subject { facts, class, policy: &rules.policy, qualified: Some(qualified), marketing_campaign: None };
    let campaign = rules.campaigns.ask_until(&judged, T::OF_EVERY_RULE, |campaign| {
        let held = campaign.holds(&judged);
        trace.campaign(&campaign.id, held, || campaign.weigh(&judged));
        held
    });
    let campaign = campaign.map(|campaign| campaign.id.as_str());
    let subject = Subject { marketing_campaign: campaign, ..judged };
    let mut routes: Vec<Route<'a>> = Vec::new();
    rules.routes.ask_until(&subject, T::OF_EVERY_RULE, |rule| {
        let held = rule.holds(&subject);
        let won = held && !routes.iter().any(|route| route.destination == rule.destination);
        trace.route(&rule.id, &rule.destination, held, won, || rule.weigh(&subject));
        if won {
            routes.push(follow_up(facts, class, rule));
        }
        held && rule.stop
    });
    (campaign.map(Cow::Borrowed), routes)
}

/// One destination with its clocks. They run from the event, not from its arrival; but a first touch that was due before the
/// lead came would only raise alarms, so a late lead gets a short time of its own (readings Q30, Q33).
fn follow_up<'a>(facts: &Facts<'_>, class: &Classified, rule: &'a RouteRule) -> Route<'a> {
    let clock = rule.clock.at(facts.event_time);
    let due = |length: fn(&Clock) -> Option<i64>| clock.and_then(|clock| Some(clock.after(facts.event_time, length(clock)?)));
    let late_delivery = class.flags.contains(Flag::LateDelivery);
    let late = clock.filter(|clock| late_delivery && clock.first_touch.is_some());
    let late_first_touch = late.and_then(|clock| Some(clock.after(facts.received_at, clock.late_first_touch?)));
    let first_touch_due = late_first_touch.or_else(|| due(|clock| clock.first_touch));
    // The offer to accept ends with the referral at the latest; what is accepted already is not due any more.
    let referral = facts.referral.as_ref();
    let accepted = referral.is_some_and(|referral| referral.status.as_deref() == Some("Active"));
    let expires_at = referral.and_then(|referral| referral.expires_at);
    let accept_due: Option<Timestamp> =
        due(|clock| clock.accept).filter(|_| !accepted).map(|due| expires_at.map_or(due, |end| due.min(end)));
    Route {
        destination: &rule.destination,
        queue: rule.queue.as_deref(),
        owner: rule.owner.as_deref(),
        priority: rule.priority.as_deref(),
        route: &rule.id,
        first_touch_due,
        accept_due,
        hot_until: due(|clock| clock.hot),
        late_delivery,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        lead::{Facts, Flag, Origin, Referral, Timestamp},
        pipeline::{NoTrace, decide},
        rules::{DEFAULT, Ruleset, sample},
    };

    fn rules(more: &str) -> Ruleset {
        Ruleset::parse(&format!("{DEFAULT}{more}")).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// `route→destination` of each, in order.
    fn routed(facts: &Facts<'_>, rules: &Ruleset) -> Vec<String> {
        let decision = decide(facts, rules, &mut NoTrace);
        decision.routes.iter().map(|route| format!("{}→{}", route.route, route.destination)).collect()
    }

    fn lead(source: &'static str) -> Facts<'static> {
        let mut facts = sample::facts();
        facts.source_raw = Some(source.into());
        facts
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn storefront_leads_go_where_the_seeds_table_says() {
        let rules = rules("");
        assert_eq!(
            routed(&lead("SPZA-PLT"), &rules),
            [
                "follow_up.APP_SOURCE.PUBLISHER_CRM→PUBLISHER_CRM",
                "follow_up.APP_SOURCE.MICROSOFT_FIELD_SELLER_CRM→MICROSOFT_FIELD_SELLER_CRM"
            ]
        );
        assert_eq!(
            routed(&lead("AzurePortal-Create"), &rules),
            [
                "follow_up.AZURE_MARKETPLACE.AZURE_MARKETPLACE→AZURE_MARKETPLACE",
                "follow_up.AZURE_MARKETPLACE.MICROSOFT_FIELD_SELLER_CRM→MICROSOFT_FIELD_SELLER_CRM"
            ]
        );
        assert_eq!(routed(&lead("x-INS"), &rules), ["follow_up.UNKNOWN.REVIEW_QUEUE→REVIEW_QUEUE"]);
        assert_eq!(routed(&lead("SPZA-DNC"), &rules), [""; 0]);
    }

    #[test]
    fn leads_of_other_origins_go_to_their_own_desks_only() {
        for (origin, wanted) in [
            (Origin::CoSell, "co_sell→CO_SELL_DESK"),
            (Origin::MicrosoftMarketingQualified, "microsoft_qualified→MICROSOFT_QUALIFIED_DESK"),
            (Origin::MicrosoftSalesQualified, "microsoft_qualified→MICROSOFT_QUALIFIED_DESK"),
            (Origin::PartnerCenterDirect, "partner_center_direct→PUBLISHER_CRM"),
            (Origin::Unknown, "unknown_origin→REVIEW_QUEUE"),
        ] {
            for source in ["SPZA-PLT", "x"] {
                let mut facts = lead(source);
                facts.origin = origin;
                assert_eq!(routed(&facts, &rules("")), [wanted], "{origin:?} {source}");
            }
        }
    }

    #[test]
    fn the_first_route_that_holds_wins_its_destination() {
        let more = "
            [[route]]
            id = 'never'
            when = 'contact.country == \"US\"'
            destination = 'PUBLISHER_CRM'
            [[route]]
            id = 'emea'
            when = 'contact.region == \"EMEA\" && verdict == \"QUALIFIED\" && score.total >= 20'
            destination = 'PUBLISHER_CRM'
            queue = 'emea'
            owner = 'team'
            priority = 'P1'
            [[route]]
            id = 'second'
            destination = 'PUBLISHER_CRM'
            [[route]]
            id = 'refused'
            verdict = 'UNQUALIFIED'
            destination = 'ARCHIVE'
        ";
        let facts = lead("SPZA-PLT");
        let with = rules(more);
        assert_eq!(
            routed(&facts, &with),
            ["emea→PUBLISHER_CRM", "follow_up.APP_SOURCE.MICROSOFT_FIELD_SELLER_CRM→MICROSOFT_FIELD_SELLER_CRM"]
        );
        let decision = decide(&facts, &with, &mut NoTrace);
        let first = &decision.routes[0];
        assert_eq!((first.queue, first.owner, first.priority), (Some("emea"), Some("team"), Some("P1")));
        assert_eq!(routed(&lead("SPZA-DNC"), &with), ["refused→ARCHIVE"]);
        // A route that holds stops, even where its destination is taken already.
        let stopping = rules(&more.replace("id = 'second'", "id = 'second'\nstop = true"));
        assert_eq!(routed(&facts, &stopping), ["emea→PUBLISHER_CRM"]);
    }

    #[test]
    fn clocks_run_from_the_event() {
        let rules = rules("");
        let mut facts = lead("SPZA-PLT");
        facts.event_time = at("2026-11-01T04:00:00Z");
        let decision = decide(&facts, &rules, &mut NoTrace);
        let route = &decision.routes[0];
        assert_eq!((route.first_touch_due, route.accept_due), (Some(at("2026-11-02T04:00:00Z")), None));
        assert_eq!((route.hot_until, route.late_delivery), (Some(at("2026-11-04T04:00:00Z")), false));
        assert!(!decision.flags().contains(Flag::LateDelivery));
    }

    #[test]
    fn a_late_lead_gets_a_short_time_from_its_arrival() {
        let rules = rules("");
        let mut facts = lead("SPZA-PLT");
        // Six hours are the limit; one microsecond more is late.
        facts.event_time = at("2026-11-01T03:00:00Z");
        facts.received_at = at("2026-11-01T09:00:00Z");
        assert!(!decide(&facts, &rules, &mut NoTrace).routes[0].late_delivery);
        facts.received_at = facts.received_at.plus_micros(1);
        let decision = decide(&facts, &rules, &mut NoTrace);
        let route = &decision.routes[0];
        assert_eq!((route.first_touch_due, route.late_delivery), (Some(at("2026-11-01T13:00:00.000001Z")), true));
        assert_eq!(route.hot_until, Some(at("2026-11-04T03:00:00Z")));
        assert!(decision.flags().contains(Flag::LateDelivery));
    }

    #[test]
    fn an_offer_is_accepted_before_it_expires() {
        let rules = rules("");
        let mut facts = lead("x");
        facts.origin = Origin::CoSell;
        facts.referral = Some(Referral::default());
        let due = |facts: &Facts<'_>| decide(facts, &rules, &mut NoTrace).routes[0].accept_due;
        assert_eq!(due(&facts), Some(at("2026-11-02T09:00:00Z")));
        facts.referral = Some(Referral { expires_at: Some(at("2026-11-01T12:00:00Z")), ..Default::default() });
        assert_eq!(due(&facts), Some(at("2026-11-01T12:00:00Z")));
        facts.referral = Some(Referral { status: Some("Active".into()), ..Default::default() });
        assert_eq!(due(&facts), None, "accepted already");
    }

    #[test]
    fn the_first_campaign_whose_time_and_condition_hold_is_the_leads() {
        let rules = rules(
            "
            [[campaign]]
            id = 'over'
            until = '2026-11-01T09:00:00Z'
            [[campaign]]
            id = 'spring'
            when = 'attribution[\"utm_campaign\"] == \"spring\"'
            [[campaign]]
            id = 'autumn'
            from = 2026-11-01T09:00:00Z
            until = '2026-11-01T09:00:01Z'
            [[route]]
            id = 'by-campaign'
            when = 'marketing_campaign == \"autumn\"'
            destination = 'FAIR'
            stop = true
        ",
        );
        let mut facts = lead("SPZA-PLT");
        let campaign = |facts: &Facts<'_>| decide(facts, &rules, &mut NoTrace).marketing_campaign.map(std::borrow::Cow::into_owned);
        assert_eq!(campaign(&facts).as_deref(), Some("autumn"));
        assert_eq!(routed(&facts, &rules), ["by-campaign→FAIR"]);
        facts.attribution = vec![("utm_campaign".into(), "spring".into())];
        assert_eq!(campaign(&facts).as_deref(), Some("spring"));
        facts.attribution.clear();
        facts.event_time = facts.event_time.plus_micros(1_000_000);
        assert_eq!(campaign(&facts), None);
    }
}

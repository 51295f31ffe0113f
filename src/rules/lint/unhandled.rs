//! Storefronts whose qualified leads go nowhere, and actions that the tables tell but no rule asks for.

use super::{Lint, places::Place, routes::Dead, unfinished::Stage};
use crate::{
    lead::{Action, Storefront, Verdict, Vocabulary},
    rules::{
        Ruleset,
        condition::space::{Answer, Formula},
        routing::{Asks, RouteRule},
    },
};

/// Fields by which routes tell storefronts apart.
const KINDS: [&str; 7] = ["storefront", "campaign", "audience", "channel", "listing", "action", "source_raw"];

impl<'r> Lint<'_, 'r> {
    /// Storefronts of which no route takes any storefront lead.
    pub(super) fn storefronts(&mut self, dead: &Dead<'r>) {
        let rules = self.rules;
        self.look_at(Stage::Storefronts, None);
        let routes: Vec<_> = rules.routes.iter().filter(|route| route.verdict == Verdict::Qualified).collect();
        if routes.is_empty() {
            return;
        }
        let formulas: Vec<Formula> = routes.iter().map(|route| self.space.route(route)).collect();
        for storefront in Storefront::ALL.iter().copied() {
            let Some(at) = self.place_of_storefront(storefront) else { continue };
            let of = Formula::all([
                self.space.is("origin", "STOREFRONT"),
                self.space.is("storefront", storefront.name()),
                self.space.is("verdict", "QUALIFIED"),
            ]);
            // That a dead route was meant to take them is told already.
            let meant = dead.routes.iter().filter_map(|route| route.condition()).any(|when| {
                let names = when.names();
                ["storefront", "campaign", "audience", "channel"].iter().any(|name| names.contains(*name))
            });
            let taking = routes.iter().zip(&formulas).filter(|(_, route)| !self.is_impossible(&[&of, route], true));
            let taking: Vec<(&RouteRule, Formula)> = taking.map(|(route, formula)| (*route, formula.clone().not())).collect();
            // Where nobody is to follow up, routes that were written for leads of any storefront may not take them all.
            let by_chance =
                |route: &RouteRule| route.condition().is_some_and(|when| KINDS.iter().all(|name| !when.names().contains(*name)));
            let is_left = taking.is_empty() || self.has_no_follow_up(storefront) && taking.iter().all(|(route, _)| by_chance(route));
            if meant || !is_left {
                continue;
            }
            // Not for want of a place: routes by region are all there is to say.
            let somewhere = Formula::all([self.space.has("contact.country"), self.space.is("contact.region", "UNKNOWN").not()]);
            let not_taken: Vec<&Formula> = taking.iter().map(|(_, not)| not).collect();
            let needs: &[&Formula] = if taking.is_empty() { &[&of] } else { &[&of, &somewhere] };
            let Answer::Possible(model) = self.space.can_hold(needs, &not_taken, true) else { continue };
            let about: Vec<_> = taking.iter().filter_map(|(route, _)| route.condition()).collect();
            let example = self.space.example(&model, &about, &["origin", "storefront", "verdict"], |subject| {
                subject.class.storefront == storefront && !routes.iter().any(|route| route.holds(subject))
            });
            let names = self.named("route", taking.iter().map(|(route, _)| route.id.as_str()), at);
            let but = if names.is_empty() { String::new() } else { format!(" that {names} does not take") };
            let message = format!("no route takes a qualified lead of {}{but}: it goes nowhere", storefront.name());
            let hint = format!("give [storefront.{}] a follow_up, or add a route that takes its leads", storefront.name());
            self.tell(at, "unhandled_storefront", message, &hint, example);
        }
    }

    /// Whether the user has written that nobody follows up.
    fn has_no_follow_up(&self, storefront: Storefront) -> bool {
        let is_empty = self.rules.classification.storefronts.get(&storefront).is_none_or(|row| row.follow_up.is_empty());
        let written = self.places.own("storefront", storefront.name()).and_then(|place| place.follow_up);
        is_empty && (written.is_some() || self.places.removed("storefront", storefront.name()).is_some())
    }

    /// Where the user says something of the storefront: its row, what takes that out, or a row that leads to it.
    fn place_of_storefront(&self, storefront: Storefront) -> Option<usize> {
        let tables = &self.rules.classification;
        let row = self.places.own("storefront", storefront.name()).map(|place| place.follow_up.unwrap_or(place.start));
        let removed = || self.places.removed("storefront", storefront.name());
        let by_source = || {
            let stated = Some(storefront).filter(|storefront| *storefront != Storefront::Unknown);
            let tokens = tables.sources.iter().filter(|(_, row)| row.storefront == stated).map(|(token, _)| token);
            tokens.filter_map(|token| self.places.own("source", token)).map(|place| place.start).min()
        };
        let by_action = || {
            let codes = tables.actions.iter().filter(|(_, row)| row.storefront_if_unknown == Some(storefront)).map(|(code, _)| code);
            codes.filter_map(|code| self.places.own("action", code)).map(|place| place.start).min()
        };
        // Any lead may be of none that is known: of a ruleset of one's own somebody has to think of those, too.
        let by_itself = || Some(self.places.ruleset).filter(|_| storefront == Storefront::Unknown && self.places.all_own());
        row.or_else(removed).or_else(by_source).or_else(by_action).or_else(by_itself)
    }

    /// Actions that some row tells and that no rule tells from an unknown one, where rules ask for actions at all.
    pub(super) fn actions(&mut self, base: Option<&Ruleset>) {
        let rules = self.rules;
        self.look_at(Stage::Actions, None);
        let asked = asked_for(rules);
        if !Action::ALL.iter().any(|action| asked(*action)) {
            return;
        }
        for action in Action::ALL.iter().copied().filter(|action| *action != Action::Unknown && !asked(*action)) {
            let rows = rules.classification.actions.iter().filter(|(_, row)| row.action == action);
            let codes: Vec<&str> = rows.map(|(code, _)| code.as_str()).collect();
            let Some(code) = codes.first() else { continue };
            let row = codes.iter().filter_map(|code| self.places.own("action", code)).map(|place| place.start).min();
            let Some(at) = row.or_else(|| base.and_then(|base| self.place_of_loss(base, action))) else { continue };
            let of = self.space.is("action", action.name());
            if self.is_taken(&of) {
                continue;
            }
            let Answer::Possible(model) = self.space.can_hold(&[&of], &[], true) else { continue };
            let example = self.space.example(&model, &[], &["action", "storefront"], |subject| subject.class.action == action);
            let message = format!("no gate, score rule, campaign or route asks for {}, which [action.{code}] gives", action.name());
            let hint = "give it points, or a gate or a route of its own";
            self.tell(at, "unhandled_action", message, hint, example);
        }
    }

    /// Whether a route that was written for more than one storefront takes every lead of which this holds, if it qualifies.
    fn is_taken(&self, of: &Formula) -> bool {
        let rules = self.rules;
        let routes = rules.routes.iter().filter(|route| matches!(route.asks, Asks::When(_)) && route.verdict == Verdict::Qualified);
        let not: Vec<Formula> = routes.map(|route| self.space.route(route).not()).collect();
        let qualified = self.space.is("verdict", "QUALIFIED");
        matches!(self.space.can_hold(&[of, &qualified], &not.iter().collect::<Vec<_>>(), true), Answer::Impossible(_))
    }

    /// Where the user took away the last rule that asked for the action.
    fn place_of_loss(&self, base: &Ruleset, action: Action) -> Option<usize> {
        let gates = base.gates.iter().map(|gate| ("gate", gate.id.as_str(), Some(&gate.when)));
        let scored = base.scoring.rules.iter().map(|rule| ("score", rule.id.as_str(), Some(&rule.when)));
        let campaigns = base.campaigns.iter().map(|campaign| ("campaign", campaign.id.as_str(), campaign.when.as_ref()));
        let routes = base.routes.iter().filter(|route| matches!(route.asks, Asks::When(_)));
        let routes = routes.map(|route| ("route", route.id.as_str(), route.condition()));
        let all = gates.chain(scored).chain(campaigns).chain(routes);
        let asking = all.filter(|(.., when)| when.is_some_and(|when| when.tells_apart("action", action.name(), "UNKNOWN")));
        asking.filter_map(|(kind, id, _)| self.places.removed(kind, id).or_else(|| self.places.own(kind, id).map(Place::when))).max()
    }
}

/// Whether a rule tells the action from an unknown one, itself or by the stage that follows from it.
fn asked_for(rules: &Ruleset) -> impl Fn(Action) -> bool {
    let gates = rules.gates.iter().map(|gate| &gate.when);
    let scored = rules.scoring.rules.iter().map(|rule| &rule.when);
    let campaigns = rules.campaigns.iter().filter_map(|campaign| campaign.when.as_ref());
    let routes = rules.routes.iter().filter_map(|route| route.condition());
    let conditions: Vec<_> = gates.chain(scored).chain(campaigns).chain(routes).collect();
    let by_other = ["action_raw", "source_raw", "stage"];
    let otherwise = conditions.iter().any(|when| by_other.iter().any(|name| when.names().contains(*name)));
    let told: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| conditions.iter().any(|when| when.tells_apart("action", action.name(), "UNKNOWN")))
        .collect();
    move |action| otherwise || told.contains(&action)
}

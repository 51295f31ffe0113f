//! Routes that never win their destination: no lead is like that, none of its verdict is, an earlier route stops before it, or has
//! taken the destination already. And routes that are one another's double.

use super::{Lint, places::Place, quoted};
use crate::{
    lead::Vocabulary,
    rules::{
        condition::{
            Condition,
            space::{Answer, Formula, Model},
        },
        routing::{Asks, RouteRule},
    },
};

/// What a route can never hold for, to tell what else is not told because of it.
pub(super) struct Dead<'r> {
    pub(super) routes: Vec<&'r RouteRule>,
}

impl<'r> Lint<'_, 'r> {
    /// Tells of routes; where some campaign is no lead's, of none that asks for campaigns: that is told already.
    pub(super) fn routes(&mut self, decided: bool, no_leads_campaign: bool) -> Dead<'r> {
        let rules = self.rules;
        let formulas: Vec<Formula> = rules.routes.iter().map(|route| self.space.route(route)).collect();
        let negated: Vec<Formula> = formulas.iter().map(|formula| formula.clone().not()).collect();
        let mut dead = Dead { routes: Vec::new() };
        let mut alive: Vec<usize> = Vec::new();
        for (at, (route, formula)) in rules.routes.iter().zip(&formulas).enumerate() {
            let place = self.place_of(route);
            // Whoever wrote a file did not know of the gates of those that extend it.
            let decided = decided && place.is_none_or(|place| self.places.file(place.start) == 0);
            let told_already = no_leads_campaign && route.condition().is_some_and(|when| when.names().contains("marketing_campaign"));
            let model = match self.space.can_hold(&[formula], &[], decided) {
                Answer::Possible(model) => model,
                Answer::Unknown => {
                    alive.push(at);
                    continue;
                }
                Answer::Impossible(_) => {
                    if let Some(place) = place.filter(|_| !told_already) {
                        self.tell_never(route, place, formula, decided);
                        dead.routes.push(route);
                    }
                    continue;
                }
            };
            if let Some(place) = place
                && self.is_covered(&alive, (&formulas, &negated), (route, formula), place, &model, decided)
            {
                dead.routes.push(route);
            }
            alive.push(at);
        }
        dead
    }

    /// Where the user has written the route.
    fn place_of(&self, route: &RouteRule) -> Option<Place> {
        let Asks::Storefront(storefront) = &route.asks else { return self.places.own("route", &route.id) };
        let row = self.rules.classification.storefronts.get(storefront)?;
        let (_, start) = row.follow_up.iter().find(|(destination, _)| *destination == route.destination)?;
        let start = self.places.is_own(*start).then_some(*start)?;
        Some(Place { own: true, start, when: None, until: None })
    }

    fn tell_never(&mut self, route: &'r RouteRule, place: Place, formula: &Formula, decided: bool) {
        let what = format!("the route {:?}", route.id);
        let verdict = self.space.is("verdict", route.verdict.name());
        let with = Formula::all([verdict.clone(), self.space.within(route.dates.from, route.dates.until)]);
        let Some(when) = route.condition() else { return };
        if self.is_impossible(&[formula], false) {
            return self.tell_contradiction(&what, place, when, &with, false);
        }
        // Of the other verdict there are such leads.
        let of_any = Formula::all([self.space.within(route.dates.from, route.dates.until), self.space.formula(when)]);
        if let Answer::Possible(model) = self.space.can_hold(&[&of_any, &verdict.not()], &[], decided) {
            let example = self.space.example(&model, &[when], &["verdict"], |subject| when.holds(subject));
            let (verb, hint) = match route.verdict.name() {
                "QUALIFIED" => ("qualifies", "a route takes leads that do not qualify with verdict = \"UNQUALIFIED\""),
                _ => ("does not qualify", "leave out verdict = \"UNQUALIFIED\" for leads that qualify"),
            };
            let message = format!("{what} can never hold: no lead that {verb} is like that");
            return self.tell(place.when(), "never_fires", message, hint, example);
        }
        self.tell_contradiction(&what, place, when, &with, decided);
    }

    /// Tells of a route that another one always comes before; whether there is one.
    fn is_covered(
        &mut self,
        alive: &[usize],
        (formulas, negated): (&[Formula], &[Formula]),
        (route, formula): (&'r RouteRule, &Formula),
        place: Place,
        model: &Model,
        decided: bool,
    ) -> bool {
        let rules = self.rules;
        let earlier = |at: &usize| Some((rules.routes.get(*at)?, formulas.get(*at)?, negated.get(*at)?));
        let same_verdict = || alive.iter().filter_map(earlier).filter(|(other, ..)| other.verdict == route.verdict);
        let what = format!("the route {:?}", route.id);

        // What does not hold of this lead of the route is not its double.
        let could_know = |other: &RouteRule| self.places.could_know(place, "route", &other.id);
        let double = same_verdict()
            .filter(|(other, ..)| could_know(other))
            .filter(|(other, ..)| other.destination == route.destination)
            .find(|(_, other, _)| self.space.holds(other, model) && self.hold_alike(formula, other, decided));
        if let Some((first, ..)) = double {
            let example = self.lead_of(route, &[first], model);
            let message = format!(
                "{what} and the route {:?} before it have the same destination {:?} and the same leads",
                first.id, route.destination
            );
            self.tell(place.when(), "duplicate_route", message, "take one of the two out, or ask for other leads", example);
            return true;
        }

        let is_ahead = |other: &RouteRule| could_know(other) && (other.stop || other.destination == route.destination && !route.stop);
        let (ahead, let_pass): (Vec<&RouteRule>, Vec<&Formula>) =
            same_verdict().filter(|(other, ..)| is_ahead(other)).map(|(other, _, negated)| (other, negated)).unzip();
        let Some(used) = self.impossible(&[formula], &let_pass, decided) else { return false };
        let before: Vec<&RouteRule> = used.iter().filter_map(|at| ahead.get(*at).copied()).collect();
        let example = self.lead_of(route, &before, model);
        let names = quoted(before.iter().map(|route| route.id.as_str()));
        let all_stop = before.iter().all(|route| route.stop);
        let (message, hint) = if all_stop {
            (
                format!("{what} is never tried: wherever it holds, the earlier {names} holds and stops"),
                "put it before the one that stops, or ask for other leads there",
            )
        } else {
            (
                format!("{what} never wins {:?}: wherever it holds, the earlier {names} has taken the lead", route.destination),
                "put the narrower route first, or take one out",
            )
        };
        self.tell(place.when(), "never_fires", message, hint, example);
        true
    }

    /// A lead of the route for which one of those before it holds too.
    fn lead_of(&self, route: &RouteRule, before: &[&RouteRule], model: &Model) -> Option<crate::rules::condition::space::Example> {
        let about: Vec<&Condition> = before.iter().copied().chain([route]).filter_map(RouteRule::condition).collect();
        let also = if about.is_empty() { &["origin", "storefront", "verdict"][..] } else { &["verdict"] };
        self.space.example(model, &about, also, |subject| route.holds(subject) && before.iter().any(|before| before.holds(subject)))
    }
}

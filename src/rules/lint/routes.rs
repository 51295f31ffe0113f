//! Routes that never win their destination: no lead is like that, none of its verdict is, an earlier route stops before it, or has
//! taken the destination already. And routes that are one another's double.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lint, places::Place, unfinished::Stage};
use crate::{
    lead::{Verdict, Vocabulary},
    rules::{
        condition::{
            Condition,
            space::{Answer, Formula, Model},
        },
        routing::{Asks, RouteRule},
    },
};

/// Routes that were told to be dead: what follows from that is not told once more.
pub(super) struct Dead<'r> {
    pub(super) routes: Vec<&'r RouteRule>,
}

/// What is known of each route, in their order.
struct Known {
    holds: Vec<Formula>,
    lets_pass: Vec<Formula>,
    /// The file it stands in.
    files: Vec<usize>,
}

/// Routes that may hold, by what they are ahead of: of very many, few are.
#[derive(Default)]
struct Alive<'r> {
    all: Vec<usize>,
    by_destination: BTreeMap<&'r str, Vec<usize>>,
    stopping: Vec<usize>,
}

impl<'r> Alive<'r> {
    fn push(&mut self, at: usize, route: &'r RouteRule) {
        self.all.push(at);
        self.by_destination.entry(&route.destination).or_default().push(at);
        self.stopping.extend(route.stop.then_some(at));
    }

    /// Those that stop or have the same destination, in order.
    fn ahead_of(&self, route: &RouteRule) -> Vec<usize> {
        let same = self.by_destination.get(route.destination.as_str()).into_iter().flatten();
        same.chain(&self.stopping).copied().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl<'r> Lint<'_, 'r> {
    /// Tells of routes; where some campaign is no lead's, of none that asks for campaigns: that is told already.
    pub(super) fn routes(&mut self, decided: bool, no_leads_campaign: bool) -> Dead<'r> {
        let rules = self.rules;
        let holds: Vec<Formula> = rules.routes.iter().map(|route| self.space.route(route)).collect();
        let lets_pass = holds.iter().map(|formula| formula.clone().not()).collect();
        let start = |route: &RouteRule| self.places.start("route", &route.id).or_else(|| self.follow_up(&route.id));
        let files = rules.routes.iter().map(|route| start(route).map_or(0, |start| self.places.file(start))).collect();
        let known = Known { holds, lets_pass, files };
        let mut dead = Dead { routes: Vec::new() };
        let mut alive = Alive::default();
        for (at, (route, formula)) in rules.routes.iter().zip(&known.holds).enumerate() {
            self.look_at(Stage::Routes, Some(("route", &route.id)));
            let place = self.place_of(route);
            // Whoever wrote a file did not know of the gates of those that extend it.
            let decided = decided && place.is_none_or(|place| self.places.file(place.start) == 0);
            let told_already = no_leads_campaign && route.condition().is_some_and(|when| when.names().contains("marketing_campaign"));
            let model = match self.space.can_hold(&[formula], &[], decided) {
                Answer::Possible(model) => model,
                Answer::Unknown => {
                    alive.push(at, route);
                    continue;
                }
                Answer::Impossible(_) => {
                    if let Some(place) = place.filter(|place| !told_already && !self.has_ended(*place)) {
                        self.tell_never(route, place, formula, decided);
                        dead.routes.push(route);
                    }
                    continue;
                }
            };
            match place {
                Some(place)
                    if !self.has_ended(place)
                        && self.is_covered(&alive.ahead_of(route), &known, (route, formula), place, &model, decided) =>
                {
                    dead.routes.push(route);
                }
                Some(_) => {}
                None => {
                    let earlier = alive.all.iter().filter_map(|at| Some((rules.routes.get(*at)?, known.holds.get(*at)?)));
                    self.repeats(earlier, route, formula, &model);
                }
            }
            alive.push(at, route);
        }
        dead
    }

    /// Where the user has written the route.
    fn place_of(&self, route: &RouteRule) -> Option<Place> {
        let Asks::Storefront(storefront) = &route.asks else { return self.places.own("route", &route.id) };
        let row = self.rules.classification.storefronts.get(storefront)?;
        let (_, start) = row.follow_up.iter().find(|(destination, _)| *destination == route.destination)?;
        let start = self.places.is_own(*start).then_some(*start)?;
        Some(Place::at(true, start))
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
            let (why, hint) = match route.verdict {
                Verdict::Qualified => {
                    let why = self.refused_by(&of_any, place).unwrap_or_else(|| "no lead that qualifies is like that".to_owned());
                    (why, "a route takes leads that do not qualify with verdict = \"UNQUALIFIED\"")
                }
                Verdict::Unqualified => {
                    ("every lead that is like that qualifies".to_owned(), "leave out verdict = \"UNQUALIFIED\" for leads that qualify")
                }
            };
            return self.tell(place.when(), "never_fires", format!("{what} can never hold: {why}"), hint, example);
        }
        self.tell_contradiction(&what, place, when, &with, decided);
    }

    /// The gates that refuse every lead of which this holds.
    fn refused_by(&self, asked: &Formula, place: Place) -> Option<String> {
        let gates = &self.rules.gates;
        let open: Vec<Formula> = gates.iter().map(|gate| self.space.gate(gate).not()).collect();
        let used = self.impossible(&[asked], &open.iter().collect::<Vec<_>>(), false)?;
        let names = self.named("gate", used.iter().filter_map(|at| gates.get(*at)).map(|gate| gate.id.as_str()), place.start);
        Some(format!("every lead that is like that is refused by the gate {names}"))
    }

    /// Tells of a route that another one always comes before; whether there is one.
    fn is_covered(
        &mut self,
        ahead: &[usize],
        known: &Known,
        (route, formula): (&'r RouteRule, &Formula),
        place: Place,
        model: &Model,
        decided: bool,
    ) -> bool {
        let rules = self.rules;
        // Those of files that extend this one are none of its author's business.
        let file = self.places.file(place.start);
        let near = || ahead.iter().filter(|at| known.files.get(**at).is_some_and(|other| *other >= file));
        let earlier = |at: &usize| Some((rules.routes.get(*at)?, known.holds.get(*at)?, known.lets_pass.get(*at)?));
        let same_verdict = || near().filter_map(earlier).filter(|(other, ..)| other.verdict == route.verdict);
        let what = format!("the route {:?}", route.id);

        // What does not hold of this lead of the route is not its double.
        let double = same_verdict()
            .filter(|(other, ..)| other.destination == route.destination)
            .find(|(_, other, _)| self.space.holds(other, model) && self.hold_alike(formula, other, decided));
        if let Some((first, ..)) = double {
            let example = self.lead_of(route, &[first], model);
            let first = self.named("route", [first.id.as_str()], place.start);
            let message = format!("{what} has the same destination {:?} and the same leads as the earlier {first}", route.destination);
            self.tell(place.when(), "duplicate_route", message, "take one of the two out, or ask for other leads", example);
            return true;
        }

        let is_ahead = |other: &RouteRule| other.stop || other.destination == route.destination && !route.stop;
        let (ahead, let_pass): (Vec<&RouteRule>, Vec<&Formula>) =
            same_verdict().filter(|(other, ..)| is_ahead(other)).map(|(other, _, negated)| (other, negated)).unzip();
        let Some(used) = self.impossible(&[formula], &let_pass, decided) else { return false };
        let before: Vec<&RouteRule> = used.iter().filter_map(|at| ahead.get(*at).copied()).collect();
        let example = self.lead_of(route, &before, model);
        let names = self.named("route", before.iter().map(|route| route.id.as_str()), place.start);
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

    /// Tells of a route of the user's that does to the same leads what an inherited one would do: an override changes something.
    fn repeats<'f>(
        &mut self,
        earlier: impl Iterator<Item = (&'r RouteRule, &'f Formula)>,
        inherited: &'r RouteRule,
        formula: &Formula,
        model: &Model,
    ) {
        let same = |other: &RouteRule| {
            other.destination == inherited.destination
                && other.verdict == inherited.verdict
                && other.stop == inherited.stop
                && (&other.queue, &other.owner, &other.priority) == (&inherited.queue, &inherited.owner, &inherited.priority)
                && other.clock.is_same(&inherited.clock)
        };
        let mut own = earlier.filter_map(|(other, formula)| Some((other, formula, self.places.own("route", &other.id)?)));
        let found = own.find(|(other, theirs, _)| same(other) && self.space.holds(theirs, model) && self.hold_alike(formula, theirs, true));
        let Some((route, _, place)) = found else { return };
        let example = self.lead_of(route, &[inherited], model);
        let other = self.named("route", [inherited.id.as_str()], place.start);
        let message = format!("the route {:?} does what the inherited {other} does, to the same leads", route.id);
        self.tell(place.when(), "duplicate_route", message, "take it out, or let it differ in what it does", example);
    }

    /// A lead of the route for which one of those before it holds too.
    fn lead_of(&self, route: &RouteRule, before: &[&RouteRule], model: &Model) -> Option<crate::rules::condition::space::Example> {
        let about: Vec<&Condition> = before.iter().copied().chain([route]).filter_map(RouteRule::condition).collect();
        let also = if about.is_empty() { &["origin", "storefront", "verdict"][..] } else { &["verdict"] };
        self.space.example(model, &about, also, |subject| route.holds(subject) && before.iter().any(|before| before.holds(subject)))
    }
}

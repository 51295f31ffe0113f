//! Clocks that cannot be meant: a lead that is no longer hot when somebody is to have touched it, and clocks that tell no time at all.

use super::Lint;
use crate::rules::{
    clock::Clock,
    condition::space::{Answer, Example},
    routing::RouteRule,
};

/// An empty clock of such a name says that there is to be no time.
const MEANT: [&str; 6] = ["none", "no", "never", "no-clock", "no_clock", "off"];

impl<'r> Lint<'_, 'r> {
    pub(super) fn clocks(&mut self) {
        let rules = self.rules;
        let mut seen: Vec<&str> = Vec::new();
        for (route, clock) in rules.routes.iter().filter_map(|route| Some((route, route.clock.first()?))) {
            if seen.contains(&clock.name.as_str()) {
                continue;
            }
            seen.push(&clock.name);
            self.cools_down_early(route, clock);
            let Some(place) = self.places.own("clock", &clock.name) else { continue };
            let lengths = [clock.first_touch, clock.accept, clock.hot, clock.late_first_touch];
            if lengths.iter().all(Option::is_none) && !MEANT.contains(&clock.name.as_str()) {
                let message = format!("[clock.{}] tells no time: nothing is due on the routes that have it", clock.name);
                let hint = "give it first_touch, accept or hot; if nothing is to be due, call it \"none\"";
                let example = self.lead_with(route);
                self.tell(place.start, "empty_clock", message, hint, example);
            }
        }
    }

    /// Tells of a lead that is hot for a shorter time than somebody has for it.
    fn cools_down_early(&mut self, route: &'r RouteRule, clock: &'r Clock) {
        let Some(hot) = clock.hot else { return };
        let late = [("first_touch", clock.first_touch), ("accept", clock.accept)];
        let later = late.into_iter().filter_map(|(key, length)| Some((key, length.filter(|length| *length > hot)?))).collect::<Vec<_>>();
        // Where both are inherited, whoever wrote them is to be told.
        let at = later.iter().find_map(|(key, _)| self.places.clock(&clock.name, "hot").or_else(|| self.places.clock(&clock.name, key)));
        let (Some(at), Some((key, length))) = (at, later.first()) else { return };
        let message = format!(
            "by [clock.{}] a lead is hot for {} only, and {key} is due after {}",
            clock.name,
            crate::rules::condition::shown_duration(hot),
            crate::rules::condition::shown_duration(*length)
        );
        let example = self.lead_with(route);
        self.tell(at, "clock_order", message, &format!("make hot the longest, or {key} shorter"), example);
    }

    /// A lead that goes by the route.
    fn lead_with(&self, route: &'r RouteRule) -> Option<Example> {
        let formula = self.space.route(route);
        let Answer::Possible(model) = self.space.can_hold(&[&formula], &[], true) else { return None };
        let about: Vec<_> = route.condition().into_iter().collect();
        self.space.example(&model, &about, &["origin", "storefront", "verdict"], |subject| route.holds(subject))
    }
}

//! How two decisions about one lead differ: what a candidate ruleset would change, destination by destination. Counts nothing.

use crate::lead::{Decision, Route, Vocabulary};

/// How the follow-up at one destination differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteChange {
    /// Only the second decision routes there.
    Added,
    /// Only the first decision routes there.
    Removed,
    /// Both do, but to another queue, owner or priority, or by another time.
    Changed,
}

impl Vocabulary for RouteChange {
    const ALL: &'static [Self] = &[Self::Added, Self::Removed, Self::Changed];

    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// The destinations at which two decisions differ, each once. Another rule that leads to the same follow-up is no difference.
pub fn route_changes<'d>(before: &'d Decision<'_>, after: &'d Decision<'_>) -> impl Iterator<Item = (&'d str, RouteChange)> {
    let gone_or_changed = before.routes.iter().filter_map(|route| match at(after, route.destination) {
        None => Some((route.destination, RouteChange::Removed)),
        Some(other) => (!follows_up_alike(route, other)).then_some((route.destination, RouteChange::Changed)),
    });
    let new = after.routes.iter().filter(|route| at(before, route.destination).is_none());
    gone_or_changed.chain(new.map(|route| (route.destination, RouteChange::Added)))
}

fn at<'d>(decision: &'d Decision<'_>, destination: &str) -> Option<&'d Route<'d>> {
    decision.routes.iter().find(|route| route.destination == destination)
}

fn follows_up_alike(one: &Route<'_>, other: &Route<'_>) -> bool {
    Route { route: other.route, ..one.clone() } == *other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::{NoTrace, decide},
        rules::{Ruleset, sample},
    };

    #[test]
    fn each_destination_is_told_once_with_what_becomes_of_it() {
        let rules = |routes: &str| {
            let text = format!("[ruleset]\nname='a'\nversion='1'\n{routes}");
            Ruleset::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
        };
        let route = |id: &str, destination: &str, more: &str| format!("[[route]]\nid='{id}'\ndestination='{destination}'\n{more}\n");
        let before = rules(&[route("a", "GONE", ""), route("b", "SAME", ""), route("c", "OTHER", "queue='x'")].concat());
        let after = rules(&[route("c", "OTHER", "queue='y'"), route("z", "SAME", ""), route("n", "NEW", "")].concat());
        let facts = sample::facts();
        let [before, after] = [&before, &after].map(|rules| decide(&facts, rules, &mut NoTrace));
        let changes: Vec<_> = route_changes(&before, &after).collect();
        assert_eq!(changes, [("GONE", RouteChange::Removed), ("OTHER", RouteChange::Changed), ("NEW", RouteChange::Added)]);
        assert_eq!(route_changes(&after, &after).next(), None);
    }
}

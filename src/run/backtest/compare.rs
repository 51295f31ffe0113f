//! Two decisions about one lead: whether they differ, in what, and which rule made the difference. Counts nothing.

use std::collections::BTreeSet;

use crate::{
    lead::{Decision, ScorePart, Vocabulary as _},
    pipeline::{Trace, route_changes},
    rules::{Ruleset, Weighed},
};

/// Whether subscribers would see the lead otherwise: its verdict, reasons, storefront, campaigns, or who follows up and by when. A
/// score that moves and changes none of these is told apart.
pub(super) fn differ(before: &Decision<'_>, after: &Decision<'_>) -> bool {
    let class = |decision: &Decision<'_>| {
        let class = &decision.class;
        (class.storefront, class.campaign, class.action, class.stage)
    };
    before.qualified.verdict != after.qualified.verdict
        || before.qualified.reasons != after.qualified.reasons
        || class(before) != class(after)
        || before.marketing_campaign != after.marketing_campaign
        || route_changes(before, after).next().is_some()
}

/// The rule that made the difference: the first gate, score rule, threshold, campaign or route in which two decisions differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    /// `gate.country` and the like, as `remove` names rules.
    pub(super) rule: String,
    pub(super) how: How,
}

/// What is different about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Only the candidate has it.
    New,
    /// Only the baseline has it.
    Gone,
    /// Both have it, and it comes out otherwise.
    Changed,
}

impl How {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Changed => "changed",
        }
    }
}

/// What decided one lead, rule by rule: told by the core, of the rules that were tried.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Gates, whether each held.
    gates: Vec<(String, bool)>,
    /// Score rules, with the points each brought.
    score: Vec<(String, i64)>,
    campaigns: Vec<(String, bool)>,
    /// Routes, whether each won its destination.
    routes: Vec<(String, bool)>,
}

impl Trace for Path {
    fn gate(&mut self, id: &str, _: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.gates.push((id.to_owned(), held));
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool, _: impl FnOnce() -> Weighed) {
        self.score.push((part.rule.to_owned(), if held { part.points } else { 0 }));
    }

    fn campaign(&mut self, id: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.campaigns.push((id.to_owned(), held));
    }

    fn route(&mut self, id: &str, _: &str, _: bool, won: bool, _: impl FnOnce() -> Weighed) {
        self.routes.push((id.to_owned(), won));
    }
}

/// Tells the cause of a difference.
pub(super) fn cause((before, way): (&Decision<'_>, &Path), (after, other): (&Decision<'_>, &Path)) -> Cause {
    let of_class = [
        ("storefront", before.class.storefront.name() != after.class.storefront.name()),
        ("action", before.class.action != after.class.action || before.class.stage != after.class.stage),
        ("campaign", before.class.campaign != after.class.campaign),
    ];
    if let Some((what, _)) = of_class.into_iter().find(|(_, differs)| *differs) {
        return Cause { rule: format!("classification.{what}"), how: How::Changed };
    }
    let threshold = |decision: &Decision<'_>| decision.rules.scoring.threshold(decision.class.storefront);
    let sides = [before.rules, after.rules];
    first("gate", [&way.gates, &other.gates], sides, |rules| ids(&rules.gates, |gate| &gate.id))
        .or_else(|| first("score", [&way.score, &other.score], sides, |rules| ids(&rules.scoring.rules, |rule| &rule.id)))
        .or_else(|| {
            (threshold(before) != threshold(after) && before.qualified.verdict != after.qualified.verdict)
                .then(|| Cause { rule: "score.threshold".to_owned(), how: How::Changed })
        })
        .or_else(|| first("campaign", [&way.campaigns, &other.campaigns], sides, |rules| ids(&rules.campaigns, |rule| &rule.id)))
        .or_else(|| first("route", [&way.routes, &other.routes], sides, |rules| ids(&rules.routes, |rule| &rule.id)))
        // The same route, whose queue, owner or clock is another.
        .or_else(|| {
            let (destination, _) = route_changes(before, after).next()?;
            let route = after.routes.iter().find(|route| route.destination == destination)?;
            Some(Cause { rule: format!("route.{}", route.route), how: How::Changed })
        })
        .unwrap_or_else(|| Cause { rule: "tables".to_owned(), how: How::Changed })
}

fn ids<'r, R>(rules: &'r [R], id: impl Fn(&'r R) -> &'r String) -> Vec<&'r str> {
    rules.iter().map(|rule| id(rule).as_str()).collect()
}

/// The first rule, in the order in which rules are asked, that came out otherwise in the other ruleset; one that is not there, or was
/// not asked any more, counts as one that did not hold. Where each ruleset has another one first, that is the cause before which fewer
/// rules stand that both have; of two with as many, one that is new or gone: what comes behind follows from it.
fn first<T: Default + PartialEq + Copy>(
    kind: &str,
    [before, after]: [&[(String, T)]; 2],
    [baseline, candidate]: [&Ruleset; 2],
    ids: for<'r> fn(&'r Ruleset) -> Vec<&'r str>,
) -> Option<Cause> {
    let outcome = |rules: &[(String, T)], id: &str| rules.iter().find(|(known, _)| known == id).map(|(_, outcome)| *outcome);
    let differs = |(id, came_out): &&(String, T), others: &[(String, T)]| outcome(others, id).unwrap_or_default() != *came_out;
    let new = after.iter().find(|rule| differs(rule, before)).map(|(id, _)| id.as_str());
    let old = before.iter().find(|rule| differs(rule, after)).map(|(id, _)| id.as_str());
    let all: [BTreeSet<&str>; 2] =
        if new.or(old).is_some() { [baseline, candidate].map(|rules| ids(rules).into_iter().collect()) } else { return None };
    let how = |id: &str| match all.each_ref().map(|known| known.contains(id)) {
        [false, _] => How::New,
        [_, false] => How::Gone,
        _ => How::Changed,
    };
    let stands_behind = |id: &str, rules: &Ruleset, others: &BTreeSet<&str>| {
        ids(rules).into_iter().take_while(|known| *known != id).filter(|known| others.contains(known)).count()
    };
    let [of_baseline, of_candidate] = &all;
    let id = match (new, old) {
        (Some(new), Some(old)) if new != old => {
            let [one, other] =
                [(stands_behind(new, candidate, of_baseline), how(new)), (stands_behind(old, baseline, of_candidate), how(old))];
            if other < one { old } else { new }
        }
        (new, old) => new.or(old)?,
    };
    Some(Cause { rule: format!("{kind}.{id}"), how: how(id) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pipeline, rules::sample};

    /// What a lead's difference between two rulesets comes from.
    fn cause_of(before: &str, after: &str) -> (String, &'static str) {
        let [before, after] = [before, after].map(|rules| {
            Ruleset::parse(&format!("[ruleset]\nname='a'\nversion='1'\n{rules}")).unwrap_or_else(|problems| panic!("{problems:?}"))
        });
        let facts = sample::facts();
        let (mut way, mut other_way) = (Path::default(), Path::default());
        let [one, other] = [pipeline::decide(&facts, &before, &mut way), pipeline::decide(&facts, &after, &mut other_way)];
        assert!(differ(&one, &other));
        let cause = cause((&one, &way), (&other, &other_way));
        (cause.rule, cause.how.name())
    }

    #[test]
    fn the_first_rule_that_differs_is_the_cause_whichever_ruleset_has_it() {
        let route = |id: &str, more: &str| format!("[[route]]\nid='{id}'\ndestination='DESK'\nqueue='{id}'\n{more}\n");
        let all = |ids: &[&str]| ids.iter().map(|id| route(id, "")).collect::<String>();
        let cause = |before: &[&str], after: &[&str]| cause_of(&all(before), &all(after));
        let is = |rule: &str, how| (format!("route.{rule}"), how);
        // What a removed one leaves to the next is not the next one's doing.
        assert_eq!(cause(&["a", "b"], &["b"]), is("a", "gone"));
        assert_eq!(cause(&["a"], &[]), is("a", "gone"));
        assert_eq!(cause(&["b"], &["a", "b"]), is("a", "new"));
        assert_eq!(cause(&["a", "b"], &["c", "b"]), is("c", "new"));
        assert_eq!(cause(&["a", "b"], &["b", "a"]), is("b", "changed"));
        // One that changed before one that went.
        let never = |id: &str| route(id, "when='contact.country == \"ZA\"'");
        let (before, after) = ([never("a"), all(&["b", "c"])].concat(), all(&["a", "c"]));
        assert_eq!(cause_of(&before, &after), is("a", "changed"));
        // What is not asked any more is there all the same.
        let stops = route("a", "stop=true");
        let elsewhere = "[[route]]\nid='z'\ndestination='OTHER'\n";
        assert_eq!(cause_of(&[&stops, elsewhere].concat(), elsewhere), is("a", "gone"));
        let campaign = |id: &str| format!("[[campaign]]\nid='{id}'\nwhen='contact.country == \"FR\"'\n");
        assert_eq!(cause_of(&[campaign("a"), campaign("b")].concat(), &campaign("b")), ("campaign.a".to_owned(), "gone"));
        let gate = |id: &str| format!("[[gate]]\nid='{id}'\nwhen='contact.country == \"FR\"'\nreason='{id}'\n");
        assert_eq!(cause_of(&gate("a"), &gate("b")).0, "gate.b");
    }
}

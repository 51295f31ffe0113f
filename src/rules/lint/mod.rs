//! What is wrong with a ruleset that loads: rules that never fire, gates that always do, routes that do the same, and so on. Asks the
//! questions, one file each; whether conditions can hold together is found out in `condition::space`. Tells only what is certain of
//! every lead, with one that shows it.

mod campaigns;
mod columns;
mod dates;
mod gates;
mod ids;
mod places;
mod routes;
mod scores;
mod unhandled;

use std::collections::BTreeMap;

use crate::{
    lead::{Storefront, Timestamp, Vocabulary},
    problem::Problem,
};

use super::{
    Ruleset,
    condition::{
        Condition,
        space::{Answer, Example, Formula, Space},
    },
    files::{RulesetFile, Texts},
    merge,
    reading::{Reader, TOLD},
    suggest,
};
use places::{Place, Places};

impl Ruleset {
    /// What is worth knowing of the ruleset of these files (outermost first) though it loads: warnings, in the order of the files,
    /// about what stands in the user's own. `now` tells whose dates have passed,
    /// `exists` whether a table has a column (`account.tier`). Nothing of one that does not load.
    #[must_use]
    pub fn lint(files: &[RulesetFile], now: Timestamp, exists: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        let Ok(rules) = Self::merge(files) else { return Vec::new() };
        let texts = Texts::new(files);
        let mut reader = Reader::new(&texts);
        let Some(merged) = merge::merge(&mut reader, &texts) else { return Vec::new() };
        let places = Places::of(&merged, &texts);
        let space = Space::new(&rules, now);
        let mut lint = Lint { rules: &rules, space: &space, places: &places, texts: &texts, now, found: Vec::new() };
        lint.dates();
        let base = files.get(1..).filter(|base| !base.is_empty()).and_then(|base| Self::merge(base).ok());
        if let Some(base) = &base {
            lint.ids(base);
        }
        let all_refused = lint.gates();
        let out_of_reach = lint.scores();
        let decided = !all_refused && !out_of_reach;
        let no_leads_campaign = lint.campaigns(decided);
        let dead = lint.routes(decided, no_leads_campaign);
        if !all_refused {
            lint.storefronts(&dead);
        }
        lint.actions(base.as_ref());
        lint.columns(exists);
        let mut found = lint.found;
        found.sort_by_key(|(at, _)| *at);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        found.retain(|(_, problem)| {
            let count = counts.entry(problem.code).or_default();
            *count += 1;
            *count <= TOLD
        });
        let mut problems: Vec<Problem> = found.into_iter().map(|(at, problem)| texts.place(at, problem)).collect();
        for (code, more) in
            counts.into_iter().filter_map(|(code, count)| Some((code, count.checked_sub(TOLD)?))).filter(|(_, more)| *more > 0)
        {
            let problem = Problem::warning("more_problems", format!("and {more} more of the kind {code}"));
            problems.push(problem.hint("the first of a kind are told one by one: mend them and check again"));
        }
        problems
    }
}

/// One look at a ruleset.
struct Lint<'s, 'r> {
    rules: &'r Ruleset,
    space: &'s Space<'r>,
    places: &'s Places,
    texts: &'s Texts<'s>,
    now: Timestamp,
    /// With the byte each stands at.
    found: Vec<(usize, Problem)>,
}

/// So many of what was needed are tried one by one, to name those that are.
const NAMED: usize = 12;

impl<'r> Lint<'_, 'r> {
    /// Tells a finding; without a lead that shows it there is none.
    fn tell(&mut self, at: usize, code: &'static str, message: String, hint: &str, example: Option<Example>) {
        let Some(example) = example else { return };
        let problem = Problem { example: Some(example), ..Problem::warning(code, message).hint(hint) };
        self.found.push((at, problem));
    }

    /// Entries of one list by their ids, each with where it stands, as seen from byte `from`.
    fn named<'n>(&self, kind: &'static str, ids: impl IntoIterator<Item = &'n str>, from: usize) -> String {
        let name = |id: &str| {
            let located =
                self.places.start(kind, id).or_else(|| self.follow_up(id)).and_then(|start| Some((start, self.texts.locate(start)?)));
            match located {
                Some((start, at)) if self.places.file(start) == self.places.file(from) => format!("{id:?} (line {})", at.place.line),
                Some((_, at)) => format!("{id:?} ({}:{})", at.file, at.place.line),
                None => format!("{id:?}"),
            }
        };
        let names: Vec<String> = ids.into_iter().map(name).collect();
        match names.split_last() {
            Some((last, rest @ [_, ..])) => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    /// Where the element stands that a route of `follow_up` is made of.
    fn follow_up(&self, id: &str) -> Option<usize> {
        let (storefront, destination) = id.strip_prefix("follow_up.")?.split_once('.')?;
        let row = self.rules.classification.storefronts.get(&Storefront::from_name(storefront)?)?;
        row.follow_up.iter().find(|(known, _)| *known == destination).map(|(_, start)| *start)
    }

    /// Tells of an entry that no lead meets, by itself.
    fn tell_contradiction(&mut self, what: &str, place: Place, when: &'r Condition, with: &Formula, decided: bool) {
        let found = self.space.nearest(when, with, decided);
        let (example, failing) = match found {
            Some((example, failing)) => (Some(example), failing),
            None => (self.lead_without(when, with), Vec::new()),
        };
        let (message, hint) = if failing.is_empty() {
            (format!("{what} can never hold: no lead is like that"), "ask for something that a lead can have, or take it out".to_owned())
        } else {
            let fields = failing.join(", ");
            (
                format!("{what} can never hold: a lead that meets all the rest fails in what is asked of {fields}"),
                "change one of the two parts that exclude each other, or take it out".to_owned(),
            )
        };
        let hint = self.slip(when).or_else(|| self.most_points(when, &failing)).unwrap_or(hint);
        self.tell(place.when(), "never_fires", message, &hint, example);
    }

    /// A reason that it asks for and no gate gives.
    fn slip(&self, when: &Condition) -> Option<String> {
        let reasons: Vec<&str> = self.rules.reasons().collect();
        let unknown = when.reasons().into_iter().find(|reason| !reasons.contains(reason))?;
        Some(format!("no gate gives the reason {unknown:?}; {}", suggest::hint(unknown, &reasons)))
    }

    /// How much a total can be, where that is what was asked for.
    fn most_points(&self, when: &Condition, failing: &[String]) -> Option<String> {
        let asks = if failing.is_empty() { when.names().contains("score.total") } else { failing.iter().any(|name| name == "score.total") };
        let most = self.space.most_points(&Formula::Always).filter(|_| asks)?;
        Some(format!("the points of all score rules add up to {most} at most; ask for what such a lead can have, or take it out"))
    }

    /// A lead of which the condition is not true, though all else is that is asked of it.
    fn lead_without(&self, when: &Condition, with: &Formula) -> Option<Example> {
        let shown = |needs: &[&Formula]| {
            let Answer::Possible(model) = self.space.can_hold(needs, &[], true) else { return None };
            self.space.example(&model, &[when], &[], |subject| !when.holds(subject))
        };
        shown(&[with]).or_else(|| shown(&[]))
    }

    /// Which of `besides` is needed to know that these cannot hold together, as few as can be told; nothing, where they can.
    fn impossible(&self, needs: &[&Formula], besides: &[&Formula], decided: bool) -> Option<Vec<usize>> {
        let Answer::Impossible(mut used) = self.space.can_hold(needs, besides, decided) else { return None };
        used.sort_unstable();
        used.dedup();
        if used.len() > NAMED {
            return Some(used);
        }
        for at in used.clone() {
            let fewer: Vec<usize> = used.iter().copied().filter(|other| *other != at).collect();
            let those: Vec<&Formula> = fewer.iter().filter_map(|at| besides.get(*at).copied()).collect();
            if matches!(self.space.can_hold(needs, &those, decided), Answer::Impossible(_)) {
                used = fewer;
            }
        }
        Some(used)
    }

    fn is_impossible(&self, needs: &[&Formula], decided: bool) -> bool {
        matches!(self.space.can_hold(needs, &[], decided), Answer::Impossible(_))
    }

    /// Whether two that can hold do so for the same leads.
    fn hold_alike(&self, one: &Formula, other: &Formula, decided: bool) -> bool {
        one == other && one.is_certain() || {
            let (not_one, not_other) = (one.clone().not(), other.clone().not());
            self.is_impossible(&[one, &not_other], decided) && self.is_impossible(&[other, &not_one], decided)
        }
    }
}

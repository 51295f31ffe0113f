//! What is wrong with a ruleset that loads: rules that never fire, gates that always do, routes that do the same, and so on. Asks the
//! questions, one file each; whether conditions can hold together is found out in `condition::space`. Tells only what is certain of
//! every lead, with one that shows it.

mod branches;
mod campaigns;
mod clocks;
mod columns;
mod dates;
mod domains;
mod gates;
mod ids;
mod letters;
mod places;
mod reasons;
mod routes;
mod scores;
mod texts;
mod unfinished;
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
        space::{Answer, Example, Formula, Model, Space},
    },
    files::{RulesetFile, Texts},
    merge,
    reading::{Reader, TOLD},
    suggest,
};
use places::{Place, Places};
use unfinished::Looking;

impl Ruleset {
    /// What is worth knowing of the ruleset though it loads: warnings, in the order of its `files` (outermost first), about what
    /// stands in the user's own. `now` tells whose dates have passed, `exists` whether a table has a column (`account.tier`).
    #[must_use]
    pub fn lint(&self, files: &[RulesetFile], now: Timestamp, exists: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        let texts = Texts::new(files);
        let mut reader = Reader::new(&texts);
        let Some(merged) = merge::merge(&mut reader, &texts) else { return Vec::new() };
        let places = Places::of(&merged, &texts);
        let space = Space::new(self, now);
        let any_lead = match space.can_hold(&[&Formula::Always], &[], true) {
            Answer::Possible(model) => Some(model),
            _ => None,
        };
        let mut lint = Lint { rules: self, space: &space, places: &places, texts: &texts, now, any_lead, looking: None, found: Vec::new() };
        // What needs no search comes first: there is always enough left for it.
        lint.dates();
        let base = files.get(1..).filter(|base| !base.is_empty()).and_then(|base| Self::merge(base).ok());
        if let Some(base) = &base {
            lint.ids(base);
        }
        lint.columns(exists);
        lint.reasons();
        lint.letters();
        lint.texts();
        lint.clocks();
        lint.own_domains();
        let all_refused = lint.gates();
        let out_of_reach = lint.scores();
        let decided = !all_refused && !out_of_reach;
        let no_leads_campaign = lint.campaigns(decided);
        let dead = lint.routes(decided, no_leads_campaign);
        if !all_refused {
            lint.storefronts(&dead);
        }
        lint.actions(base.as_ref());
        lint.branches(decided);
        let unfinished = space.is_exhausted().then(|| lint.unfinished());
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
        problems.extend(unfinished.map(|problem| Problem { file: files.first().map(|file| file.name.clone()), ..problem }));
        problems
    }
}

/// Where a condition says this, whatever its blanks, quotes and backslashes.
fn loosely(condition: &str, written: &str) -> Option<usize> {
    let letters = |text: &str| -> Vec<(usize, char)> {
        let counts = |letter: &char| !letter.is_whitespace() && *letter != '\\';
        let alike = |letter| if letter == '\'' { '"' } else { letter };
        text.char_indices().filter(|(_, letter)| counts(letter)).map(|(at, letter)| (at, alike(letter))).collect()
    };
    let (all, wanted) = (letters(condition), letters(written));
    let same = |window: &[(usize, char)]| window.iter().map(|(_, letter)| letter).eq(wanted.iter().map(|(_, letter)| letter));
    all.windows(wanted.len().max(1)).find(|window| same(window)).and_then(|window| window.first()).map(|(at, _)| *at)
}

/// One look at a ruleset.
struct Lint<'s, 'r> {
    rules: &'r Ruleset,
    space: &'s Space<'r>,
    places: &'s Places,
    texts: &'s Texts<'s>,
    now: Timestamp,
    /// A lead of which nothing is asked.
    any_lead: Option<Model>,
    looking: Option<Looking<'r>>,
    /// With the byte each stands at.
    found: Vec<(usize, Problem)>,
}

/// So many of what was needed are tried one by one, to name those that are.
const NAMED: usize = 12;

impl<'r> Lint<'_, 'r> {
    /// A lead of which nothing is asked.
    fn any_lead(&self) -> Option<Model> {
        self.any_lead.clone()
    }

    /// Tells a finding; without a lead that shows it there is none.
    fn tell(&mut self, at: usize, code: &'static str, message: String, hint: &str, example: Option<Example>) {
        let Some(example) = example else { return };
        let problem = Problem { example: Some(example), underlined: 0, ..Problem::warning(code, message).hint(hint) };
        self.found.push((at, problem));
    }

    /// Where in the condition of an entry this stands; else the condition.
    fn place_in(&self, place: Place, written: &str) -> usize {
        self.find_in(place, written).unwrap_or_else(|| place.when())
    }

    /// Where in the condition of an entry this text stands in quotes; else the condition.
    fn place_of_text(&self, place: Place, text: &str) -> usize {
        self.find_text(place, text).unwrap_or_else(|| place.when())
    }

    fn find_text(&self, place: Place, text: &str) -> Option<usize> {
        self.find_in(place, &format!("{text:?}")).or_else(|| self.find_in(place, text))
    }

    /// Where in the condition of an entry this stands, however it is spaced and quoted there.
    fn find_in(&self, place: Place, written: &str) -> Option<usize> {
        let start = place.when();
        let condition = self.texts.written(start..place.when_end.unwrap_or(start));
        Some(start + condition.find(written).or_else(|| loosely(condition, written))?)
    }

    /// Whether the entry has ended: that it holds of no lead of today is told by that.
    fn has_ended(&self, place: Place) -> bool {
        place.until.is_some_and(|(_, until)| until <= self.now)
    }

    /// Every entry of the lists with what it asks, by list and id.
    fn conditions(&self) -> Vec<(&'static str, &'r str, Option<&'r Condition>)> {
        let rules = self.rules;
        let gates = rules.gates.iter().map(|gate| ("gate", gate.id.as_str(), Some(&gate.when)));
        let scored = rules.scoring.rules.iter().map(|rule| ("score", rule.id.as_str(), Some(&rule.when)));
        let campaigns = rules.campaigns.iter().map(|campaign| ("campaign", campaign.id.as_str(), campaign.when.as_ref()));
        let routes = rules.routes.iter().map(|route| ("route", route.id.as_str(), route.condition()));
        gates.chain(scored).chain(campaigns).chain(routes).collect()
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
        if self.has_ended(place) {
            return;
        }
        let found = self.space.nearest(when, with, decided);
        let (example, failing) = match found {
            Some((example, failing)) => (Some(example), failing),
            None => (self.lead_without(when, with), Vec::new()),
        };
        let (message, hint) = if failing.is_empty() {
            let hint = if when.has_parts() {
                "its parts exclude each other: change one, or take it out"
            } else {
                "ask for something that a lead can have, or take it out"
            };
            (format!("{what} can never hold: no lead is like that"), hint.to_owned())
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

    /// A reason that it asks for and no gate gives, a text that is empty, a list without elements, or a campaign that there is not.
    fn slip(&self, when: &Condition) -> Option<String> {
        let reasons: Vec<&str> = self.rules.reasons().collect();
        if let Some(unknown) = when.reasons().into_iter().find(|reason| !reasons.contains(reason)) {
            return Some(format!("no gate gives the reason {unknown:?}; {}", suggest::hint(unknown, &reasons)));
        }
        if when.asks_an_empty_list() {
            return Some("nothing is in a list without elements: write those that it may be, or take it out".to_owned());
        }
        let demands = when.demands();
        if let Some(missing) = demands.iter().find(|demand| !demand.texts.is_empty() && demand.texts.iter().all(|text| text.is_empty())) {
            return Some(format!("no text is empty: what is missing is null; write !has({})", missing.name));
        }
        let campaigns: Vec<&str> = self.rules.campaigns.iter().map(|campaign| campaign.id.as_str()).collect();
        let demand = demands.into_iter().find(|demand| demand.name == "marketing_campaign")?;
        let unknown = demand.texts.into_iter().find(|campaign| !campaigns.contains(campaign))?;
        Some(format!("there is no campaign {unknown:?}; {}", suggest::hint(unknown, &campaigns)))
    }

    /// How much a total can be, where more than that was asked for.
    fn most_points(&self, when: &Condition, failing: &[String]) -> Option<String> {
        let asks = if failing.is_empty() { when.names().contains("score.total") } else { failing.iter().any(|name| name == "score.total") };
        let most = self.space.most_points(&Formula::Always).filter(|_| asks)?;
        when.largest_number().filter(|asked| *asked >= most)?;
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

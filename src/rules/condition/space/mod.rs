//! The space of leads, as a ruleset's conditions can tell them apart: variables with finitely many rows, conditions as formulas over
//! them, and whether formulas can hold together. Over-estimates what leads there are, so what is impossible here is impossible;
//! what is possible here is shown by a lead, and only then told. Judges no ruleset: `rules::lint` asks the questions.

mod branches;
mod calendar;
mod classes;
mod draft;
mod entries;
mod example;
mod formula;
mod laws;
mod lead;
mod mend;
mod points;
mod question;
mod search;
mod set;
mod sums;
#[cfg(test)]
mod tests;
mod unlisted;
mod values;
mod variables;

use std::{cell::Cell, collections::BTreeMap};

use super::{
    Condition,
    fields::Field,
    tree::{Comparison, Node},
};
use crate::{lead::Timestamp, rules::Ruleset};
use calendar::Calendar;
use formula::AskedOfText;
use laws::Laws;
use points::Points;
use question::{Answers, Test};
use unlisted::{Unlisted, of_unlisted};
use values::Known;
use variables::{Variable, Wanted};

pub(in crate::rules) use example::Example;
pub(in crate::rules) use formula::Formula;
pub(super) use mend::text_that_fits;
pub(super) use question::parts;
pub(in crate::rules) use search::{Answer, Model};

/// All that conditions of a ruleset can ask of a lead.
pub(in crate::rules) struct Space<'r> {
    rules: &'r Ruleset,
    variables: Vec<Variable<'r>>,
    /// Variable and column of each name.
    columns: BTreeMap<String, (usize, usize)>,
    classes: Vec<classes::Class<'r>>,
    laws: Laws,
    points: Points,
    calendars: Vec<Calendar<'r>>,
    now: Timestamp,
    /// What all searches together may still take.
    effort: Cell<usize>,
}

/// Part of a formula's meaning that is the lead's own time.
const EVENT_TIME: &str = "event_time";

impl<'r> Space<'r> {
    /// The space of what these rules ask; `now` is the time of leads of which nothing else is asked.
    pub(in crate::rules) fn new(rules: &'r Ruleset, now: Timestamp) -> Self {
        let mut wanted = Wanted::default();
        for condition in conditions(rules) {
            _ = question::formula(&condition.0, &mut wanted);
        }
        let (variables, classes) = variables::of(wanted, rules, now);
        let mut columns = BTreeMap::new();
        for (at, variable) in variables.iter().enumerate() {
            columns.extend(variable.columns.iter().enumerate().map(|(column, name)| (name.clone(), (at, column))));
        }
        let (laws, points) = (Laws::default(), Points::default());
        let calendars = calendar::of(&variables);
        let effort = Cell::new(search::EFFORT);
        let mut space = Self { rules, variables, columns, classes, laws, points, calendars, now, effort };
        space.settle_usual_rows();
        space.points = Points::of(&space);
        space.laws = Laws::of(&space);
        space
    }

    /// The condition as a formula.
    pub(in crate::rules) fn formula(&self, condition: &'r Condition) -> Formula {
        question::formula(&condition.0, &mut Reader(self))
    }

    /// That the event's time lies in these dates, their end excluded.
    pub(in crate::rules) fn within(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Formula {
        if from.is_none() && until.is_none() {
            return Formula::Always;
        }
        self.rows(EVENT_TIME, |value| {
            let Known::Time(at) = value else { return false };
            from.is_none_or(|from| from <= *at) && until.is_none_or(|until| *at < until)
        })
    }

    /// That what has this name has one of the values for which it holds; unknown, where there is no such variable.
    fn rows(&self, name: &str, holds: impl FnMut(&Known) -> bool) -> Formula {
        let found = self.columns.get(name).and_then(|(at, column)| Some((at, column, self.variables.get(*at)?)));
        let Some((at, column, variable)) = found else { return Formula::Maybe };
        Formula::is(*at, variable.rows_where(*column, holds))
    }

    /// That the field is there.
    pub(in crate::rules) fn has(&self, name: &str) -> Formula {
        self.rows(name, Known::is_there)
    }

    /// That the field has this word.
    pub(in crate::rules) fn is(&self, name: &str, word: &str) -> Formula {
        self.rows(name, |value| matches!(value, Known::Word(known) if *known == word))
    }

    /// That the total is at least so much.
    pub(in crate::rules) fn total_from(&self, least: i64) -> Formula {
        self.rows("score.total", |value| value.rank().is_some_and(|total| total >= least))
    }
}

/// Every condition of the rules.
fn conditions(rules: &Ruleset) -> impl Iterator<Item = &Condition> {
    let gates = rules.gates.iter().map(|gate| &gate.when);
    let scored = rules.scoring.rules.iter().map(|rule| &rule.when);
    let campaigns = rules.campaigns.iter().filter_map(|campaign| campaign.when.as_ref());
    let routes = rules.routes.iter().filter_map(|route| route.condition());
    gates.chain(scored).chain(campaigns).chain(routes)
}

/// Makes formulas of questions to variables that are there.
struct Reader<'s, 'r>(&'s Space<'r>);

impl Reader<'_, '_> {
    fn boolean(&self, name: &str) -> Formula {
        self.0.rows(name, |value| *value == Known::Bool(true))
    }
}

impl<'r> Answers<'r> for Reader<'_, 'r> {
    fn of_term(&mut self, term: &'r Node, test: &Test<'r>) -> Formula {
        let name = question::name(term);
        let found = self.0.columns.get(&name).and_then(|(at, column)| Some((*at, *column, self.0.variables.get(*at)?)));
        let Some((at, column, variable)) = found else { return Formula::Maybe };
        // Long lists of texts are asked for one by one.
        let listed = test.equal_text().and_then(|text| variable.rows_of_text(text));
        self.0.spend(1 + variable.rows.len() / if listed.is_some() { 64 } else { 8 });
        let mut rows = listed.unwrap_or_else(|| variable.rows_where(column, |value| test.passes(value.value())));
        let Some(unlisted) = variable.unlisted else { return Formula::is(at, rows) };
        match of_unlisted(test) {
            Unlisted::Truth(truth) => {
                rows.put(unlisted, truth);
                Formula::is(at, rows)
            }
            Unlisted::Depends(feature, has) => match variable.features.iter().position(|known| *known == feature) {
                Some(feature) => Formula::Text(AskedOfText { variable: at, rows, feature, has }),
                None => Formula::Maybe,
            },
            Unlisted::Unknown => Formula::Maybe,
        }
    }

    fn of_pair(&mut self, how: Comparison, left: &'r Node, right: &'r Node) -> Formula {
        let (name, how) = variables::name_of_pair(how, left, right);
        self.0.rows(&name, |value| variables::pair_passes(how, value))
    }

    fn of_key(&mut self, map: &'static Field, key: &'r str) -> Formula {
        self.0.rows(&question::key_name(map, key), Known::is_there)
    }

    fn of_reason(&mut self, reason: &'r str) -> Formula {
        if self.0.rules.reasons().any(|known| known == reason) { self.boolean(&variables::name_of_reason(reason)) } else { Formula::Never }
    }

    fn by_itself(&mut self, name: String) -> Formula {
        self.boolean(&name)
    }
}

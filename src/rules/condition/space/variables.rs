//! The variables of the space and their rows: a term with its values, what goes together as one table (the class of a lead, country
//! and region, total and grade), and true or false for what is not understood. Asks nothing of them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::super::{
    fields::{Field, Value},
    order::compare,
    tree::{Comparison, Node},
};
use super::{
    EVENT_TIME,
    classes::{self, Class},
    formula::Formula,
    laws::delays,
    question::{self, Answers, Test, field_term, flag_name},
    set::Set,
    unlisted::{Feature, Unlisted, of_unlisted},
    values::{self, Known, Written},
};
use crate::{
    lead::{Flag, Region, Timestamp, Vocabulary},
    pipeline::countries,
    rules::Ruleset,
};

/// One thing about a lead, or some that go together, and what it can be.
#[derive(Debug)]
pub(super) struct Variable<'r> {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Known>>,
    /// The row of a lead of which nothing is asked.
    pub(super) usual: usize,
    /// The row of all texts that no condition names, told apart by these features.
    pub(super) unlisted: Option<usize>,
    pub(super) features: Vec<Feature>,
    pub(super) of: Of<'r>,
    /// Of several columns the rows by their value in each: there are far fewer values than rows.
    by_value: Vec<Vec<(Known, Set)>>,
}

/// What a variable is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of<'r> {
    /// One expression.
    Term(&'r Node),
    /// A key of a map, of which nothing is asked but whether it is there.
    Key(&'static Field, &'r str),
    /// How one stands to another.
    Pair(&'r Node, &'r Node),
    Class,
    Place,
    Total,
    Campaign,
    Flag(Flag),
    /// True or false, and not more is known.
    Itself,
}

/// So many values or features of one term are told apart; what has more is not known.
const MOST: usize = 4096;
/// What laws and effective dates ask for, whatever is written.
const ALWAYS_ASKED: [&str; 6] = [EVENT_TIME, "verdict", "reachable", "contact.email", "contact.email_domain", "contact.phone_raw"];
/// The same of classes.
const MOST_CLASSES: usize = 1 << 16;

impl Variable<'_> {
    pub(super) fn value(&self, row: usize, column: usize) -> Option<&Known> {
        self.rows.get(row)?.get(column)
    }

    /// The rows whose value in the column it holds for.
    pub(super) fn rows_where(&self, column: usize, mut holds: impl FnMut(&Known) -> bool) -> Set {
        let Some(values) = self.by_value.get(column) else {
            return Set::of(self.rows.len(), |row| self.value(row, column).is_some_and(&mut holds));
        };
        let mut rows = Set::none(self.rows.len());
        values.iter().filter(|(value, _)| holds(value)).for_each(|(_, with)| rows.widen(with));
        rows
    }

    /// The same of equality with a text, where the rows are texts: those that are written somewhere come first, in order.
    pub(super) fn rows_of_text(&self, text: &str) -> Option<Set> {
        let listed = self.rows.get(..self.unlisted?)?;
        let mut rows = Set::none(self.rows.len());
        let order = |row: &Vec<Known>| match row.first() {
            Some(Known::Text(known)) => (**known).cmp(text),
            _ => Ordering::Less,
        };
        if let Ok(row) = listed.binary_search_by(order) {
            rows.insert(row);
        }
        Some(rows)
    }
}

/// What all conditions ask for: read once, before there are variables.
#[derive(Default)]
pub(super) struct Wanted<'r> {
    terms: BTreeMap<String, (&'r Node, Written, Vec<Feature>)>,
    keys: BTreeMap<String, (&'static Field, &'r str)>,
    pairs: BTreeMap<String, (&'r Node, &'r Node)>,
    truths: BTreeSet<String>,
}

impl<'r> Answers<'r> for Wanted<'r> {
    fn of_term(&mut self, term: &'r Node, test: &Test<'r>) -> Formula {
        let name = question::name(term);
        let (_, written, features) = self.terms.entry(name.clone()).or_insert_with(|| (term, Written::default(), Vec::new()));
        match test {
            Test::Compare(_, literal) => written.add(literal),
            Test::Text(_, part) => _ = written.texts.insert((*part).into()),
            Test::Lowered(_, others) => written.texts.extend(others.iter().cloned()),
            Test::Matches(_) | Test::Has | Test::True => {}
        }
        match of_unlisted(test) {
            Unlisted::Depends(feature, _) if features.len() < MOST && !features.contains(&feature) => features.push(feature),
            _ => {}
        }
        Formula::Always
    }

    fn of_pair(&mut self, how: Comparison, left: &'r Node, right: &'r Node) -> Formula {
        let (left, right) = if question::name(left) <= question::name(right) { (left, right) } else { (right, left) };
        self.pairs.insert(name_of_pair(how, left, right).0, (left, right));
        Formula::Always
    }

    fn of_key(&mut self, map: &'static Field, key: &'r str) -> Formula {
        self.keys.insert(question::key_name(map, key), (map, key));
        Formula::Always
    }

    fn of_reason(&mut self, reason: &'r str) -> Formula {
        self.truths.insert(name_of_reason(reason));
        Formula::Always
    }

    fn by_itself(&mut self, name: String) -> Formula {
        self.truths.insert(name);
        Formula::Always
    }
}

pub(super) fn name_of_reason(reason: &str) -> String {
    format!("{reason:?} in reasons")
}

/// The name of two terms held against each other, in one order whatever the order they are written in.
pub(super) fn name_of_pair(how: Comparison, left: &Node, right: &Node) -> (String, Comparison) {
    let (left, right) = (question::name(left), question::name(right));
    if left <= right { (format!("{left} beside {right}"), how) } else { (format!("{right} beside {left}"), question::turned(how)) }
}

/// How two values can stand to each other: less, equal, greater; equal without an order, other without an order; an error.
const STANDINGS: [[Comparison; 3]; 3] = [
    [Comparison::Less, Comparison::LessOrEqual, Comparison::NotEqual],
    [Comparison::Equal, Comparison::LessOrEqual, Comparison::GreaterOrEqual],
    [Comparison::Greater, Comparison::GreaterOrEqual, Comparison::NotEqual],
];

pub(super) fn pair_passes(how: Comparison, standing: &Known) -> bool {
    match standing {
        Known::Int(3) => how == Comparison::Equal,
        Known::Int(4) => how == Comparison::NotEqual,
        Known::Int(standing) => {
            usize::try_from(*standing).ok().and_then(|standing| STANDINGS.get(standing)).is_some_and(|passing| passing.contains(&how))
        }
        _ => false,
    }
}

/// How two values stand to each other.
pub(super) fn standing(left: Value<'_>, right: Value<'_>) -> Known {
    let all = [
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::GreaterOrEqual,
        Comparison::Greater,
    ];
    let found = (0..6).map(Known::Int).find(|standing| all.iter().all(|how| compare(*how, left, right) == pair_passes(*how, standing)));
    found.unwrap_or(Known::Int(5))
}

/// Variables of all that is wanted, with the classes that one of them tells apart.
pub(super) fn of<'r>(wanted: Wanted<'r>, rules: &'r Ruleset, now: Timestamp) -> (Vec<Variable<'r>>, Vec<Class<'r>>) {
    let Wanted { mut terms, keys, pairs, mut truths } = wanted;
    let mut variables = Vec::new();

    // Routes of `follow_up` and thresholds ask for these two, whatever is written.
    let mut asked: BTreeSet<&str> = ["origin", "storefront"].into();
    asked.extend(classes::COLUMNS.iter().filter(|column| terms.remove(**column).is_some() || truths.remove(**column)));
    asked.extend(terms.keys().any(|name| name.starts_with("offer.")).then_some("offer"));
    let classes = classes::all(&rules.classification, &asked);
    let columns: Vec<String> = asked.iter().map(|column| (*column).to_owned()).collect();
    let rows = classes.iter().map(|class| asked.iter().map(|column| class.value(column)).collect()).collect();
    variables.push(table(columns, rows, Of::Class));

    let places = [terms.remove("contact.country"), terms.remove("contact.region")];
    if places.iter().any(Option::is_some) {
        let known = countries().map(|(code, region)| vec![Known::Text(code.into()), Known::Word(region.name())]);
        let rows = known.chain([vec![Known::Null, Known::Word(Region::Unknown.name())]]).collect();
        variables.push(table(vec!["contact.country".to_owned(), "contact.region".to_owned()], rows, Of::Place));
    }

    let mut totals = terms.remove("score.total").map(|(_, written, _)| written).unwrap_or_default();
    _ = terms.remove("score.grade");
    totals.numbers.extend(rules.scoring.bounds());
    let rows = values::numbers(&totals).map(|total| vec![Known::Int(total), Known::Word(rules.scoring.grade(total).name())]).collect();
    variables.push(table(vec!["score.total".to_owned(), "score.grade".to_owned()], rows, Of::Total));

    if terms.remove("marketing_campaign").is_some() {
        let ids = rules.campaigns.iter().map(|campaign| vec![Known::Text(campaign.id.as_str().into())]);
        variables.push(table(vec!["marketing_campaign".to_owned()], ids.chain([vec![Known::Null]]).collect(), Of::Campaign));
    }

    let dates: BTreeSet<i64> = super::entries::dates(rules).chain([now]).map(Timestamp::micros).collect();
    for name in ALWAYS_ASKED {
        let term = field_term(name).map(|term| (term, Written::default(), Vec::new()));
        if let (false, Some(term)) = (terms.contains_key(name), term) {
            terms.insert(name.to_owned(), term);
        }
    }
    if let Some((_, written, _)) = terms.get_mut(EVENT_TIME) {
        written.numbers.extend(dates);
    }
    for (name, turned) in delays() {
        let late_after = rules.policy.late_after;
        terms.entry(name).and_modify(|(_, written, _)| written.numbers.extend([0, if turned { -late_after } else { late_after }]));
    }

    // Whether a text is empty is told apart, so that what is never empty can be known.
    for (_, written, _) in terms.values_mut().filter(|(term, ..)| matches!(term, Node::Size(_))) {
        written.numbers.insert(0);
    }

    for (name, (map, key)) in keys.into_iter().filter(|(name, _)| !terms.contains_key(name)) {
        let rows = vec![vec![Known::Unlisted], vec![Known::Error]];
        variables.push(Variable { unlisted: Some(0), ..table(vec![name], rows, Of::Key(map, key)) });
    }
    for (name, (term, written, features)) in terms {
        let values = values::of_term(term, &written);
        let unlisted = values.iter().position(|value| *value == Known::Unlisted);
        let rows = values.into_iter().map(|value| vec![value]).collect();
        variables.push(Variable { unlisted, features, ..table(vec![name], rows, Of::Term(term)) });
    }
    for (name, (left, right)) in pairs {
        let rows = standings(left, right).map(|standing| vec![Known::Int(standing)]).collect();
        variables.push(table(vec![name], rows, Of::Pair(left, right)));
    }
    truths.extend(rules.reasons().map(name_of_reason));
    for name in truths {
        let flag = Flag::ALL.iter().copied().find(|flag| flag_name(flag.name()) == name);
        variables.push(table(vec![name], vec![vec![Known::Bool(false)], vec![Known::Bool(true)]], flag.map_or(Of::Itself, Of::Flag)));
    }
    let most = |variable: &Variable<'_>| if matches!(variable.of, Of::Class) { MOST_CLASSES } else { MOST };
    variables.retain(|variable| variable.rows.len() <= most(variable));
    (variables, classes)
}

/// How these two can stand to each other.
fn standings(left: &Node, right: &Node) -> impl Iterator<Item = i64> {
    let same = question::name(left) == question::name(right);
    let there = !values::may_miss(left) && !values::may_miss(right);
    // A fraction can be no number, which is not itself.
    let is_itself = same && !matches!(question::kind(left), question::Kind::Double);
    (0..6).filter(move |standing| match standing {
        0 | 2 if same => false,
        4 if is_itself => false,
        3..6 => !there,
        _ => true,
    })
}

fn table(columns: Vec<String>, rows: Vec<Vec<Known>>, of: Of<'_>) -> Variable<'_> {
    let several = if columns.len() > 1 { columns.len() } else { 0 };
    let by_value = (0..several).map(|column| by_value(&rows, column)).collect();
    Variable { columns, rows, usual: 0, unlisted: None, features: Vec::new(), of, by_value }
}

fn by_value(rows: &[Vec<Known>], column: usize) -> Vec<(Known, Set)> {
    let mut found: Vec<(Known, Set)> = Vec::new();
    for (at, value) in rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.get(column)?))) {
        if let Some((_, with)) = found.iter_mut().find(|(known, _)| known == value) {
            with.insert(at);
        } else {
            found.push((value.clone(), Set::of(rows.len(), |row| row == at)));
        }
    }
    found
}

//! A list of rules in the order of the file, and a shorter way through it: those whose equalities a lead cannot meet are not
//! asked. Knows what conditions demand, and nothing of what a rule does.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
    ops::Deref,
};

use rustc_hash::{FxBuildHasher, FxHasher};

use super::condition::{Condition, Demand, Question, Subject};

/// Of fewer rules each is asked: that is quicker than to look for the right ones.
const FEW: usize = 16;
/// Of fewer rules that ask the same questions, too.
const FEW_ALIKE: usize = 8;
/// So many tables are looked into for a lead at most.
const MOST_TABLES: usize = 8;
/// A rule that names several texts for several questions is found by all of them where that takes no more rows than this.
const MOST_ROWS: usize = 64;

/// The rules of one list.
#[derive(Debug)]
pub(crate) struct RuleList<Rule> {
    rules: Vec<Rule>,
    tables: Vec<Table>,
    /// Numbers of the rules that no table has.
    others: Vec<u32>,
}

/// Rules that ask the same questions, by the answers they ask for.
#[derive(Debug)]
struct Table {
    questions: Vec<Question>,
    /// Numbers of the rules in their order, by the hash of the answers. That two answers may have one hash does no harm: a rule
    /// that is found is asked.
    rows: HashMap<u64, Vec<u32>, FxBuildHasher>,
}

impl Table {
    /// The rules that this lead's answers lead to.
    fn find(&self, subject: &Subject<'_>) -> &[u32] {
        let mut hasher = FxHasher::default();
        for question in &self.questions {
            let Some(text) = question.text(subject) else { return &[] };
            text.hash(&mut hasher);
        }
        self.rows.get(&hasher.finish()).map_or(&[], Vec::as_slice)
    }
}

impl<Rule> RuleList<Rule> {
    /// `condition` tells the condition of a rule, if it has one that can tell leads apart.
    pub(super) fn new(rules: Vec<Rule>, condition: impl Fn(&Rule) -> Option<&Condition>) -> Self {
        if rules.len() < FEW {
            return Self { rules, tables: Vec::new(), others: Vec::new() };
        }
        let demands = rules.iter().map(|rule| condition(rule).map(Condition::demands).unwrap_or_default());
        let (tables, others) = tables(&demands.collect::<Vec<_>>());
        Self { rules, tables, others }
    }

    /// Asks the rules about a lead, in their order: all that may hold, or `every` one.
    pub(crate) fn ask_each<'l>(&'l self, subject: &Subject<'_>, every: bool, mut ask: impl FnMut(&'l Rule)) {
        self.ask_until(subject, every, |rule| {
            ask(rule);
            false
        });
    }

    /// The same, up to the first one for which `ask` is true: that one.
    pub(crate) fn ask_until<'l>(&'l self, subject: &Subject<'_>, every: bool, mut ask: impl FnMut(&'l Rule) -> bool) -> Option<&'l Rule> {
        // Two loops, since one over either costs a lead as much as a few rules do.
        if every || self.tables.is_empty() {
            return self.rules.iter().find(|rule| ask(rule));
        }
        self.find(subject).filter_map(|number| self.rules.get(number as usize)).find(|rule| ask(rule))
    }

    fn find<'l>(&'l self, subject: &Subject<'_>) -> Found<'l> {
        let mut found = Found { lists: [&self.others; MOST_TABLES + 1], count: self.tables.len() + 1 };
        found.lists.iter_mut().skip(1).zip(&self.tables).for_each(|(list, table)| *list = table.find(subject));
        found
    }
}

impl<Rule> Deref for RuleList<Rule> {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.rules
    }
}

impl<'l, Rule> IntoIterator for &'l RuleList<Rule> {
    type Item = &'l Rule;
    type IntoIter = std::slice::Iter<'l, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.rules.iter()
    }
}

/// Numbers of rules, in order: those that no table has, and those that each table found. None is in two of the lists.
struct Found<'l> {
    lists: [&'l [u32]; MOST_TABLES + 1],
    /// How many of the lists there are.
    count: usize,
}

impl Iterator for Found<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let lists = self.lists.iter_mut().take(self.count);
        let list = lists.min_by_key(|list| list.first().copied().unwrap_or(u32::MAX))?;
        let (number, rest) = list.split_first()?;
        *list = rest;
        Some(*number)
    }
}

/// A way to find a rule: the questions, and the hash of each set of answers that would do.
struct Way<'d> {
    questions: Vec<&'d Demand<'d>>,
    rows: Vec<u64>,
}

/// Every way to find a rule that demands this: by each question alone, and by all together.
fn ways<'d>(demands: &'d [Demand<'d>]) -> Vec<Way<'d>> {
    let mut ways: Vec<Way<'d>> = demands.iter().map(|demand| Way::by(vec![demand])).collect();
    let rows = demands.iter().try_fold(1_usize, |rows, demand| rows.checked_mul(demand.texts.len()));
    if demands.len() > 1 && rows.is_some_and(|rows| rows <= MOST_ROWS) {
        let mut all: Vec<&Demand<'_>> = demands.iter().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        ways.push(Way::by(all));
    }
    ways
}

impl<'d> Way<'d> {
    fn by(questions: Vec<&'d Demand<'d>>) -> Self {
        let mut rows = vec![FxHasher::default()];
        for question in &questions {
            let with = |before: &FxHasher| {
                let before = before.clone();
                question.texts.iter().map(move |text| {
                    let mut row = before.clone();
                    text.hash(&mut row);
                    row
                })
            };
            rows = rows.iter().flat_map(with).collect();
        }
        let mut rows: Vec<u64> = rows.iter().map(Hasher::finish).collect();
        rows.sort_unstable();
        rows.dedup();
        Self { questions, rows }
    }

    /// Names the table it would need.
    fn table(&self) -> Vec<&'d str> {
        self.questions.iter().map(|question| question.name.as_str()).collect()
    }
}

/// A table while it is considered.
#[derive(Default)]
struct Draft {
    /// Rules that it could find.
    rules: usize,
    /// How many of them wait in each row.
    rows: HashMap<u64, usize, FxBuildHasher>,
}

/// Puts each rule into the table that tells it best from others; into none where there is no good one.
fn tables(demands: &[Vec<Demand<'_>>]) -> (Vec<Table>, Vec<u32>) {
    let ways: Vec<Vec<Way<'_>>> = demands.iter().map(|demands| ways(demands)).collect();
    let mut drafts: BTreeMap<Vec<&str>, Draft> = BTreeMap::new();
    for way in ways.iter().flatten() {
        let draft = drafts.entry(way.table()).or_default();
        draft.rules += 1;
        way.rows.iter().for_each(|row| *draft.rows.entry(*row).or_default() += 1);
    }
    drafts.retain(|_, draft| draft.rules >= FEW_ALIKE);
    // Those that most rules would choose.
    let mut chosen: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for way in ways.iter().filter_map(|ways| best(ways, &drafts)) {
        *chosen.entry(way.table()).or_default() += 1;
    }
    let mut kept: Vec<(Vec<&str>, usize)> = chosen.into_iter().collect();
    kept.sort_by_key(|(_, rules)| std::cmp::Reverse(*rules));
    kept.truncate(MOST_TABLES);
    drafts.retain(|name, _| kept.iter().any(|(kept, _)| kept == name));

    let mut tables: BTreeMap<Vec<&str>, Table> = BTreeMap::new();
    let mut others = Vec::new();
    for (number, ways) in (0..).zip(&ways) {
        let Some(way) = best(ways, &drafts) else {
            others.push(number);
            continue;
        };
        let table = tables.entry(way.table()).or_insert_with(|| {
            let questions = way.questions.iter().filter_map(|question| question.question());
            Table { questions: questions.collect(), rows: HashMap::default() }
        });
        way.rows.iter().for_each(|row| table.rows.entry(*row).or_default().push(number));
    }
    (tables.into_values().collect(), others)
}

/// The way in whose fullest row the fewest rules wait; of equal ones the first, which asks less.
fn best<'w, 'd>(ways: &'w [Way<'d>], drafts: &BTreeMap<Vec<&'d str>, Draft>) -> Option<&'w Way<'d>> {
    let fullest = |way: &Way<'d>| {
        let draft = drafts.get(&way.table())?;
        way.rows.iter().map(|row| draft.rows.get(row).copied().unwrap_or_default()).max().or(Some(0))
    };
    let open = ways.iter().filter_map(|way| Some((fullest(way)?, way)));
    open.min_by_key(|(waiting, _)| *waiting).map(|(_, way)| way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::{NoTrace, decide},
        rules::{Ruleset, condition::Sight, sample},
    };

    fn list(conditions: impl IntoIterator<Item = String>) -> RuleList<Condition> {
        let parsed = |text: String| Condition::parse(&text, Sight::Routed).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        RuleList::new(conditions.into_iter().map(parsed).collect(), |condition| Some(condition))
    }

    /// The numbers of the rules that are asked about the sample lead: of an unknown storefront, with business mail, from France.
    fn asked(list: &RuleList<Condition>, every: bool) -> Vec<usize> {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let facts = sample::facts();
        let decision = decide(&facts, &rules, &mut NoTrace);
        let (class, qualified) = (&decision.class, Some(&decision.qualified));
        let subject = Subject { facts: &facts, class, policy: &rules.policy, qualified, marketing_campaign: None };
        let mut asked = Vec::new();
        list.ask_each(&subject, every, |rule| asked.extend(list.iter().position(|other| std::ptr::eq(other, rule))));
        asked
    }

    /// Forty rules, of which only some can hold of a lead from France.
    fn by_country(rest: &str) -> Vec<String> {
        let countries = ["DE", "FR", "US", "JP"];
        (0..40).map(|number| format!("contact.country == \"{}\"{rest}", countries[number % 4])).collect()
    }

    #[test]
    fn a_rule_is_asked_where_its_equalities_are_met() {
        let met: Vec<usize> = (1..40).step_by(4).collect();
        assert_eq!(asked(&list(by_country("")), false), met);
        assert_eq!(asked(&list(by_country(" && has(note)")), false), met);
        // Two equalities tell more than each of them.
        let kinds = ["BUSINESS", "TENANT", "EDU"];
        let both = by_country("").into_iter().enumerate();
        let both = both.map(|(number, country)| format!("contact.email_kind == \"{}\" && {country}", kinds[number % 3]));
        assert_eq!(asked(&list(both), false), (9..40).step_by(12).collect::<Vec<_>>());
        assert_eq!(asked(&list(by_country("")), true), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_list_is_met_by_each_of_its_texts_and_names_its_rule_once() {
        let with = |condition: &str| {
            let mut all = by_country("");
            all[7] = condition.to_owned();
            asked(&list(all), false).contains(&7)
        };
        for met in [
            "contact.country in [\"DE\", \"FR\", \"FR\"]",
            "\"FR\" == contact.country",
            "contact.country == \"DE\" || contact.country in [\"FR\"]",
            "contact.country == \"DE\" || has(note)",
            "contact.country in [\"DE\", contact.country_raw]",
            "contact.country in [\"DE\", null]",
            "contact.country != \"DE\"",
            "!(contact.country == \"DE\")",
            "contact.country == contact.country_raw",
            "contact.country_raw == \"DE\"",
        ] {
            assert!(with(met), "{met}");
        }
        for missed in
            ["contact.country in []", "contact.country in [\"DE\", \"US\"]", "contact.country == \"DE\" || contact.country == \"US\""]
        {
            assert!(!with(missed), "{missed}");
        }
        let twice = list((0..20).map(|_| "contact.country in [\"FR\", \"FR\"]".to_owned()));
        assert_eq!(asked(&twice, false), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn rules_of_many_kinds_stay_in_their_order() {
        let fields = ["contact.country", "contact.region", "contact.email_kind", "offer_id", "account.tier", "attribution[\"x\"]"];
        let kinds = (0..300).map(|number| match number % 8 {
            6 => "reachable".to_owned(),
            7 => "has(contact.email) && contact.region == \"EMEA\" && contact.country == \"FR\"".to_owned(),
            kind => format!("{} == \"{}\"", fields[kind], ["FR", "EMEA", "BUSINESS", "x", "y", "z"][kind]),
        });
        let met: Vec<usize> = (0..300).filter(|number| matches!(number % 8, 0..=2 | 6 | 7)).collect();
        assert_eq!(asked(&list(kinds), false), met);
    }

    #[test]
    fn no_more_tables_are_looked_into_than_there_may_be() {
        let kinds = (0..400).map(|number| format!("account.column_{} == \"x\"", number % 20));
        let list = list(kinds);
        assert_eq!(list.tables.len(), MOST_TABLES);
        // The lead has no account: what is asked is what no table has.
        assert_eq!((asked(&list, false).len(), list.others.len()), (240, 240));
    }
}

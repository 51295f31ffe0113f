//! Whether formulas can hold together: a search over the rows of the variables they ask for, with a bound on its steps. Laws, and
//! what else must hold, are taken in one by one, when what was found breaks them.

use std::collections::BTreeMap;

use super::{
    Space,
    formula::{Asked, AskedOfText, Formula},
    set::Set,
    unlisted::{self, Feature},
};

/// What came of the question whether formulas can hold together.
#[derive(Debug)]
pub(in crate::rules) enum Answer {
    /// Of no lead; and which of what must hold besides was needed to know it.
    Impossible(Vec<usize>),
    /// Of some, such as this one, as far as is known.
    Possible(Model),
    /// Not found out.
    Unknown,
}

/// A row of each variable, and the features of the texts that no condition names.
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Model {
    /// Of what was asked for.
    pub(super) rows: BTreeMap<usize, usize>,
    pub(super) features: Vec<(usize, usize, bool)>,
}

/// Steps of one search.
const STEPS: usize = 20_000;
/// Steps of all searches and parts of formulas held against what they found: about a second.
pub(super) const EFFORT: usize = 32_000_000;
/// What one step of a search takes, beside a part of a formula that is held against a model.
const STEP: usize = 8;
/// So often what was found is held against laws and the rest.
const ROUNDS: usize = 60;
/// So many are taken in at once.
const AT_ONCE: usize = 4;

/// What is left of each variable.
#[derive(Clone, Default)]
pub(super) struct Left {
    pub(super) rows: BTreeMap<usize, Set>,
    features: Vec<(usize, usize, bool)>,
}

impl Left {
    /// What it takes to copy it.
    fn size(&self) -> usize {
        self.rows.values().map(|rows| 4 + rows.size() / 64).sum::<usize>() + self.features.len()
    }
}

impl Space<'_> {
    /// Whether all of `needs` and of `besides` can hold together of a lead; with `decided` of one that has been judged.
    pub(in crate::rules) fn can_hold(&self, needs: &[&Formula], besides: &[&Formula], decided: bool) -> Answer {
        let of_the_decision: &[Formula] = if decided { &self.laws.of_the_decision } else { &[] };
        if self.effort.get() == 0 {
            return Answer::Unknown;
        }
        let laws: Vec<&Formula> = self.laws.of_the_lead.iter().chain(of_the_decision).collect();
        let (mut used_laws, mut used): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let together = needs.iter().copied();
            let together = together.chain(used_laws.iter().filter_map(|at| laws.get(*at).copied()));
            let together: Vec<&Formula> = together.chain(used.iter().filter_map(|at| besides.get(*at).copied())).collect();
            let mut steps = STEPS;
            let found = self.search(together, Vec::new(), Left::default(), &mut steps);
            // A step of a search looks at every choice that is left.
            self.spend((STEPS - steps) * STEP + laws.len() + besides.len());
            let left = match found {
                Some(left) => left,
                None if steps == 0 => return Answer::Unknown,
                None => return Answer::Impossible(used),
            };
            self.spend(2 * left.size());
            let model = self.model(&left);
            let broken = |all: &[&Formula], used: &[usize]| -> Vec<usize> {
                let open = all.iter().enumerate().filter(|(at, _)| !used.contains(at));
                open.filter(|(_, formula)| !self.holds(formula, &model)).map(|(at, _)| at).take(AT_ONCE).collect()
            };
            let (laws_broken, besides_broken) = (broken(&laws, &used_laws), broken(besides, &used));
            if laws_broken.is_empty() && besides_broken.is_empty() {
                return Answer::Possible(model);
            }
            used_laws.extend(laws_broken);
            used.extend(besides_broken);
        }
        Answer::Unknown
    }

    pub(super) fn spend(&self, steps: usize) {
        self.effort.set(self.effort.get().saturating_sub(steps));
    }

    /// Whether something was left unanswered as it would have taken too long.
    pub(in crate::rules) fn is_exhausted(&self) -> bool {
        self.effort.get() == 0
    }

    /// Whether it holds of the model.
    pub(in crate::rules) fn holds(&self, formula: &Formula, model: &Model) -> bool {
        self.spend(1);
        match formula {
            Formula::Always | Formula::Maybe => true,
            Formula::Never => false,
            Formula::Is(Asked { variable, rows }) => rows.contains(self.row(*variable, model)),
            Formula::Text(AskedOfText { variable, rows, feature, has }) => {
                let row = self.row(*variable, model);
                if self.variables.get(*variable).and_then(|variable| variable.unlisted) != Some(row) {
                    return rows.contains(row);
                }
                self.spend(model.features.len() / 4);
                // What does not follow from the features it has, it lacks.
                let with_lack = [&model.features[..], &[(*variable, *feature, false)]].concat();
                self.exclude_each_other(*variable, &with_lack) == *has
            }
            Formula::All(parts) => parts.iter().all(|part| self.holds(part, model)),
            Formula::Any(parts) => parts.iter().any(|part| self.holds(part, model)),
        }
    }

    pub(super) fn row(&self, variable: usize, model: &Model) -> usize {
        let usual = || self.variables.get(variable).map_or(0, |variable| variable.usual);
        model.rows.get(&variable).copied().unwrap_or_else(usual)
    }

    fn model(&self, left: &Left) -> Model {
        let mut model = Model { rows: BTreeMap::new(), features: left.features.clone() };
        for (at, rows) in &left.rows {
            let usual = self.variables.get(*at).map_or(0, |variable| variable.usual);
            let row = if rows.contains(usual) { Some(usual) } else { rows.iter().next() };
            model.rows.extend(row.map(|row| (*at, row)));
        }
        model
    }

    /// What is left of each variable where all that is open holds, and one of each of the choices; nothing, where they cannot, or
    /// no step is left.
    fn search<'f>(&self, mut open: Vec<&'f Formula>, mut choices: Vec<&'f [Formula]>, mut left: Left, steps: &mut usize) -> Option<Left> {
        loop {
            while let Some(formula) = open.pop() {
                *steps = steps.checked_sub(1)?;
                match formula {
                    Formula::Always | Formula::Maybe => {}
                    Formula::Never => return None,
                    Formula::All(parts) => open.extend(parts),
                    Formula::Any(parts) => choices.push(parts),
                    Formula::Is(asked) => take(asked, &mut left)?,
                    Formula::Text(asked) => self.take_text(asked, &mut left)?,
                }
            }
            let mut narrowest: Option<(usize, usize)> = None;
            let mut undecided: Vec<&'f [Formula]> = Vec::new();
            for parts in std::mem::take(&mut choices) {
                *steps = steps.checked_sub(1)?;
                if parts.iter().any(|part| is_settled(part, &left)) {
                    continue;
                }
                let mut possible = parts.iter().filter(|part| self.is_open(part, &left));
                let first = possible.next()?;
                let others = possible.count();
                if others == 0 {
                    open.push(first);
                } else {
                    if narrowest.is_none_or(|(_, least)| others < least) {
                        narrowest = Some((undecided.len(), others));
                    }
                    undecided.push(parts);
                }
            }
            if !open.is_empty() {
                choices = undecided;
                continue;
            }
            let Some((at, _)) = narrowest else { return self.with_a_score(left).filter(|left| self.has_days(left)) };
            for part in undecided.swap_remove(at).iter().filter(|part| self.is_open(part, &left)) {
                // What is handed on takes its time, too.
                *steps = steps.saturating_sub(undecided.len() / 16);
                self.spend(left.size());
                if let Some(found) = self.search(vec![part], undecided.clone(), left.clone(), steps) {
                    return Some(found);
                }
            }
            return None;
        }
    }

    /// Leaves of a text what is asked for.
    fn take_text(&self, asked: &AskedOfText, left: &mut Left) -> Option<()> {
        let AskedOfText { variable, rows: listed, feature, has } = asked;
        let unlisted = self.variables.get(*variable).and_then(|variable| variable.unlisted);
        left.features.push((*variable, *feature, *has));
        // Each is held against each.
        self.spend(left.features.len() * left.features.len() / 8 + listed.size() / 64);
        let excluded = self.exclude_each_other(*variable, &left.features);
        let rows = left.rows.entry(*variable).or_insert_with(|| Set::all(listed.size()));
        let mut allowed = listed.clone();
        if let Some(unlisted) = unlisted {
            allowed.put(unlisted, !excluded);
        }
        rows.narrow(&allowed);
        (!rows.is_empty()).then_some(())
    }

    /// Whether a text of this variable that no condition names cannot have these features and lack those.
    fn exclude_each_other(&self, variable: usize, features: &[(usize, usize, bool)]) -> bool {
        unlisted::exclude_each_other(&self.features(variable, features))
    }

    /// The features of this variable among all.
    pub(super) fn features(&self, variable: usize, all: &[(usize, usize, bool)]) -> Vec<(&Feature, bool)> {
        let known = self.variables.get(variable).map_or(&[][..], |variable| &variable.features);
        all.iter().filter(|(of, ..)| *of == variable).filter_map(|(_, feature, has)| Some((known.get(*feature)?, *has))).collect()
    }

    /// Whether it could hold, at a glance.
    fn is_open(&self, part: &Formula, left: &Left) -> bool {
        match part {
            Formula::Never => false,
            Formula::Is(asked) => left.rows.get(&asked.variable).is_none_or(|rows| rows.meets(&asked.rows)),
            Formula::Text(asked) => left.rows.get(&asked.variable).is_none_or(|rows| {
                let unlisted = self.variables.get(asked.variable).and_then(|variable| variable.unlisted);
                unlisted.is_some_and(|unlisted| rows.contains(unlisted)) || rows.meets(&asked.rows)
            }),
            _ => true,
        }
    }
}

/// Leaves of a variable what is asked for.
fn take(asked: &Asked, left: &mut Left) -> Option<()> {
    let rows = left.rows.entry(asked.variable).or_insert_with(|| Set::all(asked.rows.size()));
    rows.narrow(&asked.rows);
    (!rows.is_empty()).then_some(())
}

/// Whether it holds whatever is chosen of what is left.
fn is_settled(part: &Formula, left: &Left) -> bool {
    match part {
        Formula::Always | Formula::Maybe => true,
        Formula::Is(asked) => left.rows.get(&asked.variable).is_some_and(|rows| rows.lies_in(&asked.rows)),
        _ => false,
    }
}

//! Between what bounds the score can lie: for each variable the points its rows bring at most and at least. An estimate that is never
//! too narrow: of a rule that asks for more than one variable, only one counts.

use super::{
    Answer, Model, Space,
    formula::{Asked, AskedOfText, Formula},
    set::Set,
};
use crate::lead::Part;

/// Bounds of the three sums.
#[derive(Debug, Default)]
pub(super) struct Points {
    total: Bounds,
    fit: Bounds,
    intent: Bounds,
}

/// The most and the least a sum can be.
#[derive(Debug, Default)]
struct Bounds {
    /// Points of rules of which it is not known of what they hang.
    most: i64,
    least: i64,
    /// By variable: the most and the least that each of its rows brings.
    by_row: Vec<(usize, Vec<(i64, i64)>)>,
}

impl Points {
    pub(super) fn of(space: &Space<'_>) -> Self {
        let mut points = Self::default();
        for rule in &space.rules.scoring.rules {
            let holds = space.score_rule(rule);
            points.total.add(&holds, rule.points, space);
            match rule.part {
                Part::Fit => points.fit.add(&holds, rule.points, space),
                Part::Intent => points.intent.add(&holds, rule.points, space),
            }
        }
        points
    }

    /// The least and the most of the sum of this name, where variables have the rows that `rows` tells.
    pub(super) fn bounds<'s>(&self, name: &str, rows: &impl Fn(usize) -> Option<&'s Set>) -> Option<(i64, i64)> {
        let bounds = match name {
            "score.total" => &self.total,
            "score.fit" => &self.fit,
            "score.intent" => &self.intent,
            _ => return None,
        };
        let (mut least, mut most) = (bounds.least, bounds.most);
        for (variable, by_row) in &bounds.by_row {
            let allowed = rows(*variable);
            let (mut worst, mut best) = (i64::MAX, i64::MIN);
            let mut take = |(least, most): &(i64, i64)| (worst, best) = (worst.min(*least), best.max(*most));
            match allowed {
                Some(allowed) => allowed.iter().filter_map(|row| by_row.get(row)).for_each(&mut take),
                None => by_row.iter().for_each(&mut take),
            }
            least = least.saturating_add(if worst > best { 0 } else { worst });
            most = most.saturating_add(if worst > best { 0 } else { best });
        }
        Some((least, most))
    }

    /// What it takes to tell the bounds.
    pub(super) fn size(&self) -> usize {
        let rows = |bounds: &Bounds| bounds.by_row.iter().map(|(_, rows)| 1 + rows.len() / 8).sum::<usize>();
        [&self.total, &self.fit, &self.intent].into_iter().map(rows).sum()
    }

    /// The rows of a variable that bring the most points to the total.
    pub(super) fn best_row(&self, variable: usize, allowed: Option<&Set>) -> Option<usize> {
        let (_, by_row) = self.total.by_row.iter().find(|(known, _)| *known == variable)?;
        let open = by_row.iter().enumerate().filter(|(row, _)| allowed.is_none_or(|allowed| allowed.contains(*row)));
        // Of several the first.
        open.rev().max_by_key(|(_, (_, most))| *most).map(|(row, _)| row)
    }

    /// The variables of which points hang.
    pub(super) fn variables(&self) -> impl Iterator<Item = usize> {
        self.total.by_row.iter().map(|(variable, _)| *variable)
    }
}

impl Bounds {
    fn add(&mut self, holds: &Formula, points: i64, space: &Space<'_>) {
        let (may, must) = match holds {
            Formula::Never => return,
            Formula::Always => {
                self.most = self.most.saturating_add(points);
                self.least = self.least.saturating_add(points);
                return;
            }
            Formula::Is(Asked { variable, rows }) => (Some((*variable, rows.clone())), Some(rows.clone())),
            Formula::All(parts) => (parts.iter().find_map(|part| necessary(part, space)), None),
            other => (necessary(other, space), None),
        };
        let Some((variable, may)) = may else {
            self.most = self.most.saturating_add(points.max(0));
            self.least = self.least.saturating_add(points.min(0));
            return;
        };
        let size = may.size();
        let at = self.by_row.iter().position(|(known, _)| *known == variable).unwrap_or_else(|| {
            self.by_row.push((variable, vec![(0, 0); size]));
            self.by_row.len() - 1
        });
        let rows = self.by_row.get_mut(at).into_iter().flat_map(|(_, rows)| rows.iter_mut().enumerate());
        for (row, (least, most)) in rows.filter(|(row, _)| may.contains(*row)) {
            let certain = must.as_ref().is_some_and(|must| must.contains(row));
            *most = most.saturating_add(if certain { points } else { points.max(0) });
            *least = least.saturating_add(if certain { points } else { points.min(0) });
        }
    }
}

/// Rows of one variable without which it does not hold.
fn necessary(part: &Formula, space: &Space<'_>) -> Option<(usize, Set)> {
    match part {
        Formula::Is(Asked { variable, rows }) => Some((*variable, rows.clone())),
        Formula::Text(AskedOfText { variable, rows, .. }) => {
            let unlisted = space.variables.get(*variable)?.unlisted;
            Some((*variable, Set::of(rows.size(), |row| Some(row) == unlisted || rows.contains(row))))
        }
        _ => None,
    }
}

impl Space<'_> {
    /// The most that the total can be for leads of which this holds, or a little more.
    pub(in crate::rules) fn most_points(&self, of: &Formula) -> Option<i64> {
        let rows = rows_of(of);
        self.points
            .bounds("score.total", &|variable| rows.iter().find(|(known, _)| *known == variable).map(|(_, rows)| rows))
            .map(|(_, most)| most)
    }

    /// A lead of which this holds, each of whose rows brings as many points as it can.
    pub(in crate::rules) fn with_most_points(&self, of: &Formula) -> Option<Model> {
        let mut needs = vec![of.clone()];
        let only = |variable: usize, row: usize| {
            let size = self.variables.get(variable).map_or(0, |variable| variable.rows.len());
            Formula::is(variable, Set::of(size, |other| other == row))
        };
        let allowed = rows_of(of);
        let mut found = None;
        for variable in self.points.variables() {
            let within = allowed.iter().find(|(known, _)| *known == variable).map(|(_, rows)| rows);
            let Some(row) = self.points.best_row(variable, within) else { continue };
            needs.push(only(variable, row));
            match self.can_hold(&needs.iter().collect::<Vec<_>>(), &[], false) {
                Answer::Possible(model) => found = Some(model),
                _ => _ = needs.pop(),
            }
        }
        found.or_else(|| match self.can_hold(&[of], &[], false) {
            Answer::Possible(model) => Some(model),
            _ => None,
        })
    }
}

/// The rows that a formula of sets leaves of its variables.
fn rows_of(formula: &Formula) -> Vec<(usize, Set)> {
    match formula {
        Formula::Is(Asked { variable, rows }) => vec![(*variable, rows.clone())],
        Formula::All(parts) => parts.iter().flat_map(rows_of).collect(),
        _ => Vec::new(),
    }
}

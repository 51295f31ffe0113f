//! What the sums of the score leave of each other: the total is fit and intent together, and none is more than its rules bring.
//! Knows rows and ranges; what the rules bring, `points` knows.

use super::{Model, Space, draft::Draft, search::Left, set::Set, values::Known};

const SUMS: [&str; 3] = ["score.total", "score.fit", "score.intent"];

/// Whole numbers, both ends among them.
#[derive(Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
}

impl Range {
    /// Wider than any sum can be.
    const ALL: Self = Self { least: -(1 << 50), most: 1 << 50 };

    fn within(self, other: Self) -> Option<Self> {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        (both.least <= both.most).then_some(both)
    }

    fn plus(self, other: Self) -> Self {
        Self { least: self.least + other.least, most: self.most + other.most }
    }

    fn minus(self, other: Self) -> Self {
        Self { least: self.least - other.most, most: self.most - other.least }
    }
}

impl Space<'_> {
    /// Leaves of the sums what the points can come to.
    pub(super) fn with_a_score(&self, mut left: Left) -> Option<Left> {
        let [total, fit, intent] = SUMS.map(|name| self.columns.get(name).is_some_and(|(at, _)| left.rows.contains_key(at)));
        // What only one half asks for hangs together with the other; the total alone hangs on its own points.
        let known = if fit || intent { 3 } else { usize::from(total) };
        let mut sums = [Range::ALL; 3];
        for (sum, name) in sums.iter_mut().zip(SUMS).take(known) {
            let (least, most) = self.points.bounds(name, &|variable| left.rows.get(&variable)).unwrap_or((i64::MIN, i64::MAX));
            *sum = sum.within(Range { least, most })?.within(self.asked(name, |at| left.rows.get(&at).cloned()))?;
        }
        self.spend(self.points.size() * known / 3);
        let [total, fit, intent] = sums;
        let total = total.within(fit.plus(intent))?;
        let fit = fit.within(total.minus(intent))?;
        let intent = intent.within(total.minus(fit))?;
        for (sum, name) in [total, fit, intent].into_iter().zip(SUMS) {
            let Some((at, column)) = self.columns.get(name) else { continue };
            let Some(rows) = left.rows.get_mut(at) else { continue };
            rows.narrow(&Set::of(rows.size(), |row| self.of_row((*at, *column), row).within(sum).is_some()));
            if rows.is_empty() {
                return None;
            }
        }
        Some(left)
    }

    /// Gives the lead sums that add up, as near as can be to those that were chosen one by one.
    pub(super) fn add_up(&self, draft: &mut Draft<'_>, model: &Model) {
        let asked = SUMS
            .map(|name| self.asked(name, |at| Some(Set::of(self.variables.get(at)?.rows.len(), |row| model.rows.get(&at) == Some(&row)))));
        let [total, fit, intent] = asked;
        let near_fit = match draft.halves {
            [Some(fit), _] => fit,
            [None, Some(intent)] => draft.total - intent,
            [None, None] => draft.total,
        };
        let Some(fits) = fit.within(total.minus(intent)) else { return };
        let fit = near_fit.clamp(fits.least, fits.most);
        let Some(totals) = total.within(Range { least: fit, most: fit }.plus(intent)) else { return };
        draft.total = draft.total.clamp(totals.least, totals.most);
        draft.halves = [Some(fit), Some(draft.total - fit)];
    }

    /// What a sum can be by the rows that it has; all, where it has none.
    fn asked(&self, name: &str, rows: impl Fn(usize) -> Option<Set>) -> Range {
        let Some(of) = self.columns.get(name).copied() else { return Range::ALL };
        let Some(rows) = rows(of.0) else { return Range::ALL };
        let mut ranges = rows.iter().map(|row| self.of_row(of, row));
        let Some(first) = ranges.next() else { return Range::ALL };
        ranges.fold(first, |all, one| Range { least: all.least.min(one.least), most: all.most.max(one.most) })
    }

    /// What a row stands for: all sums up to its neighbours, for rows are in order.
    fn of_row(&self, (variable, column): (usize, usize), row: usize) -> Range {
        let sum = |row: usize| self.variables.get(variable)?.value(row, column).and_then(Known::rank);
        let least = row.checked_sub(1).and_then(sum).map_or(Range::ALL.least, |below| below.saturating_add(1));
        let most = sum(row + 1).map_or(Range::ALL.most, |above| above.saturating_sub(1));
        Range { least: least.max(Range::ALL.least), most: most.min(Range::ALL.most) }
    }
}

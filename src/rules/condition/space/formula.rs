//! A condition as a formula over the variables of the space: which rows of each it lets pass. Small by construction: what is asked
//! of one variable is one set. Knows no tree and no lead.

use std::collections::BTreeMap;

use super::set::Set;

/// What holds of a lead, in terms of the rows its variables have.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) enum Formula {
    /// Of every lead.
    Always,
    /// Of none.
    Never,
    /// Of some, and it is not known of which.
    Maybe,
    /// Of those in one of whose rows the variable is.
    Is(Asked),
    /// The same of a text, where texts that no condition names are told apart by a feature.
    Text(AskedOfText),
    /// Of those of which all hold.
    All(Vec<Formula>),
    /// Of those of which one holds.
    Any(Vec<Formula>),
}

/// A variable and rows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) struct Asked {
    pub(super) variable: usize,
    pub(super) rows: Set,
}

/// A variable that is a text and the rows with a text that is known; one that is not, by whether it has the feature.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) struct AskedOfText {
    pub(super) variable: usize,
    pub(super) rows: Set,
    pub(super) feature: usize,
    pub(super) has: bool,
}

impl Formula {
    pub(super) fn is(variable: usize, rows: Set) -> Self {
        if rows.is_empty() {
            Self::Never
        } else if rows.is_all() {
            Self::Always
        } else {
            Self::Is(Asked { variable, rows })
        }
    }

    pub(super) fn of(truth: bool) -> Self {
        if truth { Self::Always } else { Self::Never }
    }

    /// That all of them hold.
    pub(in crate::rules) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut sets: BTreeMap<usize, Set> = BTreeMap::new();
        let mut others: Vec<Self> = Vec::new();
        let mut open: Vec<Self> = parts.into_iter().collect();
        open.reverse();
        while let Some(part) = open.pop() {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::Is(Asked { variable, rows }) => match sets.get_mut(&variable) {
                    Some(set) => set.narrow(&rows),
                    None => _ = sets.insert(variable, rows),
                },
                Self::All(inner) => open.extend(inner.into_iter().rev()),
                other => others.extend((!others.contains(&other)).then_some(other)),
            }
        }
        let mut parts = Vec::with_capacity(sets.len() + others.len());
        for (variable, rows) in sets {
            match Self::is(variable, rows) {
                Self::Never => return Self::Never,
                Self::Always => {}
                is => parts.push(is),
            }
        }
        parts.append(&mut others);
        match parts.len() {
            0 => Self::Always,
            1 => parts.pop().unwrap_or(Self::Always),
            _ => Self::All(parts),
        }
    }

    /// That one of them holds.
    pub(in crate::rules) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::not)).not()
    }

    /// That it does not hold.
    pub(in crate::rules) fn not(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Maybe => Self::Maybe,
            Self::Is(Asked { variable, rows }) => Self::Is(Asked { variable, rows: rows.turned() }),
            Self::Text(AskedOfText { variable, rows, feature, has }) => {
                Self::Text(AskedOfText { variable, rows: rows.turned(), feature, has: !has })
            }
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::not).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::not).collect()),
        }
    }

    /// Whether it is known throughout of which leads it holds: only then is what is written alike the same.
    pub(in crate::rules) fn is_certain(&self) -> bool {
        match self {
            Self::Maybe => false,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_certain),
            _ => true,
        }
    }

    /// How large it is.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
            _ => 1,
        }
    }
}

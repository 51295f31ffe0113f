//! Entries that others name and that are not there: why not, so that each is told once, where it can be mended. Knows names and
//! places; what an entry is for is read elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::lead::fold;

/// What is known of entries that are not there.
#[derive(Default)]
pub(super) struct Absent {
    /// Entries of tables that stand under a misspelt name, with the name that was meant.
    misplaced: BTreeSet<(&'static str, String)>,
    /// Tables that are told to be none: what was meant to stand in them is not known.
    unread: BTreeSet<String>,
    /// What `remove` names, by kind and name.
    removed: BTreeMap<(&'static str, String), Removed>,
}

/// An element of `remove`.
pub(super) struct Removed {
    /// The byte it is written at.
    pub(super) at: usize,
    /// What is inherited and still names it.
    pub(super) named_by: Vec<String>,
}

impl Absent {
    pub(super) fn stands_elsewhere(&mut self, table: &'static str, name: &str) {
        self.misplaced.insert((table, name.to_owned()));
    }

    /// Whether the table was taken for one until now.
    pub(super) fn is_no_table(&mut self, table: &str) -> bool {
        self.unread.insert(table.to_owned())
    }

    pub(super) fn is_removed(&mut self, kind: &'static str, name: &str, at: usize) {
        self.removed.insert((kind, as_compared(kind, name)), Removed { at, named_by: Vec::new() });
    }

    /// Whether it is told already why there is no such entry.
    pub(super) fn is_told(&self, table: &'static str, name: &str) -> bool {
        self.unread.contains(table) || self.misplaced.contains(&(table, name.to_owned()))
    }

    pub(super) fn removed(&mut self, table: &'static str, name: &str) -> Option<&mut Removed> {
        self.removed.get_mut(&(table, as_compared(table, name)))
    }

    /// What was taken out and is still named by what is inherited, as it is written in `remove`.
    pub(super) fn still_named(self) -> impl Iterator<Item = (String, Removed)> {
        let named = self.removed.into_iter().filter(|(_, removed)| !removed.named_by.is_empty());
        named.map(|((kind, name), removed)| (format!("{kind}.{name}"), removed))
    }
}

fn as_compared(kind: &str, name: &str) -> String {
    if matches!(kind, "source" | "action") { fold(name).into_owned() } else { name.to_owned() }
}

/// Names some of them.
pub(super) fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let (shown, more) = names.split_at(names.len().min(SHOWN));
    match shown.split_last() {
        _ if !more.is_empty() => format!("{} and {} more", shown.join(", "), more.len()),
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}

//! What the tests of a ruleset have not tried: entries that decided nothing in any of them, and parts of conditions that were never
//! true or never false. Counts the entries of the ruleset's own file; what it extends has tests of its own.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{
    lead::fold,
    problem::Problem,
    rules::{Of, RulesetFile, Weighed, files::Texts},
};

/// How far the tests went.
#[derive(Debug, Default)]
pub struct Coverage {
    /// By name, as `remove` names entries.
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Where it stands: a problem without words.
    place: Problem,
    decided: bool,
    asked: bool,
    held: bool,
    /// What has to hold together.
    branches: Vec<Branches>,
}

/// The parts of a condition, by how they came out.
#[derive(Debug)]
struct Branches {
    when: String,
    was_true: bool,
    was_false: bool,
    /// Whether a lead can make a difference, and nothing smaller does.
    counts: bool,
    parts: Vec<Branches>,
}

/// Something no test tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// `gate.country` and the like.
    pub entry: String,
    /// What no test does.
    pub missing: String,
    /// Where the entry stands: a problem without words.
    pub place: Problem,
}

/// How much there is, and how much of it was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Entries that decided something in a test.
    pub entries: usize,
    /// All entries.
    pub of_entries: usize,
    /// Outcomes of conditions' smallest parts that were seen.
    pub branches: usize,
    /// All of them: two a part.
    pub of_branches: usize,
}

impl Coverage {
    /// Nothing tried yet, of what stands in this file.
    #[must_use]
    pub fn of(file: &RulesetFile) -> Self {
        let files = std::slice::from_ref(file);
        let texts = Texts::new(files);
        // A file that is no TOML is no ruleset: nobody gets here with one.
        let Ok(root) = DeTable::parse(file.written()) else { return Self::default() };
        let root = root.get_ref();
        let mut entries = BTreeMap::new();
        let mut add = |name: String, offset: usize| {
            let place = texts.place(offset, Problem::error("", ""));
            entries.insert(name, Entry { place, decided: false, asked: false, held: false, branches: Vec::new() });
        };
        let score = root.get("score").and_then(|score| score.get_ref().get("rule"));
        for (kind, list) in [("gate", root.get("gate")), ("score", score), ("campaign", root.get("campaign")), ("route", root.get("route"))]
        {
            for entry in list.and_then(|list| list.get_ref().as_array()).into_iter().flatten() {
                let id = entry.get_ref().get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default();
                add(format!("{kind}.{id}"), entry.span().start);
            }
        }
        for kind in ["source", "action", "offer_type", "storefront"] {
            let rows = root.get(kind).and_then(|rows| rows.get_ref().as_table());
            for (key, row) in rows.into_iter().flatten() {
                add(name(kind, key.get_ref()), key.span().start);
                for destination in row.get_ref().get("follow_up").and_then(|list| list.get_ref().as_array()).into_iter().flatten() {
                    if let DeValue::String(destination_name) = destination.get_ref() {
                        add(format!("route.follow_up.{}.{destination_name}", key.get_ref()), destination.span().start);
                    }
                }
            }
        }
        Self { entries }
    }

    /// An entry decided something: a rule held, a route won its destination, a row was looked up.
    pub fn decided(&mut self, kind: &str, id: &str) {
        if let Some(entry) = self.entries.get_mut(&name(kind, id)) {
            entry.decided = true;
        }
    }

    /// A condition was asked.
    pub fn asked(&mut self, kind: &str, id: &str, weighed: &Weighed) {
        if let Some(entry) = self.entries.get_mut(&name(kind, id)) {
            entry.asked = true;
            entry.held |= weighed.held;
            let whole = std::slice::from_ref(weighed);
            Branches::add_all(&mut entry.branches, if weighed.of == Of::All { &weighed.parts } else { whole });
        }
    }

    /// Everything that was not tried, from top to bottom of the file.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (name, entry) in &self.entries {
            let mut tell = |missing: String| gaps.push(Gap { entry: name.clone(), missing, place: entry.place.clone() });
            if entry.held || entry.decided {
                if !entry.decided {
                    tell("it holds, but an earlier one takes its destination each time".to_owned());
                }
                entry.branches.iter().for_each(|branches| branches.gaps(&mut tell));
                continue;
            }
            // What has never held has its parts told by that.
            tell(match name.split('.').next() {
                Some("source" | "action" | "offer_type" | "storefront") => "no test has a lead of this kind".to_owned(),
                Some("route" | "campaign") if !entry.asked => "no test comes as far as this".to_owned(),
                _ => "no test in which it holds".to_owned(),
            });
        }
        gaps.sort_by_key(|gap| (gap.place.line, gap.place.column));
        gaps
    }

    /// The same in numbers.
    #[must_use]
    pub fn tried(&self) -> Tried {
        let mut tried = Tried { of_entries: self.entries.len(), ..Tried::default() };
        for entry in self.entries.values() {
            tried.entries += usize::from(entry.decided);
            entry.branches.iter().for_each(|branches| branches.count(&mut tried));
        }
        tried
    }
}

fn name(kind: &str, id: &str) -> String {
    match kind {
        "source" | "action" => format!("{kind}.{}", fold(id)),
        _ => format!("{kind}.{id}"),
    }
}

impl Branches {
    fn of(weighed: &Weighed) -> Self {
        Self {
            when: weighed.when.clone(),
            was_true: weighed.held,
            was_false: !weighed.held,
            counts: weighed.of == Of::Fields,
            parts: weighed.parts.iter().map(Self::of).collect(),
        }
    }

    fn add(&mut self, weighed: &Weighed) {
        self.was_true |= weighed.held;
        self.was_false |= !weighed.held;
        Self::add_all(&mut self.parts, &weighed.parts);
    }

    fn add_all(known: &mut Vec<Self>, parts: &[Weighed]) {
        for part in parts {
            match known.iter_mut().find(|known| known.when == part.when) {
                Some(known) => known.add(part),
                // Such as the verdict a route asks for, which is a part only where it is not met.
                None => known.push(Self::of(part)),
            }
        }
    }

    fn gaps(&self, tell: &mut impl FnMut(String)) {
        if self.counts && !self.was_true {
            tell(format!("no test in which {} is true", self.when));
        }
        if self.counts && !self.was_false {
            tell(format!("no test in which {} is false", self.when));
        }
        self.parts.iter().for_each(|part| part.gaps(tell));
    }

    fn count(&self, tried: &mut Tried) {
        if self.counts {
            tried.of_branches += 2;
            tried.branches += usize::from(self.was_true) + usize::from(self.was_false);
        }
        self.parts.iter().for_each(|part| part.count(tried));
    }
}

//! Two rulesets, each merged with what it extends, entry by entry and key by key: what only one has, what has another value,
//! what stands elsewhere. How a file is written makes no difference. Tells it as data; the words are in `run::ruleset_diff`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Ruleset,
    condition::{Condition, Sight},
    files::{RulesetFile, Texts},
    keys::{self, Key, Kind},
    merge,
    reading::{Reader, duration, json_of},
};
use crate::{
    lead::{Timestamp, fold},
    problem::Problem,
};

/// What two rulesets are called, and in what they differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The first.
    pub before: RulesetIdentity,
    /// The second.
    pub after: RulesetIdentity,
    /// In the order in which a ruleset is shown.
    pub changes: Vec<Change>,
}

/// What stands on every event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulesetIdentity {
    /// `[ruleset] name`.
    pub name: String,
    /// `[ruleset] version`.
    pub version: String,
    /// See [`Ruleset::hash`].
    pub hash: String,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The table or list as it stands in brackets: `gate`, `score.rule`, `clock`, `policy`.
    pub table: String,
    /// Id or name of the entry; empty where there is but one.
    pub id: String,
    /// What happened to it.
    #[serde(flatten)]
    pub what: What,
}

/// What happened to an entry, or to a key of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// The second alone has it.
    Added {
        /// The entry.
        after: Value,
        /// The next entry that both have, where the order matters.
        stands_before: Option<String>,
    },
    /// The first alone has it.
    Removed {
        /// The entry.
        before: Value,
    },
    /// A key has another value.
    Changed {
        /// With dots where it stands in a table of its own: `grades.A`.
        key: String,
        /// Null where it is left out.
        before: Value,
        /// Null where it is left out.
        after: Value,
    },
    /// It stands elsewhere in its list.
    Moved {
        /// The next entry that both have and that did not move; nothing at the end.
        stands_before: Option<String>,
    },
}

impl Ruleset {
    /// In what the ruleset of the files `after` differs from that of `before`, outermost files first.
    ///
    /// # Errors
    /// As [`Ruleset::merge`], of both: only rulesets that can be used are compared.
    pub fn diff(before: &[RulesetFile], after: &[RulesetFile]) -> Result<Difference, Vec<Problem>> {
        let (before, after) = match (read(before), read(after)) {
            (Ok(before), Ok(after)) => (before, after),
            (before, after) => return Err([before.err(), after.err()].into_iter().flatten().flatten().collect()),
        };
        let mut changes = Vec::new();
        Compared { changes: &mut changes, table: "", id: "" }.keys("", keys::ROOT, &before.1, &after.1);
        Ok(Difference { before: before.0, after: after.0, changes })
    }
}

/// The merged ruleset as values.
fn read(files: &[RulesetFile]) -> Result<(RulesetIdentity, Value), Vec<Problem>> {
    let Ruleset { name, version, hash, .. } = Ruleset::merge(files)?;
    let texts = Texts::new(files);
    let mut reader = Reader::new(&texts);
    let Some(merged) = merge::merge(&mut reader, &texts) else { return Err(reader.into_problems()) };
    let root: Map<String, Value> = merged.root.iter().map(|(key, value)| (key.get_ref().to_string(), json_of(value))).collect();
    Ok((RulesetIdentity { name, version, hash }, root.into()))
}

/// An entry that both have while its keys are compared.
struct Compared<'c> {
    changes: &'c mut Vec<Change>,
    table: &'c str,
    id: &'c str,
}

impl Compared<'_> {
    fn tell(&mut self, what: What) {
        self.changes.push(Change { table: self.table.to_owned(), id: self.id.to_owned(), what });
    }

    /// The values of a table; `within` is the path to it in its entry.
    fn keys(&mut self, within: &str, keys: &[Key], before: &Value, after: &Value) {
        for key in keys {
            self.value(&dotted(within, key.name), &key.of, &before[key.name], &after[key.name]);
        }
    }

    fn value(&mut self, path: &str, kind: &Kind, before: &Value, after: &Value) {
        let table = dotted(self.table, path);
        match kind {
            Kind::List(Kind::Table(keys)) => list(self.changes, &table, keys, before, after),
            Kind::ByName(Kind::Table(keys)) | Kind::ByWord(_, Kind::Table(keys)) => rows(self.changes, &table, keys, before, after),
            // At the top, a table by itself is an entry.
            Kind::Table(keys) if self.table.is_empty() => {
                Compared { changes: &mut *self.changes, table: path, id: "" }.keys("", keys, before, after);
            }
            Kind::Table(keys) => self.keys(path, keys, before, after),
            Kind::ByWord(words, kind) => words().iter().for_each(|word| self.value(&dotted(path, word), kind, &before[word], &after[word])),
            _ if is_same(kind, before, after) => {}
            _ => self.tell(What::Changed { key: path.to_owned(), before: before.clone(), after: after.clone() }),
        }
    }
}

fn dotted(within: &str, name: &str) -> String {
    if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") }
}

/// Entries with ids, whose order matters.
fn list(changes: &mut Vec<Change>, table: &str, keys: &[Key], before: &Value, after: &Value) {
    let [before, after] = [before, after].map(|list| list.as_array().map(Vec::as_slice).unwrap_or_default());
    let places: BTreeMap<&str, usize> = before.iter().enumerate().map(|(place, entry)| (id_of(entry), place)).collect();
    let there: BTreeSet<&str> = after.iter().map(id_of).collect();
    for entry in before.iter().filter(|entry| !there.contains(id_of(entry))) {
        let what = What::Removed { before: entry.clone() };
        changes.push(Change { table: table.to_owned(), id: id_of(entry).to_owned(), what });
    }
    let kept: Vec<usize> = after.iter().filter_map(|entry| places.get(id_of(entry)).copied()).collect();
    let stayed = longest_rise(&kept);
    let stays = |entry: &Value| places.get(id_of(entry)).is_some_and(|place| stayed.contains(place));
    // From the last to the first: what each stands before.
    let mut next = None;
    let mut nexts = Vec::with_capacity(after.len());
    for entry in after.iter().rev() {
        nexts.push(next);
        next = if stays(entry) { Some(id_of(entry)) } else { next };
    }
    for (entry, next) in after.iter().zip(nexts.into_iter().rev()) {
        let id = id_of(entry);
        let stands_before = next.map(str::to_owned);
        let mut compared = Compared { changes: &mut *changes, table, id };
        match places.get(id).and_then(|place| before.get(*place)) {
            None => compared.tell(What::Added { after: entry.clone(), stands_before }),
            Some(old) => {
                if !stays(entry) {
                    compared.tell(What::Moved { stands_before });
                }
                compared.keys("", keys, old, entry);
            }
        }
    }
}

fn id_of(entry: &Value) -> &str {
    entry["id"].as_str().unwrap_or_default()
}

/// The most of these numbers that rise from one to the next: entries that keep their order need not be told as moved.
fn longest_rise(numbers: &[usize]) -> BTreeSet<usize> {
    // Of all rises of a length the one with the least end, with the place of what stands before that.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers.get(*end) < Some(number));
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut rise = BTreeSet::new();
    let mut at = ends.last().copied();
    while let Some(place) = at {
        rise.extend(numbers.get(place));
        at = before.get(place).copied().flatten();
    }
    rise
}

/// Rows by their names; what compares alike is one name.
fn rows(changes: &mut Vec<Change>, table: &str, keys: &[Key], before: &Value, after: &Value) {
    let same = |name: &str| if matches!(table, "source" | "action") { fold(name).into_owned() } else { name.to_owned() };
    let mut names: BTreeMap<String, [Option<(&str, &Value)>; 2]> = BTreeMap::new();
    for (side, rows) in [before, after].into_iter().enumerate() {
        for (name, row) in rows.as_object().into_iter().flatten() {
            if let Some(slot) = names.entry(same(name)).or_default().get_mut(side) {
                *slot = Some((name, row));
            }
        }
    }
    for sides in names.into_values() {
        let id = sides[1].or(sides[0]).map_or("", |(name, _)| name);
        let mut compared = Compared { changes: &mut *changes, table, id };
        match sides.map(|side| side.map(|(_, row)| row)) {
            [Some(before), Some(after)] => compared.keys("", keys, before, after),
            [Some(before), None] => compared.tell(What::Removed { before: before.clone() }),
            [None, Some(after)] => compared.tell(What::Added { after: after.clone(), stands_before: None }),
            [None, None] => {}
        }
    }
}

/// Whether two values say the same, however they are written.
fn is_same(kind: &Kind, before: &Value, after: &Value) -> bool {
    let texts = before.as_str().zip(after.as_str());
    before == after
        || match kind {
            Kind::Condition => texts.is_some_and(|(before, after)| meaning(before) == meaning(after)),
            Kind::Duration => texts.is_some_and(|(before, after)| duration(before) == duration(after)),
            Kind::Time => texts.is_some_and(|(before, after)| Timestamp::parse(before) == Timestamp::parse(after)),
            Kind::Hours => listed(before) == listed(after),
            // In no list but those of entries and of `follow_up` does the order matter.
            Kind::List(_) => before.is_array() && after.is_array() && unordered(before) == unordered(after),
            _ => false,
        }
}

/// A condition as it is compiled.
fn meaning(condition: &str) -> String {
    format!("{:?}", Condition::parse(condition, Sight::Routed))
}

fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn unordered(list: &Value) -> BTreeSet<String> {
    listed(list).iter().map(Value::to_string).collect()
}

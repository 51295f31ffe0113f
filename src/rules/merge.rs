//! A chain of ruleset files to one: what is removed, what is replaced, what comes before what. Knows TOML and names of
//! entries; what an entry means is read afterwards, from the whole.

use std::collections::{BTreeMap, BTreeSet};

use toml::{
    Spanned,
    de::{DeArray, DeString, DeTable, DeValue},
};

use super::{files::Texts, reading::Reader, suggest, toml_text};
use crate::lead::fold;

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

/// The files as one.
pub(super) struct Merged<'t> {
    /// All but `[ruleset]`. Every key and value keeps the place it was written at.
    pub(super) root: DeTable<'t>,
    /// `[ruleset]` of each file, if it has one, with the file's first byte; outermost first.
    pub(super) identities: Vec<(usize, Option<Value<'t>>)>,
    /// Whether the innermost file extends none because `extends`, or [ruleset], is misspelt there.
    pub(super) may_extend: bool,
}

/// Rules of all lists together: each takes its time, when the ruleset is loaded and with every lead.
const MOST_RULES: usize = 10_000;

/// Merges the files, outermost first. Nothing where a file is no TOML, or names one to extend that is not here: what else could
/// be told would be told of a guess.
pub(super) fn merge<'t>(reader: &mut Reader<'_>, texts: &Texts<'t>) -> Option<Merged<'t>> {
    let mut roots: Vec<DeTable<'t>> =
        texts.each().filter_map(|(start, text)| Some(moved_table(toml_text::parse(reader, start, text)?, start))).collect();
    if !reader.found_none() {
        return None;
    }
    let starts: Vec<usize> = texts.each().map(|(start, _)| start).collect();
    // Tests may stand in the ruleset's own file; they are no part of what it says.
    for root in &mut roots {
        root.remove("test");
    }
    let identities: Vec<_> = starts.into_iter().zip(&mut roots).map(|(start, root)| (start, root.remove("ruleset"))).collect();
    let extended = identities.iter().position(|(_, ruleset)| !extends(ruleset.as_ref())).unwrap_or(roots.len());
    if let Some((_, Some(ruleset))) = identities.get(roots.len() - 1).filter(|_| extended == roots.len())
        && let Some(value) = ruleset.get_ref().get("extends")
    {
        let message = "extends names a ruleset that is not at hand here";
        reader.tell(value.span().start, "not_supported", message, "write extends = \"default\", or leave it out");
        return None;
    }
    let is_misspelt = |name: &str, table: &DeTable<'_>| {
        !table.contains_key(name) && suggest::nearest(name, table.keys().map(|key| key.get_ref().as_ref())).is_some()
    };
    let may_extend = match identities.get(extended) {
        Some((_, Some(ruleset))) => ruleset.get_ref().as_table().is_some_and(|table| is_misspelt("extends", table)),
        _ => roots.get(extended).is_some_and(|root| is_misspelt("ruleset", root)),
    };
    // From the innermost out.
    let mut whole: Option<DeTable<'t>> = None;
    for (root, (_, ruleset)) in roots.into_iter().zip(&identities).take(extended + 1).rev() {
        let remove = ruleset.as_ref().and_then(|ruleset| ruleset.get_ref().get("remove"));
        whole = Some(match whole {
            None => {
                if let Some(value) = remove.filter(|value| !may_extend && value.get_ref().as_array().is_some_and(|list| !list.is_empty())) {
                    let hint = "add extends = \"default\", or leave out what you do not want";
                    reader.tell(value.span().start, "invalid_value", "there is nothing to remove: this ruleset extends none", hint);
                }
                root
            }
            Some(mut base) => {
                if let Some(list) = remove {
                    take_out(reader, &mut base, list);
                }
                over("", base, root)
            }
        });
    }
    let root = whole.unwrap_or_default();
    within_bounds(reader, &root).then_some(Merged { root, identities, may_extend })
}

/// Whether there are so few rules that they can be looked at one by one.
fn within_bounds(reader: &mut Reader<'_>, root: &DeTable<'_>) -> bool {
    let scored = root.get("score").and_then(|score| score.get_ref().get("rule"));
    let lists = ["gate", "campaign", "route"].into_iter().filter_map(|list| root.get(list)).chain(scored);
    let mut rules = lists.filter_map(|list| list.get_ref().as_array()).flatten();
    let Some(over) = rules.nth(MOST_RULES) else { return true };
    let count = MOST_RULES + 1 + rules.count();
    let hint = "lists of companies, addresses or offers belong into the reference tables (docs/tables.md); ask for their columns";
    reader.tell(over.span().start, "too_many_rules", format!("a ruleset has at most {MOST_RULES} rules; here are {count}"), hint);
    false
}

fn extends(ruleset: Option<&Value<'_>>) -> bool {
    ruleset.is_some_and(|ruleset| ruleset.get_ref().get("extends").is_some_and(|value| value.get_ref().as_str().is_some()))
}

/// The table with all its places counted from the first file's first byte. The parser bounds the depth.
fn moved_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    table.into_iter().map(|(key, value)| (moved_key(key, by), moved(value, by))).collect()
}

fn moved_key(key: Key<'_>, by: usize) -> Key<'_> {
    Spanned::new(key.span().start + by..key.span().end + by, key.into_inner())
}

fn moved(value: Value<'_>, by: usize) -> Value<'_> {
    let span = value.span();
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved_table(table, by)),
        DeValue::Array(array) => DeValue::Array(array.into_iter().map(|value| moved(value, by)).collect()),
        plain => plain,
    };
    Spanned::new(span.start + by..span.end + by, inner)
}

/// Lists of entries that are known by their ids, by the table they stand in.
fn is_list_of_entries(within: &str, key: &str) -> bool {
    matches!((within, key), ("", "gate" | "campaign" | "route") | ("score", "rule"))
}

/// `table` over `base`: tables merge by key, lists of entries by id; all else is replaced.
fn over<'t>(within: &str, mut base: DeTable<'t>, table: DeTable<'t>) -> DeTable<'t> {
    for (key, value) in table {
        let merged = match base.remove(key.get_ref().as_ref()) {
            Some(inherited) => value_over(within, key.get_ref(), inherited, value),
            None => value,
        };
        base.insert(key, merged);
    }
    base
}

fn value_over<'t>(within: &str, key: &str, inherited: Value<'t>, value: Value<'t>) -> Value<'t> {
    let span = value.span();
    let merged = match (inherited.into_inner(), value.into_inner()) {
        (DeValue::Table(base), DeValue::Table(table)) if within.is_empty() && matches!(key, "source" | "action") => {
            DeValue::Table(tokens_over(base, table))
        }
        // Below the top, names of tables say nothing any more: `rule` is a list of entries in [score] alone.
        (DeValue::Table(base), DeValue::Table(table)) => DeValue::Table(over(if within.is_empty() { key } else { "row" }, base, table)),
        (DeValue::Array(base), DeValue::Array(list)) if is_list_of_entries(within, key) => DeValue::Array(entries_over(base, list)),
        (_, value) => value,
    };
    Spanned::new(span, merged)
}

/// Rows whose keys are tokens: what compares alike is one key.
fn tokens_over<'t>(mut base: DeTable<'t>, table: DeTable<'t>) -> DeTable<'t> {
    let mut inherited: BTreeMap<String, String> =
        base.keys().map(|key| (fold(key.get_ref()).into_owned(), key.get_ref().to_string())).collect();
    for (key, value) in table {
        // Each once: two of one file that compare alike stay two, to be told.
        let merged = match inherited.remove(&*fold(key.get_ref())).and_then(|like| base.remove(like.as_str())) {
            Some(like) => value_over("row", "", like, value),
            None => value,
        };
        base.insert(key, merged);
    }
    base
}

fn id_of<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    value.get_ref().get("id")?.get_ref().as_str()
}

/// An entry with an inherited id replaces it in its place; new ones come before all inherited.
fn entries_over<'t>(base: DeArray<'t>, list: DeArray<'t>) -> DeArray<'t> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, entry) in base.iter().enumerate() {
        places.extend(id_of(entry).map(|id| (id.to_owned(), place)));
    }
    let mut inherited: Vec<Vec<Value<'t>>> = base.into_iter().map(|entry| vec![entry]).collect();
    let mut new = Vec::new();
    let mut replaced = BTreeSet::new();
    for entry in list {
        match id_of(&entry).and_then(|id| places.get(id)).and_then(|place| Some((*place, inherited.get_mut(*place)?))) {
            Some((place, slot)) => {
                // The second of one file with the same id stays, to be told.
                if replaced.insert(place) {
                    slot.clear();
                }
                slot.push(entry);
            }
            None => new.push(entry),
        }
    }
    new.into_iter().chain(inherited.into_iter().flatten()).collect()
}

/// What may stand before the first dot of an element of `remove`, and the list or table it is an entry of.
pub(super) const REMOVABLE: [(&str, &[&str]); 11] = [
    ("gate", &["gate"]),
    ("score", &["score", "rule"]),
    ("route", &["route"]),
    ("campaign", &["campaign"]),
    ("clock", &["clock"]),
    ("calendar", &["calendar"]),
    ("source", &["source"]),
    ("action", &["action"]),
    ("offer_type", &["offer_type"]),
    ("storefront", &["storefront"]),
    ("owner", &["owner"]),
];

const REMOVE_HINT: &str = "write gate.ID, score.ID, route.ID, campaign.ID, clock.NAME, calendar.NAME, source.TOKEN, \
                           action.CODE, offer_type.NAME, storefront.NAME or owner.NAME";

/// Takes what `remove` names out of what is inherited; names that are not there are told.
fn take_out<'t>(reader: &mut Reader<'_>, base: &mut DeTable<'t>, list: &Value<'t>) {
    // A `remove` that is no list of texts is told where [ruleset] is read.
    let named = list.get_ref().as_array().into_iter().flatten();
    let named = named.filter_map(|value| value.get_ref().as_str().map(|text| (value.span().start, text)));
    let mut by_kind: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for (at, text) in named {
        let (kind, name) = text.split_once('.').unwrap_or((text, ""));
        if name.is_empty() || !REMOVABLE.iter().any(|(known, _)| *known == kind) {
            let near = suggest::nearest(kind, REMOVABLE.map(|(known, _)| known)).filter(|_| !name.is_empty());
            let hint = near.map_or_else(|| REMOVE_HINT.to_owned(), |near| format!("did you mean {:?}?", format!("{near}.{name}")));
            reader.tell(at, "unknown_name", format!("{text:?} names nothing that can be removed"), hint);
            continue;
        }
        by_kind.entry(kind).or_default().push((at, name));
    }
    for (kind, path) in REMOVABLE {
        let Some(named) = by_kind.remove(kind) else { continue };
        let same = |name: &str| if matches!(kind, "source" | "action") { fold(name).into_owned() } else { name.to_owned() };
        let mut entries = base.get_mut(path[0]);
        for step in &path[1..] {
            entries = entries.and_then(|value| match value.get_mut() {
                DeValue::Table(table) => table.get_mut(*step),
                _ => None,
            });
        }
        let there: Vec<String> = match entries.as_ref().map(|value| value.get_ref()) {
            Some(DeValue::Table(table)) => table.keys().map(|key| key.get_ref().to_string()).collect(),
            Some(DeValue::Array(list)) => list.iter().filter_map(id_of).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let known: BTreeSet<String> = there.iter().map(|name| same(name)).collect();
        let mut gone = BTreeSet::new();
        for (at, name) in named {
            let name_as_compared = same(name);
            if known.contains(&name_as_compared) {
                reader.removed(kind, name, at);
                gone.insert(name_as_compared);
            } else {
                let hint = reader.hint(name, there.iter().map(String::as_str));
                reader.tell(at, "unknown_name", format!("no {kind} {name:?} is inherited"), hint);
            }
        }
        match entries.map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => {
                let all = std::mem::take(table);
                *table = all.into_iter().filter(|(key, _)| !gone.contains(&same(key.get_ref()))).collect();
            }
            Some(DeValue::Array(list)) => {
                let all = std::mem::replace(list, DeArray::new());
                *list = all.into_iter().filter(|entry| id_of(entry).is_none_or(|id| !gone.contains(id))).collect();
            }
            _ => {}
        }
    }
}

//! Where entries stand in the files of a ruleset, and which of them are the user's own. Knows TOML and names of entries.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    lead::{Timestamp, fold},
    rules::{BUILT_IN, files::Texts, merge::Merged},
};

type Value<'t> = Spanned<DeValue<'t>>;

/// Where an entry stands, as bytes of all files together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The entry itself, where the user has written it; else it is the built-in ruleset's.
    pub(super) own: bool,
    pub(super) start: usize,
    /// Its id, if it has one.
    pub(super) id: Option<usize>,
    pub(super) when: Option<usize>,
    pub(super) when_end: Option<usize>,
    pub(super) reason: Option<usize>,
    pub(super) points: Option<usize>,
    /// Of a storefront, where the user has written it.
    pub(super) follow_up: Option<usize>,
    pub(super) until: Option<(usize, Timestamp)>,
}

impl Place {
    /// An entry of which only its beginning is known.
    pub(super) fn at(own: bool, start: usize) -> Self {
        Self { own, start, id: None, when: None, when_end: None, reason: None, points: None, follow_up: None, until: None }
    }

    /// Its condition, or else the entry.
    pub(super) fn when(self) -> usize {
        self.when.unwrap_or(self.start)
    }
}

/// The places of all entries, by list or table and by id, name or folded token.
#[derive(Debug, Default)]
pub(super) struct Places {
    entries: BTreeMap<(&'static str, String), Place>,
    /// Elements of `remove` with their bytes.
    removed: Vec<(String, usize)>,
    /// Numbers of [score], by their path.
    score: BTreeMap<String, usize>,
    /// Values of clocks that the user has written, by name and key.
    clocks: BTreeMap<(String, String), usize>,
    /// Elements of `own_domains` with their bytes.
    own_domains: Vec<(String, usize)>,
    /// Where each file begins, outermost first.
    files: Vec<usize>,
    /// [ruleset] of the outermost file.
    pub(super) ruleset: usize,
    /// Where the built-in ruleset begins.
    own_ends: usize,
}

/// The lists and tables whose entries have a place.
const TABLES: [&str; 6] = ["source", "action", "offer_type", "storefront", "clock", "calendar"];
const LISTS: [&str; 3] = ["gate", "campaign", "route"];

impl Places {
    pub(super) fn of(merged: &Merged<'_>, texts: &Texts<'_>) -> Self {
        let files: Vec<usize> = texts.each().map(|(start, _)| start).collect();
        let own_ends = files.iter().copied().find(|start| is_built_in(*start, texts)).unwrap_or(usize::MAX);
        let mut places = Self { files, own_ends, ..Self::default() };
        for kind in LISTS {
            places.list(kind, merged.root.get(kind));
        }
        let score = merged.root.get("score").and_then(|score| score.get_ref().as_table());
        places.list("score", score.and_then(|score| score.get("rule")));
        for kind in TABLES {
            for (key, value) in merged.root.get(kind).and_then(|table| table.get_ref().as_table()).into_iter().flatten() {
                let name = if matches!(kind, "source" | "action") { fold(key.get_ref()).into_owned() } else { key.get_ref().to_string() };
                let place = places.place(value);
                places.entries.insert((kind, name), place);
            }
        }
        for (name, clock) in merged.root.get("clock").and_then(|table| table.get_ref().as_table()).into_iter().flatten() {
            let written = clock.get_ref().as_table().into_iter().flatten().filter(|(_, value)| places.is_own(value.span().start));
            let written: Vec<_> =
                written.map(|(key, value)| ((name.get_ref().to_string(), key.get_ref().to_string()), value.span().start)).collect();
            places.clocks.extend(written);
        }
        let domains = merged.root.get("policy").and_then(|policy| policy.get_ref().get("own_domains")?.get_ref().as_array());
        let domains = domains.into_iter().flatten().filter_map(|value| Some((value.get_ref().as_str()?.to_owned(), value.span().start)));
        places.own_domains = domains.filter(|(_, at)| places.is_own(*at)).collect();
        places.numbers("", score);
        places.ruleset = merged.identities.first().and_then(|(_, ruleset)| ruleset.as_ref()).map_or(0, |ruleset| ruleset.span().start);
        for (_, ruleset) in &merged.identities {
            let list = ruleset.as_ref().and_then(|ruleset| ruleset.get_ref().get("remove")?.get_ref().as_array());
            let named = list.into_iter().flatten().filter_map(|value| Some((value.get_ref().as_str()?.to_owned(), value.span().start)));
            places.removed.extend(named);
        }
        places
    }

    fn list(&mut self, kind: &'static str, list: Option<&Value<'_>>) {
        for entry in list.and_then(|list| list.get_ref().as_array()).into_iter().flatten() {
            let id = entry.get_ref().get("id").and_then(|id| id.get_ref().as_str());
            let place = self.place(entry);
            self.entries.extend(id.map(|id| ((kind, id.to_owned()), place)));
        }
    }

    /// Numbers of [score] and of the tables in it that the user has written.
    fn numbers(&mut self, within: &str, table: Option<&DeTable<'_>>) {
        for (key, value) in table.into_iter().flatten() {
            let path = format!("{within}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.numbers(&format!("{path}."), Some(inner)),
                _ if self.is_own(value.span().start) => _ = self.score.insert(path, value.span().start),
                _ => {}
            }
        }
    }

    /// The place of an entry, if the user has written it.
    pub(super) fn own(&self, kind: &'static str, name: &str) -> Option<Place> {
        self.entries.get(&(kind, name.to_owned())).copied().filter(|place| place.own)
    }

    /// Where an entry begins, whoever has written it.
    pub(super) fn start(&self, kind: &'static str, name: &str) -> Option<usize> {
        self.entries.get(&(kind, name.to_owned())).map(|place| place.start)
    }

    /// The file in which a byte stands, from 0, which is the outermost.
    pub(super) fn file(&self, offset: usize) -> usize {
        self.files.iter().filter(|start| **start <= offset).count().saturating_sub(1)
    }

    /// Whether who wrote the first could know of the second: it stands in the same file, or in one that this extends.
    pub(super) fn could_know(&self, place: Place, kind: &'static str, other: &str) -> bool {
        let other = self.entries.get(&(kind, other.to_owned()));
        other.is_none_or(|other| self.file(other.start) >= self.file(place.start))
    }

    /// All entries that end some day, where the user has written when.
    pub(super) fn ending(&self) -> impl Iterator<Item = (&'static str, &str, usize, Timestamp)> {
        let all = self.entries.iter().filter_map(|((kind, name), place)| Some((*kind, name.as_str(), place.until?)));
        all.map(|(kind, name, (at, until))| (kind, name, at, until)).filter(|(_, _, at, _)| self.is_own(*at))
    }

    /// Whether nothing is inherited from the built-in ruleset.
    pub(super) fn all_own(&self) -> bool {
        self.own_ends == usize::MAX
    }

    /// Whether the user has written this byte.
    pub(super) fn is_own(&self, offset: usize) -> bool {
        offset < self.own_ends
    }

    fn place(&self, entry: &Value<'_>) -> Place {
        let value = |key| entry.get_ref().get(key);
        let until = value("until").and_then(|value: &Value<'_>| {
            let time = match value.get_ref() {
                DeValue::String(text) => Timestamp::parse(text),
                DeValue::Datetime(time) => Timestamp::parse(&time.to_string()),
                _ => None,
            };
            Some((value.span().start, time?))
        });
        let start = entry.span().start;
        let at = |key| value(key).map(|value: &Value<'_>| value.span().start);
        let (reason, follow_up) = (at("reason"), at("follow_up").filter(|at| self.is_own(*at)));
        let points = at("points");
        let when_end = value("when").map(|value| value.span().end);
        Place { own: self.is_own(start), start, id: at("id"), when: at("when"), when_end, reason, points, follow_up, until }
    }

    /// Where the user has written this number of [score].
    pub(super) fn score(&self, path: &str) -> Option<usize> {
        self.score.get(path).copied()
    }

    /// Where the user has written this value of a clock.
    pub(super) fn clock(&self, name: &str, key: &str) -> Option<usize> {
        self.clocks.get(&(name.to_owned(), key.to_owned())).copied()
    }

    /// The domains that the user calls his own, each with where it is written.
    pub(super) fn own_domains(&self) -> Vec<(String, usize)> {
        self.own_domains.iter().map(|(domain, at)| (domain.trim().trim_end_matches('.').to_lowercase(), *at)).collect()
    }

    /// Where the user has taken out this entry.
    pub(super) fn removed(&self, kind: &str, name: &str) -> Option<usize> {
        let same = |written: &str| {
            let rest = written.strip_prefix(kind)?.strip_prefix('.')?;
            (if matches!(kind, "source" | "action") { *fold(rest) == *name } else { rest == name }).then_some(())
        };
        self.removed.iter().find(|(written, _)| same(written).is_some()).map(|(_, at)| *at)
    }
}

fn is_built_in(offset: usize, texts: &Texts<'_>) -> bool {
    texts.locate(offset).is_some_and(|located| located.file == BUILT_IN)
}

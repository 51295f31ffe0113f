//! The merged ruleset as a text that loads again to the same rules, each entry with where it came from. Writes what was written:
//! the values stand as they do in their files.

use std::{collections::BTreeSet, fmt::Write, ops::Range};

use toml::{
    Spanned,
    de::{DeString, DeValue},
};

use super::{
    Ruleset,
    files::{RulesetFile, Texts},
    keys, merge,
    reading::Reader,
};
use crate::problem::Problem;

type Value<'t> = Spanned<DeValue<'t>>;

/// Lists of entries, by their table and their key.
const LISTS: [(&str, &str); 4] = [("gate", ""), ("score", "rule"), ("campaign", ""), ("route", "")];

impl Ruleset {
    /// The ruleset of these files (outermost first) as one TOML file: every entry below a comment that tells file and line, every
    /// key from another file than its entry with one of its own.
    ///
    /// # Errors
    /// As [`Ruleset::merge`]: only a ruleset that can be used is shown.
    pub fn show(files: &[RulesetFile]) -> Result<String, Vec<Problem>> {
        let rules = Self::merge(files)?;
        let texts = Texts::new(files);
        let mut reader = Reader::new(&texts);
        let Some(merged) = merge::merge(&mut reader, &texts) else { return Err(reader.into_problems()) };
        let mut page = Page { texts: &texts, text: String::new() };
        let names: Vec<String> = files.iter().map(|file| plain(&file.name)).collect();
        page.line(&format!("# The ruleset as it is used, merged of: {}.", names.join(", ")));
        page.line(&format!("# Its hash is {}; this text has another.", rules.hash));
        page.line(&format!("\n[ruleset]\nname = {}\nversion = {}", quoted(&rules.name), quoted(&rules.version)));
        for key in keys::ROOT.iter().map(|key| key.name).filter(|key| *key != "ruleset") {
            if let Some(value) = merged.root.get(key) {
                page.section(key, value);
            }
        }
        Ok(page.text)
    }
}

struct Page<'t> {
    texts: &'t Texts<'t>,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn section(&mut self, name: &str, value: &Value<'_>) {
        match value.get_ref() {
            DeValue::Array(list) => list.iter().for_each(|entry| self.entry(&format!("[[{name}]]"), entry, "")),
            DeValue::Table(table) if matches!(name, "policy" | "score") => {
                let list = LISTS.iter().find(|(within, _)| *within == name).map_or("", |(_, list)| list);
                self.entry(&format!("[{name}]"), value, list);
                if let Some(DeValue::Array(entries)) = table.get(list).map(Spanned::get_ref) {
                    entries.iter().for_each(|entry| self.entry(&format!("[[{name}.{list}]]"), entry, ""));
                }
            }
            DeValue::Table(rows) => rows.iter().for_each(|(key, row)| self.entry(&format!("[{name}.{}]", bare(key)), row, "")),
            _ => {}
        }
    }

    /// A table below its header; the key `apart` is told elsewhere.
    fn entry(&mut self, header: &str, value: &Value<'_>, apart: &str) {
        let DeValue::Table(table) = value.get_ref() else { return };
        let home = self.place(value.span().start);
        self.line(&format!("\n# {}:{}\n{header}", home.0, home.1));
        // As in their files: what a person wrote first, a person reads first.
        let mut entries: Vec<_> = table.iter().filter(|(key, _)| key.get_ref() != apart).collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let mut places = BTreeSet::new();
            self.places(value, key.span(), &mut places);
            let elsewhere: Vec<String> =
                places.into_iter().filter(|(file, _)| *file != home.0).map(|(file, line)| format!("{file}:{line}")).collect();
            let comment = if elsewhere.is_empty() { String::new() } else { format!("  # {}", elsewhere.join(", ")) };
            let line = format!("{} = {}{comment}", bare(key), self.value(value));
            self.line(&line);
        }
    }

    /// Name and line of a byte's file.
    fn place(&self, offset: usize) -> (String, usize) {
        self.texts.locate(offset).map_or_else(Default::default, |located| (plain(located.file), located.place.line))
    }

    /// Where a value is written: a table that was merged, in several places.
    fn places(&self, value: &Value<'_>, key: Range<usize>, found: &mut BTreeSet<(String, usize)>) {
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => {
                table.iter().for_each(|(key, value)| self.places(value, key.span(), found));
            }
            _ => {
                found.insert(self.place(key.start));
            }
        }
    }

    /// As it stands in its file; a table, which may be merged or have a header of its own, in braces.
    fn value(&self, value: &Value<'_>) -> String {
        match value.get_ref() {
            DeValue::Table(table) => {
                let mut entries: Vec<_> = table.iter().collect();
                entries.sort_by_key(|(key, _)| key.span().start);
                let entries: Vec<String> =
                    entries.into_iter().map(|(key, value)| format!("{} = {}", bare(key), self.value(value))).collect();
                if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
            }
            _ => self.texts.written(value.span()).to_owned(),
        }
    }
}

/// A key, in quotes where it needs them.
fn bare(key: &Spanned<DeString<'_>>) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let key = key.get_ref();
    if !key.is_empty() && key.chars().all(fits) { key.to_string() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A file's name as it can stand in a comment.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

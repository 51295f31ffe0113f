//! `leadstream rules diff`: the difference of two rulesets in words. What differs, `rules` finds.

use std::{fmt::Write, path::Path};

use serde_json::{Map, Value};

use super::ruleset_files::read_ruleset;
use crate::{
    problem::Problem,
    rules::{Change, Difference, Ruleset, What},
};

/// What names the built-in ruleset, here as in `extends`.
const BUILT_IN: &str = "default";
/// A line that would be longer is told in two.
const LONG: usize = 120;

/// In what the ruleset at `after` differs from that at `before` (a file, a folder with `ruleset.toml`, or `default`), as text or as
/// one JSON object.
///
/// # Errors
/// Every problem of both: only rulesets that can be used are compared.
pub fn diff_rulesets(before: &Path, after: &Path, json: bool) -> Result<String, Vec<Problem>> {
    let read = |path: &Path| read_ruleset(Some(path).filter(|path| *path != Path::new(BUILT_IN)), "the path");
    let difference = match (read(before), read(after)) {
        (Ok(before), Ok(after)) => Ruleset::diff(&before, &after)?,
        (before, after) => return Err([before.err(), after.err()].into_iter().flatten().flatten().collect()),
    };
    if json {
        return Ok(serde_json::to_string(&difference).unwrap_or_default() + "\n");
    }
    Ok(in_words(&difference))
}

fn in_words(difference: &Difference) -> String {
    let Difference { before, after, changes } = difference;
    let mut text = format!("{} {} → {} {}\n", before.name, before.version, after.name, after.version);
    if changes.is_empty() {
        return text + "no difference: both decide alike\n";
    }
    text.push('\n');
    for change in changes {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{}", sentence(change));
    }
    let _ = writeln!(text, "\n{}", counts(changes));
    if (&before.name, &before.version) == (&after.name, &after.version) {
        let _ = writeln!(text, "both are called {} {}: events would not tell them apart", after.name, after.version);
    }
    text
}

fn counts(changes: &[Change]) -> String {
    let count = |is: fn(&What) -> bool, word: &str| {
        let count = changes.iter().filter(|change| is(&change.what)).count();
        (count > 0).then(|| format!("{count} {word}"))
    };
    let counts = [
        count(|what| matches!(what, What::Added { .. }), "added"),
        count(|what| matches!(what, What::Removed { .. }), "removed"),
        count(|what| matches!(what, What::Changed { .. }), "changed"),
        count(|what| matches!(what, What::Moved { .. }), "moved"),
    ];
    let differences = if changes.len() == 1 { "difference" } else { "differences" };
    format!("{} {differences}: {}", changes.len(), counts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn sentence(change: &Change) -> String {
    let subject = subject(change);
    match &change.what {
        What::Added { after, stands_before } => {
            let place = if is_list(&change.table) { format!(" {}", place(stands_before.as_deref())) } else { String::new() };
            format!("{subject}: added{place}; {}", described(&change.table, after, true))
        }
        What::Removed { before } => format!("{subject}: removed; {}", described(&change.table, before, false)),
        What::Moved { stands_before } => format!("{subject}: now {}", place(stands_before.as_deref())),
        What::Changed { key, before, after } => changed(&subject, &words(key), before, after),
    }
}

fn is_list(table: &str) -> bool {
    matches!(table, "gate" | "score.rule" | "campaign" | "route")
}

fn place(next: Option<&str>) -> String {
    next.map_or_else(|| "last".to_owned(), |next| format!("before {next}"))
}

/// The entry, as people call it; nothing for `[score]`, whose keys speak for themselves.
fn subject(change: &Change) -> String {
    let Change { table, id, .. } = change;
    match table.as_str() {
        "score" => String::new(),
        "policy" => "policy".to_owned(),
        "source" => format!("source token {id:?}"),
        "action" => format!("action code {id:?}"),
        table => format!("{} {id}", table.replace(['_', '.'], " ")),
    }
}

/// A key, as people read it.
fn words(key: &str) -> String {
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    match first {
        "threshold_by_storefront" => format!("threshold for {rest}"),
        "stage_by_listing_option" => format!("stage where the offer's listing option is {rest}"),
        "grades" => format!("grade {rest} from"),
        "hours" => format!("hours on {rest}"),
        plain => plain.replace('_', " "),
    }
}

fn changed(subject: &str, key: &str, before: &Value, after: &Value) -> String {
    let subject = if subject.is_empty() { String::new() } else { format!("{subject}: ") };
    if let (Value::Array(before), Value::Array(after)) = (before, after) {
        let only = |list: &[Value], other: &[Value], sign: &str| -> Vec<String> {
            list.iter().filter(|value| !other.contains(value)).map(|value| format!("{sign}{}", shown(value))).collect()
        };
        let differing = [only(after, before, "+"), only(before, after, "-")].concat();
        if !differing.is_empty() {
            return format!("{subject}{key} {}", differing.join(" "));
        }
    }
    let (before, after) = (shown(before), shown(after));
    let line = format!("{subject}{key} {before} → {after}");
    if line.chars().count() <= LONG { line } else { format!("{subject}{key}\n    {before}\n  → {after}") }
}

/// What an entry does.
fn described(table: &str, entry: &Value, does: bool) -> String {
    let verb = |now: &'static str, then: &'static str| if does { now } else { then };
    let when = entry["when"].as_str().map(|when| format!("when {}", on_a_line(when)));
    let always = || when.clone().unwrap_or_else(|| "always".to_owned());
    let (said, told): (String, &[&str]) = match table {
        "gate" => (format!("{} with {} {}", verb("refuses", "refused"), shown(&entry["reason"]), always()), &["reason"]),
        "score.rule" => {
            let points = entry["points"].as_i64().unwrap_or_default();
            (format!("{} {points:+} {}", shown(&entry["part"]), always()), &["part", "points"])
        }
        "campaign" => (format!("{} {}", verb("holds", "held"), always()), &[]),
        "route" => (format!("{} to {} {}", verb("sends", "sent"), shown(&entry["destination"]), always()), &["destination"]),
        _ => (String::new(), &[]),
    };
    let mut parts: Vec<String> = Some(said).filter(|said| !said.is_empty()).into_iter().collect();
    rest(entry.as_object(), "", &[told, &["id", "when"]].concat(), &mut parts);
    if parts.is_empty() { "with no key".to_owned() } else { parts.join(", ") }
}

/// The keys of a table and of the tables in it, but for those that are told already.
fn rest(table: Option<&Map<String, Value>>, within: &str, told: &[&str], parts: &mut Vec<String>) {
    for (key, value) in table.into_iter().flatten().filter(|(key, _)| !told.contains(&key.as_str())) {
        let path = if within.is_empty() { key.clone() } else { format!("{within}.{key}") };
        match value {
            Value::Object(table) => rest(Some(table), &path, &[], parts),
            value => parts.push(format!("{} {}", words(&path), shown(value))),
        }
    }
}

/// A value without what TOML needs around it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => on_a_line(text),
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Conditions may be written over several lines.
fn on_a_line(text: &str) -> String {
    if text.contains('\n') { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text.to_owned() }
}

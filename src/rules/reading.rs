//! Reading TOML that people write: every value with its place, every problem collected, unknown keys told with the nearest
//! known one. Knows types of values; not what a ruleset is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    BUILT_IN,
    absent::{Absent, some_of},
    condition::{Condition, Regexes, Sight},
    files::Texts,
    keys::Key,
    quoting, suggest,
};
use crate::{
    lead::{Timestamp, Vocabulary},
    problem::Problem,
};

/// A value and where it stands.
pub(super) type Written<'a> = &'a Spanned<DeValue<'a>>;

/// So many problems of a kind are told one by one (ADR 8).
pub(super) const TOLD: usize = 1000;
/// Comparing names is the one thing that many wrong names times many right ones would make long.
const COMPARISONS: usize = 100_000;

/// Lists of entries, each of which has a header in double brackets.
const LISTS: [&str; 4] = ["gate", "score.rule", "campaign", "route"];

/// The texts and what is wrong with them so far.
pub(super) struct Reader<'a> {
    texts: &'a Texts<'a>,
    problems: Vec<(usize, Problem)>,
    counts: BTreeMap<&'static str, usize>,
    comparisons: usize,
    regexes: Regexes,
    absent: Absent,
}

impl<'a> Reader<'a> {
    pub(super) fn new(texts: &'a Texts<'a>) -> Self {
        Self {
            texts,
            problems: Vec::new(),
            counts: BTreeMap::new(),
            comparisons: 0,
            regexes: Regexes::default(),
            absent: Absent::default(),
        }
    }

    pub(super) fn found_none(&self) -> bool {
        self.problems.is_empty()
    }

    /// How much was told so far: what follows from a fault alone is not told once more.
    pub(super) fn told(&self) -> usize {
        self.counts.values().sum()
    }

    /// Everything that was told, from top to bottom, the outermost file first.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        for (what, removed) in std::mem::take(&mut self.absent).still_named() {
            let message = format!("{what} is not there any more, and still named by {}", some_of(&removed.named_by));
            self.tell(removed.at, "unknown_name", message, "remove or replace those too, or leave it in");
        }
        self.problems.sort_by_key(|(offset, _)| *offset);
        let place = |(offset, problem)| self.texts.place(offset, problem);
        let mut problems: Vec<Problem> = self.problems.into_iter().map(place).collect();
        for (code, count) in self.counts {
            let Some(more) = count.checked_sub(TOLD).filter(|more| *more > 0) else { continue };
            let problem = Problem::error("more_problems", format!("and {more} more of the kind {code}"));
            problems.push(problem.hint("the first of a kind are told one by one: mend them and check again"));
        }
        problems
    }

    /// Tells of the key, value or header that begins there.
    pub(super) fn tell(&mut self, offset: usize, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.tell_underlined((offset, 0), code, message, hint);
    }

    /// As [`Reader::tell`], of all these bytes: what of them stands on the first line is underlined.
    pub(super) fn tell_of(&mut self, bytes: Range<usize>, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        let first_line = self.texts.written(bytes.clone()).lines().next().unwrap_or_default();
        self.tell_underlined((bytes.start, first_line.chars().count().max(1)), code, message, hint);
    }

    fn tell_underlined(&mut self, at: (usize, usize), code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        let (offset, underlined) = at;
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= TOLD {
            self.problems.push((offset, Problem { underlined, ..Problem::error(code, message).hint(hint) }));
        }
    }

    /// As [`suggest::hint`], for names of which there may be very many.
    pub(super) fn hint<'k>(&mut self, written: &str, known: impl IntoIterator<Item = &'k str>) -> String {
        if self.comparisons > COMPARISONS {
            return "mend the other names first".to_owned();
        }
        let known: Vec<&str> = known.into_iter().collect();
        self.comparisons += known.len();
        suggest::hint(written, &known)
    }

    /// Opens a table whose keys must all be among `known`.
    pub(super) fn section(&mut self, name: impl Into<String>, value: Written<'a>, known: &[Key]) -> Option<Section<'a>> {
        let name = name.into();
        let Some(table) = value.get_ref().as_table() else {
            // What is a key of an entry and stands right below [clock], say, is told once for all such keys.
            let stray = name.split_once('.').filter(|(_, key)| known.iter().any(|known| known.name == key.trim_matches('"')));
            if stray.is_none_or(|(table, _)| self.absent.is_no_table(table)) {
                let hint = match stray {
                    Some(("clock", _)) => "write [clock.default] or [clock.NAME] above it".to_owned(),
                    Some((table, _)) => format!("write [{table}.NAME] above it"),
                    None => format!("write [{name}]"),
                };
                self.tell(value.span().start, "wrong_type", format!("{name} must be a table, not {}", kind(value)), hint);
            }
            return None;
        };
        self.known_keys(&name, table, known);
        Some(Section { name, start: value.span().start, table })
    }

    /// Tells the keys that are not among `known`.
    pub(super) fn known_keys(&mut self, name: &str, table: &DeTable<'a>, known: &[Key]) {
        for (key, value) in table {
            if !known.iter().any(|known| known.name == key.get_ref()) {
                let meant = suggest::nearest(key.get_ref(), known.iter().map(|known| known.name)).filter(|_| name.is_empty());
                if let (Some(meant), Some(entries)) = (meant, value.get_ref().as_table()) {
                    entries.keys().for_each(|entry| self.absent.stands_elsewhere(meant, entry.get_ref()));
                }
                let within = if name.is_empty() { String::new() } else { format!(" in {name}") };
                let message = format!("unknown key {:?}{within}", key.get_ref());
                let list = name.split(' ').next().unwrap_or_default();
                let hint = match suggest::foreign(key.get_ref(), |meant| known.iter().any(|known| known.name == meant)) {
                    Some(meant) => format!("did you mean {meant:?}?"),
                    None if value.get_ref().is_table() && LISTS.contains(&list) => {
                        format!("write [[{list}]] with double brackets, and id = {:?} below it", key.get_ref())
                    }
                    None => self.hint(key.get_ref(), known.iter().map(|known| known.name)),
                };
                self.tell(key.span().start, "unknown_key", message, hint);
            }
        }
    }

    /// Tells that `by` names, at that byte, an entry of a table that is not among `known`. Of one that stands in a misspelt table, or
    /// that an outer file removes, that is told there.
    pub(super) fn no_such<'k>(
        &mut self,
        table: &'static str,
        (name, at): (&str, usize),
        by: &str,
        known: impl IntoIterator<Item = &'k String>,
    ) {
        if !self.is_known_to_lack(table, (name, at), by) {
            let hint = self.hint(name, known.into_iter().map(String::as_str));
            self.tell(at, "unknown_name", format!("there is no [{table}.{name}]"), hint);
        }
    }

    /// Whether it is told elsewhere, or will be, that this entry which `by` names at that byte is not there.
    pub(super) fn is_known_to_lack(&mut self, table: &'static str, (name, at): (&str, usize), by: &str) -> bool {
        let texts = self.texts;
        let removed = self.absent.removed(table, name).filter(|removed| !texts.are_in_one(removed.at, at));
        let Some(removed) = removed else { return self.absent.is_told(table, name) };
        if !removed.named_by.iter().any(|named| named == by) {
            removed.named_by.push(by.to_owned());
        }
        true
    }

    /// Keeps in mind what `remove` takes out, at that byte.
    pub(super) fn removed(&mut self, kind: &'static str, name: &str, at: usize) {
        self.absent.is_removed(kind, name, at);
    }

    /// Whether both bytes are of the same file.
    pub(super) fn are_in_one_file(&self, one: usize, other: usize) -> bool {
        self.texts.are_in_one(one, other)
    }

    /// Tells that what should be a table of entries is none.
    pub(super) fn no_table(&mut self, value: Written<'_>, name: &str) {
        self.absent.is_no_table(name);
        self.wrong_type(value, name, "a table", format!("write [{name}.NAME] with its keys below"));
    }

    /// Whether the built-in ruleset has it there.
    pub(super) fn is_built_in(&self, offset: usize) -> bool {
        self.texts.locate(offset).is_some_and(|located| located.file == BUILT_IN)
    }

    pub(super) fn wrong_type(&mut self, value: Written<'_>, name: &str, wanted: &str, hint: impl Into<String>) {
        self.tell(value.span().start, "wrong_type", format!("{name} must be {wanted}, not {}", kind(value)), hint);
    }

    pub(super) fn text_of(&mut self, value: Written<'a>, name: &str) -> Option<&'a str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, name, "a text", "put it in quotes");
        }
        text
    }

    /// A whole number.
    pub(super) fn integer_of(&mut self, value: Written<'a>, name: &str) -> Option<i64> {
        // Bounds that no sum of scores can overflow.
        const MOST: i64 = 1_000_000_000;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(value, name, "a whole number", "write it without quotes and without a fraction");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| (-MOST..=MOST).contains(number));
        if number.is_none() {
            let message = format!("{name} is out of range");
            self.tell(value.span().start, "invalid_value", message, format!("write a number from -{MOST} to {MOST}"));
        }
        number
    }

    /// One of the words of a closed list.
    pub(super) fn word_of<V: Vocabulary>(&mut self, value: Written<'a>, name: &str) -> Option<V> {
        let text = self.text_of(value, name)?;
        let word = V::from_name(text);
        if word.is_none() {
            self.not_a_word::<V>(value.span().start, text, name);
        }
        word
    }

    pub(super) fn not_a_word<V: Vocabulary>(&mut self, offset: usize, written: &str, name: &str) {
        let hint = self.hint(written, V::ALL.iter().map(|value| value.name()));
        self.tell(offset, "invalid_value", format!("{written:?} is no value of {name}"), hint);
    }

    /// A point in time, as text or as TOML's own.
    pub(super) fn time_of(&mut self, value: Written<'a>, name: &str) -> Option<Timestamp> {
        let hint = "write it like \"2026-03-01T00:00:00Z\"";
        let time = match value.get_ref() {
            DeValue::String(text) => Timestamp::parse(text),
            DeValue::Datetime(time) => Timestamp::parse(&time.to_string()),
            _ => {
                self.wrong_type(value, name, "a time", hint);
                return None;
            }
        };
        if time.is_none() {
            self.tell(value.span().start, "invalid_value", format!("{name} is no point in time with a zone"), hint);
        }
        time
    }

    /// The elements of a list.
    pub(super) fn list_of(&mut self, value: Written<'a>, name: &str) -> Option<&'a [Spanned<DeValue<'a>>]> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.wrong_type(value, name, "a list", "write it in brackets: [\"…\", \"…\"]");
        }
        array.map(|array| &**array)
    }

    /// A name that is written into events, headers and metric labels: letters, digits, `_`, `.`, `-`.
    pub(super) fn name_of(&mut self, value: Written<'a>, name: &str) -> Option<&'a str> {
        let text = self.text_of(value, name)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
            let message = format!("{text:?} is no good {name}");
            let hint = "write 1 to 64 letters, digits, \"_\", \".\" or \"-\", without blanks";
            self.tell(value.span().start, "invalid_value", message, hint);
            return None;
        }
        Some(text)
    }
}

/// One table of the file.
pub(super) struct Section<'a> {
    /// As it is written in brackets.
    pub(super) name: String,
    /// Byte at which it begins.
    pub(super) start: usize,
    pub(super) table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Written<'a>> {
        self.table.get(key)
    }

    /// Where the value of `key` stands, or else the section itself.
    pub(super) fn place(&self, key: &str) -> usize {
        self.get(key).map_or(self.start, |value| value.span().start)
    }

    /// A key that must be there.
    pub(super) fn required(&self, reader: &mut Reader<'a>, key: &str, example: &str) -> Option<Written<'a>> {
        let value = self.get(key);
        // One that is misspelt is told as a key that is not known.
        let keys = || self.table.keys().map(|key| key.get_ref().as_ref());
        let is_meant =
            suggest::nearest(key, keys()).is_some() || keys().any(|known| suggest::foreign(known, |meant| meant == key).is_some());
        if value.is_none() && !is_meant {
            reader.tell(self.start, "missing_key", format!("{} has no {key:?}", self.name), format!("add {key} = {example}"));
        }
        value
    }

    pub(super) fn word<V: Vocabulary>(&self, reader: &mut Reader<'a>, key: &str) -> Option<V> {
        reader.word_of(self.get(key)?, key)
    }

    /// Nothing where one of them is wrong: the others alone are not what was meant.
    pub(super) fn words<V: Vocabulary>(&self, reader: &mut Reader<'a>, key: &str) -> Vec<V> {
        let Some(list) = self.get(key).and_then(|value| reader.list_of(value, key)) else { return Vec::new() };
        let words: Vec<_> = list.iter().map(|value| reader.word_of(value, key)).collect();
        words.into_iter().collect::<Option<_>>().unwrap_or_default()
    }

    pub(super) fn integer(&self, reader: &mut Reader<'a>, key: &str) -> Option<i64> {
        reader.integer_of(self.get(key)?, key)
    }

    pub(super) fn boolean(&self, reader: &mut Reader<'a>, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            reader.wrong_type(value, key, "true or false", "write it without quotes");
        }
        boolean
    }

    pub(super) fn name(&self, reader: &mut Reader<'a>, key: &str) -> Option<&'a str> {
        reader.name_of(self.get(key)?, key)
    }

    /// Any text that says something and fits on a line.
    pub(super) fn label(&self, reader: &mut Reader<'a>, key: &str) -> Option<&'a str> {
        let value = self.get(key)?;
        let text = reader.text_of(value, key)?;
        if text.trim().is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            let message = format!("{key} must be 1 to 256 bytes long, not blank, on one line");
            reader.tell(value.span().start, "invalid_value", message, "shorten it, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// A length of time such as `24h`, in microseconds.
    pub(super) fn duration(&self, reader: &mut Reader<'a>, key: &str) -> Option<i64> {
        let value = self.get(key)?;
        let hint = "write a number and d, h, m or s, such as \"3d\", \"24h\" or \"90m\"";
        let Some(text) = value.get_ref().as_str() else {
            reader.wrong_type(value, key, "a length of time", hint);
            return None;
        };
        let micros = duration(text);
        if micros.is_none() {
            reader.tell(value.span().start, "invalid_value", format!("{text:?} is no length of time from 1s to 3650d"), hint);
        }
        micros
    }

    pub(super) fn time(&self, reader: &mut Reader<'a>, key: &str) -> Option<Timestamp> {
        reader.time_of(self.get(key)?, key)
    }

    pub(super) fn condition(&self, reader: &mut Reader<'a>, key: &str, sight: Sight) -> Option<Condition> {
        let value = self.get(key)?;
        let text = reader.text_of(value, key)?;
        match Condition::parse_among(text, sight, &mut reader.regexes) {
            Ok(condition) => Some(condition),
            Err(faults) => {
                let span = value.span();
                let raw = reader.texts.written(span.clone());
                for fault in faults {
                    let [start, end] = [fault.offset, fault.offset + fault.length].map(|at| span.start + quoting::offset_in_raw(raw, at));
                    reader.tell_of(start..end, "condition", fault.message, fault.hint);
                }
                None
            }
        }
    }
}

/// Ids already used in one list of rules.
#[derive(Default)]
pub(super) struct Ids<'a>(BTreeSet<&'a str>);

impl<'a> Ids<'a> {
    /// The id of a rule, told if it is missing or used twice.
    pub(super) fn take(&mut self, reader: &mut Reader<'a>, section: &Section<'a>) -> Option<&'a str> {
        let value = section.required(reader, "id", "\"…\"")?;
        let id = reader.name_of(value, "id")?;
        if !self.0.insert(id) {
            reader.tell(
                value.span().start,
                "duplicate_id",
                format!("the id {id:?} is already taken in this list"),
                "give each rule an id of its own",
            );
            return None;
        }
        Some(id)
    }
}

/// What is written, without its places.
pub(super) fn json_of(value: Written<'_>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, |number| json!(number)),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, |number| json!(number)),
        DeValue::Boolean(value) => json!(value),
        DeValue::Datetime(time) => json!(time.to_string()),
        DeValue::Array(list) => list.iter().map(json_of).collect(),
        DeValue::Table(table) => table.iter().map(|(key, value)| (key.get_ref().to_string(), json_of(value))).collect(),
    }
}

/// `24h` and the like in microseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?.trim_end();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<i64>().ok()?.checked_mul(seconds)?;
    (1..=3_650 * 86_400).contains(&seconds).then_some(seconds * 1_000_000)
}

fn kind(value: Written<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(duration("24h"), Some(86_400_000_000));
        assert_eq!(duration("90m"), Some(5_400_000_000));
        assert_eq!(duration("3d"), Some(259_200_000_000));
        assert_eq!(duration("1s"), Some(1_000_000));
        for wrong in ["", "h", "24", "0h", "-1h", "1.5h", "24 hours", "1w", "99999999999999999999d", "4000d", "+1h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}

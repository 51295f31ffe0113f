//! Reading `[[test]]`: every value checked, every problem collected. An expectation that could never fail is a slip, and told:
//! paths must be paths of a decision, words must be words the field can have.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::{
    NOW, RuleTest, TestLead,
    expectation::{Expectation, How},
    paths::{self, Words},
};
use crate::{
    lead::{Format, Timestamp},
    problem::Problem,
    rules::{
        Ruleset, RulesetFile,
        files::Texts,
        keys,
        reading::{Reader, Section, Written, json_of},
    },
};

/// Reference tables a test can bring.
const TABLES: [&str; 3] = ["offers", "accounts", "suppressions"];

/// The tests of a file, for a ruleset: `*.test.toml`, or the ruleset's own file with its `[[test]]`.
///
/// # Errors
/// Every problem at once, with file, line and column.
pub fn rule_tests(file: &RulesetFile, rules: &Ruleset) -> Result<Vec<RuleTest>, Vec<Problem>> {
    let files = std::slice::from_ref(file);
    let texts = Texts::new(files);
    let mut reader = Reader::new(&texts);
    let (root, errors) = DeTable::parse_recoverable(file.written());
    for error in &errors {
        let hint = "texts stand in quotes; a lead is easiest between '''three quotes'''";
        let message = format!("not valid TOML: {}", error.message().lines().next().unwrap_or_default());
        reader.tell(error.span().map_or(0, |span| span.start), "toml_syntax", message, hint);
    }
    if !errors.is_empty() {
        return Err(reader.into_problems());
    }
    let root = root.into_inner();
    // A ruleset's own file has the ruleset's keys beside them, which are checked with it.
    if !root.contains_key("ruleset") {
        reader.known_keys("", &root, keys::TEST_FILE);
    }
    let now = root.get("now").and_then(|value| reader.time_of(value, "now")).or_else(|| Timestamp::parse(NOW));
    let list = root.get("test").and_then(|value| reader.list_of(value, "test")).unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for value in list {
        let Some(section) = reader.section("test", value, keys::TEST) else { continue };
        found.extend(rule_test(&mut reader, &section, now, rules, &texts, &mut names));
    }
    let problems = reader.into_problems();
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn rule_test<'a>(
    reader: &mut Reader<'a>,
    section: &Section<'a>,
    now: Option<Timestamp>,
    rules: &Ruleset,
    texts: &Texts<'a>,
    names: &mut BTreeSet<&'a str>,
) -> Option<RuleTest> {
    section.required(reader, "name", "\"a French lead is refused\"");
    let name = section.label(reader, "name");
    if let Some(name) = name.filter(|name| !names.insert(name)) {
        let message = format!("there is another test {name:?}");
        reader.tell(section.place("name"), "duplicate_name", message, "give each test a name of its own");
    }
    let now = section.time(reader, "now").or(now)?;
    let lead = lead(reader, section);
    let format = section.get("format").and_then(|value| reader.word_of::<Format>(value, "format"));
    let tables = TABLES.into_iter().filter_map(|table| Some((table, rows(reader, section, table)?))).collect();
    let expect = expectations(reader, section, rules, texts);
    let place = texts.place(section.start, Problem::error("", ""));
    Some(RuleTest { name: name?.to_owned(), now, lead: lead?, format, tables, expect, place })
}

fn lead<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<TestLead> {
    const WAYS: [&str; 3] = ["lead", "lead_file", "lead_hex"];
    let mut written = WAYS.into_iter().filter_map(|key| Some((key, section.get(key)?)));
    let first = written.next();
    if let Some((key, value)) = written.next() {
        let message = format!("{key} beside {}: a test has one lead", first.map_or("", |(key, _)| key));
        reader.tell(value.span().start, "invalid_value", message, "make two tests of it");
    }
    let Some((key, value)) = first else {
        reader.tell(section.start, "missing_key", "the test has no lead", "add lead = '{…}', or lead_file = \"x.json\"");
        return None;
    };
    let text = reader.text_of(value, key)?;
    match key {
        "lead" => Some(TestLead::Bytes(text.as_bytes().to_vec())),
        "lead_file" => Some(TestLead::File(text.to_owned())),
        _ => {
            let bytes = unhex(text);
            if bytes.is_none() {
                reader.tell(value.span().start, "invalid_value", "lead_hex is not written in hexadecimal", "write two digits a byte");
            }
            bytes.map(TestLead::Bytes)
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|letter| !letter.is_whitespace()).map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    pairs.collect()
}

/// Rows of a table as lines of JSON.
fn rows<'a>(reader: &mut Reader<'a>, section: &Section<'a>, table: &'static str) -> Option<String> {
    let list = section.get(table).and_then(|value| reader.list_of(value, table))?;
    let mut lines = String::new();
    for row in list {
        if row.get_ref().as_table().is_none() {
            reader.wrong_type(row, table, "a list of rows", format!("write {table} = [{{ … }}]"));
        }
        lines.push_str(&json_of(row).to_string());
        lines.push('\n');
    }
    Some(lines)
}

fn expectations<'a>(reader: &mut Reader<'a>, section: &Section<'a>, rules: &Ruleset, texts: &Texts<'a>) -> Vec<Expectation> {
    let Some(value) = section.required(reader, "expect", "{ verdict = \"QUALIFIED\" }") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type(value, "expect", "a table", "write expect = { verdict = \"QUALIFIED\" }");
        return Vec::new();
    };
    if table.is_empty() {
        reader.tell(value.span().start, "invalid_value", "nothing is expected: this test cannot fail", "add verdict = \"QUALIFIED\"");
    }
    let mut written: Vec<_> = Vec::new();
    flatten("", table, &mut written);
    written.sort_by_key(|(_, place, _)| *place);
    let mut expectations = Vec::new();
    for (key, start, value) in written {
        let (path, how) = How::of(&key);
        let Some(words) = paths::words(path, rules) else {
            let known = paths::known(rules);
            let hint = reader.hint(path, known.iter().map(String::as_str));
            reader.tell(start, "unknown_path", format!("a decision has no {path:?}"), hint);
            continue;
        };
        check_words(reader, path, how, value, &words);
        let place = texts.place(start, Problem::error("", ""));
        expectations.push(Expectation { path: path.to_owned(), how, want: json_of(value), place });
    }
    expectations
}

/// Keys with the dots TOML takes apart where they are not quoted (`contact.country = "FR"`); a map that is expected as a whole
/// stays whole.
fn flatten<'a>(within: &str, table: &'a DeTable<'a>, found: &mut Vec<(String, usize, Written<'a>)>) {
    for (key, value) in table {
        let path = if within.is_empty() { key.get_ref().to_string() } else { format!("{within}.{}", key.get_ref()) };
        match value.get_ref().as_table() {
            Some(inner) if !matches!(path.as_str(), "attribution" | "extra" | "ruleset.tables") && !inner.is_empty() => {
                flatten(&path, inner, found);
            }
            _ => found.push((path, key.span().start, value)),
        }
    }
}

/// What a field can never be is a slip: `+` and `is` would fail for ever, `-` and `!` never.
fn check_words<'a>(reader: &mut Reader<'a>, path: &str, how: How, value: Written<'a>, words: &Words) {
    let listed = value.get_ref().as_array();
    if how.takes_list() && listed.is_none() {
        reader.wrong_type(value, path, "a list", "write it in brackets: [\"…\", \"…\"]");
        return;
    }
    if how == How::Begins && value.get_ref().as_str().is_none() {
        reader.wrong_type(value, path, "a text", "put it in quotes");
        return;
    }
    let is_empty =
        listed.is_some_and(|list| list.is_empty()) && how.takes_list() || how == How::Begins && value.get_ref().as_str() == Some("");
    if is_empty {
        let hint = "name something; an empty list without a letter after the path asks for nothing there";
        reader.tell(value.span().start, "invalid_value", format!("nothing is asked of {path}: this cannot fail"), hint);
        return;
    }
    let each: Vec<Written<'a>> = listed.map_or_else(|| vec![value], |list| list.iter().collect());
    for value in &each {
        let fits = match (words, value.get_ref()) {
            // Of a number that may be missing.
            (Words::Number, DeValue::String(text)) => text.is_empty(),
            (Words::Number, found) => matches!(found, DeValue::Integer(_) | DeValue::Float(_)),
            (Words::Truth, found) => matches!(found, DeValue::Boolean(_)),
            _ => true,
        };
        if !fits {
            let wanted = if *words == Words::Number { "a number" } else { "true or false" };
            reader.wrong_type(value, path, wanted, "write it without quotes");
            return;
        }
    }
    let is_list = matches!(words, Words::SomeOf(_) | Words::Named(_));
    if matches!(how, How::HasAll | How::HasNone) && matches!(words, Words::OneOf(_)) {
        reader.tell(value.span().start, "invalid_value", format!("{path} is no list"), "write ? in place of + for one of several");
        return;
    }
    if is_list && matches!(how, How::Is | How::Differs) && listed.is_none() {
        reader.wrong_type(value, path, "a list", "write it in brackets; + after the path asks for some of a list");
        return;
    }
    // What holds of whatever is not there would hold for ever.
    let holds_of_nothing = matches!(how, How::HasNone | How::Differs);
    if *words == Words::NoSuchRoute && (holds_of_nothing || value.get_ref().as_str() == Some("")) {
        reader.tell(value.span().start, "invalid_value", format!("no route has the destination of {path}"), "name one of the ruleset's");
        return;
    }
    let (Words::OneOf(known) | Words::SomeOf(known) | Words::Named(known)) = words else { return };
    if how == How::Begins || is_list && how == How::OneOf || matches!(words, Words::Named(_)) && !holds_of_nothing {
        return;
    }
    for value in each {
        let Some(text) = reader.text_of(value, path) else { continue };
        // Of a field that may be missing.
        if text.is_empty() && !is_list {
            continue;
        }
        if !known.iter().any(|word| word == text) {
            let hint = reader.hint(text, known.iter().map(String::as_str));
            reader.tell(value.span().start, "invalid_value", format!("{path} is never {text:?}"), hint);
        }
    }
}

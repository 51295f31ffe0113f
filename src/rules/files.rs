//! The files of a ruleset as one run of bytes, so that a byte's number alone tells file, line and column. Knows texts and their
//! names; opens nothing.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::quoting;
use crate::problem::{Place, Problem};

/// One file of a ruleset, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesetFile {
    /// What problems are said to stand in; empty where the caller fills it.
    pub name: String,
    /// The file's text, a byte-order mark and all.
    pub text: String,
}

impl RulesetFile {
    /// Editors that write a byte-order mark do not count it as a column.
    pub(super) fn written(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }
}

/// What a ruleset is built upon, by its key `extends`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extends {
    /// `"default"`.
    BuiltIn,
    /// A path, relative to the file that names it.
    File(String),
}

/// `extends`, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// What is extended.
    pub what: Extends,
    place: Problem,
}

impl Extended {
    /// A problem that stands at `extends`.
    #[must_use]
    pub fn problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), ..self.place.clone() }
    }
}

/// What this file extends; nothing where it is no TOML or names no text: the checking of the whole tells that.
#[must_use]
pub fn extends(file: &RulesetFile) -> Option<Extended> {
    let text = file.written();
    let root = DeTable::parse(text).ok()?;
    let value = root.get_ref().get("ruleset")?.get_ref().as_table()?.get("extends")?;
    let DeValue::String(written) = value.get_ref() else { return None };
    let what = if written == "default" { Extends::BuiltIn } else { Extends::File(written.clone().into_owned()) };
    let place = Problem::error("", "").spanning(text, value.span()).in_file(file.name.clone());
    Some(Extended { what, place })
}

/// A line of a rules file that is longer than this is not shown: nobody wrote it by hand.
const LONGEST_SHOWN: usize = 16 << 10;

/// The texts one after another, with a byte between two, so that the end of one is not the beginning of the next.
pub(super) struct Texts<'a>(Vec<Text<'a>>);

struct Text<'a> {
    name: &'a str,
    written: &'a str,
    start: usize,
    /// Bytes at which lines begin, counted from the file's first.
    lines: Vec<usize>,
}

/// A byte's place as a person counts.
pub(super) struct Located<'a> {
    pub(super) file: &'a str,
    pub(super) place: Place,
    /// The whole line.
    line: &'a str,
    /// The same from the byte on.
    rest: &'a str,
}

impl<'a> Texts<'a> {
    pub(super) fn new(files: &'a [RulesetFile]) -> Self {
        let mut start = 0;
        let texts = files.iter().map(|file| {
            let text = file.written();
            let lines = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            let this = Text { name: &file.name, written: text, start, lines };
            start += text.len() + 1;
            this
        });
        Self(texts.collect())
    }

    /// Every text with its first byte, outermost first.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.0.iter().map(|text| (text.start, text.written))
    }

    fn holding(&self, offset: usize) -> Option<&Text<'a>> {
        self.0.get(self.0.partition_point(|text| text.start <= offset).checked_sub(1)?)
    }

    /// Whether both bytes are of the same text.
    pub(super) fn are_in_one(&self, one: usize, other: usize) -> bool {
        let start = |offset| self.holding(offset).map(|text| text.start);
        start(one) == start(other)
    }

    /// What is written there.
    pub(super) fn written(&self, span: Range<usize>) -> &'a str {
        let inside = |text: &Text<'a>| text.written.get(span.start.checked_sub(text.start)?..span.end.checked_sub(text.start)?);
        self.holding(span.start).and_then(inside).unwrap_or_default()
    }

    pub(super) fn locate(&self, offset: usize) -> Option<Located<'a>> {
        let text = self.holding(offset)?;
        let within = (offset - text.start).min(text.written.len());
        let line = text.lines.partition_point(|start| *start <= within);
        let start = text.lines.get(line.checked_sub(1)?).copied()?;
        let end = text.lines.get(line).map_or(text.written.len(), |next| next - 1);
        let whole = text.written.get(start..end)?;
        // A line too long to be shown is too long to be counted for each of its problems, too.
        let before = whole.get(..(within - start).min(whole.len()));
        let column = if whole.len() > LONGEST_SHOWN { within - start } else { before.map_or(0, |before| before.chars().count()) };
        let rest = whole.get((within - start).min(whole.len())..).unwrap_or_default();
        Some(Located { file: text.name, place: Place { line, column: column + 1 }, line: whole.trim_end_matches('\r'), rest })
    }

    /// The problem, with file, line, column and the line itself. Of one that says not how much of it is underlined it is what begins
    /// there.
    pub(super) fn place(&self, offset: usize, problem: Problem) -> Problem {
        let Some(located) = self.locate(offset) else { return problem };
        let mut problem = problem.on(located.place);
        problem.quoted = Some(located.line).filter(|line| line.len() <= LONGEST_SHOWN).map(str::to_owned);
        if problem.underlined == 0 && problem.quoted.is_some() {
            let length = quoting::written_length(located.rest);
            problem.underlined = located.rest.get(..length).map_or(1, |written| written.chars().count().max(1));
        }
        if located.file.is_empty() { problem } else { problem.in_file(located.file) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_tells_its_file_line_and_column() {
        let file = |name: &str, text: &str| RulesetFile { name: name.to_owned(), text: text.to_owned() };
        let files = [file("a", "\u{feff}ö = 1\r\nb"), file("b", ""), file("c", "\nx = 2\n")];
        let texts = Texts::new(&files);
        let starts: Vec<usize> = texts.each().map(|(start, _)| start).collect();
        let at = |offset| {
            let problem = texts.place(offset, Problem::error("x", "x"));
            let place = format!("{}:{}:{}", problem.file.unwrap_or_default(), problem.line, problem.column);
            (place, problem.quoted.unwrap_or_default())
        };
        assert_eq!(at(0), ("a:1:1".to_owned(), "ö = 1".to_owned()));
        assert_eq!(at(3), ("a:1:3".to_owned(), "ö = 1".to_owned()));
        assert_eq!(at(starts[1] - 1), ("a:2:2".to_owned(), "b".to_owned()));
        assert_eq!(at(starts[1]), ("b:1:1".to_owned(), String::new()));
        assert_eq!(at(starts[2] + 1), ("c:2:1".to_owned(), "x = 2".to_owned()));
        assert_eq!(at(10_000).0, "c:3:1");
        assert_eq!(texts.written(starts[2] + 1..starts[2] + 6), "x = 2");
    }

    #[test]
    fn what_is_extended_is_told_with_its_place() {
        let file = |text: &str| RulesetFile { name: "a.toml".to_owned(), text: text.to_owned() };
        let of = |text: &str| extends(&file(text));
        assert_eq!(of("[ruleset]\nextends = 'default'").map(|it| it.what), Some(Extends::BuiltIn));
        assert_eq!(of("[ruleset]\nextends = '../b'").map(|it| it.what), Some(Extends::File("../b".to_owned())));
        for none in ["", "[ruleset]", "[ruleset]\nextends = 3", "ruleset = 1", "[ruleset]\nextends = 'default'\n["] {
            assert_eq!(of(none), None, "{none}");
        }
        let problem = of("[ruleset]\nextends = 'x'").expect("one").problem("code", "message");
        assert_eq!(problem.to_string(), "error: a.toml:2:11: message\n  | extends = 'x'\n  |           ^^^");
    }
}

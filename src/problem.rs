//! One thing that is wrong with what a person wrote (configuration, rules, tables), told so that it can be mended:
//! where, what, and what to do. Collected, never thrown one by one. Printing and exit codes live in the command line.

use std::{fmt, ops::Range};

use serde::Serialize;

/// Whether a problem stops the start or is only worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing starts while one of these stands.
    Error,
    /// Told, and started all the same.
    Warning,
}

/// A place in a text file: 1-based line and column (in characters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 1-based line; 0 where there is no line to point at.
    pub line: usize,
    /// 1-based column in characters; 0 where there is none.
    pub column: usize,
}

impl Place {
    /// The place of byte `offset` in `text` (past the end: the end).
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// One problem. `file` is filled by whoever knows the path; the parsers of text do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file, the environment variable or the flag the problem sits in.
    pub file: Option<String>,
    /// 1-based, 0 where there is none.
    pub line: usize,
    /// 1-based, 0 where there is none.
    pub column: usize,
    /// Stable name of the kind of problem, `snake_case`.
    pub code: &'static str,
    /// What is wrong, lower-case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A lead that shows it: fields with their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<serde_json::Map<String, serde_json::Value>>,
    /// The line of the file the problem stands on, for people.
    #[serde(skip)]
    pub quoted: Option<String>,
    /// How many letters of that line it is about, from the column on; 0 while that is not known, and then one.
    #[serde(skip)]
    pub underlined: usize,
}

impl Problem {
    /// An error without a place.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: None,
            line: 0,
            column: 0,
            code,
            message: message.into(),
            hint: None,
            example: None,
            quoted: None,
            underlined: 1,
        }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the file (or variable, or flag).
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Points at byte `offset` of `text` and quotes that line.
    #[must_use]
    pub fn at(mut self, text: &str, offset: usize) -> Self {
        let place = Place::of(text, offset);
        self.line = place.line;
        self.column = place.column;
        self.quoted = text.lines().nth(place.line - 1).map(str::to_owned);
        self
    }

    /// Points at these bytes of `text`, quotes the line they begin on and underlines what of them stands there.
    #[must_use]
    pub fn spanning(self, text: &str, bytes: Range<usize>) -> Self {
        let (start, end) = (Place::of(text, bytes.start), Place::of(text, bytes.end));
        let mut problem = self.at(text, bytes.start);
        let line_end = problem.quoted.as_ref().map_or(0, |line| line.chars().count() + 1);
        let until = if end.line == start.line { end.column } else { line_end };
        problem.underlined = until.saturating_sub(start.column).max(1);
        problem
    }

    /// Points at a place without quoting its line: for files whose lines may hold what must not be shown.
    #[must_use]
    pub fn on(mut self, place: Place) -> Self {
        self.line = place.line;
        self.column = place.column;
        self
    }

    /// Whether this one stops the start.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    /// `error: FILE:LINE:COLUMN: message` with the line quoted, what it is about underlined, and the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_error() { "error" } else { "warning" };
        write!(f, "{word}: ")?;
        match (&self.file, self.line) {
            (Some(file), 0) => write!(f, "{file}: ")?,
            (Some(file), line) => write!(f, "{file}:{line}:{}: ", self.column)?,
            (None, 0) => {}
            (None, line) => write!(f, "{line}:{}: ", self.column)?,
        }
        write!(f, "{}", self.message)?;
        if let Some(quoted) = &self.quoted {
            // A very long line is shown around the column only: the message must stay readable.
            let start = self.column.saturating_sub(80);
            let shown: String = quoted.chars().skip(start).take(160).map(|c| if c == '\t' { ' ' } else { c }).collect();
            let before = self.column.saturating_sub(1 + start);
            let underlined = self.underlined.min(shown.chars().count().saturating_sub(before)).max(1);
            write!(f, "\n  | {shown}\n  | {}{}", " ".repeat(before), "^".repeat(underlined))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  = {hint}")?;
        }
        if let Some(example) = &self.example {
            let fields: Vec<String> = example.iter().map(|(field, value)| format!("{field} = {value}")).collect();
            write!(f, "\n  = a lead that shows it: {}", fields.join(", "))?;
        }
        Ok(())
    }
}

/// How many letters must be added, removed, changed or swapped with their neighbour to make `b` of `a`. Only the first 64
/// letters count: a long text is no slip of a name.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                steps = steps.min(before_last[j - 1] + 1);
            }
            row.push(steps);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_not_bytes() {
        assert_eq!(Place::of("a\nöö = 1", 7), Place { line: 2, column: 4 });
        assert_eq!(Place::of("", 10), Place { line: 1, column: 1 });
    }

    #[test]
    fn what_a_problem_is_about_is_underlined_to_the_end_of_its_line() {
        let shown = |bytes| Problem::error("x", "y").spanning("é = foo\nb", bytes).to_string();
        assert_eq!(shown(5..8), "error: 1:5: y\n  | é = foo\n  |     ^^^");
        assert_eq!(shown(5..10), "error: 1:5: y\n  | é = foo\n  |     ^^^");
        assert_eq!(shown(5..5), "error: 1:5: y\n  | é = foo\n  |     ^");
        assert_eq!(shown(90..99), "error: 2:2: y\n  | b\n  |  ^");
    }

    #[test]
    fn a_problem_prints_place_line_caret_and_hint() {
        let text = "a = 1\nbrokrs = 2\n";
        let shown = Problem::error("unknown_key", "unknown key \"brokrs\"")
            .in_file("x.toml")
            .at(text, 6)
            .hint("did you mean \"brokers\"?")
            .to_string();
        assert_eq!(shown, "error: x.toml:2:1: unknown key \"brokrs\"\n  | brokrs = 2\n  | ^\n  = did you mean \"brokers\"?");
    }
}

//! Regular expressions: what each may take, and all of a ruleset together, and which letters one cannot do without.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// Bytes a regular expression may take once compiled: `(a{1000}){1000}` would take a gigabyte.
const LARGEST: usize = 256 * 1024;
/// How large an expression is, is found out by compiling it within so many bytes, from the least on.
const SIZES: [usize; 3] = [4 * 1024, 32 * 1024, LARGEST];
/// Bytes of all regular expressions of a ruleset.
const ALL: usize = 64 << 20;

/// Names of fields that are looked for among all fields, for one that was meant.
const HINTS: usize = 3_000;
/// Conditions of which it is told what is wrong: more than are shown.
const TOLD: usize = 2_000;

/// What the conditions of one ruleset share: how much room is left for regular expressions, and how much is still told of mistakes.
#[derive(Debug)]
pub(in crate::rules) struct Regexes {
    left: usize,
    hints: usize,
    told: usize,
}

impl Default for Regexes {
    fn default() -> Self {
        Self { left: ALL, hints: HINTS, told: TOLD }
    }
}

impl Regexes {
    /// Tries something of which nothing is told if it fails, and which takes nothing then.
    pub(in crate::rules::condition) fn quietly<T, E>(&mut self, attempt: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let (left, hints) = (self.left, std::mem::take(&mut self.hints));
        let done = attempt(self);
        self.hints = hints;
        if done.is_err() {
            self.left = left;
        }
        done
    }

    /// Whether it is told what is wrong with one more condition.
    pub(in crate::rules::condition) fn is_telling(&self) -> bool {
        self.told > 0
    }

    /// It has been told what is wrong with one.
    pub(in crate::rules::condition) fn has_told(&mut self) {
        self.told = self.told.saturating_sub(1);
    }

    /// Whether a name that was meant is looked for once more.
    pub(super) fn hints(&mut self) -> bool {
        self.hints = self.hints.saturating_sub(1);
        self.hints > 0
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(super) fn build(&mut self, pattern: &str) -> Result<Regex, (String, &'static str)> {
        for size in SIZES {
            if size > self.left {
                let message = format!("the regular expressions of this ruleset take more than {} MiB", ALL >> 20);
                return Err((message, "ask contains(…), startsWith(…) or lowerAscii() in [\"…\"] where that does"));
            }
            match RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(LARGEST).nest_limit(32).build() {
                Ok(regex) => {
                    self.left -= size;
                    return Ok(regex);
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    let said = error.to_string();
                    let said = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    let message = format!("this is no regular expression: {said}");
                    return Err((message, "the syntax is RE2's: no look-around, no back-references"));
                }
            }
        }
        // What came to nothing has taken its time.
        self.left -= LARGEST;
        let message = format!("this regular expression is costly: it takes more than {} KiB", LARGEST / 1024);
        Err((message, "count less: write a{1,9} or a+ in place of a{1000}, and [a-z] in place of \\w"))
    }
}

/// A capital letter without which no text fits the regular expression.
pub(super) fn capital(pattern: &str) -> Option<char> {
    fn needed(regex: &Hir) -> Option<char> {
        match regex.kind() {
            HirKind::Literal(literal) => literal.0.iter().copied().find(u8::is_ascii_uppercase).map(char::from),
            HirKind::Capture(capture) => needed(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
            HirKind::Concat(parts) => parts.iter().find_map(needed),
            HirKind::Alternation(sides) => sides.iter().map(needed).collect::<Option<Vec<_>>>()?.first().copied(),
            HirKind::Class(Class::Unicode(class)) => {
                let first = class.iter().next().map(ClassUnicodeRange::start)?;
                class.iter().all(|range| range.start().is_ascii_uppercase() && range.end().is_ascii_uppercase()).then_some(first)
            }
            _ => None,
        }
    }
    needed(&regex_syntax::parse(pattern).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_take_no_more_than_they_may() {
        let mut regexes = Regexes { left: LARGEST + SIZES[0], ..Regexes::default() };
        assert!(regexes.build("\\w{4}1").is_ok());
        let (message, _) = regexes.build("\\w{4}2").expect_err("too much");
        assert_eq!(message, "the regular expressions of this ruleset take more than 64 MiB");
        assert!(regexes.build("cfo").is_ok());
        assert!(Regexes::default().build("(?i)^(head|lead) of").is_ok());
        assert_eq!(
            (capital("^A+b"), capital("(?i)a"), capital("[A-Z]"), capital("A|b"), capital("A*b")),
            (Some('A'), None, Some('A'), None, None)
        );
    }
}

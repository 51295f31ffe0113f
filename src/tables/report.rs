//! What is wrong with one table: every problem with its place, none with a piece of the table that may be somebody's. Of a
//! kind only the first are told one by one. What is a problem, the tables themselves know.

use std::collections::BTreeMap;

use crate::problem::{Place, Problem};

/// How many problems of one kind are told one by one: enough to see what they have in common, few enough that the other kinds
/// are seen too.
const TOLD: usize = 1000;

/// The problems of one table so far.
pub(super) struct Report<'t> {
    text: &'t str,
    problems: Vec<Problem>,
    /// How many there are of each kind, told or not.
    counts: BTreeMap<&'static str, usize>,
    /// A line that is known: its number, and where it begins.
    known: (usize, usize),
}

impl<'t> Report<'t> {
    /// Offsets are bytes of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, problems: Vec::new(), counts: BTreeMap::new(), known: (1, 0) }
    }

    /// Something for which the table cannot be used. One `code` is always an error or always a warning.
    pub(super) fn error(&mut self, offset: usize, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        if self.counted(code) {
            let place = self.place(offset);
            self.problems.push(Problem::error(code, message).on(place).hint(hint));
        }
    }

    /// Something that no row of the table shows.
    pub(super) fn error_of_table(&mut self, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        if self.counted(code) {
            self.problems.push(Problem::error(code, message).hint(hint));
        }
    }

    /// Something that may be meant.
    pub(super) fn warning(&mut self, offset: usize, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        if self.counted(code) {
            let place = self.place(offset);
            self.problems.push(Problem::warning(code, message).on(place).hint(hint));
        }
    }

    /// An error that holds for the whole table: said at the first row that shows it.
    pub(super) fn error_once(&mut self, offset: usize, code: &'static str, message: &str, hint: &str) {
        if !self.is_told(code, message) {
            self.error(offset, code, message, hint);
        }
    }

    /// A warning that holds for the whole table: said at the first row that shows it.
    pub(super) fn warning_once(&mut self, offset: usize, code: &'static str, message: &str, hint: &str) {
        if !self.is_told(code, message) {
            self.warning(offset, code, message, hint);
        }
    }

    fn is_told(&self, code: &str, message: &str) -> bool {
        self.problems.iter().any(|problem| problem.code == code && problem.message == message)
    }

    /// `what` (for people, and nothing that is somebody's) stands in the table already.
    pub(super) fn twice(&mut self, offset: usize, first: usize, what: &str) {
        if self.counted("duplicate_row") {
            let (line, place) = (self.place(first).line, self.place(offset));
            let problem = Problem::error("duplicate_row", format!("{what} stands in the table already, on line {line}"));
            self.problems.push(problem.on(place).hint("keep one of the two rows"));
        }
    }

    /// Everything from top to bottom, and then how many more there are of each kind.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        let more: Vec<Problem> = self.counts.iter().filter_map(|(code, count)| self.more(code, count.checked_sub(TOLD)?)).collect();
        self.problems.extend(more);
        self.problems
    }

    fn more(&self, code: &str, count: usize) -> Option<Problem> {
        let like = self.problems.iter().find(|problem| problem.code == code).filter(|_| count > 0)?;
        let message = format!("and {count} more of the kind {code}");
        let problem = Problem { severity: like.severity, ..Problem::error("more_problems", message) };
        Some(problem.hint("the first of a kind are told one by one: mend them and check again"))
    }

    /// Counts one of a kind; whether it is to be told.
    fn counted(&mut self, code: &'static str) -> bool {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        *count <= TOLD
    }

    /// Problems come in the order of the rows, mostly: only what lies between two of them is looked through.
    fn place(&mut self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let (line, start) = self.known;
        let (line, start) = if offset < start { (1, 0) } else { (line, start) };
        let passed = self.text.get(start..offset).unwrap_or_default();
        let line = line + passed.bytes().filter(|byte| *byte == b'\n').count();
        let start = passed.rfind('\n').map_or(start, |end| start + end + 1);
        self.known = (line, start);
        Place { line, column: 1 + self.text.get(start..offset).unwrap_or_default().chars().count() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_right_in_whatever_order_they_are_asked() {
        let text = "a\nöx\r\n\nlast";
        let mut report = Report::new(text);
        for (offset, line, column) in [(0, 1, 1), (4, 2, 2), (7, 3, 1), (10, 4, 3), (2, 2, 1), (8, 4, 1), (1, 1, 2), (3, 2, 1), (99, 4, 5)]
        {
            assert_eq!(report.place(offset), Place { line, column }, "{offset}");
        }
    }

    #[test]
    fn of_a_kind_the_first_are_told_and_the_others_counted() {
        let mut report = Report::new("x");
        for _ in 0..1_000_000 {
            report.error(0, "bad_value", "bad", "mend it");
        }
        report.warning(0, "unusual_id", "odd", "look");
        let problems = report.into_problems();
        assert_eq!(problems.len(), TOLD + 2);
        assert_eq!(problems[TOLD].code, "unusual_id");
        let more = &problems[TOLD + 1];
        assert_eq!((more.code, more.message.as_str(), more.is_error()), ("more_problems", "and 999000 more of the kind bad_value", true));
    }

    #[test]
    fn as_many_as_are_told_are_not_said_to_be_more() {
        let mut report = Report::new("x");
        for _ in 0..TOLD {
            report.warning(0, "unusual_id", "odd", "look");
        }
        assert_eq!(report.into_problems().len(), TOLD);
    }

    #[test]
    fn what_holds_for_the_whole_table_is_said_once() {
        let mut report = Report::new("a\nb");
        report.error_once(2, "missing_column", "no scope", "name it");
        report.error_once(0, "missing_column", "no scope", "name it");
        report.error_once(0, "missing_column", "no domain", "name it");
        let told: Vec<_> = report.into_problems().into_iter().map(|problem| (problem.line, problem.message)).collect();
        assert_eq!(told, [(1, "no domain".to_owned()), (2, "no scope".to_owned())]);
    }

    #[test]
    fn a_second_row_names_the_line_of_the_first() {
        let mut report = Report::new("a\nb\na\n");
        report.twice(4, 0, "a");
        let problems = report.into_problems();
        assert_eq!((problems[0].line, problems[0].message.as_str()), (3, "a stands in the table already, on line 1"));
        assert_eq!(problems[0].quoted, None);
    }
}

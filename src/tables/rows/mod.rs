//! A table's text to rows, one after the other, whichever form it is written in, and to the names of its columns. Which columns
//! a table has is told by its `Layout`; what their values mean, the table knows.

mod csv;
mod ndjson;

use std::borrow::Cow;

use super::{
    cells::{Column, LONGEST_CELL},
    report::Report,
};
use crate::problem::distance;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableForm {
    /// Comma-separated, the first line names the columns, quotes as in RFC 4180.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// The most columns of a table.
const MOST_COLUMNS: usize = 1000;

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Layout {
    /// The columns that are known by name; a column's number is its place here.
    pub(super) known: &'static [&'static str],
    /// Those without which no row can be used.
    pub(super) needed: &'static [Column],
    /// Whether columns of other names are kept too.
    pub(super) further: bool,
}

impl Layout {
    /// The name of a known column.
    pub(super) fn name(&self, column: Column) -> &'static str {
        self.known.get(usize::from(column)).copied().unwrap_or_default()
    }
}

/// Reads all rows, hands those that are whole to `each`, and tells the names of the columns by their numbers.
pub(super) fn read(
    form: TableForm,
    text: &str,
    layout: &'static Layout,
    report: &mut Report<'_>,
    mut each: impl FnMut(&Row<'_>, &mut Report<'_>),
) -> Vec<Box<str>> {
    let mut columns = Columns { layout, names: layout.known.iter().map(|name| Box::from(*name)).collect(), next: 0 };
    match form {
        TableForm::Csv => csv::read(text, &mut columns, report, &mut each),
        TableForm::Ndjson => ndjson::read(text, &mut columns, report, &mut each),
    }
    columns.names
}

/// What a row is handed to.
type Each<'e> = &'e mut dyn FnMut(&Row<'_>, &mut Report<'_>);

/// One row: its cells that are not blank, trimmed.
#[derive(Debug)]
pub(super) struct Row<'r> {
    /// Where it begins, in bytes of the text.
    pub(super) offset: usize,
    cells: Vec<(Column, Cow<'r, str>)>,
    /// Known columns that the whole table lacks.
    lacking: &'r [Column],
    /// Names of all columns by their numbers.
    names: &'r [Box<str>],
}

impl Row<'_> {
    pub(super) fn get(&self, column: Column) -> Option<&str> {
        self.cells.iter().find(|(of, _)| *of == column).map(|(_, text)| &**text)
    }

    /// A cell without which the row cannot be used. That a whole column is lacking is told once, not here.
    pub(super) fn need(&self, column: Column, layout: &Layout, report: &mut Report<'_>) -> Option<&str> {
        let value = self.get(column);
        if value.is_none() && !self.lacks(column) {
            let name = layout.name(column);
            report.error(self.offset, "missing_value", format!("this row has no {name}"), "fill the column, or take the row out");
        }
        value
    }

    /// Whether no row of the table can have this column.
    pub(super) fn lacks(&self, column: Column) -> bool {
        self.lacking.contains(&column)
    }

    /// The cells of columns that are not known, with their names.
    pub(super) fn further(&self, layout: &Layout) -> impl Iterator<Item = (&str, &str)> {
        let names = self.names.iter().skip(layout.known.len());
        names.zip(layout.known.len()..).filter_map(|(name, place)| Some((&**name, self.get(Column::try_from(place).ok()?)?)))
    }

    /// All cells, in the order in which they are written.
    pub(super) fn cells(&self) -> impl Iterator<Item = (Column, &str)> {
        self.cells.iter().map(|(column, text)| (*column, &**text))
    }
}

/// The columns of the table being read.
struct Columns {
    layout: &'static Layout,
    names: Vec<Box<str>>,
    /// Where to look first: rows name their columns in one order, mostly.
    next: usize,
}

/// What a name of a column stands for.
enum Named {
    Column(Column),
    /// The table keeps no further columns.
    Refused,
    /// There are too many already.
    TooMany,
}

impl Columns {
    /// The column of this name, a new one if there is none yet. Names that are known have no case.
    fn named(&mut self, name: &str) -> Named {
        let name = name.trim();
        let known = self.layout.known.len();
        let is = |&place: &usize| {
            let of = self.names.get(place).map_or("", |of| of);
            if place < known { of.eq_ignore_ascii_case(name) } else { of == name }
        };
        let found = (self.next..self.names.len()).chain(0..self.next).find(is);
        let place = match found {
            Some(place) => place,
            None if !self.layout.further => return Named::Refused,
            None if self.names.len() >= MOST_COLUMNS => return Named::TooMany,
            None => {
                self.names.push(name.into());
                self.names.len() - 1
            }
        };
        self.next = (place + 1).min(self.names.len());
        Column::try_from(place).map_or(Named::TooMany, Named::Column)
    }

    /// For people: all known names.
    fn known(&self) -> String {
        self.layout.known.join(", ")
    }

    /// The known column that a name of no known one may be a slip of.
    fn slip_of(&self, name: &str) -> Option<&'static str> {
        let name = name.trim().to_lowercase();
        self.layout.known.iter().copied().find(|known| (1..=(known.len() / 4).clamp(1, 2)).contains(&distance(&name, known)))
    }
}

/// Whether a value can be kept. One that is longer than any honest one is no reason to lose the others.
fn is_short(value: &str, offset: usize, report: &mut Report<'_>) -> bool {
    let short = value.len() <= LONGEST_CELL;
    if !short {
        let message = format!("this row has a value of {} bytes, {LONGEST_CELL} are the most", value.len());
        report.error(offset, "long_value", message, "shorten it; is a quote left open further up?");
    }
    short
}

#[cfg(test)]
mod tests;

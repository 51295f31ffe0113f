//! Rows of comma-separated text, by the crate `csv`. The crate takes everything; what it forgives in silence (a quote that is
//! never closed, rows of any length) is told here.

use std::{borrow::Cow, io::Read};

use ::csv::{ReaderBuilder, StringRecord};

use super::{Columns, Each, MOST_COLUMNS, Named, Row, is_short};
use crate::tables::{cells::Column, report::Report};

/// A row put behind the text. Where it is not read as a row of its own, it is within a quote that was never closed.
const END: &str = "\0";
const END_LINE: &[u8] = b"\n\0";

/// Reads the header, then every row.
pub(super) fn read(text: &str, columns: &mut Columns, report: &mut Report<'_>, each: Each<'_>) {
    let bytes = text.as_bytes().chain(END_LINE);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = StringRecord::new();
    let mut header: Option<Header> = None;
    // Bytes in memory that are UTF-8 cannot fail to be read.
    while reader.read_record(&mut record).unwrap_or(false) {
        let is_last = reader.position().byte() >= (text.len() + END_LINE.len()) as u64;
        if is_last && record.iter().eq([END]) {
            break;
        }
        let offset = begins(text, record.position().map_or(0, ::csv::Position::byte));
        if is_last {
            let hint = "close the quote, or double it where it is meant";
            report.error(offset, "open_quote", "this row has a quote that is never closed", hint);
            return;
        }
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        match &header {
            None => header = Some(Header::read(&record, offset, columns, report)),
            Some(header) => {
                if let Some(row) = header.row(&record, offset, &columns.names, report) {
                    each(&row, report);
                }
            }
        }
    }
    if header.is_none() {
        let hint = format!("name the columns in the first line: {}", columns.known());
        report.error_of_table("no_header", "the table has no header", hint);
    }
}

/// Where the row begins: the crate tells where the one before ends, which is before its line break and blank lines.
fn begins(text: &str, after: u64) -> usize {
    let after = usize::try_from(after).unwrap_or(usize::MAX).min(text.len());
    let breaks = text.as_bytes()[after..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    after + breaks
}

/// The first row: which column each field belongs to, `None` for one that is not read.
struct Header {
    fields: Vec<Option<Column>>,
    lacking: Vec<Column>,
}

impl Header {
    fn read(record: &StringRecord, offset: usize, columns: &mut Columns, report: &mut Report<'_>) -> Self {
        let mut fields: Vec<Option<Column>> = Vec::with_capacity(record.len());
        for (number, name) in (1..).zip(record) {
            let column = Self::field(number, name, offset, columns, report);
            let first = column.and_then(|column| fields.iter().position(|known| *known == Some(column)));
            if let Some(first) = first {
                let message = format!("columns {} and {number} of the header have one name", first + 1);
                report.error(offset, "duplicate_column", message, "keep one of them, or rename it");
            }
            fields.push(column.filter(|_| first.is_none()));
        }
        let is_lacking = |column: &Column| !fields.contains(&Some(*column));
        let lacking: Vec<Column> = (0..).take(columns.layout.known.len()).filter(is_lacking).collect();
        for column in lacking.iter().filter(|column| columns.layout.needed.contains(column)) {
            let name = columns.layout.name(*column);
            let message = format!("the header has no column {name}");
            report.error(offset, "missing_column", message, lacking_hint(name, record, columns));
        }
        for (number, name) in (1..).zip(record) {
            let meant = columns.slip_of(name).filter(|meant| lacking.iter().any(|column| columns.layout.name(*column) == *meant));
            if let Some(meant) = meant {
                let message = format!("column {number} of the header is none that leadstream knows");
                report.warning(offset, "unknown_column", message, format!("did you mean {meant}?"));
            }
        }
        Self { fields, lacking }
    }

    /// The column of one field of the header. Its name is not shown: without a header it is a value of the first row.
    fn field(number: usize, name: &str, offset: usize, columns: &mut Columns, report: &mut Report<'_>) -> Option<Column> {
        if name.trim().is_empty() {
            let message = format!("column {number} of the header has no name");
            report.error(offset, "blank_column", message, "name the column, or take it out");
            return None;
        }
        match columns.named(name) {
            Named::Column(column) => Some(column),
            Named::Refused => {
                let message = format!("column {number} of the header is not read");
                report.warning(offset, "unknown_column", message, format!("the columns are {}", columns.known()));
                None
            }
            Named::TooMany => {
                let message = format!("the header has more than {MOST_COLUMNS} columns");
                report.error_once(offset, "too_many_columns", &message, "leave out those that no rule asks for");
                None
            }
        }
    }

    /// The cells of a row; `None`: its fields are not those of the header.
    fn row<'r>(&'r self, record: &'r StringRecord, offset: usize, names: &'r [Box<str>], report: &mut Report<'_>) -> Option<Row<'r>> {
        if record.len() != self.fields.len() {
            let message = format!("this row has {}, the header has {}", counted(record.len()), self.fields.len());
            report.error(offset, "bad_row", message, "quote fields that hold a comma; write a comma for each field that is empty");
            return None;
        }
        let mut cells = Vec::with_capacity(record.len());
        for (column, field) in self.fields.iter().zip(record) {
            let value = field.trim();
            let Some(column) = column else { continue };
            if value.is_empty() || !is_short(value, offset, report) {
                continue;
            }
            if field.len() > value.len() && value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
                report.error(offset, "stray_quote", "this row has blanks around a quoted field", "write the quote right after the comma");
            }
            cells.push((*column, Cow::Borrowed(value)));
        }
        Some(Row { offset, cells, lacking: &self.lacking, names })
    }
}

fn counted(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

/// What to do about a needed column that the header lacks.
fn lacking_hint(name: &str, record: &StringRecord, columns: &Columns) -> String {
    let whole = if record.len() == 1 { record.get(0).unwrap_or_default() } else { "" };
    if whole.contains(';') {
        return "separate the columns with commas, not with semicolons".to_owned();
    }
    if whole.contains('\t') {
        return "separate the columns with commas, not with tabs".to_owned();
    }
    match record.iter().position(|field| columns.slip_of(field) == Some(name)) {
        Some(place) => format!("is column {} meant to be it?", place + 1),
        None => format!("name the columns in the first line: {}", columns.known()),
    }
}

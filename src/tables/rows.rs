//! A table's text to rows of columns: NDJSON, or CSV with a header. Knows no table's columns.

use serde_json::{Map, Value};

use crate::problem::Problem;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableForm {
    /// Comma-separated, the first line names the columns, quotes as in RFC 4180.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// One row: where it begins in the text, and its columns that are not empty.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) offset: usize,
    pub(super) columns: Vec<(String, String)>,
}

/// All rows, and what is wrong with the others.
pub(super) fn rows(form: TableForm, text: &str) -> (Vec<Row>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match form {
        TableForm::Csv => csv(text),
        TableForm::Ndjson => ndjson(text),
    }
}

fn ndjson(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(object) => {
                let mut columns = Vec::with_capacity(object.len());
                for (name, value) in object {
                    match value {
                        Value::Null => {}
                        Value::String(value) => columns.push((name, value)),
                        Value::Bool(_) | Value::Number(_) => columns.push((name, value.to_string())),
                        Value::Array(_) | Value::Object(_) => {
                            let message = "a column of this row is no text, number or boolean";
                            problems.push(Problem::error("bad_column", message).at(text, start).hint("write its value as text"));
                        }
                    }
                }
                columns.retain(|(_, value)| !value.trim().is_empty());
                rows.push(Row { offset: start, columns });
            }
            Err(error) => {
                let column = start + error.column().saturating_sub(1);
                // What the library says of data that are of another type quotes them.
                let why = if error.is_data() { String::new() } else { format!(": {error}") };
                let problem = Problem::error("bad_row", format!("this line is no JSON object{why}"));
                problems.push(problem.at(text, column).hint("write one JSON object a line"));
            }
        }
    }
    (rows, problems)
}

fn csv(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut header: Option<Vec<String>> = None;
    let mut offset = 0;
    while offset < text.len() {
        let start = offset;
        let Some((fields, next)) = record(text, offset) else {
            let problem = Problem::error("open_quote", "this row has a quote that is never closed");
            problems.push(problem.at(text, offset).hint("close the quote, or double it where it is meant"));
            return (rows, problems);
        };
        offset = next;
        if fields.len() == 1 && fields[0].trim().is_empty() {
            continue;
        }
        let Some(names) = &header else {
            header = Some(fields.iter().map(|name| name.trim().to_owned()).collect());
            continue;
        };
        if fields.len() != names.len() {
            let message = format!("this row has {} fields, the header has {}", fields.len(), names.len());
            problems.push(Problem::error("bad_row", message).at(text, start).hint("quote fields that hold a comma"));
            continue;
        }
        let columns = names.iter().cloned().zip(fields).filter(|(_, value)| !value.trim().is_empty()).collect();
        rows.push(Row { offset: start, columns });
    }
    if header.is_none() {
        problems.push(Problem::error("no_header", "the table has no header").hint("name the columns in the first line"));
    }
    (rows, problems)
}

/// The fields of the record at `offset`, and where the next one begins; `None`: a quote is never closed.
fn record(text: &str, offset: usize) -> Option<(Vec<String>, usize)> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text[offset..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => {
                if !quoted {
                    field.clear();
                }
                quoted = !quoted;
            }
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                return Some((fields, offset + at + 1));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    if quoted {
        return None;
    }
    fields.push(field);
    Some((fields, text.len()))
}

//! Rows of one JSON object a line, by `serde_json`. Of a line that is none, only what is wrong with it is told, never a piece
//! of it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::{Columns, Each, MOST_COLUMNS, Named, Row, is_short};
use crate::tables::{cells::Column, report::Report};

/// Reads every line.
pub(super) fn read(text: &str, columns: &mut Columns, report: &mut Report<'_>, each: Each<'_>) {
    let blanks = text.len() - text.trim_start().len();
    if text[blanks..].starts_with('[') {
        report.error(blanks, "bad_row", "this is a JSON array", "write one JSON object a line: jq -c '.[]' makes that of it");
        return;
    }
    let mut next = 0;
    for line in text.split_inclusive('\n') {
        let offset = next;
        next += line.len();
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Object<'_>>(line.trim_end_matches(['\r', '\n'])) {
            Ok(object) => {
                let cells = cells(object, offset, columns, report);
                each(&Row { offset, cells, lacking: &[], names: &columns.names }, report);
            }
            Err(error) => {
                let message = format!("this line is no JSON object{}", what(&error));
                report.error(offset + error.column().saturating_sub(1), "bad_row", message, "write one JSON object a line");
            }
        }
    }
}

/// What the parser says, without its place (it counts from the line's beginning) and without what the line holds.
fn what(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match error.classify() {
        Category::Syntax => format!(": {}", said.rsplit_once(" at line ").map_or(&*said, |(what, _)| what)),
        Category::Eof => ": it ends too early".to_owned(),
        Category::Data | Category::Io => String::new(),
    }
}

/// The cells of a row. A value that is no text, number or boolean is told and left out.
fn cells<'r>(object: Object<'r>, offset: usize, columns: &mut Columns, report: &mut Report<'_>) -> Vec<(Column, Cow<'r, str>)> {
    let mut cells: Vec<(Column, Cow<'r, str>)> = Vec::with_capacity(object.0.len());
    for (name, value) in object.0 {
        let column = match columns.named(&name.0) {
            Named::Column(column) => column,
            Named::Refused => {
                let message = "rows have columns that are not read";
                let hint = format!("the columns are {}", columns.known());
                report.warning_once(offset, "unknown_column", message, &hint);
                continue;
            }
            Named::TooMany => {
                let message = format!("the rows have more than {MOST_COLUMNS} columns");
                report.error_once(offset, "too_many_columns", &message, "leave out those that no rule asks for");
                continue;
            }
        };
        let shown = shown(&name.0);
        match scalar(value) {
            Scalar::Nothing => {}
            Scalar::Text(_) if cells.iter().any(|(known, _)| *known == column) => {
                report.error(offset, "duplicate_column", format!("{shown} stands twice in this row"), "keep one of the two");
            }
            Scalar::Text(text) => {
                if is_short(&text, offset, report) {
                    cells.push((column, text));
                }
            }
            Scalar::None => {
                let message = format!("{shown} of this row is no text, number or boolean");
                report.error(offset, "bad_column", message, "write its value as text");
            }
        }
    }
    cells
}

/// The name of a column for people, if it looks like one: what a careless export puts there may be somebody's.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { name } else { "a column" }
}

enum Scalar<'r> {
    /// Null or blank.
    Nothing,
    Text(Cow<'r, str>),
    None,
}

/// The trimmed text of a value, numbers and booleans as they are written.
fn scalar(value: &RawValue) -> Scalar<'_> {
    let written = value.get();
    let text = match written.as_bytes().first() {
        Some(b'n') => return Scalar::Nothing,
        Some(b'[' | b'{') => return Scalar::None,
        Some(b'"') => serde_json::from_str::<Text<'_>>(written).ok().map(|text| text.0),
        _ => Some(Cow::Borrowed(written)),
    };
    match text {
        None => Scalar::None,
        Some(text) if text.trim().is_empty() => Scalar::Nothing,
        Some(Cow::Borrowed(text)) => Scalar::Text(Cow::Borrowed(text.trim())),
        Some(Cow::Owned(text)) => Scalar::Text(Cow::Owned(text.trim().to_owned())),
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

/// The entries of a JSON object in the order of the line, keys that come twice too.
struct Object<'r>(Vec<(Text<'r>, &'r RawValue)>);

impl<'r> Deserialize<'r> for Object<'r> {
    fn deserialize<D: Deserializer<'r>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'r> Visitor<'r> for Entries {
            type Value = Object<'r>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'r>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

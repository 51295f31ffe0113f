//! `leadstream rules schema`: what a ruleset is, for other programs. Writes; knows no rule itself.

use std::io::{self, Write};

use crate::rules;

/// Writes the JSON Schema of ruleset files, or of files of `tests`.
///
/// # Errors
/// `out` cannot be written to.
pub fn ruleset_schema(tests: bool, out: &mut dyn Write) -> io::Result<()> {
    let schema = if tests { rules::rule_test_schema() } else { rules::ruleset_schema() };
    out.write_all(schema.as_bytes())
}

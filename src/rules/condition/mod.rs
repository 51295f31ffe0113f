//! Conditions: CEL over the lead block's fields. The text is bounded, parsed by the `cel` crate, type-checked against the
//! fields and lowered to a small tree of our own that cannot fail. Knows nothing of TOML.

mod bounds;
mod compile;
mod evaluate;
mod fields;
#[cfg(test)]
mod tests;

pub(super) use fields::Sight;
pub(crate) use fields::Subject;

use bounds::OutOfBounds;

/// What is wrong in a condition, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A checked condition.
#[derive(Debug)]
pub(crate) struct Condition(compile::Node);

impl Condition {
    /// Parses and checks the text of a condition.
    ///
    /// # Errors
    /// Every fault that can be told at once: one where the text is no CEL, all where names or types are wrong.
    pub(super) fn parse(text: &str, sight: Sight) -> Result<Self, Vec<Fault>> {
        bounds::check(text).map_err(|out| vec![out_of_bounds(out)])?;
        if text.trim().is_empty() {
            return Err(vec![fault(0, "the condition is empty", "write `true` for one that always holds")]);
        }
        // Without macros, so that has(x) reaches us as it is written, whatever x is.
        let parser = cel::Env::default().parser().enable_optional_syntax(false);
        let (expression, source) = parser.parse_with_source_info(text).map_err(|errors| vec![syntax(text, &errors)])?;
        compile::compile(&expression, &source, sight).map(Self)
    }

    /// Whether it is true of the lead.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        evaluate::holds(&self.0, subject)
    }
}

fn fault(offset: usize, message: &str, hint: &str) -> Fault {
    Fault { offset, message: message.to_owned(), hint: Some(hint.to_owned()) }
}

fn out_of_bounds(out: OutOfBounds) -> Fault {
    match out {
        OutOfBounds::TooLong(at) => fault(at, &format!("a condition has at most {} bytes", bounds::LONGEST), "split it over several rules"),
        OutOfBounds::TooDeep(at) => {
            fault(at, &format!("a condition nests at most {} levels deep", bounds::DEEPEST), "split it over several rules, or use `in`")
        }
        OutOfBounds::UnclosedText(at) => fault(at, "this text is not closed", "end it with the quote it begins with"),
        OutOfBounds::BadPrefix(at) => fault(at, "a text cannot stand here", "put an operator before it"),
    }
}

/// The first thing the parser did not understand; what it says after that mostly follows from it.
fn syntax(text: &str, errors: &cel::ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else {
        return fault(0, "this is no CEL", "see docs/rules.md");
    };
    let offset = offset_of(text, first.pos);
    let said = first.msg.trim_start_matches("Syntax error: ");
    let said = said.split_once(" expecting ").map_or(said, |(what, _)| what);
    let said: String = said.chars().take(120).collect();
    let rest = text.get(offset..).unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    let hint = match (word.to_ascii_lowercase().as_str(), rest.as_bytes().first()) {
        ("and", _) | (_, Some(b'&')) => "write && for \"and\"",
        ("or", _) | (_, Some(b'|')) => "write || for \"or\"",
        ("not", _) => "write ! for \"not\"",
        (_, Some(b'=')) => "write == to compare",
        _ => "conditions are CEL: && || ! == != < <= > >= in, texts in quotes",
    };
    Fault { offset, message: format!("not valid CEL: {said}"), hint: Some(hint.to_owned()) }
}

/// The byte at a 1-based line and column; the end where that is not in the text.
fn offset_of(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

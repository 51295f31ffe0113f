//! What is said of a text that is no CEL, or too long or too deep to be read. What is CEL and wrong, `compile` tells.

use super::{
    Fault,
    bounds::{self, OutOfBounds},
};

/// What to do about a text that may not be read.
pub(super) fn out_of_bounds(text: &str, out: OutOfBounds) -> Fault {
    let fault = |at: usize, message: &str, hint: &str| Fault::new(at, bounds::token_end(text, at) - at, message, hint);
    match out {
        OutOfBounds::TooLong(at) => fault(at, &format!("a condition has at most {} bytes", bounds::LONGEST), "split it over several rules"),
        OutOfBounds::TooDeep(at) => {
            let message = format!("a condition nests at most {} levels and {} brackets deep", bounds::DEEPEST, bounds::MOST_OPEN);
            fault(at, &message, "split it over several rules, or use `in`")
        }
        OutOfBounds::UnclosedText(at) => fault(at, "this text is not closed", "end it with the quote it begins with"),
        OutOfBounds::BadPrefix(at) => fault(at, "a text cannot stand here", "put an operator before it"),
    }
}

/// The first thing the parser did not understand; what it says after that mostly follows from it.
pub(super) fn not_cel(text: &str, errors: &cel::ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else {
        return Fault::new(0, 0, "this is no CEL", "see docs/conditions.md");
    };
    let offset = offset_of(text, first.pos);
    let said = first.msg.trim_start_matches("Syntax error: ");
    let said = said.split_once(" expecting ").map_or(said, |(what, _)| what).replace("'<EOF>'", "the end");
    // The parser's three ways of saying that something does not belong here.
    let unexpected = ["token recognition error at: ", "mismatched input ", "extraneous input "];
    let said = match unexpected.iter().find_map(|way| said.strip_prefix(way)) {
        Some(what) => format!("unexpected {what}"),
        None => said,
    };
    let said: String = said.chars().take(120).collect();
    let rest = text.get(offset..).unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let before = text.get(..offset).unwrap_or_default().trim_end();
    let word_before = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let doubled = rest.starts_with("&&") || rest.starts_with("||");
    let hint = match (word.to_ascii_lowercase().as_str(), rest.as_bytes().first()) {
        _ if doubled => "this operator lacks a side",
        ("and", _) | (_, Some(b'&')) => "write && for \"and\"",
        ("or", _) | (_, Some(b'|')) => "write || for \"or\"",
        ("not", _) if rest.split_whitespace().nth(1).is_some_and(|next| next.eq_ignore_ascii_case("in")) => "write !(x in […])",
        ("not", _) => "write ! for \"not\"",
        ("is", _) => "write x == null for \"is null\", and has(x) for \"is not null\"",
        ("in", _) if word != "in" => "write in, in small letters",
        ("like" | "ilike", _) => "write x.startsWith(\"…\"), x.endsWith(\"…\"), x.contains(\"…\") or x.matches(\"…\")",
        ("between", _) => "write x >= 1 && x <= 9",
        (_, Some(b'>')) if before.ends_with('<') => "write != for \"<>\"",
        (_, Some(b'=')) if before.ends_with("==") || before.ends_with("!=") => "write == or !=",
        (_, Some(b'=')) => "write == to compare",
        _ if word_before.eq_ignore_ascii_case("not") => "write ! for \"not\"",
        _ => "conditions are CEL: && || ! == != < <= > >= in, texts in quotes",
    };
    Fault::new(offset, bounds::token_end(text, offset) - offset, format!("not valid CEL: {said}"), hint)
}

/// The byte at a 1-based line and column; the end where that is not in the text.
fn offset_of(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

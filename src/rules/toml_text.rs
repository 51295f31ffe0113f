//! A text as TOML, or what is wrong with it, each mistake told once and where it was made. Knows which tables are lists of
//! entries; not what stands in them.

use toml::de::{DeTable, Error};

use super::reading::Reader;

const HINT: &str = "texts stand in quotes; a key stands once in its table; see docs/rules.md";

/// The root of the text that begins at `start`. What the parser made of a text with errors is a guess: judging it would tell
/// problems that are none.
pub(super) fn parse<'t>(reader: &mut Reader<'_>, start: usize, text: &'t str) -> Option<DeTable<'t>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(root.into_inner());
    }
    let mut told = Vec::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let (at, message, hint) = mistake(text, at, &error);
        if !told.contains(&at) && !follows(text, &told, at) {
            told.push(at);
            reader.tell(start + at, "toml_syntax", message, hint);
        }
    }
    None
}

/// Where the mistake was made, what it is, and what to do.
fn mistake(text: &str, at: usize, error: &Error) -> (usize, String, String) {
    let message = error.message().lines().next().unwrap_or_default();
    let (line_start, line) = line_of(text, at);
    if message == "duplicate key"
        && let Some(name) = header(line)
    {
        let is_of = |other: &str| other == name || other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let is_list = |line: &str| line.trim_start().starts_with("[[");
        let single = if is_list(line) {
            let before = lines(text).take_while(|(start, _)| *start < line_start);
            before.filter(|(_, line)| !is_list(line)).find(|(_, line)| header(line).is_some_and(is_of))
        } else {
            let is_entry = |line: &str| is_list(line) && header(line) == Some(name);
            Some((line_start, line)).filter(|_| lines(text).any(|(_, line)| is_entry(line)))
        };
        if let Some((start, line)) = single {
            let at = start + line.find('[').map_or(0, |bracket| bracket + 1);
            let message = format!("{name} is a list of entries here, and this header is of a single table");
            return (at, message, format!("write [[{name}]] with double brackets before each"));
        }
    }
    (at, format!("not valid TOML: {message}"), HINT.to_owned())
}

/// Whether what is wrong there stands in a table whose header is told already: below one that is there twice, so are its keys.
fn follows(text: &str, told: &[usize], at: usize) -> bool {
    let (line_start, line) = line_of(text, at);
    let own = lines(text).take_while(|(start, _)| *start < line_start).filter(|(_, line)| header(line).is_some()).last();
    header(line).is_none() && own.is_some_and(|(start, line)| told.iter().any(|told| (start..start + line.len()).contains(told)))
}

/// The lines with the byte each begins at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        start += line.len();
        (start - line.len(), line)
    })
}

fn line_of(text: &str, at: usize) -> (usize, &str) {
    lines(text).take_while(|(start, _)| *start <= at).last().unwrap_or_default()
}

/// What stands between the brackets of a header.
fn header(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('[')?;
    Some(rest.strip_prefix('[').unwrap_or(rest).split(']').next().unwrap_or_default().trim())
}

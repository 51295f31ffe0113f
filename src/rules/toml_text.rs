//! A text as TOML, or what is wrong with it, each mistake told once and where it was made. Knows which tables are lists of
//! entries; not what stands in them.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut headers = Headers::of(text);
    let mut told = BTreeSet::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let (at, message, hint) = mistake(&mut headers, at, &error);
        if !told.contains(&at) && !headers.follows(&told, at) {
            told.insert(at);
            reader.tell(start + at, "toml_syntax", message, hint);
        }
    }
    None
}

/// Where the mistake was made, what it is, and what to do.
fn mistake(headers: &mut Headers<'_>, at: usize, error: &Error) -> (usize, String, String) {
    let message = error.message().lines().next().unwrap_or_default();
    if message == "duplicate key"
        && let Some(header) = headers.on_line_of(at)
    {
        let name = header.name;
        let single = if header.is_list {
            headers.first_single(name).filter(|single| single.line < header.line)
        } else {
            Some(header).filter(|_| headers.lists.contains(name))
        };
        if let Some(single) = single {
            let message = format!("{name} is a list of entries here, and this header is of a single table");
            return (single.bracket + 1, message, format!("write [[{name}]] with double brackets before each"));
        }
    }
    (at, format!("not valid TOML: {message}"), HINT.to_owned())
}

/// A line that begins with a bracket.
#[derive(Clone, Copy, Debug)]
struct Header<'t> {
    /// The byte at which its line begins, and the one of its bracket.
    line: usize,
    bracket: usize,
    end: usize,
    /// What stands between the brackets.
    name: &'t str,
    is_list: bool,
}

/// All headers of a text: read once, for a text may have as many mistakes as lines.
struct Headers<'t> {
    /// In the order of the text.
    all: Vec<Header<'t>>,
    /// Names of lists.
    lists: BTreeSet<&'t str>,
    /// Headers of single tables by their names: places in `all`.
    singles: BTreeMap<&'t str, Vec<usize>>,
    /// What was looked for, with the first single table of that name or beneath it.
    found: BTreeMap<&'t str, Option<usize>>,
}

impl<'t> Headers<'t> {
    fn of(text: &'t str) -> Self {
        let mut headers = Self { all: Vec::new(), lists: BTreeSet::new(), singles: BTreeMap::new(), found: BTreeMap::new() };
        let mut line = 0;
        for written in text.split_inclusive('\n') {
            let end = line + written.len();
            if let Some(rest) = written.trim_start().strip_prefix('[') {
                let is_list = rest.starts_with('[');
                let name = rest.strip_prefix('[').unwrap_or(rest).split(']').next().unwrap_or_default().trim();
                let bracket = line + (written.len() - written.trim_start().len());
                if is_list {
                    headers.lists.insert(name);
                } else {
                    headers.singles.entry(name).or_default().push(headers.all.len());
                }
                headers.all.push(Header { line, bracket, end, name, is_list });
            }
            line = end;
        }
        headers
    }

    /// The header that stands on the line of this byte, or else the last one before it.
    fn before(&self, at: usize) -> Option<Header<'t>> {
        self.all.get(self.all.partition_point(|header| header.line <= at).checked_sub(1)?).copied()
    }

    fn on_line_of(&self, at: usize) -> Option<Header<'t>> {
        self.before(at).filter(|header| at < header.end)
    }

    /// Whether what is wrong there stands in a table whose header is told already: below one that is there twice, so are its keys.
    fn follows(&self, told: &BTreeSet<usize>, at: usize) -> bool {
        self.before(at).is_some_and(|header| at >= header.end && told.range(header.line..header.end).next().is_some())
    }

    /// The first header of a single table of this name, or of one beneath it.
    fn first_single(&mut self, name: &'t str) -> Option<Header<'t>> {
        let singles = &self.singles;
        let first = *self.found.entry(name).or_insert_with(|| {
            let beneath = singles.range(name..).take_while(|(other, _)| other.starts_with(name));
            let beneath = beneath.filter(|(other, _)| other.get(name.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
            beneath.filter_map(|(_, places)| places.first().copied()).min()
        });
        first.and_then(|at| self.all.get(at).copied())
    }
}

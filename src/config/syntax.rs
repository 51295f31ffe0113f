//! What is no TOML in a text, all of it at once: the parser goes on after most errors, and is helped over the one it stops at.

use toml::de::DeTable;

/// One place that is no TOML.
pub(super) struct SyntaxError {
    /// The byte to point at.
    pub(super) offset: usize,
    /// The parser's own words.
    pub(super) message: String,
}

/// The parser gives up at this one, and all that follows would go unread.
const STOPS_THE_PARSER: &str = "key with no value";
/// A file with more such lines is no configuration; the rest is told once these are mended.
const MOST_ROUNDS: usize = 100;

/// The text with those lines blanked that stop the parser (so that every byte stays where it was), and all errors.
pub(super) fn recover(text: &str) -> (String, Vec<SyntaxError>) {
    let mut text = text.to_owned();
    let mut errors = Vec::new();
    for round in 0.. {
        let (_, found) = DeTable::parse_recoverable(&text);
        let mut found: Vec<SyntaxError> = found
            .into_iter()
            .map(|error| SyntaxError { offset: error.span().map_or(0, |span| span.start), message: error.message().to_owned() })
            .collect();
        let stop = found.iter().position(|error| error.message.starts_with(STOPS_THE_PARSER)).filter(|_| round < MOST_ROUNDS);
        let Some(stop) = stop else {
            errors.append(&mut found);
            break;
        };
        let error = found.swap_remove(stop);
        let start = text[..error.offset].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let blank = " ".repeat(end - start);
        text.replace_range(start..end, &blank);
        errors.push(error);
    }
    (text, errors)
}

/// What to do about the parser's complaint.
pub(super) fn hint(message: &str) -> &'static str {
    if message.starts_with("duplicate key") {
        "write each key and each section once"
    } else if message.starts_with(STOPS_THE_PARSER) {
        "write KEY = VALUE, or # before a comment"
    } else if message.contains("unclosed table") {
        "close the section's name with a bracket"
    } else if message.contains("quoted") || message.contains("invalid boolean") || message.contains("invalid basic string") {
        "put texts in quotes, at both ends"
    } else {
        "see https://toml.io for the rules"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stop_the_parser_hide_nothing_that_follows() {
        let text = "[run]\nlänes 3\nfrom\nb = 100ms\nc = \"ü\"\nd 4";
        let (recovered, errors) = recover(text);
        let lines: Vec<usize> = errors.iter().map(|error| text[..error.offset].matches('\n').count() + 1).collect();
        assert_eq!(lines, [2, 3, 6, 4]);
        assert_eq!(recovered.len(), text.len());
        assert_eq!(recovered.find("c = "), text.find("c = "));
    }
}

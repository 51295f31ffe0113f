//! From a place inside a TOML text back to the file: which byte as written made a byte as read, and where what begins somewhere
//! ends. Knows TOML's four kinds of quotes and their escapes, and its brackets.

/// The byte of `raw` (the text as it stands in the file, with its quotes) that byte `decoded` of the text as read came from.
pub(super) fn offset_in_raw(raw: &str, decoded: usize) -> usize {
    let (opening, literal) = if raw.starts_with("\"\"\"") {
        (3, false)
    } else if raw.starts_with("'''") {
        (3, true)
    } else {
        (1, raw.starts_with('\''))
    };
    let mut at = opening;
    if opening == 3 {
        // A line end right after the opening is no part of the text.
        at += line_end(raw.get(at..).unwrap_or_default());
    }
    let mut read = 0;
    while read < decoded {
        let rest = raw.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { break };
        if first == '\\' && !literal {
            let (written, made) = escape(rest);
            at += written;
            read += made;
        } else {
            at += first.len_utf8();
            read += first.len_utf8();
        }
    }
    // A line folded with a backslash stands before what comes after it.
    while !literal && raw.get(at..).is_some_and(|rest| rest.starts_with('\\') && escape(rest).1 == 0) {
        at += raw.get(at..).map_or(1, |rest| escape(rest).0);
    }
    at.min(raw.len())
}

/// How many bytes the key, the value or the header takes that `text` begins with; a list or table only what of it stands on the
/// first line.
pub(super) fn written_length(text: &str) -> usize {
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    let is_key = line.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(letter) = line.get(at..).and_then(|rest| rest.chars().next()) {
        match letter {
            '"' | '\'' => {
                at += quoted_length(line.get(at..).unwrap_or_default());
                if open == 0 {
                    return at;
                }
                continue;
            }
            '[' | '{' => open += 1,
            ']' | '}' if open == 1 => return at + 1,
            ']' | '}' if open > 1 => open -= 1,
            '#' => break,
            letter if open == 0 && (letter.is_whitespace() || matches!(letter, '=' | ',' | ']' | '}') || is_key && letter == '.') => break,
            _ => {}
        }
        at += letter.len_utf8();
    }
    line.get(..at).unwrap_or_default().trim_end().len()
}

/// How many bytes of this line the text in quotes takes that it begins with.
fn quoted_length(line: &str) -> usize {
    let quote = line.get(..1).unwrap_or_default();
    let three = quote.repeat(3);
    let closing = if line.starts_with(&three) { three.as_str() } else { quote };
    let mut at = closing.len();
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(closing) {
            return at + closing.len();
        }
        let escaped = usize::from(quote == "\"" && rest.starts_with('\\'));
        at += rest.chars().take(1 + escaped).map(char::len_utf8).sum::<usize>();
    }
    line.len()
}

fn line_end(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with('\n')) }
}

/// Bytes an escape takes as written, and bytes it makes.
fn escape(text: &str) -> (usize, usize) {
    let digits = match text.as_bytes().get(1) {
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'x') => 2,
        Some(b'\n' | b'\r' | b' ' | b'\t') => {
            let folded = text.get(1..).unwrap_or_default();
            return (1 + folded.len() - folded.trim_start().len(), 0);
        }
        _ => return (2, 1),
    };
    let made = text.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    (2 + digits, made.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_quote_leads_back_to_the_letter() {
        for (raw, wanted) in [
            ("'a == X'", 6),
            ("\"a == X\"", 6),
            ("\"a == \\\"b\\\" && X\"", 15),
            ("\"\\u00e9\\t X\"", 10),
            ("'''\nab\nX'''", 7),
            ("'''\r\nab\nX'''", 8),
            ("'''X'''", 3),
            ("\"\"\"\na \\\n   X\"\"\"", 11),
            ("'ö X'", 4),
        ] {
            let read = toml::Value::Table(toml::from_str(&format!("k = {raw}")).expect(raw));
            let text = read["k"].as_str().expect("a text").to_owned();
            let decoded = text.find('X').expect("an X");
            assert_eq!(offset_in_raw(raw, decoded), wanted, "{raw}");
            assert_eq!(raw.as_bytes()[wanted], b'X', "{raw}");
        }
    }

    #[test]
    fn what_begins_somewhere_ends_where_it_was_written_to_end() {
        for (text, whole) in [
            ("'a == \"b\"' # c", "'a == \"b\"'"),
            ("\"a \\\" b\", 1", "\"a \\\" b\""),
            ("'''a 'b' c''' # d", "'''a 'b' c'''"),
            ("'''\na'''", "'''"),
            ("'''a ö\nb'''", "'''a ö"),
            ("[[gate]] # c", "[[gate]]"),
            ("[source.\"a ] b\"]\n", "[source.\"a ] b\"]"),
            ("[\"a\", 'b'], 2", "[\"a\", 'b']"),
            ("[ # c\n 1]", "["),
            ("{ A = [1, 2] } # c", "{ A = [1, 2] }"),
            ("treshold = 1", "treshold"),
            ("score.threshold = 1", "score"),
            ("2026-01-01T00:00:00.5Z # c", "2026-01-01T00:00:00.5Z"),
            ("-1.5, 2", "-1.5"),
            ("5]", "5"),
            ("'a", "'a"),
            ("", ""),
        ] {
            assert_eq!(text.get(..written_length(text)), Some(whole), "{text}");
        }
    }

    #[test]
    fn a_place_past_the_end_stays_inside() {
        assert_eq!(offset_in_raw("'a'", 100), 3);
        assert_eq!(offset_in_raw("", 3), 0);
    }
}

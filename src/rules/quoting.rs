//! From a place inside a TOML text back to the file: which byte as written made a byte as read. Knows TOML's four kinds of
//! quotes and their escapes.

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
    fn a_place_past_the_end_stays_inside() {
        assert_eq!(offset_in_raw("'a'", 100), 3);
        assert_eq!(offset_in_raw("", 3), 0);
    }
}

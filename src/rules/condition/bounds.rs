//! What a condition's text must keep before it may reach the parser, which walks it recursively: its length and its nesting.
//! Knows brackets, operators and texts in quotes; no grammar.

/// Bytes of one condition.
pub(super) const LONGEST: usize = 4096;
/// Levels of the tree a condition may become.
pub(super) const DEEPEST: usize = 32;
/// Brackets within brackets, a conditional counted as one: each costs the parser up to 150 KiB of stack (unoptimised), and a
/// thread may have no more than 2 MiB.
pub(super) const MOST_OPEN: usize = 8;

/// Why the text may not be parsed, and at which byte that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutOfBounds {
    TooLong(usize),
    TooDeep(usize),
    UnclosedText(usize),
    /// A letter before a quote that makes no kind of text.
    BadPrefix(usize),
}

/// Looks at every byte once. An operator counts as a level as well as a bracket does, for `a.b.c` and `!!!a` nest too; `&&`,
/// `||` and `,` begin anew, since the parser balances them.
pub(super) fn check(text: &str) -> Result<(), OutOfBounds> {
    let bytes = text.as_bytes();
    if bytes.len() > LONGEST {
        return Err(OutOfBounds::TooLong(LONGEST));
    }
    let mut open: Vec<usize> = vec![0];
    let mut levels = 0;
    let mut conditionals = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = bytes.get(at..at + 2).unwrap_or_default();
        match byte {
            b'"' | b'\'' => {
                let raw = is_raw(text.get(..at).unwrap_or_default()).ok_or(OutOfBounds::BadPrefix(at))?;
                at = text_end(bytes, at, raw).ok_or(OutOfBounds::UnclosedText(at))?;
                continue;
            }
            b'/' if pair == b"//" => {
                at += bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')).unwrap_or(bytes.len() - at);
                continue;
            }
            b'(' | b'[' | b'{' => {
                open.push(0);
                levels += 1;
                // What is called or indexed is a level above its brackets.
                if let Some(outer) = open.iter_mut().rev().nth(1) {
                    *outer += 1;
                    levels += 1;
                }
            }
            b')' | b']' | b'}' if open.len() > 1 => levels -= open.pop().unwrap_or_default() + 1,
            b'&' | b'|' if pair == b"&&" || pair == b"||" => {
                levels -= open.last_mut().map(std::mem::take).unwrap_or_default();
                at += 2;
                continue;
            }
            b',' => levels -= open.last_mut().map(std::mem::take).unwrap_or_default(),
            b'.' | b'!' | b'-' | b'+' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' | b'?' | b':' => {
                if let Some(last) = open.last_mut() {
                    *last += 1;
                    levels += 1;
                }
                if pair.get(1) == Some(&b'=') {
                    at += 1;
                }
            }
            b'i' if is_in(bytes, at) => {
                if let Some(last) = open.last_mut() {
                    *last += 1;
                    levels += 1;
                }
            }
            _ => {}
        }
        conditionals += usize::from(byte == b'?');
        if levels >= DEEPEST || open.len() + conditionals > MOST_OPEN + 1 {
            return Err(OutOfBounds::TooDeep(at));
        }
        at += 1;
    }
    Ok(())
}

/// The byte after the literal, the name or the sign that begins at `start`.
pub(super) fn token_end(text: &str, start: usize) -> usize {
    let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) else { return start };
    if rest.starts_with('-') && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return token_end(text, start + 1);
    }
    let word = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
    let quote = start + word;
    if matches!(text.as_bytes().get(quote), Some(b'"' | b'\''))
        && let Some(raw) = is_raw(text.get(..quote).unwrap_or_default())
        && let Some(end) = text_end(text.as_bytes(), quote, raw)
    {
        return end;
    }
    start + if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// Whether the word `in` stands here by itself.
fn is_in(bytes: &[u8], at: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    bytes.get(at..at + 2) == Some(b"in") && !is_word(bytes.get(at + 2)) && !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
}

/// Whether the word right before a quote makes it a raw text, in which a backslash is a backslash; nothing if no such word
/// may stand there.
fn is_raw(before: &str) -> Option<bool> {
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    match before[start..].to_ascii_lowercase().as_str() {
        "" | "b" | "in" => Some(false),
        "r" | "br" | "rb" => Some(true),
        _ => None,
    }
}

/// The byte after the text in quotes that begins at `start`.
fn text_end(bytes: &[u8], start: usize, raw: bool) -> Option<usize> {
    let quote = *bytes.get(start)?;
    let triple = [quote; 3];
    let long = bytes.get(start..start + 3) == Some(&triple);
    let mut at = start + if long { 3 } else { 1 };
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\\' && !raw && (long || !matches!(bytes.get(at + 1), Some(b'\n' | b'\r'))) {
            at += 2;
        } else if long && bytes.get(at..at + 3) == Some(&triple) {
            return Some(at + 3);
        } else if !long && byte == quote {
            return Some(at + 1);
        } else if !long && (byte == b'\n' || byte == b'\r') {
            return None;
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_conditions_pass() {
        for text in [
            "",
            r#"!(contact.country in ["US", "CA"])"#,
            r#"storefront == "APP_SOURCE" && contact.region == "EMEA" && score.total >= 20"#,
            r#"contact.company.startsWith("(((((((((((((((((((((((((((((((((((((((((((((((((") // ((((((((((((((((((((((((((((((((("#,
            r#"x == r"\" && y == '''a'b''' && z == "\"""#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let many = vec!["a.b == 1"; 300].join(" && ");
        assert_eq!(check(&many), Ok(()));
    }

    #[test]
    fn deep_and_long_ones_do_not() {
        assert_eq!(check(&"(".repeat(40)), Err(OutOfBounds::TooDeep(8)));
        for unit in ["!", "-", ".a", "[0", "1+", "a==", "a in ", "a?b:"] {
            let text = unit.repeat(40);
            assert!(matches!(check(&text), Err(OutOfBounds::TooDeep(_))), "{text}");
        }
        assert_eq!(check(&" ".repeat(4097)), Err(OutOfBounds::TooLong(4096)));
        assert_eq!(check("a == \"b"), Err(OutOfBounds::UnclosedText(5)));
        assert_eq!(check(r#"bar"\"(""#), Err(OutOfBounds::BadPrefix(3)));
        assert_eq!(check("a == 'b\nc'"), Err(OutOfBounds::UnclosedText(5)));
    }
}

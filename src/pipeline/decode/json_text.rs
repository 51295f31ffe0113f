//! Pieces of JSON text that are known to be well-formed: strings to text, values without blanks, depth of nesting. Linear
//! time, no recursion.

use std::borrow::Cow;

/// The text of a scalar: a string's content, a number or a boolean as written, nothing for null. `None`: an object or array.
pub(super) fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'{' | b'[' => None,
        b'n' => Some(Cow::Borrowed("")),
        b'"' => {
            let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
            // Looked through many together, which for so short a text is quicker than a search.
            let is_escaped = inner.bytes().fold(0, |found, byte| found | u8::from(byte == b'\\')) > 0;
            Some(if is_escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Resolves escapes; half of a surrogate pair becomes U+FFFD.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        out.push_str(&rest[..at]);
        let mut chars = rest[at + 1..].chars();
        let escaped = chars.next();
        rest = chars.as_str();
        match escaped {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (character, after) = unicode(rest);
                out.push(character);
                rest = after;
            }
            // A quote, a backslash, a slash: themselves.
            Some(other) => out.push(other),
            None => {}
        }
    }
    out.push_str(rest);
    out
}

/// The character after `\u`, and what follows it.
fn unicode(rest: &str) -> (char, &str) {
    let four = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = four(rest) else { return ('\u{fffd}', rest) };
    let after = &rest[4..];
    if !(0xD800..0xDC00).contains(&first) {
        return (char::from_u32(first).unwrap_or('\u{fffd}'), after);
    }
    match after.strip_prefix("\\u").and_then(four) {
        Some(second) if (0xDC00..0xE000).contains(&second) => {
            let joined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            (char::from_u32(joined).unwrap_or('\u{fffd}'), &after[6..])
        }
        _ => ('\u{fffd}', after),
    }
}

/// The text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    // Writing a text cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// The same value without the blanks between its tokens and with its texts escaped only where they must be: equal values
/// are equal texts, whoever wrote them.
pub(super) fn compact(value: &str) -> Cow<'_, str> {
    if is_compact(value) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('"') {
        out.extend(rest[..at].chars().filter(|c| !is_blank(*c)));
        let end = end_of_string(&rest[at + 1..]);
        let inner = &rest[at + 1..at + 1 + end];
        if inner.contains('\\') {
            out.push_str(&quote(&unescape(inner)));
        } else {
            out.push('"');
            out.push_str(inner);
            out.push('"');
        }
        rest = rest.get(at + end + 2..).unwrap_or_default();
    }
    out.extend(rest.chars().filter(|c| !is_blank(*c)));
    Cow::Owned(out)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether there is neither a blank between tokens nor an escape.
fn is_compact(value: &str) -> bool {
    let mut in_string = false;
    value.bytes().all(|byte| {
        in_string ^= byte == b'"';
        byte != b'\\' && (in_string || !is_blank(char::from(byte)))
    })
}

/// Where the string ends whose content `text` begins with: the place of its closing quote.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.unwrap_or(text.len())
}

/// Whether brackets nest deeper than that. Few texts have so many brackets at all, and those are soon counted.
pub(super) fn is_deeper(text: &str, most: usize) -> bool {
    // In sums so small that many bytes are counted together; both brackets differ from each other in one bit alone.
    let count = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    let brackets: usize = text.as_bytes().chunks(128).map(|bytes| usize::from(count(bytes))).sum();
    brackets > most && depth(text) > most
}

/// How deep brackets nest, whether or not the text is well-formed.
pub(super) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_resolved_and_other_scalars_are_their_text() {
        assert_eq!(scalar(r#""a\u00e9\n\ud83d\ude00\"""#).as_deref(), Some("aé\n😀\""));
        assert_eq!(scalar(r#""\ud83dx\udc00""#).as_deref(), Some("\u{fffd}x\u{fffd}"));
        assert_eq!(scalar(r#""\ud83d\u0041""#).as_deref(), Some("\u{fffd}A"));
        assert!(matches!(scalar("\"plain\""), Some(Cow::Borrowed("plain"))));
        assert_eq!(scalar("14.50").as_deref(), Some("14.50"));
        assert_eq!(scalar("null").as_deref(), Some(""));
        assert_eq!(scalar("[]"), None);
    }

    #[test]
    fn blanks_go_only_between_tokens() {
        assert_eq!(compact("{ \"a b\" : [ 1,\n2, \"\\\" x\" ] }"), r#"{"a b":[1,2,"\" x"]}"#);
        assert!(matches!(compact(r#"{"a b":"c "}"#), Cow::Borrowed(_)));
        assert_eq!(compact(r#"{"\u0061": "\u00e9\/\"\\", "b":[ "x" ]}"#), r#"{"a":"é/\"\\","b":["x"]}"#);
        assert_eq!(compact(r#""\ud83d" "#), "\"\u{fffd}\"");
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth(r#"{"a":"[[[[","b":[{}]}"#), 3);
        assert_eq!(depth("]]]["), 1);
        assert_eq!(depth(&"[".repeat(100_000)), 100_000);
    }
}

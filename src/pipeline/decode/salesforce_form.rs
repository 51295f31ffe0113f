//! Salesforce's web-to-lead form (facts.md §1.3): `name=value` pairs joined by `&`, percent-encoded in the charset that the
//! form's own `encoding` field names. Also as Salesforce's debug mail shows one: a `name = value` a line.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::{
    crm_row,
    raw_lead::{Filler, Text},
};

/// Names that tell a form from any other text. One is enough.
const MARKS: &[&str] = &["oid", "first_name", "last_name", "email", "company", "lead_source"];

/// How far a text is looked into for one of them.
const LOOK: usize = 64;

/// Whether the bytes are such a form, or several, one a line.
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    if bytes.first().is_none_or(|first| matches!(first, b'{' | b'[' | b'"' | b'=' | b'&')) {
        return false;
    }
    pairs(bytes)
        .take(LOOK)
        .any(|(name, value)| value.is_some() && MARKS.iter().any(|mark| name.trim_ascii().eq_ignore_ascii_case(mark.as_bytes())))
}

/// The forms in `bytes`: one a line where lines have several fields each, else one.
pub(super) fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if lines.clone().count() > 1 && lines.clone().all(|line| line.contains(&b'&')) && !is_listing(bytes) {
        return lines.collect();
    }
    if lines.next().is_none() { Vec::new() } else { vec![bytes.trim_ascii()] }
}

/// Whether it is the form as the debug mail shows it: a line a field, nothing escaped.
fn is_listing(bytes: &[u8]) -> bool {
    let assigns = |line: &[u8]| line.ends_with(b" =") || line.windows(3).any(|part| part == b" = ");
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    bytes.contains(&b'\n') && lines.all(assigns)
}

/// Fills a lead from one form; `false`: it has none of the fields such a form has. `charset` is what the content type says.
pub(super) fn fill<'a>(bytes: &'a [u8], charset: Option<&str>, lead: &mut Filler<'a, '_>) -> bool {
    let escaped = !is_listing(bytes);
    let own = pairs(bytes).filter(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"encoding")).find_map(|(_, value)| {
        let label = unescaped(value?.trim_ascii());
        Encoding::for_label(&label)
    });
    // What is escaped byte by byte is in none of the charsets that have no bytes of their own, whatever a form says of itself.
    let charset = own.or_else(|| Encoding::for_label(charset?.as_bytes())).unwrap_or(UTF_8).output_encoding();
    let mut known = false;
    // As many as the form has, and a few more.
    let mut fields = Vec::with_capacity(16);
    for (name, value) in pairs(bytes) {
        let name = text(name.trim_ascii(), escaped, charset);
        if name.is_empty() {
            continue;
        }
        known |= value.is_some() && crm_row::is_known(&name);
        fields.push((name, text(value.unwrap_or_default(), escaped, charset)));
    }
    crm_row::fill_from_form(fields, lead);
    known
}

/// The parameters of a text that is a URL's query, alone; none of other text.
pub(in crate::pipeline) fn query(query: &str) -> Vec<(Text<'_>, Text<'_>)> {
    if query.contains(char::is_whitespace) || !query.contains('=') {
        return Vec::new();
    }
    let query = query.strip_prefix('?').unwrap_or(query);
    let parameters = pairs(query.as_bytes()).map(|(name, value)| Some((text(name, true, UTF_8), text(value?, true, UTF_8))));
    parameters.collect::<Option<_>>().unwrap_or_default()
}

/// Name and value of each pair, still escaped. No `=`: no value.
fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let listing = is_listing(bytes);
    bytes.split(move |byte| matches!(byte, b'\n' | b'\r') || *byte == b'&' && !listing).filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], Some(&pair[at + 1..])),
            None => (pair, None),
        }
    })
}

/// Bytes as they were before they were escaped: `+` is a blank, `%` and two hex digits a byte; another `%` is itself.
fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (other, _) => out.push(*other),
        }
    }
    Cow::Owned(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The text of escaped bytes. What is no UTF-8 although it should be is in the charset that web pages fall back to.
fn text<'a>(bytes: &'a [u8], escaped: bool, charset: &'static Encoding) -> Text<'a> {
    let bytes = if escaped { unescaped(bytes) } else { Cow::Borrowed(bytes) };
    let is_utf_8 = charset == UTF_8;
    let charset = if is_utf_8 { WINDOWS_1252 } else { charset };
    let bytes = match bytes {
        Cow::Borrowed(bytes) if is_utf_8 => match std::str::from_utf8(bytes) {
            Ok(text) => return Cow::Borrowed(text),
            Err(_) => Cow::Borrowed(bytes),
        },
        Cow::Owned(bytes) if is_utf_8 => match String::from_utf8(bytes) {
            Ok(text) => return Cow::Owned(text),
            Err(other) => Cow::Owned(other.into_bytes()),
        },
        other => other,
    };
    match bytes {
        Cow::Borrowed(bytes) => charset.decode_without_bom_handling(bytes).0,
        Cow::Owned(bytes) => Cow::Owned(charset.decode_without_bom_handling(&bytes).0.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(escaped: &str, charset: &'static Encoding) -> String {
        text(escaped.as_bytes(), true, charset).into_owned()
    }

    #[test]
    fn escapes_are_resolved_in_the_charset() {
        assert_eq!(of("a+b%2Bc%20d", UTF_8), "a b+c d");
        assert_eq!(of("Ren%C3%A9", UTF_8), "René");
        assert_eq!(of("Ren%E9", UTF_8), "René", "a form that lies about its charset");
        assert_eq!(of("Ren%E9", Encoding::for_label(b"ISO-8859-1").expect("known")), "René");
        assert_eq!(of("%93%FA%96%7B", Encoding::for_label(b"Shift_JIS").expect("known")), "日本");
        assert_eq!(of("50% off %zz %4", UTF_8), "50% off %zz %4");
    }

    #[test]
    fn a_form_is_told_from_other_text() {
        for form in ["oid=1&first_name=A", "encoding=UTF-8&email=a%40b.c", "company = X\ncountry = US", "retURL=x&LAST_NAME=D"] {
            assert!(is_likely(form.as_bytes()), "{form}");
        }
        for other in ["", "nonsense", "a=b", "{\"email\":1}", "[\"email=x\"]", "email", "SELECT email = 1"] {
            assert!(!is_likely(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn several_forms_are_one_a_line() {
        assert_eq!(split(b"a=1&b=2\r\n\r\na=3&b=4\n").len(), 2);
        assert_eq!(split(b"company = X\ncountry = US\n").len(), 1);
        assert_eq!(split(b" \n").len(), 0);
        assert_eq!(split(b"company = A & B\ntitle = C & D\n").len(), 1);
    }

    #[test]
    fn a_listing_is_taken_as_it_stands() {
        let limits = crate::pipeline::Limits::default();
        let mut lead = Filler::new(crate::lead::Format::SalesforceForm, 0, &limits);
        assert!(fill(b"company = Oil & Gas +100%\nphone = +1 617\ntitle = \n", None, &mut lead));
        assert_eq!((lead.lead.company.as_deref(), lead.lead.phone.as_deref()), (Some(" Oil & Gas +100%"), Some(" +1 617")));
    }
}

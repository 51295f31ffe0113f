//! The grammar of `LeadSource` (facts.md §2.1): `source[-action][ | offer]`. Splits only; what a token means is a row of the
//! ruleset.

use super::SmallText;

/// The parts of a `LeadSource`, trimmed, as received. An absent part is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeadSource<'a> {
    /// All left of the first `|`.
    pub left: &'a str,
    /// `left` up to its last `-`; the whole of it where there is none.
    pub source: &'a str,
    /// `left` after its last `-`.
    pub action: &'a str,
    /// All right of the first `|`.
    pub offer: &'a str,
}

impl<'a> LeadSource<'a> {
    /// Splits at the first `|`, and the left part at its last `-`: no known source or action holds a hyphen, offers do.
    #[must_use]
    pub fn split(text: &'a str) -> Self {
        // By the byte: to make a search ready is dearer than to look through so short a text.
        let cut = |text: &'a str, at: Option<usize>| at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
        let (left, offer) = cut(text, text.bytes().position(|byte| byte == b'|')).unwrap_or((text, ""));
        let left = trimmed(left);
        let (source, action) = cut(left, left.bytes().rposition(|byte| byte == b'-')).unwrap_or((left, ""));
        Self { left, source: trimmed(source), action: trimmed(action), offer: trimmed(offer) }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty() && self.offer.is_empty()
    }
}

/// The text without blanks at its ends. Hardly any part has one, which its first and its last byte tell.
fn trimmed(text: &str) -> &str {
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    if ends.into_iter().flatten().all(u8::is_ascii_graphic) { text } else { text.trim() }
}

/// What becomes of each ASCII letter of a token: its small form, or nothing.
const FOLDED: [Option<u8>; 128] = {
    let mut folded = [None; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        let is_left_out = matches!(byte, b'\t'..=b'\r' | b' ' | b'(' | b')');
        folded[byte as usize] = if is_left_out { None } else { Some(byte.to_ascii_lowercase()) };
        byte += 1;
    }
    folded
};

/// A token in the form in which tokens are compared: lower-case, without blanks and round brackets, so that
/// `AppSource (SPZA)` and `appsource(spza)` are one (readings Q10). Borrowed when it already is in that form.
#[must_use]
pub fn fold(token: &str) -> SmallText<'_> {
    let is_left_out = |c: char| c.is_whitespace() || c == '(' || c == ')';
    if token.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')) {
        return SmallText::borrowed(token);
    }
    SmallText::from_ascii(token, |byte| FOLDED.get(usize::from(byte)).copied().flatten())
        .unwrap_or_else(|| SmallText::long(token.chars().filter(|c| !is_left_out(*c)).flat_map(char::to_lowercase).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_the_grammar_says() {
        let split = |text| {
            let LeadSource { source, action, offer, .. } = LeadSource::split(text);
            (source, action, offer)
        };
        assert_eq!(split("SPZA-PLT|contoso.crm-app"), ("SPZA", "PLT", "contoso.crm-app"));
        assert_eq!(split("AppSource (SPZA)-INS |  a.b|c"), ("AppSource (SPZA)", "INS", "a.b|c"));
        assert_eq!(split("AzureMarketplace"), ("AzureMarketplace", "", ""));
        assert_eq!(split("AzureMarketplace-INS|"), ("AzureMarketplace", "INS", ""));
        assert_eq!(split("a-b-c|d"), ("a-b", "c", "d"));
        assert_eq!(split(" | x"), ("", "", "x"));
        assert_eq!(split(""), ("", "", ""));
    }

    #[test]
    fn tokens_that_compare_alike_fold_alike() {
        assert_eq!(&*fold("AppSource (SPZA)"), "appsourcespza");
        assert_eq!(&*fold("appsource(spza)"), "appsourcespza");
        assert_eq!(&*fold("\u{a0}Ä\u{b}(x)"), "äx");
        assert_eq!(fold("spza").as_ptr(), "spza".as_ptr());
        for byte in 0..128_u8 {
            let (token, letter) = (format!("a{}", char::from(byte)), char::from(byte));
            let kept =
                if letter.is_whitespace() || matches!(letter, '(' | ')') { String::new() } else { letter.to_lowercase().to_string() };
            assert_eq!(&*fold(&token), format!("a{kept}"), "{token:?}");
            assert_eq!(&*fold(&format!("{token}é")), format!("a{kept}é"), "{token:?}");
        }
    }
}

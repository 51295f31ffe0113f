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
        let left = left.trim();
        let (source, action) = cut(left, left.bytes().rposition(|byte| byte == b'-')).unwrap_or((left, ""));
        Self { left, source: source.trim(), action: action.trim(), offer: offer.trim() }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty() && self.offer.is_empty()
    }
}

/// A token in the form in which tokens are compared: lower-case, without blanks and round brackets, so that
/// `AppSource (SPZA)` and `appsource(spza)` are one (readings Q10). Borrowed when it already is in that form.
#[must_use]
pub fn fold(token: &str) -> SmallText<'_> {
    let is_left_out = |c: char| c.is_whitespace() || c == '(' || c == ')';
    let is_folded = |c: char| !(is_left_out(c) || c.is_uppercase());
    let is_folded_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if token.bytes().all(is_folded_byte) || token.chars().all(is_folded) {
        return SmallText::borrowed(token);
    }
    SmallText::from_ascii(token, |byte| (!is_left_out(byte.into())).then(|| byte.to_ascii_lowercase()))
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
    }
}

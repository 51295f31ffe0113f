//! Text as people type it to text that can be compared: control characters out, blanks at the ends off, bounded. Borrows
//! wherever nothing has to change.

use std::borrow::Cow;

/// Text, borrowed from the record where it stands there as it is.
pub(super) type Text<'a> = Cow<'a, str>;

/// Microsoft's test marker (facts.md §2.6).
const MARKER: &[u8] = b"msft_test";

/// Whether the text holds the test marker, in any case.
pub(super) fn holds_marker(text: &str) -> bool {
    text.as_bytes().windows(MARKER.len()).any(|window| window.eq_ignore_ascii_case(MARKER))
}

/// Whether all is visible ASCII or a blank, in which nothing is unwanted; and whether an underscore is in it.
fn plain_and_underscored(text: &str) -> (bool, bool) {
    let look = |(plain, underscores), byte: &u8| (plain & matches!(byte, b' '..=b'~'), underscores | u8::from(*byte == b'_'));
    let (plain, underscores) = text.as_bytes().iter().fold((true, 0), look);
    (plain, underscores > 0)
}

/// Cleans fields, and remembers whether one had to be cut.
#[derive(Debug)]
pub(super) struct Cleaner {
    longest: usize,
    cut: bool,
    underscored: bool,
}

impl Cleaner {
    /// Fields may have `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, cut: false, underscored: false }
    }

    /// Whether a field was cut.
    pub(super) fn truncated(&self) -> bool {
        self.cut
    }

    /// Whether a field may hold the test marker: hardly any has its underscore.
    pub(super) fn may_hold_marker(&self) -> bool {
        self.underscored
    }

    /// A field of one line; `None` if nothing is left.
    pub(super) fn line<'a>(&mut self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.clean(text, char::is_control)
    }

    /// A field of one line that is an address, a number or a code: what cannot be seen is no part of it.
    pub(super) fn code<'a>(&mut self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.clean(text, |c| c.is_control() || is_invisible(c))
    }

    /// A field that may have line breaks and tabs.
    pub(super) fn lines<'a>(&mut self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.clean(text, |c| c.is_control() && !matches!(c, '\n' | '\t'))
    }

    fn clean<'a>(&mut self, text: Cow<'a, str>, unwanted: impl Fn(char) -> bool) -> Option<Cow<'a, str>> {
        let (is_plain, is_underscored) = plain_and_underscored(&text);
        self.underscored |= is_underscored;
        if text.len() <= self.longest && is_plain {
            return if text.starts_with(' ') || text.ends_with(' ') { part(&text, |whole| whole.trim_matches(' ')) } else { filled(text) };
        }
        let text = if text.contains(&unwanted) { Cow::Owned(text.replace(&unwanted, "")) } else { text };
        let longest = self.longest;
        let mut cut = false;
        let kept = part(&text, |whole| {
            let trimmed = whole.trim();
            cut = trimmed.len() > longest;
            let end = (0..=longest.min(trimmed.len())).rev().find(|end| trimmed.is_char_boundary(*end));
            trimmed.get(..end.unwrap_or(0)).unwrap_or_default().trim_end()
        });
        self.cut |= cut;
        kept
    }
}

fn filled(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(text)
}

/// Characters that only direct how others are shown: soft hyphens, joiners, marks of direction and of byte order. In names
/// some scripts need them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A piece of `text`, borrowed as long as `text` is; `None` if it is empty.
pub(super) fn part<'a>(text: &Cow<'a, str>, choose: impl FnOnce(&str) -> &str) -> Option<Cow<'a, str>> {
    let chosen = choose(text);
    if chosen.is_empty() {
        return None;
    }
    // The piece lies in the text, so its place can be told without a second search; and a borrowed text's piece lives as
    // long as the record.
    let start = (chosen.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let range = start..start.wrapping_add(chosen.len());
    Some(match text {
        Cow::Borrowed(whole) => whole.get(range).map_or_else(|| Cow::Owned(chosen.to_owned()), Cow::Borrowed),
        Cow::Owned(_) => Cow::Owned(chosen.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_ends_and_control_characters_and_borrows_otherwise() {
        let mut cleaner = Cleaner::new(8);
        assert!(matches!(cleaner.line(Cow::Borrowed("  Ada ")), Some(Cow::Borrowed("Ada"))));
        assert_eq!(cleaner.line(Cow::Borrowed("  ")), None);
        assert_eq!(cleaner.line(Cow::Owned(" a b ".to_owned())).as_deref(), Some("a b"));
        assert_eq!(cleaner.line(Cow::Borrowed("A\0d\u{7f}a\n")).as_deref(), Some("Ada"));
        assert_eq!(cleaner.lines(Cow::Borrowed("a\n\tb\r")).as_deref(), Some("a\n\tb"));
        assert_eq!(cleaner.line(Cow::Borrowed(" \u{a0}\u{2003}")), None);
        assert!(!cleaner.truncated());
        assert_eq!(cleaner.line(Cow::Borrowed("123456é89")).as_deref(), Some("123456é"));
        assert!(cleaner.truncated());
        assert_eq!(cleaner.line(Cow::Borrowed("1234567é9")).as_deref(), Some("1234567"));
    }

    #[test]
    fn the_marker_is_found_in_any_case() {
        assert!(holds_marker("x MSFT_TEST_636 y") && holds_marker("msft_Test"));
        assert!(!holds_marker("MSFT TEST") && !holds_marker(""));
    }
}

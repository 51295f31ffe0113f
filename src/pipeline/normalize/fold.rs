//! Text in the form in which names are compared: lower case, accents off, other widths and styles of a letter plain, words with
//! one blank between. For any script. What a word means is the business of the files that look it up.

use std::fmt::{self, Write};

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Writes `text` folded. Folding what is folded changes nothing.
///
/// Apostrophes and quotation marks stand within a word and are not spoken (`Côte d'Ivoire`); a dot after a single letter is an
/// abbreviation's (`S.p.A.`, `U.S.A.`); `&` is the word "and"; all else that is no letter and no digit stands between words.
pub(super) fn fold(text: &str, into: &mut impl Write) -> fmt::Result {
    const APART: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();
    const TOGETHER: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
    let mut words = Words { part: 0, gap: false, empty: true };
    if text.is_ascii() {
        return text.chars().flat_map(|c| words.push(c.to_ascii_lowercase())).try_for_each(|c| into.write_char(c));
    }
    // Taken apart, the accent that stands alone for an apostrophe would be a blank.
    let apart = APART.normalize_iter(text.chars().filter(|c| *c != '´'));
    let plain = apart.flat_map(char::to_lowercase).filter(|c| !is_mark(*c)).flat_map(plain);
    // Put together last: what was between two signs may be gone, and their order is then another.
    TOGETHER.normalize_iter(plain.flat_map(|c| words.push(c))).try_for_each(|c| into.write_char(c))
}

/// Characters on their way to words.
struct Words {
    /// Letters since the word, or the last dot in it, began.
    part: usize,
    /// A blank is due before the next word.
    gap: bool,
    /// Nothing was passed on yet.
    empty: bool,
}

impl Words {
    /// What is passed on for `c`.
    fn push(&mut self, c: char) -> impl Iterator<Item = char> + use<> {
        let mut passed = [None; 4];
        if is_letter(c) {
            let blank = std::mem::take(&mut self.gap) && !self.empty;
            passed = [blank.then_some(' '), Some(c), None, None];
            self.part += 1;
            self.empty = false;
        } else if c == '&' {
            passed = [(!self.empty).then_some(' '), Some('a'), Some('n'), Some('d')];
            *self = Self { part: 0, gap: true, empty: false };
        } else if !is_apostrophe(c) {
            self.gap |= !(c == '.' && self.part == 1);
            self.part = 0;
        }
        passed.into_iter().flatten()
    }
}

/// And quotation marks, also those of Hebrew abbreviations.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '"' | '`' | '‘'..='‟' | 'ʹ' | 'ʻ' | 'ʼ' | '׳' | '״' | '＇' | '＂')
}

/// Accents and points on letters, the lengthening stroke of Arabic, and characters that only steer how text is shown.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}'
        | '\u{6ea}'..='\u{6ed}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// In the scripts from Devanagari to Burmese, in Khmer and with the sound marks of kana, signs that are no letters by themselves
/// stand within a word and change it.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3099}' | '\u{309a}')
}

/// Whether words of the script are written without blanks between: Chinese, Japanese, and Korean compounds.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters that carry no mark which could be taken off, and are another letter to whose keyboard lacks them.
fn plain(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'ß' => ('s', Some('s')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ı' => ('i', None),
        'ħ' => ('h', None),
        'ŧ' => ('t', None),
        'ə' => ('e', None),
        'ς' => ('σ', None),
        _ => (c, None),
    };
    std::iter::once(first).chain(second)
}

/// Text of at most `N` bytes, on the stack; writing more is an error.
pub(super) struct Short<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Short<N> {
    pub(super) fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// `text` folded, if that is short enough.
    pub(super) fn folded(text: &str) -> Option<Self> {
        let mut short = Self::new();
        fold(text, &mut short).is_ok().then_some(short)
    }

    /// As much of `text` folded as has room.
    pub(super) fn folded_start(text: &str) -> Self {
        let mut short = Self::new();
        // The only error is a lack of room.
        let _ = fold(text, &mut short);
        short
    }

    pub(super) fn as_str(&self) -> &str {
        // Only whole strings are written, so this is always text.
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl<const N: usize> Write for Short<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        let mut folded = String::new();
        fold(text, &mut folded).unwrap();
        folded
    }

    #[test]
    fn text_is_folded_to_plain_words() {
        for (text, plain) in [
            ("  Adatum   Industries, Inc. ", "adatum industries inc"),
            ("ÅNGSTRÖM-Łódź", "angstrom lodz"),
            ("Groß & Søn", "gross and son"),
            ("A&B", "a and b"),
            ("&", "and"),
            ("S.p.A.", "spa"),
            ("U.S.A.", "usa"),
            ("U. S. A.", "u s a"),
            ("Sp. z o.o.", "sp z oo"),
            ("Co.,Ltd.", "co ltd"),
            ("Adatum.com", "adatum com"),
            ("Côte d’Ivoire / Cote d'Ivoire / Cote d´Ivoire", "cote divoire cote divoire cote divoire"),
            ("ＣＥＯ", "ceo"),
            ("㈱アダタム", "株 アダタム"),
            ("ﾏﾈｰｼﾞｬｰ", "マネージャー"),
            ("İstanbul IĞDIR ıspanak", "istanbul igdir ispanak"),
            ("ΕΛΛΆΣ Ελλάς", "ελλασ ελλασ"),
            ("Йод", "иод"),
            ("الأردن", "الاردن"),
            ("בע״מ בע\"מ", "בעמ בעמ"),
            ("ประเทศไทย", "ประเทศไทย"),
            ("श्रीलंका", "श्रीलंका"),
            ("대한민국", "대한민국"),
            ("ŠKODA\u{200b} a\u{301}", "skoda a"),
            ("—…!😀", ""),
        ] {
            assert_eq!(folded(text), plain, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(Short::<4>::folded("ABCD").as_ref().map(Short::as_str), Some("abcd"));
        assert!(Short::<4>::folded("ABCDE").is_none());
        assert_eq!(Short::<4>::folded("Żół.").as_ref().map(Short::as_str), Some("zol"));
        assert!(Short::<4>::folded("ЖЖЖ").is_none());
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once.clone());
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
        }

        #[test]
        fn letters_of_many_scripts_fold_once(text in "[\\u{c0}-\\u{24f}\\u{370}-\\u{52f}\\u{5d0}-\\u{6ff}\\u{900}-\\u{109f}\\u{1100}-\\u{11ff}\\u{1e00}-\\u{1fff}\\u{2100}-\\u{214f}\\u{3040}-\\u{33ff}\\u{fb00}-\\u{ffef} .&'\\u{300}-\\u{36f}]{0,12}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}

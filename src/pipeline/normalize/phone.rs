//! A phone number as typed to E.164, where the country or a leading `+` makes that possible. Microsoft sends digits without
//! the `+` (facts.md §1.1): read as national first, then as international. The same few numbers come again and again, and
//! reading one is dear: answers are remembered, within bounds.

use std::{borrow::Cow, fmt::Write, sync::LazyLock};

use phonenumber::{
    country::Id,
    metadata::{DATABASE, Database},
};

use super::{fold::Short, remembered::Remembered};

/// Numbers are shorter; longer text is no number, and not worth a parser's time.
const LONGEST: usize = 40;

/// So many patterns the library keeps compiled, each about 120 kB; by itself it keeps 100, fewer than eight countries take, and compiles
/// one after the other for each number then.
const PATTERNS: usize = 256;

/// What is known of the numbers of each country.
static NUMBERING: LazyLock<&Database> = LazyLock::new(|| {
    if let Ok(mut patterns) = DATABASE.cache().lock() {
        patterns.set_capacity(PATTERNS);
    }
    &DATABASE
});

/// Numbers read before, by country and number.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct PhoneNumbers(Remembered<Option<Box<str>>>);

impl PhoneNumbers {
    /// What [`e164`] says.
    pub(super) fn e164<'a>(&mut self, raw: &Cow<'a, str>, country: Option<&'static str>) -> Option<Cow<'a, str>> {
        if raw.len() > LONGEST {
            return None;
        }
        // The country's code has two letters.
        let mut question = Short::<{ LONGEST + 2 }>::new();
        question.write_str(country.unwrap_or("--")).and_then(|()| question.write_str(raw)).ok()?;
        let ask = || e164(raw, country).map(String::into_boxed_str);
        self.0.answer(question.as_str(), ask, |number| {
            let number = number.as_deref()?;
            // Some write it so themselves.
            Some(if *number == **raw { raw.clone() } else { Cow::Owned(number.to_owned()) })
        })
    }
}

/// `+` and digits, if that is a number someone could have.
fn e164(raw: &str, country: Option<&str>) -> Option<String> {
    let raw = half_width(raw);
    let raw = without_extension(&raw);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '.' | '(' | ')' | '/' | '\u{a0}' | '‐' | '–');
    let digits = raw.bytes().filter(u8::is_ascii_digit).count();
    if !(6..=17).contains(&digits) || !raw.chars().all(plain) {
        return None;
    }
    let country: Option<Id> = country.and_then(|code| code.parse().ok());
    let known = |country, text: &str| {
        let number = phonenumber::parse_with(*NUMBERING, country, text).ok()?;
        number.is_valid().then(|| number.format().mode(phonenumber::Mode::E164).to_string())
    };
    if raw.starts_with('+') {
        return known(country, raw);
    }
    if let Some(international) = raw.strip_prefix("00") {
        return known(None, &format!("+{international}"));
    }
    country.and_then(|country| known(Some(country), raw)).or_else(|| known(None, &format!("+{raw}")))
}

/// Full-width digits and signs, as East Asian keyboards write them, in their ASCII form.
fn half_width(raw: &str) -> Cow<'_, str> {
    if raw.is_ascii() {
        return Cow::Borrowed(raw);
    }
    let half = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    Cow::Owned(raw.chars().map(half).collect())
}

/// The number before its extension: E.164 has none, and whoever calls reads it in `phone_raw`.
fn without_extension(raw: &str) -> &str {
    let Some(at) = raw.find(|c: char| c.is_alphabetic() || matches!(c, '#' | ';' | ',')) else { return raw };
    let (number, rest) = raw.split_at(at);
    let word = rest.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | ':' | '='));
    let digits = rest.len() - word.len();
    let is_extension = ["ext", "extension", "x", "#", ";ext", ",", "durchwahl", "dw"].iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_extension && digits > 0 { number.trim_end() } else { raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_national_and_international_forms() {
        assert_eq!(e164("16175555555", Some("US")).as_deref(), Some("+16175555555"));
        assert_eq!(e164("14255550123", None).as_deref(), Some("+14255550123"));
        assert_eq!(e164("(425) 555-0123", Some("US")).as_deref(), Some("+14255550123"));
        assert_eq!(e164("+44 20 7946 0958", None).as_deref(), Some("+442079460958"));
        assert_eq!(e164("0049 30 901820", None).as_deref(), Some("+4930901820"));
        assert_eq!(e164("030 901820", Some("DE")).as_deref(), Some("+4930901820"));
        assert_eq!(e164("＋８１ ３－３２２４－９９９９", None).as_deref(), Some("+81332249999"));
        assert_eq!(e164("+1 425 555 0123 ext. 5", None).as_deref(), Some("+14255550123"));
        assert_eq!(e164("425-555-0123 x42", Some("US")).as_deref(), Some("+14255550123"));
        assert_eq!(e164("+14255550123;ext=7", None).as_deref(), Some("+14255550123"));
    }

    #[test]
    fn what_is_remembered_is_what_would_be_said_again() {
        let mut numbers = PhoneNumbers::default();
        for round in 0..3 {
            for number in 0..4_200 {
                let raw = format!("1425555{number:04}");
                for country in [Some("US"), Some("DE"), None] {
                    if round == 0 || number % 97 == 0 {
                        let remembered = numbers.e164(&Cow::Borrowed(&*raw), country);
                        assert_eq!(remembered.as_deref(), e164(&raw, country).as_deref(), "{raw} {country:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_has_none() {
        for raw in ["1234567890", "12345", "", "call me", "+", "++++++++", "0000000000", "555-CALL-NOW", &"1".repeat(5000)] {
            assert_eq!(e164(raw, Some("US")), None, "{raw}");
        }
    }
}

//! What a redacted event must not tell of the person, wherever in the record it stood: a name after the pipe, a number in a
//! campaign parameter. Knows which texts tell it; which fields go whole is the encoder's.

use crate::{
    lead::{Contact, Decision, SmallText},
    pipeline::decode::is_campaign_parameter,
};

/// Campaign parameters beside those that marketing hangs on a URL.
const CAMPAIGNS: [&str; 2] = ["campaigns", "campaignId"];

/// So many digits in a row tell a number apart from any other.
const TELLING_DIGITS: usize = 7;

/// Part of a name, if it has so many letters: shorter ones (`de`, `van`) are everybody's.
const TELLING_LETTERS: usize = 4;

/// A name of more parts, or a number of more digits, is something else; what would have to be looked for is not bounded then,
/// so no free text is told at all.
const MOST: usize = 40;

/// What must not be told; nothing, where the lead is published whole.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    redacts: bool,
    /// Every free text may tell the person.
    hides_all: bool,
    /// Lower-case, one after the other; where each ends.
    words: String,
    ends: Vec<usize>,
    /// What a word begins with: each text is gone through once, not for each word.
    firsts: Bytes,
    numbers: Vec<String>,
}

impl Redaction {
    pub(super) fn of(decision: &Decision<'_>) -> Self {
        let mut redaction = Self { redacts: decision.qualified.redacted, ..Self::default() };
        if redaction.redacts {
            redaction.hide(&decision.facts.contact);
            redaction.hide_word(decision.facts.note.as_deref().unwrap_or_default());
        }
        redaction
    }

    /// Whether the person's own fields, and what nobody knows, are left out.
    pub(super) fn redacts(&self) -> bool {
        self.redacts
    }

    /// The text, unless it tells the person.
    pub(super) fn filter<'t>(&self, text: Option<&'t str>) -> Option<&'t str> {
        text.filter(|text| self.allows(text))
    }

    /// Whether a campaign parameter may be published: of a redacted lead only one that is known to be one, since a product's
    /// URL may carry anything.
    pub(super) fn allows_parameter(&self, key: &str, value: &str) -> bool {
        !self.redacts || (is_campaign_parameter(key) || CAMPAIGNS.contains(&key)) && self.allows(key) && self.allows(value)
    }

    fn allows(&self, text: &str) -> bool {
        if !self.redacts || self.hides_all {
            return !self.redacts;
        }
        let text = SmallText::lowercase(text);
        !is_address(&text) && !self.tells_a_word(&text) && !self.tells_a_number(&text)
    }

    fn tells_a_word(&self, text: &str) -> bool {
        let mut places = text.bytes().enumerate().filter(|(_, byte)| self.firsts.has(*byte));
        places.any(|(at, _)| self.words().any(|word| stands_at(at, word, text)))
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).filter_map(|(start, end)| self.words.get(*start..*end))
    }

    /// Whether so many digits of a number stand there in a row as tell it apart, whatever stands between them.
    fn tells_a_number(&self, text: &str) -> bool {
        if self.numbers.is_empty() || text.bytes().filter(u8::is_ascii_digit).count() < TELLING_DIGITS {
            return false;
        }
        let digits = digits(text);
        let mut parts = self.numbers.iter().flat_map(|number| number.as_bytes().windows(TELLING_DIGITS));
        parts.any(|part| digits.as_bytes().windows(TELLING_DIGITS).any(|told| told == part))
    }

    fn hide(&mut self, contact: &Contact<'_>) {
        let [first, last, email] =
            [&contact.first_name, &contact.last_name, &contact.email].map(|text| text.as_deref().unwrap_or_default());
        self.words.reserve(4 * (first.len() + last.len() + email.len()));
        self.ends.reserve(16);
        if !first.is_empty() && !last.is_empty() {
            self.hide_words(&[first, last]);
            self.hide_words(&[last, first]);
        }
        let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
        for name in [first, last, local] {
            let parts = name.split(|c: char| !c.is_alphabetic());
            let telling = parts.filter(|part| part.chars().count() >= TELLING_LETTERS || part.contains(is_unspaced));
            self.hides_all |= telling.clone().nth(MOST).is_some();
            telling.take(MOST).chain([name]).for_each(|word| self.hide_word(word));
        }
        for phone in [&contact.phone_raw, &contact.phone_e164].into_iter().flatten() {
            let mut digits = digits(phone);
            self.hides_all |= digits.len() > MOST;
            if digits.len() < TELLING_DIGITS {
                // No number, then: words.
                self.hide_word(phone);
            }
            digits.truncate(MOST);
            self.numbers.push(digits);
        }
    }

    /// A single letter tells nobody, except in scripts where it is a name.
    fn hide_word(&mut self, word: &str) {
        if word.chars().count() > 1 || word.contains(is_unspaced) {
            self.hide_words(&[word]);
        }
    }

    /// Parts that are written as one word.
    fn hide_words(&mut self, parts: &[&str]) {
        if let [word] = parts {
            self.words.push_str(&SmallText::lowercase(word));
        } else if parts.iter().all(|part| part.is_ascii()) {
            self.words.extend(parts.iter().flat_map(|part| part.chars()).map(|letter| letter.to_ascii_lowercase()));
        } else {
            // How a letter is made small may depend on what stands beside it.
            self.words.push_str(&parts.concat().to_lowercase());
        }
        if let Some(first) = self.words.as_bytes().get(self.ends.last().copied().unwrap_or_default()) {
            self.firsts.add(*first);
        }
        self.ends.push(self.words.len());
    }
}

fn digits(text: &str) -> String {
    let mut digits = String::with_capacity(text.len());
    digits.extend(text.chars().filter(char::is_ascii_digit));
    digits
}

/// A set of bytes.
#[derive(Debug, Default)]
struct Bytes([u64; 4]);

impl Bytes {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// Whether it may be a mail address, escaped or in wide letters too.
fn is_address(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_escaped = || bytes.contains(&b'%') && bytes.windows(3).any(|three| three == b"%40");
    bytes.contains(&b'@') || is_escaped() || !text.is_ascii() && text.contains(['\u{ff20}', '\u{fe6b}'])
}

/// Whether the word stands there in the text, not as a part of another word. Both lower-case.
fn stands_at(at: usize, word: &str, text: &str) -> bool {
    let within = |edge: Option<char>, beside: Option<char>| {
        let both = |is: fn(char) -> bool| edge.is_some_and(is) && beside.is_some_and(is);
        both(|c| c.is_alphabetic() && !is_unspaced(c)) || both(char::is_numeric)
    };
    let is_there = text.as_bytes().get(at..).is_some_and(|from| from.starts_with(word.as_bytes()));
    is_there && !word.is_empty() && {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        !within(word.chars().next(), before.chars().next_back()) && !within(word.chars().next_back(), after.chars().next())
    }
}

/// Whether words of this letter's script stand without blanks between them, or with endings joined to them.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample;

    fn of(first: &'static str, last: &'static str, email: &'static str, phone: &'static str) -> Redaction {
        let mut contact = sample::facts().contact;
        (contact.first_name, contact.last_name) = (Some(first.into()), Some(last.into()));
        (contact.email, contact.phone_raw, contact.phone_e164) = (Some(email.into()), Some(phone.into()), None);
        let mut redaction = Redaction { redacts: true, ..Redaction::default() };
        redaction.hide(&contact);
        redaction
    }

    #[test]
    fn a_text_that_tells_the_person_is_found() {
        let redaction = of("Jo", "van der Berg", "j.vdberg@adatum.example", "+1 (425) 555-0173 ext 12");
        for told in [
            "Jo",
            "for JO!",
            "Berg & Sons",
            "van der berg",
            "utm-berg_2",
            "jovan der berg",
            "J.VdBerg",
            "vdberg.app",
            "a@b.example",
            "a%40b",
            "a\u{ff20}b",
            "4255550173",
            "call 425.555.01.73",
            "(0) 425 5550",
        ] {
            assert!(!redaction.allows(told), "{told}");
        }
    }

    /// A sigma is written in another way at the end of a word, and that end is no end where two names are one word.
    #[test]
    fn names_written_as_one_word_are_found_in_letters_that_depend_on_their_place() {
        let redaction = of("ΓΙΩΡΓΟΣ", "ΠΑΠΑΣ", "", "");
        for told in ["ΓΙΩΡΓΟΣ", "ΓΙΩΡΓΟΣΠΑΠΑΣ", "app-γιωργοσπαπας", "ΠΑΠΑΣΓΙΩΡΓΟΣ"] {
            assert!(!redaction.allows(told), "{told}");
        }
    }

    #[test]
    fn a_text_that_tells_nobody_is_kept() {
        let redaction = of("Mark", "Al", "info@adatum.example", "12345");
        for kept in ["AzureMarketplace-DNC|contoso.app", "marketing", "Portal", "remark", "information", "contoso.123456", "5550173", ""] {
            assert!(redaction.allows(kept), "{kept}");
        }
        assert!(!redaction.allows("plan 12345") && !redaction.allows("al-2"));
        assert!(Redaction::default().allows("a@b.example"));
    }

    #[test]
    fn names_are_found_in_scripts_without_blanks() {
        let redaction = of("伟", "王", "x@adatum.example", "");
        assert!(!redaction.allows("王伟的公司") && !redaction.allows("伟的"));
        assert!(redaction.allows("公司"));
        assert!(!of("สมชาย", "", "", "").allows("ของสมชายครับ"));
    }

    #[test]
    fn what_is_too_long_to_be_a_name_or_a_number_lets_no_free_text_pass() {
        let name: &'static str = "abcd ".repeat(MOST + 1).leak();
        let number: &'static str = "1".repeat(MOST + 1).leak();
        assert!(!of(name, "", "", "").allows("x") && !of("", name, "", "").allows("x") && !of("", "", "", number).allows("x"));
        assert!(of(&name[5..], "", "", &number[1..]).allows("x"));
    }

    #[test]
    fn only_what_is_known_to_be_a_campaign_parameter_is_kept() {
        let redaction = of("Jane", "Doe", "jane@adatum.example", "14255550123");
        for (key, value, kept) in [
            ("mktcmpid", "7", true),
            ("UTM_source", "fair", true),
            ("campaigns", "a,b", true),
            ("campaignId", "spring", true),
            ("ref", "x", false),
            ("utm_term", "jane", false),
            ("utm_jane", "x", false),
        ] {
            assert_eq!(redaction.allows_parameter(key, value), kept, "{key}={value}");
            assert!(Redaction::default().allows_parameter(key, value));
        }
    }
}

//! Bytes shown without what they say: letters become `x`, digits `9`, what lies outside ASCII is hidden. What gives a value its
//! structure stays, since that is what is wrong with most dead letters.

/// What may be shown in place of a byte; `None`: nothing of it.
#[must_use]
pub fn masked(byte: u8) -> Option<u8> {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Some(b'x'),
        b'0'..=b'9' => Some(b'9'),
        0x80.. => None,
        structure => Some(structure),
    }
}

/// A text with all of its bytes masked; `·` for those that are hidden or cannot be printed.
#[must_use]
pub fn hidden(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| masked(*byte).map(char::from).filter(|char| !char.is_ascii_control()).unwrap_or('·')).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn structure_stays_and_what_is_said_does_not() {
        assert_eq!(hidden(br#"{"email": "a.b@c.example", "n": [12]}"#), r#"{"xxxxx": "x.x@x.xxxxxxx", "x": [99]}"#);
        assert_eq!(hidden("Zoë\t\u{0}".as_bytes()), "xx····");
    }

    proptest! {
        #[test]
        fn no_letter_digit_or_foreign_character_comes_through(bytes: Vec<u8>) {
            let shown = hidden(&bytes);
            prop_assert_eq!(shown.chars().count(), bytes.len());
            prop_assert!(shown.chars().all(|c| matches!(c, 'x' | '9' | '·' | ' ') || c.is_ascii_punctuation()), "{}", shown);
        }

        #[test]
        fn no_three_letters_in_a_row_come_through(text in "[a-wyzA-WYZ äßЖ漢@.,0-8]{0,80}") {
            let shown = hidden(text.as_bytes());
            let chars: Vec<char> = text.chars().collect();
            for run in chars.windows(3).filter(|run| run.iter().all(|c| c.is_alphanumeric())) {
                let run: String = run.iter().collect();
                prop_assert!(!shown.contains(&run), "{} in {}", run, shown);
            }
        }
    }
}

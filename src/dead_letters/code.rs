//! What may be asked for as the code of a dead letter: leadstream's own codes, and what other programs have in place of one. Reads no
//! dead letter.

use crate::{
    lead::{DeadLetterCode, Vocabulary as _},
    rules::suggest,
};

/// What a dead letter is said to have whose program tells no code, or one that cannot be shown.
const WITHOUT_ONE: [&str; 2] = ["unknown", "unreadable"];

/// Why nothing in a topic of leadstream's own can have this code, and which was meant. Dead letters of other programs may be there
/// too: they have classes of exceptions for codes, which begin with a capital.
#[must_use]
pub fn no_such_code(code: &str) -> Option<String> {
    let names: Vec<_> = DeadLetterCode::ALL.iter().map(|code| code.name()).collect();
    if names.contains(&code) || WITHOUT_ONE.contains(&code) {
        return None;
    }
    let is_class = code.starts_with(|first: char| first.is_ascii_uppercase());
    if is_class && suggest::nearest(code, names.iter().copied()).is_none() {
        return None;
    }
    Some(format!("no dead letter has the code {code:?}; {}", suggest::hint(code, &names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_with_the_code_that_was_meant_and_classes_of_other_programs_are_let_be() {
        for code in ["too_deep", "unknown", "unreadable", "DataException", "IllegalStateException"] {
            assert_eq!(no_such_code(code), None, "{code}");
        }
        for (code, told) in [
            ("to_deep", "did you mean \"too_deep\"?"),
            ("Too_Deep", "did you mean \"too_deep\"?"),
            ("malformed-json", "did you mean \"malformed_json\"?"),
            ("weather", "write one of \"empty_value\", "),
        ] {
            let found = no_such_code(code).unwrap_or_default();
            assert!(found.contains(told), "{code}: {found}");
        }
    }
}

//! A job title to a level, by the English words of titles. A first, simple reading: a word decides, assistants are staff.

use crate::lead::Seniority;

const C_LEVEL: &[&str] = &[
    "cdo",
    "ceo",
    "cfo",
    "chief",
    "chro",
    "cio",
    "ciso",
    "cmo",
    "cofounder",
    "coo",
    "cpo",
    "cro",
    "cso",
    "cto",
    "founder",
    "owner",
    "president",
];
const VP: &[&str] = &["avp", "evp", "svp", "vp"];
const DIRECTOR: &[&str] = &["director", "head"];
const MANAGER: &[&str] = &["lead", "manager", "supervisor"];
/// Who works for a level is not of it.
const STAFF: &[&str] = &["aide", "assistant", "intern", "secretary", "trainee"];

/// The level of a title; without one unknown.
pub(super) fn of(title: Option<&str>) -> Seniority {
    let Some(title) = title else { return Seniority::Unknown };
    let title = title.to_lowercase();
    let words = || title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let any = |list: &[&str]| words().any(|word| list.binary_search(&word).is_ok());
    let vice = words().zip(words().skip(1)).any(|pair| pair == ("vice", "president"));
    let managing_director = words().zip(words().skip(1)).any(|pair| pair == ("managing", "director"));
    if any(STAFF) {
        Seniority::Staff
    } else if vice || any(VP) {
        Seniority::Vp
    } else if managing_director || any(C_LEVEL) {
        Seniority::CLevel
    } else if any(DIRECTOR) {
        Seniority::Director
    } else if any(MANAGER) {
        Seniority::Manager
    } else {
        Seniority::Staff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_tells_the_level() {
        for list in [C_LEVEL, VP, DIRECTOR, MANAGER, STAFF] {
            assert!(list.is_sorted());
        }
        for (title, level) in [
            ("CTO", Seniority::CLevel),
            ("Chief Information Officer", Seniority::CLevel),
            ("Co-Founder & CEO", Seniority::CLevel),
            ("Managing Director", Seniority::CLevel),
            ("Senior Vice President, Sales", Seniority::Vp),
            ("VP Engineering", Seniority::Vp),
            ("IT Director", Seniority::Director),
            ("Head of Data", Seniority::Director),
            ("Product Manager", Seniority::Manager),
            ("Executive Assistant to the CEO", Seniority::Staff),
            ("Developer", Seniority::Staff),
        ] {
            assert_eq!(of(Some(title)), level, "{title}");
        }
        assert_eq!(of(None), Seniority::Unknown);
    }
}

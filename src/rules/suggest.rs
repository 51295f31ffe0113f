//! "Did you mean …?": the known word nearest to what was written. Knows words, not rules.

use crate::problem::distance;

/// The candidate nearest to `written`, if it is near enough to be a slip. Case does not count; a dotted candidate may also be
/// found by its last part alone, so that `country` finds `contact.country`.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let letters = written.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = candidate.to_lowercase();
            let allowed = (folded.chars().count() / 3).clamp(1, 3);
            // What differs more in length alone is not looked at.
            let steps = |other: &str, most: usize| {
                let near = other.chars().count().abs_diff(letters) <= most;
                near.then(|| distance(&written, other)).filter(|steps| *steps <= most)
            };
            let by_whole = steps(&folded, allowed).filter(|whole| *whole < letters).map(|whole| (0, whole));
            let by_tail = folded.rsplit_once('.').and_then(|(_, last)| steps(last, 1)).map(|steps| (1, steps));
            by_whole.or(by_tail).map(|rank| (rank, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Keys that people bring along from elsewhere, with those that they mean here.
const FOREIGN: [(&str, &str); 12] = [
    ("if", "when"),
    ("condition", "when"),
    ("where", "when"),
    ("expression", "when"),
    ("timezone", "zone"),
    ("time_zone", "zone"),
    ("tz", "zone"),
    ("score", "points"),
    ("weight", "points"),
    ("name", "id"),
    ("target", "destination"),
    ("to", "destination"),
];

/// The key that is `known` and meant by one that is not.
pub(super) fn foreign(written: &str, known: impl Fn(&str) -> bool) -> Option<&'static str> {
    FOREIGN.into_iter().find(|(foreign, meant)| *foreign == written && known(meant)).map(|(_, meant)| meant)
}

/// `did you mean "x"?`, or else the whole list of what is allowed.
pub(crate) fn hint(written: &str, candidates: &[&str]) -> String {
    match nearest(written, candidates.iter().copied()) {
        Some(word) => format!("did you mean {word:?}?"),
        None if candidates.is_empty() => "none is written yet: add it, or leave this out".to_owned(),
        None => format!("write one of {}", listed(candidates)),
    }
}

/// More words than this are no help.
const LISTED: usize = 40;

/// `"a", "b" or "c"`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().take(LISTED).map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        _ if words.len() > LISTED => format!("{} or one of {} more", quoted.join(", "), words.len() - LISTED),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing: there is none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let words = ["contact.country", "contact.company", "storefront", "VP"];
        assert_eq!(nearest("contact.contry", words), Some("contact.country"));
        assert_eq!(nearest("country", words), Some("contact.country"));
        assert_eq!(nearest("storefornt", words), Some("storefront"));
        assert_eq!(nearest("vp", words), Some("VP"));
        assert_eq!(nearest("weather", words), None);
        assert_eq!(nearest("", words), None);
    }
}

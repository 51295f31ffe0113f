//! "Did you mean …?": the known name nearest to what was written. Knows words, not configuration.

use crate::problem::distance;

/// The candidate nearest to `written`, if it is near enough to be a slip: compared whole, then by last segment alone, so
/// that `brokers` finds `kafka.brokers`.
pub(super) fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase().replace('-', "_");
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    candidates
        .filter_map(|candidate| {
            let whole = distance(&written, candidate);
            let tail = distance(&last(&written), &last(candidate));
            let near = |steps: usize, length: usize| steps <= (length / 4).clamp(1, 3);
            let by_whole = near(whole, candidate.len()).then_some((0, whole));
            let begun = last(&written).len() > 2 && last(candidate).starts_with(&last(&written));
            let by_tail = (begun || near(tail, last(candidate).len())).then_some((1, tail));
            by_whole.or(by_tail).map(|rank| (rank, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["kafka.brokers", "kafka.group", "topics", "topics.raw", "topics.dead_letter"];

    #[test]
    fn a_slip_finds_its_key_and_a_stranger_finds_none() {
        let near = |written| nearest(written, KEYS.into_iter());
        assert_eq!(near("kafka.brokrs"), Some("kafka.brokers"));
        assert_eq!(near("kafka.borkers"), Some("kafka.brokers"));
        assert_eq!(near("brokers"), Some("kafka.brokers"));
        assert_eq!(near("topic"), Some("topics"));
        assert_eq!(near("topics.dead-letter"), Some("topics.dead_letter"));
        assert_eq!(near("topics.deadLetter"), Some("topics.dead_letter"));
        assert_eq!(near("topics.dead"), Some("topics.dead_letter"));
        assert_eq!(near("weather"), None);
    }
}

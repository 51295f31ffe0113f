//! "Did you mean …?": the known name nearest to what was written. Knows words, not configuration.

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

/// How many letters must be added, removed, changed or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                steps = steps.min(before_last[j - 1] + 1);
            }
            row.push(steps);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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

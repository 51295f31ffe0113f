//! What stands in queries: metrics, labels, windows, and which of them the program has. Read here by their letters, as far as
//! these tests need; whether Prometheus takes them is for promtool and `tests/kafka` to say.

use std::collections::BTreeSet;

use leadstream::telemetry::names;

/// Labels that Prometheus gives to what it scrapes.
const SCRAPED: [&str; 2] = ["job", "instance"];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// The names in a query that are not quoted, each with what follows it.
fn words(query: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"') {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            // What stands in quotes is a value, not a name.
            rest = quoted.split_once('"').map_or("", |(_, after)| after);
            continue;
        }
        let (name, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        found.push((name, after));
        rest = after;
    }
    found
}

/// Names of metrics in a query, each with the label names of its own braces.
pub(crate) fn selectors(query: &str) -> Vec<(String, Vec<String>)> {
    let is_metric = |name: &str| name.starts_with("leadstream_") || name.starts_with("process_") || name.contains(':') || name == "up";
    let labels = |after: &str| {
        let braces = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).map_or("", |(inner, _)| inner);
        let matchers = braces.split(", ").filter(|matcher| !matcher.is_empty());
        matchers.map(|matcher| matcher.split(|c| !is_word(c)).next().unwrap_or_default().to_owned()).collect()
    };
    words(query).into_iter().filter(|(name, _)| is_metric(name)).map(|(name, after)| (name.to_owned(), labels(after))).collect()
}

/// Label names in `by (..)`, `on (..)` and `group_left (..)`.
fn grouped_by(query: &str) -> Vec<String> {
    ["by (", "on (", "group_left ("]
        .iter()
        .flat_map(|word| query.split(word).skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .flat_map(|(labels, _)| labels.split(',').map(|label| label.trim().to_owned()).collect::<Vec<_>>())
        .filter(|label| !label.is_empty())
        .collect()
}

/// Complains of every metric and label in `query` that the program does not have. `recorded` are the names of recording rules.
pub(crate) fn check(query: &str, recorded: &BTreeSet<String>, place: &str) {
    let used = selectors(query);
    assert!(!used.is_empty(), "{place}: no metric of leadstream in {query}");
    let mut known: BTreeSet<String> = SCRAPED.iter().chain(&["le"]).map(|label| (*label).to_owned()).collect();
    for (name, labels) in &used {
        if name == "up" {
            continue;
        }
        if name.contains(':') {
            assert!(recorded.contains(name), "{place}: no rule records {name} (in {query})");
            // level:metric:operations; the level is its labels.
            known.extend(name.split(':').next().into_iter().flat_map(|level| level.split('_')).map(str::to_owned));
            continue;
        }
        let metric = names::ALL.iter().find(|metric| metric.series().iter().any(|series| series == name));
        let metric = metric.unwrap_or_else(|| panic!("{place}: there is no series {name} (in {query})"));
        known.extend(metric.label_names().into_iter().map(str::to_owned));
        for label in labels {
            let has = metric.label_names().contains(&label.as_str()) || SCRAPED.contains(&label.as_str());
            assert!(has, "{place}: {name} has no label {label} (in {query})");
        }
    }
    for label in grouped_by(query) {
        assert!(known.contains(&label), "{place}: none of its metrics has a label {label} (in {query})");
    }
}

/// The windows in a query, each with the function they are handed to and the metric they are of.
pub(crate) fn windows(query: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (open, _) in query.match_indices('[') {
        let window = query[open + 1..].split(']').next().unwrap_or_default();
        let selector = &query[..open];
        let selector = if selector.ends_with('}') { &selector[..selector.rfind('{').expect("a brace")] } else { selector };
        let start = selector.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        let (before, metric) = selector.split_at(start);
        let before = before.strip_suffix('(').unwrap_or_default();
        let function = &before[before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1)..];
        found.push((function.to_owned(), metric.to_owned(), window.to_owned()));
    }
    found
}

#[test]
fn queries_are_read_as_they_are_written() {
    let query = "sum by (le) (rate(leadstream_score_bucket{job=~\"$job\", storefront=\"up\"}[5m])) > max_over_time(a:b:c[1d] offset 3d)";
    let labels = vec!["job".to_owned(), "storefront".to_owned()];
    assert_eq!(selectors(query), [("leadstream_score_bucket".to_owned(), labels), ("a:b:c".to_owned(), Vec::new())]);
    assert_eq!(grouped_by(query), ["le"]);
    let window = |function: &str, metric: &str, window: &str| (function.to_owned(), metric.to_owned(), window.to_owned());
    assert_eq!(windows(query), [window("rate", "leadstream_score_bucket", "5m"), window("max_over_time", "a:b:c", "1d")]);
}

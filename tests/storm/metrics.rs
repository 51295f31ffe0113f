//! What processes count, as their metrics pages tell it, and what they should have counted. Sums over processes; reads no page.

use std::collections::BTreeMap;

use super::{leads::Expected, obligations, oracle::Fate};

/// Counters, by name and the one label that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted(BTreeMap<(String, String), u64>);

/// Which counters, and which label of each; the others are summed up.
const LOOKED_AT: [(&str, &str); 6] = [
    ("leadstream_records_consumed_total", ""),
    ("leadstream_leads_total", "verdict"),
    ("leadstream_dead_letters_total", "code"),
    ("leadstream_events_produced_total", "topic"),
    ("leadstream_producer_recycles_total", "reason"),
    ("leadstream_ruleset_reloads_total", "result"),
];

impl Counted {
    /// From a page in Prometheus's text form.
    pub(crate) fn read(page: &str) -> Self {
        let mut counted = Self::default();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let Some((_, wanted)) = LOOKED_AT.iter().find(|(known, _)| *known == name) else { continue };
            let label = labels.split(&format!("{wanted}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("");
            let label = if wanted.is_empty() { "" } else { label };
            let value: f64 = value.parse().expect("a number");
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counters of a few millions
            counted.count(name, label, value as u64);
        }
        counted
    }

    fn count(&mut self, name: &str, label: &str, value: u64) {
        *self.0.entry((name.to_owned(), label.to_owned())).or_default() += value;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|((name, label), value)| self.count(name, label, *value));
    }

    /// What came since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let earlier = |key: &(String, String)| before.0.get(key).copied().unwrap_or(0);
        Self(self.0.iter().map(|(key, value)| (key.clone(), value.saturating_sub(earlier(key)))).collect())
    }

    /// One counter, by label.
    pub(crate) fn of(&self, name: &str) -> BTreeMap<String, u64> {
        self.0.iter().filter(|((known, _), _)| known == name).map(|((_, label), value)| (label.clone(), *value)).collect()
    }

    /// What should be counted of these leads; the topics of qualified, unqualified, routed leads and dead letters.
    pub(crate) fn due(numbers: impl Iterator<Item = u32>, topics: [&str; 4]) -> Self {
        let mut due = Self::default();
        let [qualified, unqualified, routing, dead_letter] = topics;
        for number in numbers {
            due.count("leadstream_records_consumed_total", "", 1);
            let (verdict, leads, topic) = match obligations::fate(number) {
                Fate::One(Expected::Qualified(destinations)) => {
                    due.count("leadstream_events_produced_total", routing, destinations.len() as u64);
                    ("QUALIFIED", 1, qualified)
                }
                Fate::One(Expected::Unqualified(_)) => ("UNQUALIFIED", 1, unqualified),
                Fate::Many(leads) => ("UNQUALIFIED", u64::from(leads), unqualified),
                Fate::One(Expected::DeadLetter(code)) => {
                    due.count("leadstream_dead_letters_total", code, 1);
                    due.count("leadstream_events_produced_total", dead_letter, 1);
                    continue;
                }
            };
            due.count("leadstream_leads_total", verdict, leads);
            due.count("leadstream_events_produced_total", topic, leads);
        }
        due
    }

    /// Counters that are not what they should be; a counter of mending has nothing that it should be.
    pub(crate) fn differs_from(&self, due: &Self) -> Vec<String> {
        self.compared(due, |counted, due| counted == due)
    }

    /// Counters that are more than they can be: of a batch that was taken back nothing is counted.
    pub(crate) fn exceeds(&self, due: &Self) -> Vec<String> {
        self.compared(due, |counted, due| counted <= due)
    }

    fn compared(&self, due: &Self, holds: impl Fn(u64, u64) -> bool) -> Vec<String> {
        let mut keys: Vec<_> =
            self.0.keys().chain(due.0.keys()).filter(|(name, _)| !name.contains("recycles") && !name.contains("reloads")).collect();
        keys.sort();
        keys.dedup();
        let value = |counted: &Self, key: &(String, String)| counted.0.get(key).copied().unwrap_or(0);
        let wrong = keys.into_iter().filter(|key| !holds(value(self, key), value(due, key)));
        wrong.map(|key| format!("{}{{{}}}: counted {}, due {}", key.0, key.1, value(self, key), value(due, key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP x\nleadstream_leads_total{campaign=\"NURTURE\",storefront=\"A\",verdict=\"QUALIFIED\"} 3\n\
                        leadstream_leads_total{campaign=\"NURTURE\",storefront=\"B\",verdict=\"QUALIFIED\"} 4\n\
                        leadstream_records_consumed_total{topic=\"t\"} 7\nleadstream_other 1\n";

    #[test]
    fn a_page_is_read_and_compared() {
        let counted = Counted::read(PAGE);
        assert_eq!(counted.of("leadstream_leads_total"), BTreeMap::from([("QUALIFIED".to_owned(), 7)]));
        assert_eq!(counted.of("leadstream_records_consumed_total"), BTreeMap::from([(String::new(), 7)]));
        let mut more = counted.clone();
        more.add(&counted);
        assert_eq!((more.since(&counted), counted.differs_from(&counted)), (counted.clone(), Vec::new()));
        assert_eq!((counted.exceeds(&more).len(), more.exceeds(&counted).len(), counted.differs_from(&more).len()), (0, 2, 2));
    }

    #[test]
    fn what_is_due_follows_from_the_numbers() {
        let due = Counted::due(0..8, ["q", "u", "r", "d"]);
        let topics = [("q", 4), ("u", 2), ("r", 8), ("d", 2)].map(|(topic, count)| (topic.to_owned(), count));
        assert_eq!(due.of("leadstream_events_produced_total"), BTreeMap::from(topics));
    }
}

//! The proof, from the topics alone: every source position has exactly one outcome, in order, and its events are the very
//! bytes that `leadstream process` gives for the same record.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::Value;

use super::{
    clients::{Kept, Raw},
    leads::Expected,
    service::Scene,
};

/// Partition and offset in the input topic.
pub(crate) type At = (i32, i64);

/// Positions that have not exactly their outcome.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    /// They have none.
    pub(crate) lost: usize,
    /// They have too many, or others.
    pub(crate) other: usize,
    /// The first of them, in words.
    told: String,
}

/// All that is committed in a scene's output topics.
pub(crate) struct Outcomes {
    topic: String,
    pub(crate) qualified: Vec<Kept>,
    pub(crate) unqualified: Vec<Kept>,
    pub(crate) routing: Vec<Kept>,
    pub(crate) dead_letter: Vec<Kept>,
}

impl Outcomes {
    pub(crate) fn read(scene: &Scene) -> Self {
        Self::read_from(scene, str::to_owned)
    }

    /// Those of a replay.
    pub(crate) fn of_replay(scene: &Scene, id: &str) -> Self {
        Self::read_from(scene, |topic| format!("{topic}.replay.{id}"))
    }

    fn read_from(scene: &Scene, name: impl Fn(&str) -> String) -> Self {
        Self {
            topic: scene.raw.clone(),
            qualified: scene.read(&name(&scene.qualified)),
            unqualified: scene.read(&name(&scene.unqualified)),
            routing: scene.read(&name(&scene.routing)),
            dead_letter: scene.read(&name(&scene.dead_letter)),
        }
    }

    /// Where an event's record stood in the input, and the rest of its id: index and kind.
    fn source(&self, event: &Kept) -> (At, String) {
        let json = event.json();
        let id = json["event_id"].as_str().unwrap_or_else(|| panic!("an event without event_id at {}/{}", event.partition, event.offset));
        let parse = || -> Option<(At, String)> {
            let rest = id.strip_prefix(&self.topic)?.strip_prefix('/')?;
            let (partition, rest) = rest.split_once('/')?;
            let (offset, rest) = rest.split_once('/')?;
            Some(((partition.parse().ok()?, offset.parse().ok()?), rest.to_owned()))
        };
        let (at, rest) = parse().unwrap_or_else(|| panic!("event_id {id} is not {}/PARTITION/OFFSET/INDEX/KIND", self.topic));
        let source = &json["source"];
        assert_eq!(
            (source["topic"].as_str(), source["partition"].as_i64(), source["offset"].as_i64()),
            (Some(self.topic.as_str()), Some(at.0.into()), Some(at.1)),
            "{id}"
        );
        (at, rest)
    }

    fn dead_source(&self, dead: &Kept) -> At {
        assert_eq!(dead.header("dlq-topic"), self.topic);
        (dead.header("dlq-partition").parse().expect("a number"), dead.header("dlq-offset").parse().expect("a number"))
    }

    /// What each position became: the names of its events, sorted; a dead letter by its code.
    fn by_position(&self) -> BTreeMap<At, Vec<String>> {
        let mut found: BTreeMap<At, Vec<String>> = BTreeMap::new();
        for event in self.qualified.iter().chain(&self.unqualified).chain(&self.routing) {
            let (at, name) = self.source(event);
            found.entry(at).or_default().push(name);
        }
        for dead in &self.dead_letter {
            found.entry(self.dead_source(dead)).or_default().push(format!("dead letter {}", dead.header("dlq-code")));
        }
        for names in found.values_mut() {
            names.sort();
        }
        found
    }

    /// Positions that have an outcome.
    pub(crate) fn by_position_count(&self) -> usize {
        self.by_position().len()
    }

    /// Every one of `sources` (single-lead records) has its one expected outcome, and nothing else is there.
    pub(crate) fn assert_each_exactly_once(&self, sources: &BTreeMap<At, Expected>) {
        let Wrong { lost, other, told } = self.wrong(sources);
        let count = lost + other;
        assert!(count == 0, "{count} of {} positions have not exactly their outcome:\n{told}", sources.len());
    }

    /// What positions have not exactly their outcome.
    pub(crate) fn wrong(&self, sources: &BTreeMap<At, Expected>) -> Wrong {
        let found = self.by_position();
        let mut wrong = Wrong::default();
        let nothing = Vec::new();
        for at in sources.keys().chain(found.keys().filter(|at| !sources.contains_key(at))) {
            let expected = sources.get(at).map_or_else(Vec::new, names);
            let got = found.get(at).unwrap_or(&nothing);
            if *got != expected {
                *if got.is_empty() { &mut wrong.lost } else { &mut wrong.other } += 1;
                if wrong.lost + wrong.other <= 10 {
                    let _ = writeln!(wrong.told, "  {at:?}: expected {expected:?}, found {got:?}");
                }
            }
        }
        wrong
    }

    /// Every one of `sources` has its one expected outcome, perhaps more than once, and nothing else is there; tells how many
    /// records were there again.
    pub(crate) fn assert_each_at_least_once(&self, sources: &BTreeMap<At, Expected>) -> usize {
        let mut found = self.by_position();
        let count = |found: &BTreeMap<At, Vec<String>>| found.values().map(Vec::len).sum::<usize>();
        let all = count(&found);
        found.values_mut().for_each(Vec::dedup);
        let wrong: Vec<_> = sources
            .keys()
            .chain(found.keys().filter(|at| !sources.contains_key(at)))
            .filter(|at| found.get(at).cloned().unwrap_or_default() != sources.get(at).map_or_else(Vec::new, names))
            .map(|at| format!("  {at:?}: expected {:?}, found {:?}", sources.get(at), found.get(at)))
            .collect();
        assert!(
            wrong.is_empty(),
            "{} of {} positions have not their outcome:\n{}",
            wrong.len(),
            sources.len(),
            wrong[..wrong.len().min(10)].join("\n")
        );
        all - count(&found)
    }

    /// As [`Outcomes::assert_in_order`], of the first time that each record is there.
    pub(crate) fn assert_first_appearances_in_order(self) {
        let first = |records: Vec<Kept>, name: &dyn Fn(&Kept) -> (At, String)| {
            let mut seen = std::collections::BTreeSet::new();
            records.into_iter().filter(|record| seen.insert(name(record))).collect::<Vec<_>>()
        };
        let Self { topic, qualified, unqualified, routing, dead_letter } = self;
        let nobody = Self { topic, qualified: Vec::new(), unqualified: Vec::new(), routing: Vec::new(), dead_letter: Vec::new() };
        let event = |event: &Kept| nobody.source(event);
        let [qualified, unqualified, routing] = [qualified, unqualified, routing].map(|records| first(records, &event));
        let dead_letter = first(dead_letter, &|dead| (nobody.dead_source(dead), String::new()));
        Self { topic: nobody.topic.clone(), qualified, unqualified, routing, dead_letter }.assert_in_order();
    }

    /// Within each output partition the events of one input partition stand in the order of their offsets.
    pub(crate) fn assert_in_order(&self) {
        let check = |name: &str, records: &[Kept], source: &dyn Fn(&Kept) -> At| {
            let mut last: BTreeMap<(i32, i32), i64> = BTreeMap::new();
            for record in records {
                let (partition, offset) = source(record);
                let before = last.insert((record.partition, partition), offset);
                assert!(before <= Some(offset), "{name}: offset {offset} of input partition {partition} stands after {before:?}");
            }
        };
        for (name, records) in [("qualified", &self.qualified), ("unqualified", &self.unqualified), ("routing", &self.routing)] {
            check(name, records, &|record| self.source(record).0);
        }
        check("dead-letter", &self.dead_letter, &|record| self.dead_source(record));
    }

    /// The events are byte for byte those of `leadstream process` for the same records, but for where they were read;
    /// dead letters hold the original key and bytes. All `records` must have the same timestamp.
    pub(crate) fn assert_bytes(&self, scene: &Scene, records: &[(At, &Raw)]) {
        let (input, output) = (scene.path("same-leads"), scene.path("processed"));
        let mut framed = Vec::new();
        for (_, raw) in records {
            let value = raw.value.as_deref().unwrap_or_default();
            framed.extend_from_slice(&u32::try_from(value.len()).expect("small").to_be_bytes());
            framed.extend_from_slice(value);
        }
        fs::write(&input, framed).expect("written");
        let millis = records[0].1.timestamp.expect("a timestamp");
        assert!(records.iter().all(|(_, raw)| raw.timestamp == Some(millis)));
        let now = jiff::Timestamp::from_millisecond(millis).expect("a time").to_string();
        let (input, output_text) = (input.to_str().expect("text"), output.to_str().expect("text"));
        let done = scene.call(&["process", input, "--framing", "length", "--now", &now, "--output", output_text]);
        assert!(done.status.success(), "process: {}", String::from_utf8_lossy(&done.stderr));

        for (file, events) in [("qualified", &self.qualified), ("unqualified", &self.unqualified), ("routing", &self.routing)] {
            let mut expected: Vec<String> = Vec::new();
            let text = fs::read_to_string(output.join(format!("{file}.ndjson"))).expect("process wrote it");
            for line in text.lines() {
                let offset = serde_json::from_str::<Value>(line).expect("JSON")["source"]["offset"].as_u64().expect("a number");
                let ((partition, real), _) = records[usize::try_from(offset).expect("small")];
                let moved = line
                    .replacen(
                        &format!("\"event_id\":\"same-leads/0/{offset}/"),
                        &format!("\"event_id\":\"{}/{partition}/{real}/", self.topic),
                        1,
                    )
                    .replacen(
                        &format!("\"source\":{{\"topic\":\"same-leads\",\"partition\":0,\"offset\":{offset},"),
                        &format!("\"source\":{{\"topic\":\"{}\",\"partition\":{partition},\"offset\":{real},", self.topic),
                        1,
                    );
                expected.push(moved);
            }
            let text = |event: &Kept| String::from_utf8(event.value.clone().expect("a value")).expect("text");
            let mut found: Vec<String> = events.iter().map(text).collect();
            expected.sort();
            found.sort();
            if let Some((found, expected)) = found.iter().zip(&expected).find(|(found, expected)| found != expected) {
                panic!("{file}: run and process differ:\n run     {found}\n process {expected}");
            }
            assert_eq!(found.len(), expected.len(), "{file}: events of run and of process");
        }

        let originals: BTreeMap<At, &Raw> = records.iter().copied().collect();
        for dead in &self.dead_letter {
            let at = self.dead_source(dead);
            let raw = originals[&at];
            assert!(dead.key == raw.key && dead.value == raw.value, "the dead letter of {at:?} is not the original");
        }
    }
}

fn names(expected: &Expected) -> Vec<String> {
    match expected {
        Expected::Qualified(destinations) => {
            let routed = destinations.iter().map(|destination| format!("0/routed/{destination}"));
            std::iter::once("0/qualified".to_owned()).chain(routed).collect()
        }
        Expected::Unqualified(_) => vec!["0/unqualified".to_owned()],
        Expected::DeadLetter(code) => vec![format!("dead letter {code}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(partition: i32, at: At, name: &str) -> Kept {
        let (from, offset) = at;
        let value = format!(r#"{{"event_id":"t/{from}/{offset}/{name}","source":{{"topic":"t","partition":{from},"offset":{offset}}}}}"#);
        Kept { partition, offset: 0, key: None, value: Some(value.into_bytes()), headers: Vec::new(), timestamp: 0 }
    }

    fn outcomes(unqualified: Vec<Kept>) -> Outcomes {
        Outcomes { topic: "t".to_owned(), qualified: Vec::new(), unqualified, routing: Vec::new(), dead_letter: Vec::new() }
    }

    fn sources() -> BTreeMap<At, Expected> {
        [(0, 0), (0, 1)].map(|at| (at, Expected::Unqualified("x"))).into()
    }

    #[test]
    fn what_is_whole_and_in_order_passes() {
        let good = outcomes(vec![event(0, (0, 0), "0/unqualified"), event(0, (0, 1), "0/unqualified")]);
        good.assert_each_exactly_once(&sources());
        good.assert_in_order();
    }

    #[test]
    #[should_panic(expected = "(0, 1): expected [\"0/unqualified\"], found []")]
    fn a_lost_record_is_found() {
        outcomes(vec![event(0, (0, 0), "0/unqualified")]).assert_each_exactly_once(&sources());
    }

    #[test]
    #[should_panic(expected = "found [\"0/unqualified\", \"0/unqualified\"]")]
    fn a_doubled_record_is_found() {
        let twice = [(0, 0), (0, 1), (0, 1)].map(|at| event(0, at, "0/unqualified"));
        outcomes(twice.into()).assert_each_exactly_once(&sources());
    }

    #[test]
    #[should_panic(expected = "(7, 7): expected [], found")]
    fn a_record_from_nowhere_is_found() {
        let more = [(0, 0), (0, 1), (7, 7)].map(|at| event(0, at, "0/unqualified"));
        outcomes(more.into()).assert_each_exactly_once(&sources());
    }

    #[test]
    fn what_is_there_again_is_counted_and_its_place_does_not_matter() {
        let repeated = || outcomes([(0, 0), (0, 1), (0, 0), (0, 1), (0, 1)].map(|at| event(0, at, "0/unqualified")).into());
        assert_eq!(repeated().assert_each_at_least_once(&sources()), 3);
        repeated().assert_first_appearances_in_order();
    }

    #[test]
    #[should_panic(expected = "1 of 2 positions have not their outcome")]
    fn a_lost_record_is_found_where_others_may_be_there_again() {
        let once_and_again = [(0, 0), (0, 0)].map(|at| event(0, at, "0/unqualified"));
        outcomes(once_and_again.into()).assert_each_at_least_once(&sources());
    }

    #[test]
    #[should_panic(expected = "offset 0 of input partition 0 stands after Some(1)")]
    fn a_turned_first_appearance_is_found() {
        let turned = [(0, 1), (0, 0), (0, 1)].map(|at| event(0, at, "0/unqualified"));
        outcomes(turned.into()).assert_first_appearances_in_order();
    }

    #[test]
    #[should_panic(expected = "offset 0 of input partition 0 stands after Some(1)")]
    fn a_turned_order_is_found() {
        outcomes(vec![event(0, (0, 1), "0/unqualified"), event(0, (0, 0), "0/unqualified")]).assert_in_order();
    }
}

//! The ledger and its audit, on the memory lane: whatever came in and whatever was taken back, the entries are a whole chain, the
//! audit finds nothing, and nothing that is done to what was written escapes it.

use std::{collections::BTreeMap, collections::VecDeque, sync::Arc, time::Duration};

use leadstream::{
    config::DeadLetterGuard,
    io::{Abort, Batch, BatchLimits, Committed, MemoryLane, NoRegistry, Observer, Tally},
    lead::{Partition, Position, Timestamp},
    ledger::{
        Head, LedgerEntry, Settled,
        audit::{Audit, Report, Stretch, as_output},
    },
    pipeline::{self, Live, Memory, OutputTopic, Trials},
    run::drive::{DriveSettings, drive},
};
use proptest::{collection::vec, prelude::*};

use super::core::pipeline;

const LEAD: &str =
    r#"{"userDetails":{"email":"jane@cedar-labs.example","country":"US","company":"Cedar Labs"},"leadSource":"SPZA-PLT|cedar.planner"}"#;

struct Deaf;

impl Observer for Deaf {
    fn committed(&mut self, tally: &Tally, _: Committed, _: Duration) {
        assert_eq!(tally.unaccounted(), 0);
    }

    fn aborted(&mut self, _: &Tally, _: &Abort, _: Duration) {}
}

fn partition() -> Partition {
    Partition { topic: "leads.raw".into(), number: 3 }
}

/// Values by number: a lead, two leads, one that does not qualify, none.
pub(crate) fn value(kind: u8, number: usize) -> Vec<u8> {
    let lead = LEAD.replace("jane", &format!("jane{number}"));
    match kind % 4 {
        0 => lead.into_bytes(),
        1 => format!("[{lead},{lead}]").into_bytes(),
        2 => lead.replace("SPZA-PLT", "SPZA-DNC").into_bytes(),
        _ => b"{\"status\":1}".to_vec(),
    }
}

pub(crate) type Bytes = Option<Vec<u8>>;
/// Topic, key, value and headers.
pub(crate) type WrittenOutput = (OutputTopic, Bytes, Bytes, Vec<(String, Bytes)>);

/// What was written, in order, and what was read.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) values: Vec<Vec<u8>>,
    pub(crate) outputs: Vec<WrittenOutput>,
    pub(crate) standing: (i64, String),
    /// What stands in the parking topic.
    pub(crate) parked: Vec<WrittenOutput>,
    /// What is settled before outputs are read, and after.
    pub(crate) settled: [Settled; 2],
}

/// Where the audit meets the output of this number.
pub(crate) fn place(topic: &str, number: usize) -> Position {
    Position { partition: Partition { topic: topic.into(), number: 0 }, offset: i64::try_from(number).expect("small") }
}

/// Outputs as records of a batch, each where the audit meets it.
pub(crate) fn as_records(outputs: &[WrittenOutput], topic_of: impl Fn(OutputTopic) -> String) -> Batch {
    let mut batch = Batch::default();
    for (number, (topic, key, value, headers)) in outputs.iter().enumerate() {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        batch.push(place(&topic_of(*topic), number), Timestamp::from_millis(0), key.as_deref(), value.as_deref(), headers);
    }
    batch
}

fn at(offset: usize) -> Position {
    Position { partition: partition(), offset: i64::try_from(offset).expect("small") }
}

pub(crate) fn written(kinds: &[u8], batch: usize, aborts: &[bool]) -> Written {
    let values: Vec<_> = kinds.iter().enumerate().map(|(number, kind)| value(*kind, number)).collect();
    let now = Timestamp::from_millis(1_793_000_000_000);
    let mut lane = MemoryLane::new(values.iter().enumerate().map(|(offset, value)| (at(offset), now, Some(value.clone()))).collect());
    let abort = || Abort { reason: leadstream::io::Cause::Delivery, detail: String::new(), too_large: Vec::new(), limits: None };
    lane.aborts = aborts.iter().map(|aborts| aborts.then(abort)).collect::<VecDeque<_>>();
    let live = Arc::new(Live::new(pipeline(), Trials::default()));
    let settings = DriveSettings {
        batch: BatchLimits { records: batch, bytes: 1 << 20, wait: Duration::ZERO },
        guard: DeadLetterGuard::default(),
        outputs: 1 << 20,
        ends_on_halt: false,
        shadows: Arc::default(),
        ledger: Some("leadstream".to_owned()),
        restore: None,
        passed_over: None,
        traced: false,
    };
    drive(&mut lane, &mut Deaf, || Arc::clone(&live), &NoRegistry, &settings).expect("memory does not fail");
    let outputs = lane.visible.into_iter().zip(lane.headers).map(|((topic, key, value), headers)| (topic, key, value, headers));
    let standing = lane.standing[&partition()].clone();
    Written { values, outputs: outputs.collect(), standing, parked: Vec::new(), settled: Default::default() }
}

impl Written {
    /// From now on this is the chain that is noted beside the group's offset.
    pub(crate) fn stand_with(&mut self, chain: &str) {
        let known = Head::of(&self.standing.1).chain().to_owned();
        self.standing.1 = self.standing.1.replace(&known, chain);
    }

    pub(crate) fn entries(&self) -> Vec<LedgerEntry> {
        let entries = self.outputs.iter().filter(|(topic, ..)| *topic == OutputTopic::Ledger);
        entries.map(|(_, _, value, _)| LedgerEntry::read(value.as_deref().unwrap_or_default()).expect("an entry")).collect()
    }

    /// The audit's word, with the raw records or without.
    pub(crate) fn audit(&self, with_records: bool) -> Report {
        self.audit_with(with_records, true)
    }

    fn audit_with(&self, with_records: bool, with_entries: bool) -> Report {
        let to = i64::try_from(self.values.len()).expect("small");
        let head = Some((self.standing.0, Head::of(&self.standing.1)));
        let mut audit =
            Audit::new("leadstream", vec![Stretch { partition: partition(), from: 0, to, earliest: 0, end: Some(to), head }], with_records);
        let batch = as_records(&self.outputs, |topic| format!("{topic:?}"));
        let records: Vec<_> = self.outputs.iter().zip(batch.iter()).collect();
        for ((topic, ..), record) in &records {
            if *topic == OutputTopic::Ledger && with_entries {
                audit.entry(&record.at, record.value);
            }
        }
        audit.entries_are_read();
        let (pipeline, mut memory) = (pipeline(), Memory::default());
        let mut raw = Batch::default();
        for (offset, value) in self.values.iter().enumerate() {
            raw.push(at(offset), Timestamp::from_millis(0), None, Some(value), std::iter::empty());
        }
        for record in raw.iter().filter(|_| with_records) {
            audit.record(&record.at, pipeline::read(&record, &pipeline, &mut memory).ok().map(|facts| facts.len()));
        }
        let [before, after] = &self.settled;
        audit.is_settled(before.clone());
        for ((topic, ..), record) in &records {
            if *topic != OutputTopic::Ledger {
                audit.output(&record.at, record.received_at, &as_output(record, *topic));
            }
        }
        for record in as_records(&self.parked, |_| "Parked".to_owned()).iter() {
            audit.parked(&record.at, &as_output(&record, OutputTopic::DeadLetter));
        }
        audit.outputs_are_read();
        audit.retries_are_read(after);
        assert_eq!(audit.is_beyond(|_| Some(to)), self.outputs.iter().any(is_forged));
        audit.group_came_to(|_| Some(to));
        audit.report()
    }
}

/// Behind all that was read.
const BEYOND: &str = "leads.raw/3/900/";

fn is_forged((_, _, value, headers): &WrittenOutput) -> bool {
    value.as_ref().is_some_and(|value| String::from_utf8_lossy(value).contains(BEYOND))
        && !headers.iter().any(|(name, _)| name == "lead-replay")
}

/// The same, as a replay writes it.
pub(crate) fn replayed((topic, key, value, headers): &WrittenOutput, id: &str) -> WrittenOutput {
    let mut headers = headers.clone();
    headers.push(("lead-replay".to_owned(), Some(id.as_bytes().to_vec())));
    (*topic, key.clone(), value.clone(), headers)
}

/// Something that is done to what was written.
#[derive(Clone, Debug)]
enum Deed {
    Delete(usize),
    Double(usize),
    Change(usize),
    Rekey(usize),
    Swap(usize),
    Relabel(usize),
    Head(usize),
}

fn deeds() -> impl Strategy<Value = Deed> {
    let place = 0..1_000_usize;
    prop_oneof![
        place.clone().prop_map(Deed::Delete),
        place.clone().prop_map(Deed::Double),
        place.clone().prop_map(Deed::Change),
        place.clone().prop_map(Deed::Rekey),
        place.clone().prop_map(Deed::Swap),
        place.clone().prop_map(Deed::Relabel),
        place.prop_map(Deed::Head),
    ]
}

/// Does it, if there is anything to do it to.
fn done(written: &mut Written, deed: &Deed) -> bool {
    let outputs = &mut written.outputs;
    let (Deed::Delete(place)
    | Deed::Double(place)
    | Deed::Change(place)
    | Deed::Rekey(place)
    | Deed::Swap(place)
    | Deed::Relabel(place)
    | Deed::Head(place)) = deed;
    let place = place % outputs.len();
    match deed {
        Deed::Delete(_) => drop(outputs.remove(place)),
        Deed::Double(_) => {
            let copy = outputs[place].clone();
            outputs.push(copy);
        }
        Deed::Change(_) => {
            let Some(last) = outputs[place].2.as_mut().and_then(|value| value.iter_mut().rev().nth(3)) else { return false };
            *last ^= 1;
        }
        Deed::Rekey(_) => {
            if outputs[place].0 == OutputTopic::Ledger {
                return false;
            }
            outputs[place].1 = Some(b"somebody else".to_vec());
        }
        Deed::Head(_) => {
            if outputs[place].0 == OutputTopic::Ledger {
                return false;
            }
            outputs[place].3.insert(0, ("traceparent".to_owned(), Some(b"00".to_vec())));
        }
        Deed::Relabel(_) => {
            // The reason of a dead letter stands in its headers.
            let Some((_, code)) = outputs[place].3.iter_mut().find(|(name, _)| name == "dlq-detail") else { return false };
            *code = Some(b"another reason".to_vec());
        }
        Deed::Swap(_) => {
            // The next of its topic that came from another record; the order of entries is their offsets'.
            let (topic, lead) =
                (outputs[place].0, |output: &Option<Vec<u8>>| output.as_ref().map(|value| value[..40.min(value.len())].to_vec()));
            let other =
                (place + 1..outputs.len()).find(|other| outputs[*other].0 == topic && lead(&outputs[*other].2) != lead(&outputs[place].2));
            let Some(other) = other.filter(|_| matches!(topic, OutputTopic::Qualified | OutputTopic::Unqualified)) else { return false };
            outputs.swap(place, other);
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_whole_and_nothing_that_is_done_to_it_escapes(
        kinds in vec(any::<u8>(), 1..20),
        batch in 1..9_usize,
        aborts in vec(any::<bool>(), 0..8),
        deed in deeds(),
    ) {
        let mut written = written(&kinds, batch, &aborts);
        let entries = written.entries();
        let (mut next, mut chain) = (0, String::new());
        for entry in &entries {
            prop_assert_eq!((entry.from, &entry.previous), (next, &chain), "each follows the one before");
            prop_assert_eq!(&entry.chain, &entry.computed_chain());
            (next, chain) = (entry.to, entry.chain.clone());
        }
        let head = Head::of(&written.standing.1);
        prop_assert_eq!((next, chain.as_str()), (written.standing.0, head.chain()));
        let sum = |of: fn(&LedgerEntry) -> i64| entries.iter().map(of).sum::<i64>();
        let count = |topic: OutputTopic| i64::try_from(written.outputs.iter().filter(|(of, ..)| *of == topic).count()).unwrap();
        prop_assert_eq!(sum(|entry| entry.records), i64::try_from(kinds.len()).unwrap());
        prop_assert_eq!(sum(|entry| entry.leads), count(OutputTopic::Qualified) + count(OutputTopic::Unqualified));
        prop_assert_eq!(sum(|entry| entry.routed), count(OutputTopic::Routing));
        prop_assert_eq!(sum(LedgerEntry::dead_lettered), count(OutputTopic::DeadLetter));

        for with_records in [true, false] {
            let report = written.audit(with_records);
            prop_assert!(report.is_clean() && report.notes.is_empty(), "{:?}", report);
            prop_assert_eq!((report.records, report.accounted), (kinds.len() as u64, kinds.len() as u64));
        }
        // What is lost and written again by a replay is there, whatever else a replay wrote.
        let outputs: Vec<_> = written.outputs.iter().filter(|(topic, ..)| *topic != OutputTopic::Ledger).cloned().collect();
        if let (Deed::Delete(place), false) = (&deed, outputs.is_empty()) {
            let lost = &outputs[place % outputs.len()];
            let mut restored = written.clone();
            restored.outputs.retain(|output| output != lost);
            restored.outputs.extend(outputs.iter().map(|output| replayed(output, "again")));
            for (with_records, with_entries) in [(true, true), (false, true), (true, lost.0 == OutputTopic::Routing)] {
                let report = restored.audit_with(with_records, with_entries);
                let without_ledger = usize::from(!with_entries);
                prop_assert_eq!(report.findings().iter().map(|(_, found)| found.count()).sum::<u64>(), without_ledger as u64, "{:?}", report);
                prop_assert_eq!((report.accounted, report.restored), (kinds.len() as u64, 1), "{:?}", report);
            }
        }
        if done(&mut written, &deed) {
            for with_records in [true, false] {
                let report = written.audit(with_records);
                prop_assert!(!report.is_clean(), "{deed:?} escaped");
                prop_assert!(report.accounted <= report.records);
            }
        }
    }
}

#[test]
fn a_decision_is_counted_by_verdict_and_code_and_told_by_whom_it_was_made() {
    let written = written(&[0, 1, 2, 3, 3], 10, &[]);
    let [entry] = written.entries().try_into().expect("one batch");
    assert_eq!(entry.group, "leadstream");
    assert_eq!((entry.topic.as_str(), entry.partition, entry.from, entry.to), ("leads.raw", 3, 0, 5));
    assert_eq!((entry.records, entry.leads, entry.qualified, entry.unqualified, entry.routed), (5, 4, 3, 1, 6));
    assert_eq!(entry.dead_letters, BTreeMap::from([("unknown_format".to_owned(), 2)]));
    assert_eq!((entry.rulesets[0].name.as_str(), entry.rulesets[0].hash.len(), entry.previous.as_str()), ("default", 64, ""));
}

#[test]
fn what_a_replay_wrote_otherwise_stands_for_nothing_that_was_lost() {
    let whole = written(&[0, 1, 2, 3], 10, &[]);
    let place = whole.outputs.iter().position(|(topic, ..)| *topic == OutputTopic::Unqualified).expect("one");
    let mut other = replayed(&whole.outputs[place], "otherwise");
    other.2 = other.2.map(|value| String::from_utf8(value).expect("text").replace("Cedar", "Other").into_bytes());
    let with = |outputs: Vec<WrittenOutput>| Written { outputs, ..whole.clone() };
    // Beside what was written first it is a note: rules may have changed.
    let mut beside = whole.outputs.clone();
    beside.push(other.clone());
    let report = with(beside).audit(true);
    assert!(report.is_clean() && report.replayed_otherwise == 1 && report.notes.len() == 1, "{report:?}");
    let mut lost = whole.outputs.clone();
    lost[place] = other.clone();
    for with_records in [true, false] {
        let report = with(lost.clone()).audit(with_records);
        assert_eq!((report.missing.count(), report.changed.count(), report.restored), (1, 1, 0), "{report:?}");
        assert!(report.changed.named()[0].contains("replays wrote 1 outputs that were lost"), "{report:?}");
    }
    // Two replays, of which one wrote it as it was.
    lost.push(replayed(&whole.outputs[place], "same"));
    let report = with(lost).audit(true);
    assert!(report.is_clean() && report.restored == 1, "{report:?}");
}

#[test]
fn what_came_from_nothing_is_told_whoever_is_said_to_have_written_it() {
    let whole = written(&[0, 1, 2, 3], 10, &[]);
    let qualified = whole.outputs.iter().find(|(topic, ..)| *topic == OutputTopic::Qualified).expect("one").clone();
    let with = |output: WrittenOutput| {
        let mut outputs = whole.outputs.clone();
        outputs.push(output);
        Written { outputs, ..whole.clone() }
    };
    let forged = |id: &str| {
        let text = String::from_utf8(qualified.2.clone().expect("a value")).expect("text").replace("leads.raw/3/0/0/qualified", id);
        (qualified.0, qualified.1.clone(), Some(text.into_bytes()), Vec::new())
    };
    let beyond = forged(&format!("{BEYOND}0/qualified"));
    let (no_lead, no_partition) = (forged("leads.raw/3/0/9/qualified"), forged("leads.raw/8/0/0/qualified"));
    let no_dead_letter = replayed(&qualified, "dlq-retry");
    for (output, with_records, told) in [
        (beyond.clone(), true, "the group stands at 4, and has not decided its record"),
        (beyond.clone(), false, "the group stands at 4"),
        (replayed(&beyond, "x"), true, "there is no such record yet"),
        (no_lead.clone(), true, "2 verdicts for 1 leads"),
        (no_lead.clone(), false, "and the ledger tells of"),
        (replayed(&no_lead, "x"), true, "its record has no more than 1 leads"),
        (replayed(&no_partition, "x"), false, "there is no such partition"),
        (no_dead_letter.clone(), true, "a retry of a dead letter wrote for it"),
    ] {
        let report = with(output.clone()).audit(with_records);
        assert!(report.unexpected.count() == 1 && report.unexpected.named()[0].contains(told), "{told}: {report:?}");
    }
}

#[test]
fn an_entry_that_cannot_be_one_is_told_and_nothing_is_made_of_it() {
    let changes: [fn(&mut LedgerEntry); 5] = [
        |entry| (entry.from, entry.to) = (9, 2),
        |entry| entry.from = -1,
        |entry| entry.routed = i64::MIN,
        |entry| entry.dead_letters = [("a".to_owned(), i64::MAX), ("b".to_owned(), i64::MAX)].into(),
        |entry| entry.records = 7,
    ];
    for change in changes {
        let mut written = written(&[0, 1, 2, 3], 10, &[]);
        let place = written.outputs.iter().position(|(topic, ..)| *topic == OutputTopic::Ledger).expect("one");
        let mut entry = written.entries().remove(0);
        change(&mut entry);
        let mut value = Vec::new();
        entry.chained("").write(pipeline::EventFormat::Json, &mut value);
        written.outputs[place].2 = Some(value);
        for with_records in [true, false] {
            let report = written.audit(with_records);
            assert!(report.ledger.named().iter().any(|told| told.contains("the entry of leads.raw/3: it ")), "{report:?}");
            assert!(report.records <= 4 && report.leads <= 5, "{report:?}");
        }
    }
}

#[test]
fn where_counts_differ_it_is_said_that_the_rest_is_not_proven() {
    // Decided by other rules than those at hand: nothing is decided again here.
    let mut written = written(&[0, 0, 2], 10, &[]);
    let routed: Vec<_> = (0..written.outputs.len()).filter(|at| written.outputs[*at].0 == OutputTopic::Routing).collect();
    let value = written.outputs[routed[1]].2.as_mut().expect("a value");
    let end = value.len() - 4;
    value[end] ^= 1;
    written.outputs.remove(routed[0]);
    let report = written.audit(true);
    assert_eq!((report.missing.count(), report.changed.count()), (1, 0), "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("nobody can tell whether the rest is as it was written")), "{report:?}");
}

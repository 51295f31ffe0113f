//! What holds for any bytes: one outcome a record, the same bytes twice, the order of the input, and no trace of how records
//! were batched or how often a batch was taken back.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, sync::Arc, time::Duration};

use leadstream::{
    config::DeadLetterGuard,
    io::{Abort, BatchLimits, Committed, MemoryLane, NoRegistry, Observer, Tally, Visible},
    pipeline::{Live, Memory, OutputTopic, Trials},
    run::drive::{DriveSettings, drive},
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use crate::core::{PIPELINE, at, decide, now, pipeline, run_with};

const LEAD: &str = r#"{"userDetails":{"firstName":"Ada","lastName":"Brandt","email":"ada.brandt@cedar-labs.example","phone":"14255550123","country":"US","company":"Cedar Labs","title":"CTO"},"leadSource":"SPZA-PLT|cedar.planner","actionCode":"PLT","offerTitle":"Planner","description":"{\"mktcmpid\":\"7\"}","More":[1,{"x":"y"}]}"#;

/// A lead with a few bytes changed, cut out, doubled or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..5_u8, 1..40_usize);
    (vec(change, 0..6), any::<bool>()).prop_map(|(changes, array)| {
        let mut bytes = if array { format!("[{LEAD},{LEAD}]") } else { LEAD.to_owned() }.into_bytes();
        for (place, byte, kind, length) in changes {
            let place = place.index(bytes.len().max(1)).min(bytes.len());
            let end = (place + length).min(bytes.len());
            match kind {
                0 if place < bytes.len() => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.drain(place..end)),
                3 => {
                    let piece = bytes[place..end].to_vec();
                    bytes.splice(place..place, piece);
                }
                4 => bytes.truncate(place),
                _ => {}
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_exactly_one_outcome_and_the_same_one_twice(value in mutated()) {
        let (outputs, decided) = decide(&value);
        prop_assert_eq!(&outputs, &decide(&value).0);
        if !decided {
            prop_assert_eq!(outputs.len(), 1);
            prop_assert_eq!(&outputs[0].topic, "leads.dead-letter");
            prop_assert_eq!(outputs[0].value.as_deref(), Some(&value[..]));
            prop_assert!(outputs[0].header("dlq-code").is_some());
            return Ok(());
        }
        let verdicts: Vec<Value> = outputs.iter().filter(|output| output.topic != "leads.routing").map(super::core::Written::json).collect();
        prop_assert!(!verdicts.is_empty());
        for (index, verdict) in verdicts.iter().enumerate() {
            let kind = verdict["verdict"].as_str().unwrap_or_default().to_lowercase();
            let id = format!("leads.raw/3/42/{index}/{kind}");
            prop_assert_eq!(verdict["event_id"].as_str(), Some(id.as_str()));
            let reasons = verdict["reasons"].as_array().map_or(0, Vec::len);
            prop_assert_eq!(kind == "qualified", reasons == 0);
        }
    }

    #[test]
    fn what_a_lane_remembers_changes_nothing(values in vec(mutated(), 1..10)) {
        let mut memory = Memory::default();
        for value in values.iter().chain(&values) {
            prop_assert_eq!(run_with(&mut memory, &PIPELINE, None, Some(value), &[]), decide(value));
        }
    }

    #[test]
    fn a_thousand_random_bytes_are_accounted_for(value in vec(any::<u8>(), 0..1000)) {
        let (outputs, decided) = decide(&value);
        prop_assert!(decided || outputs.len() == 1);
    }
}

/// Counts what it is told.
#[derive(Clone, Default)]
struct Counter(Rc<RefCell<(u64, u64, u64)>>);

impl Observer for Counter {
    fn committed(&mut self, tally: &Tally, _: Committed, _: Duration) {
        let mut counts = self.0.borrow_mut();
        counts.0 += tally.records.total();
        counts.1 += tally.leads.total() + tally.dead_letters.total();
        assert_eq!(tally.unaccounted(), 0);
    }

    fn aborted(&mut self, _: &Tally, _: &Abort, _: Duration) {
        self.0.borrow_mut().2 += 1;
    }
}

/// How much is taken at once.
#[derive(Clone, Copy)]
struct Limits {
    /// Records of a batch.
    records: usize,
    /// Bytes of outputs after which they are written.
    outputs: usize,
    /// A transaction may have several such parts.
    in_parts: bool,
}

const WHOLE: Limits = Limits { records: usize::MAX, outputs: 1 << 20, in_parts: true };

/// Everything that became visible, and what the observer counted: records, outcomes, aborts.
fn driven(values: &[Vec<u8>], limits: Limits, aborts: &[bool], largest: usize) -> (Vec<Visible>, (u64, u64, u64)) {
    let records_in = (0..).zip(values).map(|(offset, value)| (at(offset), now(), Some(value.clone()))).collect();
    let mut lane = MemoryLane::new(records_in);
    let abort = || Abort { reason: leadstream::io::Cause::Delivery, detail: String::new(), too_large: Vec::new(), limits: None };
    lane.aborts = aborts.iter().map(|aborts| aborts.then(abort)).collect::<VecDeque<_>>();
    lane.largest = largest;
    let counter = Counter::default();
    let live = Arc::new(Live::new(pipeline(), Trials::default()));
    // Nobody waits in memory; without an interval each part is a transaction.
    let wait = if limits.in_parts { Duration::from_hours(1) } else { Duration::ZERO };
    let batch = BatchLimits { records: limits.records, bytes: 1 << 20, wait };
    let settings = DriveSettings {
        batch,
        guard: DeadLetterGuard::default(),
        outputs: limits.outputs,
        ends_on_halt: false,
        shadows: Arc::default(),
        ledger: None,
        restore: None,
        passed_over: None,
        traced: false,
    };
    drive(&mut lane, &mut counter.clone(), || Arc::clone(&live), &NoRegistry, &settings).expect("memory does not fail");
    let counts = *counter.0.borrow();
    (lane.visible, counts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn batches_parts_and_aborts_leave_no_trace(
        values in vec(mutated(), 1..20), records in 1..20_usize, outputs in 1..20_000_usize, in_parts in any::<bool>(), aborts in vec(any::<bool>(), 0..12)
    ) {
        let (whole, _) = driven(&values, WHOLE, &[], 0);
        let (pieces, counts) = driven(&values, Limits { records, outputs, in_parts }, &aborts, 0);
        prop_assert_eq!(&whole, &pieces);
        prop_assert_eq!(counts.0, values.len() as u64, "records are counted once, whatever was taken back");
        let mut last = None;
        for (topic, _, value) in &whole {
            if *topic == OutputTopic::Routing || *topic == OutputTopic::DeadLetter {
                continue;
            }
            let event: Value = serde_json::from_slice(value.as_deref().unwrap_or_default()).expect("JSON");
            let place = (event["source"]["offset"].as_i64(), event["source"]["index"].as_i64());
            prop_assert!(last < Some(place), "the order of the input");
            last = Some(place);
        }
    }
}

#[test]
fn a_flood_of_dead_letters_halts_the_lane_or_ends_the_run_before_it_is_committed() {
    let (lead, bad) = (LEAD.as_bytes().to_vec(), b"{\"status\":1}".to_vec());
    // Batches of five: good ones, some bad ones among good ones, then a flood over a window that is full again.
    let values = [vec![lead.clone(); 5], [vec![lead; 3], vec![bad.clone(); 2]].concat(), vec![bad; 10]].concat();
    // In batches of five, and all in one batch that is written lead by lead: of that nothing is seen.
    let hour = Duration::from_hours(1);
    let ways = [(5, 1 << 20, Duration::ZERO, 15), (25, 1, hour, 0)];
    for (ends_on_halt, (records, outputs, wait, committed)) in [false, true].into_iter().flat_map(|ends| ways.map(|way| (ends, way))) {
        let mut lane = MemoryLane::new((0..).zip(&values).map(|(offset, value)| (at(offset), now(), Some(value.clone()))).collect());
        let (counter, live) = (Counter::default(), Arc::new(Live::new(pipeline(), Trials::default())));
        let batch = BatchLimits { records, bytes: 1 << 20, wait };
        let settings = DriveSettings {
            batch,
            guard: DeadLetterGuard { ratio: 0.7, over_records: 10 },
            outputs,
            ends_on_halt,
            shadows: Arc::default(),
            ledger: None,
            restore: None,
            passed_over: None,
            traced: false,
        };
        let end = drive(&mut lane, &mut counter.clone(), || Arc::clone(&live), &NoRegistry, &settings);
        match end {
            Ok(()) => assert!(!ends_on_halt),
            Err(fatal) => {
                assert!(ends_on_halt && fatal.exit == 1, "{fatal:?}");
                let told = ["10 of the last 10 records", "unknown_format", "leads.raw/3/"];
                assert!(told.iter().all(|word| fatal.message.contains(word)), "{}", fatal.message);
            }
        }
        // The window of the first ten is full and good; the next five are not yet enough to judge by.
        assert_eq!((counter.0.borrow().0, lane.visible.is_empty()), (committed, committed == 0));
    }
}

#[test]
fn a_record_whose_event_the_broker_refuses_becomes_a_dead_letter_alone() {
    let large = LEAD.replace("Planner", &"x".repeat(5_000));
    let values = [LEAD.as_bytes().to_vec(), large.into_bytes(), LEAD.as_bytes().to_vec()];
    // Dead letters of the model are as large as the record, so the limit lies between a record and its event.
    for outputs in [1, 4_000, 1 << 20] {
        let (visible, counts) = driven(&values, Limits { records: 10, outputs, in_parts: true }, &[], 5_600);
        let topics: Vec<_> = visible.iter().map(|(topic, ..)| *topic).filter(|topic| *topic != OutputTopic::Routing).collect();
        assert_eq!(topics, [OutputTopic::Qualified, OutputTopic::DeadLetter, OutputTopic::Qualified]);
        assert_eq!((counts.0, counts.1, counts.2), (3, 3, 1));
    }
}

//! Which leads leave a replay with a condition (`--where`), driven through the loop on the lane in memory: those for which it
//! holds, with the bytes they have without it; every record is accounted for.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use leadstream::{
    config::DeadLetterGuard,
    io::{Abort, BatchLimits, Committed, MemoryLane, NoRegistry, Observer, Tally, Visible},
    pipeline::{Live, OutputTopic, Trials},
    rules::Condition,
    run::{
        ShadowBudget,
        drive::{DriveSettings, drive},
    },
};

use crate::core::{at, now, pipeline};

#[derive(Clone, Default)]
struct Told(Rc<RefCell<Tally>>);

impl Observer for Told {
    fn committed(&mut self, tally: &Tally, _: Committed, _: Duration) {
        self.0.borrow_mut().merge(tally);
    }

    fn aborted(&mut self, _: &Tally, _: &Abort, _: Duration) {}
}

fn lead(country: &str) -> String {
    format!(r#"{{"userDetails":{{"firstName":"Ada","email":"ada@cedar-labs.example","country":"{country}"}},"leadSource":"SPZA-INS|a.b"}}"#)
}

/// What becomes visible of these records, and what is told.
fn driven(values: &[String], only: Option<&str>) -> (Vec<Visible>, Tally) {
    let records = (0..).zip(values).map(|(offset, value)| (at(offset), now(), Some(value.clone().into_bytes())));
    let mut lane = MemoryLane::new(records.collect());
    // The first batch is taken back once.
    lane.aborts =
        [Some(Abort { reason: leadstream::io::Cause::Delivery, detail: String::new(), too_large: Vec::new(), limits: None })].into();
    let settings = DriveSettings {
        batch: BatchLimits { records: 3, bytes: 1 << 20, wait: Duration::ZERO },
        guard: DeadLetterGuard::default(),
        outputs: 1 << 20,
        ends_on_halt: true,
        shadows: Arc::new(ShadowBudget::new(0.0)),
        ledger: None,
        restore: None,
        passed_over: None,
        traced: false,
    };
    let only = only.map(|text| Arc::new(Condition::of_route(text).expect("a good condition")));
    let live = Arc::new(Live { only, ..Live::new(pipeline(), Trials::default()) });
    let told = Told::default();
    drive(&mut lane, &mut told.clone(), || Arc::clone(&live), &NoRegistry, &settings).expect("memory does not fail");
    let tally = told.0.borrow().clone();
    (lane.visible, tally)
}

#[test]
fn of_a_record_only_the_chosen_leads_leave_and_every_record_is_accounted_for() {
    let two = format!("[{},{}]", lead("DE"), lead("FR"));
    let values = [lead("DE"), two, r#"{"status":1}"#.to_owned(), lead("FR"), "not json".to_owned()];
    let (all, _) = driven(&values, None);
    let (chosen, tally) = driven(&values, Some("contact.country == 'FR' && verdict == 'QUALIFIED'"));
    let is_french = |visible: &&Visible| {
        let value = visible.2.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        visible.0 != OutputTopic::DeadLetter && value.contains(r#""country":"FR""#)
    };
    let french: Vec<_> = all.iter().filter(is_french).cloned().collect();
    assert!(french.len() >= 4 && french.len() < all.len(), "{} of {}", french.len(), all.len());
    assert_eq!(chosen, french);
    assert_eq!((tally.records.total(), tally.leads.total(), tally.dead_letters.total(), tally.unaccounted()), (5, 2, 0, 0));
    // None chosen: all is read, nothing leaves.
    let (none, tally) = driven(&values, Some("contact.country == 'JP'"));
    assert_eq!((none, tally.records.total(), tally.unaccounted()), (Vec::new(), 5, 0));
}

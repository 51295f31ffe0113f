//! What retries of dead letters wrote, held against the record of what they settled, on the memory lane: what is whole is told whole,
//! and nothing that is done to it escapes. Copies of one replay, and offsets that were set back, are here too.

use leadstream::{
    ledger::{EventsDigest, Fate, LedgerEntry, Settled, Settlement, audit::Report},
    pipeline::OutputTopic,
};

use super::ledger::{Written, WrittenOutput, place, replayed, written};

/// What the audit will make of these outputs, written for one dead letter.
fn digest(outputs: &[WrittenOutput]) -> u64 {
    let batch = super::ledger::as_records(outputs, |topic| format!("{topic:?}"));
    let mut digest = EventsDigest::default();
    for ((topic, ..), record) in outputs.iter().zip(batch.iter()) {
        digest.add(&leadstream::ledger::audit::as_output(&record, *topic));
    }
    digest.half()
}

/// The outputs of the third record of these kinds, as a retry writes them.
fn third(kinds: &[u8]) -> Vec<WrittenOutput> {
    let ids = |(topic, _, value, headers): &WrittenOutput| match topic {
        OutputTopic::DeadLetter => headers.iter().any(|(name, value)| name == "dlq-offset" && value.as_deref() == Some(b"2")),
        OutputTopic::Ledger => false,
        _ => value.as_deref().is_some_and(|value| String::from_utf8_lossy(value).contains("\"leads.raw/3/2/")),
    };
    written(kinds, 10, &[]).outputs.iter().filter(|output| ids(output)).map(|output| replayed(output, "dlq-retry")).collect()
}

/// Four records, of which the third and the fourth are no leads; the dead letter of the third, and where it stands.
fn two_dead_letters() -> (Written, WrittenOutput, usize) {
    let whole = written(&[0, 1, 3, 3], 10, &[]);
    let at = whole.outputs.iter().position(|(topic, ..)| *topic == OutputTopic::DeadLetter).expect("one");
    let letter = whole.outputs[at].clone();
    (whole, letter, at)
}

fn settle(written: &mut Written, topic: &str, at: usize, fate: Fate, outputs: &[WrittenOutput]) {
    for settled in &mut written.settled {
        settled.insert(&place(topic, at), Settlement { fate, digest: digest(outputs) });
    }
}

fn counts(report: &Report) -> Vec<(&'static str, u64)> {
    report.counts().into_iter().collect()
}

/// Two leads, by a retry.
fn decided() -> (Written, usize, usize) {
    let (mut written, _, at) = two_dead_letters();
    let events = third(&[0, 1, 1, 3]);
    // As it is read now.
    written.values[2] = super::ledger::value(1, 2);
    assert!(events.len() >= 4, "two verdicts and their routes: {}", events.len());
    settle(&mut written, "DeadLetter", at, Fate::Decided, &events);
    let first = written.outputs.len();
    written.outputs.extend(events);
    let last = written.outputs.len();
    (written, first, last)
}

#[test]
fn what_a_retry_decided_is_there_once_and_as_it_was() {
    let (whole, first, end) = decided();
    for with_records in [true, false] {
        let report = whole.audit(with_records);
        assert!(report.is_clean() && report.notes.is_empty(), "{report:?}");
        assert_eq!(report.accounted, 4);
        for at in first..end {
            let is_verdict = whole.outputs[at].0 != OutputTopic::Routing;
            let mut lost = whole.clone();
            lost.outputs.remove(at);
            let report = lost.audit(with_records);
            let told = if is_verdict && with_records { "missing" } else { "changed" };
            assert_eq!((counts(&report), report.accounted), (vec![(told, 1)], 3), "{at}: {report:?}");
            let mut doubled = whole.clone();
            doubled.outputs.push(whole.outputs[at].clone());
            let report = doubled.audit(with_records);
            assert_eq!((counts(&report), report.accounted), (vec![("duplicated", 1)], 3), "{at}: {report:?}");
            let mut changed = whole.clone();
            changed.outputs[at].1 = Some(b"somebody else".to_vec());
            let report = changed.audit(with_records);
            assert_eq!((counts(&report), report.accounted), (vec![("changed", 1)], 3), "{at}: {report:?}");
        }
        let mut none = whole.clone();
        none.outputs.drain(first..end);
        let report = none.audit(with_records);
        assert_eq!(counts(&report), [("missing", 1)], "{report:?}");
        assert!(report.missing.named()[0].contains("leads.raw/3/2: what came of the dead letter DeadLetter/0/"), "{report:?}");
    }
}

#[test]
fn a_retry_that_is_seen_before_its_record_or_after_it_is_no_mistake() {
    let (whole, first, end) = decided();
    // Settled while the outputs were read, and seen or not.
    let mut later = whole.clone();
    later.settled[0] = Settled::default();
    assert!(later.audit(true).is_clean(), "{:?}", later.audit(true));
    later.outputs.drain(first..end);
    assert!(later.audit(true).is_clean(), "{:?}", later.audit(true));
    // Written by nobody whose record tells of it.
    let mut forged = whole.clone();
    forged.settled = Default::default();
    let report = forged.audit(true);
    assert_eq!(counts(&report), [("unexpected", 1)], "{report:?}");
    // The dead letter itself is deleted, as by age: what came of it is still told of.
    let mut aged = whole.clone();
    let at = aged.outputs.iter().position(|(topic, ..)| *topic == OutputTopic::DeadLetter).expect("one");
    // In its place something that is no business of this group.
    let other = LedgerEntry { group: "other".to_owned(), ..aged.entries().remove(0) }.chained("");
    let mut value = Vec::new();
    other.write(leadstream::pipeline::EventFormat::Json, &mut value);
    aged.outputs[at] = (OutputTopic::Ledger, None, Some(value), Vec::new());
    let report = aged.audit(true);
    assert_eq!(counts(&report), [("missing", 1)], "{report:?}");
    assert!(report.missing.named()[0] == "leads.raw/3/2", "the dead letter itself, by the ledger: {report:?}");
}

#[test]
fn what_was_rejected_again_and_what_was_parked_stands_where_it_was_put() {
    let (mut whole, letter, at) = two_dead_letters();
    let again = replayed(&letter, "dlq-retry");
    // Of one, the retry made another dead letter, which was parked later as it is.
    settle(&mut whole, "DeadLetter", at, Fate::Rejected, std::slice::from_ref(&again));
    let second = whole.outputs.len();
    whole.outputs.push(again.clone());
    settle(&mut whole, "DeadLetter", second, Fate::Parked, std::slice::from_ref(&again));
    whole.parked.push(again.clone());
    for with_records in [true, false] {
        let report = whole.audit(with_records);
        assert!(report.is_clean() && report.notes.is_empty(), "{report:?}");
        let mut lost = whole.clone();
        lost.parked.clear();
        let report = lost.audit(with_records);
        assert_eq!(counts(&report), [("missing", 1)], "{report:?}");
        let mut lost = whole.clone();
        lost.outputs.pop();
        assert!(lost.audit(with_records).missing.count() > 0);
        let mut doubled = whole.clone();
        doubled.parked.push(again.clone());
        assert_eq!(counts(&doubled.audit(with_records)), [("duplicated", 1)]);
        let mut doubled = whole.clone();
        doubled.outputs.push(again.clone());
        assert_eq!(counts(&doubled.audit(with_records)), [("duplicated", 1)]);
        let mut changed = whole.clone();
        changed.parked[0].2 = Some(b"{\"status\":2}".to_vec());
        assert_eq!(counts(&changed.audit(with_records)), [("changed", 1)]);
    }
    // A record of an earlier version tells of positions alone.
    let mut blank = whole.clone();
    let told = format!("{at},{second}");
    blank.settled = Default::default();
    for settled in &mut blank.settled {
        settled.learn(Some(b"DeadLetter/0/0"), Some(told.as_bytes())).expect("a record");
    }
    assert!(blank.audit(true).is_clean(), "{:?}", blank.audit(true));
    blank.parked.clear();
    blank.outputs.pop();
    assert_eq!(blank.audit(true).missing.count(), 1, "{:?}", blank.audit(true));
}

#[test]
fn of_a_record_that_was_retried_twice_both_are_told_as_doubles_and_none_as_missing() {
    // The group's offset was set back, so there is a second dead letter, and it was retried too.
    let (mut whole, first, end) = decided();
    let events = whole.outputs[first..end].to_vec();
    let letter = whole.outputs.iter().find(|(topic, ..)| *topic == OutputTopic::DeadLetter).expect("one").clone();
    let second = whole.outputs.len();
    whole.outputs.push(letter);
    settle(&mut whole, "DeadLetter", second, Fate::Decided, &events);
    whole.outputs.extend(events.clone());
    let report = whole.audit(true);
    let told: Vec<_> = counts(&report).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(told, ["duplicated"], "{report:?}");
    assert_eq!(report.duplicated.count(), events.len() as u64 + 1, "{report:?}");
    whole.outputs.truncate(second + 1);
    whole.outputs.drain(first..end);
    assert!(whole.audit(true).missing.count() > 0, "{:?}", whole.audit(true));
}

#[test]
fn two_copies_of_one_replay_are_told_and_two_replays_are_not() {
    let whole = written(&[0, 1, 2, 3], 10, &[]);
    let with = |copies: &[(usize, &str)]| {
        let copies = copies.iter().map(|(at, id)| replayed(&whole.outputs[*at], id));
        Written { outputs: whole.outputs.iter().cloned().chain(copies).collect(), ..whole.clone() }
    };
    assert!(with(&[(0, "a"), (0, "b"), (1, "a")]).audit(true).is_clean());
    let report = with(&[(0, "a"), (0, "b"), (0, "a")]).audit(true);
    assert_eq!((counts(&report), report.accounted), (vec![("duplicated", 1)], 3), "{report:?}");
}

/// The same with the entries of `later` behind those of the first, as after the group's offset was set back.
fn set_back(batches: usize, offset_from: i64) -> (Written, Vec<LedgerEntry>) {
    let mut first = written(&[0, 1, 2, 0, 0, 2], batches, &[]);
    let entries = first.entries();
    let mut previous = String::new();
    let mut later = Vec::new();
    for entry in entries.iter().filter(|entry| entry.to > offset_from) {
        let from = entry.from.max(offset_from);
        let entry = LedgerEntry { from, records: entry.to - from, ..entry.clone() }.chained(&previous);
        previous.clone_from(&entry.chain);
        later.push(entry);
    }
    for entry in &later {
        let mut value = Vec::new();
        entry.write(leadstream::pipeline::EventFormat::Json, &mut value);
        first.outputs.push((OutputTopic::Ledger, Some(entry.key().into_bytes()), Some(value), Vec::new()));
    }
    (first, later)
}

#[test]
fn an_offset_that_was_set_back_begins_a_chain_anew_and_nobody_is_accused_of_more() {
    for (batches, from) in [(6, 2), (2, 3), (1, 2), (3, 1)] {
        let (mut written, later) = set_back(batches, from);
        written.stand_with(&later.last().expect("one").chain);
        let report = written.audit(true);
        let told = report.ledger.named().join("\n");
        assert!(report.notes.iter().any(|note| note.contains("begins anew at")), "{report:?}");
        assert!(told.contains("stand in two entries") && !told.contains("follow") && !told.contains("is not the one"), "{told}");
        assert!(!told.contains("no entry covers"), "{told}");
    }
}

//! What holds for every record there is, whatever its bytes: one outcome, dead letters untouched, the same bytes twice, events
//! with the right ids, redaction, and outputs whose size the input bounds. Shared with `fuzz`.

use leadstream::{
    io::{Batch, Tally},
    lead::{Contact, Facts, Outcome, Partition, Position, Record, Timestamp},
    pipeline::{self, Memory, Output, OutputBuffer, OutputTopic, Pipeline},
};
use serde_json::Value;

/// A record as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Input<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Leads that were decided; none: a dead letter.
    pub(crate) leads: usize,
    pub(crate) redacted: usize,
    /// Bytes of all outputs.
    pub(crate) bytes: usize,
    /// The dead letter's code.
    pub(crate) code: String,
}

/// Where the record stands.
const TOPIC: &str = "leads.raw";

/// 2026-11-01T09:00:00Z.
const NOW: i64 = 1_793_523_600_000;

/// Planted people's words begin with this, and leadstream's own hold it nowhere.
const MARK: &str = "zq";

/// What one output may have, whatever the record says: names of fields, words of fixed lists, ids, times, an envelope's
/// attributes, headers.
const BYTES_OF_ITS_OWN: usize = 8 * 1024;

/// How often a byte of the record may stand in the outputs: in three events, as up to five fields, in the longest escape.
const TIMES: usize = 3 * 5 * 7;

/// Decides records, and panics where something does not hold.
#[derive(Debug)]
pub(crate) struct Checker {
    pipeline: Pipeline,
    memory: Memory,
    out: OutputBuffer,
    again: OutputBuffer,
}

impl Checker {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline, memory: Memory::default(), out: OutputBuffer::default(), again: OutputBuffer::default() }
    }

    /// One record, judged.
    pub(crate) fn check(&mut self, input: &Input<'_>) -> Seen {
        let now = Timestamp::from_millis(NOW);
        let at = Position { partition: Partition { topic: TOPIC.into(), number: 3 }, offset: 42 };
        let mut batch = Batch::default();
        batch.push(at, now, input.key, input.value, input.headers.iter().map(|(name, value)| (*name, Some(*value))));
        let record = batch.get(0).expect("just pushed");
        let leads = decided(&record, &self.pipeline, &mut self.memory, &mut self.out);
        // With nothing remembered: what is decided does not hang on what was decided before.
        assert_eq!(leads, decided(&record, &self.pipeline, &mut Memory::default(), &mut self.again), "decided in another way");
        assert_same(&self.out, &self.again);
        let outputs: Vec<_> = self.out.iter().collect();
        let bytes = self.out.bytes();
        let length = input.value.map_or(0, <[u8]>::len);
        let Some(leads) = leads else {
            let headers: usize = input.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            let carried = length + input.key.map_or(0, <[u8]>::len) + headers;
            assert!(bytes <= carried + BYTES_OF_ITS_OWN, "{bytes} bytes for a record of {carried}");
            let code = assert_dead_letter(&outputs, input);
            return Seen { bytes, code, ..Seen::default() };
        };
        assert!(leads <= length.max(1), "a lead needs a byte");
        assert!(bytes <= outputs.len() * BYTES_OF_ITS_OWN + TIMES * length, "{bytes} bytes in {} outputs for {length}", outputs.len());
        let facts = pipeline::read(&record, &self.pipeline, &mut self.memory).expect("it was decided");
        let redacted = assert_events(&outputs, &facts);
        Seen { leads, redacted, bytes, code: String::new() }
    }
}

/// Runs a record; how many leads were decided, if any.
fn decided(record: &Record<'_>, pipeline: &Pipeline, memory: &mut Memory, out: &mut OutputBuffer) -> Option<usize> {
    out.begin(record.received_at);
    let mut outcomes = Vec::new();
    let mut tally = Tally::default();
    pipeline::run(record, pipeline, memory, out, |outcome| {
        tally.record(&record.at.partition.topic, outcome);
        outcomes.push(match outcome {
            Outcome::Decided(decisions) => Some(decisions.len()),
            Outcome::Rejected(_) => None,
        });
    });
    out.iter().for_each(|output| tally.events(output.topic, 1));
    assert_eq!((outcomes.len(), tally.unaccounted()), (1, 0), "one record has one outcome");
    assert_ne!(outcomes[0], Some(0), "a decided record has a lead");
    outcomes[0]
}

fn assert_same(one: &OutputBuffer, other: &OutputBuffer) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other.iter()) {
        assert_eq!((one.topic, one.key, one.value), (other.topic, other.key, other.value), "not the same bytes twice");
        assert!(one.headers.iter().eq(other.headers.iter()), "not the same headers twice");
    }
}

fn header<'a>(output: &Output<'a>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(output.headers.last(name)?).ok()
}

/// The one dead letter, as the record came; its code.
fn assert_dead_letter(outputs: &[Output<'_>], input: &Input<'_>) -> String {
    let [letter] = outputs else { panic!("{} outputs for a refused record", outputs.len()) };
    assert_eq!(letter.topic, OutputTopic::DeadLetter);
    let code = header(letter, "dlq-code").expect("a code");
    if code == "too_large" {
        assert!(letter.value.is_none() && header(letter, "dlq-sha256").is_some_and(|hash| hash.len() == 64));
    } else {
        assert_eq!(letter.value, input.value, "a dead letter's bytes are untouched");
    }
    assert_eq!(letter.key, input.key, "and its key");
    let own = |name: &str| name.starts_with("dlq-");
    let came = input.headers.iter().filter(|(name, _)| !own(name)).map(|(name, value)| (*name, Some(*value)));
    assert!(letter.headers.iter().filter(|(name, _)| !own(name)).eq(came), "and its headers");
    for name in ["dlq-detail", "dlq-stage", "dlq-ruleset"] {
        assert!(header(letter, name).is_some_and(|value| !value.is_empty()), "{name}");
    }
    for (name, value) in letter.headers.iter().filter(|(name, _)| own(name)) {
        let value = String::from_utf8_lossy(value.unwrap_or_default()).to_lowercase();
        assert!(!value.contains(MARK), "{name} tells of the record: {value}");
    }
    assert_eq!((header(letter, "dlq-topic"), header(letter, "dlq-offset")), (Some(TOPIC), Some("42")));
    code.to_owned()
}

/// The events of all leads in their order, each as it must be; how many are redacted.
fn assert_events(outputs: &[Output<'_>], facts: &[Facts<'_>]) -> usize {
    let mut redacted = 0;
    let mut index = None;
    let mut ids = std::collections::BTreeSet::new();
    for output in outputs {
        let event: Value = serde_json::from_slice(output.value.expect("an event has a value")).expect("an event is JSON");
        let routed = output.topic == OutputTopic::Routing;
        if !routed {
            index = Some(index.map_or(0, |index| index + 1));
        }
        let at = index.expect("a verdict comes before its routes");
        let facts = facts.get(at).expect("as many events as leads");
        let kind = match output.topic {
            OutputTopic::Qualified => "qualified".to_owned(),
            OutputTopic::Unqualified => "unqualified".to_owned(),
            OutputTopic::Routing => format!("routed/{}", text(&event["destination"])),
            OutputTopic::DeadLetter | OutputTopic::Ledger => panic!("something else beside events"),
        };
        let id = format!("{TOPIC}/3/42/{at}/{kind}");
        assert_eq!(text(&event["event_id"]), id);
        assert!(ids.insert(id), "an event's id is its own");
        assert_eq!((event["source"]["index"].as_u64(), event["source"]["offset"].as_u64()), (u64::try_from(at).ok(), Some(42)));
        let key = event["person_key"].as_str().unwrap_or(text(&event["lead_id"]));
        assert!(key.len() == 32 && output.key == Some(key.as_bytes()), "an event's key is its person, else its lead");
        let verdict = text(&event["verdict"]).to_lowercase();
        if !routed {
            assert_eq!((verdict.as_str(), event["reasons"].is_null()), (kind.as_str(), kind == "qualified"));
        }
        if event["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "redacted")) {
            assert_redacted(&event, facts);
            redacted += usize::from(!routed);
        }
    }
    assert_eq!(index.map(|index| index + 1), Some(facts.len()), "every lead has its verdict");
    redacted
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The fields in which free text may stand in a redacted event.
const FREE: [&str; 7] = ["source_raw", "action_raw", "publisher_id", "offer_id", "offer_title", "offer_raw", "marketing_campaign"];

/// Fields that hold ids, times, numbers or words of fixed lists; the mail domain stays by contract.
const FIXED: [&str; 39] = [
    "event_id",
    "lead_id",
    "person_key",
    "origin",
    "storefront",
    "channel",
    "campaign",
    "audience",
    "listing",
    "action",
    "stage",
    "confidence",
    "contact",
    "consent",
    "referral",
    "is_test",
    "is_spam",
    "suppressed_by",
    "attribution",
    "flags",
    "score",
    "verdict",
    "reasons",
    "event_time",
    "received_at",
    "source",
    "ruleset",
    "destination",
    "queue",
    "owner",
    "priority",
    "route",
    "first_touch_due",
    "accept_due",
    "hot_until",
    "late_delivery",
    "email_domain",
    "email_kind",
    "seniority",
];

fn assert_redacted(event: &Value, facts: &Facts<'_>) {
    let mut free = Vec::new();
    for (name, value) in event.as_object().expect("an object") {
        assert!(FREE.contains(&name.as_str()) || FIXED.contains(&name.as_str()), "{name} in a redacted event");
        free.extend(value.as_str().filter(|_| FREE.contains(&name.as_str())));
    }
    for (name, value) in event["contact"].as_object().expect("an object") {
        match name.as_str() {
            "company" | "title" | "country_raw" => free.push(text(value)),
            "country" | "region" => {}
            _ => assert!(FIXED.contains(&name.as_str()), "contact.{name} in a redacted event"),
        }
    }
    for (name, value) in event["referral"].as_object().into_iter().flatten() {
        free.extend(value.as_str().filter(|_| name != "expires_at"));
    }
    for (name, value) in event["attribution"].as_object().into_iter().flatten() {
        free.extend([name.as_str(), text(value)]);
    }
    for text in free {
        assert!(!tells(text, &facts.contact, facts.note.as_deref()), "{text:?} in a redacted event of {:?}", facts.contact);
    }
}

/// Whether a text tells the person, for sure: found in another way than the encoder's.
fn tells(text: &str, contact: &Contact<'_>, note: Option<&str>) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).collect();
    let names = [&contact.first_name, &contact.last_name].into_iter().flatten().map(|name| name.to_lowercase());
    let names: Vec<_> = names.filter(|name| name.chars().count() > 1 && name.chars().all(char::is_alphabetic)).collect();
    let numbers = [&contact.phone_e164].into_iter().flatten().filter_map(|number| number.get(number.len().checked_sub(7)?..));
    text.contains('@')
        || note.is_some_and(|note| note.chars().count() > 1 && note.to_lowercase() == text)
        || names.iter().any(|name| words.contains(&name.as_str()))
        || numbers.into_iter().any(|number| text.contains(number))
}

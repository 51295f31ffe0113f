//! Dead letters are settled here, each once: what becomes of them and the record that they are settled are one transaction, under a
//! transactional id that one process at a time can have. Who takes it over reads the record first (ADR 19). What becomes of one is
//! `retry`'s and `park`'s.

use std::{collections::BTreeSet, io::Write};

use super::{ANSWER, Selection, parked_topic, read_all, report, report::Tally, settled, settled_topic};
use crate::{
    config::Config,
    dead_letters::Letter,
    io::Batch,
    kafka::{Keeps, NotCommitted, OutputNames, TopicFinding, TopicPlan, Topics, TransactionSettings, Transactions},
    lead::{Position, Record, Timestamp},
    ledger::{EventsDigest, Fate, Settled, Settlement},
    pipeline::{OutputBuffer, OutputTopic},
    run::{
        Failure, now,
        serve::largest,
        topics::{OUTPUT_HEADROOM, largest_output},
    },
};

/// What one transaction writes beside the record of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// To the topics of the configuration.
    pub(super) events: OutputBuffer,
    /// Dead letters for the parking topic.
    pub(super) parked: OutputBuffer,
    /// The broker has refused an event of the record at hand as too large for its topic.
    pub(super) is_refused: bool,
}

impl Written {
    fn begin(&mut self, stamp: Timestamp) {
        self.events.begin(stamp);
        self.parked.begin(stamp);
    }

    fn bytes(&self) -> usize {
        self.events.bytes() + self.parked.bytes()
    }

    /// What was written for a dead letter, when there were so many events and so many parked before it.
    fn since(&self, (events, parked): (usize, usize)) -> Settlement {
        let all = || (events..self.events.len()).filter_map(|number| self.events.get(number));
        let aside = (parked..self.parked.len()).filter_map(|number| self.parked.get(number));
        let mut digest = EventsDigest::default();
        all().chain(aside).for_each(|output| digest.add(&output));
        let fate = match all().next().map(|output| output.topic) {
            Some(OutputTopic::DeadLetter) => Fate::Rejected,
            None if self.parked.len() > parked => Fate::Parked,
            // A record may have no leads.
            Some(_) | None => Fate::Decided,
        };
        Settlement { fate, digest: digest.half() }
    }
}

/// Says what becomes of a dead letter: writes it and counts it. `false`: it stays as it is.
pub(super) type Treatment<'t> = dyn FnMut(&Record<'_>, &Letter, &mut Written, &mut Tally) -> Result<bool, Failure> + 't;

/// A transaction is closed once it has so many bytes.
const OUTPUTS: usize = 4 << 20;
/// So often in a row a transaction may end in doubt, without one between that did not.
const DOUBTS: u32 = 5;

/// The topics that are written, as they are on the broker.
pub(super) struct Ground {
    names: OutputNames,
    parked: OutputNames,
    settled: OutputNames,
    /// What each topic of events takes, in bytes.
    pub(super) largest: [usize; OutputTopic::COUNT],
    /// What the topic that takes least takes at once, in bytes.
    least: usize,
}

impl Ground {
    /// Looks at the topics; where something is to be written, makes what is missing of the two that are `dlq`'s own.
    pub(super) fn survey(config: &Config, commit: bool) -> Result<Self, Failure> {
        let (parked, settled) = (parked_topic(config), settled_topic(config));
        let names = OutputTopic::ALL.map(|topic| config.topics.name(topic).to_owned());
        let outcomes = OutputTopic::OUTCOMES.map(|topic| config.topics.name(topic).to_owned());
        let all: Vec<String> = outcomes.iter().chain([&parked, &settled]).cloned().collect();
        let topics = Topics::connect(&config.kafka)?;
        let found = topics.find(&all, ANSWER)?;
        if commit {
            make(&topics, config, &found, &settled)?;
        }
        let one = |name: &str| std::array::from_fn(|_| name.to_owned());
        let least = found.iter().filter_map(|topic| topic.largest).min().unwrap_or(usize::MAX);
        Ok(Self { largest: largest(config, &found), least, names, parked: one(&parked), settled: one(&settled) })
    }
}

fn make(topics: &Topics, config: &Config, found: &[TopicFinding], settled: &str) -> Result<(), Failure> {
    let there = |name: &str| found.iter().find(|topic| topic.name == name && topic.partitions > 0);
    // A record that is deleted by age would let a dead letter be retried twice.
    if let Some(policy) = there(settled).and_then(|topic| topic.cleanup.as_deref()).filter(|policy| *policy != "compact") {
        let why = format!("cleanup.policy of {settled} is {policy}, so Kafka would forget what is settled");
        return Err(Failure::usage(format!("retrying: {why}; set it to compact")));
    }
    let partitions = there(&config.topics.dead_letter).map_or(1, |topic| i32::try_from(topic.partitions).unwrap_or(1));
    // One that may not be seen may be there: writing tells which right is missing.
    let is_missing = |plan: &TopicPlan| !found.iter().any(|topic| topic.name == plan.name && (topic.partitions > 0 || topic.is_hidden));
    let missing: Vec<_> = plans(config, partitions, -1).into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for (plan, made) in missing.iter().zip(topics.create(&missing)?) {
        made.map_err(|why| {
            let todo = "`leadstream topics create --dlq` makes it, as somebody who may";
            Failure::found(format!("creating {} at {}: {why}; {todo}", plan.name, config.kafka.brokers))
        })?;
    }
    Ok(())
}

/// The two topics that are `dlq`'s own.
pub(in crate::run) fn plans(config: &Config, partitions: i32, replication: i32) -> [TopicPlan; 2] {
    let largest = Some(largest_output(config));
    [
        TopicPlan { name: parked_topic(config), partitions, replication, largest, keeps: Keeps::Broker },
        TopicPlan { name: settled_topic(config), partitions: 1, replication, largest: None, keeps: Keeps::Last },
    ]
}

/// Settles what is selected, or tells what would become of it.
pub(super) fn settle(
    config: &Config,
    selection: &Selection,
    ground: Option<&Ground>,
    json: bool,
    treat: &mut Treatment<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let tally = match ground {
        None => rehearse(config, selection, treat)?,
        Some(ground) => {
            Settling { config, selection, ground, doubts: 0, done: Tally::default(), in_doubt: None, refused: Refused::default() }
                .run(treat)?
        }
    };
    report::tell(&tally, ground.is_some(), json, out)
}

/// What would become of them.
fn rehearse(config: &Config, selection: &Selection, treat: &mut Treatment<'_>) -> Result<Tally, Failure> {
    let spans = selection.spans(config)?;
    let settled = settled(config)?;
    let (mut tally, mut written) = (Tally::default(), Written::default());
    read_all(config, &spans, &mut |batch| {
        for record in batch.iter() {
            written.begin(now());
            let letter = Letter::of(&record);
            if selection.takes(&record, &letter) && !settled.contains(&record.at) {
                treat(&record, &letter, &mut written, &mut tally)?;
            }
        }
        Ok(true)
    })?;
    Ok(tally)
}

struct Settling<'s> {
    config: &'s Config,
    selection: &'s Selection,
    ground: &'s Ground,
    doubts: u32,
    done: Tally,
    /// What the last transaction did, where nobody can tell whether it is visible.
    in_doubt: Option<(Position, Tally)>,
    refused: Refused,
}

/// What the broker found too large, where it does not tell what its topics take.
#[derive(Debug, Default)]
struct Refused {
    /// Dead letters of whose records an event was too large: decided again, they are rejected.
    records: BTreeSet<Position>,
    /// The most bytes a dead letter may have, and a parked one.
    dead_letter: Option<usize>,
    parked: Option<usize>,
    /// Something was refused, and what is sent together is refused together: from then on each is sent alone.
    one_by_one: bool,
}

/// One hold on the transactional id.
struct Hold {
    transactions: Transactions,
    settled: Settled,
    written: Written,
    record: OutputBuffer,
    /// What of the transaction at hand is settled by it, and what was written for each.
    positions: Vec<(Position, Settlement)>,
    tally: Tally,
    /// What stays as it is.
    left: Tally,
}

impl Settling<'_> {
    fn run(mut self, treat: &mut Treatment<'_>) -> Result<Tally, Failure> {
        let spans = self.selection.spans(self.config)?;
        loop {
            let mut hold = self.hold()?;
            let mut doubt = None;
            read_all(self.config, &spans, &mut |batch| {
                doubt = self.batch(&mut hold, batch, treat)?;
                Ok(doubt.is_none())
            })?;
            match doubt {
                None => {
                    self.done.merge(hold.left);
                    return Ok(self.done);
                }
                Some(doubt) => self.bear(doubt)?,
            }
        }
    }

    /// Takes the transactional id, and only then reads what is settled: whoever had the id can add nothing to that any more.
    fn hold(&mut self) -> Result<Hold, Failure> {
        let largest = largest_output(self.config) + OUTPUT_HEADROOM;
        let transactions = Transactions::begin(&TransactionSettings {
            kafka: self.config.kafka.clone(),
            transactional_id: format!("{}-dlq", self.config.kafka.group),
            largest,
            least: self.ground.least,
            alone: self.refused.one_by_one,
        })?;
        let settled = settled(self.config)?;
        if let Some((at, tally)) = self.in_doubt.take()
            && settled.contains(&at)
        {
            self.done.merge(tally);
        }
        let mut written = Written::default();
        if let Some(largest) = self.refused.dead_letter {
            written.events.lower(OutputTopic::DeadLetter, largest);
        }
        if let Some(largest) = self.refused.parked {
            written.parked.lower(OutputTopic::DeadLetter, largest);
        }
        Ok(Hold {
            transactions,
            settled,
            written,
            record: OutputBuffer::default(),
            positions: Vec::new(),
            tally: Tally::default(),
            left: Tally::default(),
        })
    }

    /// Settles a batch; where a transaction left a doubt, which.
    fn batch(&mut self, hold: &mut Hold, batch: &Batch, treat: &mut Treatment<'_>) -> Result<Option<Doubt>, Failure> {
        hold.written.begin(now());
        for record in batch.iter() {
            let letter = Letter::of(&record);
            if !self.selection.takes(&record, &letter) || hold.settled.contains(&record.at) {
                continue;
            }
            let mut tally = Tally::default();
            hold.written.is_refused = self.refused.records.contains(&record.at);
            // Whose outputs the next ones are.
            hold.written.events.begin_record(hold.positions.len());
            let before = (hold.written.events.len(), hold.written.parked.len());
            if treat(&record, &letter, &mut hold.written, &mut tally)? {
                hold.positions.push((record.at.clone(), hold.written.since(before)));
                hold.tally.merge(tally);
            } else {
                hold.left.merge(tally);
            }
            if hold.written.bytes() >= OUTPUTS
                && let Some(doubt) = self.commit(hold)
            {
                return Ok(Some(doubt));
            }
        }
        Ok(self.commit(hold))
    }

    fn commit(&mut self, hold: &mut Hold) -> Option<Doubt> {
        let (first, _) = hold.positions.first()?.clone();
        if !hold.transactions.is_fit() {
            // Nothing of this was begun; the last transaction is whole.
            hold.positions.clear();
            return Some(Doubt::Worn);
        }
        for (at, what) in &hold.positions {
            hold.settled.insert(at, *what);
        }
        hold.record.begin(hold.written.events.stamp());
        for (key, value) in hold.settled.records(hold.positions.iter().map(|(at, _)| at)) {
            let put = |text: String| {
                move |bytes: &mut Vec<u8>| {
                    bytes.extend_from_slice(text.as_bytes());
                    true
                }
            };
            hold.record.push(OutputTopic::DeadLetter, put(key), put(value), |_| {});
        }
        let parts =
            [(&hold.written.events, &self.ground.names), (&hold.written.parked, &self.ground.parked), (&hold.record, &self.ground.settled)];
        let result = hold.transactions.commit(&parts);
        let tally = std::mem::take(&mut hold.tally);
        let positions: Vec<_> = std::mem::take(&mut hold.positions).into_iter().map(|(at, _)| at).collect();
        match result {
            Ok(()) => {
                self.done.merge(tally);
                self.doubts = 0;
                hold.written.begin(now());
                None
            }
            Err(why) => {
                self.in_doubt = Some((first, tally));
                let is_known = self.refused.learn(&why.too_large, &hold.written, &positions);
                Some(if is_known { Doubt::TooLarge } else { Doubt::Open(why) })
            }
        }
    }

    /// Whether to go on after a doubt.
    fn bear(&mut self, doubt: Doubt) -> Result<(), Failure> {
        let Doubt::Open(why) = doubt else { return Ok(()) };
        if !why.too_large.is_empty() {
            let todo = "raise max.message.bytes of the dead-letter topic, `.parked` and `.settled`";
            return Err(Failure::usage(format!("settling dead letters: {why}: it cannot be made smaller; {todo}, and run it again")));
        }
        let kept = "what was settled before stays settled; run it again for the rest";
        if why.is_fenced {
            let twin = "another `dlq retry` or `dlq park` of this group has taken over, or this one was held up for too long";
            return Err(Failure::unavailable(format!("settling dead letters: {twin} ({why}); {kept}")));
        }
        self.doubts += 1;
        if self.doubts == DOUBTS {
            return Err(Failure::unavailable(format!("settling dead letters: {why}; {kept}")));
        }
        Ok(())
    }
}

/// Why a hold ends before its work does.
enum Doubt {
    /// The producer is fit for no further transaction, though its last one is whole.
    Worn,
    /// Nobody knows whether the transaction is visible: the record will tell.
    Open(NotCommitted),
    /// The broker refused outputs as too large, and next time they are others.
    TooLarge,
}

impl Refused {
    /// Takes what was refused, by number among the events, the parked ones and the record of them; whether all of it will be smaller.
    fn learn(&mut self, refused: &[usize], written: &Written, positions: &[Position]) -> bool {
        if !refused.is_empty() && !std::mem::replace(&mut self.one_by_one, true) {
            return true;
        }
        let events = written.events.len();
        let mut is_known = !refused.is_empty();
        for number in refused {
            let output = written.events.get(*number);
            let parked = number.checked_sub(events).and_then(|number| written.parked.get(number));
            is_known &= match (output, parked) {
                (Some(event), _) if event.topic != OutputTopic::DeadLetter => {
                    positions.get(event.record).is_some_and(|at| self.records.insert(at.clone()))
                }
                (Some(dead), _) => lower(&mut self.dead_letter, dead.bytes() - 1, dead.value.is_some()),
                (None, Some(parked)) => lower(&mut self.parked, parked.bytes() - 1, parked.value.is_some()),
                (None, None) => false,
            };
        }
        is_known
    }
}

/// From now on no output is as large, where one without its value is smaller.
fn lower(known: &mut Option<usize>, largest: usize, has_value: bool) -> bool {
    // What was to be no larger, and is, is written as it is.
    let can_be_smaller = has_value && known.is_none_or(|known| largest < known);
    *known = Some(known.map_or(largest, |known| known.min(largest)));
    can_be_smaller
}

//! `leadstream verify`: what was read, what was written and what the ledger says of it, held against each other. Reads topics in no
//! group and commits nothing; what agrees with what is `ledger::audit`'s, how it is told `report`'s.

mod ground;
mod report;

use std::{
    io::Write,
    sync::{
        Arc,
        mpsc::{channel, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::{Config, Delivery, EncodingConfig},
    io::{Batch, Bound, SchemaSource},
    kafka::{Span, Topics, read_range, spans, spans_from, written_ends},
    lead::{Partition, Timestamp},
    ledger::{
        Settled,
        audit::{Audit, as_output},
    },
    pipeline::{self, Choice, EncodeSettings, Memory, OutputBuffer, OutputTopic, Pipeline},
    registry::{Registry, Unwatched},
};

use super::{Failure, VerifyArguments, dead_letters, reading::read_or_fail, registration, serve::largest};

/// Bytes of a batch, about.
const BATCH: usize = 4 << 20;
/// How long the broker may take to tell of its topics.
const ANSWER: Duration = Duration::from_secs(10);
/// Longer than transactions of leadstream stay open.
const OPEN: Duration = Duration::from_mins(2);
/// Outputs are written in the transaction of their entry, which takes a quarter of a minute at most; brokers' clocks differ by less.
const SLACK: i64 = 600_000_000;
/// Batches that are read ahead, of all topics together.
const WAITING: usize = 4;
/// More ranges that do not agree are told without names.
const MOST_SUSPECTS: usize = 1_000;

/// Verifies, and tells; whether all agrees.
///
/// # Errors
/// 64 where there is nothing to hold against each other, 75 when a broker, or the registry that a record's schema is asked of, does
/// not answer, or records are deleted while they are read.
pub fn verify(
    config: &Config,
    pipeline: Pipeline,
    schemas: &dyn SchemaSource,
    arguments: &VerifyArguments,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    let ledger = there(config, std::slice::from_ref(&config.topics.ledger))?;
    if arguments.against_ledger && ledger.is_empty() {
        let why = "--against-ledger: there is no ledger: topics.ledger is empty, or its topic is not there";
        return Err(Failure::usage(why));
    }
    // Offsets first: all that leads up to them is visible by then.
    let committed = ground::committed(config, arguments)?;
    if committed.is_empty() && !arguments.against_ledger {
        let (group, topics) = (&config.kafka.group, config.topics.raw.join(", "));
        let why = "it has decided nothing yet, it is another, or Kafka has forgotten its offsets; --against-ledger needs none";
        return Err(Failure::usage(format!("the group {group} has no offsets of {topics}: {why}")));
    }
    let outputs = OutputTopic::OUTCOMES.map(|topic| config.topics.name(topic).to_owned());
    let retries = DlqTopics::survey(config)?;
    let all = outputs.iter().chain(&ledger).chain(retries.iter().flat_map(|retries| &retries.parked));
    closed(config, &all.cloned().collect::<Vec<_>>())?;
    let ground = ground::survey(config, arguments, &committed, &ledger)?;
    let mut audit = Audit::new(&config.kafka.group, ground.stretches, !arguments.against_ledger);
    ground.wrong.into_iter().for_each(|wrong| audit.found(wrong));
    let written_from = read_ledger(config, arguments, &ledger, &mut audit)?;
    group_stands(config, arguments, &mut audit)?;
    let mut work = Work { config, pipeline, schemas, memory: Memory::default(), audit };
    if !arguments.against_ledger {
        work.records()?;
    }
    let retries_are_seen = retries.is_some();
    work.outputs(written_from, retries)?;
    group_came_to(config, arguments, &mut work.audit)?;
    if !arguments.against_ledger {
        work.name_suspects()?;
    }
    let mut report = work.audit.report();
    report.notes.extend(ground.notes);
    if !retries_are_seen {
        let topics = dead_letters::own_topics(config).join(" or ");
        report.notes.push(format!("{topics} may not be read by this user: what `dlq` wrote for dead letters is not looked at"));
    }
    if ledger.is_empty() {
        let note = "there is no ledger: that each record has its verdicts or its dead letter is all that can be told";
        report.notes.push(note.to_owned());
    }
    report::tell(&report, arguments.json, out)?;
    Ok(report.is_clean())
}

/// Waits until no transaction is open that was begun when this was called: what stands behind one is not seen, and not missing.
fn closed(config: &Config, topics: &[String]) -> Result<(), Failure> {
    let (started, wanted) = (Instant::now(), written_ends(&config.kafka, topics)?);
    loop {
        let seen = spans(&config.kafka, topics, Bound::Earliest, Bound::Latest)?;
        let end = |partition: &Partition| seen.iter().find(|span| span.partition == *partition).map_or(0, |span| span.held.end);
        let Some((partition, _)) = wanted.iter().find(|(partition, written)| end(partition) < *written) else { return Ok(()) };
        if started.elapsed() > OPEN {
            let why = "a transaction is open, or was left open by who died; what stands behind it cannot be seen. Try again later";
            return Err(Failure::unavailable(format!("reading {partition} to its end: {why}")));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Tells where the group stands before what the ledger tells. An entry may be seen a moment before the offset of its transaction.
fn group_stands(config: &Config, arguments: &VerifyArguments, audit: &mut Audit) -> Result<(), Failure> {
    settles(config, arguments, audit, |audit, of| audit.is_ahead(of), |audit, of| audit.group_stands(of))
}

/// Tells of outputs that nothing the group decided led to: they stand behind it. Of what runs at least once they may.
fn group_came_to(config: &Config, arguments: &VerifyArguments, audit: &mut Audit) -> Result<(), Failure> {
    if config.run.delivery == Delivery::AtLeastOnce {
        return Ok(());
    }
    settles(config, arguments, audit, |audit, of| audit.is_beyond(of), |audit, of| audit.group_came_to(of))
}

/// Where the group stands in a partition, for who asks.
type Stands<'s> = &'s dyn Fn(&Partition) -> Option<i64>;

/// Asks where the group stands until nothing is open, for a while; then hands it on.
fn settles(
    config: &Config,
    arguments: &VerifyArguments,
    audit: &mut Audit,
    is_open: impl Fn(&Audit, Stands<'_>) -> bool,
    done: impl FnOnce(&mut Audit, Stands<'_>),
) -> Result<(), Failure> {
    let started = Instant::now();
    // Offsets that are gone do not come back.
    let can_settle = !ground::committed(config, arguments)?.is_empty();
    loop {
        let stands = ground::committed(config, arguments)?;
        let of = |partition: &Partition| {
            let known = stands.iter().find(|offset| offset.partition == *partition).map(|offset| offset.offset);
            // The ledger alone tells how far the group came, up to an end that was asked for it does not.
            let nobody_knows = arguments.against_ledger && arguments.to != Bound::Latest;
            known.or_else(|| nobody_knows.then_some(i64::MAX))
        };
        if !can_settle || !is_open(audit, &of) || started.elapsed() > ANSWER {
            done(audit, &of);
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Those of these topics that there are.
fn there(config: &Config, names: &[String]) -> Result<Vec<String>, Failure> {
    let names: Vec<_> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let found = Topics::connect(&config.kafka)?.find(&names, ANSWER)?;
    Ok(found.into_iter().filter(|topic| topic.partitions > 0 || topic.is_hidden).map(|topic| topic.name).collect())
}

/// Feeds the ledger; when the first of its entries in the range was written.
fn read_ledger(config: &Config, arguments: &VerifyArguments, ledger: &[String], audit: &mut Audit) -> Result<Option<Timestamp>, Failure> {
    if ledger.is_empty() {
        if !config.topics.ledger.is_empty() {
            // Its topic is not there; the group's offsets tell whether there was one.
            audit.entries_are_read();
        }
        return Ok(None);
    }
    let VerifyArguments { from, to, against_ledger, .. } = *arguments;
    let (first, last) = if against_ledger { (from, to) } else { (Bound::Earliest, Bound::Latest) };
    let mut written_from: Option<Timestamp> = None;
    read_range(&config.kafka, &spans(&config.kafka, ledger, first, last)?, BATCH, &mut |batch| {
        for record in batch.iter() {
            if audit.entry(&record.at, record.value) {
                written_from = Some(written_from.map_or(record.received_at, |known| known.min(record.received_at)));
            }
        }
        true
    })?;
    if against_ledger {
        audit.narrow(from != Bound::Earliest, to != Bound::Latest);
    }
    audit.entries_are_read();
    // From the very beginning: whatever is there belongs to it.
    Ok(written_from.filter(|_| from != Bound::Earliest))
}

/// What `dlq` keeps beside the outputs.
#[derive(Default)]
struct DlqTopics {
    /// The parking topic, if it is there.
    parked: Vec<String>,
    /// What was settled before the outputs are read: all that was written for it can be seen then.
    settled: Settled,
}

impl DlqTopics {
    /// `None`: its topics may not be read.
    fn survey(config: &Config) -> Result<Option<Self>, Failure> {
        let own = dead_letters::own_topics(config);
        let found = Topics::connect(&config.kafka)?.find(&own, ANSWER)?;
        if found.iter().any(|topic| topic.is_hidden) {
            return Ok(None);
        }
        let settled = dead_letters::settled(config)?;
        Ok(Some(Self { parked: there(config, &own[..1])?, settled }))
    }
}

/// What is settled by now: an event may be seen a moment before the record of its transaction.
fn settled_by_now(config: &Config) -> Result<Settled, Failure> {
    closed(config, &there(config, &dead_letters::own_topics(config)[1..])?)?;
    dead_letters::settled(config)
}

struct Work<'w> {
    config: &'w Config,
    pipeline: Pipeline,
    schemas: &'w dyn SchemaSource,
    memory: Memory,
    audit: Audit,
}

impl Work<'_> {
    /// Feeds the raw records, with the leads each has.
    fn records(&mut self) -> Result<(), Failure> {
        let stretches = self.audit.stretches().filter(|stretch| stretch.from < stretch.to);
        let wanted: Vec<_> = stretches.map(|stretch| (stretch.partition.clone(), stretch.from, Some(stretch.to))).collect();
        let spans = spans_from(&self.config.kafka, &wanted)?;
        let Self { pipeline, schemas, memory, audit, .. } = self;
        read_all(self.config, &spans, &mut |batch| {
            for record in batch.iter() {
                let facts = read_or_fail(&record, pipeline, memory, *schemas)?;
                audit.record(&record.at, facts.ok().map(|facts| facts.len()));
            }
            Ok(())
        })
    }

    /// Feeds the outputs, from the first that may belong to the range. Topics are read side by side: their order among themselves
    /// says nothing.
    fn outputs(&mut self, written_from: Option<Timestamp>, retries: Option<DlqTopics>) -> Result<(), Failure> {
        let from = written_from.map_or(Bound::Earliest, |time| Bound::At(time.plus_micros(-SLACK)));
        let names = OutputTopic::OUTCOMES.map(|topic| self.config.topics.name(topic).to_owned());
        let retries_are_seen = retries.is_some();
        let DlqTopics { parked, settled } = retries.unwrap_or_default();
        let aside = spans(&self.config.kafka, &parked, from, Bound::Latest)?;
        self.audit.is_settled(settled);
        let spans = spans(&self.config.kafka, &names, from, Bound::Latest)?;
        if ground::is_placed_by_key(self.config) {
            for (topic, name) in OutputTopic::OUTCOMES.into_iter().zip(&names) {
                let partitions = spans.iter().filter(|span| *span.partition.topic == **name).count();
                self.audit.is_placed_by_key(topic, u32::try_from(partitions).unwrap_or(0));
            }
        }
        let of = |name: &str| spans.iter().filter(|span| *span.partition.topic == *name).cloned().collect::<Vec<_>>();
        let (give, batches) = sync_channel::<(OutputTopic, Batch)>(WAITING);
        let (kafka, audit) = (&self.config.kafka, &mut self.audit);
        thread::scope(|scope| {
            let readers = OutputTopic::OUTCOMES.into_iter().zip(&names).map(|(topic, name)| {
                let (give, spans) = (give.clone(), of(name));
                scope.spawn(move || read_range(kafka, &spans, BATCH, &mut |batch| give.send((topic, batch)).is_ok()))
            });
            let readers: Vec<_> = readers.collect();
            drop(give);
            read_range(kafka, &aside, BATCH, &mut |batch| {
                batch.iter().for_each(|record| audit.parked(&record.at, &as_output(&record, OutputTopic::DeadLetter)));
                true
            })?;
            for (topic, batch) in batches {
                batch.iter().for_each(|record| audit.output(&record.at, record.received_at, &as_output(&record, topic)));
            }
            let mut ended = readers.into_iter().map(|reader| reader.join().map_err(|_| Failure::bug("reading a topic came to no end")));
            ended.try_for_each(|read| read.and_then(|read| read.map_err(Failure::from)))
        })?;
        self.audit.outputs_are_read();
        if retries_are_seen {
            self.audit.retries_are_read(&settled_by_now(self.config)?);
        }
        Ok(())
    }

    /// Decides ranges again that do not agree, so that what is missing or changed has a name.
    fn name_suspects(&mut self) -> Result<(), Failure> {
        let suspects = self.audit.suspects();
        if suspects.is_empty() {
            return Ok(());
        }
        let encoding = self.encoding()?;
        self.pipeline.encoding = encoding;
        for (partition, range) in suspects.into_iter().take(MOST_SUSPECTS) {
            let spans = spans_from(&self.config.kafka, &[(partition.clone(), range.start, Some(range.end))])?;
            let mut out = OutputBuffer::default();
            out.begin(super::now());
            let Self { pipeline, schemas, memory, .. } = self;
            read_all(self.config, &spans, &mut |batch| {
                for record in batch.iter() {
                    let facts = read_or_fail(&record, pipeline, memory, *schemas)?;
                    pipeline::conclude(&facts, &record, pipeline, Choice::default(), &mut out, |_| {});
                }
                Ok(())
            })?;
            self.audit.decided_again(&partition, range.start, &out);
        }
        Ok(())
    }

    /// How events are written as things stand; nothing is registered for that.
    fn encoding(&self) -> Result<EncodeSettings, Failure> {
        let config = self.config;
        let names: Vec<_> = config.topics.outputs().map(|(_, name)| name.to_owned()).collect();
        let found = Topics::connect(&config.kafka)?.find(&names, ANSWER)?;
        let registry = config.encoding.registry().map(|settings| Registry::new(settings, Box::new(Unwatched)));
        let registry = registry.transpose().map_err(Failure::usage)?.map(Arc::new);
        // Nobody tells this to end but the system itself.
        let (_keep, endings) = channel();
        let looking = EncodingConfig { register: false, ..config.encoding.clone() };
        let formats = registration::formats(&config.topics, &looking, registry.as_ref(), &endings, Some(Instant::now() + ANSWER));
        // A schema that is not there says that events were written otherwise: then they have no names.
        let formats = formats.ok().flatten().unwrap_or_default();
        Ok(EncodeSettings { formats, largest: largest(config, &found), ..self.pipeline.encoding.clone() })
    }
}

/// Hands on what the spans hold, batch by batch.
fn read_all(config: &Config, spans: &[Span], take: &mut dyn FnMut(&Batch) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut failed = None;
    read_range(&config.kafka, spans, BATCH, &mut |batch| {
        failed = take(&batch).err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}

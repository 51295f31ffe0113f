//! The loop: a batch in, every record decided, outputs and progress out together, the observer told after. Knows neither
//! broker nor files; the lane and the observer are its two seams.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    config::{DeadLetterGuard, LaneMemory},
    io::{Abort, AskLater, Batch, BatchLimits, Committed, Fatal, Lane, LaneError, Next, Observer, Progress, SchemaSource, Tally},
    lead::{DeadLetterCode, DeadLetterStage, Outcome, Partition, Position, Rejection, Vocabulary},
    ledger::{Accounts, Deciders, Head, LedgerEntry, Standing},
    pipeline::{self, Choice, EarlierFailures, EventFormat, Live, Memory, OutputBuffer, OutputTopic},
};

use super::{
    now,
    reading::{Reading, read},
    restored::{PassedOver, Restore},
    shadows::{ShadowBudget, Shadows},
};

/// What the loop needs to know.
#[derive(Clone, Debug)]
pub struct DriveSettings {
    /// When a batch is full.
    pub batch: BatchLimits,
    /// When to halt rather than commit a flood of dead letters.
    pub guard: DeadLetterGuard,
    /// Outputs are written once they have so many bytes, before the batch is through: a small record may hold thousands of leads, so
    /// what goes out is not bounded by what came in.
    pub outputs: usize,
    /// A lane that would halt ends the run instead: somebody waits for it.
    pub ends_on_halt: bool,
    /// How much of the lanes' time shadows may take.
    pub shadows: Arc<ShadowBudget>,
    /// In whose name a ledger is kept, if one is: the group's.
    pub ledger: Option<String>,
    /// What is read are dead letters.
    pub restore: Option<Restore>,
    /// Records that somebody else sees to.
    pub passed_over: Option<Arc<PassedOver>>,
    /// The traces that records belong to are looked for.
    pub traced: bool,
}

/// Runs until the lane ends. `live` is asked once a batch: one snapshot of rules and tables decides all of it.
///
/// # Errors
/// The reason the lane gives for not going on; where `ends_on_halt`, the dead-letter guard's too.
pub fn drive(
    lane: &mut impl Lane,
    observer: &mut impl Observer,
    live: impl Fn() -> Arc<Live>,
    schemas: &dyn SchemaSource,
    settings: &DriveSettings,
) -> Result<(), Fatal> {
    let shadows = Shadows::new(Arc::clone(&settings.shadows));
    let accounts = settings.ledger.as_ref().map(|_| Accounts::default());
    let (guard, restore) = (Guard::new(settings.guard), settings.restore.clone());
    let (passed_over, largest, traced) = (settings.passed_over.clone(), settings.outputs, settings.traced);
    let mut work = Work { guard, largest, shadows, accounts, restore, passed_over, traced, ..Work::default() };
    let mut batch = Batch::default();
    loop {
        observer.round();
        match end_of(lane.next_batch(&settings.batch, &mut batch))? {
            Some(Next::Records) => {}
            Some(Next::Idle) => continue,
            Some(Next::End) => return Ok(()),
            None => {
                end_of(lane.rewind())?;
                continue;
            }
        }
        let live = live();
        let mut done = 0;
        while done < batch.len() {
            let started = Instant::now();
            work.begin(started);
            let mut end = work.decide(&batch, done, &live, schemas, None);
            if end == done {
                // The next record waits for its schema. The lane comes round meanwhile, so that its group does not give it up.
                end_of(lane.rewind())?;
                break;
            }
            let until = started + (INTERVALS * settings.batch.wait).min(LONGEST_OPEN);
            let (mut written, mut writing) = (Ok(()), Duration::ZERO);
            while written.is_ok() && end < batch.len() && lane.holds_back() && work.goes_on(until) {
                let began = Instant::now();
                written = lane.write(&work.out);
                writing += began.elapsed();
                if written.is_ok() {
                    work.next_part(began.elapsed());
                    end = work.decide(&batch, end, &live, schemas, Some(until));
                }
            }
            if let (Ok(()), Some(why)) = (&written, work.flood()) {
                if settings.ends_on_halt {
                    end_of(lane.rewind())?;
                    return Err(Fatal { message: why, exit: 1 });
                }
                lane.halt(&why);
                break;
            }
            if written.is_ok() {
                work.enter(lane, settings.ledger.as_deref(), &live);
            }
            let decided_in = started.elapsed().saturating_sub(writing);
            match written.and_then(|()| lane.commit(&work.out, &work.progress)) {
                Ok(committed) => {
                    let committed = Committed { took: committed.took + writing };
                    work.shadows.committed(decided_in, committed.took);
                    observer.committed(&work.tally, committed, decided_in);
                    work.done();
                    done = end;
                    if work.is_slow && done < batch.len() {
                        // Round by way of the lane, which hears whether it is to end.
                        end_of(lane.rewind())?;
                        break;
                    }
                }
                Err(LaneError::Aborted(abort)) => {
                    observer.aborted(&work.tally, &abort, started.elapsed());
                    work.taken_back(&batch, &abort);
                    end_of(lane.rewind())?;
                    break;
                }
                Err(LaneError::Fatal(fatal)) => return Err(fatal),
            }
        }
    }
}

/// A transaction whose outputs are written in parts takes no further part once it has taken so many intervals: then a lane is behind,
/// and the more is committed at once, the less a commit costs.
const INTERVALS: u32 = 4;
/// … or so long, whatever the interval: what is open holds readers up, and a broker gives it up after a quarter of a minute.
const LONGEST_OPEN: Duration = Duration::from_secs(1);

/// So many records are decided without a look at the clock.
const UNTIMED: usize = 64;

/// A transaction is closed once asking for schemas has taken so long: leaving must be possible in between.
const LONGEST_QUESTION: Duration = Duration::from_secs(1);

/// An abort where there is nothing to take back counts as nothing read.
fn end_of<T>(result: Result<T, LaneError>) -> Result<Option<T>, Fatal> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(LaneError::Aborted(_)) => Ok(None),
        Err(LaneError::Fatal(fatal)) => Err(fatal),
    }
}

/// What one lane works with, batch after batch.
#[derive(Debug, Default)]
struct Work {
    out: OutputBuffer,
    memory: Memory,
    tally: Tally,
    progress: Progress,
    records: u64,
    dead_letters: u64,
    first_dead_letter: Option<Position>,
    /// Records whose events the broker refused as too large: decided again, they become dead letters.
    too_large: BTreeSet<Position>,
    guard: Guard,
    /// The guard, with what is written of the transaction at hand.
    watched: Guard,
    /// Asking for schemas took long, so the transaction at hand ends before the batch does.
    is_slow: bool,
    /// Outputs in memory have about so many bytes at most.
    largest: usize,
    shadows: Shadows,
    /// What goes into the ledger, where one is kept.
    accounts: Option<Accounts>,
    restore: Option<Restore>,
    passed_over: Option<Arc<PassedOver>>,
    /// The record that a dead letter stands for.
    restored: Batch,
    /// Whether traces are looked for.
    traced: bool,
}

impl Work {
    /// Has nothing of what was committed or taken back.
    fn begin(&mut self, started: Instant) {
        self.is_slow = false;
        // The batch's one reading of the wall clock, for headers only.
        self.out.begin(now());
        self.out.shrink(2 * self.largest);
        self.tally.clear();
        self.progress.clear();
        self.shadows.begin(started);
        self.accounts.iter_mut().for_each(Accounts::clear);
        (self.records, self.dead_letters, self.first_dead_letter) = (0, 0, None);
        self.watched = self.guard;
    }

    /// What was decided is written, which took so long; there is more of the batch.
    fn next_part(&mut self, took: Duration) {
        self.out.next_part();
        self.shadows.wrote(took);
        // Each part is judged as a transaction of its own would be: many good records of a batch hide no flood in it.
        self.watched.passed(self.records, self.dead_letters);
        (self.records, self.dead_letters) = (0, 0);
    }

    /// Decides the batch from record `first` on, to its end, until the outputs are many, or up to a record whose schema nobody
    /// can tell now; tells where it stopped. Where outputs are written already, a transaction is open, which must not wait: nobody is
    /// asked then, and it is to be committed not much later than `until`.
    fn decide(&mut self, batch: &Batch, first: usize, live: &Live, schemas: &dyn SchemaSource, until: Option<Instant>) -> usize {
        let (started, pipeline) = (Instant::now(), &*live.pipeline);
        let schemas = if until.is_some() { &AskLater } else { schemas };
        for (index, record) in batch.iter().enumerate().skip(first) {
            let at = record.at.clone();
            let restored = self.restore.as_ref().map(|restore| restore.restore(&record, &mut self.restored));
            let (record, earlier) = match restored {
                None => (Some(record), EarlierFailures::default()),
                Some(earlier) => (earlier.and_then(|_| self.restored.get(0)), earlier.unwrap_or_default()),
            };
            let record = record.filter(|_| !self.passed_over.as_ref().is_some_and(|others| others.contains(&at)));
            let Some(record) = record else {
                self.tally.read(&at.partition.topic);
                self.tally.passed_over();
                self.records += 1;
                self.progress.observe(&at);
                continue;
            };
            let refused = self.too_large.contains(&at);
            let reading = if refused {
                Ok(Reading { facts: Err(refused_by_broker()), asked: false })
            } else {
                read(&record, &pipeline.setting(), &mut self.memory, schemas)
            };
            let Ok(Reading { facts, asked }) = reading else { return index };
            // A registry that takes its time does so for each of its schemas: what was read meanwhile is not kept waiting.
            self.is_slow = asked && started.elapsed() > LONGEST_QUESTION;
            self.out.begin_record(index);
            if self.traced
                && let Some(parent) = record.headers.last("traceparent")
            {
                self.tally.links.see(parent);
            }
            // Counted apart from its outcome: a record without one shows.
            self.tally.read(&at.partition.topic);
            let (tally, dead_letters, shadows) = (&mut self.tally, &mut self.dead_letters, &mut self.shadows);
            let outputs = self.out.len();
            let accounts = &mut self.accounts;
            if let Some(accounts) = accounts {
                accounts.record(&at);
            }
            let first_dead_letter = &mut self.first_dead_letter;
            let choice = Choice { canary: live.trials.canary.as_ref(), only: live.only.as_deref(), earlier };
            let seen = |outcome: &Outcome<'_>| {
                if let (Outcome::Decided(decisions), Some(_)) = (outcome, choice.only)
                    && decisions.is_empty()
                {
                    return tally.passed_over();
                }
                match outcome {
                    Outcome::Decided(decisions) => {
                        if let Some(accounts) = accounts {
                            accounts.leads(decisions.len());
                        }
                    }
                    Outcome::Rejected(rejection) => {
                        tally.rejected_at(&at, rejection);
                        *dead_letters += 1;
                        first_dead_letter.get_or_insert_with(|| at.clone());
                    }
                }
                tally.outcome(outcome);
                shadows.decide(outcome, live, &mut tally.shadows);
            };
            if choice.only.is_some() && facts.is_err() && !refused {
                // What is no lead is not among the leads that were asked for.
                tally.passed_over();
            } else {
                pipeline::conclude(&facts, &record, pipeline, choice, &mut self.out, seen);
            }
            for at in outputs..self.out.len() {
                if let Some(output) = self.out.get(at) {
                    self.tally.events(output.topic, 1);
                    if let Some(accounts) = &mut self.accounts {
                        accounts.output(&output);
                    }
                }
            }
            self.records += 1;
            self.progress.observe(&at);
            let is_late = || index % UNTIMED == 0 && until.is_some_and(|until| Instant::now() > until);
            if self.is_slow || self.out.bytes() >= self.largest || is_late() {
                return index + 1;
            }
        }
        batch.len()
    }

    /// Whether the outputs are to be written ahead of the commit, for more to come.
    fn goes_on(&self, until: Instant) -> bool {
        self.out.bytes() >= self.largest && !self.is_slow && self.flood().is_none() && Instant::now() < until
    }

    /// Puts the entries of the ledger behind the outputs, and the heads of their chains beside the offsets.
    fn enter(&mut self, lane: &impl Lane, group: Option<&str>, live: &Live) {
        let (Some(accounts), Some(group)) = (&self.accounts, group) else { return };
        let deciders = Deciders::of(live);
        let format = live.pipeline.encoding.formats.get(OutputTopic::Ledger as usize).copied().unwrap_or(EventFormat::Json);
        let standing = |partition: &Partition| lane.standing(partition).map(|(next, note)| Standing { next, head: Head::of(note) });
        for (partition, entry) in accounts.entries(group, &deciders, standing) {
            push(&entry, format, &mut self.out);
            self.progress.note(partition, Head::after(&entry).note());
        }
    }

    /// Why the transaction at hand must not be committed, when it is part of a flood of dead letters.
    fn flood(&self) -> Option<String> {
        let (records, dead_letters) = self.watched.flood(self.records, self.dead_letters)?;
        let most = self.tally.dead_letters.iter().max_by_key(|(_, count)| *count).map_or("none", |((_, code), _)| code.name());
        let first = self.first_dead_letter.as_ref().map_or_else(String::new, |at| format!("; the first of this batch is {at}"));
        Some(format!(
            "halted by run.halt_on_dead_letters: {dead_letters} of the last {records} records are dead letters, most of this batch \
             {most}{first}. This batch is not committed, and its partitions stay here, paused, unless a member joins the group. \
             `leadstream explain --at TOPIC/PARTITION/OFFSET` shows why a record is refused; to go on all the same, raise the ratio \
             or set over_records = 0, and start again"
        ))
    }

    fn done(&mut self) {
        let progress = &self.progress;
        self.too_large.retain(|at| progress.get(&at.partition).is_none_or(|next| next < at.next()));
        self.watched.passed(self.records, self.dead_letters);
        self.guard = self.watched;
    }

    fn taken_back(&mut self, batch: &Batch, abort: &Abort) {
        for (topic, largest) in OutputTopic::ALL.into_iter().zip(abort.limits.into_iter().flatten()) {
            self.out.lower(topic, largest);
        }
        for output in abort.too_large.iter().filter_map(|number| self.out.numbered(*number)).collect::<Vec<_>>() {
            // A dead letter or an entry of the ledger that is refused cannot become smaller: the lane's pause and line tell.
            if !matches!(output.topic, OutputTopic::DeadLetter | OutputTopic::Ledger)
                && let Some(record) = batch.get(output.record)
            {
                self.too_large.insert(record.at);
            }
            // Where nobody tells the new limit, the next one of this size is known all the same.
            self.out.lower(output.topic, output.bytes - 1);
        }
    }
}

fn push(entry: &LedgerEntry, format: EventFormat, out: &mut OutputBuffer) {
    let key = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(entry.key().as_bytes());
        true
    };
    let value = |bytes: &mut Vec<u8>| {
        entry.write(format, bytes);
        true
    };
    out.push(OutputTopic::Ledger, key, value, |_| {});
}

/// Why a record is rejected whose events the broker refused.
pub(super) fn refused_by_broker() -> Rejection {
    Rejection {
        stage: DeadLetterStage::Encode,
        code: DeadLetterCode::OutputTooLarge,
        field: String::new(),
        detail: "the broker refused an event of this record as too large for its topic".to_owned(),
        unkept: None,
        awaits: None,
    }
}

/// Knows a flood of dead letters before it is committed.
#[derive(Clone, Copy, Debug, Default)]
struct Guard {
    settings: DeadLetterGuard,
    records: u64,
    dead_letters: u64,
}

impl Guard {
    fn new(settings: DeadLetterGuard) -> Self {
        Self { settings, records: 0, dead_letters: 0 }
    }

    /// Records and dead letters of the window with these, when they are a flood.
    #[allow(clippy::cast_precision_loss)] // counts of one window: far below 2^52
    fn flood(&self, records: u64, dead_letters: u64) -> Option<(u64, u64)> {
        let (records, dead_letters) = (self.records + records, self.dead_letters + dead_letters);
        let DeadLetterGuard { ratio, over_records } = self.settings;
        let is_flood = over_records > 0 && records >= over_records && (dead_letters as f64) >= ratio * records as f64;
        is_flood.then_some((records, dead_letters))
    }

    /// A window that is full starts anew, so that a long good past does not hide a bad present.
    fn passed(&mut self, records: u64, dead_letters: u64) {
        self.records += records;
        self.dead_letters += dead_letters;
        if self.records >= self.settings.over_records {
            (self.records, self.dead_letters) = (0, 0);
        }
    }
}

/// How much a lane takes at once: enough to make a transaction worth its while, little enough to bound its memory.
#[must_use]
pub fn batch_limits(wait: Duration, memory: LaneMemory) -> BatchLimits {
    BatchLimits { records: 10_000, bytes: memory.batch().min(8 << 20), wait }
}

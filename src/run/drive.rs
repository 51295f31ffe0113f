//! The loop: a batch in, every record decided, outputs and progress out together, the observer told after. Knows neither
//! broker nor files; the lane and the observer are its two seams.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    config::{DeadLetterGuard, LaneMemory},
    io::{Abort, Batch, BatchLimits, Fatal, Lane, LaneError, Next, Observer, Progress, SchemaSource, Tally},
    lead::{DeadLetterCode, DeadLetterStage, Outcome, Position, Rejection, Vocabulary},
    pipeline::{self, Choice, Live, Memory, OutputBuffer, OutputTopic},
};

use super::{
    now,
    reading::{Reading, read},
    shadows::{ShadowBudget, Shadows},
};

/// What the loop needs to know.
#[derive(Clone, Debug)]
pub struct DriveSettings {
    /// When a batch is full.
    pub batch: BatchLimits,
    /// When to halt rather than commit a flood of dead letters.
    pub guard: DeadLetterGuard,
    /// A transaction is closed once its outputs have so many bytes: a small record may hold thousands of leads, so what goes out
    /// is not bounded by what came in.
    pub outputs: usize,
    /// A lane that would halt ends the run instead: somebody waits for it.
    pub ends_on_halt: bool,
    /// How much of the lanes' time shadows may take.
    pub shadows: Arc<ShadowBudget>,
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
    let mut work = Work { guard: Guard::new(settings.guard), largest: settings.outputs, shadows, ..Work::default() };
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
            let end = work.decide(&batch, done, &live, schemas);
            if end == done {
                // The next record waits for its schema. The lane comes round meanwhile, so that its group does not give it up.
                end_of(lane.rewind())?;
                break;
            }
            if let Some(why) = work.flood() {
                if settings.ends_on_halt {
                    return Err(Fatal { message: why, exit: 1 });
                }
                lane.halt(&why);
                break;
            }
            let decided_in = started.elapsed();
            match lane.commit(&work.out, &work.progress) {
                Ok(committed) => {
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
                    observer.aborted(&abort);
                    work.taken_back(&batch, &abort);
                    end_of(lane.rewind())?;
                    break;
                }
                Err(LaneError::Fatal(fatal)) => return Err(fatal),
            }
        }
    }
}

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
    /// Asking for schemas took long, so the transaction at hand ends before the batch does.
    is_slow: bool,
    /// A transaction's outputs have about so many bytes at most.
    largest: usize,
    shadows: Shadows,
}

impl Work {
    /// Decides the batch from record `first` on, to its end, until the outputs are many, or up to a record whose schema nobody
    /// can tell now; tells where it stopped.
    fn decide(&mut self, batch: &Batch, first: usize, live: &Live, schemas: &dyn SchemaSource) -> usize {
        let (started, pipeline) = (Instant::now(), &*live.pipeline);
        self.is_slow = false;
        // The batch's one reading of the wall clock, for headers only.
        self.out.begin(now());
        self.out.shrink(2 * self.largest);
        self.tally.clear();
        self.progress.clear();
        self.shadows.begin(started);
        (self.records, self.dead_letters, self.first_dead_letter) = (0, 0, None);
        for (index, record) in batch.iter().enumerate().skip(first) {
            let refused = self.too_large.contains(&record.at);
            let reading = if refused {
                Ok(Reading { facts: Err(refused_by_broker()), asked: false })
            } else {
                read(&record, pipeline, &mut self.memory, schemas)
            };
            let Ok(Reading { facts, asked }) = reading else { return index };
            // A registry that takes its time does so for each of its schemas: what was read meanwhile is not kept waiting.
            self.is_slow = asked && started.elapsed() > LONGEST_QUESTION;
            self.out.begin_record(index);
            // Counted apart from its outcome: a record without one shows.
            self.tally.read(&record.at.partition.topic);
            let (tally, dead_letters, shadows) = (&mut self.tally, &mut self.dead_letters, &mut self.shadows);
            let outputs = self.out.len();
            let first_dead_letter = &mut self.first_dead_letter;
            let choice = Choice { canary: live.trials.canary.as_ref(), only: live.only.as_deref() };
            let seen = |outcome: &Outcome<'_>| {
                if let (Outcome::Decided(decisions), Some(_)) = (outcome, choice.only)
                    && decisions.is_empty()
                {
                    return tally.passed_over();
                }
                if matches!(outcome, Outcome::Rejected(_)) {
                    *dead_letters += 1;
                    first_dead_letter.get_or_insert_with(|| record.at.clone());
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
                }
            }
            self.records += 1;
            self.progress.observe(&record.at);
            if self.is_slow || self.out.bytes() >= self.largest {
                return index + 1;
            }
        }
        batch.len()
    }

    /// Why the transaction at hand must not be committed, when it is part of a flood of dead letters.
    fn flood(&self) -> Option<String> {
        let (records, dead_letters) = self.guard.flood(self.records, self.dead_letters)?;
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
        self.guard.committed(self.records, self.dead_letters);
    }

    fn taken_back(&mut self, batch: &Batch, abort: &Abort) {
        for (topic, largest) in OutputTopic::ALL.into_iter().zip(abort.limits.into_iter().flatten()) {
            self.out.lower(topic, largest);
        }
        let refused: Vec<_> = abort.too_large.iter().filter_map(|index| self.out.get(*index)).collect();
        // Where nobody tells the new limit, the next one of this size is known all the same.
        let sizes: Vec<_> = refused.iter().map(|output| (output.topic, output.bytes() - 1)).collect();
        for output in refused {
            // A dead letter that is refused too cannot become smaller by being refused again: the lane's pause and line tell.
            if output.topic != OutputTopic::DeadLetter
                && let Some(record) = batch.get(output.record)
            {
                self.too_large.insert(record.at);
            }
        }
        for (topic, largest) in sizes {
            self.out.lower(topic, largest);
        }
    }
}

fn refused_by_broker() -> Rejection {
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
#[derive(Debug, Default)]
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
    fn committed(&mut self, records: u64, dead_letters: u64) {
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

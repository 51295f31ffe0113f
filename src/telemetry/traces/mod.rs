//! Traces: a batch that is recorded is told as one span, linked to those that its records were written in, by OTLP over HTTP, on a
//! thread of its own. No lane waits for it; what a batch came to is told by lanes, and nothing is decided on it here.

mod collector;
mod message;
mod queue;
mod sampling;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    config::OtlpConfig,
    io::{Abort, Cause, Committed, Tally, TraceLinks},
    lead::Timestamp,
};

use super::{Metrics, SpanResult};
use collector::Collector;
use message::Writer;
use queue::Queue;
use sampling::Sampler;

/// So many spans wait at most, each of some 2 KB.
const WAITING: usize = 1024;
/// So many go in one request.
const TOGETHER: usize = 256;
/// The first of them waits so long for others.
const LINGER: Duration = Duration::from_secs(1);
/// A collector may take so long to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// At the end of the process spans in hand get so long.
const LAST: Duration = Duration::from_secs(1);

/// What is told of one batch.
#[derive(Clone, Debug)]
struct BatchSpan {
    lane: usize,
    end: Timestamp,
    /// From the first decision to the end.
    took: Duration,
    records: u64,
    leads: u64,
    dead_letters: u64,
    /// Where there is only one.
    topic: Option<Arc<str>>,
    /// `NAME/VERSION` of those that decided a lead.
    rulesets: Vec<Arc<str>>,
    outcome: Outcome,
    links: TraceLinks,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Committed { decided_in: Duration, took: Duration },
    TakenBack(Cause),
}

/// The traces of one process.
pub struct Traces {
    queue: Arc<Queue>,
    sample: f64,
    metrics: Metrics,
    sender: JoinHandle<()>,
}

impl Traces {
    /// Starts the thread that sends; `None`: nobody is to be told. Asks nobody anything yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(config: &OtlpConfig, group: &str, instance: &str, metrics: &Metrics) -> io::Result<Option<Self>> {
        if !config.is_on() {
            return Ok(None);
        }
        let queue = Arc::new(Queue::of(WAITING));
        let sender = Sender {
            queue: Arc::clone(&queue),
            collector: Collector::new(&config.endpoint, config.authorization.clone()),
            writer: Writer::new(group, instance),
            metrics: metrics.clone(),
            away: None,
        };
        let sender = thread::Builder::new().name("traces".to_owned()).spawn(|| sender.send_all())?;
        Ok(Some(Self { queue, sample: config.sample, metrics: metrics.clone(), sender }))
    }

    /// What lane `number` tells with.
    #[must_use]
    pub fn lane(&self, number: usize) -> LaneTraces {
        LaneTraces { number, sampler: Sampler::new(self.sample), queue: Arc::clone(&self.queue), metrics: self.metrics.clone() }
    }

    /// No more spans come: sends those in hand, as far as that is done within a second.
    pub fn finish(&self) {
        let deadline = Instant::now() + LAST;
        self.queue.close(deadline);
        while !self.sender.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let left = self.queue.len();
        if left > 0 {
            tracing::warn!("the collector of traces did not take the last {left} spans in time; only these are lost, no lead");
        }
    }
}

/// What one lane tells of its batches.
#[derive(Clone)]
pub struct LaneTraces {
    number: usize,
    sampler: Sampler,
    queue: Arc<Queue>,
    metrics: Metrics,
}

impl LaneTraces {
    /// A batch became visible at `now`.
    pub fn committed(&mut self, tally: &Tally, committed: Committed, decided_in: Duration, now: Timestamp) {
        let outcome = Outcome::Committed { decided_in, took: committed.took };
        self.tell(tally, outcome, decided_in + committed.took, now);
    }

    /// A batch was taken back at `now`, so long after work on it began.
    pub fn aborted(&mut self, tally: &Tally, abort: &Abort, after: Duration, now: Timestamp) {
        self.tell(tally, Outcome::TakenBack(abort.reason), after, now);
    }

    fn tell(&mut self, tally: &Tally, outcome: Outcome, took: Duration, end: Timestamp) {
        if !self.sampler.takes(!tally.links.kept().is_empty()) {
            return;
        }
        let mut topics = tally.records.iter().map(|(topic, _)| topic);
        let span = BatchSpan {
            lane: self.number,
            end,
            took,
            records: tally.records.total(),
            leads: tally.leads.total(),
            dead_letters: tally.dead_letters.total(),
            topic: topics.next().cloned().filter(|_| topics.next().is_none()),
            rulesets: tally.rulesets.iter().map(|tally| Arc::clone(&tally.ruleset.label)).collect(),
            outcome,
            links: tally.links.clone(),
        };
        if !self.queue.push(span) {
            self.metrics.spans(SpanResult::Dropped, 1);
        }
    }
}

/// The thread that sends.
struct Sender {
    queue: Arc<Queue>,
    collector: Collector,
    writer: Writer,
    metrics: Metrics,
    /// Since when no answer is a good one.
    away: Option<Instant>,
}

impl Sender {
    fn send_all(mut self) {
        while let Some(spans) = self.queue.next(TOGETHER, LINGER) {
            let patience = self.queue.time_left().map_or(ANSWER, |left| left.min(ANSWER));
            let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
            let answer = self.collector.send(self.writer.request(spans), patience);
            let refused = answer.as_ref().map_or(count, |refused| (*refused).min(count));
            match answer {
                Ok(0) => self.is_well(),
                Ok(refused) => self.is_not_well(&format!("it refuses {refused} of {count} spans")),
                Err(why) => self.is_not_well(&why),
            }
            self.metrics.spans(SpanResult::Sent, count - refused);
            self.metrics.spans(SpanResult::Failed, refused);
        }
    }

    fn is_well(&mut self) {
        if let Some(since) = self.away.take() {
            let seconds = since.elapsed().as_secs_f64();
            tracing::info!(collector = self.collector.endpoint(), "the collector takes traces again after {seconds:.1} s");
        }
    }

    /// Told once, not each time.
    fn is_not_well(&mut self, why: &str) {
        if self.away.is_none() {
            self.away = Some(Instant::now());
            let collector = self.collector.endpoint();
            tracing::warn!(collector, "the collector does not take traces: {why}; these spans are lost, no lead waits for it");
        }
    }
}

//! No more than so many records a second, all lanes together: a lane that is ahead of its time is asked for no batch. What a lane
//! reads and commits is its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    io::{Batch, BatchLimits, Committed, Lane, LaneError, Next, Progress},
    lead::Partition,
    pipeline::OutputBuffer,
};

/// A lane comes round at least this often.
const ROUND: Duration = Duration::from_millis(100);

/// The pace that lanes keep together.
#[derive(Debug)]
pub(super) struct Pace {
    /// Records a second, 1 or more.
    rate: u32,
    /// When all that was read is due; what is read next has to wait until then.
    due: Mutex<Instant>,
}

impl Pace {
    /// So many records a second; none: one.
    pub(super) fn of(rate: u32) -> Self {
        Self { rate: rate.max(1), due: Mutex::new(Instant::now()) }
    }

    /// A lane takes at most so many records at once: a tenth of a second's.
    fn at_once(&self) -> usize {
        usize::try_from(self.rate.div_ceil(10)).unwrap_or(usize::MAX)
    }

    /// How long there is nothing to read at `now`.
    fn wait(&self, now: Instant) -> Duration {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).saturating_duration_since(now)
    }

    /// So many records were read at `now`. Time in which nothing was read is not made up for.
    fn read(&self, records: usize, now: Instant) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let takes = Duration::from_secs(1) * u32::try_from(records).unwrap_or(u32::MAX) / self.rate;
        *due = (*due).max(now) + takes;
    }
}

/// A lane that keeps the pace, if there is one.
pub(super) struct Paced<L> {
    lane: L,
    pace: Option<Arc<Pace>>,
}

impl<L> Paced<L> {
    pub(super) fn new(lane: L, pace: Option<Arc<Pace>>) -> Self {
        Self { lane, pace }
    }
}

impl<L: Lane> Lane for Paced<L> {
    fn next_batch(&mut self, limits: &BatchLimits, batch: &mut Batch) -> Result<Next, LaneError> {
        let Some(pace) = &self.pace else { return self.lane.next_batch(limits, batch) };
        let wait = pace.wait(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait.min(ROUND));
            return Ok(Next::Idle);
        }
        let next = self.lane.next_batch(&BatchLimits { records: limits.records.min(pace.at_once()), ..limits.clone() }, batch)?;
        pace.read(batch.len(), Instant::now());
        Ok(next)
    }

    fn holds_back(&self) -> bool {
        self.lane.holds_back()
    }

    fn write(&mut self, out: &OutputBuffer) -> Result<(), LaneError> {
        self.lane.write(out)
    }

    fn commit(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<Committed, LaneError> {
        self.lane.commit(out, progress)
    }

    fn standing(&self, partition: &Partition) -> Option<(i64, &str)> {
        self.lane.standing(partition)
    }

    fn rewind(&mut self) -> Result<(), LaneError> {
        self.lane.rewind()
    }

    fn halt(&mut self, why: &str) {
        self.lane.halt(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_due_before_more_is_and_idle_time_is_not_made_up_for() {
        let pace = Pace::of(50);
        let start = Instant::now();
        assert_eq!((pace.at_once(), pace.wait(start)), (5, Duration::ZERO));
        // Two lanes at once: both count.
        pace.read(5, start);
        pace.read(5, start);
        let wait = pace.wait(start);
        assert!((Duration::from_millis(190)..=Duration::from_millis(200)).contains(&wait), "{wait:?}");
        let later = start + Duration::from_mins(1);
        assert_eq!(pace.wait(later), Duration::ZERO);
        pace.read(5, later);
        assert_eq!(pace.wait(later), Duration::from_millis(100));
    }
}

//! Spans that wait to be sent: so many and no more, so that a lane never waits for a collector. Whether and how they are sent is not
//! known here.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::BatchSpan;

/// Between the lanes and the thread that sends.
pub(super) struct Queue {
    most: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    spans: VecDeque<BatchSpan>,
    /// Closed: what is in it may be sent until then.
    until: Option<Instant>,
}

impl Queue {
    /// One for so many.
    pub(super) fn of(most: usize) -> Self {
        Self { most, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the span, unless it is full or closed.
    pub(super) fn push(&self, span: BatchSpan) -> bool {
        let mut state = self.state();
        let is_taken = state.until.is_none() && state.spans.len() < self.most;
        if is_taken {
            state.spans.push_back(span);
            drop(state);
            self.changed.notify_one();
        }
        is_taken
    }

    /// No more comes; what is in it may be sent until then.
    pub(super) fn close(&self, until: Instant) {
        self.state().until = Some(until);
        self.changed.notify_one();
    }

    /// How long what is in it may take, once it is closed.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.state().until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.state().spans.len()
    }

    /// Waits for the first span and then, no longer than `linger`, until there are so many. `None`: it is closed, and nothing is left
    /// or no time.
    pub(super) fn next(&self, together: usize, linger: Duration) -> Option<Vec<BatchSpan>> {
        let is_open = |state: &mut State| state.until.is_none();
        let is_idle = |state: &mut State| is_open(state) && state.spans.is_empty();
        let is_short = |state: &mut State| is_open(state) && state.spans.len() < together.min(self.most);
        let state = self.changed.wait_while(self.state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self.changed.wait_timeout_while(state, linger, is_short).unwrap_or_else(PoisonError::into_inner);
        let is_over = state.until.is_some_and(|until| until <= Instant::now());
        let count = state.spans.len().min(together);
        (count > 0 && !is_over).then(|| state.spans.drain(..count).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{io::Cause, lead::Timestamp, telemetry::traces::Outcome};

    fn span(lane: usize) -> BatchSpan {
        BatchSpan {
            lane,
            end: Timestamp::default(),
            took: Duration::ZERO,
            records: 0,
            leads: 0,
            dead_letters: 0,
            topic: None,
            rulesets: Vec::new(),
            outcome: Outcome::TakenBack(Cause::Timeout),
            links: crate::io::TraceLinks::default(),
        }
    }

    fn lanes(spans: Option<Vec<BatchSpan>>) -> Vec<usize> {
        spans.into_iter().flatten().map(|span| span.lane).collect()
    }

    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn what_does_not_fit_is_turned_away_at_once() {
        let queue = Queue::of(3);
        let taken: Vec<_> = (0..5).map(|lane| queue.push(span(lane))).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert_eq!(lanes(queue.next(2, LONG)), [0, 1]);
        assert!(queue.push(span(9)));
        assert_eq!(lanes(queue.next(2, LONG)), [2, 9]);
    }

    #[test]
    fn a_full_queue_waits_for_no_more() {
        let queue = Queue::of(2);
        assert!(queue.push(span(0)) && queue.push(span(1)));
        assert_eq!(lanes(queue.next(100, LONG)), [0, 1]);
    }

    #[test]
    fn who_waits_gets_what_is_there_when_it_is_closed_and_nothing_comes_after() {
        let queue = Arc::new(Queue::of(10));
        let waiting = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || lanes(queue.next(5, LONG))
        });
        assert!(queue.push(span(7)));
        queue.close(Instant::now() + LONG);
        assert_eq!(waiting.join().expect("it ends"), [7]);
        assert!(!queue.push(span(8)));
        assert!(queue.next(5, LONG).is_none());
        assert!(queue.time_left().is_some());
    }

    #[test]
    fn once_the_time_is_over_what_is_left_stays() {
        let queue = Queue::of(10);
        assert!(queue.push(span(7)));
        queue.close(Instant::now());
        assert!(queue.next(5, LONG).is_none());
        assert_eq!(queue.len(), 1);
    }
}

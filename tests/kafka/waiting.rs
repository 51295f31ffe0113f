//! Waiting on a condition, with a deadline and a word for what is waited for. The only place of the tests that sleeps.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something; panics with `what` and the last `state` when there is nothing within the time.
pub(crate) fn wait_for<T>(what: &str, within: Duration, state: impl Fn() -> String, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < within, "waited {within:?} in vain: {what}\n{}", state());
        thread::sleep(PAUSE);
    }
}

/// Waits until the condition holds.
pub(crate) fn wait_until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    wait_for(what, within, String::new, || holds().then_some(()));
}

/// Lets time pass that is itself what is tested: a random moment, or how long something is away.
pub(crate) fn let_pass(time: Duration) {
    thread::sleep(time);
}

/// Tells a thread that goes on until it is told, also when the test fails meanwhile and would wait for it for ever.
#[derive(Default)]
pub(crate) struct Enough(AtomicBool);

/// Says "enough" when dropped.
pub(crate) struct SaysEnough<'a>(&'a Enough);

impl Enough {
    pub(crate) fn when_dropped(&self) -> SaysEnough<'_> {
        SaysEnough(self)
    }

    pub(crate) fn said(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for SaysEnough<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

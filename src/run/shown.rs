//! How the progress of work that ends is shown: one line that changes on a terminal, a line of the log now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Shown so often on a terminal …
const ON_TERMINAL: Duration = Duration::from_millis(500);
/// … and elsewhere.
const IN_LOG: Duration = Duration::from_secs(10);

/// Shows how far work is.
pub(super) struct Shown {
    /// What is done, and to what.
    words: [&'static str; 2],
    /// How many of them in all.
    of: u64,
    /// What was done when it was first asked, and when that was.
    first: Option<(u64, Instant)>,
    last: Option<Instant>,
    on_terminal: bool,
}

impl Shown {
    /// For so many: `["replayed", "offsets"]`.
    pub(super) fn new(words: [&'static str; 2], of: u64) -> Self {
        Self { words, of, first: None, last: None, on_terminal: stderr().is_terminal() }
    }

    /// So many are done by now.
    pub(super) fn show(&mut self, done: u64) {
        let now = Instant::now();
        let (at_first, since) = *self.first.get_or_insert((done, now));
        let every = if self.on_terminal { ON_TERMINAL } else { IN_LOG };
        if done < self.of && self.last.is_some_and(|last| now - last < every) {
            return;
        }
        self.last = Some(now);
        let line = line(self.words, done, self.of, done.saturating_sub(at_first), now - since);
        if self.on_terminal {
            // The next line, of the log too, is written over it. Whoever closes the terminal wants no progress.
            let _ = write!(stderr(), "{line}\x1b[K{}", if done < self.of { "\r" } else { "\n" });
        } else {
            tracing::info!("{line}");
        }
    }
}

/// What is done of all, how fast, and how long the rest takes at that.
fn line([done_to, what]: [&str; 2], done: u64, of: u64, fresh: u64, took: Duration) -> String {
    let percent = (done * 100).checked_div(of).unwrap_or(100);
    let rate = u64::try_from(u128::from(fresh) * 1000 / took.as_millis().max(1)).unwrap_or(u64::MAX);
    let left = match of.saturating_sub(done).checked_div(rate) {
        Some(seconds) => format!(", {}:{:02}:{:02} left", seconds / 3600, seconds / 60 % 60, seconds % 60),
        None => String::new(),
    };
    format!("{done_to} {done} of {of} {what} ({percent} %), {rate}/s{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_done_how_fast_and_how_long_the_rest_takes() {
        let words = ["replayed", "offsets"];
        let ten = Duration::from_secs(10);
        assert_eq!(line(words, 600, 8_000, 500, ten), "replayed 600 of 8000 offsets (7 %), 50/s, 0:02:28 left");
        assert_eq!(line(words, 0, 8_000, 0, Duration::ZERO), "replayed 0 of 8000 offsets (0 %), 0/s");
        assert_eq!(line(words, 0, 0, 0, Duration::ZERO), "replayed 0 of 0 offsets (100 %), 0/s");
    }
}

//! Log lines to standard error, as text or JSON, and what keeps them few. Which lines there are is up to those who write
//! them; none holds a lead.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use tracing::level_filters::LevelFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging, once a process; a second call does nothing. Colours are for terminals, and not with `NO_COLOR`.
pub fn start(config: &LogConfig) {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost. Telling of it would go to standard error too, and panic there.
        .log_internal_errors(false)
        .with_max_level(LevelFilter::from_level(config.level))
        .with_ansi(!no_color && std::io::stderr().is_terminal());
    // An already started log is the one of an earlier call.
    let _ = match config.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// What is worth a line about something that can be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It has gone, or was not there to begin with.
    Away,
    /// It is there again, after so long.
    Back(Duration),
}

/// Makes one line of each change of state, however often the state is told. Something never told of is taken to be there.
#[derive(Clone, Debug, Default)]
pub struct OncePerState {
    away_since: Option<Instant>,
}

impl OncePerState {
    /// It is there (or not), as seen at `now`. Returns what is new.
    pub fn told(&mut self, there: bool, now: Instant) -> Option<News> {
        match (there, self.away_since) {
            (false, None) => {
                self.away_since = Some(now);
                Some(News::Away)
            }
            (true, Some(since)) => {
                self.away_since = None;
                Some(News::Back(now.saturating_duration_since(since)))
            }
            (true, None) | (false, Some(_)) => None,
        }
    }

    /// Whether it is away.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away_since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_once_however_often_it_is_seen() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut broker = OncePerState::default();
        assert_eq!(broker.told(true, at(0)), None, "there from the start is no news");
        assert_eq!(broker.told(false, at(10)), Some(News::Away));
        assert!(broker.is_away());
        for second in 11..100 {
            assert_eq!(broker.told(false, at(second)), None);
        }
        assert_eq!(broker.told(true, at(100)), Some(News::Back(Duration::from_secs(90))), "counted from the first silence");
        assert_eq!(broker.told(true, at(101)), None);
        assert!(!broker.is_away());
        assert_eq!(broker.told(false, at(102)), Some(News::Away), "a second absence is news again");
    }

    #[test]
    fn what_is_away_from_the_start_is_told() {
        assert_eq!(OncePerState::default().told(false, Instant::now()), Some(News::Away));
    }

    #[test]
    fn a_time_that_goes_back_is_no_panic() {
        let now = Instant::now() + Duration::from_secs(10);
        let mut broker = OncePerState::default();
        broker.told(false, now);
        assert_eq!(
            broker.told(true, now.checked_sub(Duration::from_secs(5)).expect("later than the start")),
            Some(News::Back(Duration::ZERO))
        );
    }
}

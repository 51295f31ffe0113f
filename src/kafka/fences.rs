//! How often a lane's transactional id was taken over. Once is nothing: the broker says the same of a transaction it has
//! ended for its age. Several times within a minute, in good weather, means two processes under one name.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::io::Fatal;

/// So many …
const MANY: usize = 5;
/// … within this time.
pub(super) const WINDOW: Duration = Duration::from_mins(1);

/// The fences of the last minute.
#[derive(Debug, Default)]
pub(super) struct Fences(VecDeque<Instant>);

impl Fences {
    /// Fenced, and neither age nor an outage explains it.
    pub(super) fn note(&mut self) {
        self.0.push_back(Instant::now());
        while self.0.front().is_some_and(|first| first.elapsed() > WINDOW) {
            self.0.pop_front();
        }
    }

    /// The reason not to go on, when there were too many.
    pub(super) fn too_many(&self, transactional_id: &str) -> Option<Fatal> {
        (self.0.len() >= MANY).then(|| Fatal {
            message: format!(
                "transactional id {transactional_id:?} was taken over {MANY} times within a minute: another process runs under the \
                 same `kafka.group` and `kafka.instance`. Give each process an instance of its own, or leave it empty"
            ),
            exit: 64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_borne_and_many_are_told() {
        let mut fences = Fences::default();
        for _ in 1..MANY {
            fences.note();
            assert_eq!(fences.too_many("g-i-0"), None);
        }
        fences.note();
        assert!(fences.too_many("g-i-0").is_some_and(|fatal| fatal.message.contains("g-i-0") && fatal.exit == 64));
    }
}

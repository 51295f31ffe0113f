//! Whether the group still knows this lane. librdkafka waits five minutes for the answer to a request to join, and meanwhile the
//! lane holds partitions that are no longer its own, or none: so a lane that finds no place in its group joins anew. How it leaves
//! is here too; what it owns and where it stands there is `mod`'s.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::consumer::Consumer as _;

use crate::io::Batch;

use super::{
    super::{consumer::Member, native},
    KEEP, KafkaLane,
};

/// A rebalance takes a few seconds; a member that does not answer is put out of its group after six.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who joins anew makes the group share out anew; so it is done less and less often.
const LONGEST: Duration = Duration::from_mins(5);

/// A refusal that is older says nothing of now.
const RECENTLY: Duration = Duration::from_secs(10);

/// Since when the group does not know the lane, as far as that is seen.
#[derive(Debug)]
pub(super) struct Astray {
    /// The moment, and the group's generation then; none where the lane was in none.
    since: Option<(Instant, Option<i32>)>,
    /// It waits to be taken in. Else it was refused what it would commit, and `refused` tells when last.
    waits: bool,
    refused: Instant,
    patience: Duration,
}

impl Default for Astray {
    fn default() -> Self {
        Self { since: None, waits: false, refused: Instant::now(), patience: PATIENCE }
    }
}

impl Astray {
    /// The group did not take what the lane would commit; of the group it knows this generation.
    fn is_refused(&mut self, generation: Option<i32>) {
        self.refused = Instant::now();
        self.since.get_or_insert((self.refused, generation));
    }

    /// The lane has joined, or owns nothing any more: it is to hear of another generation than this.
    fn waits(&mut self, generation: Option<i32>) {
        self.waits = true;
        self.since.get_or_insert((Instant::now(), generation));
    }

    /// The group took what the lane committed.
    pub(super) fn is_home(&mut self) {
        *self = Self::default();
    }

    /// Whether it is time to join anew, the lane being in this generation now.
    fn is_lost(&mut self, generation: Option<i32>) -> bool {
        let Some((since, then)) = self.since else { return false };
        if generation.is_some() && generation != then {
            // The group has met since then, with this lane.
            (self.since, self.waits) = (None, false);
            return false;
        }
        since.elapsed() >= self.patience && (self.waits || self.refused.elapsed() < RECENTLY)
    }
}

impl KafkaLane {
    fn generation(&self) -> Option<i32> {
        self.member.as_ref().and_then(|member| native::generation(member.consumer.client()))
    }

    /// The group did not take what this lane would commit.
    pub(super) fn is_refused_by_group(&mut self) {
        let generation = self.generation();
        self.astray.is_refused(generation);
    }

    /// The lane is to be taken in by its group, for the first time or again.
    pub(super) fn waits_for_group(&mut self) {
        let generation = self.generation();
        self.astray.waits(generation);
    }

    /// Joins anew when the group has not known this lane for too long, though the broker answers.
    pub(super) fn look_for_group(&mut self, batch: &mut Batch) {
        if self.astray.since.is_none() {
            return;
        }
        let generation = self.generation();
        if !self.astray.is_lost(generation) {
            return;
        }
        let patience = self.astray.patience;
        if self.health.was_away_within(patience) {
            self.astray.since = Some((Instant::now(), generation));
            return;
        }
        self.astray = Astray { patience: (patience * 2).min(LONGEST), ..Astray::default() };
        tracing::warn!(
            group = self.settings.kafka.group,
            "a lane has had no place in its group for {} s, though the broker answers; joining anew, nothing is lost",
            patience.as_secs()
        );
        batch.clear(KEEP);
        self.leave();
    }
}

/// Leaves the group, on a thread of its own: the client may wait for an answer that never comes.
pub(super) fn part_from(member: Member) {
    let gone = thread::Builder::new().name("leaving".to_owned()).spawn(move || drop(member));
    if let Err(error) = gone {
        tracing::debug!(%error, "leaving the group on the lane's own thread");
    }
}

impl Drop for KafkaLane {
    /// Leaves the group in good order: gives the partitions back, discards what still arrives, then the producer goes.
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            let deadline = Instant::now() + Duration::from_secs(3);
            member.consumer.unsubscribe();
            while Instant::now() < deadline && member.consumer.assignment().is_ok_and(|left| left.count() > 0) {
                drop(member.consumer.poll(Duration::from_millis(50)));
            }
        }
        self.producer = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::producer::{Remedy, Trouble},
            tests::lane,
        },
        *,
    };
    use crate::io::Cause;

    #[test]
    fn who_joins_waits_and_who_was_refused_once_does_not() {
        let (mut lane, _) = lane("127.0.0.1:1");
        lane.member = None;
        lane.join().expect("good settings");
        assert!(lane.astray.waits && lane.astray.since.is_some());
        lane.astray.is_home();
        drop(lane.take_back(Trouble { reason: Cause::Rebalance, detail: String::new(), remedy: Remedy::Wait, code: None }));
        assert!(!lane.astray.waits && lane.astray.since.is_some(), "the next commit tells whether it is so still");
    }

    #[test]
    fn who_finds_no_place_for_long_is_lost_and_a_new_generation_or_a_commit_is_a_place() {
        let mut astray = Astray { patience: Duration::ZERO, ..Astray::default() };
        assert!(!astray.is_lost(Some(3)), "nothing was wrong");
        astray.is_refused(Some(3));
        assert!(astray.is_lost(Some(3)) && astray.is_lost(None));
        assert!(!astray.is_lost(Some(4)) && !astray.is_lost(Some(3)), "it met anew, and all is well");
        astray.waits(None);
        assert!(astray.is_lost(None), "it never joined");
        astray.is_home();
        assert!(!astray.is_lost(None));
        astray.is_refused(Some(5));
        astray.patience = Duration::ZERO;
        astray.refused = Instant::now().checked_sub(RECENTLY).expect("the machine has run for longer");
        assert!(!astray.is_lost(Some(5)), "nothing was refused of late: there was nothing to commit");
        astray.waits(Some(5));
        assert!(astray.is_lost(Some(5)), "it gave all back, and was not taken in again");
        let mut patient = Astray::default();
        patient.waits(None);
        assert!(!patient.is_lost(None), "it takes its time");
    }
}

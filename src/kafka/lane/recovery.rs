//! How a lane gets what it needs, and back to a known state after trouble: connecting, replacing the producer, taking a batch
//! back, waiting longer from failure to failure.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::{
    config::Delivery,
    io::{Abort, Cause, Fatal, LaneError, LaneEvent},
};

use super::{
    super::{
        consumer::Member,
        fences,
        placement::Doubts,
        producer::{LOST, Producer, Remedy, Trouble, abortable, is_fence},
        properties,
        rights::is_denial,
        topics::Topics,
    },
    KafkaLane, together,
};

/// A broker ends an open transaction after 15 s, or the 10 s later when it looks next.
const HANGS: Duration = Duration::from_secs(30);
/// What is complained of then, and where a person finds more.
const WAITS: &str = "partitions wait for the group's offsets";
const WHERE: &str = "see docs/delivery.md, \"Brokers that forget\"";

/// Why a batch is taken back whose producer the broker has forgotten.
const EXPIRED: Cause = Cause::IdExpired;

/// How long the broker may take to tell of its topics.
const ANSWER: Duration = Duration::from_secs(5);

impl KafkaLane {
    /// Has a group member and a fit producer. `false`: not yet.
    pub(super) fn connect(&mut self) -> Result<bool, LaneError> {
        self.join()?;
        if let Some(producer) = &self.producer {
            producer.drain();
            if let Some(reason) = producer.take_doubt() {
                self.replace_producer(reason);
            }
        }
        self.ready_producer()
    }

    /// Has a group member.
    pub(super) fn join(&mut self) -> Result<(), LaneError> {
        if self.member.is_none() {
            let member = Member::join(
                &properties::consumer(&self.settings.kafka, &self.settings.transactional_id, self.settings.memory),
                &self.settings.input,
                &self.health,
            );
            let member = member.map_err(|error| bad_settings("consumer", &error))?;
            self.member = Some(member.with_ends(self.settings.ends.clone()));
            self.waits_for_group();
        }
        Ok(())
    }

    pub(super) fn ready_producer(&mut self) -> Result<bool, LaneError> {
        let producer = if let Some(producer) = &mut self.producer {
            producer
        } else {
            let transactional = self.settings.delivery == Delivery::ExactlyOnce;
            let settings = &self.settings;
            let config = properties::producer(&settings.kafka, settings.delivery, &settings.transactional_id, self.packing);
            let created = Producer::create(&config, transactional, &self.health);
            self.producer.insert(created.map_err(|error| bad_settings("producer", &error))?)
        };
        match producer.initialise(Duration::from_secs(2)) {
            Ok(true) => Ok(true),
            Ok(false) => {
                self.health.heard(&KafkaError::Global(Code::OperationTimedOut), "");
                Ok(false)
            }
            Err(trouble) if trouble.reason == LOST => {
                self.replace_producer(LOST);
                Ok(false)
            }
            Err(trouble) => {
                if !self.is_denied(trouble.code, None) {
                    self.health.complain("the producer could not start, trying on", &trouble.detail);
                }
                self.replace_producer(trouble.reason);
                self.pause(Duration::from_secs(1));
                Ok(false)
            }
        }
    }

    pub(super) fn replace_producer(&mut self, reason: Cause) {
        if self.producer.take().is_some() {
            tracing::debug!(%reason, "the producer is replaced");
            self.watch.tell(LaneEvent::Recycled(reason));
        }
    }

    /// The group's offsets of some partitions could not be had. Right after a kill that is as it should be: a transaction that
    /// holds some is still to be ended. For longer than the broker lets one live, it hangs, and only a person can end it.
    pub(super) fn is_not_placed(&mut self) {
        let since = *self.unplaced.get_or_insert_with(Instant::now);
        if since.elapsed() < HANGS || self.health.was_away_within(HANGS) {
            return;
        }
        let partitions: Vec<_> = self.owned.moving(None).iter().map(|owned| owned.partition.to_string()).collect();
        self.health.complain(
            WAITS,
            &format!(
                "{}: the group {:?} does not tell its offsets there, though the broker answers. A transaction that the broker forgot \
                 to end may hold them; nothing is lost meanwhile. `leadstream doctor` names open transactions, Kafka's \
                 kafka-transactions.sh find-hanging and abort end those that hang; {WHERE}",
                partitions.join(", "),
                self.settings.kafka.group,
            ),
        );
    }

    /// What the group says of its offsets is not behind what this lane has committed: who says so is no coordinator any more. But
    /// who goes on saying so is right.
    pub(super) fn doubts(&self) -> Doubts {
        let for_long = self.unplaced.is_some_and(|since| since.elapsed() > HANGS);
        Doubts { of_range: self.range_in_doubt, may_go_back: for_long || self.settings.delivery == Delivery::AtLeastOnce }
    }

    /// All partitions are in place.
    pub(super) fn is_placed(&mut self) {
        if self.unplaced.take().is_some() {
            self.health.settled(WAITS, "partitions are read again");
        }
    }

    pub(super) fn pause(&mut self, time: Duration) {
        self.pause_until = Some(Instant::now() + time);
        self.rewinding = true;
    }

    /// Brings the producer to a known state after `trouble`, and says what became of the batch.
    pub(super) fn take_back(&mut self, mut trouble: Trouble) -> LaneError {
        if let Some(fenced) = self.producer.as_ref().and_then(|producer| producer.told_fenced("commit"))
            && trouble.remedy != Remedy::Wait
        {
            trouble = fenced;
        }
        if std::mem::take(&mut self.ahead) && trouble.remedy == Remedy::Wait {
            // Parts of the batch are written.
            trouble.remedy = Remedy::Abort;
        }
        let (code, mut output) = (trouble.code, None);
        let mut abort = Abort { reason: trouble.reason, detail: trouble.detail, too_large: Vec::new(), limits: None };
        let mut replace = None;
        if let Some(producer) = &self.producer {
            match trouble.remedy {
                Remedy::Wait => {}
                Remedy::Abort => {
                    let was_writing = producer.is_writing();
                    let aborted = producer.abort();
                    producer.drain();
                    abort.too_large = producer.too_large();
                    let cause = producer.first_cause();
                    output.clone_from(&cause);
                    if let Some((code, topic)) =
                        cause.as_ref().filter(|_| matches!(trouble.reason, Cause::Delivery | Cause::DeliveryTimeout | Cause::NotAuthorized))
                    {
                        abort.reason = abortable(*code);
                        abort.detail = if topic.is_empty() {
                            format!("the transaction failed: {code}")
                        } else {
                            format!("an output was not delivered to {topic}: {code}")
                        };
                    }
                    if cause.is_none()
                        && let Some(said) = producer.said()
                    {
                        abort.detail = format!("{}: {said}", abort.detail);
                    }
                    if producer.is_forgotten() {
                        abort.reason = EXPIRED;
                    }
                    // A fence may show in a delivery report first, or in the abort.
                    let was_fenced = cause.as_ref().is_some_and(|(code, _)| is_fence(*code))
                        || aborted.as_ref().is_err_and(|failed| failed.remedy == Remedy::Fenced);
                    if was_fenced {
                        (abort.reason, replace) = (Cause::Fenced, Some(Cause::Fenced));
                    } else {
                        // A record that the broker refused is missing in the numbering of its partition: librdkafka would
                        // stumble over the gap, and the next transaction be aborted as well.
                        replace = aborted.err().map(|_| Cause::FailedAbort).or(cause.map(|_| Cause::RefusedRecord));
                        // What was given up on its way may still arrive, and would be taken for a part of the next transaction.
                        replace = replace.or(was_writing.then_some(Cause::OnTheirWay));
                    }
                }
                Remedy::Replace => replace = Some(trouble.reason),
                Remedy::Fenced => replace = Some(Cause::Fenced),
            }
            // The broker ends old transactions with the very same answer, and after an outage others too; and what is aborted
            // for want of a right is aborted so often that the client now and then overtakes itself.
            let was_denied = code.into_iter().chain(output.iter().map(|(code, _)| *code)).any(is_denial);
            let explained = was_denied || producer.age() >= properties::TRANSACTION_TIMEOUT || self.health.was_away_within(fences::WINDOW);
            if replace == Some(Cause::Fenced) && !explained {
                self.fences.note();
            }
            if trouble.remedy != Remedy::Wait {
                replace = replace.or_else(|| producer.take_doubt());
            }
        }
        if self.pack_anew(&mut abort) {
            replace = replace.or(Some(Cause::Packing));
        }
        if let Some(reason) = replace {
            self.replace_producer(reason);
        }
        self.rewinding = true;
        if let Some(fatal) = self.fences.too_many(&self.settings.transactional_id) {
            return LaneError::Fatal(fatal);
        }
        self.aborts_in_a_row += 1;
        if abort.reason == Cause::Rebalance {
            self.is_refused_by_group();
        }
        if let Some(backoff) = backoff(abort.reason, self.aborts_in_a_row) {
            self.pause(backoff);
        }
        // What is settled with the next attempt is no trouble; if it is not, a person hears of it.
        let is_mending = abort.reason == Cause::TooLarge && self.aborts_in_a_row <= MENDING;
        let usual = abort.reason == Cause::Rebalance || is_mending || (abort.reason == EXPIRED && self.aborts_in_a_row == 1);
        if !usual {
            if self.is_denied(code, output) {
                return LaneError::Aborted(abort);
            }
            let complaint = format!("a batch was taken back ({}), trying on", abort.reason);
            self.health.complain(&complaint, &abort.detail);
            self.complaint = Some(complaint);
        }
        LaneError::Aborted(abort)
    }
}

/// An event that is too large is mended by the next try or two; what is refused again and again is not.
const MENDING: u32 = 3;

/// So many batches in a row may meet a group that moves.
const REBALANCES: u32 = 3;

/// How long to wait before the next attempt after so many aborts in a row, the last for this reason; `None`: not at all.
fn backoff(reason: Cause, aborts_in_a_row: u32) -> Option<Duration> {
    match reason {
        // The abort has made the producer known again, for no longer than before: who waited longer and longer between two
        // attempts would find it forgotten each time.
        EXPIRED => None,
        Cause::Rebalance if aborts_in_a_row <= REBALANCES => None,
        // The group does not know the lane, until it has joined anew.
        Cause::Rebalance => Some(Duration::from_millis(500)),
        Cause::TooLarge if aborts_in_a_row <= MENDING => None,
        _ => Some(Duration::from_millis(100).saturating_mul(1 << aborts_in_a_row.min(6)).min(Duration::from_secs(5))),
    }
}

impl KafkaLane {
    /// After the broker refused something as too large: learns what it takes now, so that the next batch is made to fit; where
    /// that brings nothing new, sends each record alone. Whether the producer is to be replaced for it.
    fn pack_anew(&mut self, abort: &mut Abort) -> bool {
        if abort.too_large.is_empty() {
            return false;
        }
        if self.learn_limits() {
            // What is too large is known before it is sent now, and nothing else was meant.
            abort.too_large.clear();
            abort.limits = Some(self.settings.limits);
            self.packing.together = self.packing.together.min(together(self.settings.limits));
            return true;
        }
        if abort.too_large.len() > 1 && !self.packing.alone {
            // The broker refused a whole batch: which of its records it meant shows when each goes alone.
            abort.too_large.clear();
            self.packing.alone = true;
        }
        self.packing.alone
    }

    /// Asks what the output topics take now. Whether that is less than was known.
    fn learn_limits(&mut self) -> bool {
        let found = Topics::connect(&self.settings.kafka).and_then(|topics| topics.find(&self.settings.output, ANSWER));
        let Ok(found) = found else { return false };
        let mut lowered = false;
        for (known, topic) in self.settings.limits.iter_mut().zip(&found) {
            let Some(largest) = topic.largest.filter(|largest| largest < known) else { continue };
            tracing::warn!("topic {} takes {largest} bytes now, {known} before: larger events become dead letters", topic.name);
            *known = largest;
            lowered = true;
        }
        lowered
    }
}

/// librdkafka refused the settings themselves: no use in trying on.
pub(super) fn bad_settings(who: &str, error: &KafkaError) -> LaneError {
    LaneError::Fatal(Fatal {
        message: format!("creating the {who}: librdkafka refuses its settings: {error}. See [kafka.client] and [kafka.{who}]"),
        exit: 64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_except_where_waiting_is_what_makes_them_fail() {
        let waits = |reason: Cause| (1..8).map(|aborts| backoff(reason, aborts)).collect::<Vec<_>>();
        assert!(waits(Cause::Delivery).is_sorted() && waits(Cause::Delivery)[0] == Some(Duration::from_millis(200)));
        assert_eq!(waits(Cause::Delivery)[6], Some(Duration::from_secs(5)));
        // With `transactional.id.expiration.ms` of a second, a wait of a second would never end.
        assert!(waits(EXPIRED).iter().all(Option::is_none));
        assert!(waits(Cause::Rebalance)[..3].iter().all(Option::is_none) && waits(Cause::Rebalance)[3..].iter().all(Option::is_some));
        // Two tries find the record that is meant; a dead letter that is refused stays as large as it is.
        assert!(waits(Cause::TooLarge)[..3].iter().all(Option::is_none) && waits(Cause::TooLarge)[3..].iter().all(Option::is_some));
    }
}

//! How a lane makes a batch visible: its outputs, in parts where they are many, then the offsets and the commit. What is done when that
//! fails is `recovery`'s.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use crate::{
    config::Delivery,
    io::{Cause, Committed, LaneError, Progress},
    lead::{NextOffset, Partition},
    pipeline::OutputBuffer,
};

use super::{
    super::{
        NotedOffset,
        producer::{Producer, Remedy, Trouble, abortable, trouble},
        sabotage::sabotage,
    },
    KafkaLane, SMALLEST_BATCH,
};

/// Connections that were silent for a minute are closed without a word.
const IDLE: Duration = Duration::from_secs(55);

fn no_producer() -> Trouble {
    trouble(Cause::State, "no producer", Remedy::Replace)
}

fn no_member(remedy: Remedy) -> Trouble {
    trouble(Cause::Rebalance, "this lane is no member of its group just now", remedy)
}

impl KafkaLane {
    /// Has a fit producer. Of a batch that is written in parts it is the one that has those before: any other would commit without them.
    fn ready_to_write(&mut self) -> Result<(), LaneError> {
        if self.ahead {
            let doubt = match self.producer.as_ref().filter(|producer| producer.is_open()) {
                Some(producer) => {
                    producer.drain();
                    producer.take_doubt()
                }
                None => Some(Cause::State),
            };
            let detail = "the producer has fallen into doubt in the middle of a batch";
            return doubt.map_or(Ok(()), |reason| Err(self.take_back(trouble(reason, detail, Remedy::Replace))));
        }
        // A connection that closes for idleness is not told of, and keeps the client from telling of the next that closes.
        if self.producer.as_ref().is_some_and(|producer| producer.age() > IDLE) {
            self.replace_producer(Cause::Idle);
        }
        // Nothing was polled since the batch was read, but its producer may have fallen into doubt meanwhile.
        if !self.connect()? {
            return Err(self.take_back(trouble(Cause::NotReady, "the producer is being replaced", Remedy::Wait)));
        }
        Ok(())
    }

    /// Writes outputs into the transaction that the commit of their batch will end.
    pub(super) fn write_ahead(&mut self, out: &OutputBuffer) -> Result<(), LaneError> {
        self.ready_to_write()?;
        let written = match (&self.member, &mut self.producer) {
            (Some(member), _) if !member.may_commit() => Err(no_member(Remedy::Wait)),
            (Some(_), Some(producer)) => producer.write(&[(out, &self.settings.output)]),
            _ => Err(no_producer()),
        };
        self.ahead |= written.is_ok();
        written.map_err(|trouble| self.take_back(trouble))
    }

    /// Drops what was written ahead: its batch is not committed.
    pub(super) fn drop_ahead(&mut self) {
        if std::mem::take(&mut self.ahead)
            && let Some(Err(trouble)) = self.producer.as_ref().map(Producer::abort)
        {
            self.replace_producer(trouble.reason);
        }
    }

    /// Makes outputs and progress visible together, with what was written ahead.
    pub(super) fn commit_batch(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<Committed, LaneError> {
        let started = Instant::now();
        self.ready_to_write()?;
        if let Err(trouble) = self.transact(out, progress) {
            return Err(self.take_back(trouble));
        }
        self.ahead = false;
        self.aborts_in_a_row = 0;
        self.astray.is_home();
        if let Some(about) = self.complaint.take() {
            self.health.settled(&about, "batches are committed again");
        }
        self.committed_with(out);
        if std::mem::take(&mut self.packing.alone) {
            self.packing.together = (self.packing.together / 2).max(SMALLEST_BATCH);
            self.replace_producer(Cause::Packing);
        }
        if let Some(producer) = &self.producer {
            producer.drain();
            if let Some(reason) = producer.take_doubt() {
                self.replace_producer(reason);
            }
        }
        for (partition, next) in progress.iter() {
            if let Some(owned) = self.owned.get_mut(partition) {
                (owned.next, owned.note) = (Some(next.get()), progress.noted(partition).to_owned());
            }
        }
        self.took = self.closed.elapsed();
        Ok(Committed { took: started.elapsed() })
    }

    /// Everything of a commit, in order; the error tells what is left to do.
    fn transact(&mut self, out: &OutputBuffer, progress: &Progress) -> Result<(), Trouble> {
        let (Some(member), Some(producer)) = (&self.member, &mut self.producer) else { return Err(no_producer()) };
        let noted = |(partition, next): (&Partition, NextOffset)| {
            let (partition, note) = (partition.clone(), progress.noted(partition).to_owned());
            NotedOffset { partition, offset: next.get(), note }
        };
        let offsets: Vec<_> = progress.iter().map(noted).collect();
        // Offsets of a consumer that is no member would be taken where the group is empty, and its metadata would switch fencing
        // off: looked at before and after that is taken.
        if !member.may_commit() {
            return Err(no_member(Remedy::Wait));
        }
        if sabotage().offsets_first {
            // Whether that succeeds or not, the outputs follow: what is broken is the order.
            let _ = member.commit(&offsets);
        }
        producer.write(&[(out, &self.settings.output)])?;
        if self.settings.delivery == Delivery::AtLeastOnce {
            producer.close();
            return member.commit(&offsets).map_err(|error| Trouble {
                reason: error.rdkafka_error_code().map_or(Cause::Delivery, abortable),
                detail: format!("commit: {error}"),
                remedy: Remedy::Abort,
                code: error.rdkafka_error_code(),
            });
        }
        let offsets = member.to_commit(&offsets).map_err(|error| trouble(Cause::State, error.to_string(), Remedy::Abort))?;
        let metadata = member.consumer.group_metadata().filter(|_| member.may_commit()).ok_or_else(|| no_member(Remedy::Abort))?;
        producer.send_offsets(offsets, metadata)?;
        producer.commit()
    }
}

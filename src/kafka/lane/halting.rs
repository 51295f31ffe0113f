//! What stands still until a person has decided: a partition whose committed offset is gone, and a whole lane that was told
//! to halt. Both stay with their member, so that none of the others takes them over and goes wrong the same way.

use std::time::{Duration, Instant};

use rdkafka::{consumer::Consumer, error::KafkaResult};

use crate::{
    config::OnLostPosition,
    io::{Batch, HaltReason, LaneError, LaneEvent, Next},
};

use super::{
    super::{NotedOffset, consumer::list, placement::Lost},
    KEEP, KafkaLane, ROUND,
};

impl KafkaLane {
    /// Stops these partitions, or has them go on where the configuration says so; tells where to.
    pub(super) fn decide_on_lost(&mut self, lost: Vec<Lost>) -> KafkaResult<Vec<NotedOffset>> {
        let mut going_on = Vec::new();
        for lost in lost {
            match self.settings.on_lost_position {
                // A bounded run has an end among the offsets it knew: of a topic that was made anew it is none.
                OnLostPosition::Earliest if self.settings.ends.is_none() || lost.skipped() > 0 => going_on.push(self.pass_over(&lost)?),
                OnLostPosition::Earliest | OnLostPosition::Stop => self.stop_lost(&lost)?,
            }
        }
        Ok(going_on)
    }

    /// Goes on at the first record there is. That is committed first: whoever has the partition next finds it done.
    fn pass_over(&mut self, lost: &Lost) -> KafkaResult<NotedOffset> {
        // The chain of its ledger goes on: what it passes over shows there.
        let note = self.owned.get_mut(&lost.partition).map(|owned| owned.note.clone()).unwrap_or_default();
        let start = NotedOffset { partition: lost.partition.clone(), offset: lost.low, note };
        if let Some(member) = &self.member {
            member.commit(std::slice::from_ref(&start))?;
        }
        let (offsets, group) = (lost.skipped(), &self.settings.kafka.group);
        // Of a topic that was made anew nothing is known to be missing, but what is there may have been decided before.
        let headline = if offsets > 0 { "LEADS WERE PASSED OVER" } else { "LEADS MAY BE MISSING, OR BE DECIDED AGAIN" };
        tracing::error!(
            partition = %lost.partition, offsets, group,
            "{headline}: {}. Going on at offset {}, as run.on_lost_position = \"earliest\" asks",
            lost.what(), lost.low
        );
        self.watch.tell(LaneEvent::Skipped { partition: &lost.partition, offsets });
        Ok(start)
    }

    fn stop_lost(&mut self, lost: &Lost) -> KafkaResult<()> {
        let partition = &lost.partition;
        if let Some(member) = &self.member {
            member.consumer.pause(&list(&[(partition.clone(), lost.low)])?)?;
        }
        if let Some(owned) = self.owned.get_mut(partition) {
            owned.halted = true;
        }
        let what_to_do = match lost.committed {
            _ if self.settings.ends.is_some() && lost.skipped() == 0 => {
                "choose another id: nothing tells any more what of its range is done".to_owned()
            }
            // An offset that somebody sets has no note beside it.
            _ if self.settings.ends.is_some() => {
                "leave its offsets as they are, and start it again with --from-first-existing to go on at the first record that is there"
                    .to_owned()
            }
            None => "start them again, and it is read from where run.from says".to_owned(),
            Some(_) => format!(
                "set its offset for this partition (kafka-consumer-groups --reset-offsets --topic {}:{} --to-offset N --execute) and \
                 start them again; or set run.on_lost_position = \"earliest\" to go on at the first record that is there",
                partition.topic, partition.number
            ),
        };
        let why = format!(
            "{partition} stands still, other partitions go on: {}. Nothing is skipped silently: end all processes of the group {:?}, \
             {what_to_do}",
            lost.what(),
            self.settings.kafka.group,
        );
        if self.told_lost.insert((partition.clone(), lost.committed)) {
            tracing::error!("{why}");
        }
        let reason = HaltReason::LostPosition;
        self.watch.tell(LaneEvent::Halted { partitions: std::slice::from_ref(partition), reason, why: &why });
        Ok(())
    }

    /// The whole lane stands still from now on.
    pub(super) fn halt_all(&mut self, why: &str) {
        tracing::error!("{why}");
        self.halted = Some(why.to_owned());
        self.tell_halted();
        self.pause_all();
        // Last, since it asks brokers.
        self.drop_ahead();
        // Nobody would hear what it has to say from now on.
        self.producer = None;
    }

    /// One round of a lane that has halted: it is polled, so that its group does not give it up and hand its partitions to
    /// somebody else, and what it is given stands still too.
    pub(super) fn stand_still(&mut self, batch: &mut Batch) -> Result<Next, LaneError> {
        self.join()?;
        let until = Instant::now() + ROUND;
        while Instant::now() < until && !self.stopping() {
            let Some(member) = &self.member else { break };
            // Records that were fetched before the pause, and errors of partitions that are not read.
            drop(member.consumer.poll(Duration::from_millis(50)));
            if member.changed() {
                self.take_changes(batch);
                self.tell_halted();
                self.pause_all();
            }
        }
        batch.clear(KEEP);
        Ok(Next::Idle)
    }

    fn tell_halted(&mut self) {
        if let Some(why) = &self.halted {
            let partitions = self.owned.partitions();
            self.watch.tell(LaneEvent::Halted { partitions: &partitions, reason: HaltReason::DeadLetters, why });
        }
    }

    fn pause_all(&self) {
        let Some(member) = &self.member else { return };
        if let Err(error) = member.consumer.assignment().and_then(|all| member.consumer.pause(&all)) {
            // What is read all the same is dropped; only the broker's work is wasted.
            tracing::debug!(%error, "pausing did not succeed");
        }
    }
}

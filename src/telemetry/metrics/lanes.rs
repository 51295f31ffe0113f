//! What lanes tell of themselves, as metrics: partitions that come and go, how far they are behind, producers that are replaced.
//! What a batch came to is not told here.

use std::sync::PoisonError;

use super::Metrics;
use crate::{
    io::{HaltReason, LaneEvent},
    lead::{Partition, Vocabulary},
    telemetry::RebalanceKind,
};

impl Metrics {
    /// A lane told something of itself.
    pub fn happened(&self, event: LaneEvent<'_>) {
        match event {
            LaneEvent::Assigned(partitions) => {
                self.rebalances.of((RebalanceKind::Assigned,)).inc();
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                for partition in partitions {
                    *held.entry(partition.clone()).or_default() += 1;
                }
                self.assigned_partitions.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
            }
            LaneEvent::Revoked(partitions) => self.gone(RebalanceKind::Revoked, partitions),
            LaneEvent::Lost(partitions @ [_, ..]) => self.gone(RebalanceKind::Lost, partitions),
            LaneEvent::Recycled(cause) => self.producer_recycles.of((cause,)).inc(),
            LaneEvent::Lag { partition, next, end, seconds } => {
                let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                if held.contains_key(partition) {
                    let number = partition.number.to_string();
                    self.consumer_lag_records.of((&partition.topic, &number)).set((end - next).max(0));
                    self.consumer_lag_seconds.of((&partition.topic, &number)).set(seconds);
                }
            }
            LaneEvent::Halted { partitions, reason, .. } => {
                for partition in partitions {
                    let number = partition.number.to_string();
                    self.halted_partitions.of((&partition.topic, &number, reason)).set(1);
                }
            }
            LaneEvent::Skipped { partition, offsets } => self.skipped_offsets.of((&partition.topic,)).inc_by(offsets),
            // A member that leaves with nothing in its hands has lost nothing.
            LaneEvent::Lost([]) => {}
        }
    }

    fn gone(&self, kind: RebalanceKind, partitions: &[Partition]) {
        self.rebalances.of((kind,)).inc();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            if let Some(lanes) = held.get_mut(partition)
                && *lanes > 1
            {
                *lanes -= 1;
                continue;
            }
            held.remove(partition);
            // Whoever has the partition now tells its lag; ours would stand still for ever.
            let number = partition.number.to_string();
            self.consumer_lag_records.remove((&partition.topic, &number));
            self.consumer_lag_seconds.remove((&partition.topic, &number));
            for reason in HaltReason::ALL {
                self.halted_partitions.remove((&partition.topic, &number, *reason));
            }
        }
        self.assigned_partitions.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
    }
}

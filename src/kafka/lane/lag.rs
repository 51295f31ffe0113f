//! How far a lane is behind in each of its partitions, told once a second. Where the input is written in transactions, the last
//! offset before a partition's end is a marker: nobody decides it, and it is no lag.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use super::KafkaLane;
use crate::{io::LaneEvent, kafka::native};

impl KafkaLane {
    /// Tells once a second; between two batches, so that all that was read is decided.
    pub(super) fn sample_lag(&mut self) {
        if self.sampled.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.sampled = Instant::now();
        let Some(member) = &self.member else { return };
        let now = jiff::Timestamp::now().as_microsecond();
        // The client steps over markers, and its position with it. What is to be read again says nothing.
        let in_place = !self.rewinding && self.unsettled.is_empty();
        let positions = in_place.then(|| member.consumer.position().ok()).flatten();
        for owned in self.owned.iter() {
            let partition = &owned.partition;
            let Some(next) = owned.next else { continue };
            let Some(end) = native::cached_end(member.consumer.client(), &partition.topic, partition.number) else { continue };
            let end = self.settings.ends.as_ref().map_or(end, |ends| ends.of(partition).unwrap_or(next).min(end));
            let position = positions.as_ref().and_then(|all| all.find_partition(&partition.topic, partition.number)?.offset().to_raw());
            // Everything up to there was handed over, and what was handed over is decided.
            let next = if position.is_some_and(|position| position >= end) { next.max(end) } else { next };
            let behind = end > next;
            let age = owned.newest.map_or(0, |newest| now.saturating_sub(newest.micros()).max(0));
            let seconds = if behind { Duration::from_micros(age.unsigned_abs()).as_secs_f64() } else { 0.0 };
            self.watch.tell(LaneEvent::Lag { partition, next, end, seconds });
        }
    }
}

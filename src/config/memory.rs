//! How the memory of a process is divided: among its lanes, and in a lane among the queues a record passes. The one place where
//! these sizes are set against one another; whoever keeps a queue asks here how long it may be.

/// The least a lane can work with.
pub(super) const LEAST: usize = 4 << 20;

/// What one lane may take. The queues' sizes are of payloads and fill three quarters of it: the rest is for what the client and
/// the allocator need around them, and for what arrives compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneMemory(usize);

impl LaneMemory {
    /// A lane's share of `total` bytes.
    #[must_use]
    pub fn share(total: usize, lanes: usize) -> Self {
        Self((total / lanes.max(1)).max(LEAST))
    }

    /// Bytes read ahead of the batch at hand.
    #[must_use]
    pub fn read_ahead(self) -> usize {
        self.0 / 8
    }

    /// Records read ahead: small ones cost the client more than their bytes.
    #[must_use]
    pub fn records_ahead(self) -> usize {
        self.read_ahead() / 512
    }

    /// Bytes asked of a broker at once. They are compressed: a multiple of them arrives.
    #[must_use]
    pub fn fetched_at_once(self) -> usize {
        // The client takes no less than this.
        (self.0 / 32).max(1_000_000)
    }

    /// Bytes of these from one partition.
    #[must_use]
    pub fn fetched_of_a_partition(self) -> usize {
        self.fetched_at_once() / 4
    }

    /// Bytes of a batch.
    #[must_use]
    pub fn batch(self) -> usize {
        self.0 / 8
    }

    /// Bytes of outputs after which they are written, ahead of their commit if there is more of the batch. A large share: a small
    /// record may become thirty times as much, and the more is written at once, the less it costs.
    #[must_use]
    pub fn outputs(self) -> usize {
        self.0 / 32 * 7
    }

    /// Bytes of outputs on their way to the broker, the largest of them among them. All that are written at once, and some more, so
    /// that nobody waits for room while they are handed over.
    #[must_use]
    pub fn on_the_way(self, largest: usize) -> usize {
        (self.0 / 32 * 9).max(largest.saturating_add(largest / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lane_keeps_fits_its_share_with_a_quarter_left_for_what_is_around_it() {
        for (total, lanes) in [(64 << 20, 2), (64 << 20, 16), (1 << 30, 4), (0, 64)] {
            let memory = LaneMemory::share(total, lanes);
            let largest = 1_310_720;
            let kept = memory.read_ahead() + memory.batch() + memory.outputs() + memory.on_the_way(0);
            assert!(kept <= (total / lanes).max(LEAST) / 4 * 3, "{total} among {lanes}: {kept}");
            // Whatever the share, the largest record goes through.
            assert!(memory.on_the_way(largest) > largest && memory.fetched_at_once() >= 1_000_000);
        }
    }
}

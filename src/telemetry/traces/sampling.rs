//! Which batches are recorded: always one in which a recorded trace goes on, of the others a share, spread evenly. No chance is asked
//! for: a lane's batches come as they come.

/// A whole.
const WHOLE: u64 = 1 << 32;

/// Of one lane.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    /// What each batch adds.
    share: u64,
    /// Once it is a whole, a batch is taken.
    saved: u64,
}

impl Sampler {
    /// Takes a share of 0 to 1; the first batch among them, so that a try shows something.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // of 0 to 1 in parts of 2^32
    pub(super) fn new(share: f64) -> Self {
        let share = (share.clamp(0.0, 1.0) * WHOLE as f64) as u64;
        Self { share, saved: WHOLE - 1 }
    }

    /// Whether the next batch is recorded; one of a recorded trace takes nothing from the others' share.
    pub(super) fn takes(&mut self, is_traced: bool) -> bool {
        if is_traced {
            return true;
        }
        self.saved += self.share;
        let is_whole = self.saved >= WHOLE;
        if is_whole {
            self.saved -= WHOLE;
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(share: f64, batches: usize) -> Vec<usize> {
        let mut sampler = Sampler::new(share);
        (0..batches).filter(|_| sampler.takes(false)).collect()
    }

    #[test]
    fn a_share_is_taken_evenly_and_the_first_with_it() {
        assert_eq!(taken(0.25, 12), [0, 4, 8]);
        assert_eq!(taken(0.1, 100).len(), 10);
        assert_eq!(taken(0.1, 100_000).len(), 10_000);
        assert_eq!(taken(0.001, 10_000).len(), 10);
        assert_eq!(taken(1.0, 5), [0, 1, 2, 3, 4]);
        assert_eq!(taken(0.9, 10).len(), 9);
        assert_eq!(taken(0.0, 1_000), [0; 0]);
    }

    #[test]
    fn what_is_traced_is_always_taken_and_counts_for_nothing() {
        let mut sampler = Sampler::new(0.0);
        assert!((0..10).all(|_| sampler.takes(true)));
        let mut sampler = Sampler::new(0.5);
        let all: Vec<_> = [false, true, false, true, false].into_iter().map(|is_traced| sampler.takes(is_traced)).collect();
        assert_eq!(all, [true, true, false, true, true]);
    }
}

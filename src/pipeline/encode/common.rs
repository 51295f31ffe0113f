//! What all events of a lead have in common, byte for byte: written for the first of them, and copied into the others. Which parts
//! there are, and what is in them, the encoders know.

use std::ops::Range;

/// The parts of a lead block that do not differ between its events, as places in the arena, of one lead in one encoding.
#[derive(Debug, Default)]
pub(super) struct Common {
    parts: [Option<Range<usize>>; 6],
}

impl Common {
    /// Puts a part at the end of `out`: as it was written before, else as `write` does.
    pub(super) fn part(&mut self, number: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        match self.parts.get_mut(number) {
            Some(Some(before)) => out.extend_from_within(before.clone()),
            Some(place) => {
                let start = out.len();
                write(out);
                *place = Some(start..out.len());
            }
            None => write(out),
        }
    }
}

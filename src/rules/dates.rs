//! Effective dates: from when until when an entry of the ruleset is in force, held against the event's time and no clock.

use super::reading::{Reader, Section};
use crate::lead::Timestamp;

/// `from` and `until` of an entry; without them it is always in force.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EffectiveDates {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl EffectiveDates {
    pub(super) fn read<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Self {
        let (from, until) = (section.time(reader, "from"), section.time(reader, "until"));
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            let hint = "the entry is in force from `from` on, and ends right before `until`";
            reader.tell(section.place("until"), "invalid_value", "until must come after from", hint);
        }
        Self { from, until }
    }

    /// Whether there is a time at which the entry is not in force.
    pub(super) fn are_set(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    /// Whether `at` lies in them, their end excluded.
    pub(crate) fn include(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

//! Effective dates: from when until when an entry of the ruleset is in force, held against the event's time and no clock.

use super::{
    condition::{Compared, Weighed},
    reading::{Reader, Section},
};
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

    /// Whether `at` lies in them, as an explanation has it; nothing where there are none.
    pub(super) fn weigh(&self, at: Timestamp) -> Option<Weighed> {
        let bound = |sign: &str, time: Timestamp| format!("event_time {sign} timestamp(\"{time}\")");
        let bounds = [self.from.map(|from| bound(">=", from)), self.until.map(|until| bound("<", until))];
        let when = bounds.into_iter().flatten().collect::<Vec<_>>().join(" && ");
        let values = || vec![Compared { field: "event_time".to_owned(), is: at.to_string(), is_free: false }];
        (!when.is_empty()).then(|| Weighed::said(when, self.include(at), values()))
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

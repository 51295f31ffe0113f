//! Business calendars: what is working time, and where a length of working time ends. Arithmetic on the record's own times;
//! how a calendar is written is in `reading`, what a zone's wall clocks show in `zone`.

mod reading;
#[cfg(test)]
mod tests;
mod zone;

pub(super) use reading::Calendars;

use std::ops::Range;

use crate::lead::Timestamp;
use zone::Zone;

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// `[calendar.NAME]`: an instant is working time if the zone's wall clocks then show one of the weekday's hours, on no holiday.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: Zone,
    /// From Monday on; microseconds of the day, ascending, none overlapping.
    hours: [Vec<Range<i64>>; 7],
    /// Days since 1970-01-01, ascending.
    holidays: Vec<i64>,
}

impl Calendar {
    /// Working time of a week without holidays.
    pub(super) fn weekly(&self) -> i64 {
        self.hours.iter().flatten().map(|hours| hours.end - hours.start).sum()
    }

    /// The instant at which `length` microseconds of working time have passed since `start`; where they end with a working
    /// day, its end, not the next one's beginning.
    ///
    /// Ends: each week has working time (a calendar without is refused), holidays are few, and `length` is bounded by the
    /// weeks it may take (`clock`).
    pub(crate) fn after(&self, start: Timestamp, length: i64) -> Timestamp {
        let mut left = length;
        let mut at = start.micros();
        loop {
            // As long as the zone's offset stays, its wall clocks run evenly.
            let (offset, until) = self.zone.offset_at(at);
            let (mut local, local_until) = (at + offset, until.saturating_add(offset));
            while local < local_until {
                let midnight = local.div_euclid(DAY) * DAY;
                for hours in self.hours_of(local.div_euclid(DAY)) {
                    let from = local.max(midnight + hours.start);
                    let worked = local_until.min(midnight + hours.end) - from;
                    if worked >= left {
                        return Timestamp::from_micros(from + left - offset);
                    }
                    left -= worked.max(0);
                }
                local = midnight + DAY;
            }
            at = until;
        }
    }

    /// The hours of a day, counted from 1970-01-01, a Thursday.
    fn hours_of(&self, day: i64) -> &[Range<i64>] {
        if self.holidays.binary_search(&day).is_ok() {
            return &[];
        }
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
        self.hours.get(weekday).map_or(&[], Vec::as_slice)
    }
}

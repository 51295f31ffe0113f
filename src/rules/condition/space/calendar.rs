//! What times and their parts (year, month, hour) leave of each other: between two times there are only so many dates, and no
//! February has thirty days. Tries the days that come into question; where those are too many, all seem possible.

use jiff::tz::TimeZone;

use super::{
    super::{
        times,
        tree::{Node, TimePart},
    },
    Space,
    search::Left,
    set::Set,
    values::Known,
    variables::{Of, Variable},
};
use crate::lead::Timestamp;

/// Parts of one time in one zone.
#[derive(Debug)]
pub(super) struct Calendar<'r> {
    /// The variable of the time itself.
    time: Option<usize>,
    zone: Option<&'r TimeZone>,
    of: &'static str,
    /// Each with its variable.
    parts: Vec<(TimePart, usize)>,
}

/// Times from one to another, both among them, in microseconds.
type Span = (i64, i64);

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// No clock is further from UTC.
const FARTHEST: i64 = 26 * HOUR;
/// Longer spans have every date of the year.
const LONGEST: i64 = 800 * DAY;
/// And longer ones than this every hour.
const LONGEST_OF_HOURS: i64 = 50 * HOUR;
/// After so many years days of the week come on the same dates again, leap years and all.
const YEARS: [i32; 2] = [2001, 2029];

/// The calendars of these variables.
pub(super) fn of<'r>(variables: &[Variable<'r>]) -> Vec<Calendar<'r>> {
    let mut found: Vec<Calendar<'r>> = Vec::new();
    for (at, variable) in variables.iter().enumerate() {
        let Of::Term(Node::Part(part, of, zone)) = variable.of else { continue };
        let Node::Field(field) = &**of else { continue };
        let same = |other: &Calendar<'_>| other.zone == zone.as_ref() && other.of == field.path;
        if let Some(calendar) = found.iter_mut().find(|other| same(other)) {
            calendar.parts.push((*part, at));
        } else {
            let is_it = |other: &Variable<'_>| matches!(other.of, Of::Term(Node::Field(known)) if known.path == field.path);
            found.push(Calendar { time: variables.iter().position(is_it), zone: zone.as_ref(), of: field.path, parts: vec![(*part, at)] });
        }
    }
    found
}

impl Space<'_> {
    /// Whether there is a day for each time whose parts are asked for.
    pub(super) fn has_days(&self, left: &Left) -> bool {
        self.calendars.iter().all(|calendar| self.has_a_day(calendar, left))
    }

    fn has_a_day(&self, calendar: &Calendar<'_>, left: &Left) -> bool {
        let asked = calendar.parts.iter().filter_map(|(part, at)| Some((*part, self.variables.get(*at)?, left.rows.get(at)?)));
        // A time that is missing has no parts, and is not tried.
        let is_there = |variable: &Variable<'_>, row| variable.value(row, 0).is_some_and(Known::is_there);
        let mut asked: Vec<(TimePart, &Variable<'_>, &Set)> =
            asked.filter(|(_, variable, rows)| !rows.is_all() && rows.iter().all(|row| is_there(variable, row))).collect();
        if asked.is_empty() {
            return true;
        }
        let stated = calendar.time.and_then(|at| Some(span_of(self.variables.get(at)?, left.rows.get(&at)?)));
        let mut span = stated.unwrap_or((i64::MIN, i64::MAX));
        for (_, variable, rows) in asked.iter().filter(|(part, ..)| *part == TimePart::FullYear) {
            let (from, to) = span_of(variable, rows);
            let year = |year: i64| new_year(i32::try_from(year.clamp(1, 9998)).unwrap_or(1));
            if from > 1 {
                span.0 = span.0.max(year(from) - FARTHEST);
            }
            if to < 9998 {
                span.1 = span.1.min(year(to + 1) + FARTHEST);
            }
        }
        if span.0 > span.1 {
            return false;
        }
        let length = span.1.saturating_sub(span.0);
        let is_of_dates = |part: TimePart| {
            matches!(part, TimePart::Month | TimePart::Date | TimePart::DayOfMonth | TimePart::DayOfWeek | TimePart::DayOfYear)
        };
        let (step, zone) = if length <= LONGEST {
            asked.retain(|(part, ..)| {
                is_of_dates(*part) || *part == TimePart::FullYear || *part == TimePart::Hours && length <= LONGEST_OF_HOURS
            });
            // Every hour has a quarter, and every day a half, in this span or at its ends.
            (if length <= LONGEST_OF_HOURS { HOUR / 4 } else { DAY / 2 }, calendar.zone)
        } else {
            asked.retain(|(part, ..)| is_of_dates(*part));
            if asked.len() < 2 {
                return true;
            }
            let [from, to] = YEARS.map(new_year);
            span = (from, to - HOUR);
            (DAY, None)
        };
        if asked.is_empty() {
            return true;
        }
        let count = span.1.saturating_sub(span.0) / step;
        let mut instants = (0..=count).map(|at| span.0 + at * step).chain([span.1]);
        instants.any(|micros| {
            self.spend(2 * asked.len());
            asked.iter().all(|(part, variable, rows)| {
                let value = times::part_of_time(*part, Timestamp::from_micros(micros), zone);
                value.is_none_or(|value| variable.row_with(&Known::Int(value)).is_none_or(|row| rows.contains(row)))
            })
        })
    }
}

/// From where to where the numbers lie that these rows stand for: each for all up to its neighbours.
fn span_of(variable: &Variable<'_>, rows: &Set) -> Span {
    let rank = |row: usize| variable.value(row, 0).and_then(Known::rank);
    let ranked = || rows.iter().filter(|row| rank(*row).is_some());
    let least = ranked().map(|row| row.checked_sub(1).and_then(rank).map_or(i64::MIN, |below| below.saturating_add(1))).min();
    let most = ranked().map(|row| rank(row + 1).map_or(i64::MAX, |above| above.saturating_sub(1))).max();
    (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
}

/// When the year begins, in UTC.
fn new_year(year: i32) -> i64 {
    Timestamp::parse(&format!("{year:04}-01-01T00:00:00Z")).map_or(0, Timestamp::micros)
}

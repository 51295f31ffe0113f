//! A time as a record tells it of itself to an instant (readings Q16, Q33): RFC 3339 and its looser forms, the American dates of
//! the Azure table and its partition keys (facts.md §1.2), .NET ticks and epochs. Without a zone it is UTC.

use std::borrow::Cow;

use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use crate::lead::Timestamp;

/// .NET ticks (100 ns since 0001-01-01) of 1970-01-01.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// Storefronts did not send leads before; earlier times stand for "none" (.NET's `MinValue` above all).
const FIRST_YEAR: i16 = 2000;

/// The instant, if the text tells one a lead can have.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let instant = if is_key(text) {
        american(text)?
    } else {
        let standard = Timestamp::parse(text).or_else(|| text.parse::<DateTime>().ok().and_then(utc));
        standard.or_else(|| number(text)).or_else(|| american(text))?
    };
    let first = utc(Date::new(FIRST_YEAR, 1, 1).ok()?.to_datetime(Time::midnight()))?;
    (instant >= first).then_some(instant)
}

/// Whether a slash is written as in the table's keys: nothing else has a time so, and to find that out is dear.
fn is_key(text: &str) -> bool {
    let has = |mark: &[u8]| text.as_bytes().windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark));
    has(b":2f") || has(b"%2f")
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    let instant = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

/// Ticks, milliseconds or seconds, told apart by their length; also in `OData`'s `/Date(…)/`.
fn number(text: &str) -> Option<Timestamp> {
    let digits = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")).unwrap_or(text);
    let value: i64 = digits.parse().ok()?;
    match digits.len() {
        18 => Some(Timestamp::from_micros((value - EPOCH_TICKS) / 10)),
        13 => Some(Timestamp::from_millis(value)),
        10 => Some(Timestamp::from_millis(value * 1000)),
        _ => None,
    }
}

/// `9/28/2018`, with or without `6:24:18 PM` or `18:24`, its slashes also as the table's keys write them, `9:2F28:2F2018`.
fn american(text: &str) -> Option<Timestamp> {
    let plain = if is_key(text) { Cow::Owned(with_slashes(text)) } else { Cow::Borrowed(text) };
    let (date, time) = plain.split_once([' ', 'T', ',']).unwrap_or((&plain, ""));
    let mut parts = date.split('/').map(|part| part.parse::<i16>().ok());
    let (first, second, year) = (parts.next()??, parts.next()??, parts.next()??);
    // Month first, as the table has it, unless it cannot be one.
    let (month, day) = if first > 12 { (second, first) } else { (first, second) };
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    utc(date.to_datetime(clock(time.trim())?))
}

fn with_slashes(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut rest = key;
    while let Some(next) = rest.chars().next() {
        let slash = [":2F", ":2f", "%2F", "%2f"].iter().find_map(|slash| rest.strip_prefix(slash));
        text.push(if slash.is_some() { '/' } else { next });
        rest = slash.unwrap_or_else(|| rest.get(next.len_utf8()..).unwrap_or_default());
    }
    text
}

/// `18:24:18`, `6:24 PM`; nothing is midnight.
fn clock(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::midnight());
    }
    let upper = text.to_ascii_uppercase();
    let (time, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(time), _) => (time, Some(0)),
        (_, Some(time)) => (time, Some(12)),
        _ => (upper.strip_suffix('Z').unwrap_or(&upper), None),
    };
    let mut parts = time.trim().split(':').map(|part| part.parse::<i8>().ok());
    let hour = parts.next()??;
    let minute = parts.next().map_or(Some(0), |part| part)?;
    let second = parts.next().map_or(Some(0), |part| part)?;
    let hour = half.map_or(Some(hour), |half| (1..=12).contains(&hour).then_some(hour % 12 + half))?;
    Time::new(hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_however_it_is_written() {
        for (written, wanted) in [
            ("2026-03-01T10:00:00.4579542Z", "2026-03-01T10:00:00.457954Z"),
            ("2026-03-01T10:00:05.123Z", "2026-03-01T10:00:05.123000Z"),
            ("2018-02-17T00:05:39.5485487+00:00", "2018-02-17T00:05:39.548548Z"),
            ("2026-03-01T12:00:00+0200", "2026-03-01T10:00:00.000000Z"),
            ("2026-03-01T10:00:00.000+0000", "2026-03-01T10:00:00.000000Z"),
            ("2018-02-07T23:43:19", "2018-02-07T23:43:19.000000Z"),
            ("2018-02-07 23:43:19", "2018-02-07T23:43:19.000000Z"),
            ("2018-02-07", "2018-02-07T00:00:00.000000Z"),
            ("9:2F28:2F2018", "2018-09-28T00:00:00.000000Z"),
            ("9/28/2018 6:24:18 PM", "2018-09-28T18:24:18.000000Z"),
            ("9/28/2018 12:05 AM", "2018-09-28T00:05:00.000000Z"),
            ("28/9/2018 18:24", "2018-09-28T18:24:00.000000Z"),
            ("636737558587117715", "2018-09-28T18:24:18.711771Z"),
            ("1538159058711", "2018-09-28T18:24:18.711000Z"),
            ("1538159058", "2018-09-28T18:24:18.000000Z"),
            ("/Date(1538159058711)/", "2018-09-28T18:24:18.711000Z"),
        ] {
            assert_eq!(parse(written).map(|time| time.to_string()).as_deref(), Some(wanted), "{written}");
        }
    }

    #[test]
    fn what_tells_no_time_is_none() {
        for written in [
            "",
            "soon",
            "0001-01-01T00:00:00Z",
            "1601-01-01",
            "13/13/2018",
            "9/28/18",
            "9/28",
            "9/28/2018 25:00",
            "9/28/2018 0:10 PM",
            "12345",
        ] {
            assert_eq!(parse(written), None, "{written}");
        }
        assert_eq!(parse(&"9".repeat(5000)), None);
    }
}

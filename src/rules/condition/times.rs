//! Times and durations: how a condition writes them, which zones there are, and the parts that can be asked for. Zones are those
//! of the tz database that is compiled in, so a decision never hangs on the machine.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::tree::TimePart;
use crate::{lead::Timestamp, rules::suggest};

/// Every part with its function, and the values it can have in a time.
pub(super) const PARTS: [(&str, TimePart, (i64, i64)); 10] = [
    ("getFullYear", TimePart::FullYear, (1, 9999)),
    ("getMonth", TimePart::Month, (0, 11)),
    ("getDate", TimePart::Date, (1, 31)),
    ("getDayOfMonth", TimePart::DayOfMonth, (0, 30)),
    ("getDayOfWeek", TimePart::DayOfWeek, (0, 6)),
    ("getDayOfYear", TimePart::DayOfYear, (0, 365)),
    ("getHours", TimePart::Hours, (0, 23)),
    ("getMinutes", TimePart::Minutes, (0, 59)),
    ("getSeconds", TimePart::Seconds, (0, 59)),
    ("getMilliseconds", TimePart::Milliseconds, (0, 999)),
];

/// The function that asks for this part.
pub(super) fn shown(part: TimePart) -> &'static str {
    match part {
        TimePart::FullYear => "getFullYear()",
        TimePart::Month => "getMonth()",
        TimePart::Date => "getDate()",
        TimePart::DayOfMonth => "getDayOfMonth()",
        TimePart::DayOfWeek => "getDayOfWeek()",
        TimePart::DayOfYear => "getDayOfYear()",
        TimePart::Hours => "getHours()",
        TimePart::Minutes => "getMinutes()",
        TimePart::Seconds => "getSeconds()",
        TimePart::Milliseconds => "getMilliseconds()",
    }
}

/// Whether a duration has this part: the whole of it in that unit.
pub(super) fn of_duration(part: TimePart) -> bool {
    unit(part).is_some()
}

/// Microseconds of a unit that all durations can be counted in.
fn unit(part: TimePart) -> Option<i64> {
    match part {
        TimePart::Hours => Some(3_600_000_000),
        TimePart::Minutes => Some(60_000_000),
        TimePart::Seconds => Some(1_000_000),
        TimePart::Milliseconds => Some(1_000),
        _ => None,
    }
}

/// A part of a time, as a clock and a calendar in the zone show it.
pub(super) fn part_of_time(part: TimePart, time: Timestamp, zone: Option<&TimeZone>) -> Option<i64> {
    let at = jiff::Timestamp::from_microsecond(time.micros()).ok()?;
    let shown = match zone {
        Some(zone) => zone.to_datetime(at),
        None => Offset::UTC.to_datetime(at),
    };
    Some(match part {
        TimePart::FullYear => i64::from(shown.year()),
        TimePart::Month => i64::from(shown.month()) - 1,
        TimePart::Date => i64::from(shown.day()),
        TimePart::DayOfMonth => i64::from(shown.day()) - 1,
        TimePart::DayOfWeek => i64::from(shown.weekday().to_sunday_zero_offset()),
        TimePart::DayOfYear => i64::from(shown.day_of_year()) - 1,
        TimePart::Hours => i64::from(shown.hour()),
        TimePart::Minutes => i64::from(shown.minute()),
        TimePart::Seconds => i64::from(shown.second()),
        TimePart::Milliseconds => i64::from(shown.millisecond()),
    })
}

/// All of a duration in the unit of the part, towards zero.
pub(super) fn part_of_duration(part: TimePart, micros: i64) -> Option<i64> {
    unit(part).map(|unit| micros / unit)
}

/// A point in time as written, if it is one, and has no more decimals than leadstream keeps.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    (at.subsec_nanosecond() % 1_000 == 0).then(|| Timestamp::parse(text)).flatten()
}

/// A duration as CEL writes it (`1h30m`, `-1.5s`), in microseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: i128 = 0;
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        // "ms" begins with "m".
        let units: [(&str, i128); 6] =
            [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];
        let (unit, nanos_of_unit) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        if whole.is_empty() && fraction.is_empty() || whole.len() > 18 || fraction.len() > 9 {
            return None;
        }
        let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
        let parts = nanos_of_unit * number(fraction)?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        if parts % scale != 0 {
            return None;
        }
        nanos += nanos_of_unit * number(whole)? + parts / scale;
        rest = after.strip_prefix(unit)?;
        if rest.is_empty() {
            break;
        }
    }
    // CEL's durations are whole nanoseconds in 64 bits, ours whole microseconds.
    let nanos = i64::try_from(sign * nanos).ok()?;
    (nanos % 1_000 == 0).then_some(nanos / 1_000)
}

/// The zone of this name, or of this offset from UTC.
///
/// # Errors
/// What to write instead.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    let database = TimeZoneDatabase::bundled();
    match database.get(name) {
        Ok(zone) if zone.iana_name() == Some(name) => Ok(zone),
        found => {
            let proper = found.ok().and_then(|zone| zone.iana_name().map(str::to_owned));
            let known: Vec<String> = database.available().map(|name| name.to_string()).collect();
            let near = proper.or_else(|| {
                // A city alone finds its zone.
                let city = known.iter().find(|known| known.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(name)));
                city.cloned().or_else(|| suggest::nearest(name, known.iter().map(String::as_str)).map(str::to_owned))
            });
            Err(near.map_or_else(
                || "write a name of the tz database, such as \"Europe/Berlin\", or an offset, such as \"+02:00\"".to_owned(),
                |near| format!("did you mean {near:?}?"),
            ))
        }
    }
}

/// `+02:00`, `-08:00`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |digits: &str, below: i32| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|number| two && *number < below)
    };
    Offset::from_seconds(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_cel_writes_them() {
        for (text, micros) in [
            ("0", 0),
            ("24h", 86_400_000_000),
            ("1h30m", 5_400_000_000),
            ("1.5h", 5_400_000_000),
            ("-90s", -90_000_000),
            ("1m2s3ms4us", 62_003_004),
            ("3000ns", 3),
            (".5s", 500_000),
        ] {
            assert_eq!(duration(text), Some(micros), "{text}");
        }
        for text in [
            "",
            "-",
            "24",
            "1d",
            "1 h",
            "h",
            "1h ",
            "+1h",
            "1ns",
            "0.0000001s",
            "1e3s",
            "--1s",
            "300y",
            "99999999999999999999h",
            "3000000h",
            "ä",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn zones_have_their_proper_name_or_an_offset() {
        for name in ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "+02:00", "-08:00", "+05:30"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for (name, hint) in [
            ("Europe/Berln", "did you mean \"Europe/Berlin\"?"),
            ("europe/berlin", "did you mean \"Europe/Berlin\"?"),
            ("Berlin", "did you mean \"Europe/Berlin\"?"),
            ("+2", "write a name of the tz database, such as \"Europe/Berlin\", or an offset, such as \"+02:00\""),
        ] {
            assert_eq!(zone(name).err().as_deref(), Some(hint), "{name}");
        }
        for text in ["+24:00", "+01:60", "+1:00", "01:00", "+01:00 ", "", "+ä1:00"] {
            assert!(offset(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_time_finer_than_a_microsecond_is_none() {
        assert!(time("2026-01-31T00:00:00.123456Z").is_some() && time("2026-01-31T00:00:00+02:00").is_some());
        assert!(time("2026-01-31T00:00:00.1234567Z").is_none() && time("2026-01-31").is_none());
    }

    #[test]
    fn parts_stay_within_what_is_said_of_them() {
        let zones = ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns"].map(|name| zone(name).expect(name));
        for micros in (-2_208_988_800_000_000..4_102_444_800_000_000).step_by(9_876_543_210_123) {
            for zone in &zones {
                for (name, part, (least, most)) in PARTS {
                    let shown = part_of_time(part, Timestamp::from_micros(micros), Some(zone)).expect("a part");
                    assert!((least..=most).contains(&shown), "{name} {micros}: {shown}");
                }
            }
        }
    }
}

//! What a time zone's wall clocks show: the offset from UTC at any instant, as a table made when the rules are loaded. The zones
//! are those this program brings along, not the system's: the same program decides alike on any machine.

use jiff::tz::TimeZoneDatabase;

/// Offsets are looked up in advance for these years (seconds since 1970); outside them the nearest one stays.
const FROM: i64 = 0;
/// 2200-01-01T00:00:00Z.
const UNTIL: i64 = 7_258_118_400;

/// One zone.
#[derive(Debug)]
pub(super) struct Zone {
    /// From when each offset holds, both in microseconds; ascending, the first since ever.
    offsets: Vec<(i64, i64)>,
}

impl Zone {
    /// The zone of this name in the IANA database.
    pub(super) fn named(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())?;
        let first = jiff::Timestamp::from_second(FROM).ok()?;
        let micros = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1_000_000;
        let mut offsets = vec![(i64::MIN, micros(zone.to_offset(first)))];
        for change in zone.following(first).take_while(|change| change.timestamp().as_second() < UNTIL) {
            let offset = micros(change.offset());
            if offsets.last().is_none_or(|(_, last)| *last != offset) {
                offsets.push((change.timestamp().as_microsecond(), offset));
            }
        }
        Some(Self { offsets })
    }

    /// All names there are.
    pub(super) fn names() -> Vec<String> {
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
    }

    /// The offset at an instant, and until when it holds.
    pub(super) fn offset_at(&self, at: i64) -> (i64, i64) {
        let next = self.offsets.partition_point(|(from, _)| *from <= at);
        let offset = next.checked_sub(1).and_then(|held| self.offsets.get(held)).map_or(0, |(_, offset)| *offset);
        (offset, self.offsets.get(next).map_or(i64::MAX, |(from, _)| *from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::Timestamp;

    #[test]
    fn offsets_are_those_of_the_zone_database_at_every_hour() {
        for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "UTC"]
        {
            let zone = Zone::named(name).expect(name);
            let known = TimeZoneDatabase::bundled().get(name).expect(name);
            for at in (0..40 * 8766_i64).map(|hour| 946_684_800 + hour * 3600) {
                let wanted = known.to_offset(jiff::Timestamp::from_second(at).expect("a time"));
                assert_eq!(zone.offset_at(at * 1_000_000).0, i64::from(wanted.seconds()) * 1_000_000, "{name} {at}");
            }
        }
    }

    #[test]
    fn an_offset_holds_until_the_next_begins() {
        let zone = Zone::named("europe/berlin").expect("a zone, in any case");
        let change = Timestamp::parse("2026-10-25T01:00:00Z").expect("a time").micros();
        assert_eq!(zone.offset_at(change - 1), (7_200_000_000, change));
        assert_eq!(zone.offset_at(change).0, 3_600_000_000);
        assert_eq!(zone.offset_at(i64::MIN).0, 3_600_000_000);
        assert_eq!(zone.offset_at(i64::MAX).1, i64::MAX);
    }

    #[test]
    fn what_names_no_zone_is_none() {
        for name in ["", "Europe", "Europe/Berln", "CET+1", "Etc/Unknown", "../etc/passwd", "+02:00"] {
            assert!(Zone::named(name).is_none(), "{name}");
        }
        assert!(Zone::names().iter().any(|name| name == "Asia/Tokyo"));
    }
}

//! `[calendar.NAME]` as it is written: zone, hours of each weekday, holidays. Every problem at its place; counting is elsewhere.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use toml::de::{DeTable, DeValue};

use super::{Calendar, HOUR, zone::Zone};
use crate::rules::{
    classification::table,
    keys,
    reading::{Reader, Section, Written},
};

/// A day that is cut into more pieces is a slip; and each is looked at for each lead.
const MOST_PIECES: usize = 12;
/// One for each country would do; each brings the table of its zone along.
const MOST_CALENDARS: usize = 300;
/// Thirty holidays a year for thirty years.
const MOST_HOLIDAYS: usize = 1000;

/// The calendars by name; nothing for one that has a fault of its own.
pub(in crate::rules) struct Calendars(BTreeMap<String, Option<Arc<Calendar>>>);

impl Calendars {
    pub(in crate::rules) fn read<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Self {
        let mut calendars = BTreeMap::new();
        let all = table(reader, root, "calendar");
        if let Some((name, _)) = all.and_then(|all| all.iter().nth(MOST_CALENDARS)) {
            let message = format!("a ruleset has at most {MOST_CALENDARS} calendars");
            reader.tell(name.span().start, "invalid_value", message, "let clocks share those that have the same hours");
        }
        for (name, value) in all.into_iter().flatten().take(MOST_CALENDARS) {
            let section = reader.section(format!("calendar.{}", name.get_ref()), value, keys::CALENDAR);
            let calendar = section.and_then(|section| calendar(reader, &section));
            calendars.insert(name.get_ref().to_string(), calendar.map(Arc::new));
        }
        Self(calendars)
    }

    /// The calendar that a section names.
    pub(in crate::rules) fn named<'a>(&self, reader: &mut Reader<'a>, section: &Section<'a>) -> Option<Arc<Calendar>> {
        let name = section.name(reader, "calendar")?;
        if let Some(calendar) = self.0.get(name) {
            return calendar.clone();
        }
        reader.no_such("calendar", (name, section.place("calendar")), &section.name, self.0.keys());
        None
    }

    #[cfg(test)]
    pub(super) fn only(self) -> Option<Arc<Calendar>> {
        self.0.into_values().next().flatten()
    }
}

fn calendar<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<Calendar> {
    let zone = section.required(reader, "zone", "\"Europe/Berlin\"").and_then(|value| zone(reader, value));
    let told = reader.told();
    let hours = section.required(reader, "hours", "{ monday = \"09:00-17:00\" }").and_then(|value| {
        let section = reader.section(format!("{}.hours", section.name), value, keys::HOURS)?;
        let days = keys::HOURS.iter().map(|day| day.name);
        let hours: Vec<_> = days.map(|day| section.get(day).map_or_else(Vec::new, |value| hours_of(reader, value, day))).collect();
        <[_; 7]>::try_from(hours).ok().map(|hours| (section.start, hours))
    });
    // Of hours with a fault nobody knows what was meant.
    let hours = hours.filter(|_| reader.told() == told);
    let holidays = section.get("holidays").map(|value| holidays(reader, value)).unwrap_or_default();
    let (start, hours) = hours?;
    let calendar = Calendar { zone: zone?, hours, holidays };
    if calendar.weekly() == 0 {
        let hint = "write for example hours = { monday = \"09:00-17:00\" }; a clock must have time to run";
        reader.tell(start, "invalid_value", format!("{} has no working time", section.name), hint);
        return None;
    }
    Some(calendar)
}

fn zone<'a>(reader: &mut Reader<'a>, value: Written<'a>) -> Option<Zone> {
    let name = reader.text_of(value, "zone")?;
    let zone = Zone::named(name);
    if zone.is_none() {
        let names = Zone::names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = crate::rules::suggest::nearest(name, known);
        let hint = near.map_or_else(
            || "write a name of the IANA database, such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
            |near| format!("did you mean {near:?}?"),
        );
        reader.tell(value.span().start, "unknown_name", format!("there is no time zone {name:?}"), hint);
    }
    zone
}

/// `"09:00-17:00"`, or a list of such.
fn hours_of<'a>(reader: &mut Reader<'a>, value: Written<'a>, day: &str) -> Vec<Range<i64>> {
    let single = std::slice::from_ref(value);
    let pieces = match value.get_ref() {
        DeValue::Array(list) => list,
        _ => single,
    };
    let mut hours: Vec<Range<i64>> = Vec::new();
    for piece in pieces {
        let hint = "write it like \"09:00-17:00\"; a day ends at 24:00, and what goes on after midnight stands at the next day";
        let Some(text) = reader.text_of(piece, day) else { continue };
        match range(text) {
            Some(range) if hours.last().is_none_or(|last| last.end <= range.start) => hours.push(range),
            Some(_) => {
                let message = format!("{text:?} begins before the hours that stand before it end");
                reader.tell(piece.span().start, "invalid_value", message, "write the hours of a day in their order");
            }
            None => reader.tell(piece.span().start, "invalid_value", format!("{text:?} is no span of hours"), hint),
        }
    }
    if hours.len() > MOST_PIECES {
        let message = format!("{day} is cut into more than {MOST_PIECES} pieces");
        reader.tell(value.span().start, "invalid_value", message, "take pieces together");
    }
    hours
}

fn range(text: &str) -> Option<Range<i64>> {
    let (from, until) = text.split_once('-')?;
    let range = time_of_day(from.trim())?..time_of_day(until.trim())?;
    (range.start < range.end).then_some(range)
}

/// `09:00`, up to `24:00`.
fn time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number =
        |digits: &str| (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse::<i64>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * HOUR + minutes * HOUR / 60)
}

fn holidays<'a>(reader: &mut Reader<'a>, value: Written<'a>) -> Vec<i64> {
    let list = reader.list_of(value, "holidays").unwrap_or_default();
    if list.len() > MOST_HOLIDAYS {
        let message = format!("a calendar has at most {MOST_HOLIDAYS} holidays");
        reader.tell(value.span().start, "invalid_value", message, "leave out those that are long past");
        return Vec::new();
    }
    let mut days = Vec::new();
    for value in list {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            _ => {
                reader.wrong_type(value, "a holiday", "a date", "write it like \"2026-12-25\"");
                continue;
            }
        };
        let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2026-12-25".len());
        let midnight = date.and_then(|date| jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok());
        match midnight {
            Some(midnight) => days.push(midnight.as_second().div_euclid(86_400)),
            None => reader.tell(value.span().start, "invalid_value", format!("{text:?} is no date"), "write it like \"2026-12-25\""),
        }
    }
    days.sort_unstable();
    days
}

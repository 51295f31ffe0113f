//! Clocks: by when something is due. The lengths of time and the calendar they are counted by; from when they run is decided in
//! `pipeline::route`.

use std::{collections::BTreeMap, sync::Arc};

use toml::de::DeTable;

use super::{
    calendar::{Calendar, Calendars},
    classification::table,
    condition::shown_duration,
    dates::EffectiveDates,
    keys,
    reading::{Reader, Section},
};
use crate::lead::Timestamp;

/// The clock of a route that names none, where the ruleset has one of this name.
const DEFAULT_CLOCK: &str = "default";
/// Weeks of a calendar a clock may take: what is due later is not due, and each day of them is counted for each lead.
const MOST_WEEKS: i64 = 104;

/// `[clock.NAME]`, in microseconds.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) name: String,
    pub(crate) first_touch: Option<i64>,
    pub(crate) accept: Option<i64>,
    pub(crate) hot: Option<i64>,
    pub(crate) late_first_touch: Option<i64>,
    calendar: Option<(String, Arc<Calendar>)>,
    dates: EffectiveDates,
}

impl Clock {
    /// When so much time has passed since `start`; working time, where the clock has a calendar.
    pub(crate) fn after(&self, start: Timestamp, micros: i64) -> Timestamp {
        self.calendar.as_ref().map_or_else(|| start.plus_micros(micros), |(_, calendar)| calendar.after(start, micros))
    }

    /// How so much time is counted, for people.
    pub(crate) fn counted(&self, micros: i64) -> String {
        let length = shown_duration(micros);
        match &self.calendar {
            Some((calendar, _)) => format!("{length} of working time by calendar {calendar}, clock {}", self.name),
            None => format!("{length} by clock {}", self.name),
        }
    }
}

/// The clock a route names, and the default one for when that is not in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteClock {
    named: Option<Arc<Clock>>,
    default: Option<Arc<Clock>>,
}

impl RouteClock {
    /// The one that is named, else the default one.
    pub(super) fn first(&self) -> Option<&Clock> {
        self.named.as_deref().or(self.default.as_deref())
    }

    /// The clock for an event of that time, if there is one.
    pub(crate) fn at(&self, event_time: Timestamp) -> Option<&Clock> {
        [&self.named, &self.default].into_iter().flatten().map(|clock| &**clock).find(|clock| clock.dates.include(event_time))
    }
}

impl RouteClock {
    /// Whether both are the same clocks of one ruleset.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |one: &Option<Arc<Clock>>, other: &Option<Arc<Clock>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same(&self.named, &other.named) && same(&self.default, &other.default)
    }
}

/// The clocks by name.
pub(super) struct Clocks(BTreeMap<String, Arc<Clock>>);

impl Clocks {
    pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Self {
        let calendars = Calendars::read(reader, root);
        let mut clocks = BTreeMap::new();
        for (name, value) in table(reader, root, "clock").into_iter().flatten() {
            let Some(section) = reader.section(format!("clock.{}", name.get_ref()), value, keys::CLOCK) else { continue };
            let calendar = calendars.named(reader, &section);
            let mut length = |key| length(reader, &section, key, calendar.as_deref());
            let clock = Clock {
                name: name.get_ref().to_string(),
                first_touch: length("first_touch"),
                accept: length("accept"),
                hot: length("hot"),
                late_first_touch: length("late_first_touch"),
                calendar: None,
                dates: EffectiveDates::read(reader, &section),
            };
            let named = section.get("calendar").and_then(|value| value.get_ref().as_str()).unwrap_or_default().to_owned();
            let calendar = calendar.map(|calendar| (named, calendar));
            clocks.insert(clock.name.clone(), Arc::new(Clock { calendar, ..clock }));
        }
        Self(clocks)
    }

    /// The clock of this name (written at that byte), before the default one.
    pub(super) fn get(&self, reader: &mut Reader<'_>, named: Option<(&str, usize)>, by: &str) -> RouteClock {
        let clock = named.and_then(|(name, _)| self.0.get(name));
        if let (None, Some(named)) = (clock, named) {
            reader.no_such("clock", named, by, self.0.keys());
        }
        RouteClock { named: clock.cloned(), default: self.0.get(DEFAULT_CLOCK).cloned() }
    }
}

fn length<'a>(reader: &mut Reader<'a>, section: &Section<'a>, key: &str, calendar: Option<&Calendar>) -> Option<i64> {
    let micros = section.duration(reader, key)?;
    if calendar.is_some_and(|calendar| micros > calendar.weekly().saturating_mul(MOST_WEEKS)) {
        let message = format!("{key} takes more than {MOST_WEEKS} weeks of the calendar's working time");
        let hint = "only working time counts: \"8h\" is one day of eight hours, and \"1d\" is three";
        reader.tell(section.place(key), "invalid_value", message, hint);
    }
    Some(micros)
}

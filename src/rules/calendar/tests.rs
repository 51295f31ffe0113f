//! Working time against an oracle that looks at every minute, and against days that a person can count.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::*;
use crate::rules::Ruleset;

/// The calendar of a ruleset that has but this one.
fn calendar(body: &str) -> std::sync::Arc<Calendar> {
    let (problems, calendar) = read(body);
    assert_eq!(problems, [""; 0], "{body}");
    calendar.expect("a calendar")
}

/// What is wrong with `[calendar.c]` and this below it, lines counted from the first of it.
fn problems(body: &str) -> Vec<String> {
    read(body).0
}

fn read(body: &str) -> (Vec<String>, Option<std::sync::Arc<Calendar>>) {
    let text = format!("[ruleset]\nname = 'a'\nversion = '1'\n[clock.default]\ncalendar = 'c'\nhot = '8h'\n[calendar.c]\n{body}");
    match Ruleset::parse(&text) {
        Ok(_) => {
            let files = [crate::rules::RulesetFile { name: String::new(), text }];
            let texts = crate::rules::files::Texts::new(&files);
            let mut reader = crate::rules::reading::Reader::new(&texts);
            let merged = crate::rules::merge::merge(&mut reader, &texts).expect("TOML");
            let calendars = Calendars::read(&mut crate::rules::reading::Reader::new(&texts), &merged.root);
            (Vec::new(), calendars.only())
        }
        Err(found) => {
            let told = found.iter().map(|problem| format!("{}:{} {}", problem.line.cast_signed() - 7, problem.column, problem.message));
            (told.collect(), None)
        }
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

const OFFICE: &str = "zone = 'Europe/Berlin'\nhours = { monday = '09:00-17:00', tuesday = '09:00-17:00', wednesday = '09:00-17:00', \
                      thursday = '09:00-17:00', friday = ['09:00-12:00', '13:00-15:00'] }\nholidays = ['2026-12-25', 2026-12-28]\n";

#[test]
fn working_time_is_counted_as_a_person_counts() {
    let office = calendar(OFFICE);
    for (why, start, hours, due) in [
        ("within a day", "2026-11-02T09:00:00Z", 2, "2026-11-02T11:00:00Z"),
        ("up to the end of a day", "2026-11-02T09:00:00Z", 7, "2026-11-02T16:00:00Z"),
        ("into the next day", "2026-11-02T15:00:00Z", 2, "2026-11-03T09:00:00Z"),
        ("from before the hours", "2026-11-02T01:00:00Z", 1, "2026-11-02T09:00:00Z"),
        ("from after the hours", "2026-11-02T20:00:00Z", 1, "2026-11-03T09:00:00Z"),
        ("from exactly the end", "2026-11-02T16:00:00Z", 1, "2026-11-03T09:00:00Z"),
        ("over lunch", "2026-11-06T10:30:00Z", 1, "2026-11-06T12:30:00Z"),
        ("over a weekend", "2026-11-06T13:00:00Z", 2, "2026-11-09T09:00:00Z"),
        ("from a weekend", "2026-11-07T12:00:00Z", 8, "2026-11-09T16:00:00Z"),
        ("over two holidays and a weekend", "2026-12-24T15:00:00Z", 2, "2026-12-29T09:00:00Z"),
        ("from a holiday", "2026-12-25T09:00:00Z", 1, "2026-12-29T09:00:00Z"),
        ("over the end of summer time", "2026-10-23T12:00:00Z", 2, "2026-10-26T09:00:00Z"),
        ("over its beginning", "2026-03-27T13:00:00Z", 2, "2026-03-30T08:00:00Z"),
        ("a whole week", "2026-11-02T08:00:00Z", 37, "2026-11-06T14:00:00Z"),
    ] {
        assert_eq!(office.after(at(start), hours * HOUR), at(due), "{why}");
    }
}

#[test]
fn an_hour_that_comes_twice_counts_twice_and_one_that_never_comes_not_at_all() {
    let night = calendar("zone = 'Europe/Berlin'\nhours = { sunday = '01:00-04:00' }\n");
    // 02:00 to 03:00 comes twice on 25 October 2026: four hours, from 01:00 in summer to 04:00 in winter time.
    assert_eq!(night.after(at("2026-10-24T00:00:00Z"), 4 * HOUR), at("2026-10-25T03:00:00Z"));
    // And never on 29 March 2026: two.
    assert_eq!(night.after(at("2026-03-28T00:00:00Z"), 2 * HOUR), at("2026-03-29T02:00:00Z"));
    let within = calendar("zone = 'Europe/Berlin'\nhours = { sunday = '02:15-02:45' }\n");
    assert_eq!(within.after(at("2026-10-24T00:00:00Z"), HOUR), at("2026-10-25T01:45:00Z"));
    assert_eq!(within.after(at("2026-10-24T00:00:00Z"), HOUR / 4), at("2026-10-25T00:30:00Z"));
    assert_eq!(within.after(at("2026-03-28T00:00:00Z"), HOUR / 2), at("2026-04-05T00:45:00Z"));
}

#[test]
fn round_the_clock_is_plain_time() {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let hours: Vec<_> = days.iter().map(|day| format!("{day} = '00:00-24:00'\n")).collect();
    let always = calendar(&format!("zone = 'America/New_York'\n[calendar.c.hours]\n{}", hours.concat()));
    for start in ["2026-10-31T00:00:00Z", "2026-03-07T23:59:59.5Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
        assert_eq!(always.after(at(start), 100 * HOUR), at(start).plus_micros(100 * HOUR), "{start}");
    }
    // At the very end of time it is held there.
    assert_eq!(always.after(Timestamp::from_micros(i64::MAX), HOUR), Timestamp::from_micros(i64::MAX));
}

#[test]
fn what_is_no_calendar_is_told() {
    for (body, wanted) in [
        ("", vec!["0:1 calendar.c has no \"zone\"", "0:1 calendar.c has no \"hours\""]),
        ("zone = 'Europe/Berln'\nhours = { monday = '09:00-17:00' }", vec!["1:8 there is no time zone \"Europe/Berln\""]),
        ("zone = 'UTC'\nhours = {}", vec!["2:9 calendar.c has no working time"]),
        ("zone = 'UTC'\nhours = { monday = [] }", vec!["2:9 calendar.c has no working time"]),
        ("zone = 'UTC'\nhours = { mon = '09:00-17:00' }", vec!["2:11 unknown key \"mon\" in calendar.c.hours"]),
        ("zone = 'UTC'\nhours = { monday = '17:00-09:00' }", vec!["2:20 \"17:00-09:00\" is no span of hours"]),
        ("zone = 'UTC'\nhours = { monday = 9 }", vec!["2:20 monday must be a text, not a whole number"]),
        (
            "zone = 'UTC'\nhours = { monday = ['09:00-17:00', '16:00-18:00'] }",
            vec!["2:36 \"16:00-18:00\" begins before the hours that stand before it end"],
        ),
        ("zone = 'UTC'\nhours = { monday = ['09:00-17:00', 3] }", vec!["2:36 monday must be a text, not a whole number"]),
        (
            "zone = 'UTC'\nhours = { monday = '09:00-17:00' }\nholidays = ['2026-02-30', 2026-01-01T00:00:00Z, 3]",
            vec![
                "3:13 \"2026-02-30\" is no date",
                "3:27 \"2026-01-01T00:00:00Z\" is no date",
                "3:49 a holiday must be a date, not a whole number",
            ],
        ),
        // Eight hours of a clock are more than 104 weeks of two minutes.
        ("zone = 'UTC'\nhours = { monday = '09:00-09:02' }", vec!["-1:7 hot takes more than 104 weeks of the calendar's working time"]),
    ] {
        assert_eq!(problems(body), wanted, "{body}");
    }
    for hours in
        ["9-17", "09:00", "17:00-09:00", "09:00-09:00", "09:00-24:01", "09:60-17:00", "+9:00-17:00", "09:00-17:00-18:00", "a:b-c:d"]
    {
        let told = problems(&format!("zone = 'UTC'\nhours = {{ monday = '{hours}', friday = '09:00-17:00' }}"));
        assert_eq!(told, [format!("2:20 {hours:?} is no span of hours")]);
    }
    let near = |text: &str| Ruleset::parse(&format!("[ruleset]\nname='a'\nversion='1'\n{text}")).err().unwrap_or_default();
    assert_eq!(
        near("[calendar.c]\nzone='Europe/Berln'\nhours.monday='09:00-17:00'")[0].hint.as_deref(),
        Some("did you mean \"Europe/Berlin\"?")
    );
    assert_eq!(
        near("[clock.x]\ncalendar='d'\n[calendar.c]\nzone='UTC'\nhours.monday='09:00-17:00'")[0].message,
        "there is no [calendar.d]"
    );
    let calendars: Vec<_> = (0..301).map(|number| format!("[calendar.c{number}]\nzone = 'UTC'\nhours.monday = '09:00-17:00'\n")).collect();
    assert_eq!(near(&calendars.concat())[0].message, "a ruleset has at most 300 calendars");
    let many = format!("zone = 'UTC'\nhours = {{ monday = '09:00-17:00' }}\nholidays = [{}]", "2026-01-01, ".repeat(1001));
    assert_eq!(problems(&many), ["3:12 a calendar has at most 1000 holidays"]);
    let pieces: Vec<_> = (0..13).map(|hour| format!("'{hour:02}:00-{hour:02}:30', ")).collect();
    assert_eq!(
        problems(&format!("zone = 'UTC'\nhours = {{ monday = [{}] }}", pieces.concat())),
        ["2:20 monday is cut into more than 12 pieces"]
    );
}

/// The same by looking at each minute: whether it is working time, by the zone database's own conversion.
fn slowly(zone: &TimeZone, calendar: &Calendar, start: Timestamp, minutes: i64) -> Timestamp {
    let mut left = minutes;
    let mut at = start.micros();
    while left > 0 {
        let local = zone.to_datetime(jiff::Timestamp::from_microsecond(at).expect("a time"));
        let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).expect("a weekday");
        let epoch = jiff::civil::date(1970, 1, 1);
        let day = i64::from(epoch.until(local.date()).expect("days").get_days());
        let of_day = i64::from(local.hour()) * HOUR + i64::from(local.minute()) * HOUR / 60;
        let works = calendar.hours[weekday].iter().any(|hours| hours.contains(&of_day)) && !calendar.holidays.contains(&day);
        left -= i64::from(works);
        at += HOUR / 60;
    }
    Timestamp::from_micros(at)
}

fn clock_face(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

prop_compose! {
    /// Some hours of some days, and some holidays near the start; around a change of some zone's clocks.
    fn week()(cuts in proptest::collection::vec(proptest::collection::btree_set(0..=24 * 4_i64, 0..5), 7), holidays in proptest::collection::vec(0..40_i64, 0..6)) -> (String, Vec<i64>) {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours: Vec<String> = days.iter().zip(cuts).map(|(day, cuts)| {
            let cuts: Vec<i64> = cuts.into_iter().collect();
            let pieces: Vec<String> = cuts.chunks_exact(2).map(|pair| format!("'{}-{}'", clock_face(pair[0] * 15), clock_face(pair[1] * 15))).collect();
            format!("{day} = [{}]", pieces.join(", "))
        }).collect();
        (format!("hours = {{ {}, friday = '08:45-16:15' }}", hours.into_iter().filter(|day| !day.starts_with("friday")).collect::<Vec<_>>().join(", ")), holidays)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn due_times_are_those_of_looking_at_every_minute(
        (hours, holidays) in week(),
        zone in proptest::sample::select(&["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"][..]),
        change in proptest::sample::select(&["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2011-12-30", "2026-02-15"][..]),
        before in 0..6 * 1440_i64,
        minutes in 1..2400_i64,
    ) {
        let first: jiff::civil::Date = change.parse().expect("a date");
        let holidays: Vec<String> = holidays.into_iter().map(|days| format!("{}", first.saturating_add(jiff::Span::new().days(days - 5)))).collect();
        let calendar = calendar(&format!("zone = '{zone}'\n{hours}\nholidays = {}", toml::Value::from(holidays)));
        let known = TimeZoneDatabase::bundled().get(zone).expect("a zone");
        let start = at(&format!("{change}T00:00:00Z")).plus_micros(-before * HOUR / 60);
        prop_assert_eq!(calendar.after(start, minutes * HOUR / 60), slowly(&known, &calendar, start, minutes));
    }

    /// Two lengths one after the other are their sum.
    #[test]
    fn working_time_adds_up(seconds in 0..40_000_000_i64, first in 1..200_000_i64, second in 1..200_000_i64) {
        let office = calendar(OFFICE);
        let start = at("2026-01-01T00:00:00Z").plus_micros(seconds * 1_000_000);
        let (first, second) = (first * 1_000_000, second * 1_000_000);
        prop_assert_eq!(office.after(office.after(start, first), second), office.after(start, first + second));
    }
}

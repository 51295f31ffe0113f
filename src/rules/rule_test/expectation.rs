//! What is expected of a decision, and whether it is so: the path grammar of the decision's JSON. A path is a field of the first
//! lead (`storefront`, `contact.country`), of another (`leads.1.verdict`), of the lead's route to a destination
//! (`routes.PUBLISHER_CRM.queue`), `routes.destination` (all, sorted), `rejection.code`, or `leads.length`; how it is compared is
//! told by the letter after it.

use serde_json::{Value, json};

use crate::{lead::Timestamp, problem::Problem};

/// How what is there is compared with what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Without a letter: it is this; `null` also where nothing is there.
    Is,
    /// `+`: the list has all of these.
    HasAll,
    /// `-`: the list has none of these.
    HasNone,
    /// `!`: it is something else.
    Differs,
    /// `^`: the text begins so.
    Begins,
    /// `?`: it is one of these.
    OneOf,
}

impl How {
    /// A key as it is written: the path, and how.
    pub(super) fn of(key: &str) -> (&str, Self) {
        let known = [('+', Self::HasAll), ('-', Self::HasNone), ('!', Self::Differs), ('^', Self::Begins), ('?', Self::OneOf)];
        let found = known.into_iter().find_map(|(letter, how)| Some((key.strip_suffix(letter)?, how)));
        found.unwrap_or((key, Self::Is))
    }

    /// Whether what is expected is a list of what is compared.
    pub(super) fn takes_list(self) -> bool {
        matches!(self, Self::HasAll | Self::HasNone | Self::OneOf)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Is => "",
            Self::HasAll => "with all of ",
            Self::HasNone => "with none of ",
            Self::Differs => "other than ",
            Self::Begins => "beginning with ",
            Self::OneOf => "one of ",
        }
    }
}

/// One line of `expect`.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Without the letter that tells how.
    pub(super) path: String,
    pub(super) how: How,
    pub(super) want: Value,
    /// Where it stands: a problem without words.
    pub(super) place: Problem,
}

/// What is not as expected.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The path, with the letter that tells how.
    pub path: String,
    /// What is expected, in words.
    pub want: String,
    /// What is there, as JSON.
    pub got: String,
    /// Where the expectation stands: a problem without words.
    pub place: Problem,
}

impl Expectation {
    /// Whether the decision, as `explain --json` prints it, is as expected.
    #[must_use]
    pub fn compare(&self, decided: &Value) -> Option<Mismatch> {
        let got = look(decided, &self.path);
        (!self.holds(&got)).then(|| Mismatch {
            path: self.path.clone(),
            want: format!("{}{}", self.how.words(), self.want),
            got: got.to_string(),
            place: self.place.clone(),
        })
    }

    fn holds(&self, got: &Value) -> bool {
        let list = || self.want.as_array().into_iter().flatten();
        let has = |item: &Value| got.as_array().is_some_and(|items| items.iter().any(|found| same(found, item)));
        match self.how {
            How::Is => same(got, &self.want),
            How::HasAll => list().all(has),
            How::HasNone => !list().any(has),
            How::Differs => !same(got, &self.want),
            How::Begins => got.as_str().unwrap_or_default().starts_with(self.want.as_str().unwrap_or_default()),
            How::OneOf => list().any(|item| same(got, item)),
        }
    }
}

/// What no expectation may be held against: leads that are not there, of a record that is no lead or has fewer. Expectations of
/// `verdict`, `rejection.*` and `leads.length` are of the record.
pub fn unmet(expectations: &[Expectation], decided: &Value, place: &Problem) -> Option<Mismatch> {
    let leads = decided.get("leads").and_then(Value::as_array).map_or(0, Vec::len);
    let of_record = |path: &str| path == "verdict" || path == "leads.length" || path.starts_with("rejection.");
    let missing = expectations.iter().find_map(|expected| {
        let number = numbered(&expected.path).map_or(0, |(number, _)| number);
        (number >= leads && !of_record(&expected.path)).then_some((number, expected))
    });
    let rejected = decided.pointer("/rejection/code").and_then(Value::as_str);
    let expects_rejection = expectations.iter().any(|expected| of_record(&expected.path));
    let (number, expected) = missing.filter(|(number, _)| *number > 0 || rejected.is_none() || !expects_rejection)?;
    let got = rejected.map_or_else(|| format!("{leads}"), |code| format!("{leads}: the record is rejected as {code}"));
    let place = if number > 0 { expected.place.clone() } else { place.clone() };
    Some(Mismatch { path: "leads.length".to_owned(), want: format!("more than {number}"), got, place })
}

/// The number of a lead, and the path within it.
fn numbered(path: &str) -> Option<(usize, &str)> {
    let (number, within) = path.strip_prefix("leads.")?.split_once('.')?;
    Some((number.parse().ok()?, within))
}

/// What is empty is not published: to a reader it is not there.
fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty) || *value == json!({})
}

/// Numbers by size, times by time, lists and maps by their parts.
fn same(got: &Value, want: &Value) -> bool {
    if is_nothing(got) && is_nothing(want) {
        return true;
    }
    match (got, want) {
        (Value::Number(got), Value::Number(want)) => got == want || got.as_f64() == want.as_f64(),
        (Value::String(got), Value::String(want)) => {
            got == want || matches!((Timestamp::parse(got), Timestamp::parse(want)), (Some(got), Some(want)) if got == want)
        }
        (Value::Array(got), Value::Array(want)) => got.len() == want.len() && got.iter().zip(want).all(|(got, want)| same(got, want)),
        (Value::Object(got), Value::Object(want)) => {
            got.len() == want.len() && got.iter().all(|(key, got)| want.get(key).is_some_and(|want| same(got, want)))
        }
        (got, want) => got == want,
    }
}

/// What stands at the path; null where nothing does.
fn look(decided: &Value, path: &str) -> Value {
    let leads = decided.get("leads").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if path == "leads.length" {
        return json!(leads.len());
    }
    if let Some(field) = path.strip_prefix("rejection.") {
        return at(decided, &["rejection", field]);
    }
    let is_numbered = numbered(path).is_some();
    let (number, path) = numbered(path).unwrap_or((0, path));
    let lead = leads.get(number).cloned().unwrap_or(Value::Null);
    let routes = lead.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match path {
        "routes.destination" => {
            let mut destinations: Vec<&str> = routes.iter().filter_map(|route| route.get("destination")?.as_str()).collect();
            destinations.sort_unstable();
            return json!(destinations);
        }
        // Of a record that is no lead, or of several that disagree.
        "verdict" | "reasons" if lead.is_null() && !is_numbered => return at(decided, &[path]),
        _ => {}
    }
    if let Some((destination, field)) = path.strip_prefix("routes.").and_then(|rest| rest.rsplit_once('.')) {
        let route = routes.iter().find(|route| route.get("destination").and_then(Value::as_str) == Some(destination));
        return route.map_or(Value::Null, |route| at(route, &[field]));
    }
    // Keys of these have dots of their own.
    let map = ["attribution.", "extra.", "ruleset.tables."].into_iter().find(|map| path.starts_with(map));
    match map.and_then(|map| Some((map.trim_end_matches('.'), path.strip_prefix(map)?))) {
        Some((map, key)) => at(&at(&lead, &map.split('.').collect::<Vec<_>>()), &[key]),
        None => at(&lead, &path.split('.').collect::<Vec<_>>()),
    }
}

fn at(value: &Value, steps: &[&str]) -> Value {
    steps.iter().try_fold(value, |value, step| value.get(step)).cloned().unwrap_or(Value::Null)
}

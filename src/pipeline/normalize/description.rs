//! What `Description` holds, in the order of readings Q23: the test marker, a JSON object of URL parameters (or the parameters
//! themselves), a list of campaigns, or what the customer wrote.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::text::part;
use crate::pipeline::decode::{is_campaign_parameter, query};

/// The description, sorted out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Description<'a> {
    pub(super) note: Option<Cow<'a, str>>,
    pub(super) attribution: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Where a list of campaigns is kept among the campaign parameters.
const CAMPAIGNS: &str = "campaigns";

/// Sorts a cleaned description out. A test lead's is no note: it holds the marker or goes with it.
pub(super) fn read(text: Option<Cow<'_, str>>, is_test: bool) -> Description<'_> {
    let Some(text) = text else { return Description::default() };
    if is_test && super::holds_marker(&text) {
        return Description::default();
    }
    if text.starts_with('{')
        && let Ok(parameters) = serde_json::from_str::<Map<String, Value>>(&text)
    {
        let attribution = parameters.into_iter().filter_map(|(key, value)| Some((Cow::Owned(key), Cow::Owned(parameter(value)?))));
        return Description { note: None, attribution: attribution.collect() };
    }
    let parameters = match &text {
        Cow::Borrowed(text) => parameters(text),
        Cow::Owned(text) => parameters(text).into_iter().map(|(key, value)| (key.into_owned().into(), value.into_owned().into())).collect(),
    };
    if !parameters.is_empty() {
        let filled = |(_, value): &(Cow<'_, str>, Cow<'_, str>)| !value.is_empty();
        return Description { note: None, attribution: parameters.into_iter().filter(filled).collect() };
    }
    if let Some(list) = campaigns(&text) {
        let attribution = if list.is_empty() { Vec::new() } else { vec![(Cow::Borrowed(CAMPAIGNS), Cow::Owned(list))] };
        return Description { note: None, attribution };
    }
    Description { note: Some(text), attribution: Vec::new() }
}

/// The parameters of a URL's query, their values trimmed; none where none of them is a campaign's.
fn parameters(text: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut parameters = query(text);
    if !parameters.iter().any(|(key, _)| is_campaign_parameter(key)) {
        return Vec::new();
    }
    for (_, value) in &mut parameters {
        *value = part(value, str::trim).unwrap_or_default();
    }
    parameters
}

/// A parameter as text; nothing for null and blank.
fn parameter(value: Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) if text.trim().len() == text.len() => text,
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// The campaigns after `Campaigns:`, joined by commas; `None`: no such list.
fn campaigns(text: &str) -> Option<String> {
    let (head, list) = text.split_once(':')?;
    if !head.trim().eq_ignore_ascii_case("campaigns") {
        return None;
    }
    let mut names = String::with_capacity(list.len());
    for name in list.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str(name);
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Description<'_> {
        read(Some(Cow::Borrowed(text)), super::super::holds_marker(text))
    }

    #[test]
    fn the_first_reading_that_fits_is_taken() {
        assert_eq!(of("Please call"), Description { note: Some("Please call".into()), attribution: vec![] });
        assert_eq!(of(r#"{"mktcmpid":"1234","n":5,"x":null}"#).attribution, [("mktcmpid".into(), "1234".into()), ("n".into(), "5".into())]);
        assert_eq!(
            of("?utm_source=web&mktcmpid=a%20b&x=").attribution,
            [("utm_source".into(), "web".into()), ("mktcmpid".into(), "a b".into())]
        );
        assert_eq!(of("a=b&c=d").note.as_deref(), Some("a=b&c=d"));
        assert_eq!(of("we use utm_source=x").note.as_deref(), Some("we use utm_source=x"));
        assert_eq!(of("Campaigns: a; b ,").attribution, [("campaigns".into(), "a,b".into())]);
        assert_eq!(of("Campaigns:"), Description::default());
        assert_eq!(of("MSFT_TEST_1"), Description::default());
        assert_eq!(of("{not json").note.as_deref(), Some("{not json"));
        assert_eq!(of("Our campaigns: two").note.as_deref(), Some("Our campaigns: two"));
    }
}

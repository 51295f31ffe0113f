//! A JSON object as the list of its members, each with its key and the text of its value. Keys compare without case. Knows no
//! shape.

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lead::Rejection;

use super::{json_text, malformed, raw_lead::Text};

/// Key (escapes resolved) and value (JSON text) of one member, as they came.
pub(super) type Member<'a> = (Text<'a>, &'a str);

/// The members of the object that is all of `text`, in order; of a key that comes twice both.
///
/// # Errors
/// `malformed_json`.
pub(super) fn members(text: &str) -> Result<Vec<Member<'_>>, Rejection> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            // As many as the HTTPS endpoint sends, and a few more.
            let mut members = Vec::with_capacity(8);
            // Keys are taken raw as well: a lone surrogate in a key is no reason to lose a lead.
            while let Some(key) = map.next_key::<&'de RawValue>()? {
                let value = map.next_value::<&'de RawValue>()?;
                members.push((json_text::scalar(key.get()).unwrap_or_default(), value.get()));
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Object).map_err(|error| malformed(&error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(members)
}

/// The members of a value that should be one object (readings Q28): an object's own, those of the first object of an array,
/// none of null. `None`: it is something else.
pub(super) fn one(value: &str) -> Option<Vec<Member<'_>>> {
    match value.as_bytes().first()? {
        b'{' => members(value).ok(),
        b'n' => Some(Vec::new()),
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(value).ok()?;
            match elements.as_slice() {
                [] => Some(Vec::new()),
                [only] if only.get().starts_with('{') => members(only.get()).ok(),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The objects of a value that should be a list of objects (readings Q28): an array's, or the object itself; none of null and
/// of an empty object. `None`: it is something else, or an element is.
pub(super) fn many(value: &str) -> Option<Vec<&str>> {
    match value.as_bytes().first()? {
        b'{' if members(value).is_ok_and(|members| members.is_empty()) => Some(Vec::new()),
        b'{' => Some(vec![value]),
        b'n' => Some(Vec::new()),
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(value).ok()?;
            let elements: Vec<_> = elements.into_iter().map(RawValue::get).filter(|element| *element != "null").collect();
            elements.iter().all(|element| element.starts_with('{')).then_some(elements)
        }
        _ => None,
    }
}

/// The value of the last member of this name.
pub(super) fn find<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// The same members, free of the memory they were read from.
pub(super) fn owned<'a>(members: Vec<Member<'_>>) -> Vec<(Text<'a>, Text<'a>)> {
    members.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), Cow::Owned(value.to_owned()))).collect()
}

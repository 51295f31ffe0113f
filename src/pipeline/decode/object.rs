//! A JSON object as the list of its members, each with its key and the text of its value. Keys compare without case. Knows no
//! shape.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lead::Rejection;

use super::{json_text, malformed, raw_lead::Text, scan};

/// Key (escapes resolved) and value (JSON text) of one member, as they came.
pub(super) type Member<'a> = (Text<'a>, &'a str);

/// The members of a member that is an object itself.
#[derive(Debug, Default)]
pub(super) struct Inner<'a> {
    /// The object's text; empty: there is none.
    pub(super) of: &'a str,
    /// Its members, in order.
    pub(super) members: Vec<Member<'a>>,
}

impl Inner<'_> {
    /// Whether this very text is the object's.
    pub(super) fn is_of(&self, value: &str) -> bool {
        !value.is_empty() && std::ptr::eq(self.of, value)
    }
}

/// The members of the object that is all of `text`, in order; of a key that comes twice both.
///
/// # Errors
/// `malformed_json`.
pub(super) fn members(text: &str) -> Result<Vec<Member<'_>>, Rejection> {
    members_in(text, Vec::new(), &mut Inner::default())
}

/// The same, in a list that is there already, with those of the first object among them where they are known without another look.
///
/// # Errors
/// As [`members`].
pub(super) fn members_in<'t>(text: &'t str, list: Vec<Member<'t>>, inner: &mut Inner<'t>) -> Result<Vec<Member<'t>>, Rejection> {
    scan::members(text, list, inner).map_or_else(
        || {
            *inner = Inner::default();
            parsed(text)
        },
        Ok,
    )
}

/// The members of a value that is known to be an object and well-formed; no list is made of them where that can be.
pub(super) fn known(value: &str) -> impl Iterator<Item = Member<'_>> {
    let scanned = scan::known(value);
    let parsed = if scanned.is_none() { members(value).unwrap_or_default() } else { Vec::new() };
    scanned.into_iter().flatten().chain(parsed)
}

/// The same by a parser, which tells what is wrong.
pub(super) fn parsed(text: &str) -> Result<Vec<Member<'_>>, Rejection> {
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

/// A value that should be one object, or a list of objects, whichever it is (readings Q28).
#[derive(Debug, Default)]
pub(super) struct Objects<'a> {
    /// The object itself, or those of an array, and of arrays in it; each with its place.
    pub(super) objects: Placed<'a>,
    /// Elements of an array that are no objects, with their places.
    pub(super) others: Placed<'a>,
}

/// The objects of a value; none of null. `None`: it is neither an object nor an array nor null.
pub(super) fn objects(value: &str) -> Option<Objects<'_>> {
    let mut found = Objects::default();
    match value.as_bytes().first()? {
        b'{' => found.objects.push((0, value)),
        b'n' => {}
        b'[' => {
            for (place, element) in elements(value)?.into_iter().enumerate() {
                match element.as_bytes().first() {
                    Some(b'{') => found.objects.push((place, element)),
                    // One level more, and no further: what nests deeper is nobody's slip.
                    Some(b'[') => match elements(element) {
                        Some(inner) if !inner.is_empty() && inner.iter().all(|inner| inner.starts_with('{')) => {
                            found.objects.extend(inner.into_iter().map(|inner| (place, inner)));
                        }
                        _ => found.others.push((place, element)),
                    },
                    Some(b'n') => {}
                    _ => found.others.push((place, element)),
                }
            }
        }
        _ => return None,
    }
    Some(found)
}

fn elements(array: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Elements of an array, with their places.
pub(super) type Placed<'a> = Vec<(usize, &'a str)>;

/// The members of a value that should be one object: the first there is, and what stands beside it.
pub(super) fn one(value: &str) -> Option<(Vec<Member<'_>>, Placed<'_>)> {
    if value.starts_with('{') {
        return Some((members(value).ok()?, Vec::new()));
    }
    let Objects { objects, mut others } = objects(value)?;
    let mut objects = objects.into_iter();
    let first = objects.next().map_or(Ok(Vec::new()), |(_, first)| members(first)).ok()?;
    others.extend(objects);
    Some((first, others))
}

/// The value of the last member of this name.
pub(super) fn find<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

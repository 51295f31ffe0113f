//! The shape of a value, as a text that names nobody: what kind of bytes, which keys that leads have, and types; never a value, and
//! of other keys at most four digits of a hash. Equal shapes have equal fingerprints, so that dead letters of one cause stand together.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::pipeline::knows_key;

/// Objects deeper than this are not told apart.
const DEPTH: usize = 6;
/// The kinds of elements of a list that are told.
const KINDS: usize = 4;
/// Longer shapes are cut; what is left tells them apart well enough.
const LONGEST: usize = 2000;

/// A short name for a shape: 12 hex digits.
#[must_use]
pub fn fingerprint(shape: &str) -> String {
    hex(&Sha256::digest(shape)[..6])
}

/// Bytes as digits, two for each.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The shape of a value; `None` is Kafka's null.
#[must_use]
pub fn shape(value: Option<&[u8]>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let size = match value.len() {
        0 => return "no bytes".to_owned(),
        1..1024 => "below 1 KiB",
        1024..65_536 => "below 64 KiB",
        65_536..1_048_576 => "below 1 MiB",
        _ => "1 MiB or more",
    };
    let mut shape = match serde_json::from_slice(value) {
        Ok(json) => of_json(&json, 0),
        Err(_) => of_bytes(value),
    };
    if let Some((cut, _)) = shape.char_indices().nth(LONGEST) {
        shape.truncate(cut);
    }
    format!("{shape}, {size}")
}

fn of_json(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) if text.trim().is_empty() => "blank".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) | Value::Object(_) if depth == DEPTH => "…".to_owned(),
        Value::Array(elements) => {
            let kinds: BTreeSet<String> = elements.iter().map(|element| of_json(element, depth + 1)).collect();
            let more = if kinds.len() > KINDS { "|…" } else { "" };
            format!("[{}{more}]", kinds.into_iter().take(KINDS).collect::<Vec<_>>().join("|"))
        }
        Value::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", name(key), of_json(value, depth + 1))).collect();
            members.sort();
            members.dedup();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// What may be told of a key. One that looks like no identifier may be somebody's data: of it, nothing.
fn name(key: &str) -> String {
    if knows_key(key) {
        return key.to_ascii_lowercase();
    }
    let is_identifier = key.len() <= 40 && !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !is_identifier {
        return "?".to_owned();
    }
    format!("#{}", hex(&Sha256::digest(key)[..2]))
}

/// Of bytes that are not one JSON value: the kind that their beginning tells, and the keys of leads that stand in them in quotes.
fn of_bytes(value: &[u8]) -> String {
    match value {
        [0, id @ ..] if id.len() >= 4 => {
            let id = id.iter().take(4).fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
            return format!("framed Avro of schema {id}");
        }
        [0xc3, 0x01, ..] => return "single-object Avro".to_owned(),
        [0x1f, 0x8b, ..] => return "gzip".to_owned(),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return "zstd".to_owned(),
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(value) else { return "bytes, not UTF-8".to_owned() };
    let kind = match text.trim_start_matches('\u{feff}').trim_start().chars().next() {
        None => return "blank".to_owned(),
        Some('{') => "object, not JSON",
        Some('[') => "list, not JSON",
        Some('<') => "markup",
        Some(_) if text.contains('=') => "form or text",
        Some(_) => "text",
    };
    let quoted = text.split('"').skip(1);
    let fields = text.split('&').filter_map(|field| field.split_once('=')).map(|(key, _)| key.trim());
    let keys: BTreeSet<String> =
        quoted.chain(fields).filter(|key| key.len() <= 40 && knows_key(key)).map(str::to_ascii_lowercase).collect();
    if keys.is_empty() { kind.to_owned() } else { format!("{kind} with {}", keys.into_iter().collect::<Vec<_>>().join(", ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(value: &[u8]) -> String {
        shape(Some(value))
    }

    #[test]
    fn shapes_name_what_leads_have_and_nothing_else() {
        let lead = br#"{"leadSource": "SPZA-PLT|a", "userDetails": {"email": "jane@adatum.example"}, "Jane": 1, "jane@adatum.example": 2}"#;
        assert_eq!(of(lead), "{#4f23: number, ?: number, leadsource: text, userdetails: {email: text}}, below 1 KiB");
        assert_eq!(of(br#"[1, 2, "", "a", null]"#), "[blank|null|number|text], below 1 KiB");
        assert_eq!(of(br#"{"userDetails": {"email": "jane"#), "object, not JSON with email, userdetails, below 1 KiB");
        assert_eq!(of(b"first_name=Jane&email=x&lead_source=y"), "form or text with email, first_name, lead_source, below 1 KiB");
        assert_eq!(of(b"\0\0\0\0\x07abc"), "framed Avro of schema 7, below 1 KiB");
        assert_eq!(of(b"<html>Jane"), "markup, below 1 KiB");
        assert_eq!(of(b"\xff\xfeJ"), "bytes, not UTF-8, below 1 KiB");
        assert_eq!((shape(None), of(b""), of(b" ")), ("null".into(), "no bytes".into(), "blank, below 1 KiB".into()));
    }

    /// The same JSON with every text and number another.
    fn other(value: &Value) -> Value {
        match value {
            Value::String(text) if !text.trim().is_empty() => Value::String(format!("{text}!")),
            Value::Number(_) => Value::from(7),
            Value::Bool(held) => Value::Bool(!held),
            Value::Array(elements) => elements.iter().map(other).collect(),
            Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), other(value))).collect(),
            value => value.clone(),
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z]{0,6}".prop_map(Value::from)
        ];
        let key = prop_oneof!["[a-z@]{1,5}", Just("email".to_owned()), Just("userDetails".to_owned())];
        leaf.prop_recursive(4, 20, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(key.clone(), inner, 0..5).prop_map(|members| members.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn values_do_not_change_a_fingerprint(value in json()) {
            let told = |value: &Value| fingerprint(&shape(Some(value.to_string().as_bytes())));
            prop_assert_eq!(told(&value), told(&other(&value)));
        }

        #[test]
        fn any_bytes_have_a_shape(bytes: Vec<u8>) {
            prop_assert!(!of(&bytes).is_empty());
        }

        #[test]
        fn what_somebody_wrote_is_not_in_the_shape(word in "[A-Z][a-z]{6,10}") {
            let word = format!("Zq{word}");
            for value in [format!("{{\"{word}\": \"{word}\"}}"), format!("{{\"{word}: {word}"), format!("{word}={word}"), word.clone()] {
                prop_assert!(!of(value.as_bytes()).contains(&word[..4]));
            }
        }
    }
}

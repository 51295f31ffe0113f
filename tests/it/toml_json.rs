//! TOML as JSON and back, as validators see it: a time is a text.

use serde_json::Value;

pub(crate) fn read(text: &str) -> Value {
    json(&toml::from_str(text).unwrap_or_else(|error| panic!("{error}")))
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), json(value))).collect::<serde_json::Map<_, _>>().into(),
        plain => serde_json::to_value(plain).expect("JSON"),
    }
}

pub(crate) fn write(value: &Value) -> String {
    toml::to_string(value).expect("TOML")
}

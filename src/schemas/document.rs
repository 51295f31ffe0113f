//! An ordered JSON document: what is generated for people keeps the order in which it is told, so the same input is the same
//! bytes. It holds no knowledge of what is in it.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// One JSON value, whose objects keep their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Document>),
    /// An object, in this order.
    Object(Vec<(String, Document)>),
    /// Any other value, as it is; its objects are sorted by name.
    Plain(serde_json::Value),
}

impl Document {
    /// An object of these members.
    pub fn object<'n>(members: impl IntoIterator<Item = (&'n str, Document)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A reference to another place: `{"$ref": "#/…"}`.
    #[must_use]
    pub fn reference(place: &str) -> Self {
        Self::object([("$ref", place.into())])
    }

    /// Adds a member at the end of an object; anything else stays as it is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Document>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The text, two blanks an indent, with a line end.
    #[must_use]
    pub fn pretty(&self) -> String {
        // Nothing in a document cannot be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Document {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Document {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Vec<Document>> for Document {
    fn from(items: Vec<Document>) -> Self {
        Self::List(items)
    }
}

impl From<serde_json::Value> for Document {
    fn from(value: serde_json::Value) -> Self {
        Self::Plain(value)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::Plain(value) => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_their_order() {
        let document = Document::object([("b", 1.into()), ("a", vec![true.into(), Document::reference("#/x")].into())]);
        assert_eq!(serde_json::to_string(&document.with("0", "z")).expect("JSON"), r##"{"b":1,"a":[true,{"$ref":"#/x"}],"0":"z"}"##);
    }
}

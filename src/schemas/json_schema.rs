//! The JSON form of an event as a JSON Schema (draft 2020-12), derived from the Avro schema so that there is one source. What
//! it says is what the JSON encoder does: fields that are null or empty are left out, times are texts. Validating is for others.

use apache_avro::{Schema, schema::RecordField};

use super::{Released, document::Document};

/// An RFC 3339 time in UTC with six decimals, as every time in an event is written.
pub const TIMESTAMP_PATTERN: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$";

/// What an enum's value looks like, also one that a later version adds.
pub const SYMBOL_PATTERN: &str = "^[A-Z][A-Z0-9_]*$";

/// Said once, at the top of each schema.
const COMMENT: &str = "The JSON form leaves out fields that are null or empty. Later versions may add fields, and symbols to \
    an enum: each enum takes the symbols known today, and any other that looks like one. Read an unknown symbol as the default.";

/// The schema as a document of its own.
#[must_use]
pub fn json_schema(released: &Released) -> Document {
    let head = Document::object([
        ("$schema", "https://json-schema.org/draft/2020-12/schema".into()),
        ("$id", format!("urn:leadstream:{}:{}", released.kind.name(), released.version).into()),
        ("title", released.kind.name().into()),
        ("$comment", COMMENT.into()),
    ]);
    let (Document::Object(mut members), Document::Object(mut body)) = (head, payload(released)) else {
        return payload(released);
    };
    members.append(&mut body);
    Document::Object(members)
}

/// The schema as a part of another document: no `$id`, and nothing it refers to.
#[must_use]
pub fn payload(released: &Released) -> Document {
    of(&released.schema, None, &released.schema)
}

/// The JSON Schema of a type; `doc` is the field's word on it, which is nearer than the type's.
fn of(schema: &Schema, doc: Option<&str>, top: &Schema) -> Document {
    let described = |of_type: Option<&str>| match doc.or(of_type) {
        Some(doc) => Document::object([("description", doc.into())]),
        None => Document::object([]),
    };
    match schema {
        Schema::Record(record) => {
            let properties = record.fields.iter().map(|field| {
                let value = of(present(&field.schema), field.doc.as_deref(), top);
                (field.name.clone(), value)
            });
            let properties = Document::Object(properties.collect());
            let required = record.fields.iter().filter(|field| is_always_written(field)).map(|field| field.name.as_str().into());
            described(record.doc.as_deref())
                .with("type", "object")
                .with("properties", properties)
                .with("required", required.collect::<Vec<_>>())
        }
        Schema::Enum(symbols) => {
            let known: Vec<Document> = symbols.symbols.iter().map(|symbol| symbol.as_str().into()).collect();
            let any_of = vec![Document::object([("enum", known.into())]), Document::object([("pattern", SYMBOL_PATTERN.into())])];
            let enumeration = described(symbols.doc.as_deref()).with("type", "string").with("anyOf", any_of);
            match &symbols.default {
                Some(default) => enumeration.with("default", default.as_str()),
                None => enumeration,
            }
        }
        Schema::Ref { name } => match named(top, name.as_ref()) {
            Some(found) => of(found, doc, top),
            None => described(None),
        },
        Schema::Array(array) => described(None).with("type", "array").with("items", of(&array.items, None, top)),
        Schema::Map(map) => described(None).with("type", "object").with("additionalProperties", of(&map.types, None, top)),
        Schema::TimestampMicros => described(None).with("type", "string").with("format", "date-time").with("pattern", TIMESTAMP_PATTERN),
        Schema::Boolean => described(None).with("type", "boolean"),
        Schema::Int | Schema::Long => described(None).with("type", "integer"),
        Schema::Float | Schema::Double => described(None).with("type", "number"),
        Schema::String => described(None).with("type", "string"),
        // No other type is in a released schema; a test would see it as a field that takes anything.
        _ => described(None),
    }
}

/// The type of a value that is there: what is null is left out.
fn present(schema: &Schema) -> &Schema {
    match schema {
        Schema::Union(union) => union.variants().iter().find(|variant| !matches!(variant, Schema::Null)).unwrap_or(schema),
        other => other,
    }
}

/// Whether the JSON form always has the field: it can be neither null nor empty.
fn is_always_written(field: &RecordField) -> bool {
    !matches!(field.schema, Schema::Union(_) | Schema::Array(_) | Schema::Map(_))
}

/// The definition of a named type of a schema, which is written only once and named elsewhere; `name` with its namespace.
#[must_use]
pub fn named<'s>(schema: &'s Schema, name: &str) -> Option<&'s Schema> {
    match schema {
        Schema::Record(record) if record.name.to_string() == name => Some(schema),
        Schema::Enum(symbols) if symbols.name.to_string() == name => Some(schema),
        Schema::Record(record) => record.fields.iter().find_map(|field| named(&field.schema, name)),
        Schema::Union(union) => union.variants().iter().find_map(|variant| named(variant, name)),
        Schema::Array(array) => named(&array.items, name),
        Schema::Map(map) => named(&map.types, name),
        _ => None,
    }
}

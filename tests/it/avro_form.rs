//! The JSON form of a record as an Avro value, by its schema alone: what is left out gets the schema's default. The tests'
//! own reading of `schemas/README.md`; the product has no such way.

use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter};
use leadstream::{lead::Timestamp, schemas::json_schema::named};
use serde_json::Value as Json;

/// The value of a record in the JSON form.
///
/// # Errors
/// What is wrong, and at which field; also a field that the schema does not know.
pub(crate) fn value(schema: &Schema, json: &Json) -> Result<Value, String> {
    of(schema, json, schema, "")
}

/// A value's bytes, without any frame.
pub(crate) fn write(schema: &Schema, value: Value) -> Vec<u8> {
    let writer = GenericDatumWriter::builder(schema).build().expect("a writer");
    writer.write_value_to_vec(value).expect("bytes")
}

/// What a reader of one schema reads of bytes written under another, to the last byte.
pub(crate) fn read(writer: &Schema, mut bytes: &[u8], reader: &Schema) -> Value {
    let reader = GenericDatumReader::builder(writer).reader_schema(reader).build().expect("a reader");
    let value = reader.read_value(&mut bytes).expect("reads");
    assert!(bytes.is_empty(), "{} bytes are left", bytes.len());
    value
}

fn of(schema: &Schema, json: &Json, top: &Schema, at: &str) -> Result<Value, String> {
    let wrong = || format!("{at}: {json} does not fit");
    let text = || json.as_str().map(str::to_owned).ok_or_else(wrong);
    let long = || json.as_i64().ok_or_else(wrong);
    Ok(match schema {
        Schema::Record(record) => {
            let object = json.as_object().ok_or_else(wrong)?;
            if let Some(unknown) = object.keys().find(|name| record.fields.iter().all(|field| field.name != **name)) {
                return Err(format!("{at}.{unknown}: is not in the schema"));
            }
            let fields = record.fields.iter().map(|field| {
                let at = format!("{at}.{}", field.name);
                let json = object.get(&field.name).or(field.default.as_ref()).ok_or_else(|| format!("{at}: is missing"))?;
                Ok((field.name.clone(), of(&field.schema, json, top, &at)?))
            });
            Value::Record(fields.collect::<Result<_, String>>()?)
        }
        Schema::Ref { name } => of(named(top, name.as_ref()).ok_or_else(wrong)?, json, top, at)?,
        Schema::Union(union) => {
            let wanted = |variant: &Schema| matches!(variant, Schema::Null) == json.is_null();
            let place = union.variants().iter().position(wanted).ok_or_else(wrong)?;
            let inner = of(&union.variants()[place], json, top, at)?;
            Value::Union(u32::try_from(place).expect("few"), Box::new(inner))
        }
        Schema::Enum(of) => {
            let symbol = text()?;
            let place = of.symbols.iter().position(|known| *known == symbol).ok_or_else(wrong)?;
            Value::Enum(u32::try_from(place).expect("few"), symbol)
        }
        Schema::Array(array) => {
            let items = json.as_array().ok_or_else(wrong)?.iter().map(|item| of(&array.items, item, top, at));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Schema::Map(map) => {
            let entries = json.as_object().ok_or_else(wrong)?.iter();
            Value::Map(entries.map(|(key, value)| Ok((key.clone(), of(&map.types, value, top, at)?))).collect::<Result<_, String>>()?)
        }
        Schema::TimestampMicros => {
            let written = text()?;
            let time = Timestamp::parse(&written).filter(|time| time.to_rfc3339() == written.as_bytes()).ok_or_else(wrong)?;
            Value::TimestampMicros(time.micros())
        }
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(json.as_bool().ok_or_else(wrong)?),
        Schema::Int => Value::Int(long()?.try_into().map_err(|_| wrong())?),
        Schema::Long => Value::Long(long()?),
        Schema::Double => Value::Double(json.as_f64().ok_or_else(wrong)?),
        Schema::String => Value::String(text()?),
        other => return Err(format!("{at}: no released schema has {other:?}")),
    })
}

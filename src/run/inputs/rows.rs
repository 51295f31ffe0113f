//! Parquet files: each row is a raw lead, as a JSON object of its columns, or as what stands in one column. Only this file names
//! the crate that reads them; what a column means, the core says.

use std::{
    fmt::Write as _,
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parquet::{
    basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type as Physical},
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
    record::{Field, Row, reader::RowIter},
    schema::types::{SchemaDescriptor, Type},
};

use super::{Records, framing::Framed};
use crate::{lead::Timestamp, pipeline::knows_key};

/// The column that holds raw leads where nobody names one.
const USUAL_COLUMN: &str = "value";

/// A file that is read.
pub(super) struct Rows {
    left: RowIter<'static>,
    /// The column whose bytes are the raw lead.
    column: Option<usize>,
    /// What is known of each column.
    columns: Vec<Column>,
}

/// What is known of a column before it is read.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    /// Its numbers count nanoseconds since 1970.
    is_nanoseconds: bool,
    /// All bytes in it are said to be texts.
    is_text: bool,
}

impl Rows {
    /// Reads where everything is in the file. Leads stand in `column`, or in `value`, or are the rows.
    pub(super) fn open(file: File, column: Option<&str>) -> io::Result<Self> {
        let again = file.try_clone()?;
        let reader = guarded(|| SerializedFileReader::new(file), |error| error.to_string())?;
        let mut chunks = reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        let is_read = |packed: Compression| {
            matches!(packed, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_))
        };
        if let Some(chunk) = chunks.find(|chunk| !is_read(chunk.compression())) {
            let codec = format!("{:?}", chunk.compression());
            let codec = codec.split('(').next().unwrap_or_default();
            return Err(broken(&format!("it is packed with {codec}; SNAPPY, GZIP and ZSTD are read")));
        }
        let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
        let columns = schema.get_fields();
        let of_bytes = |place: &usize| {
            columns.get(*place).is_some_and(|column| column.is_primitive() && column.get_physical_type() == Physical::BYTE_ARRAY)
        };
        let place = columns.iter().position(|found| found.name() == column.unwrap_or(USUAL_COLUMN));
        if let Some(name) = column
            && !place.as_ref().is_some_and(of_bytes)
        {
            return Err(broken(&format!("it has no column {name:?} of texts or bytes")));
        }
        let place = place.filter(of_bytes);
        // A group may be an envelope with the lead in it.
        let may_be_lead = |column: &parquet::schema::types::TypePtr| !column.is_primitive() || knows_key(column.name());
        if place.is_none() && !columns.iter().any(may_be_lead) {
            return Err(broken("none of its columns is one of a lead: name the column that holds the lead (--column)"));
        }
        let counts_nanoseconds = |column: &parquet::schema::types::TypePtr| matches!(column.get_basic_info().logical_type_ref(), Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS);
        let of = |column: &parquet::schema::types::TypePtr| Column { is_nanoseconds: counts_nanoseconds(column), is_text: is_text(column) };
        let known = columns.iter().map(of).collect();
        // The library ends at the first text that is not UTF-8; as bytes it reads all of them.
        let schema = guarded(|| as_bytes(&schema), |error| error.to_string())?;
        let options = ReadOptionsBuilder::new().with_parquet_schema(Arc::new(SchemaDescriptor::new(Arc::new(schema)))).build();
        let reader = guarded(|| SerializedFileReader::new_with_options(again, options), |error| error.to_string())?;
        let left = reader.into_iter();
        Ok(Self { left, column: place, columns: known })
    }
}

/// Whether bytes that stand there are said to be texts.
fn is_text(found: &Type) -> bool {
    if found.is_primitive() {
        let is_said = matches!(found.get_basic_info().converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON);
        return is_said || found.get_physical_type() != Physical::BYTE_ARRAY;
    }
    found.get_fields().iter().all(|field| is_text(field))
}

/// The same columns, with texts as bytes.
fn as_bytes(found: &Type) -> Result<Type, ParquetError> {
    let known = found.get_basic_info();
    if found.is_primitive() {
        if found.get_physical_type() != Physical::BYTE_ARRAY || !is_text(found) {
            return Ok(found.clone());
        }
        return Type::primitive_type_builder(found.name(), Physical::BYTE_ARRAY).with_repetition(known.repetition()).build();
    }
    let fields = found.get_fields().iter().map(|field| as_bytes(field).map(Arc::new)).collect::<Result<_, _>>()?;
    let group = Type::group_type_builder(found.name()).with_fields(fields);
    let group = group.with_converted_type(known.converted_type()).with_logical_type(known.logical_type_ref().cloned());
    if known.has_repetition() { group.with_repetition(known.repetition()) } else { group }.build()
}

impl Records for Rows {
    fn next(&mut self, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
        // What the library says of a row may quote it.
        let row = guarded(|| self.left.next().transpose(), |_| "a row cannot be read".to_owned())?;
        let Some(row) = row else { return Ok(None) };
        value.clear();
        match self.column {
            None => object(&row, &self.columns, false, value),
            Some(column) => match row.get_column_iter().nth(column).map(|(_, field)| field) {
                Some(Field::Bytes(bytes)) => value.extend_from_slice(bytes.data()),
                _ => return Ok(Some(Framed::Null)),
            },
        }
        Ok(Some(Framed::Kept))
    }
}

/// A broken file must not end the program, whatever the library makes of it.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>, tell: impl FnOnce(ParquetError) -> String) -> io::Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| broken(&tell(error))),
        Err(_) => Err(broken("it cannot be read")),
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("Parquet file: {what}"))
}

/// A row as a JSON object; what is null is left out. Of columns of which nothing is known `is_text` holds.
fn object(row: &Row, columns: &[Column], is_text: bool, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut is_first = true;
    for (place, (name, field)) in row.get_column_iter().enumerate() {
        if *field == Field::Null {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        put(&quoted(name), out);
        out.push(b':');
        let column = columns.get(place).copied().unwrap_or(Column { is_text, ..Column::default() });
        match field {
            Field::Long(number) if column.is_nanoseconds => put(&time(number.div_euclid(1000)), out),
            field => json(field, column.is_text, out),
        }
    }
    out.push(b'}');
}

fn put(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

fn json(field: &Field, is_text: bool, out: &mut Vec<u8>) {
    let written = match field {
        Field::Null => "null".to_owned(),
        Field::Bool(value) => value.to_string(),
        Field::Byte(number) => number.to_string(),
        Field::Short(number) => number.to_string(),
        Field::Int(number) | Field::TimeMillis(number) => number.to_string(),
        Field::Long(number) | Field::TimeMicros(number) => number.to_string(),
        Field::UByte(number) => number.to_string(),
        Field::UShort(number) => number.to_string(),
        Field::UInt(number) => number.to_string(),
        Field::ULong(number) => number.to_string(),
        Field::Float16(number) => float(f64::from(f32::from(*number))),
        Field::Float(number) => float(f64::from(*number)),
        Field::Double(number) => float(*number),
        Field::Decimal(_) => quoted(&field.to_string()),
        Field::Str(value) => quoted(value),
        Field::Bytes(value) => return bytes(value.data(), is_text, out),
        Field::Date(days) => {
            let day = Timestamp::from_micros(i64::from(*days).saturating_mul(86_400_000_000)).to_string();
            quoted(day.get(..10).unwrap_or_default())
        }
        Field::TimestampMillis(millis) => time(millis.saturating_mul(1000)),
        Field::TimestampMicros(micros) => time(*micros),
        Field::Group(row) => return object(row, &[], is_text, out),
        Field::ListInternal(list) => return joined(*b"[]", list.elements().iter().map(|item| (None, item)), is_text, out),
        Field::MapInternal(map) => return joined(*b"{}", map.entries().iter().map(|(key, value)| (Some(key), value)), is_text, out),
    };
    put(&written, out);
}

/// Old writers do not say of a text that it is one. What is said to be one and is none stays as it is: so the row is a dead letter, and
/// nobody takes it for something else.
fn bytes(value: &[u8], is_text: bool, out: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(value) {
        return put(&quoted(text), out);
    }
    if !is_text {
        return put(&quoted(&hex(value)), out);
    }
    out.push(b'"');
    for chunk in value.utf8_chunks() {
        let text = quoted(chunk.valid());
        put(text.get(1..text.len() - 1).unwrap_or_default(), out);
        out.extend_from_slice(chunk.invalid());
    }
    out.push(b'"');
}

fn joined<'f>(around: [u8; 2], items: impl Iterator<Item = (Option<&'f Field>, &'f Field)>, is_text: bool, out: &mut Vec<u8>) {
    out.push(around[0]);
    for (place, (key, item)) in items.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match key {
            None => {}
            Some(key @ (Field::Str(_) | Field::Bytes(_))) => json(key, is_text, out),
            Some(key) => put(&quoted(&key.to_string()), out),
        }
        if key.is_some() {
            out.push(b':');
        }
        json(item, is_text, out);
    }
    out.push(around[1]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn time(micros: i64) -> String {
    format!("\"{}\"", Timestamp::from_micros(micros))
}

/// JSON has no number that is none.
fn float(number: f64) -> String {
    serde_json::Number::from_f64(number).map_or_else(|| "null".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::{
        data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };

    const SCHEMA: &str = "message rows {
        optional binary Email (UTF8); optional binary value; required int64 at (TIMESTAMP(NANOS,true));
        required int64 day (TIMESTAMP_MILLIS); required int64 amount (DECIMAL(10,2)); required double score;
        required group lead { optional binary source (UTF8); }
    }";

    /// Two rows, of which one has neither mail nor value.
    fn file() -> File {
        let file = tempfile::tempfile().expect("a file");
        let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
        let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
        let mut writer = SerializedFileWriter::new(file.try_clone().expect("a file"), schema, properties).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        let texts = ["zq\"@adatum.example", "{\"a\":1}", "SPZA-INS|a.b"];
        let mut place = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            let written = match place {
                2 => column.typed::<Int64Type>().write_batch(&[1_793_000_000_123_456_789; 2], None, None),
                3 => column.typed::<Int64Type>().write_batch(&[1_793_000_000_123; 2], None, None),
                4 => column.typed::<Int64Type>().write_batch(&[12_345, -5], None, None),
                5 => column.typed::<DoubleType>().write_batch(&[0.5, f64::NAN], None, None),
                text => column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(texts[text % 4])], Some(&[1, 0]), None),
            };
            written.expect("written");
            column.close().expect("closed");
            place += 1;
        }
        group.close().expect("closed");
        writer.close().expect("closed");
        file
    }

    fn all(mut rows: Rows) -> Vec<String> {
        let (mut value, mut found) = (Vec::new(), Vec::new());
        while let Some(framed) = rows.next(&mut value).expect("readable") {
            found.push(match framed {
                Framed::Kept => String::from_utf8(value.clone()).expect("UTF-8"),
                _ => "null".to_owned(),
            });
        }
        found
    }

    #[test]
    fn a_row_is_an_object_of_its_columns_or_what_stands_in_one() {
        let mut rows = Rows::open(file(), None).expect("a file");
        assert_eq!(rows.column, Some(1));
        rows.column = None;
        let same = r#""at":"2026-10-26T07:33:20.123456Z","day":"2026-10-26T07:33:20.123000Z""#;
        let first = format!(
            r#"{{"Email":"zq\"@adatum.example","value":"{{\"a\":1}}",{same},"amount":"123.45","score":0.5,"lead":{{"source":"SPZA-INS|a.b"}}}}"#
        );
        let second = format!(r#"{{{same},"amount":"-0.05","score":null,"lead":{{}}}}"#);
        assert_eq!(all(rows), [first, second]);
        assert_eq!(all(Rows::open(file(), None).expect("a file")), ["{\"a\":1}", "null"]);
        assert_eq!(all(Rows::open(file(), Some("Email")).expect("a file")), ["zq\"@adatum.example", "null"]);
        for column in ["no", "score", "lead"] {
            assert!(Rows::open(file(), Some(column)).is_err(), "{column}");
        }
    }

    #[test]
    fn a_broken_file_is_an_error_whatever_is_broken_in_it() {
        use std::io::{Read as _, Seek as _, Write as _};
        let mut whole = Vec::new();
        let mut source = file();
        source.rewind().expect("a file");
        source.read_to_end(&mut whole).expect("readable");
        let mut told = 0;
        for place in (0..whole.len()).step_by(3) {
            let mut broken = whole.clone();
            broken[place] ^= 0x3c;
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(&broken).expect("written");
            let Ok(mut rows) = Rows::open(file, None) else {
                told += 1;
                continue;
            };
            let mut value = Vec::new();
            let mut count = 0;
            while let Ok(Some(_)) = rows.next(&mut value) {
                count += 1;
                assert!(count < 1000, "byte {place}");
            }
        }
        assert!(told > 0);
    }
}

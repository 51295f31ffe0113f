//! The schema an Avro container file was written with, and which bytes of each datum are a raw lead: all of them, or one column.
//! Reads no file and no datum.

use apache_avro::{Schema, schema::RecordSchema};

use super::{Node, NodeId, WriterSchema, fingerprint};

/// The column that holds raw leads where nobody names one: what Kafka Connect and warehouses call a record's value.
const USUAL_COLUMN: &str = "value";

/// The schema of a container file.
#[derive(Clone, Debug)]
pub struct ContainerSchema {
    /// As the file has it.
    pub text: String,
    /// CRC-64-AVRO of its canonical form, in the byte order of single-object encoding.
    pub fingerprint: [u8; 8],
    /// What a datum is read along.
    pub schema: WriterSchema,
    /// What of a datum is a raw lead.
    pub holds: Holds,
}

/// What of a datum is a raw lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The datum, by the writer's schema.
    Lead,
    /// The bytes of the datum, which is a text or bytes.
    Bytes,
    /// The bytes of the record's column at this place.
    Column(usize),
}

impl ContainerSchema {
    /// Reads the schema of a file. Raw leads stand in the column of this name, or else in the column `value`, or else the datum
    /// itself is one.
    ///
    /// # Errors
    /// Why no raw lead stands in it, for a person; at most a few hundred characters.
    pub fn parse(text: &str, column: Option<&str>) -> Result<Self, String> {
        let parsed = super::parsed(text)?;
        let anything = WriterSchema::of_anything(&parsed)?;
        let named = column.unwrap_or(USUAL_COLUMN);
        let place = match &parsed {
            Schema::Record(RecordSchema { fields, .. }) => fields.iter().position(|field| field.name == named),
            _ => None,
        };
        let (schema, holds) = match place.map(|place| (place, column_node(&anything, place))) {
            Some((place, Some(node))) if is_bytes(&anything, node) => (anything, Holds::Column(place)),
            Some(_) if column.is_some() => return Err(format!("its column {named:?} holds neither texts nor bytes")),
            None if column.is_some() => return Err(format!("it has no column {named:?}")),
            _ if is_bytes(&anything, anything.root()) => (anything, Holds::Bytes),
            _ => (WriterSchema::of_file(&parsed)?, Holds::Lead),
        };
        Ok(Self { text: text.to_owned(), fingerprint: fingerprint(&parsed), schema, holds })
    }
}

fn column_node(schema: &WriterSchema, place: usize) -> Option<NodeId> {
    match schema.node(schema.root()) {
        Node::Record(fields) => fields.get(place).map(|(_, node)| *node),
        _ => None,
    }
}

/// Whether there are texts or bytes at a node, or null.
fn is_bytes(schema: &WriterSchema, node: NodeId) -> bool {
    match schema.node(node) {
        Node::String | Node::Bytes => true,
        Node::Union(branches) => {
            let mut of_bytes = branches.iter().map(|branch| schema.node(*branch)).filter(|branch| **branch != Node::Null).peekable();
            of_bytes.peek().is_some() && of_bytes.all(|branch| matches!(branch, Node::String | Node::Bytes))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, column: Option<&str>) -> Result<Holds, String> {
        ContainerSchema::parse(text, column).map(|schema| schema.holds)
    }

    #[test]
    fn a_column_of_bytes_holds_raw_leads_and_any_other_record_has_to_be_one() {
        let connect = r#"{"type":"record","name":"Envelope","fields":[{"name":"key","type":"bytes"},{"name":"value","type":["null","bytes"]},
            {"name":"body","type":"string"}]}"#;
        assert_eq!(holds(connect, None), Ok(Holds::Column(1)));
        assert_eq!(holds(connect, Some("body")), Ok(Holds::Column(2)));
        assert_eq!(holds(connect, Some("no")), Err("it has no column \"no\"".to_owned()));
        let row =
            r#"{"type":"record","name":"Root","fields":[{"name":"email","type":["null","string"]},{"name":"value","type":"double"}]}"#;
        assert_eq!(holds(row, None), Ok(Holds::Lead));
        assert_eq!(holds(row, Some("value")), Err("its column \"value\" holds neither texts nor bytes".to_owned()));
        assert_eq!(holds("\"bytes\"", None), Ok(Holds::Bytes));
        assert_eq!(holds(r#"["null","string"]"#, None), Ok(Holds::Bytes));
        assert!(holds("\"int\"", None).is_err_and(|why| why.contains("does not resolve")));
        assert!(
            holds(r#"{"type":"record","name":"R","fields":[{"name":"amount","type":"int"}]}"#, None)
                .is_err_and(|why| why.contains("none of the fields"))
        );
    }
}

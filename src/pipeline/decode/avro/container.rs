//! Raw leads out of the blocks of Avro container files: where each datum ends, and which of its bytes are a raw lead. What such
//! a file and its blocks look like is the shell's.

use super::{super::Limits, datum::Datum};
use crate::{
    lead::Rejection,
    schemas::{ContainerSchema, Holds, Node},
};

/// A dead letter that was a datum of a container file has its writer's schema in this header, so that it can be decided again.
pub const WRITER_SCHEMA_HEADER: &str = "avro-writer-schema";

/// Deeper a datum cannot be passed over; what may be decided is bounded by `limits.depth`.
const DEEPEST: usize = 256;

/// The first datum of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstDatum<'a> {
    /// The bytes that are a raw lead; null where the column is.
    pub lead: Option<&'a [u8]>,
    /// The datums behind it.
    pub rest: &'a [u8],
}

/// Takes the first datum off a block.
///
/// # Errors
/// The bytes are no datum of the schema: what comes behind them cannot be found. For a person.
pub fn first_datum<'a>(schema: &ContainerSchema, block: &'a [u8]) -> Result<FirstDatum<'a>, String> {
    let taken = take(schema, block).map_err(|rejection| rejection.detail)?;
    if taken.rest.len() == block.len() {
        // As many as a count claims, for nothing.
        return Err("its datums have no bytes".to_owned());
    }
    Ok(taken)
}

fn take<'a>(schema: &ContainerSchema, block: &'a [u8]) -> Result<FirstDatum<'a>, Rejection> {
    let limits = Limits { depth: DEEPEST, ..Limits::default() };
    let mut datum = Datum::new(block, &schema.schema, &limits);
    let root = schema.schema.root();
    let lead = match schema.holds {
        Holds::Lead => {
            datum.skip(root, 1)?;
            block.get(..block.len() - datum.left())
        }
        Holds::Bytes => datum.bytes(root)?,
        Holds::Column(wanted) => {
            let Node::Record(fields) = schema.schema.node(root) else { return Err(super::malformed("it is no record")) };
            let mut lead = None;
            for (place, (_, node)) in fields.iter().enumerate() {
                if place == wanted {
                    lead = datum.bytes(*node)?;
                } else {
                    datum.skip(*node, 2)?;
                }
            }
            lead
        }
    };
    let rest = block.get(block.len() - datum.left()..).unwrap_or_default();
    Ok(FirstDatum { lead, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datums_are_taken_off_one_after_the_other_and_broken_ones_are_told() {
        let text = r#"{"type":"record","name":"Any","fields":[{"name":"email","type":"string"},
            {"name":"tags","type":{"type":"array","items":"int"}},{"name":"sure","type":["null","boolean"]}]}"#;
        let whole = ContainerSchema::parse(text, None).expect("a schema");
        let (first, second) = (b"\x04ab\x03\x04\x02\x04\x00\x00".as_slice(), b"\x00\x00\x02\x01".as_slice());
        let block = [first, second].concat();
        let taken = first_datum(&whole, &block).expect("a datum");
        assert_eq!(taken, FirstDatum { lead: Some(first), rest: second });
        assert_eq!(first_datum(&whole, second), Ok(FirstDatum { lead: Some(second), rest: b"" }));
        let column = ContainerSchema::parse(text, Some("email")).expect("a schema");
        assert_eq!(first_datum(&column, &block), Ok(FirstDatum { lead: Some(b"ab"), rest: second }));
        for broken in [b"".as_slice(), b"\x04a", b"\x00\x00\x04", b"\x00\x00\x02\x07", b"\x00\xfe\xff\xff\xff\x0f\x00"] {
            assert!(first_datum(&whole, broken).is_err(), "{broken:?}");
        }
        let empty = ContainerSchema::parse(r#"{"type":"record","name":"RawLead","fields":[{"name":"email","type":"null"}]}"#, None);
        assert_eq!(first_datum(&empty.expect("a schema"), b"\x00"), Err("its datums have no bytes".to_owned()));
    }
}

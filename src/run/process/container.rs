//! Events as Avro container files: the header and the blocks, by the released schemas. What is in a datum is the core's. No marker
//! and no size hangs on chance, so that the same leads give the same bytes.

use std::io::{self, Write as _};

use flate2::{Compression, write::DeflateEncoder};
use sha2::{Digest as _, Sha256};

use crate::{
    pipeline::OutputTopic,
    schemas::{RecordKind, Released},
};

/// Bytes before the datum in single-object encoding.
const FRAME: usize = 10;

/// The schema of a topic's events; dead letters have none.
pub(super) fn schema(topic: OutputTopic) -> Option<&'static Released> {
    let kind = match topic {
        OutputTopic::Qualified => RecordKind::QualifiedLead,
        OutputTopic::Unqualified => RecordKind::UnqualifiedLead,
        OutputTopic::Routing => RecordKind::LeadRouted,
        OutputTopic::DeadLetter | OutputTopic::Ledger => return None,
    };
    Some(kind.latest())
}

/// The datum of an event in single-object encoding.
pub(super) fn datum(value: &[u8]) -> &[u8] {
    value.get(FRAME..).unwrap_or_default()
}

/// What a file begins with.
pub(super) fn header(schema: &Released) -> Vec<u8> {
    let mut bytes = b"Obj\x01".to_vec();
    long(2, &mut bytes);
    for (key, value) in [("avro.codec", "deflate"), ("avro.schema", schema.text.trim())] {
        for text in [key, value] {
            long(text.len() as u64, &mut bytes);
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    long(0, &mut bytes);
    bytes.extend_from_slice(&marker(schema));
    bytes
}

/// Bytes of a block before it is packed, one datum more: a reader holds a block whole, whatever many leads a record has.
const BLOCK: usize = 1 << 20;

/// Datums as blocks; `ends` tells where each of them ends. Where blocks end hangs on the datums alone.
///
/// # Errors
/// Of packing into memory: none but a bug's.
pub(super) fn blocks(schema: &Released, ends: &[usize], datums: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(datums.len() / 4);
    let (mut start, mut count) = (0, 0);
    for (place, end) in ends.iter().enumerate() {
        count += 1;
        if end - start >= BLOCK || place + 1 == ends.len() {
            bytes.extend_from_slice(&block(schema, count, datums.get(start..*end).unwrap_or_default())?);
            (start, count) = (*end, 0);
        }
    }
    Ok(bytes)
}

/// A block of so many datums.
fn block(schema: &Released, count: u64, datums: &[u8]) -> io::Result<Vec<u8>> {
    let mut deflate = DeflateEncoder::new(Vec::with_capacity(datums.len() / 4), Compression::fast());
    deflate.write_all(datums)?;
    let packed = deflate.finish()?;
    let mut bytes = Vec::with_capacity(packed.len() + 32);
    long(count, &mut bytes);
    long(packed.len() as u64, &mut bytes);
    bytes.extend_from_slice(&packed);
    bytes.extend_from_slice(&marker(schema));
    Ok(bytes)
}

/// The marker behind each block: the same of a schema in every run. Its first byte stands in no text, so that nobody can have it
/// written into an event.
fn marker(schema: &Released) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(schema.text).into();
    let mut marker = [0xff; 16];
    marker.iter_mut().zip(digest).skip(1).for_each(|(byte, of_digest)| *byte = of_digest);
    marker
}

/// A zigzag varint.
fn long(value: u64, bytes: &mut Vec<u8>) {
    let mut rest = value << 1;
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_all_datums_and_none_is_much_larger_than_a_bound() {
        let schema = schema(OutputTopic::Routing).expect("one");
        let sizes: Vec<usize> = (0..40).map(|number| 1000 + number * 7_919 % 300_000).collect();
        let ends: Vec<usize> = sizes.iter().scan(0, |end, size| Some(*end + size).inspect(|sum| *end = *sum)).collect();
        let datums: Vec<u8> = (0..ends[39]).map(|at| u8::try_from(at % 251).expect("small")).collect();
        let bytes = blocks(schema, &ends, &datums).expect("packed");
        let read = |at: &mut usize| {
            let (mut value, mut shift) = (0_usize, 0);
            loop {
                let byte = usize::from(bytes[*at]);
                *at += 1;
                value |= (byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return value / 2;
                }
            }
        };
        let (mut at, mut count, mut whole, mut blocks) = (0, 0, Vec::new(), 0);
        while at < bytes.len() {
            count += read(&mut at);
            let size = read(&mut at);
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&bytes[at..at + size]), &mut unpacked).expect("deflate");
            assert!(unpacked.len() <= BLOCK + 301_000);
            whole.extend(unpacked);
            at += size;
            assert_eq!(bytes[at..at + 16], marker(schema));
            (at, blocks) = (at + 16, blocks + 1);
        }
        assert!(count == 40 && whole == datums && blocks > 3, "{count} datums in {blocks} blocks");
        assert!(super::blocks(schema, &[], &[]).expect("nothing").is_empty());
    }
}

//! Avro container files (Avro specification, "Object Container Files"): the header, then block by block. Bounded by a block, and a
//! block is bounded; a lead that stands as Avro goes on in single-object encoding. Which bytes of a datum are a lead, the core says.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
};

use flate2::read::DeflateDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::{Bytes, Records, framing::Framed};
use crate::{
    pipeline::first_datum,
    schemas::{ContainerSchema, Holds},
};

/// What such a file begins with.
pub(super) const MAGIC: &[u8] = b"Obj\x01";

/// Bytes a block may have, packed or not: writers make them of some ten thousand.
const LARGEST_BLOCK: usize = 64 << 20;
/// Bytes the header may have in one entry, and entries.
const LARGEST_ENTRY: usize = 8 << 20;
const MOST_ENTRIES: u64 = 1000;

/// Opens a value whose schema is told by its fingerprint.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// Whether a file's leads stand as Avro, behind a frame that says so.
pub(super) fn frames(schema: &ContainerSchema) -> bool {
    schema.holds == Holds::Lead
}

/// How blocks are packed.
#[derive(Clone, Copy, Debug)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// A file that is read.
pub(super) struct Container<'a> {
    reader: Bytes<'a>,
    schema: Arc<ContainerSchema>,
    codec: Codec,
    sync: [u8; 16],
    /// The block in hand, how far it is read, and how many datums are left in it.
    block: Vec<u8>,
    at: usize,
    left: u64,
}

impl<'a> Container<'a> {
    /// Reads the header. Leads stand in `column`, or where the schema tells.
    pub(super) fn open(mut reader: Bytes<'a>, column: Option<&str>) -> io::Result<Self> {
        let mut magic = [0; 4];
        exactly(&mut reader, &mut magic)?;
        let (mut schema, mut codec) = (None, Codec::Null);
        let mut entries = 0;
        loop {
            let count = long(&mut reader)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                // The size of the block, for those who pass over it.
                long(&mut reader)?;
            }
            for _ in 0..count.unsigned_abs() {
                entries += 1;
                if entries > MOST_ENTRIES {
                    return Err(broken("its header has too many entries"));
                }
                let key = entry(&mut reader)?;
                let value = entry(&mut reader)?;
                match key.as_slice() {
                    b"avro.schema" => schema = Some(value),
                    b"avro.codec" => codec = Codec::named(&value)?,
                    _ => {}
                }
            }
        }
        let schema = schema.ok_or_else(|| broken("its header has no avro.schema"))?;
        let text = std::str::from_utf8(&schema).map_err(|_| broken("its schema is not UTF-8"))?;
        let schema = ContainerSchema::parse(text, column).map_err(|why| {
            let hint = if column.is_some() { "" } else { "; where a column holds raw leads, name it (--column)" };
            // Nothing is wrong with the file: it is not one of leads, or another column was meant.
            let what = format!("Avro container file: no raw lead can be read by the schema in it: {why}{hint}");
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        let mut sync = [0; 16];
        exactly(&mut reader, &mut sync)?;
        Ok(Self { reader, schema: Arc::new(schema), codec, sync, block: Vec::new(), at: 0, left: 0 })
    }

    /// Reads the next block; `false`: there is none.
    fn next_block(&mut self) -> io::Result<bool> {
        if self.at < self.block.len() {
            return Err(broken("a block has bytes behind its last datum"));
        }
        if self.reader.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let count = long(&mut self.reader)?;
        self.left = u64::try_from(count).map_err(|_| broken("the count of a block is negative"))?;
        let size = usize::try_from(long(&mut self.reader)?).map_err(|_| broken("the size of a block is negative"))?;
        if size > LARGEST_BLOCK {
            return Err(too_large());
        }
        let packed = taken(&mut self.reader, size)?;
        let mut sync = [0; 16];
        exactly(&mut self.reader, &mut sync)?;
        if sync != self.sync {
            return Err(broken("what stands behind a block is not the file's sync marker"));
        }
        self.block = self.codec.unpack(packed)?;
        self.at = 0;
        Ok(true)
    }
}

impl Records for Container<'_> {
    fn next(&mut self, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
        while self.left == 0 {
            if !self.next_block()? {
                return Ok(None);
            }
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let first = first_datum(&self.schema, rest).map_err(|why| broken(&format!("its bytes do not fit its schema: {why}")))?;
        self.at = self.block.len() - first.rest.len();
        self.left -= 1;
        value.clear();
        let Some(lead) = first.lead else { return Ok(Some(Framed::Null)) };
        if frames(&self.schema) {
            value.extend_from_slice(&SINGLE_OBJECT);
            value.extend_from_slice(&self.schema.fingerprint);
        }
        value.extend_from_slice(lead);
        Ok(Some(Framed::Kept))
    }

    fn schema(&self) -> Option<&Arc<ContainerSchema>> {
        Some(&self.schema)
    }
}

impl Codec {
    fn named(name: &[u8]) -> io::Result<Self> {
        match name {
            b"null" | b"" => Ok(Self::Null),
            b"deflate" => Ok(Self::Deflate),
            b"snappy" => Ok(Self::Snappy),
            b"zstandard" => Ok(Self::Zstandard),
            other => {
                let name: String = String::from_utf8_lossy(other).chars().take(20).collect();
                let what = format!("Avro container file: its codec {name:?} is not read; null, deflate, snappy and zstandard are");
                Err(io::Error::new(io::ErrorKind::Unsupported, what))
            }
        }
    }

    fn unpack(self, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Null => Ok(packed),
            Self::Deflate => bounded(DeflateDecoder::new(packed.as_slice())),
            Self::Zstandard => {
                let decoder = StreamingDecoder::new(packed.as_slice()).map_err(|error| in_block(&error))?;
                bounded(decoder)
            }
            Self::Snappy => {
                // Behind the block stands the CRC-32 of what is in it, big-endian.
                let (packed, checksum) = packed.split_last_chunk::<4>().ok_or_else(|| broken("a snappy block has no checksum"))?;
                let size = snap::raw::decompress_len(packed).map_err(|error| in_block(&error))?;
                if size > LARGEST_BLOCK {
                    return Err(too_large());
                }
                let block = snap::raw::Decoder::new().decompress_vec(packed).map_err(|error| in_block(&error))?;
                if crc32fast::hash(&block) == u32::from_be_bytes(*checksum) {
                    Ok(block)
                } else {
                    Err(broken("the checksum of a block does not fit"))
                }
            }
        }
    }
}

/// All that comes out, unless that is too much.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::new();
    reader.take(LARGEST_BLOCK as u64 + 1).read_to_end(&mut block).map_err(|error| in_block(&error))?;
    if block.len() > LARGEST_BLOCK { Err(too_large()) } else { Ok(block) }
}

fn in_block(error: &dyn std::fmt::Display) -> io::Error {
    broken(&format!("a block cannot be unpacked: {error}"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("broken Avro container file: {what}"))
}

fn too_large() -> io::Error {
    broken(&format!("a block has more than {} MiB", LARGEST_BLOCK >> 20))
}

/// An end within the file.
fn cut(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(io::ErrorKind::InvalidData, "the Avro container file is cut off: copy or write it again");
    }
    error
}

fn exactly(reader: &mut Bytes<'_>, bytes: &mut [u8]) -> io::Result<()> {
    reader.read_exact(bytes).map_err(cut)
}

/// So many bytes, not allocated beforehand: a wrong size must not ask for more than there is.
fn taken(reader: &mut Bytes<'_>, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(size as u64).read_to_end(&mut bytes)?;
    if read == size { Ok(bytes) } else { Err(cut(io::ErrorKind::UnexpectedEof.into())) }
}

/// A key or a value of the header.
fn entry(reader: &mut Bytes<'_>) -> io::Result<Vec<u8>> {
    match usize::try_from(long(reader)?) {
        Ok(size) if size <= LARGEST_ENTRY => taken(reader, size),
        _ => Err(broken("an entry of its header is too large")),
    }
}

/// A zigzag varint.
fn long(reader: &mut Bytes<'_>) -> io::Result<i64> {
    let mut value: u64 = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        exactly(reader, &mut byte)?;
        let [byte] = byte;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()));
        }
    }
    Err(broken("a number has more than 64 bits"))
}

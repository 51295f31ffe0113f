//! Raw leads at rest: files and standard input, whatever they are packed in, cut into pieces in a fixed order. Knows how records
//! stand in files; what they mean, and what is done with them, is not known here.

mod container;
mod foreign;
mod framing;
mod listing;
mod packed;
#[cfg(feature = "parquet")]
mod rows;

pub(super) use listing::{FileState, Input, listed};

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Failure, FileReading, Framing};
use crate::{
    io::Batch,
    lead::{Partition, Position, Rejection, Timestamp, Vocabulary as _},
    pipeline::Limits,
    schemas::ContainerSchema,
};
use container::Container;
use framing::{Delimited, Framed};

/// Bytes of a piece, about: enough to make handing it to another thread worth its while, few enough that what comes of it is
/// not much either. Where pieces end hangs on the input alone.
const PIECE: usize = 1 << 18;
/// Records of a piece at most: what comes of one is never small, however small it is.
const PIECE_RECORDS: usize = 1024;

/// A place between two records of the inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Place {
    /// Number of the input.
    pub(super) input: usize,
    /// Number of its next record.
    pub(super) record: i64,
}

/// Records of one input that stand together.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Number of the input.
    pub(super) input: usize,
    /// The records; of those that are too large to be kept, without a value.
    pub(super) batch: Batch,
    /// Why those are rejected that were too large to be kept, by their place in the batch, in order.
    pub(super) oversize: Vec<(usize, Rejection)>,
    /// The schema their values were written with, if they come from an Avro container file.
    pub(super) schema: Option<Arc<ContainerSchema>>,
    /// Behind the last of them.
    pub(super) end: Place,
    /// Bytes of files, as they lie on the disk, that were read by then.
    pub(super) read: u64,
}

impl Piece {
    /// Why the record at a place of the batch is rejected unread, if it is.
    pub(super) fn rejection(&self, place: usize) -> Option<&Rejection> {
        let found = self.oversize.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        self.oversize.get(found).map(|(_, rejection)| rejection)
    }
}

/// What makes records of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings<'a> {
    /// When they were received.
    pub(super) now: Timestamp,
    pub(super) files: &'a FileReading,
    pub(super) limits: &'a Limits,
}

/// Reads one input's records, one by one.
trait Records {
    /// The next record's value into `value`; `None`: there is none.
    fn next(&mut self, value: &mut Vec<u8>) -> io::Result<Option<Framed>>;

    /// The schema that values were written with.
    fn schema(&self) -> Option<&Arc<ContainerSchema>> {
        None
    }
}

/// Hands on all records from `start` on, in order; `take` tells whether anybody still listens.
///
/// # Errors
/// 64 for an input that cannot be read, with about the record at which it goes wrong.
pub(super) fn read(inputs: &[Input], settings: Settings<'_>, start: Place, take: &mut dyn FnMut(Piece) -> bool) -> Result<(), Failure> {
    let bytes = Cell::new(0);
    for (number, input) in inputs.iter().enumerate().skip(start.input) {
        let first = if number == start.input { start.record } else { 0 };
        let mut at = 0;
        let went_on = pieces(number, input, settings, first, &mut at, &bytes, take).map_err(|error| {
            let place = if at == 0 { String::new() } else { format!(" at record {at}") };
            Failure::usage(format!("reading {}{place}: {error}", input.shown))
        })?;
        if !went_on {
            break;
        }
    }
    Ok(())
}

/// The pieces of one input from its record `first` on; `at` tells how far it is.
fn pieces(
    number: usize,
    input: &Input,
    settings: Settings<'_>,
    first: i64,
    at: &mut i64,
    bytes: &Cell<u64>,
    take: &mut dyn FnMut(Piece) -> bool,
) -> io::Result<bool> {
    let file = input.path().map(File::open).transpose()?;
    let mut records = open(input, file.as_ref(), settings, bytes)?;
    let schema = records.schema().cloned();
    let partition = Partition { topic: Arc::clone(&input.name), number: 0 };
    // A lead that stands as Avro says itself what it is.
    let format = settings.files.format.filter(|_| schema.as_ref().is_none_or(|schema| !container::frames(schema)));
    let format = format.map(|format| ("lead-format", Some(format.name().as_bytes())));
    let fresh = |record| Piece { input: number, schema: schema.clone(), end: Place { input: number, record }, ..Piece::default() };
    let (mut value, mut piece) = (Vec::new(), fresh(first));
    loop {
        let framed = match records.next(&mut value) {
            Ok(Some(framed)) => framed,
            Ok(None) => break,
            Err(error) => {
                // What stands before the fault is good.
                take(piece);
                return Err(error);
            }
        };
        let record = *at;
        *at += 1;
        if record < first {
            continue;
        }
        let kept = match framed {
            Framed::Kept => Some(value.as_slice()),
            Framed::Null => None,
            Framed::Oversize(oversize) => {
                piece.oversize.push((piece.batch.len(), oversize.rejection(settings.limits)));
                Some(&[][..])
            }
        };
        let position = Position { partition: partition.clone(), offset: record };
        piece.batch.push(position, settings.now, None, kept, format.into_iter());
        piece.end.record = *at;
        piece.read = bytes.get();
        let is_full = piece.batch.bytes() >= PIECE || piece.batch.len() >= PIECE_RECORDS;
        if is_full && !take(std::mem::replace(&mut piece, fresh(*at))) {
            return Ok(false);
        }
    }
    if *at < first {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("it had {first} records or more, and has {at} now")));
    }
    unchanged(input, file.as_ref())?;
    // The input is done, even where nothing stands behind the last piece.
    piece.end = Place { input: number + 1, record: 0 };
    piece.read = bytes.get();
    Ok(take(piece))
}

/// That a file which was read to its end is still as it was found: else nobody can tell what of it was read.
fn unchanged(input: &Input, file: Option<&File>) -> io::Result<()> {
    let now = file.map(File::metadata).transpose()?.map(|found| FileState::of(&found));
    if input.file.is_some() && input.file != now {
        return Err(io::Error::other("it has changed while it was read: start over once nobody writes it"));
    }
    Ok(())
}

fn open<'a>(input: &Input, file: Option<&File>, settings: Settings<'a>, bytes: &'a Cell<u64>) -> io::Result<Box<dyn Records + 'a>> {
    let plain: Bytes<'a> = match file {
        None => Box::new(io::stdin().lock()),
        Some(file) => Box::new(BufReader::with_capacity(1 << 18, Counted { file: file.try_clone()?, bytes })),
    };
    let (head, mut unpacked) = packed::unpacked(plain)?;
    let unreadable = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
    if head.is_empty()
        && let Some(path) = input.path()
        && is_never_empty(path)
    {
        return unreadable("it is empty, as no file of such a name is when it is whole: write it again".to_owned());
    }
    if head.starts_with(container::MAGIC) {
        return Ok(Box::new(Container::open(unpacked, settings.files.column.as_deref())?));
    }
    if head == PARQUET {
        return rows(file.filter(|_| input.file.is_some()), settings.files.column.as_deref(), bytes);
    }
    if let Some(column) = &settings.files.column {
        return unreadable(format!("it is neither Avro nor Parquet, and so has no column {column:?} (--column)"));
    }
    if settings.files.framing == Framing::Lines {
        let mut head = Vec::with_capacity(foreign::TELLING);
        Read::take(&mut unpacked, foreign::TELLING as u64).read_to_end(&mut head)?;
        if let Some(other) = foreign::other(&head) {
            return unreadable(other.to_owned());
        }
        unpacked = Box::new(io::Cursor::new(head).chain(unpacked));
    }
    Ok(Box::new(Delimited::new(settings.files.framing, unpacked, settings.limits.record_bytes)))
}

/// What a Parquet file begins with.
const PARQUET: &[u8] = b"PAR1";

/// The rows of a Parquet file, which is read from its end.
#[cfg(feature = "parquet")]
fn rows<'a>(file: Option<&File>, column: Option<&str>, bytes: &'a Cell<u64>) -> io::Result<Box<dyn Records + 'a>> {
    use io::Seek as _;
    let unreadable = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("Parquet is read from its end: {what}"));
    let mut file = file.ok_or_else(|| unreadable("give it as a file, not as a stream"))?;
    let mut magic = [0; 4];
    file.rewind()?;
    file.read_exact(&mut magic)?;
    if magic != PARQUET {
        return Err(unreadable("unpack the file first"));
    }
    bytes.set(bytes.get() + file.metadata()?.len());
    Ok(Box::new(rows::Rows::open(file.try_clone()?, column)?))
}

#[cfg(not(feature = "parquet"))]
fn rows<'a>(_: Option<&File>, _: Option<&str>, _: &'a Cell<u64>) -> io::Result<Box<dyn Records + 'a>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "it is a Parquet file, and this leadstream was built without Parquet"))
}

/// Bytes as they come, unpacked or not.
type Bytes<'a> = Box<dyn BufRead + 'a>;

/// Whether the name tells of a form that even without records has bytes.
fn is_never_empty(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| matches!(ending.as_str(), "gz" | "gzip" | "zst" | "zstd" | "avro" | "parquet"))
}

/// A file that counts what is read of it.
struct Counted<'a> {
    file: File,
    bytes: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

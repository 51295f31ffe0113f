//! Records out of a file or stream: one a line, or each after its length. Memory is bounded by the largest record that is
//! decided: a larger one is measured while it passes by. What a record means is not known here.

use std::io::{self, BufRead, Read};

use crate::pipeline::OversizeValue;

use super::{super::Framing, Bytes, Records};

/// One record as it was read.
pub(super) enum Framed {
    /// The value is in the buffer.
    Kept,
    /// There is a record, and its value is null.
    Null,
    /// It was too large to be kept.
    Oversize(OversizeValue),
}

/// Records by their lines or lengths.
pub(super) struct Delimited<'a> {
    framing: Framing,
    reader: Bytes<'a>,
    /// Bytes.
    largest: usize,
}

impl<'a> Delimited<'a> {
    /// Of records larger than `largest` bytes only the measures are kept.
    pub(super) fn new(framing: Framing, reader: Bytes<'a>, largest: usize) -> Self {
        Self { framing, reader, largest }
    }
}

impl Records for Delimited<'_> {
    fn next(&mut self, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
        next(self.framing, &mut *self.reader, self.largest, value)
    }
}

/// Reads the next record into `value`, which holds at most `largest` bytes. `None`: there is none.
///
/// # Errors
/// The reader's, and a record that ends before its length.
fn next(framing: Framing, reader: &mut dyn BufRead, largest: usize, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
    match framing {
        Framing::Lines => line(reader, largest, value),
        Framing::Length => after_length(reader, largest, value),
    }
}

/// The next line that is not blank, without its end.
fn line(reader: &mut dyn BufRead, largest: usize, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
    loop {
        value.clear();
        // Its end, `\r\n`, is read with it.
        let most = largest as u64 + 2;
        if Read::take(&mut *reader, most).read_until(b'\n', value)? == 0 {
            return Ok(None);
        }
        let is_whole = value.ends_with(b"\n") || reader.fill_buf()?.is_empty();
        if is_whole {
            while matches!(value.last(), Some(b'\n' | b'\r')) {
                value.pop();
            }
            if value.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Ok(Some(Framed::Kept));
        }
        let mut oversize = OversizeValue::default();
        oversize.add(value);
        loop {
            let piece = reader.fill_buf()?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let read = end.unwrap_or(piece.len());
            oversize.add(&piece[..read]);
            let used = read + usize::from(end.is_some());
            reader.consume(used);
            if end.is_some() || used == 0 {
                return Ok(Some(Framed::Oversize(oversize)));
            }
        }
    }
}

/// The next record after its length, u32 big-endian.
fn after_length(reader: &mut dyn BufRead, largest: usize, value: &mut Vec<u8>) -> io::Result<Option<Framed>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let cut = |what: String| io::Error::new(io::ErrorKind::UnexpectedEof, what);
    let mut length = [0; 4];
    reader.read_exact(&mut length).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => cut("the input ends within the length of its last record".to_owned()),
        _ => error,
    })?;
    let length = u64::from(u32::from_be_bytes(length));
    let ends_early = || cut(format!("the last record ends before its {length} bytes"));
    value.clear();
    if length <= largest as u64 {
        // Not allocated beforehand: a wrong length must not ask for more than there is.
        let read = reader.take(length).read_to_end(value)? as u64;
        return if read == length { Ok(Some(Framed::Kept)) } else { Err(ends_early()) };
    }
    let mut oversize = OversizeValue::default();
    let mut left = length;
    while left > 0 {
        let piece = reader.fill_buf()?;
        let used = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if used == 0 {
            return Err(ends_early());
        }
        oversize.add(&piece[..used]);
        reader.consume(used);
        left -= used as u64;
    }
    Ok(Some(Framed::Oversize(oversize)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Limits;

    fn all(framing: Framing, input: &[u8], largest: usize) -> Vec<String> {
        let mut reader = io::BufReader::with_capacity(3, input);
        let mut value = Vec::new();
        let mut records = Vec::new();
        while let Some(framed) = next(framing, &mut reader, largest, &mut value).expect("readable") {
            records.push(match framed {
                Framed::Kept => String::from_utf8_lossy(&value).into_owned(),
                Framed::Null => "null".to_owned(),
                Framed::Oversize(oversize) => {
                    let unkept = oversize.rejection(&Limits::default()).unkept.expect("not kept");
                    format!("{} {:02x}{:02x} {}", unkept.size, unkept.sha256[0], unkept.sha256[1], unkept.is_test)
                }
            });
        }
        records
    }

    #[test]
    fn lines_are_records_and_blank_ones_are_none() {
        assert_eq!(all(Framing::Lines, b"abc\r\n\n \nde\nf", 3), ["abc", "de", "f"]);
        // SHA-256 of "abcdef" begins with bef5.
        assert_eq!(all(Framing::Lines, b"abcdef\nx\nabcdef", 3), ["6 bef5 false", "x", "6 bef5 false"]);
        assert_eq!(all(Framing::Lines, b"....msft_TEST_1\n", 2).len(), 1);
        assert!(all(Framing::Lines, b"....msft_TEST_1\n", 2)[0].ends_with("true"));
    }

    #[test]
    fn records_after_their_length_may_hold_anything() {
        let framed = |value: &[u8]| [&u32::try_from(value.len()).expect("short").to_be_bytes(), value].concat();
        let input = [framed(b"a\nb"), framed(b""), framed(b"abcdef"), framed(b"x")].concat();
        assert_eq!(all(Framing::Length, &input, 3), ["a\nb", "", "6 bef5 false", "x"]);
        let mut value = Vec::new();
        for cut in [&input[..2], &input[..5], &input[..input.len() - 7]] {
            let mut reader = cut;
            let end = loop {
                match next(Framing::Length, &mut reader, 3, &mut value) {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert!(end.is_err(), "{} bytes", cut.len());
        }
    }
}

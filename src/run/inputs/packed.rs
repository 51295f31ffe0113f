//! gzip and zstd, told by what a file begins with, whatever it is called; several members or frames, one after the other, are one
//! text. What is cut off or broken is an error, never a shorter text; nothing is held but the window of the format.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::Bytes;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A frame to be passed over, which parallel compressors put first: `50` to `5f`, then this.
const ZSTD_SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];

/// So often something may be packed: a file that unpacks into itself must come to an end.
const MOST_LAYERS: usize = 3;

/// What it begins with once it is unpacked (four bytes, or all there are), and the whole.
///
/// # Errors
/// The reader's, a stream that is cut off or broken, or one that is packed more often than anybody does.
pub(super) fn unpacked(mut reader: Bytes<'_>) -> io::Result<(Vec<u8>, Bytes<'_>)> {
    for _ in 0..=MOST_LAYERS {
        let mut head = Vec::with_capacity(4);
        // A pipe gives what it has, which may be less.
        Read::take(&mut reader, 4).read_to_end(&mut head)?;
        let whole: Bytes<'_> = Box::new(Cursor::new(head.clone()).chain(reader));
        if head.starts_with(GZIP) {
            let unpacked = Told { what: "gzip", reader: MultiGzDecoder::new(whole) };
            reader = Box::new(BufReader::with_capacity(1 << 16, unpacked));
        } else if is_zstd(&head) {
            let unpacked = Told { what: "zstd", reader: Frames { reader: whole, decoder: FrameDecoder::new(), within: false } };
            reader = Box::new(BufReader::with_capacity(1 << 16, unpacked));
        } else {
            return Ok((head, whole));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is packed more than {MOST_LAYERS} times over")))
}

fn is_zstd(head: &[u8]) -> bool {
    head == ZSTD || (head.first().is_some_and(|first| first >> 4 == 5) && head.get(1..) == Some(ZSTD_SKIPPED))
}

/// Names the format in its errors.
struct Told<R> {
    what: &'static str,
    reader: R,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let what = self.what;
            let text = if error.kind() == io::ErrorKind::UnexpectedEof {
                format!("its {what} stream is cut off: copy or write it again")
            } else {
                format!("its {what} stream is broken: {error}")
            };
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }
}

/// All frames of a zstd stream, with their checksums.
struct Frames<R> {
    reader: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within {
                if self.reader.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.within = self.enter()?;
                continue;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if self.decoder.is_finished() {
                let told = self.decoder.get_checksum_from_data();
                if told.is_some() && told != self.decoder.get_calculated_checksum() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a checksum does not fit"));
                }
                self.within = false;
            } else {
                self.decoder.decode_blocks(&mut self.reader, BlockDecodingStrategy::UptoBlocks(1)).map_err(|error| told(&error))?;
            }
        }
    }
}

impl<R: BufRead> Frames<R> {
    /// Enters the frame that begins here; `false`: it was one that holds nothing, and was passed over.
    fn enter(&mut self) -> io::Result<bool> {
        match self.decoder.reset(&mut self.reader) {
            Ok(()) => Ok(true),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                let skipped = io::copy(&mut Read::take(&mut self.reader, length), &mut io::sink())?;
                if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(false) }
            }
            Err(error) => Err(told(&error)),
        }
    }
}

/// An end that comes too early is one, however deep the library has wrapped it.
fn told(error: &FrameDecoderError) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<io::Error>() {
            Some(inner) if inner.kind() == io::ErrorKind::UnexpectedEof => return io::ErrorKind::UnexpectedEof.into(),
            _ => cause = inner.source(),
        }
    }
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("finished")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    /// Three bytes at a time, as a slow pipe has it.
    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (head, mut whole) = unpacked(Box::new(BufReader::with_capacity(3, bytes))).map_err(|error| error.to_string())?;
        let mut text = Vec::new();
        whole.read_to_end(&mut text).map_err(|error| error.to_string())?;
        assert_eq!(head, text[..text.len().min(4)]);
        Ok(text)
    }

    #[test]
    fn what_is_packed_is_told_by_its_bytes() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for pack in [gzip, zstd] {
            let members = [pack(&text), pack(b""), pack(b"end")].concat();
            assert_eq!(read(&members).as_deref(), Ok(&[&text[..], b"end"].concat()[..]));
            assert_eq!(read(&gzip(&members)).as_deref(), Ok(&[&text[..], b"end"].concat()[..]));
            assert_eq!(read(&pack(b"")).as_deref(), Ok(&[][..]));
        }
        assert_eq!(read(&[skipped.clone(), zstd(&text), skipped].concat()).as_deref(), Ok(&text[..]));
        for plain in [&b""[..], b"{", b"{}\n{}\n", &[0x1f], &[0x28, 0xb5, 0x2f]] {
            assert_eq!(read(plain).as_deref(), Ok(plain));
        }
        assert_eq!(read(&gzip(&gzip(&gzip(&gzip(b"deep"))))), Err("it is packed more than 3 times over".to_owned()));
    }

    #[test]
    fn what_is_cut_off_or_broken_is_an_error_at_every_byte() {
        let text: Vec<u8> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
        for (pack, what) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
            let one = pack(&text);
            let packed = [one.clone(), pack(b"end")].concat();
            for length in (4..packed.len()).filter(|length| *length != one.len()) {
                let told = read(&packed[..length]).expect_err("cut off");
                assert_eq!(told, format!("its {what} stream is cut off: copy or write it again"), "{length} bytes");
            }
            let mut broken = one.clone();
            let last = broken.len() - 9;
            broken[last] ^= 0x55;
            assert!(read(&broken).is_err(), "{what}");
            assert!(read(&[&one[..], b"left behind"].concat()).expect_err("what is behind it").starts_with("its "), "{what}");
        }
    }
}

//! Files that people hand over in place of lines and that are none: told by their first bytes, with what makes lines of them. Else every
//! line of them would be a dead letter.

/// As many bytes tell.
pub(super) const TELLING: usize = 262;

/// Where an archive of tar says that it is one.
const TAR: std::ops::Range<usize> = 257..262;

/// What the file is instead, and what to do.
pub(super) fn other(head: &[u8]) -> Option<&'static str> {
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let utf16 = match head {
        [0xff, 0xfe, one, 0, ..] | [0xfe, 0xff, 0, one, ..] => is_text(*one),
        [one, 0, other, 0, ..] | [0, one, 0, other, ..] => is_text(*one) && is_text(*other),
        _ => false,
    };
    if utf16 {
        return Some("it is UTF-16, and lines are read as UTF-8: `iconv -f UTF-16 -t UTF-8 FILE | leadstream process -` reads it");
    }
    if matches!(head, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, b'{' | b'[', ..] | [b'{' | b'[', 0, 0, 0, ..]) {
        return Some("it is UTF-32, and lines are read as UTF-8: `iconv -f UTF-32 -t UTF-8 FILE | leadstream process -` reads it");
    }
    if head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY") {
        return Some("it is compressed by bzip2, which is not read: `bzcat FILE | leadstream process -` reads it");
    }
    if head.starts_with(b"\xfd7zXZ\0") {
        return Some("it is compressed by xz, which is not read: `xzcat FILE | leadstream process -` reads it");
    }
    if head.starts_with(b"7z\xbc\xaf\x27\x1c") {
        return Some("it is a 7z archive: unpack it first; `7z x -so FILE | leadstream process -` reads what is in it");
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some("it is a zip archive: unpack it first; `unzip -p FILE | leadstream process -` reads what is in it");
    }
    if head.get(TAR) == Some(b"ustar") {
        return Some("it is a tar archive: unpack it first; `tar -xOf FILE | leadstream process -` reads what is in it");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lines_is_told_with_what_makes_lines_of_it() {
        let utf16 = |big: bool, text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        for big in [false, true] {
            for text in ["{\"a\": 1}", "\u{feff}{\"a\": 1}"] {
                assert!(other(&utf16(big, text)).is_some_and(|told| told.contains("iconv")), "{big} {text:?}");
            }
        }
        let utf32 = |text: &str| -> Vec<u8> { text.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect() };
        for text in ["{\"a\": 1}", "\u{feff}{\"a\": 1}"] {
            assert!(other(&utf32(text)).is_some_and(|told| told.contains("UTF-32")), "{text:?}");
        }
        assert!(other(b"BZh91AY&SY\x01\x02").is_some_and(|told| told.contains("bzcat")));
        assert!(other(b"\xfd7zXZ\0\0\x04").is_some_and(|told| told.contains("xzcat")));
        assert!(other(b"7z\xbc\xaf\x27\x1c\0\x04").is_some_and(|told| told.contains("7z x")));
        assert!(other(b"PK\x03\x04\x14\0").is_some_and(|told| told.contains("unzip")));
        let tar = [&[b'a'; 257][..], b"ustar\x0000"].concat();
        assert!(other(&tar).is_some_and(|told| told.contains("tar -x")));
        for lines in [&b"{}"[..], b"", b"\xef\xbb\xbf{\"a\": 1}", b"\0\0\0\0\x07abc", b"\xff\xfe\xfd\xfc", b"PK"] {
            assert_eq!(other(lines), None, "{lines:?}");
        }
    }
}

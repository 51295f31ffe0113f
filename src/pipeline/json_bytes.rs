//! How far a JSON string goes without an escape: bytes are looked at eight together. For whoever reads JSON and whoever writes it; what is
//! done with the rest is theirs.

/// How many bytes from here are neither a quote nor a backslash nor a control character.
pub(super) fn ordinary(bytes: &[u8]) -> usize {
    let mut passed = 0;
    let mut rest = bytes;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        if let Some(at) = first_extraordinary(*eight) {
            return passed + at;
        }
        (passed, rest) = (passed + 8, behind);
    }
    // The last eight once more, since all but the end of them is known to be ordinary: short texts are the most.
    match bytes.last_chunk() {
        Some(eight) if !rest.is_empty() => first_extraordinary(*eight).map_or(bytes.len(), |at| bytes.len() - 8 + at),
        _ => passed + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count(),
    }
}

/// Whether no byte is a quote, a backslash or a control character.
#[inline]
pub(super) fn is_ordinary(bytes: &[u8]) -> bool {
    // The ends of a short text lie over each other rather than that bytes are looked at one by one.
    if let Some(last) = bytes.last_chunk() {
        let (mut rest, mut found) = (bytes, extraordinary(*last));
        while let Some((eight, behind)) = rest.split_first_chunk()
            && found == 0
        {
            (rest, found) = (behind, extraordinary(*eight));
        }
        return found == 0;
    }
    if let Some((&[a, b, c, d], &[e, f, g, h])) = bytes.first_chunk::<4>().zip(bytes.last_chunk::<4>()) {
        return extraordinary([a, b, c, d, e, f, g, h]) == 0;
    }
    bytes.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
}

/// The place of the first of eight bytes that is a quote, a backslash or a control character.
fn first_extraordinary(eight: [u8; 8]) -> Option<usize> {
    let found = extraordinary(eight);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// The highest bit of the first of eight bytes that is a quote, a backslash or a control character, and maybe those of bytes above it.
fn extraordinary(eight: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The highest bit of each byte that is below a bound; above the first of them, of others too.
    let below = |bytes: u64, bound: u8| bytes.wrapping_sub(ONES * u64::from(bound)) & !bytes;
    let eight = u64::from_le_bytes(eight);
    let is_one = |mark: u8| below(eight ^ (ONES * u64::from(mark)), 1);
    (below(eight, 0x20) | is_one(b'"') | is_one(b'\\')) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_needs_an_escape_is_found_wherever_it_lies() {
        for length in 0..40 {
            for at in 0..=length {
                for mark in 0..=u8::MAX {
                    let mut bytes = vec![0xc3; length];
                    if let Some(place) = bytes.get_mut(at) {
                        *place = mark;
                    }
                    let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(length);
                    assert_eq!(ordinary(&bytes), expected, "{bytes:?}");
                    assert_eq!(is_ordinary(&bytes), expected == length, "{bytes:?}");
                }
            }
        }
    }
}

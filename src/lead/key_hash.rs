//! Where Kafka's own clients put a key: the hash of Java's default partitioner, which librdkafka calls `murmur2`. A key's
//! partition is `key_hash(key) % partitions`. What has no key is not placed here.

/// `MurmurHash2` by Austin Appleby with the seed of Kafka's clients, without its sign: 31 bits.
#[must_use]
pub fn key_hash(key: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mix = |word: u32| {
        let word = word.wrapping_mul(FACTOR);
        (word ^ word >> 24).wrapping_mul(FACTOR)
    };
    let mut hash = 0x9747_b28c ^ u32::try_from(key.len()).unwrap_or(u32::MAX);
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_mul(FACTOR) ^ mix(u32::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(FACTOR);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(FACTOR);
    (hash ^ hash >> 15) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_kafkas_clients() {
        // As Kafka's own tests have them.
        let known: [(&str, i32); 7] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("", 275_646_681),
        ];
        for (key, hash) in known {
            assert_eq!(key_hash(key.as_bytes()).cast_signed(), hash & i32::MAX, "{key}");
        }
    }
}

//! Any bytes, of which nothing is said, or that they are lines: arrays, lines, list replies, events, whatever is in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    leadstream_fuzz::record(&[], data);
    leadstream_fuzz::record(&[("content-type", b"application/x-ndjson")], data);
});

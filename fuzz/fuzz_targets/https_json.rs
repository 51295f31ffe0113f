//! Any bytes, said to be `https_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leadstream_fuzz::record(&[("lead-format", b"https_json")], data));

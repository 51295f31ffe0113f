//! Any bytes, said to be `azure_table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leadstream_fuzz::record(&[("lead-format", b"azure_table")], data));

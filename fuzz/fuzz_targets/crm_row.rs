//! Any bytes, said to be `crm_row`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leadstream_fuzz::record(&[("lead-format", b"crm_row")], data));

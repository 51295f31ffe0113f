//! Any bytes, said to be `salesforce_form`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leadstream_fuzz::record(&[("lead-format", b"salesforce_form")], data));

//! Any bytes, said to be `partner_center_webhook`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leadstream_fuzz::record(&[("lead-format", b"partner_center_webhook")], data));

//! Any text for a `LeadSource`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| leadstream_fuzz::lead_source(text));

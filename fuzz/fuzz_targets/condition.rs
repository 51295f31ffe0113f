//! Any text for a condition.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| leadstream_fuzz::condition(text));

//! Any text up to the first NUL as a registry's schema, and any bytes after it as a datum of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (schema, datum) = data.split_at(cut);
    leadstream_fuzz::by_schema(&String::from_utf8_lossy(schema), datum.get(1..).unwrap_or_default());
});

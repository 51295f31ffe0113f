//! Any bytes, as a datum of the released `RawLead`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let fingerprint = leadstream::schemas::RecordKind::RawLead.latest().fingerprint;
    leadstream_fuzz::record(&[], &[&[0xc3, 0x01][..], &fingerprint, data].concat());
});

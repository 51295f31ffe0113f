//! The events that the golden leads become, as subscribers see them: for tests that ask what is true of every event.

use std::{fs, path::Path};

use leadstream::schemas::RecordKind;
use serde_json::Value;

use super::core::decide;

/// The golden leads' bytes, in the order of their folders.
pub(crate) fn golden_inputs() -> Vec<Vec<u8>> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<_> = fs::read_dir(golden).expect("the goldens").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let input = |folder| {
        let mut files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        fs::read(files.find(|path| path.file_stem().is_some_and(|stem| stem == "input")).expect("an input")).expect("bytes")
    };
    folders.into_iter().map(input).collect()
}

/// Every event of the golden leads, with its record.
pub(crate) fn golden_events() -> Vec<(RecordKind, Value)> {
    let mut events = Vec::new();
    for input in golden_inputs() {
        for output in decide(&input).0 {
            let kind = match output.topic.as_str() {
                "leads.qualified" => RecordKind::QualifiedLead,
                "leads.unqualified" => RecordKind::UnqualifiedLead,
                "leads.routing" => RecordKind::LeadRouted,
                _ => continue,
            };
            events.push((kind, output.json()));
        }
    }
    events
}

//! The events that the golden leads become, as subscribers see them: for tests that ask what is true of every event.

use std::{fs, path::Path};

use leadstream::schemas::RecordKind;
use serde_json::Value;

use super::core::decide;

/// Every event of the golden leads, with its record.
pub(crate) fn golden_events() -> Vec<(RecordKind, Value)> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<_> = fs::read_dir(golden).expect("the goldens").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let mut events = Vec::new();
    for folder in folders {
        let mut files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let input = files.find(|path| path.file_stem().is_some_and(|stem| stem == "input")).expect("an input");
        for output in decide(&fs::read(input).expect("bytes")).0 {
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

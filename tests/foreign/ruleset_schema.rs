//! The JSON Schema of ruleset files, by an outside validator that reads TOML as an editor does: the rulesets that there are, and
//! some with a slip.

use std::{fs, path::Path};

use leadstream::rules::DEFAULT;

use crate::python;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/rules/ruleset.schema.json");

/// What the validator says of a file.
fn judged(file: &Path) -> (bool, String) {
    let file = file.to_str().expect("a path");
    python::judged(&["-m", "check_jsonschema", "--schemafile", SCHEMA, file], "")
}

#[test]
fn the_schema_is_one() {
    python::run(&["-m", "check_jsonschema", "--check-metaschema", SCHEMA], "");
}

#[test]
fn rulesets_that_load_are_valid() {
    for ruleset in ["deploy/rules/default", "tests/fixtures/rulesets/acme", "tests/fixtures/rulesets/base"] {
        let (good, told) = judged(&Path::new(env!("CARGO_MANIFEST_DIR")).join(ruleset).join("ruleset.toml"));
        assert!(good, "{ruleset}: {told}");
    }
}

#[test]
fn slips_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ruleset.toml");
    for (right, wrong, told) in [
        ("[policy]", "[polcy]", "polcy"),
        ("reason = \"spam\"", "raeson = \"spam\"", "raeson"),
        ("part = \"fit\"", "part = \"fitt\"", "fitt"),
        ("threshold = 0", "threshold = \"0\"", "threshold"),
        ("late_after = \"6h\"", "late_after = \"6 hours\"", "late_after"),
        ("action = \"CREATE\"", "action = \"CRAETE\"", "CRAETE"),
    ] {
        assert!(DEFAULT.contains(right), "{right}");
        fs::write(&file, DEFAULT.replace(right, wrong)).expect("written");
        let (good, said) = judged(&file);
        assert!(!good && said.contains(told), "{wrong}: {said}");
    }
}

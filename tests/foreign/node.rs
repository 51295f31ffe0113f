//! Scripts of `tests/foreign/node`, run by Node.js with the packages that `node.sh` fetches.

use std::{path::Path, process::Command};

/// How a script ends that has found something; 1 is Node's own, for a script that is wrong itself.
const FOUND: i32 = 3;

/// Whether the script was content, and what it said.
pub(crate) fn run(script: &str, arguments: &[&Path]) -> (bool, String) {
    let shell = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/node.sh");
    let output = Command::new("sh").arg(shell).args(["run", script]).args(arguments).output().expect("a shell is there");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => (true, told),
        Some(FOUND) => (false, told),
        other => panic!("{script} ended with {other:?}: {told}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

//! Scripts of `tests/foreign/python`, and modules, run by Python with the packages that `python.sh` fetches.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

/// What a script says of what it is given on its standard input; panics with its words when it is not content.
pub(crate) fn run(arguments: &[&str], input: &str) -> String {
    let (good, told) = judged(arguments, input);
    assert!(good, "{arguments:?}: {told}");
    told
}

/// Whether a script was content, and what it said: on standard output, and where it was not, on both.
pub(crate) fn judged(arguments: &[&str], input: &str) -> (bool, String) {
    let shell = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/python.sh");
    let mut child = Command::new("sh")
        .arg(shell)
        .arg("run")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell is there");
    let mut stdin = child.stdin.take().expect("piped");
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).expect("it reads"));
        child.wait_with_output().expect("it ends")
    });
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { (true, told) } else { (false, told + &String::from_utf8_lossy(&output.stderr)) }
}

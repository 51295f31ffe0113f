//! Files that only other programs run, judged by their linters: the image, the compose file, the workflows, the service of systemd,
//! the shell scripts. None of them is run here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{deployment::root, python};

/// A program of the Python environment, or one that finds those.
fn program(arguments: &[&str]) -> (bool, String) {
    python::judged(&[&["program.py"], arguments].concat(), "")
}

fn path(relative: &str) -> String {
    root().join(relative).display().to_string()
}

/// The text of a file with `old` put for `new`, in a file of its own.
fn broken(folder: &Path, file: &str, old: &str, new: &str) -> PathBuf {
    let text = fs::read_to_string(root().join(file)).expect("readable");
    assert!(text.contains(old), "{file} has no {old}");
    let broken = folder.join(Path::new(file).file_name().expect("a name"));
    fs::write(&broken, text.replacen(old, new, 1)).expect("written");
    broken
}

#[test]
fn hadolint_takes_the_image_s_file() {
    let (good, told) = program(&["hadolint", &path("deploy/Dockerfile")]);
    assert!(good && told.is_empty(), "{told}");
    let folder = tempfile::tempdir().expect("a folder");
    let broken = broken(folder.path(), "deploy/Dockerfile", "debian:12.12-slim", "debian");
    let (good, told) = program(&["hadolint", &broken.display().to_string()]);
    assert!(!good && told.contains("DL3006"), "{told}");
}

#[test]
fn the_compose_file_and_the_workflows_fit_their_schemas() {
    let check = |schema: &str, file: &str| python::judged(&["-m", "check_jsonschema", "--builtin-schema", schema, file], "");
    for (schema, file) in [
        ("vendor.compose-spec", "docker-compose.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.github-workflows", ".github/workflows/release.yml"),
        ("custom.github-workflows-require-timeout", ".github/workflows/ci.yml"),
        ("custom.github-workflows-require-timeout", ".github/workflows/release.yml"),
    ] {
        let (good, told) = check(schema, &path(file));
        assert!(good, "{file}: {told}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let broken = broken(folder.path(), "docker-compose.yml", "condition: service_healthy", "condition: service_well");
    assert!(!check("vendor.compose-spec", &broken.display().to_string()).0);
}

#[test]
fn actionlint_and_zizmor_take_the_workflows_whose_actions_are_pinned() {
    let (ci, release) = (path(".github/workflows/ci.yml"), path(".github/workflows/release.yml"));
    let actionlint = path("tests/foreign/go.sh");
    let lint = |files: &[&str]| program(&[&["sh", &actionlint, "run", "actionlint", "-no-color"], files].concat());
    let (good, told) = lint(&[&ci, &release]);
    assert!(good && told.is_empty(), "{told}");
    let (good, told) = program(&["zizmor", "--offline", "--no-progress", &ci, &release]);
    assert!(good, "{told}");

    let folder = tempfile::tempdir().expect("a folder");
    let one = broken(folder.path(), ".github/workflows/ci.yml", "github.sha", "github.sah").display().to_string();
    let (good, told) = lint(&[&one]);
    assert!(!good && told.contains("sah"), "{told}");
    let two = broken(folder.path(), ".github/workflows/ci.yml", "08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5").display().to_string();
    let (good, told) = program(&["zizmor", "--offline", "--no-progress", &two]);
    assert!(!good && told.contains("unpinned"), "{told}");
}

#[test]
fn shellcheck_takes_the_scripts() {
    for script in ["deploy/kafka/acls.sh", "deploy/kubernetes/monitoring.sh", "tests/foreign/go.sh", "tests/foreign/java.sh"] {
        let (good, told) = program(&["shellcheck", &path(script)]);
        assert!(good, "{script}: {told}");
    }
}

/// What systemd says of a unit.
fn analyzed(arguments: &[&str], unit: &Path) -> (bool, String) {
    let output = Command::new("systemd-analyze").args(arguments).arg(unit).output().expect("systemd-analyze runs: .ci/packages test");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), told)
}

const UNIT: &str = "deploy/systemd/leadstream.service";
/// Systemd's own figure, from 0 (nothing is open) to 100.
const THRESHOLD: &str = "--threshold=15";

#[test]
fn systemd_takes_the_service_and_finds_little_of_it_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = env!("CARGO_BIN_EXE_leadstream");
    let unit = broken(folder.path(), UNIT, "ExecStart=/usr/local/bin/leadstream", &format!("ExecStart={binary}"));
    let (good, told) = analyzed(&["verify", "--man=no"], &unit);
    assert!(good && told.is_empty(), "{told}");
    let (good, told) = analyzed(&["security", "--offline=true", "--no-pager", THRESHOLD], &unit);
    assert!(good, "{told}");

    let open = broken(folder.path(), UNIT, "CapabilityBoundingSet=\n", "");
    assert!(!analyzed(&["security", "--offline=true", "--no-pager", THRESHOLD], &open).0, "a hole is seen");
    let wrong = broken(folder.path(), UNIT, "ProtectSystem=strict", "ProtectSystems=strict");
    let (_, told) = analyzed(&["verify", "--man=no"], &wrong);
    assert!(told.contains("ProtectSystems"), "{told}");
}

#[test]
fn leadstream_takes_the_variables_and_the_secrets_that_systemd_hands_over() {
    let text = fs::read_to_string(root().join(UNIT)).expect("readable");
    let folder = tempfile::tempdir().expect("a folder");
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).expect("made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.env_clear().args(["check", "--json", "--config"]).arg(root().join("deploy/config/reference.toml"));
    command.args(["--set", "kafka.client.security.protocol=SASL_SSL", "--set", "kafka.client.sasl.mechanism=SCRAM-SHA-512"]);
    command.args(["--set", "kafka.client.sasl.username=leadstream"]);
    for line in text.lines().filter_map(|line| line.strip_prefix("Environment=")) {
        let (name, value) = line.trim_matches('"').split_once('=').expect("NAME=value");
        command.env(name, value.replace("%d", &credentials.display().to_string()).replace("%l", "host-1"));
    }
    let missing = command.output().expect("it runs");
    assert_eq!(missing.status.code(), Some(1), "secrets that are not there are missed");
    for line in text.lines().filter_map(|line| line.strip_prefix("LoadCredential=")) {
        let (name, source) = line.split_once(':').expect("NAME:PATH");
        assert!(source.starts_with("/etc/leadstream/secrets/"), "{source}");
        fs::write(credentials.join(name), "zq-made-up-secret-of-a-test\n").expect("written");
    }
    let output = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("\"problems\":[]"), "{told}");
}

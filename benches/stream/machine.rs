//! The machine the figures are of, as /proc tells of it.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

/// Where Cargo puts what it makes.
pub(crate) fn target() -> PathBuf {
    // The folder for temporary files of tests lies in it.
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder above").to_owned()
}

/// Cores, model, kernel, memory, and what stands beside them.
pub(crate) fn described() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: Option<u64> = field(&memory, "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse().ok());
    json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "model": field(&cpu, "model name"),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "memory_gib": kib.map(|kib| kib.div_ceil(1 << 20)),
        "java": said("java", "-version"),
        "python": said("python3", "--version"),
        "librdkafka": rdkafka::util::get_rdkafka_version().1,
    })
}

/// The first line a program says of itself.
fn said(program: &str, flag: &str) -> Option<String> {
    let said = Command::new(program).arg(flag).output().ok()?;
    let text = [said.stdout, said.stderr].concat();
    String::from_utf8_lossy(&text).lines().next().map(str::to_owned)
}

/// How busy the machine was over the last minute, in cores.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

//! Many records through `leadstream process` by a pipe, with nothing kept: whether its memory stays where it is.

use std::{
    fs,
    io::{BufWriter, Write as _},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Options,
    figures::{Level, growth},
    load::CORPUS,
    machine, process,
    samples::memory,
    waiting::{Enough, let_pass},
};

/// Between two samples.
const PAUSE: Duration = Duration::from_millis(250);
/// Parts of it.
const PARTS: usize = 5;

/// Feeds so many records; what speaks against what was seen.
pub(crate) fn run(options: &Options, records: u64) -> Vec<String> {
    let folder = tempfile::Builder::new().prefix("leadstream-soak-").tempdir().expect("a temporary folder");
    let summary = folder.path().join("summary.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(["process", "-", "--output", "-", "--quiet", "--summary"]).arg(&summary);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = BufWriter::with_capacity(1 << 16, child.stdin.take().expect("piped"));
    let (id, over, fed) = (child.id(), Enough::default(), AtomicU64::new(0));
    let (the_over, the_fed) = (&over, &fed);
    let samples = thread::scope(|scope| {
        let until = over.when_dropped();
        let sampler = scope.spawn(move || {
            let mut samples = Vec::new();
            while !the_over.said() {
                samples.push((the_fed.load(Ordering::Relaxed), memory(id)));
                let_pass(PAUSE);
            }
            samples
        });
        let mut value = String::new();
        for number in 0..records {
            CORPUS.lead(number, &mut value);
            value.push('\n');
            pipe.write_all(value.as_bytes()).expect("it reads");
            fed.store(number + 1, Ordering::Relaxed);
        }
        drop(until);
        sampler.join().expect("the samples")
    });
    let (peak, cpu) = (process::peak_memory(id), process::cpu(id));
    drop(pipe);
    let status = child.wait().expect("it is ours");
    let seconds = started.elapsed().as_secs_f64();
    let told: Value = serde_json::from_str(&fs::read_to_string(summary).unwrap_or_default()).unwrap_or_default();
    let fifths: Vec<_> = (0..PARTS as u64).map(|number| (number * records / 5, (number + 1) * records / 5)).collect();
    let levels: Vec<_> = fifths
        .iter()
        .map(|(from, to)| Level::of(samples.iter().filter(|(fed, _)| (*from..*to).contains(fed)).map(|(_, memory)| *memory)))
        .collect();
    println!("{records} records, {seconds:.0} s, {cpu:.0} s of CPU, most memory ever {peak:.1} MiB; load {:.1}", machine::load());
    println!("\n| million records | RSS MiB, median (most) |\n|---|---|");
    for ((from, to), level) in fifths.iter().zip(&levels) {
        println!("| {:.0}–{:.0} | {:.1} ({:.1}) |", *from as f64 / 1e6, *to as f64 / 1e6, level.median, level.most);
    }
    let mut complaints = Vec::new();
    if !status.success() || told["records"].as_u64() != Some(records) {
        complaints.push(format!("process ended with {status} and told of {}", told["records"]));
    }
    let grown = growth(levels[1].median, levels[PARTS - 1].median);
    if grown.is_nan() || grown > options.growth {
        complaints.push(format!("memory grew by {grown:.1} % from the second fifth to the last; {} % may be", options.growth));
    }
    let all = json!({
        "machine": machine::described(), "beside": options.beside, "records": records, "seconds": seconds, "cpu_seconds": cpu,
        "peak_mib": peak, "fifths": levels.iter().map(|level| level.json()).collect::<Vec<_>>(), "complaints": complaints,
    });
    super::report::put(&options.json, &all);
    complaints
}

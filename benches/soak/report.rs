//! The figures as one JSON file and as tables that stand in the documents as they are.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};

use super::{
    Options,
    deeds::{Deed, Kind},
    figures::{Fifth, Soak},
    machine,
    samples::Sample,
};

/// Writes the file and prints the tables.
pub(crate) fn write(options: &Options, soak: &Soak) {
    println!("\n{}", lines(options, soak));
    println!("{}", table(soak));
    println!("{}", alerts(soak));
    let measured = &soak.measured;
    let slope = |of: fn(&Fifth) -> f64| {
        let (first, second) = soak.slope(of);
        json!({ "first_to_last_percent": first, "second_to_last_percent": second })
    };
    let all = json!({
        "machine": machine::described(),
        "beside": options.beside,
        "minutes": options.minutes,
        "share_percent": options.share,
        "lanes": options.lanes,
        "partitions": options.partitions,
        "borne_leads_a_second": measured.borne,
        "leads_a_second": measured.rate,
        "bytes_on_disk_a_lead": measured.bytes,
        "leads": measured.sent,
        "sent_late_seconds": measured.late,
        "peak_mib": soak.peak,
        "fifths": soak.fifths.iter().map(Fifth::json).collect::<Vec<_>>(),
        "growth": {
            "rss": slope(|fifth| fifth.resident.median), "anonymous": slope(|fifth| fifth.anonymous.median),
            "handles": slope(|fifth| fifth.handles.median), "threads": slope(|fifth| fifth.threads.median),
            "p50": slope(|fifth| f64::from(fifth.calm.p50)), "p99": slope(|fifth| f64::from(fifth.calm.p99)),
        },
        "deeds": measured.deeds.iter().map(Deed::json).collect::<Vec<_>>(),
        "alerts": soak.alerts.json(),
        "verify": { "exit": soak.verified.exit, "seconds": soak.verified.seconds, "report": soak.verified.report },
        "complaints": soak.complaints,
        "samples": measured.samples.iter().map(Sample::json).collect::<Vec<_>>(),
    });
    put(&options.json, &all);
}

/// Puts figures into a file.
pub(crate) fn put(file: &Path, figures: &Value) {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).expect("a folder for the figures");
    }
    let text = serde_json::to_string_pretty(figures).expect("JSON");
    fs::write(file, text + "\n").expect("the figures are written");
    eprintln!("figures: {}", file.display());
}

fn lines(options: &Options, soak: &Soak) -> String {
    let (measured, machine) = (&soak.measured, machine::described());
    let word = |name: &str| machine[name].as_str().map_or_else(|| machine[name].to_string(), str::to_owned);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    measured.deeds.iter().for_each(|deed| *counts.entry(deed.kind.name()).or_default() += 1);
    let deeds: Vec<_> = counts.iter().map(|(what, times)| format!("{what} ({times})")).collect();
    let stalls: f64 = measured.deeds.iter().filter(|deed| deed.kind == Kind::Stall).map(|deed| deed.to - deed.from).sum();
    let report = &soak.verified.report;
    let count = |name: &str| report[name].as_u64().unwrap_or_default();
    format!(
        "{} minutes, {} lanes, {} partitions; {:.0} leads/s are borne, {} were sent, {} in all, of {:.0} bytes on disk each.\n\
         {} cores of {}, Linux {}, {} GiB; {}; beside: {}\n\
         Done: {}; {stalls:.0} s of stalls; the client sent {:.1} s late at most.\n\
         `verify` after {:.0} s: exit {}; {} records, {} accounted, {} entries.\n\
         Most memory ever: {:.0} MiB. Scrapes: {}, of which {} failed; replaced producers: {:?}; unaccounted: {}.\n",
        options.minutes,
        options.lanes,
        options.partitions,
        measured.borne,
        measured.rate,
        measured.sent,
        measured.bytes,
        word("cores"),
        word("model"),
        word("kernel"),
        word("memory_gib"),
        word("java"),
        if options.beside.is_empty() { "not told" } else { &options.beside },
        deeds.join(", "),
        measured.late,
        soak.verified.seconds,
        soak.verified.exit,
        count("records"),
        count("accounted"),
        count("entries"),
        soak.peak,
        soak.alerts.scrapes,
        soak.alerts.failed,
        soak.alerts.recycles,
        soak.alerts.unaccounted,
    )
}

fn table(soak: &Soak) -> String {
    let mut text =
        "| minutes | leads/s | RSS MiB, median (most) | handles | threads | CPU s/M | p50 / p99 ms, undisturbed | with all | load \
                    average |\n|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for fifth in &soak.fifths {
        let _ = writeln!(
            text,
            "| {:.0}–{:.0} | {:.0} | {:.1} ({:.1}) | {:.0} ({:.0}) | {:.0} ({:.0}) | {:.1} | {} / {} | {} / {} | {:.1} |",
            fifth.from / 60.0,
            fifth.to / 60.0,
            fifth.leads_a_second,
            fifth.resident.median,
            fifth.resident.most,
            fifth.handles.median,
            fifth.handles.most,
            fifth.threads.median,
            fifth.threads.most,
            fifth.cpu,
            fifth.calm.p50,
            fifth.calm.p99,
            fifth.all.p50,
            fifth.all.p99,
            fifth.busy,
        );
    }
    let shown = |of: fn(&Fifth) -> f64| {
        let (first, second) = soak.slope(of);
        format!("{first:+.1} % / {second:+.1} %")
    };
    let _ = writeln!(
        text,
        "| first / second to last | | {} | {} | {} | | {} (p50) | | |",
        shown(|fifth| fifth.resident.median),
        shown(|fifth| fifth.handles.median),
        shown(|fifth| fifth.threads.median),
        shown(|fifth| f64::from(fifth.calm.p50)),
    );
    text
}

fn alerts(soak: &Soak) -> String {
    let mut text = "| alert | of | from s | to s | because |\n|---|---|---|---|---|\n".to_owned();
    for alert in &soak.alerts.fired {
        let because = alert.because.unwrap_or("**nothing that was done**");
        let _ = writeln!(text, "| `{}` | {} | {:.0} | {:.0} | {because} |", alert.name, alert.of, alert.from, alert.to);
    }
    for silent in &soak.alerts.silent {
        let _ = writeln!(text, "\nDid not fire: {silent}");
    }
    text
}

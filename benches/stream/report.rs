//! The figures as one JSON file and as tables that stand in the documents as they are.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::{Value, json};

use super::{
    Options,
    contender::Contender,
    figures::{self, Figure, Goal, Measured, Spread},
    further::Further,
    ground::{COMMIT_MS, Ground},
    machine,
    throughput::Run,
};

/// Writes the file and prints the tables.
pub(crate) fn write(
    options: &Options,
    ground: &Ground,
    measured: &BTreeMap<Contender, Measured>,
    further: Option<&Further>,
    complaints: &[String],
) {
    let goals = figures::goals(measured, further);
    let machine = machine::described();
    println!("\n{}", table(measured));
    println!("{}", lines(options, ground, &machine));
    if !options.smoke {
        println!("{}", goals_table(&goals));
    }
    let contenders: serde_json::Map<String, Value> =
        measured.iter().map(|(contender, measured)| (contender.name().to_owned(), figures_of(*contender, measured))).collect();
    let all = json!({
        "machine": machine,
        "beside": options.beside,
        "load_at_the_end": machine::load(),
        "leads": options.leads,
        "rounds": options.rounds,
        "lanes": options.lanes,
        "partitions": options.partitions,
        "commit_interval_ms": COMMIT_MS,
        "fresh_phones": options.fresh_phones,
        "contenders": contenders,
        "further": further.map(Further::json),
        "goals": goals.iter().map(Goal::json).collect::<Vec<_>>(),
        "differences": complaints,
    });
    if let Some(folder) = options.json.parent() {
        fs::create_dir_all(folder).expect("a folder for the figures");
    }
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    fs::write(&options.json, text + "\n").expect("the figures are written");
    eprintln!("figures: {}", options.json.display());
}

const FIGURES: [(&str, Figure); 8] = [
    ("leads_a_second", |run| run.leads_a_second),
    ("steady_leads_a_second", |run| run.steady_leads_a_second),
    ("cpu_seconds_a_million", |run| run.cpu_whole),
    ("cpu_seconds_a_million_without_start", |run| run.cpu_without_start),
    ("cpu_seconds_a_million_steady", |run| run.cpu_steady),
    ("broker_cpu_seconds_a_million", |run| run.broker),
    ("memory_mib", |run| run.memory),
    ("start_seconds", |run| run.start_seconds),
];

fn figures_of(contender: Contender, measured: &Measured) -> Value {
    let over = FIGURES.map(|(name, figure)| (name.to_owned(), measured.over(figure).json()));
    json!({
        "what": contender.described(),
        "over_all_rounds": Value::Object(over.into_iter().collect()),
        "latency": measured.latency.as_ref().map(super::latency::Latency::json),
        "rounds": measured.runs.iter().map(Run::json).collect::<Vec<_>>(),
    })
}

fn table(measured: &BTreeMap<Contender, Measured>) -> String {
    let mut text = "| contender | leads/s | steady | CPU s/M, whole | steady | broker CPU s/M | RSS MiB | p50 / p99 ms at half load |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let thousands = |spread: Spread| format!("{:.0} k ({:.0}–{:.0})", spread.median / 1e3, spread.least / 1e3, spread.most / 1e3);
    let seconds = |spread: Spread| format!("{:.1} ({:.1}–{:.1})", spread.median, spread.least, spread.most);
    for (contender, measured) in measured {
        let latency = measured.latency.as_ref().map_or_else(|| "–".to_owned(), |seen| format!("{:.0} / {:.0}", seen.p50, seen.p99));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {:.0} | {latency} |",
            contender.described(),
            thousands(measured.leads_a_second()),
            thousands(measured.over(|run| run.steady_leads_a_second)),
            seconds(measured.over(|run| run.cpu_whole)),
            seconds(measured.over(|run| run.cpu_steady)),
            seconds(measured.over(|run| run.broker)),
            measured.over(|run| run.memory).most,
        );
    }
    text
}

fn lines(options: &Options, ground: &Ground, machine: &Value) -> String {
    let sums = ground.template.sums(options.leads);
    let leads = options.leads as f64;
    let records: u64 = sums.iter().map(|(records, _)| records).sum();
    let bytes: u64 = sums.iter().map(|(_, bytes)| bytes).sum();
    let word = |name: &str| machine.get(name).map_or_else(String::new, |value| value.as_str().map_or(value.to_string(), str::to_owned));
    let (records, bytes) = (records as f64 / leads, bytes as f64 / leads);
    format!(
        "{} leads, {} rounds, {} lanes, {} partitions a topic, a commit each {COMMIT_MS} ms; {records:.2} records and {bytes:.0} bytes \
         out a lead.\n{} cores of {}, Linux {}, {} GiB; {}; load at the end {:.1}; beside: {}\n",
        options.leads,
        options.rounds,
        options.lanes,
        options.partitions,
        word("cores"),
        word("model"),
        word("kernel"),
        word("memory_gib"),
        word("java"),
        machine::load(),
        if options.beside.is_empty() { "not told" } else { &options.beside },
    )
}

fn goals_table(goals: &[Goal]) -> String {
    let mut text = "| | goal | found | |\n|---|---|---|---|\n".to_owned();
    for Goal { what, wanted, found, reached } in goals {
        let _ = writeln!(text, "| {what} | {wanted} | {found} | {} |", if *reached { "reached" } else { "missed" });
    }
    text
}

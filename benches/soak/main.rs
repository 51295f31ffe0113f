//! Half an hour under load while the broker stalls, the rules change and a second process comes and goes: whether memory, file
//! handles, threads and latency stay where they are, and whether the alerts say what was done and no more:
//! `cargo bench --bench soak`. README.md tells what is done; the figures are in docs/performance.md.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
// Counts and times far below 2^52.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod alerts;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/broker.rs"]
mod broker;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/clients.rs"]
mod clients;
#[path = "../stream/corpus.rs"]
mod corpus;
mod deeds;
mod figures;
mod ground;
mod latency;
mod load;
#[path = "../stream/machine.rs"]
mod machine;
#[allow(dead_code)] // most of it is the other bench's
#[path = "../stream/process.rs"]
mod process;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/prometheus.rs"]
mod prometheus;
mod report;
#[allow(dead_code)] // what is on trial is the storm's
#[path = "../../tests/storm/ruleset.rs"]
mod ruleset;
mod samples;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/service.rs"]
mod service;
mod stdin;
#[allow(dead_code)] // most of it is the other bench's
#[path = "../stream/template.rs"]
mod template;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/waiting.rs"]
mod waiting;

use std::{path::PathBuf, process::ExitCode, thread, time::Duration};

use clap::Parser;

use alerts::Alerts;
use broker::Broker;
use deeds::Conduct;
use figures::{Measured, Soak};
use ground::Ground;
use load::{Clock, Load};
use prometheus::Prometheus;
use waiting::Enough;

/// How long, and how hard.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo bench --bench soak --")]
pub(crate) struct Options {
    /// Minutes under load, without what comes before and after.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// The load, in percent of what the machine was found to bear.
    #[arg(long, default_value_t = 70)]
    share: u64,
    /// Leads a second at most, whatever the machine bears.
    #[arg(long)]
    most: Option<u64>,
    /// Lanes of the process that is looked at.
    #[arg(long, default_value_t = 8)]
    lanes: usize,
    /// Partitions of the raw topic.
    #[arg(long, default_value_t = 64)]
    partitions: i32,
    /// Instead: so many records into `leadstream process` by a pipe.
    #[arg(long)]
    records: Option<u64>,
    /// By how many percent memory may be larger in the last fifth than in the second.
    #[arg(long, default_value_t = 10.0)]
    growth: f64,
    /// Where the figures go, as JSON; tables are printed beside.
    #[arg(long, default_value_os_t = machine::target().join("soak/figures.json"))]
    json: PathBuf,
    /// What ran beside, for whoever reads the figures.
    #[arg(long, default_value = "")]
    beside: String,
    /// Given by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let complaints = match options.records {
        Some(records) => stdin::run(&options, records),
        None => soak(&options),
    };
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All of it; what speaks against what was seen.
fn soak(options: &Options) -> Vec<String> {
    let mut broker = Broker::started();
    let ground = Ground::raised(options, &broker);
    let prometheus = Prometheus::scraping(&ground.ports);
    let mut looked_at = ground.start_main();
    looked_at.wait_ready();
    let id = looked_at.id();
    let load = Load::on(&ground.scene, options.partitions);
    let over = Enough::default();
    let seconds = options.minutes * 60;
    let (the_load, the_ground, until_over) = (&load, &ground, &over);
    let measured = thread::scope(|scope| {
        let until = over.when_dropped();
        scope.spawn(move || the_load.watch(until_over));
        let borne = load.borne();
        load.wait_decided(|| looked_at.assert_runs());
        let (rate, bytes) = ground.load_for(borne, load.sent());
        eprintln!(
            "{borne:.0} leads/s are borne, of {bytes:.0} bytes on disk each; the load: {rate} leads/s for {} minutes",
            options.minutes
        );
        let clock = Clock::started();
        let looking = scope.spawn(move || samples::taken(id, the_load, clock, until_over));
        let reader = scope.spawn(move || latency::read(&the_ground.scene, clock, until_over));
        let writer = scope.spawn(move || the_load.pace(clock, rate, seconds));
        let mut conduct = Conduct::new(&mut broker, &ground, clock);
        conduct.run(seconds as f64, || looked_at.assert_runs());
        let deeds = conduct.done();
        let late = writer.join().expect("the writer");
        load.wait_decided(|| looked_at.assert_runs());
        drop(until);
        let (samples, latencies) = (looking.join().expect("the samples"), reader.join().expect("the reader"));
        Measured { borne, rate, bytes, clock, seconds: seconds as f64, late, sent: load.sent(), deeds, samples, latencies }
    });
    let peak = process::peak_memory(id);
    let alerts = Alerts::seen(&prometheus, &ground, &measured);
    looked_at.terminate();
    let exit = looked_at.exit_within(Duration::from_mins(1));
    eprintln!("verifying {} leads", measured.sent);
    let verified = ground.verified();
    let soak = Soak::of(options, measured, alerts, verified, (peak, exit));
    report::write(options, &soak);
    soak.complaints
}

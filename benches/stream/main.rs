//! What leadstream costs on a real Kafka, beside a bare pass-through, Kafka Streams and Python on the same leads with the same
//! outputs: `cargo bench --bench stream`. README.md tells what is compared; the figures are in docs/performance.md.
// Measuring is not deciding: what goes wrong here may end here.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
// Counts and times far below 2^52.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/broker.rs"]
mod broker;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/clients.rs"]
mod clients;
mod contender;
mod corpus;
mod figures;
mod further;
mod ground;
mod latency;
mod machine;
mod outputs;
mod own_lane;
mod pass_through;
mod process;
mod report;
mod template;
mod throughput;
#[allow(dead_code)] // most of it is the tests'
#[path = "../../tests/kafka/waiting.rs"]
mod waiting;

use std::{collections::BTreeMap, path::PathBuf};

use clap::Parser;

use contender::{Contender, Peers};
use figures::Measured;
use ground::Ground;

/// What is measured, and how long.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo bench --bench stream --")]
pub(crate) struct Options {
    /// Leads that each contender decides in each round.
    #[arg(long, default_value_t = 1_000_000)]
    leads: u64,
    /// Rounds; in each, every contender has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these: plain, sleeping, own-lane, run, run-alo, streams, streams-alo, python.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Another build of `leadstream` than the one beside this bench.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Lanes (threads with a consumer and a producer) of each but Python.
    #[arg(long, default_value_t = 2)]
    lanes: usize,
    /// Partitions of each topic.
    #[arg(long, default_value_t = 8)]
    partitions: i32,
    /// Seconds at half load that count; as many before them do not. 0: no latencies.
    #[arg(long, default_value_t = 10)]
    latency_seconds: u64,
    /// Every lead has a phone number of its own; else the same come again and again.
    #[arg(long)]
    fresh_phones: bool,
    /// Without memory at 64 partitions and the time of a start.
    #[arg(long)]
    no_further: bool,
    /// A few thousand leads, one round, nothing but the count: whether it works.
    #[arg(long)]
    smoke: bool,
    /// Where the figures go, as JSON; a table is printed beside.
    #[arg(long, default_value_os_t = machine::target().join("stream/figures.json"))]
    json: PathBuf,
    /// What ran beside, for whoever reads the figures.
    #[arg(long, default_value = "")]
    beside: String,
    /// Given by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    // A contender of ours runs in a process of its own, as the others do.
    match std::env::args().nth(1).as_deref() {
        Some("pass-through") => return pass_through::main(),
        Some("own-lane") => return own_lane::main(),
        _ => {}
    }
    let mut options = Options::parse();
    if options.smoke {
        options = Options { leads: options.leads.min(8_000), rounds: 1, latency_seconds: 0, no_further: true, ..options };
    }
    let chosen: Vec<_> = Contender::ALL.into_iter().filter(|one| options.only.is_empty() || options.only.contains(one)).collect();
    let peers = Peers::fetched(&chosen, options.program.clone());
    let ground = Ground::raised(&options, peers);
    let mut measured: BTreeMap<Contender, Measured> = chosen.iter().map(|one| (*one, Measured::default())).collect();
    if !options.smoke {
        // The broker compiles itself too: what it learns here counts for nobody.
        eprintln!("warming the broker");
        throughput::run(&ground, chosen[0]);
    }
    for round in 1..=options.rounds {
        for contender in &chosen {
            let run = throughput::run(&ground, *contender);
            eprintln!("round {round}: {}", run.line(*contender));
            measured.get_mut(contender).expect("chosen").runs.push(run);
        }
    }
    let complaints = figures::differences(&ground, &measured);
    if options.latency_seconds > 0 {
        for (contender, measured) in &mut measured {
            let half = (measured.leads_a_second().median / 2.0) as u64;
            let latency = latency::run(&ground, *contender, half);
            eprintln!("half load: {}", latency.line(*contender));
            measured.latency = Some(latency);
        }
    }
    let further = (!options.no_further).then(|| further::run(&ground));
    report::write(&options, &ground, &measured, further.as_ref(), &complaints);
    assert!(complaints.is_empty(), "not everybody wrote the same:\n{}", complaints.join("\n"));
    eprintln!("all wrote the same");
}

//! The storm: leads under load while everything goes wrong, then calm, then an account of every lead. `make storm MINUTES=10`
//! is the long form; without arguments it is short, on one broker with a fixed seed and on three with a fresh one. Prints one
//! line of figures a storm; exits with 1 when a promise was broken. What is counted as broken: `oracle`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
// What it shares with the other tests serves them too; the unit tests of what is only here run with them (`tests/kafka`).
#![allow(dead_code, unused_imports)]

mod check;
mod conduct;
mod figures;
mod fleet;
mod ground;
mod metrics;
mod obligations;
mod oracle;
mod phases;
mod ruleset;
mod schedule;

#[path = "../kafka/broker.rs"]
mod broker;
#[path = "../kafka/clients.rs"]
mod clients;
#[path = "../kafka/fake_registry.rs"]
mod fake_registry;
#[path = "../kafka/leads.rs"]
mod leads;
#[path = "../kafka/proxy.rs"]
mod proxy;
#[path = "../kafka/service.rs"]
mod service;
#[path = "../kafka/waiting.rs"]
mod waiting;

use std::{process::ExitCode, time::Duration};

use figures::Figures;
use phases::{Wish, storm};
use schedule::Climate;

/// A longer time is cut into storms of this length, each on brokers of its own.
const LONGEST: Duration = Duration::from_mins(10);
/// What one process may take, in MiB.
const MEMORY: u64 = 128;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let of = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        let value = arguments.get(at + 1).unwrap_or_else(|| panic!("{name} needs a value"));
        Some(value.parse::<u64>().unwrap_or_else(|_| panic!("{name} needs a number, not {value:?}")))
    };
    // `cargo test NAME` asks every test binary for its tests of that name.
    let named = arguments.first().filter(|first| !first.starts_with('-'));
    if named.is_some_and(|name| !"storm".contains(name.as_str())) || arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let fresh = leads::Dice::seed() % 1_000_000;
    let a_second = u32::try_from(of("--rate").unwrap_or(400)).expect("a rate");
    let wish = |seed, nodes: u64, seconds| Wish {
        seed,
        nodes: usize::try_from(nodes).expect("a few"),
        length: Duration::from_secs(seconds),
        a_second,
        only: arguments.iter().position(|argument| argument == "--only").and_then(|at| arguments.get(at + 1).cloned()),
    };
    let wishes = match of("--minutes") {
        Some(minutes) => vec![wish(of("--seed").unwrap_or(fresh), of("--nodes").unwrap_or(1), minutes * 60)],
        None => vec![wish(1, 1, 90), wish(fresh, 3, 90)],
    };
    // The second is held too when the first broke.
    let held = wishes.iter().map(weather).filter(|held| !held).count() == 0;
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One storm after the other until the time is over; whether all promises were kept.
fn weather(wish: &Wish) -> bool {
    println!("storm: seed {}, {} brokers, {} s", wish.seed, wish.nodes, wish.length.as_secs());
    let mut all = Figures::default();
    let mut left = wish.length;
    let mut seed = wish.seed;
    while !left.is_zero() {
        let length = left.min(LONGEST);
        left -= length;
        let one = storm(&Wish { seed, length, ..wish.clone() });
        let setting = format!("{} brokers, {}", wish.nodes, Climate::of(seed).name());
        println!("{}", one.line(seed, &setting, MEMORY));
        one.complaints().iter().for_each(|complaint| eprintln!("{complaint}"));
        all.add(&one);
        seed += 1;
    }
    if all.storms > 1 {
        println!("{}", all.line(wish.seed, &format!("{} brokers, all storms", wish.nodes), MEMORY));
    }
    all.held(MEMORY)
}

//! What only leadstream is asked for: its memory where there are many partitions, and how soon a process with large tables
//! decides.

use std::{
    fmt::Write as _,
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{clients::Group, contender::Contender, figures::Spread, ground::Ground, process, throughput};

const PARTITIONS: i32 = 64;
/// Leads on them, at most.
const LEADS: u64 = 500_000;
/// Rows of the table of accounts.
const ACCOUNTS: u32 = 1_000_000;

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Further {
    /// The most memory a process had, MiB.
    pub(crate) memory: f64,
    /// Seconds from its start to its first lead committed.
    pub(crate) start: Spread,
    /// The most memory a process with these tables had, MiB.
    pub(crate) memory_with_tables: f64,
}

impl Further {
    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "memory_at_64_partitions_mib": self.memory,
            "start_with_a_million_accounts_seconds": self.start.json(),
            "memory_with_a_million_accounts_mib": self.memory_with_tables,
        })
    }
}

/// Asks for both.
pub(crate) fn run(ground: &Ground) -> Further {
    let memory = many_partitions(ground);
    let folder = tempfile::Builder::new().prefix("leadstream-bench-tables-").tempdir().expect("a temporary folder");
    let mut rows = "domain,name,owner\n".to_owned();
    for number in 0..ACCOUNTS {
        let _ = writeln!(rows, "company-{number:07}.example,Company {number:07} Ltd,owner-{:03}", number % 500);
    }
    fs::write(folder.path().join("accounts.csv"), rows).expect("written");
    let mut memories = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..ground.options.rounds {
        let mut stage = ground.stage();
        stage.tables = Some(folder.path().to_owned());
        let group = Group::of(ground.brokers(), stage.group(), &stage.raw);
        let started = Instant::now();
        let mut running = ground.start(Contender::Run, &stage);
        while group.done() == 0 {
            running.assert_runs();
            thread::sleep(Duration::from_millis(5));
        }
        starts.push(started.elapsed().as_secs_f64());
        memories.push(process::peak_memory(running.id()));
        running.stop();
        ground.clear(&stage);
    }
    let further = Further { memory, start: Spread::of(starts.into_iter()), memory_with_tables: Spread::of(memories.into_iter()).most };
    eprintln!("memory at {PARTITIONS} partitions {memory:.0} MiB; start with {ACCOUNTS} accounts {:.2} s", further.start.median);
    further
}

fn many_partitions(ground: &Ground) -> f64 {
    let (raw, leads) = ("bench.many", ground.options.leads.min(LEADS));
    ground.fill(raw, PARTITIONS, leads);
    let stage = ground.stage_on(raw);
    let mut running = ground.start(Contender::Run, &stage);
    throughput::looks(ground, &stage, &mut running, leads);
    let memory = process::peak_memory(running.id());
    running.stop();
    ground.clear(&stage);
    memory
}

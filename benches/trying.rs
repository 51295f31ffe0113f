//! What a lead costs with rulesets on trial beside the live one (the figures of `docs/trying.md`): read, decided and encoded with
//! no, one and eight shadows, and with a canary's split. Run it with `cargo bench --no-default-features --bench trying`. Tests
//! nothing.
// Measuring is not deciding: what goes wrong here may end here, and what was measured is printed.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::{sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, Throughput};
use leadstream::{
    config::DeadLetterGuard,
    io::{Abort, Batch, BatchLimits, Committed, MemoryLane, NoRegistry, Observer, ShadowTally, Tally},
    lead::{Outcome, Partition, Position, Timestamp},
    pipeline::{self, Canary, EncodeSettings, Limits, Live, Memory, NoTrace, OutputBuffer, PersonKey, Pipeline, Share, Split, Trials},
    rules::{DEFAULT, Ruleset},
    run::{
        ShadowBudget,
        drive::{DriveSettings, drive},
    },
    tables::Tables,
};

/// As many leads as a batch of a busy lane has.
const LEADS: usize = 1_000;

fn lead(number: usize) -> String {
    let source = ["SPZA-INS|cedar.planner", "AzurePortal-Create|cedar.vm", "SPZA-PLT|cedar.planner"][number % 3];
    let user = format!(
        r#"{{"firstName":"Ada","lastName":"Brandt {number}","email":"ada.brandt{number}@cedar-labs.example","phone":"14255550{:03}","country":"DE","company":"Cedar Labs GmbH","title":"CTO"}}"#,
        number % 1000
    );
    format!(r#"{{"userDetails":{user},"leadSource":"{source}","description":"?utm_source=web&utm_campaign=Spring"}}"#)
}

/// The built-in rules under another name, with one more gate.
fn candidate(number: usize) -> Arc<Ruleset> {
    let text = DEFAULT.replacen("version = \"1\"", &format!("version = \"candidate-{number}\""), 1);
    let gate =
        "[[gate]]\nid = 'more'\nwhen = 'contact.country == \"DE\" && contact.seniority == \"STAFF\"'\nreason = 'country_not_allowed'\n";
    Arc::new(Ruleset::parse(&format!("{text}\n{gate}")).expect("a ruleset"))
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let pipeline = Pipeline {
        rules: Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"),
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::default(),
        encoding: EncodeSettings::default(),
    };
    let received_at = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    let partition = Partition { topic: "leads.raw".into(), number: 0 };
    let mut batch = Batch::default();
    for (number, offset) in (0..LEADS).zip(0..) {
        let at = Position { partition: partition.clone(), offset };
        batch.push(at, received_at, None, Some(lead(number).as_bytes()), std::iter::empty());
    }
    let mut memory = Memory::default();

    let mut group = criterion.benchmark_group("a lead read, decided and encoded");
    group.throughput(Throughput::Elements(LEADS as u64));
    let quarter = Canary { rules: candidate(0), share: Share::of(0.25), stopped: None };
    for (name, shadows, canary) in
        [("no shadow", 0, None), ("1 shadow", 1, None), ("8 shadows", 8, None), ("no shadow, a canary at 25 %", 0, Some(&quarter))]
    {
        let shadows: Vec<_> = (0..shadows).map(candidate).collect();
        let (mut tally, mut out) = (Tally::default(), OutputBuffer::default());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                tally.clear();
                out.begin(received_at);
                for (index, record) in batch.iter().enumerate() {
                    out.begin_record(index);
                    let facts = pipeline::read(&record, &pipeline, &mut memory);
                    let choice = pipeline::Choice { canary, ..pipeline::Choice::default() };
                    pipeline::conclude(&facts, &record, &pipeline, choice, &mut out, |outcome| {
                        tally.outcome(outcome);
                        show(outcome, &shadows, &mut tally.shadows);
                    });
                }
                out.len()
            });
        });
    }
    group.finish();

    through_the_loop(&mut criterion);

    let facts: Vec<_> = batch.iter().map(|record| pipeline::read(&record, &pipeline, &mut memory).expect("a lead")).collect();
    let half = Share::of(0.5);
    let mut group = criterion.benchmark_group("whose a lead is");
    group.throughput(Throughput::Elements(LEADS as u64));
    let count = || facts.iter().flatten().filter(|lead| half.holds(Split::Shadow, lead)).count();
    group.bench_function("by its hash", |bencher| bencher.iter(count));
    group.finish();
    criterion.final_summary();
}

/// A batch through the loop, on the lane in memory, where commits take no time: with eight candidates that are dearer than the live
/// rules by far, within a fifth of the time and without a bound.
fn through_the_loop(criterion: &mut Criterion) {
    let dear = |number: usize| {
        let rule = |rule| {
            format!("[[score.rule]]\nid='r{rule}'\npart='fit'\npoints=0\nwhen='contact.company.lowerAscii().contains(\"x{rule}\")'\n")
        };
        let rules: String = (0..200).map(rule).collect();
        let head = format!("[ruleset]\nname='dear'\nversion='{number}'\nextends='default'\n");
        Arc::new(Ruleset::parse(&format!("{head}{rules}")).expect("a ruleset"))
    };
    let partition = Partition { topic: "leads.raw".into(), number: 0 };
    let received_at = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    let place = |offset| Position { partition: partition.clone(), offset };
    let records: Vec<_> =
        (0..LEADS).zip(0..).map(|(number, offset)| (place(offset), received_at, Some(lead(number).into_bytes()))).collect();
    let mut group = criterion.benchmark_group("a batch of 1,000 through the loop");
    group.sample_size(50);
    for (name, shadows, share) in [("no shadow", 0, 1.0), ("8 dear shadows within a fifth", 8, 0.2), ("8 dear shadows, no bound", 8, 1.0)] {
        let pipeline = Pipeline {
            rules: Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"),
            tables: Tables::default(),
            limits: Limits::default(),
            person_key: PersonKey::default(),
            encoding: EncodeSettings::default(),
        };
        let live = Arc::new(Live::new(pipeline, Trials { shadows: (0..shadows).map(dear).collect(), canary: None }));
        let settings = DriveSettings {
            batch: BatchLimits { records: LEADS, bytes: 8 << 20, wait: Duration::ZERO },
            guard: DeadLetterGuard::default(),
            outputs: 8 << 20,
            ends_on_halt: false,
            shadows: Arc::new(ShadowBudget::new(share)),
            ledger: None,
            restore: None,
            passed_over: None,
            traced: false,
        };
        let mut shown = Shown::default();
        group.bench_function(name, |bencher| {
            let lane = || MemoryLane::new(records.clone());
            let run = |mut lane| drive(&mut lane, &mut shown, || Arc::clone(&live), &NoRegistry, &settings).expect("memory does not fail");
            bencher.iter_batched(lane, run, BatchSize::PerIteration);
        });
        println!("{name}: {:.1} % of the leads shown to shadows, {:.1} % of the time theirs", shown.leads(), shown.time());
    }
    group.finish();
}

/// What shadows were shown, and what they took, of all.
#[derive(Default)]
struct Shown {
    leads: [u64; 2],
    seconds: [f64; 2],
}

impl Shown {
    fn leads(&self) -> f64 {
        let [shown, all] = self.leads.map(|leads| u32::try_from(leads).map_or(f64::MAX, f64::from));
        100.0 * shown / all
    }

    fn time(&self) -> f64 {
        100.0 * self.seconds[0] / self.seconds[1]
    }
}

impl Observer for Shown {
    fn committed(&mut self, tally: &Tally, committed: Committed, decided_in: Duration) {
        let shown = tally.shadows.iter().next().map_or(0, |of| of.leads);
        self.leads = [self.leads[0] + shown, self.leads[1] + tally.leads.total()];
        self.seconds = [self.seconds[0] + tally.shadows.seconds, self.seconds[1] + (decided_in + committed.took).as_secs_f64()];
    }

    fn aborted(&mut self, _: &Tally, _: &Abort, _: Duration) {}
}

/// As a lane shows a record to its shadows.
fn show(outcome: &Outcome<'_>, shadows: &[Arc<Ruleset>], tally: &mut ShadowTally) {
    let Outcome::Decided(decisions) = outcome else { return };
    for decision in decisions {
        for rules in shadows {
            tally.compare(decision, &pipeline::decide(decision.facts, rules, &mut NoTrace));
        }
    }
}

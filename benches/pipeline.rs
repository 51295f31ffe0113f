//! What a lead costs in the pure pipeline (the figures of `docs/performance.md`): each door and all of them, beside the floor of
//! parsing the same leads and writing as many bytes, in one run. Then two threads beside one, and 2,000 rules beside 20. Run it with
//! `cargo bench --no-default-features --bench pipeline`. Tests nothing.
// Measuring is not deciding: what goes wrong here may end here, and what was measured is printed.
#![allow(clippy::cast_precision_loss, clippy::expect_used, clippy::print_stdout)]

// Each bench takes its part of it.
#[allow(dead_code)]
mod corpus;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, thread,
    time::{Duration, Instant},
};

use corpus::{Corpus, LEADS, Phones, floor, pipeline, run, with_rules};
use criterion::{Criterion, SamplingMode, Throughput};
use leadstream::{
    lead::Timestamp,
    pipeline::{self, Choice, EventFormat, Memory, NoTrace, OutputBuffer, Pipeline},
    rules::Ruleset,
};

/// As many leads as a batch of a busy lane has.
const BATCH: usize = 1_000;

const AVRO: EventFormat = EventFormat::Confluent(7);

/// Time that this thread has had a processor: others on the machine do not count. Where nobody tells it, the time that went by.
struct Busy {
    cpu: Option<u64>,
    wall: Instant,
}

impl Busy {
    fn now() -> Self {
        Self { cpu: nanoseconds(), wall: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        let cpu = self.cpu.zip(nanoseconds()).map(|(then, now)| Duration::from_nanos(now - then));
        cpu.unwrap_or_else(|| self.wall.elapsed())
    }
}

fn nanoseconds() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The least time each measurement took, by name.
type Least = BTreeMap<String, Duration>;

/// Measures `pass` over the whole corpus, as criterion repeats it.
fn measure(criterion: &mut Criterion, least: &mut Least, name: &str, leads: usize, mut pass: impl FnMut() -> Duration) {
    let mut best = Duration::MAX;
    pass();
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(4));
    group.warm_up_time(Duration::from_millis(1)).throughput(Throughput::Elements(leads as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let took: Vec<_> = (0..times).map(|_| pass()).collect();
            best = best.min(took.iter().copied().min().unwrap_or(Duration::MAX));
            took.into_iter().sum()
        });
    });
    group.finish();
    least.insert(name.to_owned(), best);
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let busy = Busy::now();
    let done = work();
    (busy.elapsed(), done)
}

/// The doors one after the other, a batch at a time: how long `read`, `decide` and `encode` took.
fn doors(corpus: &Corpus, pipeline: &Pipeline, memory: &mut Memory, out: &mut OutputBuffer) -> [Duration; 3] {
    let mut took = [Duration::ZERO; 3];
    let records: Vec<_> = corpus.records.iter().collect();
    for records in records.chunks(BATCH) {
        let (reading, facts) = timed(|| records.iter().map(|record| pipeline::read(record, pipeline, memory)).collect::<Vec<_>>());
        let (deciding, outcomes) =
            timed(|| facts.iter().map(|facts| pipeline::outcome(facts, pipeline, Choice::default())).collect::<Vec<_>>());
        let (encoding, ()) = timed(|| {
            out.begin(Timestamp::default());
            for (record, outcome) in records.iter().zip(&outcomes) {
                pipeline::encode(outcome, record, pipeline, out).expect("no limit");
            }
        });
        for (sum, more) in took.iter_mut().zip([reading, deciding, encoding]) {
            *sum += more;
        }
    }
    took
}

/// All doors, beside the floor.
fn beside_the_floor(criterion: &mut Criterion, least: &mut Least) {
    for phones in [Phones::SeenBefore, Phones::NeverSeen] {
        let corpus = Corpus::new(LEADS, phones);
        let name = if phones == Phones::SeenBefore { "numbers seen before" } else { "numbers never seen" };
        for (form, format) in [("json", EventFormat::Json), ("avro", AVRO)] {
            let pipeline = pipeline(format);
            let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
            let bytes = run(&corpus, &pipeline, &mut memory, &mut out);
            println!("{form}: {} bytes in and {} bytes out a lead", corpus.records.bytes() / LEADS, bytes / LEADS);
            measure(criterion, least, &format!("run, {form}, {name}"), LEADS, || {
                // Remembered numbers are the same numbers again.
                let memory = if phones == Phones::SeenBefore { &mut memory } else { &mut Memory::default() };
                timed(|| run(&corpus, &pipeline, memory, &mut out)).0
            });
            if phones == Phones::NeverSeen {
                continue;
            }
            let mut scratch = Vec::new();
            measure(criterion, least, &format!("floor, {form}"), LEADS, || timed(|| floor::pass(&corpus.plain, bytes, &mut scratch)).0);
            for (place, door) in ["read", "decide", "encode"].into_iter().enumerate() {
                measure(criterion, least, &format!("{door}, {form}"), LEADS, || doors(&corpus, &pipeline, &mut memory, &mut out)[place]);
            }
        }
    }
}

/// Each thread with leads, memory and outputs of its own, as lanes have them: how much more two do than one, by what a lead costs
/// each (so that others on the machine do not count), and by the clock.
fn two_threads() {
    let corpora = [Corpus::new(LEADS / 2, Phones::SeenBefore), Corpus::new(LEADS / 2, Phones::SeenBefore)];
    let pipeline = pipeline(AVRO);
    let pass = |corpus: &Corpus| {
        let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
        run(corpus, &pipeline, &mut memory, &mut out);
        timed(|| run(corpus, &pipeline, &mut memory, &mut out)).0
    };
    let (mut alone, mut both, mut by_clock) = (Duration::MAX, Duration::MAX, [Duration::MAX; 2]);
    for _ in 0..7 {
        let wall = Instant::now();
        alone = alone.min(pass(&corpora[0]));
        by_clock[0] = by_clock[0].min(wall.elapsed());
        let wall = Instant::now();
        let took = thread::scope(|scope| {
            let threads = corpora.each_ref().map(|corpus| scope.spawn(|| pass(corpus)));
            threads.map(|thread| thread.join().expect("no panic")).into_iter().max().expect("two")
        });
        both = both.min(took);
        by_clock[1] = by_clock[1].min(wall.elapsed());
    }
    let times = 2.0 * alone.as_secs_f64() / both.as_secs_f64();
    let clock = 2.0 * by_clock[0].as_secs_f64() / by_clock[1].as_secs_f64();
    println!("\ntwo threads do {times:.2} times what one does ({clock:.2} by the clock)");
}

/// What rules ask for: a country that there is not would be refused.
const COUNTRIES: &str = "AT AU BE BG BR CA CH CL CN CO CR CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KE KR LT LU LV MA \
                         MT MX MY NG NL NO NZ PE PH PK PL PT RO RS SA SE SG SI SK TH TN TR TW UA US UY VN ZA ZM";

/// So many routes to one destination: each tells an offer, a country, an owner's queue or a seniority from others, some two at once.
fn ruleset(rules: usize) -> Ruleset {
    let mut text = "[ruleset]\nname = \"many\"\nversion = \"1\"\nextends = \"default\"\n".to_owned();
    let countries: Vec<&str> = COUNTRIES.split(' ').collect();
    let country = |number: usize| countries[number % countries.len()];
    for number in 0..rules {
        let condition = match number % 4 {
            0 => format!("offer_id == \"offer-{number}\""),
            1 => format!("contact.country == \"{}\" && score.total >= {}", country(number), number % 60),
            2 => format!("storefront == \"APP_SOURCE\" && contact.email_domain == \"company-{number}.example\""),
            _ => format!("contact.seniority == \"C_LEVEL\" && contact.country == \"{}\"", country(number)),
        };
        writeln!(text, "[[route]]\nid = \"r{number}\"\nwhen = '{condition}'\ndestination = \"DESK_{}\"", number % 7).expect("memory");
    }
    Ruleset::parse(&text).expect("a ruleset")
}

fn many_rules(criterion: &mut Criterion, least: &mut Least) {
    let leads = LEADS / 10;
    let corpus = Corpus::new(leads, Phones::SeenBefore);
    for rules in [20, 2_000] {
        let pipeline = with_rules(ruleset(rules), AVRO);
        let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
        let facts: Vec<_> = corpus.records.iter().filter_map(|record| pipeline::read(&record, &pipeline, &mut memory).ok()).collect();
        measure(criterion, least, &format!("decide, {rules} rules"), leads, || {
            let decide = || facts.iter().flatten().map(|facts| pipeline::decide(facts, &pipeline.rules, &mut NoTrace).routes.len()).sum();
            timed::<usize>(decide).0
        });
        measure(criterion, least, &format!("run, {rules} rules"), leads, || timed(|| run(&corpus, &pipeline, &mut memory, &mut out)).0);
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut least = Least::new();
    beside_the_floor(&mut criterion, &mut least);
    many_rules(&mut criterion, &mut least);

    println!("\nleast processor time a lead, and beside the floor:");
    for (name, time) in &least {
        let leads = if name.ends_with("rules") { LEADS / 10 } else { LEADS };
        let nanoseconds = time.as_secs_f64() * 1e9 / leads as f64;
        let form = if name.contains("json") { "floor, json" } else { "floor, avro" };
        let beside = least.get(form).filter(|_| !name.ends_with("rules")).map(|floor| time.as_secs_f64() / floor.as_secs_f64());
        println!("{name:<34} {nanoseconds:>9.0} ns {}", beside.map(|ratio| format!("{ratio:>6.2} x")).unwrap_or_default());
    }
    for what in ["decide", "run"] {
        let [few, many] = [20, 2_000].map(|rules| least[&format!("{what}, {rules} rules")].as_secs_f64());
        println!("{what}: 2,000 rules cost {:.2} times what 20 do", many / few);
    }
    two_threads();
    criterion.final_summary();
}

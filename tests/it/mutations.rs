//! Records of all formats, changed by chance, and what holds for each of them (`invariants`). A few thousand by default;
//! `LEADSTREAM_MUTATIONS=1000000` is the long form, `LEADSTREAM_SEED` repeats a run, `LEADSTREAM_MUTATION` one record of it.

use std::{
    collections::BTreeMap,
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    core::pipeline,
    invariants::{Checker, Input, Seen},
    mutate::{Dice, Mutant, mutant},
    planted,
};

/// The suite tries the same records each time; another seed tries others.
const SEED: u64 = 20_261_101;

/// Small enough for every run of the suite.
const MUTATIONS: u64 = 6_000;

/// What no record may take, on however slow a machine.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Every fixture of every format: golden inputs, cases, planted people.
fn fixtures() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<_> = fs::read_dir(root.join("golden")).expect("the goldens").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let inputs = files.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder")).map(|entry| entry.expect("an entry").path());
    let inputs = inputs.filter(|path| path.file_stem().is_some_and(|stem| stem == "input"));
    let mut fixtures: Vec<_> = inputs.map(|path| fs::read(path).expect("an input")).collect();
    let cases = fs::read_to_string(root.join("fixtures/cases.jsonl")).expect("the cases");
    let cases = cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case"));
    fixtures.extend(cases.filter_map(|case| Some(case["raw"].as_str()?.as_bytes().to_vec())));
    fixtures.extend(planted::all().into_iter().map(|planted| planted.value).filter(|value| value.len() < 20_000));
    fixtures
}

/// What became of all of them.
#[derive(Debug, Default)]
struct Sum {
    records: u64,
    leads: usize,
    redacted: usize,
    codes: BTreeMap<String, u64>,
    /// How long the slowest took, and which it was.
    slowest: (Duration, u64),
    /// Most bytes out for a byte in, of records that are not small.
    most: usize,
}

impl Sum {
    fn add(&mut self, number: u64, mutant: &Mutant, seen: Seen, took: Duration) {
        self.records += 1;
        self.leads += seen.leads;
        self.redacted += seen.redacted;
        if seen.leads == 0 {
            *self.codes.entry(seen.code).or_default() += 1;
        }
        self.slowest = self.slowest.max((took, number));
        let length = mutant.value.as_ref().map_or(0, Vec::len);
        self.most = self.most.max(if length > 1_000 { seen.bytes / length } else { 0 });
    }

    fn merge(mut self, other: Self) -> Self {
        self.records += other.records;
        self.leads += other.leads;
        self.redacted += other.redacted;
        other.codes.into_iter().for_each(|(code, count)| *self.codes.entry(code).or_default() += count);
        self.slowest = self.slowest.max(other.slowest);
        self.most = self.most.max(other.most);
        self
    }
}

fn check(checker: &mut Checker, mutant: &Mutant) -> (Seen, Duration) {
    let headers: Vec<_> = mutant.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let input = Input { key: mutant.key.as_deref(), value: mutant.value.as_deref(), headers: &headers };
    let started = Instant::now();
    let seen = checker.check(&input);
    (seen, started.elapsed())
}

/// Each `step`-th record from `first` on.
fn judged(seed: u64, numbers: impl Iterator<Item = u64>, fixtures: &[Vec<u8>]) -> Sum {
    let mut sum = Sum::default();
    let mut checker = Checker::new(pipeline());
    for number in numbers {
        let mutant = mutant(&mut Dice::of(seed, number), fixtures);
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut checker, &mutant)));
        let Ok((saw, took)) = outcome else {
            let value = mutant.value.as_deref().unwrap_or_default();
            let shown = String::from_utf8_lossy(&value[..value.len().min(4_000)]).into_owned();
            panic!(
                "the message above is about mutation {number}; again: LEADSTREAM_SEED={seed} LEADSTREAM_MUTATION={number}\nheaders {:?}\n{} bytes: {shown}",
                mutant.headers,
                value.len()
            );
        };
        assert!(took < LONGEST, "mutation {number} of seed {seed} took {took:?}");
        sum.add(number, &mutant, saw, took);
    }
    sum
}

#[test]
fn whatever_is_done_to_a_record_it_has_one_outcome_and_the_right_one() {
    let seed = number("LEADSTREAM_SEED").unwrap_or(SEED);
    let count = number("LEADSTREAM_MUTATIONS").unwrap_or(MUTATIONS);
    let fixtures = fixtures();
    assert!(fixtures.len() > 150, "{} fixtures", fixtures.len());
    println!("LEADSTREAM_SEED={seed} LEADSTREAM_MUTATIONS={count}");
    if let Some(one) = number("LEADSTREAM_MUTATION") {
        println!("{:?}", judged(seed, std::iter::once(one), &fixtures));
        return;
    }
    let started = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let sum = thread::scope(|scope| {
        let fixtures = &fixtures;
        let run = |first: u64| move || judged(seed, (first..count).step_by(usize::try_from(threads).expect("a few")), fixtures);
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(run(first))).collect();
        let ended = running.into_iter().map(|thread| thread.join().expect("the message is above"));
        ended.fold(Sum::default(), Sum::merge)
    });
    println!("{:.1?} {sum:?}", started.elapsed());
    assert_eq!(sum.records, count);
    // Chance reaches all that is to be reached: else this would prove little.
    assert!(sum.leads > 0 && sum.redacted > 0, "{sum:?}");
    for code in ["malformed_json", "not_a_lead", "unknown_format"] {
        assert!(sum.codes.contains_key(code), "{code}: {sum:?}");
    }
}

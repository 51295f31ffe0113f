//! How often memory is asked for while a lead is decided, door by door, numbers seen before (the figures of `docs/performance.md`).
//! Run it with `cargo bench --no-default-features --bench allocations`; ends with 1 where that is more often than it may be.
// A counting allocator is two calls of the one it stands before.
#![allow(unsafe_code, clippy::cast_precision_loss, clippy::expect_used, clippy::print_stdout)]

// Each bench takes its part of it.
#[allow(dead_code)]
mod corpus;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    process::ExitCode,
};

use corpus::{Corpus, Phones, pipeline, run};
use leadstream::{
    lead::{Format, Outcome, Timestamp, Vocabulary},
    pipeline::{self, Choice, EventFormat, Memory, OutputBuffer},
};

/// More a lead of the HTTPS endpoint are not to be.
const MOST: f64 = 10.0;

/// Nor of the mixed corpus, where texts within texts, paths and forms have to be copied.
const MOST_MIXED: f64 = 10.0;

const LEADS: usize = 20_000;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Counts each time memory is asked for, or asked for more.
struct Counting;

// SAFETY: each call is handed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = COUNT.get();
    let done = work();
    (COUNT.get() - before, done)
}

fn a_lead(count: u64, leads: usize) -> f64 {
    count as f64 / leads as f64
}

fn main() -> ExitCode {
    let corpus = Corpus::new(LEADS, Phones::SeenBefore);
    let mut is_good = true;
    for (form, format) in [("json", EventFormat::Json), ("avro", EventFormat::Confluent(7))] {
        let pipeline = pipeline(format);
        let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
        // Tables are built, numbers remembered and buffers grown the first time.
        run(&corpus, &pipeline, &mut memory, &mut out);
        let (whole, _) = counted(|| run(&corpus, &pipeline, &mut memory, &mut out));
        println!("{form}: {:.2} allocations a lead", a_lead(whole, LEADS));
        is_good &= a_lead(whole, LEADS) <= MOST_MIXED;

        let mut doors = [0; 3];
        let mut shapes = vec![(0, 0); Format::ALL.len() + 1];
        for record in corpus.records.iter() {
            out.begin(Timestamp::default());
            let (reading, facts) = counted(|| pipeline::read(&record, &pipeline, &mut memory));
            let (deciding, outcome) = counted(|| pipeline::outcome(&facts, &pipeline, Choice::default()));
            let (encoding, ()) = counted(|| pipeline::encode(&outcome, &record, &pipeline, &mut out).expect("no limit"));
            for (sum, more) in doors.iter_mut().zip([reading, deciding, encoding]) {
                *sum += more;
            }
            let shape = match &outcome {
                Outcome::Decided(decisions) => {
                    decisions.first().and_then(|first| Format::ALL.iter().position(|of| *of == first.facts.format))
                }
                Outcome::Rejected(_) => None,
            };
            let (records, count) = &mut shapes[shape.unwrap_or(Format::ALL.len())];
            (*records, *count) = (*records + 1, *count + reading + deciding + encoding);
        }
        for (door, count) in ["read", "decide", "encode"].into_iter().zip(doors) {
            println!("  {door:<24} {:>6.2}", a_lead(count, LEADS));
        }
        let names = Format::ALL.iter().map(|format| format.name()).chain(["dead letter"]);
        for (name, (records, count)) in names.zip(shapes).filter(|(_, (records, _))| *records > 0) {
            println!("  {name:<24} {:>6.2}   ({records} records)", a_lead(count, records));
            is_good &= name != Format::HttpsJson.name() || a_lead(count, records) <= MOST;
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

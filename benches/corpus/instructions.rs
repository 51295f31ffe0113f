//! A fixed piece of work for callgrind, which counts its instructions: a small corpus through the pure pipeline. `.ci/instructions` runs
//! it and holds the counts to `benches/instructions.json`. Takes what to do as its argument; measures nothing itself.
// What goes wrong here may end here.
#![allow(clippy::expect_used, clippy::print_stdout)]

// Each bench takes its part of it.
#[allow(dead_code)]
#[path = "mod.rs"]
mod corpus;

use corpus::{Corpus, Phones, floor, pipeline, run};
use leadstream::pipeline::{EventFormat, Memory, OutputBuffer, Pipeline};

const LEADS: usize = 2_000;

/// What callgrind counts: from here down.
#[inline(never)]
fn counted(corpus: &Corpus, pipeline: &Pipeline, memory: &mut Memory, out: &mut OutputBuffer) -> usize {
    run(corpus, pipeline, memory, out)
}

/// The same of the floor.
#[inline(never)]
fn counted_floor(corpus: &Corpus, bytes: usize, scratch: &mut Vec<u8>) {
    floor::pass(&corpus.plain, bytes, scratch);
}

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    let phones = if what.ends_with("never-seen") { Phones::NeverSeen } else { Phones::SeenBefore };
    let format = if what.contains("avro") { EventFormat::Confluent(7) } else { EventFormat::Json };
    let corpus = Corpus::new(LEADS, phones);
    let pipeline = pipeline(format);
    let (mut memory, mut out) = (Memory::default(), OutputBuffer::default());
    // Tables are built, numbers remembered and buffers grown the first time.
    let bytes = run(&corpus, &pipeline, &mut memory, &mut out);
    if what.starts_with("floor") {
        let mut scratch = Vec::new();
        floor::pass(&corpus.plain, bytes, &mut scratch);
        counted_floor(&corpus, bytes, &mut scratch);
    } else {
        if phones == Phones::NeverSeen {
            memory = Memory::default();
        }
        assert_eq!(counted(&corpus, &pipeline, &mut memory, &mut out), bytes);
    }
    println!("{LEADS} leads, {} bytes in, {bytes} bytes out", corpus.records.bytes());
}

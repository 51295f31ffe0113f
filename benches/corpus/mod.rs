//! The corpus that the pure pipeline is measured on: leads of a fixed seed, in all shapes they come in, no two alike. What a shape
//! looks like is `shapes`', what the same leads cost anybody is `floor`'s.

pub(crate) mod floor;
mod shapes;

use std::{collections::BTreeSet, sync::Arc};

use leadstream::{
    io::Batch,
    lead::{Partition, Position, Timestamp},
    pipeline::{self, EncodeSettings, EventFormat, Limits, Memory, OutputBuffer, OutputTopic, PersonKey, Pipeline},
    rules::{DEFAULT, Ruleset},
    tables::Tables,
};

/// As many leads as no cache of ours or of the processor holds.
pub(crate) const LEADS: usize = 100_000;

/// Two numbers of the same kind make the same corpus.
const SEED: u64 = 20_261_101;

/// Whether a phone number has been read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phones {
    /// One of 2,000: after the first few batches each is known, as those of a publisher's customers are.
    SeenBefore,
    /// Another one in each lead.
    NeverSeen,
}

/// Records, and the same leads as JSON, which the floor parses.
pub(crate) struct Corpus {
    pub(crate) records: Batch,
    pub(crate) plain: Vec<Vec<u8>>,
}

impl Corpus {
    pub(crate) fn new(leads: usize, phones: Phones) -> Self {
        let (mut records, mut plain) = (Batch::default(), Vec::with_capacity(leads));
        let topic: Arc<str> = "leads.raw".into();
        let received_at = Timestamp::from_millis(1_793_523_600_000);
        for (number, offset) in (0..leads).zip(4_200_000..) {
            let mut customer = shapes::Customer::new(SEED, number, phones);
            let (value, json) = customer.record();
            let at = Position { partition: Partition { topic: Arc::clone(&topic), number: 3 }, offset };
            records.push(at, received_at, Some(customer.key().as_bytes()), Some(&value), std::iter::empty());
            plain.push(json.unwrap_or(value));
        }
        let corpus = Self { records, plain };
        let distinct: BTreeSet<_> = corpus.records.iter().map(|record| record.value).collect();
        assert_eq!(distinct.len(), leads, "no two records are alike");
        corpus
    }
}

/// All through the pipeline once, batch by batch, as a lane does.
pub(crate) fn run(corpus: &Corpus, pipeline: &Pipeline, memory: &mut Memory, out: &mut OutputBuffer) -> usize {
    let mut bytes = 0;
    for (place, record) in corpus.records.iter().enumerate() {
        if place % 1_000 == 0 {
            bytes += out.bytes();
            out.begin(Timestamp::default());
        }
        out.begin_record(place % 1_000);
        pipeline::run(&record, pipeline, memory, out, |_| {});
    }
    bytes += out.bytes();
    out.begin(Timestamp::default());
    bytes
}

/// The built-in rules, no tables, a key for persons.
pub(crate) fn pipeline(format: EventFormat) -> Pipeline {
    with_rules(Ruleset::parse(DEFAULT).expect("the built-in ruleset is good"), format)
}

pub(crate) fn with_rules(rules: Ruleset, format: EventFormat) -> Pipeline {
    Pipeline {
        rules,
        tables: Tables::default(),
        limits: Limits::default(),
        person_key: PersonKey::new(Some(b"a key of sixteen letters or more")),
        encoding: EncodeSettings { formats: [format; OutputTopic::COUNT], ..EncodeSettings::default() },
    }
}

/// Chance that comes again (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("small")
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

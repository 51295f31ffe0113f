//! The leads of a storm: made-up, numbered, written by a client of its own that goes to the brokers directly. What the broker
//! has acknowledged is an obligation, kept by partition and offset.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use super::{
    clients::{Raw, Writer},
    leads::{self, Expected},
    oracle::Fate,
    service::Scene,
    waiting::{Enough, let_pass},
};

/// Numbers from here on are leads whose events are larger than the routing topic takes.
const OVERSIZE: u32 = 1 << 30;
/// Numbers from here on are records of many leads.
const MANY: u32 = 1 << 31;
/// As many as one record may hold.
const LEADS_IN_ONE: u32 = 10_000;
/// What the routing topic takes, in bytes.
pub(crate) const ROUTING_LIMIT: &str = "32768";
const OVERSIZE_NOTE: usize = 60_000;
/// Two batches of the writer are so far apart.
const BEAT: Duration = Duration::from_millis(100);

/// What becomes of the lead with this number.
pub(crate) fn fate(number: u32) -> Fate {
    match number {
        MANY.. => Fate::Many(LEADS_IN_ONE),
        OVERSIZE.. => Fate::One(Expected::DeadLetter("output_too_large")),
        _ => Fate::One(leads::lead(number as usize).1),
    }
}

/// The lead with this number, as it is written.
pub(crate) fn value(number: u32) -> Vec<u8> {
    match number {
        MANY.. => {
            let one = r#"{"userDetails":{"firstName":"Z"},"leadSource":"SPZA-PLT|demo.rota"}"#;
            format!("[{}]", vec![one; LEADS_IN_ONE as usize].join(",")).into_bytes()
        }
        OVERSIZE.. => leads::with_note((number - OVERSIZE) as usize, OVERSIZE_NOTE),
        _ => leads::lead(number as usize).0,
    }
}

/// Whose lead it is: what the input is keyed by.
pub(crate) fn key(number: u32) -> Vec<u8> {
    format!("person-{}", person(number)).into_bytes()
}

fn person(number: u32) -> u32 {
    number % 500
}

/// What is wanted beside the steady stream.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    leads: u32,
    oversize: u32,
    many: u32,
}

/// What leads are written with.
#[derive(Default)]
pub(crate) struct Pen(Option<(Writer, u32)>);

impl Pen {
    /// A client that has known a topic for a while does not know its new partitions yet; a new one does.
    fn writer(&mut self, scene: &Scene, partitions: u32) -> &Writer {
        let known = self.0.take().filter(|(_, known)| *known == partitions);
        &self.0.insert(known.unwrap_or_else(|| (Writer::new(&scene.brokers), partitions))).0
    }
}

/// The obligations so far.
pub(crate) struct Obligations {
    /// Numbers, by partition and offset.
    written: Mutex<Vec<Vec<u32>>>,
    wanted: Mutex<Wanted>,
    next: Mutex<[u32; 3]>,
    /// Of every record, in milliseconds since 1970: `process` knows one time for all.
    timestamp: i64,
}

impl Obligations {
    pub(crate) fn new(partitions: usize, timestamp: i64) -> Self {
        let next = Mutex::new([0, OVERSIZE, MANY]);
        Self { written: Mutex::new(vec![Vec::new(); partitions]), wanted: Mutex::default(), next, timestamp }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("not poisoned")
    }

    /// How far each partition is written.
    pub(crate) fn ends(&self) -> Vec<i64> {
        Self::lock(&self.written).iter().map(|numbers| i64::try_from(numbers.len()).expect("an offset")).collect()
    }

    /// The obligations, by partition and offset.
    pub(crate) fn written(&self) -> Vec<Vec<u32>> {
        Self::lock(&self.written).clone()
    }

    /// From the next batch on leads are written to so many partitions.
    pub(crate) fn spread(&self, partitions: usize) {
        Self::lock(&self.written).resize_with(partitions, Vec::new);
    }

    /// With the next batch come so many leads more.
    pub(crate) fn burst(&self, leads: u32) {
        Self::lock(&self.wanted).leads += leads;
    }

    /// With the next batch come records that no event topic takes, and records of ten thousand leads.
    pub(crate) fn poison(&self, oversize: u32, many: u32) {
        let mut wanted = Self::lock(&self.wanted);
        wanted.oversize += oversize;
        wanted.many += many;
    }

    /// Writes so many leads a second until it is enough.
    pub(crate) fn stream(&self, scene: &Scene, a_second: u32, enough: &Enough) {
        let mut pen = Pen::default();
        let mut due = Instant::now();
        while !enough.said() {
            self.batch(&mut pen, scene, a_second / 10);
            due = (due + BEAT).max(Instant::now());
            let_pass(due.saturating_duration_since(Instant::now()));
        }
    }

    /// Writes so many leads, and what else is wanted.
    pub(crate) fn batch(&self, pen: &mut Pen, scene: &Scene, leads: u32) {
        let partitions = u32::try_from(Self::lock(&self.written).len()).expect("a few");
        let writer = pen.writer(scene, partitions);
        let wanted = std::mem::take(&mut *Self::lock(&self.wanted));
        let numbers: Vec<u32> = {
            let mut next = Self::lock(&self.next);
            let counts = [leads + wanted.leads, wanted.oversize, wanted.many];
            let ranges = next.iter_mut().zip(counts).map(|(next, count)| {
                let from = *next;
                *next += count;
                from..*next
            });
            ranges.flatten().collect()
        };
        // Enough at once for speed, little enough for the writer's queue.
        for numbers in numbers.chunks(2_000) {
            let records: Vec<Raw> = numbers.iter().map(|number| self.record(*number, partitions)).collect();
            let offsets = writer.write(&scene.raw, &records);
            let mut written = Self::lock(&self.written);
            for ((number, record), offset) in numbers.iter().zip(&records).zip(offsets) {
                let partition = &mut written[usize::try_from(record.partition).expect("positive")];
                assert_eq!(usize::try_from(offset).ok(), Some(partition.len()), "the storm's own writer lost or doubled a record");
                partition.push(*number);
            }
        }
    }

    fn record(&self, number: u32, partitions: u32) -> Raw {
        Raw {
            partition: i32::try_from(person(number) % partitions).expect("a few"),
            key: Some(key(number)),
            value: Some(value(number)),
            headers: Vec::new(),
            timestamp: Some(self.timestamp),
        }
    }
}

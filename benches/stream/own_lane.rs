//! The pass-through by leadstream's own lane: its consumer, its producer, its commits, fed by a decision that only copies. What
//! it costs beside `run` is what reading, deciding and telling cost; beside the plain loop, what the lane itself costs.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use leadstream::{
    config::{Delivery, From, KafkaConfig, LaneMemory, OnLostPosition},
    io::{Batch, BatchLimits, Lane, LaneError, LaneEvent, LaneWatch, Next, Progress},
    kafka::{BrokerHealth, KafkaLane, LaneSettings},
    pipeline::{OutputBuffer, OutputTopic},
    run::drive::batch_limits,
};

use super::{
    contender::Settings,
    pass_through::{LARGEST, MEMORY},
    template::{STAMP, Template, now, write_stamp},
};

/// As `run::drive` has it.
const INTERVALS: u32 = 4;

struct Silent;

impl LaneWatch for Silent {
    fn tell(&mut self, _event: LaneEvent<'_>) {}
}

/// Runs until it is killed.
pub(crate) fn main() {
    let settings = Settings::of_environment();
    let template = Template::read(Path::new(settings.text("TEMPLATE")));
    let (lanes, interval) = (settings.number("LANES"), Duration::from_millis(settings.number("COMMIT_MS")));
    let kafka =
        KafkaConfig { brokers: settings.text("BROKERS").to_owned(), group: settings.text("GROUP").to_owned(), ..KafkaConfig::default() };
    let health = Arc::new(BrokerHealth::new(&kafka.brokers));
    let (memory, stop) = (LaneMemory::share(MEMORY, lanes), Arc::new(AtomicBool::new(false)));
    let name = |topic| match topic {
        OutputTopic::Qualified => settings.text("QUALIFIED").to_owned(),
        OutputTopic::Unqualified => settings.text("UNQUALIFIED").to_owned(),
        OutputTopic::Routing => settings.text("ROUTING").to_owned(),
        OutputTopic::DeadLetter | OutputTopic::Ledger => String::new(),
    };
    thread::scope(|scope| {
        for lane in 0..lanes {
            let settings = LaneSettings {
                kafka: kafka.clone(),
                input: vec![settings.text("RAW").to_owned()],
                output: OutputTopic::ALL.map(name),
                transactional_id: format!("{}-{lane}", kafka.group),
                from: From::Earliest,
                on_lost_position: OnLostPosition::Stop,
                started: now(),
                delivery: Delivery::ExactlyOnce,
                memory,
                largest_output: LARGEST,
                limits: [0; OutputTopic::COUNT],
                ends: None,
            };
            let lane = KafkaLane::new(settings, Arc::clone(&health), Box::new(Silent), Arc::clone(&stop));
            let (template, limits) = (&template, batch_limits(interval, memory));
            scope.spawn(move || copy(lane, template, &limits, memory.outputs()));
        }
    });
    stop.store(true, Ordering::Relaxed);
}

/// As `run::drive`, with a decision that copies.
fn copy(mut lane: KafkaLane, template: &Template, limits: &BatchLimits, largest: usize) {
    let (mut batch, mut out, mut progress) = (Batch::default(), OutputBuffer::default(), Progress::default());
    let started = Instant::now();
    loop {
        match lane.next_batch(limits, &mut batch) {
            Ok(Next::Records) => {}
            Ok(Next::Idle) => continue,
            Ok(Next::End) => return,
            Err(error) => panic!("{error:?}"),
        }
        let (mut done, mut begun) = (0, None);
        while done < batch.len() {
            let begun_at = *begun.get_or_insert_with(|| {
                out.begin(now());
                progress.clear();
                Instant::now()
            });
            for record in batch.iter().skip(done) {
                out.begin_record(done);
                done += 1;
                let millis = record.received_at.millis().unsigned_abs();
                push(template, record.key.expect("every lead has a key"), millis, &mut out);
                progress.observe(&record.at);
                if out.bytes() >= largest {
                    break;
                }
            }
            let is_more = done < batch.len() && begun_at.elapsed() < INTERVALS * limits.wait;
            let written = if is_more { lane.write(&out) } else { lane.commit(&out, &progress).map(|_| ()) };
            match written {
                Ok(()) if is_more => out.next_part(),
                Ok(()) => begun = None,
                Err(LaneError::Aborted(abort)) => {
                    eprintln!("after {:?}: {abort:?}", started.elapsed());
                    lane.rewind().expect("rewound");
                    break;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

fn push(template: &Template, key: &[u8], millis: u64, out: &mut OutputBuffer) {
    for record in template.of(key) {
        let bytes = &template.bytes;
        let topic = OutputTopic::ALL[record.topic];
        let key = |to: &mut Vec<u8>| {
            to.extend_from_slice(&bytes[record.key.clone()]);
            true
        };
        let value = |to: &mut Vec<u8>| {
            let start = to.len();
            to.extend_from_slice(&bytes[record.value.clone()]);
            if let Some(stamp) = record.stamp {
                let at = start + stamp - record.value.start;
                write_stamp(&mut to[at..at + STAMP], millis);
            }
            true
        };
        out.push(topic, key, value, |_| {});
    }
}

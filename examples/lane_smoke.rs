//! scratch
use leadstream::{config::*, io::*, kafka::*, lead::Timestamp, pipeline::*};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, Instant};
struct W;
impl LaneWatch for W {
    fn tell(&mut self, e: LaneEvent<'_>) {
        if !matches!(e, LaneEvent::Lag { .. }) {
            eprintln!("{} {e:?}", std::process::id())
        }
    }
}
fn main() {
    tracing_subscriber::fmt()
        .with_max_level(if std::env::var("DBG").is_ok() { tracing::Level::DEBUG } else { tracing::Level::INFO })
        .with_writer(std::io::stderr)
        .init();
    let args: Vec<String> = std::env::args().collect();
    let mut kafka = KafkaConfig::default();
    kafka.brokers = args[1].clone();
    kafka.group = args[2].clone();
    let stop = Arc::new(AtomicBool::new(false));
    let health = Arc::new(BrokerHealth::new(&kafka.brokers));
    let lanes: Vec<_> = (0..2)
        .map(|n| {
            let kafka = kafka.clone();
            let stop = stop.clone();
            let health = health.clone();
            let id = format!("{}-{}-{n}", kafka.group, random_instance());
            let input = args[3].clone();
            let output = args[4].clone();
            std::thread::spawn(move || {
                let mut lane = KafkaLane::new(
                    LaneSettings {
                        kafka,
                        input: vec![input],
                        output: [output.clone(), output.clone(), output.clone(), output],
                        transactional_id: id,
                        from: From::Earliest,
                        delivery: if std::env::var("ALO").is_ok() { Delivery::AtLeastOnce } else { Delivery::ExactlyOnce },
                        largest_output: 2_000_000,
                    },
                    health,
                    Box::new(W),
                    stop,
                );
                let mut batch = Batch::default();
                let mut out = OutputBuffer::default();
                let mut progress = Progress::default();
                let mut total = 0;
                loop {
                    match lane
                        .next_batch(&BatchLimits { records: 10_000, bytes: 8 << 20, wait: Duration::from_millis(100) }, &mut batch)
                        .unwrap()
                    {
                        Next::End => break,
                        Next::Idle => continue,
                        Next::Records => {}
                    }
                    out.begin(Timestamp::default());
                    progress.clear();
                    for (i, r) in batch.iter().enumerate() {
                        out.begin_record(i);
                        let v = format!("{}", r.at);
                        out.push(
                            OutputTopic::Qualified,
                            |k| {
                                k.extend_from_slice(r.key.unwrap_or_default());
                                true
                            },
                            |b| {
                                b.extend_from_slice(v.as_bytes());
                                true
                            },
                            |_| {},
                        );
                        progress.observe(&r.at);
                    }
                    let t = Instant::now();
                    match lane.commit(&out, &progress) {
                        Ok(c) => {
                            total += batch.len();
                            if std::env::var("V").is_ok() {
                                eprintln!("{} lane{n} committed {} total {total} {:?}", std::process::id(), batch.len(), c.took)
                            }
                        }
                        Err(LaneError::Aborted(a)) => {
                            eprintln!("{} ABORT {a:?} after {:?}", std::process::id(), t.elapsed());
                            lane.rewind().unwrap();
                        }
                        Err(LaneError::Fatal(f)) => {
                            eprintln!("FATAL {f:?}");
                            std::process::exit(f.exit.into());
                        }
                    }
                }
                let t = Instant::now();
                drop(lane);
                eprintln!("{} lane{n} closed in {:?}, total {total}", std::process::id(), t.elapsed());
            })
        })
        .collect();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let mut t = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        t.recv().await
    });
    stop.store(true, Ordering::Relaxed);
    for l in lanes {
        l.join().unwrap();
    }
}

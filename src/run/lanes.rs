//! Lanes as threads: started together, watched, stopped together. What a lane does is `drive`; what it reads is `kafka`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use crate::{
    config::{Config, LaneMemory},
    io::{Fatal, LaneWatch, Observer, SchemaSource},
    kafka::{BrokerHealth, Ends, KafkaLane, LaneSettings, random_instance},
    lead::Timestamp,
    pipeline::{Live, OutputTopic},
};

use super::{
    Failure,
    drive::{DriveSettings, batch_limits, drive},
    pace::{Pace, Paced},
    restored::{PassedOver, Restore},
    shadows::ShadowBudget,
};

/// What can end, or be asked to end, a run.
#[derive(Debug)]
pub enum Ending {
    /// SIGTERM or SIGINT.
    Signal,
    /// A lane came to its end.
    Lane(Result<(), Failure>),
    /// A bounded run has done all it came for.
    Reached,
    /// A bounded run does not move.
    Stuck(Failure),
}

/// Running lanes.
pub(super) struct Lanes {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What all lanes of a process share.
pub(super) struct Shared {
    /// Rules, tables, settings, and the rules on trial: swapped whole.
    pub live: Arc<ArcSwap<Live>>,
    /// Who knows schemas by number.
    pub schemas: Arc<dyn SchemaSource>,
    /// The connection's state.
    pub health: Arc<BrokerHealth>,
    /// The largest output record, in bytes.
    pub largest_output: usize,
    /// What each output topic takes, in bytes, by `OutputTopic as usize`; 0: not known.
    pub limits: [usize; OutputTopic::COUNT],
    /// A lane that would halt ends the process instead: somebody waits for it.
    pub ends_on_halt: bool,
    /// What is not decided, and how fast the rest is.
    pub bounds: Bounds,
}

/// What a replay decides, and how fast; a service has no such bounds.
#[derive(Clone, Default)]
pub(super) struct Bounds {
    /// Where the partitions end.
    pub ends: Option<Arc<Ends>>,
    /// No faster than that, all lanes together.
    pub pace: Option<Arc<Pace>>,
    /// What is read are dead letters.
    pub restore: Option<Restore>,
    /// What `dlq` sees to.
    pub passed_over: Option<Arc<PassedOver>>,
}

impl Lanes {
    /// Starts the configured number of lanes. `observe` makes each lane's observer and watch; `ended` hears of every end.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start<O: Observer + Send + 'static>(
        config: &Config,
        shared: &Shared,
        ended: &Sender<Ending>,
        mut observe: impl FnMut(usize) -> (O, Box<dyn LaneWatch>),
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let instance = if config.kafka.instance.is_empty() { random_instance() } else { config.kafka.instance.clone() };
        let memory = LaneMemory::share(config.run.memory, config.run.lanes);
        let drive_settings = DriveSettings {
            batch: batch_limits(config.run.commit_interval, memory),
            outputs: memory.outputs(),
            guard: config.run.halt_on_dead_letters,
            ends_on_halt: shared.ends_on_halt,
            shadows: Arc::new(ShadowBudget::new(config.rules.shadow_share)),
            ledger: Some(config.kafka.group.clone()).filter(|_| !config.topics.ledger.is_empty()),
            restore: shared.bounds.restore.clone(),
            passed_over: shared.bounds.passed_over.clone(),
            traced: config.otlp.is_on(),
        };
        let started = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
        let mut threads = Vec::with_capacity(config.run.lanes);
        for number in 0..config.run.lanes {
            let settings = LaneSettings {
                kafka: config.kafka.clone(),
                input: config.topics.raw.clone(),
                output: OutputTopic::ALL.map(|topic| config.topics.name(topic).to_owned()),
                transactional_id: format!("{}-{instance}-{number}", config.kafka.group),
                from: config.run.from,
                on_lost_position: config.run.on_lost_position,
                started,
                delivery: config.run.delivery,
                memory,
                largest_output: shared.largest_output,
                limits: shared.limits,
                ends: shared.bounds.ends.clone(),
            };
            let (mut observer, watch) = observe(number);
            let lane = KafkaLane::new(settings, Arc::clone(&shared.health), watch, Arc::clone(&stop));
            let mut lane = Paced::new(lane, shared.bounds.pace.clone());
            let live = Arc::clone(&shared.live);
            let schemas = Arc::clone(&shared.schemas);
            let drive_settings = drive_settings.clone();
            let ended = ended.clone();
            let run = move || {
                let work = AssertUnwindSafe(|| {
                    let end = drive(&mut lane, &mut observer, || live.load_full(), &*schemas, &drive_settings);
                    drop(lane);
                    end
                });
                let end = catch_unwind(work).unwrap_or_else(|_| Err(bug()));
                // Nobody listens any more only while the process is ending.
                let _ = ended.send(Ending::Lane(end.map_err(Failure::from)));
            };
            let thread = thread::Builder::new()
                .name(format!("lane-{number}"))
                .spawn(run)
                .map_err(|error| Failure::unavailable(format!("starting lane {number}: {error}")))?;
            threads.push(thread);
        }
        Ok(Self { stop, threads })
    }

    /// Asks every lane to finish its batch and leave. Waits for them until `deadline`; `false` when one is still at it: its
    /// open transaction is ended by the broker, so nothing of it becomes visible and nothing is lost.
    pub(super) fn stop(self, deadline: Duration) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        let started = Instant::now();
        for thread in self.threads {
            while !thread.is_finished() {
                if started.elapsed() > deadline {
                    return false;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        true
    }
}

fn bug() -> Fatal {
    Fatal {
        message: "a lane ended on a bug in leadstream; its batch was not committed, nothing is lost. The log names the place; \
                  please report it"
            .to_owned(),
        exit: 70,
    }
}

//! `leadstream run`: the service. Binds HTTP, waits for the broker, starts the lanes, and ends on a signal, on a lane's end,
//! or (`--once`) when the group has reached the end offsets seen at the start.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::{Config, Delivery},
    io::{NoRegistry, SchemaSource},
    kafka::{BrokerHealth, GroupProgress, TopicFinding, Topics, keep_freed_memory},
    lead::Partition,
    pipeline::{Live, OutputTopic, Pipeline, Trials},
    registry::Registry,
    telemetry::logging,
};

use super::{
    Failure, ServeArguments,
    bounded::{self, Bounded},
    broker_watch::BrokerWatch,
    canary::{CanaryGuard, Guarded},
    hide_panic_messages,
    lanes::{Bounds, Ending, Lanes, Shared},
    ledger_topic, registration,
    registry_watch::RegistryKeeper,
    reload::{Hangups, Reloader},
    report::Telemetry,
    topics::{largest_output, right},
};

/// Lanes get this long to finish their batch and leave the group.
const LEAVE: Duration = Duration::from_secs(8);

/// Runs until it is told to end.
///
/// # Errors
/// 64 for settings that cannot work, 75 when a dependency is needed and away, 70 for a bug. With `--once` also 75 when nothing
/// moves, 64 when a partition's position is lost, 1 when the dead-letter guard halts.
pub fn serve(config: &Config, mut pipeline: Pipeline, trials: Trials, arguments: &ServeArguments) -> Result<(), Failure> {
    keep_freed_memory(config.run.lanes);
    logging::start(&config.log);
    log_bugs();
    // Before anybody is told that it is there: a signal that nobody listens for ends a process without a word.
    let (sender, endings) = channel();
    on_signal(sender.clone())?;
    let hangups = Hangups::listen()?;
    let health = Arc::new(BrokerHealth::new(&config.kafka.brokers));
    let telemetry = Telemetry::start(config, &pipeline, &trials)?;
    let registry = config.encoding.registry().map(|settings| Registry::new(settings, telemetry.registry()));
    let registry = registry.transpose().map_err(Failure::usage)?.map(Arc::new);

    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        brokers = config.kafka.brokers,
        group = config.kafka.group,
        ruleset = pipeline.rules.label(),
        "starting {} lanes",
        config.run.lanes
    );
    let deadline = arguments.once.then(|| Instant::now() + arguments.wait);
    let Some(topics) = wait_for_broker(config, &health, &telemetry, &endings, deadline)? else {
        return Ok(());
    };
    telemetry.broker_answers();
    let config = &ledger_topic::settled(config, &topics);
    let formats = registration::formats(&config.topics, &config.encoding, registry.as_ref(), &endings, deadline)?;
    let Some(formats) = formats else { return Ok(()) };
    pipeline.encoding.formats = formats;
    pipeline.encoding.largest = largest(config, &topics);
    let limits = pipeline.encoding.largest;
    let schemas: Arc<dyn SchemaSource> = match &registry {
        Some(registry) => Arc::<Registry>::clone(registry),
        None => Arc::new(NoRegistry),
    };
    let shared = Shared {
        live: Arc::new(ArcSwap::from_pointee(Live::new(pipeline, trials))),
        schemas,
        health,
        largest_output: largest_output(config),
        limits,
        ends_on_halt: arguments.once,
        bounds: Bounds::default(),
    };
    telemetry.explain_by(&shared.live, &shared.schemas, &config.rules.canary);
    if arguments.once {
        watch_progress(config, arguments.wait, telemetry.halted_partitions(), sender.clone())?;
    }
    let guard = Arc::new(CanaryGuard::new(&shared.live, &config.rules.canary, telemetry.rules()));
    let observed = |number| {
        let (observer, watch) = telemetry.lane(number);
        (Guarded { observer, guard: Arc::clone(&guard) }, watch)
    };
    let lanes = Lanes::start(config, &shared, &sender, observed)?;
    let watch = BrokerWatch::start(config, &shared.health, &telemetry)?;
    let keeper = registry.map(RegistryKeeper::start).transpose()?;
    let reloader = Reloader::start(config, &shared.live, telemetry.rules(), hangups)?;
    let ending = endings.recv().unwrap_or(Ending::Signal);
    telemetry.stopping();
    drop((watch, keeper, reloader));
    if !lanes.stop(LEAVE) {
        let open = match config.run.delivery {
            Delivery::ExactlyOnce => "the broker ends its open transaction",
            Delivery::AtLeastOnce => "what it had in hand is decided again",
        };
        tracing::warn!("a lane did not come to its end in time; {open}, nothing is lost");
    }
    telemetry.finish();
    match ending {
        Ending::Signal => tracing::info!("stopped on a signal"),
        Ending::Reached => tracing::info!("every record seen at the start is decided and committed"),
        Ending::Lane(result) => result?,
        Ending::Stuck(failure) => return Err(failure),
    }
    Ok(())
}

/// From here on a bug is a line of the log.
pub fn log_bugs() {
    hide_panic_messages(|place| tracing::error!("a bug at {place}; please report it"));
}

/// SIGTERM and SIGINT become an ending; a second one ends the process at once, which is safe: what is not committed is
/// decided again.
///
/// # Errors
/// 70 when the system lets nobody listen.
pub fn on_signal(sender: Sender<Ending>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::bug(format!("listening for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (mut terminate, mut interrupt) = {
        let _context = runtime.enter();
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
    };
    let listen = move || {
        runtime.block_on(async {
            for again in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if again {
                    std::process::exit(0);
                }
                // Nobody listens any more only while the process is ending.
                let _ = sender.send(Ending::Signal);
            }
        });
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(failed)?;
    Ok(())
}

/// How long one question to the broker may take: a signal is heard only between two.
const QUESTION: Duration = Duration::from_secs(2);

/// Asks the broker for the output topics until it answers, or until `deadline`. `None`: told to end meanwhile.
fn wait_for_broker(
    config: &Config,
    health: &BrokerHealth,
    telemetry: &Telemetry,
    endings: &Receiver<Ending>,
    deadline: Option<Instant>,
) -> Result<Option<Vec<TopicFinding>>, Failure> {
    let topics = Topics::connect(&config.kafka).map_err(|error| Failure::usage(error.to_string()))?;
    let mut names: Vec<_> = config.topics.outputs().map(|(_, name)| name.to_owned()).collect();
    names.extend(config.topics.raw.iter().cloned());
    loop {
        let left = deadline.map_or(QUESTION, |deadline| deadline.saturating_duration_since(Instant::now()).min(QUESTION));
        match topics.find(&names, left.max(Duration::from_millis(100))) {
            Ok(found) => {
                health.answered();
                for topic in found.iter().filter(|topic| topic.partitions == 0) {
                    if topic.is_hidden {
                        health.denied(&right(config, &topic.name), &config.kafka);
                    } else {
                        tracing::warn!("topic {} does not exist yet; `leadstream topics create` makes it", topic.name);
                    }
                }
                return Ok(Some(found));
            }
            Err(error) => {
                health.silent(&error.to_string());
                telemetry.broker_is_silent(&error.to_string());
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(Failure::unavailable(format!("run --once: the broker has not answered: {error}; try again")));
                }
            }
        }
        match endings.recv_timeout(Duration::from_millis(500)) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return Ok(None),
        }
    }
}

/// The largest record each output topic takes. Where the broker does not tell, it will say so when it is given a larger one.
pub(super) fn largest(config: &Config, topics: &[TopicFinding]) -> [usize; OutputTopic::COUNT] {
    OutputTopic::ALL.map(|topic| {
        let found = topics.iter().find(|found| found.name == config.topics.name(topic));
        found.and_then(|found| found.largest).unwrap_or(usize::MAX).min(largest_output(config))
    })
}

/// `--once`: tells when the group has come to the end offsets of now, but for partitions that have halted, or stands still.
fn watch_progress(
    config: &Config,
    wait: Duration,
    halted: impl Fn() -> BTreeMap<Partition, String> + Send + 'static,
    sender: Sender<Ending>,
) -> Result<(), Failure> {
    let deadline = Instant::now() + wait;
    let goal = loop {
        // A partition without a leader has one a moment later; that it stays away is what `wait` is for.
        match GroupProgress::towards_now(&config.kafka, &config.topics.raw) {
            Ok(goal) => break goal,
            Err(error) if Instant::now() >= deadline => return Err(error.into()),
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    };
    bounded::watch(goal, Bounded { verb: "run --once", wait }, halted, sender, |_| {})
}

//! `leadstream replay`: a bounded `run` of its own. The same lanes and the same loop decide a range of the input topics again, in a
//! group of its own, to topics of its own. What the range is stands in `plan`, where events go in `outputs`.

mod census;
mod offsets_file;
mod outputs;
mod plan;

use std::{
    io::Write,
    sync::{Arc, mpsc::channel},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use crate::{
    config::{Config, From, OnLostPosition},
    dead_letters::no_such_code,
    io::{NoRegistry, SchemaSource},
    kafka::{BrokerHealth, GroupProgress, Movement, Span, Topics, keep_freed_memory},
    pipeline::{Live, Pipeline, Trials},
    registry::Registry,
    rules::Condition,
    telemetry::logging,
};

use super::{
    Failure, ReplayArguments, ReplayRange, Restore,
    bounded::{self, Bounded},
    broker_watch::BrokerWatch,
    lanes::{Bounds, Ending, Lanes, Shared},
    pace::Pace,
    registration,
    registry_watch::RegistryKeeper,
    report::Telemetry,
    restored::PassedOver,
    serve::{largest, log_bugs, on_signal},
    shown::Shown,
    topics::largest_output,
};
use census::Taken;
use plan::{Plan, Stretch};

/// So long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// So long nothing may move: twice what a broker needs to end a transaction that a killed process left open.
const WAIT: Duration = Duration::from_mins(1);
/// Lanes get this long to finish their batch and leave the group.
const LEAVE: Duration = Duration::from_secs(8);

/// Decides a range again, or goes on with it where it was begun before; `only`: publishes leads for which it holds.
///
/// # Errors
/// 64 for what cannot be done as asked, 75 when a dependency is away, nothing moves, or it was stopped before its end; 1 when the
/// dead-letter guard halts, 70 for a bug.
pub fn replay(
    live: &Config,
    pipeline: Pipeline,
    only: Option<Condition>,
    arguments: &ReplayArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if let ReplayRange::DeadLetters(Some(code)) = &arguments.range
        && let Some(wrong) = no_such_code(code)
    {
        return Err(Failure::usage(format!("--code: {wrong}")));
    }
    keep_freed_memory(live.run.lanes);
    let config = of_replay(live, arguments)?;
    let plan = Plan::find(&config, live, arguments, &pipeline.rules, &pipeline.tables)?;
    let passed_over = if arguments.promote { Some(outputs::dead_lettered(live)?) } else { None };
    let taken = match &arguments.range {
        ReplayRange::DeadLetters(code) => Some(plan.taken(&config, code.as_deref())?),
        ReplayRange::Times { .. } | ReplayRange::Offsets(_) => None,
    };
    let can_begin = || match (arguments.promote, plan.begun) {
        (true, _) => outputs::are_sound(live),
        (false, false) => outputs::are_fresh(&config),
        (false, true) => Ok(()),
    };
    if arguments.dry_run {
        dry_run(&config, &plan, (passed_over.as_ref(), taken.as_ref()), arguments, out)?;
        return can_begin();
    }
    logging::start(&config.log);
    log_bugs();
    can_begin()?;
    if arguments.promote {
        outputs::may_promote(live, arguments)?;
    }
    if !plan.begun {
        plan.begin(&config)?;
    }
    outputs::create(&config.topics, &live.topics, &config)?;
    decide(&config, live, pipeline, only, (&plan, passed_over.map(Arc::new), taken), arguments, out)
}

/// The configuration of a run whose group, topics and starts are the replay's.
fn of_replay(live: &Config, arguments: &ReplayArguments) -> Result<Config, Failure> {
    let mut config = live.clone();
    config.kafka.group = format!("{}.replay.{}", live.kafka.group, arguments.id);
    config.topics = outputs::topics(live, arguments)?;
    if matches!(arguments.range, ReplayRange::DeadLetters(_)) {
        config.topics.raw = vec![live.topics.dead_letter.clone()];
    }
    // Of a partition that came after the start nothing is in the range.
    config.run.from = From::Latest;
    config.run.on_lost_position = if arguments.from_first_existing { OnLostPosition::Earliest } else { OnLostPosition::Stop };
    Ok(config)
}

/// The run itself.
fn decide(
    config: &Config,
    live: &Config,
    mut pipeline: Pipeline,
    only: Option<Condition>,
    (plan, passed_over, taken): (&Plan, Option<Arc<PassedOver>>, Option<Taken>),
    arguments: &ReplayArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let started = Instant::now();
    let telemetry = Telemetry::start(config, &pipeline, &Trials::default())?;
    let registry = config.encoding.registry().map(|settings| Registry::new(settings, telemetry.registry()));
    let registry = registry.transpose().map_err(Failure::usage)?.map(Arc::new);
    let (sender, endings) = channel();
    on_signal(sender.clone())?;

    tracing::info!(
        group = config.kafka.group,
        ruleset = pipeline.rules.label(),
        offsets = plan.offsets(),
        "{} replay {}, {} lanes",
        if plan.begun { "going on with" } else { "beginning" },
        arguments.id,
        config.run.lanes
    );
    let names: Vec<_> = config.topics.outputs().map(|(_, name)| name.to_owned()).collect();
    let topics = Topics::connect(&config.kafka)?.find(&names, ANSWER)?;
    telemetry.broker_answers();
    // Schemas of the live topics: so events have the same numbers, and the same bytes.
    let formats = registration::formats(&live.topics, &live.encoding, registry.as_ref(), &endings, Some(started + WAIT))?;
    let Some(formats) = formats else { return Err(stopped(arguments)) };
    pipeline.encoding.formats = formats;
    pipeline.encoding.largest = largest(config, &topics);
    pipeline.encoding.replay = Some(arguments.id.clone());
    let limits = pipeline.encoding.largest;
    let restore = match &arguments.range {
        ReplayRange::DeadLetters(code) => taken.map(|taken| Restore { code: code.clone(), superseded: Arc::new(taken.superseded) }),
        ReplayRange::Times { .. } | ReplayRange::Offsets(_) => None,
    };
    let schemas: Arc<dyn SchemaSource> = match &registry {
        Some(registry) => Arc::<Registry>::clone(registry),
        None => Arc::new(NoRegistry),
    };
    let shared = Shared {
        live: Arc::new(ArcSwap::from_pointee(Live { only: only.map(Arc::new), ..Live::new(pipeline, Trials::default()) })),
        schemas,
        health: Arc::new(BrokerHealth::new(&config.kafka.brokers)),
        largest_output: largest_output(config),
        limits,
        ends_on_halt: true,
        bounds: Bounds {
            ends: Some(Arc::new(plan.ends())),
            pace: arguments.rate.map(|rate| Arc::new(Pace::of(rate))),
            restore,
            passed_over,
        },
    };
    let left = shared.bounds.passed_over.as_ref().map_or(0, |others| left_to_dlq(others, plan));
    telemetry.explain_by(&shared.live, &shared.schemas, &config.rules.canary);
    let spans: Vec<Span> = plan.spans().cloned().collect();
    let goal = GroupProgress::towards(&config.kafka, &spans)?;
    let mut shown = (!arguments.quiet).then(|| Shown::new(["replayed", "offsets"], plan.offsets()));
    let counted = plan.clone();
    let show = move |found: Movement| {
        if let Some(shown) = &mut shown {
            shown.show(counted.done(found.committed));
        }
    };
    let lanes = Lanes::start(config, &shared, &sender, |number| telemetry.lane(number))?;
    bounded::watch(goal, Bounded { verb: "replay", wait: WAIT }, telemetry.halted_partitions(), sender, show)?;
    let watch = BrokerWatch::start(config, &shared.health, &telemetry)?;
    let keeper = registry.map(RegistryKeeper::start).transpose()?;
    let ending = endings.recv().unwrap_or(Ending::Signal);
    telemetry.stopping();
    drop((watch, keeper));
    if !lanes.stop(LEAVE) {
        tracing::warn!("a lane did not come to its end in time; the broker ends its open transaction, nothing is lost");
    }
    telemetry.finish();
    match ending {
        Ending::Reached if arguments.quiet => Ok(()),
        Ending::Reached => {
            let counts = telemetry.counts();
            let leads = counts.qualified + counts.unqualified;
            let took = started.elapsed().as_secs_f64();
            let left = if left > 0 { format!("; {left} records with dead letters were left to `leadstream dlq`") } else { String::new() };
            // Of a record's dead letters all are read, and one is decided.
            let what = if matches!(arguments.range, ReplayRange::DeadLetters(_)) { "dead letters read" } else { "records" };
            tell(
                out,
                &format!(
                    "replay {} is done: {} {what}, {leads} leads, {} routed, {} dead letters in {took:.1} s{left}",
                    arguments.id, counts.records, counts.routed, counts.dead_letters
                ),
            )
        }
        Ending::Lane(Err(failure)) | Ending::Stuck(failure) => Err(failure),
        Ending::Lane(Ok(())) | Ending::Signal => Err(stopped(arguments)),
    }
}

/// Records of the range for which dead letters stand.
fn left_to_dlq(passed_over: &PassedOver, plan: &Plan) -> u64 {
    plan.spans().map(|span| passed_over.within(&span.partition, span.from..span.to)).sum()
}

/// It was asked to end before it was done.
fn stopped(arguments: &ReplayArguments) -> Failure {
    Failure::unavailable(format!("replay: stopped on a signal before its end; the same command goes on with {:?}", arguments.id))
}

/// What would be done.
fn dry_run(
    config: &Config,
    plan: &Plan,
    (passed_over, taken): (Option<&PassedOver>, Option<&Taken>),
    arguments: &ReplayArguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let names: Vec<_> = config.topics.outputs().map(|(_, name)| name.to_owned()).collect();
    let found = Topics::connect(&config.kafka)?.find(&names, ANSWER)?;
    let state = if plan.begun { "begun before, would go on" } else { "new" };
    tell(out, &format!("replay   {} ({state}), decided by {}, group {}", arguments.id, plan.rules(), config.kafka.group))?;
    for Stretch { span: Span { partition, from, to, .. }, next } in &plan.stretches {
        let done = if next > from { format!(", decided up to {next}") } else { String::new() };
        let records = match taken {
            None => format!("about {} records", to - from),
            Some(taken) => format!("{} records", taken.records.get(partition).copied().unwrap_or(0)),
        };
        tell(out, &format!("range    {partition} from {from} to {to}: {records}{done}"))?;
    }
    match taken {
        None => tell(out, &format!("in all   about {} records", plan.offsets()))?,
        Some(Taken { superseded, records, others }) => {
            tell(out, &format!("in all   {} records, each once", records.values().sum::<u64>()))?;
            let why = if matches!(&arguments.range, ReplayRange::DeadLetters(Some(_))) { "another code, " } else { "" };
            let older = superseded.count();
            tell(out, &format!("not      {older} dead letters of which a newer one stands for the same record"))?;
            tell(out, &format!("not      {others} dead letters with {why}no value or no place of their record"))?;
        }
    }
    if let Some(only) = &arguments.only {
        tell(out, &format!("where    {}: not counted here, only deciding tells for which leads it holds", only.trim()))?;
    }
    if let Some(left) = passed_over.map(|others| left_to_dlq(others, plan)).filter(|left| *left > 0) {
        tell(out, &format!("left     {left} records have dead letters: `leadstream dlq` sees to them"))?;
    }
    for topic in found {
        let state = if topic.partitions == 0 { "would be made" } else { "is there" };
        tell(out, &format!("topic    {} {state}", topic.name))?;
    }
    tell(out, "nothing was decided or written: --dry-run")
}

fn tell(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::unavailable(format!("writing to standard output: {error}")))
}

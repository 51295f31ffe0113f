//! The phases of a storm: load with faults, calm, a few more leads for exact counters, and the account.

use std::{
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use super::{
    check, clients,
    conduct::{Conduct, knows_all},
    fake_registry::FakeRegistry,
    figures::Figures,
    fleet::Fleet,
    ground::Ground,
    metrics::Counted,
    obligations::{self, Obligations, Pen},
    ruleset::ChangingRules,
    schedule::{self, Climate},
    service::{Scene, now_millis},
    waiting::{Enough, let_pass},
};

/// Partitions of the input, at the beginning.
const PARTITIONS: usize = 12;
/// From calm to the last decision: a frozen process holds its partitions for 6 s, an open transaction for 15 s, and a machine
/// that is busy with all of this takes its time.
const DRAIN: Duration = Duration::from_mins(2);
/// Longer than any transaction lives by itself: what is open then may hang for ever.
const DOUBTFUL: Duration = Duration::from_secs(25);
/// Leads in the calm after, for which all counters must be exact.
const CALM_LEADS: u32 = 2_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) length: Duration,
    /// Leads a second.
    pub(crate) a_second: u32,
    /// The one fault that is wanted.
    pub(crate) only: Option<String>,
}

/// One storm on brokers of its own, and what it found.
pub(crate) fn storm(wish: &Wish) -> Figures {
    let started = Instant::now();
    let ground = Ground::raised(wish.nodes);
    let scene = Scene::named("storm", &ground.direct());
    scene.create_topics(i32::try_from(PARTITIONS).expect("a few"), &[("max.message.bytes", obligations::ROUTING_LIMIT)]);
    scene.by_way_of(&ground.proxied());
    let timestamp = now_millis();
    let load = Obligations::new(PARTITIONS, timestamp);
    let climate = Climate::of(wish.seed);
    let registry = climate.avro.then(|| FakeRegistry::start(knows_all));
    let rules = ChangingRules::of(&scene);
    let mut settings = rules.settings();
    settings.push(format!("kafka.consumer.partition.assignment.strategy={}", climate.strategy));
    if let Some(registry) = &registry {
        settings.extend(["encoding.format=avro".to_owned(), format!("encoding.registry={}", registry.url())]);
    }
    let fleet = Fleet::launched(&scene, settings.into_iter().flat_map(|set| ["--set".to_owned(), set]).collect());
    let conduct = Conduct {
        ground: &ground,
        scene: &scene,
        fleet: &fleet,
        load: &load,
        registry: registry.as_ref(),
        ruleset: &rules,
        done: Mutex::default(),
        disturbing: Mutex::default(),
    };
    let steps = schedule::draw(wish.seed, wish.nodes, wish.length, wish.only.as_deref());
    let mut figures = Figures { storms: 1, seconds: wish.length.as_secs(), ..Figures::default() };

    let (writing, watching) = (Enough::default(), Enough::default());
    thread::scope(|scope| {
        let (until_written, until_watched) = (writing.when_dropped(), watching.when_dropped());
        let writer = scope.spawn(|| load.stream(&scene, wish.a_second, &writing));
        scope.spawn(|| fleet.watch(&watching));
        fleet.wait_ready();
        conduct.run(&steps, Instant::now() + wish.length);
        fleet.mend();
        let calm = Instant::now();
        drop(until_written);
        writer.join().expect("the writer");
        if drained(&scene, &load, &fleet) {
            figures.drained = Some(calm.elapsed());
        } else {
            figures.never_drained = 1;
        }
        drop(until_watched);
    });
    figures.metrics_wrong = counted_in_the_calm(&scene, &load, &fleet);
    let topics = scene.outputs();
    let due = Counted::due(load.written().into_iter().flatten(), [topics[0], topics[1], topics[2], topics[3]]);
    figures.metrics_wrong.extend(fleet.counted().exceeds(&due));
    (figures.recycles, figures.reloads) = (fleet.recycles(), fleet.reloads());
    figures.peak_mib = fleet.peak_mib();
    fleet.dock();
    let open = open_transactions(&scene);
    figures.hanging = ground.hanging();
    if open.is_empty() {
        figures.findings = check::findings(&scene, &load, &rules, timestamp, climate.avro);
        figures.unverified = check::unverified(&scene);
    } else {
        eprintln!("open transactions: {open:?}");
        figures.open_transactions = open.len() as u64;
    }
    let done = conduct.done.into_inner().expect("not poisoned");
    (figures.faults, figures.left_out, figures.recoveries) = (done.faults, done.left_out, done.recoveries);
    figures.network = ground.disturbed().into_iter().map(|((api, action), count)| (format!("{api:?} {action}"), count)).collect();
    figures.processes_started = fleet.started() as u64;
    figures.deaths = fleet.deaths();
    if !figures.held(u64::MAX) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("storm-{}-{}", wish.seed, wish.nodes));
        fleet.keep_lines(&folder);
        ground.keep_data(&folder);
        eprintln!("what the processes said, and the brokers' data: {}", folder.display());
        for place in check::places(&scene, &figures.findings.positions) {
            eprintln!("{place}");
        }
    }
    println!("storm: seed {} done after {} s", wish.seed, started.elapsed().as_secs());
    figures
}

/// Waits until the group has committed everything that was written.
fn drained(scene: &Scene, load: &Obligations, fleet: &Fleet<'_>) -> bool {
    let group = scene.progress();
    let ends = load.ends();
    let deadline = Instant::now() + DRAIN;
    loop {
        fleet.mend();
        let committed = group.committed();
        let behind: Vec<_> = (0..).zip(&ends).filter(|(partition, end)| committed.get(partition).unwrap_or(&0) < *end).collect();
        if behind.is_empty() {
            return true;
        }
        if Instant::now() > deadline {
            eprintln!("never drained: partitions and their ends {behind:?}, committed {committed:?}");
            eprintln!("open transactions: {:?}", clients::unsettled(&scene.brokers, &transactional(scene)));
            fleet.statuses().iter().for_each(|status| eprintln!("{status}"));
            return false;
        }
        let_pass(Duration::from_millis(50));
    }
}

/// Some more leads, in calm weather: every counter must move by exactly what they are.
fn counted_in_the_calm(scene: &Scene, load: &Obligations, fleet: &Fleet<'_>) -> Vec<String> {
    fleet.wait_ready();
    fleet.look();
    let (before, written) = (fleet.counted(), load.written());
    load.poison(1, 1);
    load.batch(&mut Pen::default(), scene, CALM_LEADS);
    let later = load.written();
    let news = later.iter().zip(&written).flat_map(|(later, before)| later[before.len()..].iter().copied());
    let topics = scene.outputs();
    let due = Counted::due(news, [topics[0], topics[1], topics[2], topics[3]]);
    if !drained(scene, load, fleet) {
        return vec!["the leads of the calm were never decided".to_owned()];
    }
    // What is committed is counted a moment later.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        fleet.look();
        let wrong = fleet.counted().since(&before).differs_from(&due);
        if wrong.is_empty() || Instant::now() > deadline {
            return wrong;
        }
    }
}

/// The topics that transactions write to.
fn transactional(scene: &Scene) -> Vec<&str> {
    scene.outputs().into_iter().chain(["__consumer_offsets"]).collect()
}

/// Partitions over which a transaction is left open, in the outputs or over the group's offsets.
fn open_transactions(scene: &Scene) -> Vec<(String, i32)> {
    let deadline = Instant::now() + DOUBTFUL;
    loop {
        let open = clients::unsettled(&scene.brokers, &transactional(scene));
        if open.is_empty() || Instant::now() > deadline {
            return open;
        }
        let_pass(Duration::from_millis(200));
    }
}

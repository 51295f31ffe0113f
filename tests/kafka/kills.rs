//! The kill test: two processes of two lanes are killed (SIGKILL) at random moments and started again while leads keep coming.
//! Afterwards every source position must have its outcome exactly once. Short by default; `make kill-test` is the long form.

use std::{collections::BTreeMap, env, thread, time::Duration};

use super::{
    broker,
    clients::Writer,
    leads::{Dice, lead, records},
    outcomes::Outcomes,
    service::{SOON, Scene, Service, now_millis},
    waiting::{let_pass, wait_for},
};

const PARTITIONS: usize = 8;

/// A number that the environment may give: how long the long form of a test is.
pub(crate) fn number(name: &str, default: usize) -> usize {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn sigkill_at_any_moment_loses_doubles_and_reorders_nothing() {
    let (leads, kills) = (number("LEADSTREAM_KILL_LEADS", 8_000), number("LEADSTREAM_KILLS", 6));
    let seed = Dice::seed();
    println!("LEADSTREAM_SEED={seed}: {leads} leads, {kills} kills");
    let mut dice = Dice::new(seed);
    let scene = Scene::with_topics("kills", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    // One as a stable replica that fences its former self, one as a process that is new at each start and writes in parts.
    let start: [&dyn Fn() -> Service; 2] =
        [&|| scene.run(&["--set", "kafka.instance=pod-0"]), &|| scene.run(&["--set", "run.memory=8MiB"])];
    let mut services = start.map(|start| start());

    let all = records(0..leads, PARTITIONS, now_millis());
    let writer = Writer::new(&scene.brokers);
    let slice = leads.div_ceil(kills + 1);
    let group = scene.progress();
    let mut offsets = Vec::with_capacity(leads);
    for (round, slice) in all.chunks(slice).enumerate() {
        thread::scope(|scope| {
            let before = group.done();
            let written = scope.spawn(|| writer.write(&scene.raw, slice));
            if round < kills {
                let lines = || format!("seed {seed}, kill {round}\n{}\n---\n{}", services[0].lines(), services[1].lines());
                wait_for("something is committed between two kills", 2 * SOON, lines, || {
                    services.iter().for_each(Service::assert_runs);
                    (group.done() > before).then_some(())
                });
                let_pass(Duration::from_millis(dice.below(400) as u64));
                let which: &[usize] = [&[0_usize][..], &[1], &[0], &[1], &[0, 1]][dice.below(5)];
                for which in which {
                    services[*which].kill();
                }
                // At once, or so late that the others have to take over.
                let_pass(Duration::from_millis([0, 0, 500, 2_000][dice.below(4)]));
                for which in which {
                    services[*which] = start[*which]();
                }
            }
            offsets.extend(written.join().expect("written"));
        });
    }
    scene.wait_done(leads, &services[0]);
    for service in &mut services {
        service.terminate();
        assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());
    }

    let outcomes = Outcomes::read(&scene);
    let positions: Vec<_> = all.iter().zip(&offsets).map(|(raw, offset)| (raw.partition, *offset)).collect();
    let expected: BTreeMap<_, _> = positions.iter().enumerate().map(|(number, at)| (*at, lead(number).1)).collect();
    assert_eq!(expected.len(), leads, "the writer doubled something");
    outcomes.assert_each_exactly_once(&expected);
    outcomes.assert_in_order();
    outcomes.assert_bytes(&scene, &positions.into_iter().zip(&all).collect::<Vec<_>>());
}

/// A lane that is behind reads more than its memory for outputs takes: what does not fit is written ahead, in the same transaction.
#[test]
fn a_backlog_that_is_written_in_parts_bears_sigkill() {
    const LEADS: usize = 20_000;
    /// As few outputs as the least memory holds.
    const PART: u32 = (4 << 20) / 8 * 3;
    let seed = Dice::seed();
    println!("LEADSTREAM_SEED={seed}");
    let mut dice = Dice::new(seed);
    let scene = Scene::with_topics("parts", broker::shared(), i32::try_from(PARTITIONS).expect("a few"));
    let all = records(0..LEADS, PARTITIONS, now_millis());
    let offsets = Writer::new(&scene.brokers).write(&scene.raw, &all);
    // An interval so long that a part of a slow build is decided in it, too.
    let sets = ["run.lanes=1", "run.memory=4MiB", "kafka.instance=pod-0", "run.commit_interval=1s"];
    let start = || scene.run(&sets.iter().flat_map(|set| ["--set", set]).collect::<Vec<_>>());
    let mut service = start();
    let group = scene.progress();
    for _ in 0..4 {
        let before = group.done();
        wait_for(
            "something is committed between two kills",
            2 * SOON,
            || service.lines(),
            || {
                service.assert_runs();
                (group.done() > before).then_some(())
            },
        );
        let_pass(Duration::from_millis(dice.below(300) as u64));
        service.kill();
        service = start();
    }
    let left = LEADS - usize::try_from(group.done()).expect("a few");
    scene.wait_done(LEADS, &service);
    let commits = service.metric("leadstream_commit_seconds_count").expect("a metric");
    service.terminate();
    assert_eq!(service.exit_within(Duration::from_secs(10)), 0, "{}", service.lines());

    let outcomes = Outcomes::read(&scene);
    let positions: Vec<_> = all.iter().zip(&offsets).map(|(raw, offset)| (raw.partition, *offset)).collect();
    outcomes.assert_each_exactly_once(&positions.iter().enumerate().map(|(number, at)| (*at, lead(number).1)).collect());
    outcomes.assert_in_order();
    outcomes.assert_bytes(&scene, &positions.into_iter().zip(&all).collect::<Vec<_>>());
    let bytes: usize =
        scene.outputs().iter().flat_map(|topic| scene.read(topic)).map(|kept| kept.value.map_or(0, |value| value.len())).sum();
    let at_once = bytes / LEADS * left;
    println!("{left} leads, {} bytes each, in {commits} commits", bytes / LEADS);
    let at_once = f64::from(u32::try_from(at_once).expect("some megabytes")) / commits;
    assert!(left == 0 || at_once > 1.1 * f64::from(PART), "more than fits at once is committed at once");
}

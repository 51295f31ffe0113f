//! Does what the schedule says: to processes, brokers and connections; each fault on a thread of its own, so that they overlap.
//! A fault that finds everything of its kind in use already is left out, and counted as that.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    thread::{self, Scope},
    time::{Duration, Instant},
};

use super::{
    clients::{self, Group},
    fake_registry::{self, FakeRegistry},
    fleet::Fleet,
    ground::Ground,
    obligations::Obligations,
    proxy::{Action, Api},
    ruleset::ChangingRules,
    schedule::{Disturbance, Disturbed, Fault, Step},
    service::Scene,
    waiting::let_pass,
};

/// A single fault is followed so long; what takes longer is told by the end of the storm.
const RECOVERY: Duration = Duration::from_mins(1);

/// All that a storm rages over.
pub(crate) struct Conduct<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) scene: &'a Scene,
    pub(crate) fleet: &'a Fleet<'a>,
    pub(crate) load: &'a Obligations,
    /// Where events are Avro.
    pub(crate) registry: Option<&'a FakeRegistry>,
    pub(crate) ruleset: &'a ChangingRules,
    pub(crate) done: Mutex<Done>,
    pub(crate) disturbing: Mutex<Vec<Disturbing>>,
}

/// What was done, and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Faults by name.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Faults that found nothing to be done to.
    pub(crate) left_out: u64,
    /// How long it took until all was decided that was there before a fault that came alone.
    pub(crate) recoveries: BTreeMap<&'static str, Vec<Duration>>,
}

impl Conduct<'_> {
    fn note(&self, fault: &Fault, found: bool) {
        let mut done = self.done.lock().expect("not poisoned");
        if found {
            *done.faults.entry(fault.name()).or_default() += 1;
        } else {
            done.left_out += 1;
        }
    }

    /// Goes through the steps until the time is over; returns when the last fault is over too.
    pub(crate) fn run(&self, steps: &[Step], until: Instant) {
        let group = self.scene.progress();
        thread::scope(|scope| {
            for step in steps {
                let_pass(step.after.min(until.saturating_duration_since(Instant::now())));
                if Instant::now() >= until {
                    break;
                }
                self.fleet.mend();
                if step.alone {
                    self.alone(scope, &group, &step.fault);
                } else {
                    scope.spawn(|| self.do_to(&step.fault));
                }
            }
        });
        self.ground.proxies().iter().for_each(|proxy| {
            proxy.pass_all();
            proxy.refuse(false);
        });
    }

    /// One fault in calm weather, timed from the blow to the last decision on what was there before; for a broker, from its
    /// return.
    fn alone<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, group: &Group, fault: &'scope Fault) {
        self.recovered(group, Instant::now());
        let mut struck = Instant::now();
        let blow = scope.spawn(|| self.do_to(fault));
        if matches!(fault, Fault::KillBroker { .. } | Fault::RestartBroker { .. }) {
            blow.join().expect("a fault");
            struck = Instant::now();
        }
        if let Some(took) = self.recovered(group, struck) {
            self.done.lock().expect("not poisoned").recoveries.entry(fault.name()).or_default().push(took);
        }
    }

    /// Waits until all is decided that is acknowledged now.
    fn recovered(&self, group: &Group, since: Instant) -> Option<Duration> {
        let ends = self.load.ends();
        while since.elapsed() < RECOVERY {
            let committed = group.committed();
            let reached = |(partition, end): (i32, &i64)| *end == 0 || committed.get(&partition).is_some_and(|at| at >= end);
            // A partition that came later is not asked for by this client.
            if (0..).zip(&ends).filter(|(partition, _)| *partition < group.partitions()).all(reached) {
                return Some(since.elapsed());
            }
            let_pass(Duration::from_millis(50));
        }
        None
    }

    fn do_to(&self, fault: &Fault) {
        println!("  {} {fault:?}", jiff::Timestamp::now().strftime("%H:%M:%S"));
        let found = self.try_to(fault);
        self.note(fault, found);
    }

    fn try_to(&self, fault: &Fault) -> bool {
        match fault {
            Fault::KillProcess { process, down } => self.process(*process, *down, |process| self.fleet.kill(process)),
            Fault::StopProcess { process, down } => self.process(*process, *down, |process| self.fleet.stop(process)),
            Fault::Freeze { process, hold } => {
                let Some((_, process)) = self.fleet.take(*process) else { return false };
                process.freeze(*hold);
                true
            }
            Fault::Crowd { processes, hold } => {
                let mut guests: Vec<_> = (0..*processes).map(|_| self.fleet.guest(4)).collect();
                let_pass(*hold);
                for (number, guest) in guests.iter_mut().enumerate() {
                    if number.is_multiple_of(2) { self.fleet.stop(guest) } else { self.fleet.kill(guest) }
                }
                true
            }
            Fault::Flurry { times, gap } => {
                for _ in 0..*times {
                    let mut guest = self.fleet.guest(2);
                    let_pass(*gap);
                    self.fleet.stop(&mut guest);
                }
                true
            }
            Fault::KillBroker { node, down } => self.broker(|nodes| {
                nodes[*node].kill();
                let_pass(*down);
                nodes[*node].start();
            }),
            Fault::RestartBroker { node, down } => self.broker(|nodes| {
                nodes[*node].stop();
                let_pass(*down);
                nodes[*node].start();
            }),
            Fault::RollingRestart => self.broker(|nodes| {
                for node in nodes {
                    node.stop();
                    node.start();
                    let_pass(Duration::from_secs(2));
                }
            }),
            Fault::FreezeBroker { node, hold } => self.broker(|nodes| {
                nodes[*node].pause();
                let_pass(*hold);
                nodes[*node].resume();
            }),
            Fault::Network { request, how, one_in, hold, slow } => {
                let slow = slow.map(|time| Disturbing { api: Api::Produce, action: Action::Delay(time), one_in: 1 });
                let one = Disturbing { api: api(*request), action: action(*how), one_in: *one_in };
                let these: Vec<_> = [Some(one), slow].into_iter().flatten().collect();
                self.disturb(|all| all.extend(&these));
                let_pass(*hold);
                self.disturb(|all| {
                    for one in &these {
                        // Another that is the same goes on.
                        let at = all.iter().position(|known| known == one).expect("put in above");
                        all.remove(at);
                    }
                });
                true
            }
            Fault::Partition { node, hold } => {
                self.ground.proxies()[*node].refuse(true);
                let_pass(*hold);
                self.ground.proxies()[*node].refuse(false);
                true
            }
            Fault::MorePartitions => {
                let Some(_nodes) = self.ground.take() else { return false };
                let partitions = self.load.ends().len() + 2;
                clients::add_partitions(&self.scene.brokers, &self.scene.raw, partitions);
                self.load.spread(partitions);
                true
            }
            Fault::RegistryAway { hold } => {
                let Some(registry) = self.registry else { return false };
                registry.answers(|_| Some(fake_registry::json(503, "{}")));
                let_pass(*hold);
                registry.answers(knows_all);
                true
            }
            Fault::Burst { leads } => {
                self.load.burst(*leads);
                true
            }
            Fault::Reload { times, gap } => {
                for _ in 0..*times {
                    self.ruleset.change();
                    let_pass(*gap);
                }
                true
            }
            Fault::Poison { oversize, many } => {
                self.load.poison(*oversize, *many);
                true
            }
        }
    }

    /// Changes what disturbs connections now; several things can.
    fn disturb(&self, change: impl FnOnce(&mut Vec<Disturbing>)) {
        let mut all = self.disturbing.lock().expect("not poisoned");
        change(&mut all);
        for proxy in self.ground.proxies() {
            let all = all.clone();
            proxy.rule(move |request| {
                let one = all.iter().find(|one| one.api == request.api && request.count.is_multiple_of(one.one_in));
                one.map_or(Action::Pass, |one| one.action)
            });
        }
    }

    fn process(&self, number: usize, down: Duration, strike: impl FnOnce(&mut super::fleet::Process)) -> bool {
        let Some((number, mut process)) = self.fleet.take(number) else { return false };
        strike(&mut process);
        let_pass(down);
        self.fleet.restart(number, &mut process);
        true
    }

    fn broker(&self, strike: impl FnOnce(&mut [super::broker::Broker])) -> bool {
        let Some(mut nodes) = self.ground.take() else { return false };
        strike(&mut nodes);
        true
    }
}

/// A registry that has every schema.
#[allow(clippy::unnecessary_wraps)] // as an answer must be
pub(crate) fn knows_all(_: &str) -> Option<String> {
    Some(fake_registry::json(200, r#"{"id":7}"#))
}

/// One in so many requests of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disturbing {
    api: Api,
    action: Action,
    one_in: u64,
}

fn api(request: Disturbed) -> Api {
    match request {
        Disturbed::EndTransaction => Api::EndTxn,
        Disturbed::AddPartitions => Api::AddPartitionsToTxn,
        Disturbed::AddOffsets => Api::AddOffsetsToTxn,
        Disturbed::CommitOffsets => Api::TxnOffsetCommit,
        Disturbed::Produce => Api::Produce,
        Disturbed::InitProducer => Api::InitProducerId,
        Disturbed::Heartbeat => Api::Heartbeat,
        Disturbed::JoinGroup => Api::JoinGroup,
        Disturbed::Fetch => Api::Fetch,
    }
}

fn action(how: Disturbance) -> Action {
    match how {
        Disturbance::Delay(time) => Action::Delay(time),
        Disturbance::DropAnswer => Action::DropAnswer,
        Disturbance::Cut => Action::Cut,
        Disturbance::CutAfter => Action::CutAfter,
        Disturbance::DeliverLate(time) => Action::DeliverLate(time),
    }
}

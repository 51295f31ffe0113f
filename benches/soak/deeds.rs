//! What is done to the process that is looked at, and when: the broker stalls, the rules change, another process joins and is
//! killed or leaves. The same in every cycle but for how long and how.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use super::{
    broker::Broker,
    ground::Ground,
    load::Clock,
    service::{Service, page_at},
    waiting::let_pass,
};

/// A cycle, about.
const CYCLE: f64 = 300.0;
/// How long the broker stalls, in turn: within a session, past it, past the time a transaction may stay open.
const STALLS: [f64; 3] = [4.0, 10.0, 20.0];
/// Leaving, and SIGTERM to the end.
const LEAVE: Duration = Duration::from_mins(1);

/// One kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The broker was stopped, and let go again.
    Stall,
    /// Other good rules.
    Rules,
    /// Bad rules, until good ones followed.
    BadRules,
    /// The second process came.
    Joined,
    /// It was killed while its metrics were read.
    Killed,
    /// It was asked to leave.
    Left,
}

impl Kind {
    /// For a person.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stall => "the broker stalled",
            Self::Rules => "the rules changed",
            Self::BadRules => "bad rules",
            Self::Joined => "a process joined",
            Self::Killed => "it was killed while scraped",
            Self::Left => "it left",
        }
    }

    /// Seconds for which leads may wait, at the least, from its end on; none: it should disturb nobody.
    pub(crate) fn disturbs(self) -> Option<f64> {
        match self {
            Self::Rules | Self::BadRules => None,
            Self::Stall => Some(2.0),
            // A killed one's partitions are its own for the six seconds of its session.
            Self::Joined | Self::Killed | Self::Left => Some(10.0),
        }
    }
}

/// Something that was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed {
    pub(crate) kind: Kind,
    /// Seconds since the load began.
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Deed {
    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({ "what": self.kind.name(), "from": self.from, "to": self.to })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Change,
    Break,
    Join,
    Stall(f64),
    Kill,
    Leave,
}

/// What is to be done in so many seconds. In the third cycle nobody joins: its end is that of five minutes for which a target has
/// been away.
fn plan(seconds: f64) -> Vec<(f64, Step)> {
    let cycles = (seconds / CYCLE).round().max(3.0);
    let cycle = seconds / cycles;
    let mut steps = Vec::new();
    for number in 0..cycles as usize {
        let begin = number as f64 * cycle;
        let mut step = |share: f64, step| steps.push((begin + share * cycle, step));
        let has_guest = number != 2;
        step(0.08, Step::Change);
        if has_guest {
            step(0.15, Step::Join);
        }
        step(0.35, Step::Stall(STALLS[number % STALLS.len()].min(cycle / 8.0)));
        step(0.52, Step::Break);
        step(0.60, Step::Change);
        if has_guest {
            step(0.68, if number % 2 == 0 { Step::Kill } else { Step::Leave });
        }
        step(0.88, Step::Change);
    }
    steps
}

/// Does it.
pub(crate) struct Conduct<'g> {
    broker: &'g mut Broker,
    ground: &'g Ground,
    clock: Clock,
    guest: Option<Service>,
    done: Vec<Deed>,
}

impl<'g> Conduct<'g> {
    /// Nothing is done yet.
    pub(crate) fn new(broker: &'g mut Broker, ground: &'g Ground, clock: Clock) -> Self {
        Self { broker, ground, clock, guest: None, done: Vec::new() }
    }

    /// All of it, in time; `look` is called before each thing.
    pub(crate) fn run(&mut self, seconds: f64, look: impl Fn()) {
        for (at, step) in plan(seconds) {
            let_pass(Duration::from_secs_f64((at - self.clock.at()).max(0.0)));
            look();
            let from = self.clock.at();
            self.take(step, from);
            let last = self.done.last().expect("each step does something");
            eprintln!("{from:6.0} s: {}", last.kind.name());
        }
    }

    fn take(&mut self, step: Step, from: f64) {
        match step {
            Step::Change => {
                self.ground.rules.change();
                let to = self.clock.at();
                if let Some(Deed { kind: Kind::BadRules, to: until, .. }) = self.done.last_mut() {
                    *until = to;
                }
                self.note(Kind::Rules, from);
            }
            Step::Break => {
                fs::write(self.ground.rules.file(), "[[gate]]\nid = \"half of a line\nwhen =").expect("written");
                self.note(Kind::BadRules, from);
            }
            Step::Join => {
                let guest = self.ground.start_guest();
                guest.wait_ready();
                self.guest = Some(guest);
                self.note(Kind::Joined, from);
            }
            Step::Stall(seconds) => {
                self.broker.pause();
                let_pass(Duration::from_secs_f64(seconds));
                self.broker.resume();
                self.note(Kind::Stall, from);
            }
            Step::Kill => {
                let mut guest = self.guest.take().expect("it has joined");
                let address = guest.address();
                // Its page is read while it dies, again and again.
                thread::scope(|scope| {
                    scope.spawn(|| while page_at(address, "/metrics", Duration::from_secs(2)).is_some() {});
                    let_pass(Duration::from_millis(200));
                    guest.kill();
                });
                self.note(Kind::Killed, from);
            }
            Step::Leave => {
                let mut guest = self.guest.take().expect("it has joined");
                guest.terminate();
                assert_eq!(guest.exit_within(LEAVE), 0, "{}", guest.lines());
                self.note(Kind::Left, from);
            }
        }
    }

    fn note(&mut self, kind: Kind, from: f64) {
        self.done.push(Deed { kind, from, to: self.clock.at() });
    }

    /// What was done, in its order.
    pub(crate) fn done(self) -> Vec<Deed> {
        self.done
    }
}

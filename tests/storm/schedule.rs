//! What goes wrong, and when: drawn from a seed before the storm begins, so that a seed is a schedule. How it is done to
//! processes, brokers and connections is `conduct`'s.

use std::time::Duration;

use super::leads::Dice;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL; started again after a while.
    KillProcess { process: usize, down: Duration },
    /// SIGTERM; started again after a while.
    StopProcess { process: usize, down: Duration },
    /// More members than there are partitions, for a while.
    Crowd { processes: usize, hold: Duration },
    /// Processes that join and leave in quick succession.
    Flurry { times: usize, gap: Duration },
    /// SIGSTOP, then SIGCONT.
    Freeze { process: usize, hold: Duration },
    /// SIGKILL of a broker; started again after a while.
    KillBroker { node: usize, down: Duration },
    /// A broker that leaves in good order and comes back.
    RestartBroker { node: usize, down: Duration },
    /// One broker after the other leaves and comes back.
    RollingRestart,
    /// SIGSTOP of a broker, then SIGCONT.
    FreezeBroker { node: usize, hold: Duration },
    /// Requests of one kind are disturbed for a while. Meanwhile all that is written may be slow: then a transaction is open most
    /// of the time, and what comes late finds another than it was meant for.
    Network { request: Disturbed, how: Disturbance, one_in: u64, hold: Duration, slow: Option<Duration> },
    /// No connection is held or taken for a while.
    Partition { node: usize, hold: Duration },
    /// The input topic gets more partitions.
    MorePartitions,
    /// More leads at once than a batch holds.
    Burst { leads: u32 },
    /// The schema registry answers nobody for a while; only where events are Avro.
    RegistryAway { hold: Duration },
    /// The ruleset is another one, so many times.
    Reload { times: usize, gap: Duration },
    /// Events that no topic takes, and ten thousand leads in one record.
    Poison { oversize: u32, many: u32 },
}

/// The requests that are picked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbed {
    EndTransaction,
    AddPartitions,
    AddOffsets,
    CommitOffsets,
    Produce,
    InitProducer,
    Heartbeat,
    JoinGroup,
    Fetch,
}

/// What is done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Held back so long.
    Delay(Duration),
    /// Delivered; nobody hears the answer.
    DropAnswer,
    /// Not delivered; the connection is closed.
    Cut,
    /// Delivered; the connection is closed before the answer.
    CutAfter,
    /// The connection is closed at once, and the request delivered so much later.
    DeliverLate(Duration),
}

/// One thing that goes wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// After the one before.
    pub(crate) after: Duration,
    pub(crate) fault: Fault,
    /// Nothing else goes wrong until everything that was there before is decided; that takes the time that is told.
    pub(crate) alone: bool,
}

impl Fault {
    /// Its name in the figures.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::KillProcess { .. } => "kill_process",
            Self::StopProcess { .. } => "stop_process",
            Self::Crowd { .. } => "crowd",
            Self::Flurry { .. } => "flurry",
            Self::Freeze { hold, .. } if *hold > TRANSACTION => "freeze_past_transaction",
            Self::Freeze { .. } => "freeze_past_session",
            Self::KillBroker { down, .. } if *down > LOST => "lose_broker",
            Self::KillBroker { .. } => "kill_broker",
            Self::RestartBroker { .. } => "restart_broker",
            Self::RollingRestart => "rolling_restart",
            Self::FreezeBroker { .. } => "freeze_broker",
            Self::Network { .. } => "network",
            Self::Partition { .. } => "partition",
            Self::MorePartitions => "more_partitions",
            Self::Burst { .. } => "burst",
            Self::RegistryAway { .. } => "registry_away",
            Self::Reload { .. } => "reload",
            Self::Poison { .. } => "poison",
        }
    }
}

/// What holds for a whole storm, drawn from its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Climate {
    /// How partitions are shared out: `partition.assignment.strategy`.
    pub(crate) strategy: &'static str,
    /// Events are Avro, by a schema registry.
    pub(crate) avro: bool,
}

impl Climate {
    pub(crate) fn of(seed: u64) -> Self {
        Self { strategy: if seed.is_multiple_of(3) { "range" } else { "cooperative-sticky" }, avro: seed % 4 == 2 }
    }

    /// For the figures.
    pub(crate) fn name(self) -> String {
        format!("{}, {}", self.strategy, if self.avro { "avro" } else { "json" })
    }
}

/// leadstream's session time-out is 6 s, its transactions' 15 s.
const TRANSACTION: Duration = Duration::from_secs(15);
/// After 9 s the others take over what a node had, and go on without it.
const LOST: Duration = Duration::from_secs(9);
/// Processes that a storm has at all times.
pub(crate) const PROCESSES: usize = 3;
/// The times that more partitions can come.
pub(crate) const GROWTHS: usize = 2;

/// The faults of a storm of this length, in order; where `only` names one, no others.
pub(crate) fn draw(seed: u64, nodes: usize, length: Duration, only: Option<&str>) -> Vec<Step> {
    let climate = Climate::of(seed);
    let mut dice = Dice::new(seed);
    let mut growths = 0;
    let mut steps = Vec::new();
    let mut time = Duration::ZERO;
    while time < length {
        let after = millis(&mut dice, 300, 4_000);
        let fault = loop {
            let fault = fault(&mut dice, nodes);
            if matches!(fault, Fault::RegistryAway { .. }) && !climate.avro {
                continue;
            }
            if only.is_some_and(|only| only != fault.name()) {
                continue;
            }
            if fault != Fault::MorePartitions {
                break fault;
            }
            growths += 1;
            if growths <= GROWTHS {
                break fault;
            }
        };
        let measured =
            matches!(fault, Fault::KillProcess { .. } | Fault::KillBroker { .. } | Fault::RestartBroker { .. } | Fault::Freeze { .. });
        steps.push(Step { after, fault, alone: measured && dice.below(3) == 0 });
        time += after;
    }
    steps
}

fn millis(dice: &mut Dice, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + dice.below(to - from) as u64)
}

fn fault(dice: &mut Dice, nodes: usize) -> Fault {
    let process = dice.below(PROCESSES as u64);
    let node = dice.below(nodes as u64);
    match dice.below(100) {
        0..20 => Fault::KillProcess { process, down: [Duration::ZERO, millis(dice, 100, 3_000)][dice.below(2)] },
        20..28 => Fault::StopProcess { process, down: millis(dice, 0, 2_000) },
        28..31 => Fault::Crowd { processes: 4, hold: millis(dice, 3_000, 10_000) },
        31..35 => Fault::Flurry { times: 3 + dice.below(4), gap: millis(dice, 200, 1_500) },
        35..41 => Fault::Freeze { process, hold: millis(dice, 7_000, 12_000) },
        41..44 => Fault::Freeze { process, hold: millis(dice, 18_000, 28_000) },
        44..48 => {
            // One of several may be lost for long, so that others take all over that it had.
            let longest = if nodes > 1 && dice.below(4) == 0 { 40_000 } else { 8_000 };
            Fault::KillBroker { node, down: millis(dice, 200, longest) }
        }
        48..51 => Fault::RestartBroker { node, down: millis(dice, 200, 4_000) },
        51..53 if nodes > 1 => Fault::RollingRestart,
        51..53 => Fault::RestartBroker { node, down: millis(dice, 200, 1_000) },
        53..56 => Fault::FreezeBroker { node, hold: millis(dice, 2_000, 14_000) },
        56..88 => network(dice),
        88..91 => Fault::Partition { node, hold: millis(dice, 1_000, 9_000) },
        91..93 => Fault::MorePartitions,
        93..95 => Fault::RegistryAway { hold: millis(dice, 1_000, 15_000) },
        95 => Fault::Reload { times: 2 + dice.below(8), gap: millis(dice, 100, 2_000) },
        96..98 => Fault::Burst { leads: 2_000 + u32::try_from(dice.below(8_000)).expect("small") },
        _ => Fault::Poison { oversize: 5, many: u32::try_from(dice.below(3)).expect("small") },
    }
}

fn network(dice: &mut Dice) -> Fault {
    let request = match dice.below(20) {
        0..7 => Disturbed::EndTransaction,
        7..9 => Disturbed::AddPartitions,
        9..11 => Disturbed::AddOffsets,
        11..14 => Disturbed::CommitOffsets,
        14..16 => Disturbed::Produce,
        16 => Disturbed::InitProducer,
        17 => Disturbed::Heartbeat,
        18 => Disturbed::JoinGroup,
        _ => Disturbed::Fetch,
    };
    let is_end = request == Disturbed::EndTransaction;
    let how = match dice.below(10) {
        _ if is_end && dice.below(2) == 0 => Disturbance::DeliverLate(millis(dice, 600, 2_500)),
        0..2 => Disturbance::Delay(millis(dice, 100, 12_000)),
        2 => Disturbance::DropAnswer,
        3 => Disturbance::Cut,
        4..6 => Disturbance::CutAfter,
        _ => Disturbance::DeliverLate(millis(dice, 300, 2_500)),
    };
    let is_late_end = is_end && matches!(how, Disturbance::DeliverLate(_));
    let one_in = match request {
        // Data is cut less often than what ends it, or nothing would ever be written.
        Disturbed::Produce | Disturbed::Fetch => 20,
        // The end that is sent again has to come through, and the next one too.
        _ if is_late_end => 3,
        _ => 1 + dice.below(4) as u64,
    };
    let slow = (is_late_end || dice.below(4) == 0).then(|| millis(dice, 100, 400));
    Fault::Network { request, how, one_in, hold: millis(dice, 2_000, 8_000), slow }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_schedule() {
        let length = Duration::from_mins(10);
        assert_eq!(draw(7, 3, length, None), draw(7, 3, length, None));
        assert_ne!(draw(7, 3, length, None), draw(8, 3, length, None));
    }

    #[test]
    fn an_hour_has_everything_in_it() {
        let names: std::collections::BTreeSet<_> = draw(2, 3, Duration::from_hours(1), None).iter().map(|step| step.fault.name()).collect();
        assert_eq!(names.len(), 18, "{names:?}");
    }
}

//! How a run that is to end is watched: whether its group has come to the end it set out for, or stands still.

use std::{
    collections::BTreeMap,
    sync::mpsc::Sender,
    thread,
    time::{Duration, Instant},
};

use crate::{
    kafka::{GroupProgress, Movement},
    lead::Partition,
};

use super::{Failure, lanes::Ending};

/// What is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounded {
    /// How a person called it.
    pub(super) verb: &'static str,
    /// So long nothing may move.
    pub(super) wait: Duration,
}

/// Tells when the group has come to its goal, but for partitions that have halted, or stands still; `told` hears of every look.
///
/// # Errors
/// 75 when the system gives no thread.
pub(super) fn watch(
    mut goal: GroupProgress,
    bounded: Bounded,
    halted: impl Fn() -> BTreeMap<Partition, String> + Send + 'static,
    sender: Sender<Ending>,
    mut told: impl FnMut(Movement) + Send + 'static,
) -> Result<(), Failure> {
    let Bounded { verb, wait } = bounded;
    let watch = move || {
        let mut moved = Instant::now();
        let mut last = None;
        let ending = loop {
            let still_for = moved.elapsed();
            let halted = halted();
            let stuck = halted.values().next().map(|why| Ending::Stuck(Failure::usage(format!("{verb}: {why}"))));
            let found = goal.look(still_for > Duration::from_secs(1), |partition| halted.contains_key(partition));
            if let Ok(found) = found {
                told(found);
            }
            match found {
                Ok(found) if found.reached => break stuck.unwrap_or(Ending::Reached),
                Ok(found) if last != Some(found.committed) => {
                    last = Some(found.committed);
                    moved = Instant::now();
                }
                Ok(_) | Err(_) => {}
            }
            if still_for > wait {
                if let Some(stuck) = stuck {
                    break stuck;
                }
                let text = format!("{verb}: the group's committed offsets have not moved for {} s; try again", wait.as_secs());
                break Ending::Stuck(Failure::unavailable(text));
            }
            thread::sleep(Duration::from_millis(100));
        };
        // Nobody listens any more only while the process is ending.
        let _ = sender.send(ending);
    };
    thread::Builder::new()
        .name("progress".to_owned())
        .spawn(watch)
        .map_err(|error| Failure::unavailable(format!("starting a thread: {error}")))?;
    Ok(())
}

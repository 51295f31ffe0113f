//! A process as /proc tells of it: the CPU time it has used, the most memory it ever had; and one of ours, which does not outlive us.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The kernel's ticks a second: 100 on every Linux that Rust's standard library runs on.
const TICKS: f64 = 100.0;

/// CPU-seconds of a process, all its threads, user and system together.
pub(crate) fn cpu(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name may hold anything; what follows its bracket is numbers.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect());
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS
}

/// The most memory a process ever had, in MiB.
pub(crate) fn peak_memory(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("Linux");
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok()) == Some(parent)
    };
    ids.filter(is_child).collect()
}

/// A contender's process; killed when dropped.
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts it, so that it ends with this process, however that ends.
    pub(crate) fn start(name: &str, command: &Command, log: &Path) -> Self {
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
        bound.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let log = File::create(log).expect("a log file");
        bound.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        Self { child: bound.spawn().unwrap_or_else(|error| panic!("starting {name}: {error}")), name: name.to_owned() }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Panics when it has ended: nobody waits in vain for a dead process.
    pub(crate) fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().expect("it is ours") {
            panic!("{} has ended by itself: {status}", self.name);
        }
    }

    /// Asks it to end, and waits; one that does not come to its end is killed.
    pub(crate) fn stop(mut self) -> Option<ExitStatus> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < Duration::from_secs(15) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

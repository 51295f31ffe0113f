//! What the system says of this process: memory, processor time, open files, threads. On Linux, from `/proc`; elsewhere nothing is
//! said. Names and kinds stand in `names`.

use std::fs;

/// Ticks of the times in `/proc/self/stat`, a second: Linux tells user space a hundred on every architecture it runs on.
const TICKS: f64 = 100.0;

/// What this process uses, at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// Memory that is in use and not swapped out, in bytes.
    pub(super) resident: u64,
    /// Processor time since the start, in seconds, of all threads.
    pub(super) processor: f64,
    /// Open files and connections.
    pub(super) files: u64,
    /// Threads.
    pub(super) threads: u64,
}

impl Usage {
    /// What is used now, where the system tells.
    pub(super) fn now() -> Option<Self> {
        // Opening the folder is itself an open file.
        let files = (fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1);
        Self::of(&fs::read_to_string("/proc/self/status").ok()?, &fs::read_to_string("/proc/self/stat").ok()?, files)
    }

    fn of(status: &str, stat: &str, files: u64) -> Option<Self> {
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
        // The second word, the program's name, may itself hold blanks and brackets.
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut words = after_name.split_whitespace();
        let user: u32 = words.nth(11)?.parse().ok()?;
        let system: u32 = words.next()?.parse().ok()?;
        Some(Self {
            resident: line("VmRSS:")? * 1024,
            processor: (f64::from(user) + f64::from(system)) / TICKS,
            files,
            threads: line("Threads:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_pages_are_read() {
        let status = "Name:\tlead (x) stream\nVmPeak:\t  900 kB\nVmRSS:\t    2048 kB\nThreads:\t7\n";
        let stat = "12 (lead (x) str) S 1 12 12 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 7 0 100 1 1 18446744073709551615";
        let expected = Usage { resident: 2_097_152, processor: 2.0, files: 9, threads: 7 };
        assert_eq!(Usage::of(status, stat, 9), Some(expected));
        assert_eq!(Usage::of("", stat, 9), None);
        assert_eq!(Usage::of(status, "12", 9), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let used = Usage::now().expect("Linux tells");
        assert!(used.resident > 1 << 20 && used.files > 2 && used.threads > 0, "{used:?}");
    }
}

//! How the C library keeps memory that was given back to it. librdkafka asks for megabytes for each batch it sends or has fetched, and
//! gives them back some milliseconds later; what the C library hands to the kernel meanwhile comes again as pages to be cleared. Only
//! saves time: a tenth of what a lead takes in `run`, measured (docs/performance.md).

/// Free memory at the end of an arena stays there up to this size, in bytes.
const KEPT: i32 = 16 << 20;

/// What is larger is asked of the kernel by itself, and goes back to it at once: no batch is, in bytes.
const LARGE: i32 = 32 << 20;

/// Keeps what lanes give back for what they ask for next. Takes effect only before threads have begun to ask for memory. Who has told
/// the C library something else in the environment is not overruled.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed_memory(lanes: usize) {
    let is_told = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        name.starts_with("MALLOC_") || name == "GLIBC_TUNABLES" && value.contains("glibc.malloc.")
    };
    if std::env::vars_os().any(is_told) {
        return;
    }
    // One for a lane and its clients; with more of them each would keep something of its own. Never more than there would be anyhow.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let arenas = i32::try_from(lanes.max(2).min(8 * cores)).unwrap_or(i32::MAX);
    for (what, value) in [(libc::M_ARENA_MAX, arenas), (libc::M_TRIM_THRESHOLD, KEPT), (libc::M_MMAP_THRESHOLD, LARGE)] {
        // SAFETY: takes two numbers; what it does not know it refuses, which changes nothing.
        let _ = unsafe { libc::mallopt(what, value) };
    }
}

/// Other C libraries are left to themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory(_: usize) {}

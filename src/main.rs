//! Arguments in, exit code out.

mod cli;

use std::{
    io::{Write, stderr},
    panic::catch_unwind,
    process::ExitCode,
};

/// A bug.
const BUG: u8 = 70;

fn main() -> ExitCode {
    leadstream::run::hide_panic_messages(|place| {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(stderr(), "error: a bug at {place}; please report it");
    });
    ExitCode::from(catch_unwind(run).unwrap_or(BUG))
}

fn run() -> u8 {
    // Neither stream is locked: lanes on other threads log while a verb runs.
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    cli::main(
        std::env::args_os(),
        environment.map(|(name, value)| (name, value.to_string_lossy().into_owned())),
        &mut std::io::stdout(),
        &mut stderr(),
    )
}

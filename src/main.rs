//! Arguments in, exit code out.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Neither stream is locked: lanes on other threads log while a verb runs.
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    ExitCode::from(cli::main(
        std::env::args_os(),
        environment.map(|(name, value)| (name, value.to_string_lossy().into_owned())),
        &mut std::io::stdout(),
        &mut std::io::stderr(),
    ))
}

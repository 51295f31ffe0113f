//! Log lines to standard error, as text or JSON. Which lines there are is up to those who write them; none holds a lead.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging, once a process; a second call does nothing. Colours are for terminals, and not with `NO_COLOR`.
pub fn start(config: &LogConfig) {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(LevelFilter::from_level(config.level))
        .with_ansi(!no_color && std::io::stderr().is_terminal());
    // An already started log is the one of an earlier call.
    let _ = match config.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

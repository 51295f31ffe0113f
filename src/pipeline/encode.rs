//! Decisions to events.

use crate::lead::{Decision, Record, Rejection};

use super::OutputBuffer;

/// Which headers events carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventHeaders {
    /// None but `traceparent` if the input had one.
    #[default]
    None,
    /// The CloudEvents Kafka binding, binary mode.
    CloudEvents,
}

/// How events are written.
#[derive(Clone, Debug, Default)]
pub struct EncodeSettings {
    /// Which headers.
    pub headers: EventHeaders,
    /// The largest record (key + value + headers, bytes) each output topic takes, by `OutputTopic as usize`; 0: no limit.
    pub largest: [usize; 4],
    /// Every output also carries `lead-replay: ID`.
    pub replay: Option<String>,
}

/// Writes.
pub fn events(
    _decisions: &[Decision<'_>],
    _record: &Record<'_>,
    _settings: &EncodeSettings,
    _out: &mut OutputBuffer,
) -> Result<(), Rejection> {
    Ok(())
}

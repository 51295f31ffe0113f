//! What a running process tells: metrics, status, log lines, and the HTTP that shows them. Is told facts; nothing calls it
//! to decide, and it knows neither broker nor rules.

mod connection;
mod console;
mod hosts;
pub mod http;
pub mod logging;
mod metrics;
pub mod names;
mod process;
mod status;
#[cfg(feature = "otlp")]
mod traces;
mod trials;
mod words;

pub use connection::Bounds;
pub use console::{Explained, Explainer};
pub use metrics::{Labels, Metrics};
pub use status::{Counts, STUCK, Status};
#[cfg(feature = "otlp")]
pub use traces::{LaneTraces, Traces};
pub use trials::{ShownCanary, ShownTrials};
use words::KnownWords;
pub use words::{LaneState, RebalanceKind, ReloadResult, SpanResult, TransactionResult};

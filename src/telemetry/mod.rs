//! What a running process tells: metrics, status, log lines, and the HTTP that shows them. Is told facts; nothing calls it
//! to decide, and it knows neither broker nor rules.

mod connection;
pub mod http;
pub mod logging;
mod metrics;
pub mod names;
mod status;
mod trials;

pub use connection::Bounds;
pub use metrics::{Labels, Metrics};
pub use status::{Counts, STUCK, Status};
pub use trials::{ShownCanary, ShownTrials};

//! Keeps an eye on the schema registry while lanes work, so that metrics tell when it is away even while nobody needs it.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::registry::Registry;

use super::Failure;

/// How often a registry is asked that is away …
const IN_DOUBT: Duration = Duration::from_secs(1);
/// … and one that is not.
const IN_PEACE: Duration = Duration::from_secs(10);

/// The watching thread; ends when dropped.
pub(super) struct RegistryKeeper {
    _stop: Sender<()>,
}

impl RegistryKeeper {
    /// Begins to watch.
    ///
    /// # Errors
    /// 75 when the system gives no thread.
    pub(super) fn start(registry: Arc<Registry>) -> Result<Self, Failure> {
        let (stop, stopped) = channel();
        let watch = move || {
            let mut asked = Instant::now();
            while stopped.recv_timeout(IN_DOUBT) == Err(RecvTimeoutError::Timeout) {
                if registry.is_away() || asked.elapsed() >= IN_PEACE {
                    asked = Instant::now();
                    registry.probe();
                }
            }
        };
        thread::Builder::new()
            .name("registry-watch".to_owned())
            .spawn(watch)
            .map_err(|error| Failure::unavailable(format!("starting a thread: {error}")))?;
        Ok(Self { _stop: stop })
    }
}

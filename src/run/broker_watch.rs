//! Keeps an eye on the broker while lanes work: one line when it goes, one when it is back, one when an output topic is
//! missing; and readiness follows. Decides nothing for the lanes.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::Config,
    kafka::{BrokerHealth, Probe},
    pipeline::OutputTopic,
};

use super::{Failure, report::Telemetry};

/// How often a broker is asked that somebody has doubts about …
const IN_DOUBT: Duration = Duration::from_millis(500);
/// … and one that nobody has.
const IN_PEACE: Duration = Duration::from_secs(5);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// The watching thread; ends when dropped.
pub(super) struct BrokerWatch {
    /// Its end ends the thread, within one answer of the broker; nobody has to wait for it.
    _stop: Sender<()>,
}

impl BrokerWatch {
    /// Begins to watch.
    ///
    /// # Errors
    /// 64 for settings that librdkafka refuses, 75 when the system gives no thread.
    pub(super) fn start(config: &Config, health: &Arc<BrokerHealth>, telemetry: &Telemetry) -> Result<Self, Failure> {
        let probe = Probe::connect(&config.kafka).map_err(|error| Failure::usage(error.to_string()))?;
        let outputs = OutputTopic::ALL.map(|topic| config.topics.name(topic).to_owned());
        let (health, told) = (Arc::clone(health), telemetry.broker());
        let (stop, stopped) = channel();
        let watch = move || {
            let mut asked = Instant::now();
            while stopped.recv_timeout(IN_DOUBT) == Err(RecvTimeoutError::Timeout) {
                if !health.is_suspect() && asked.elapsed() < IN_PEACE {
                    continue;
                }
                asked = Instant::now();
                match probe.missing(&outputs, ANSWER) {
                    Ok(missing) => {
                        health.answered();
                        told(Ok(()));
                        for topic in &outputs {
                            health.output_topic(topic, !missing.contains(&topic.as_str()));
                        }
                    }
                    Err(error) => {
                        health.silent(&error.to_string());
                        told(Err(&health.reason()));
                    }
                }
            }
        };
        thread::Builder::new()
            .name("broker-watch".to_owned())
            .spawn(watch)
            .map_err(|error| Failure::unavailable(format!("starting a thread: {error}")))?;
        Ok(Self { _stop: stop })
    }
}

//! Keeps an eye on the broker while lanes work: one line when it goes, one when it is back, one when an output topic is
//! missing or a topic may not be seen; and readiness follows. Decides nothing for the lanes.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::{Config, KafkaConfig},
    kafka::{BrokerHealth, Presence, Probe, Right},
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
        let topic = |name: &str, is_input| Watched { name: name.to_owned(), is_input };
        let outputs = config.topics.outputs().map(|(_, name)| topic(name, false));
        let topics: Vec<_> = outputs.chain(config.topics.raw.iter().map(|input| topic(input, true))).collect();
        let names: Vec<_> = topics.iter().map(|topic| topic.name.clone()).collect();
        let mut hidden = vec![false; topics.len()];
        let (health, told, kafka) = (Arc::clone(health), telemetry.broker(), config.kafka.clone());
        let (stop, stopped) = channel();
        let watch = move || {
            let mut asked = Instant::now();
            while stopped.recv_timeout(IN_DOUBT) == Err(RecvTimeoutError::Timeout) {
                if !health.is_suspect() && asked.elapsed() < IN_PEACE {
                    continue;
                }
                asked = Instant::now();
                match probe.presence(&names, ANSWER) {
                    Ok(found) => {
                        health.answered();
                        told(Ok(()));
                        for ((topic, presence), is_hidden) in topics.iter().zip(found).zip(&mut hidden) {
                            topic.look(presence, is_hidden, &health, &kafka);
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

/// A topic that is looked at.
struct Watched {
    name: String,
    is_input: bool,
}

impl Watched {
    /// Tells what has changed since the last look.
    fn look(&self, presence: Presence, was_hidden: &mut bool, health: &BrokerHealth, kafka: &KafkaConfig) {
        let right = if self.is_input { Right::read(&self.name) } else { Right::write(&self.name) };
        let is_hidden = presence == Presence::Hidden;
        if is_hidden {
            health.denied(&right, kafka);
        } else if *was_hidden {
            // Whether it may be written to as well, the lanes hear.
            health.allowed(&right, kafka);
        }
        *was_hidden = is_hidden;
        // Of an input that is not there, the lanes hear.
        if !self.is_input && !is_hidden {
            health.output_topic(&self.name, presence != Presence::Absent);
        }
    }
}

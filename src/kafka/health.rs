//! Whether the broker answers, as one process sees it: one line at each change of state, never a flood. Shared by the lanes;
//! what it means for readiness is `telemetry`'s to say.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::KafkaConfig;

use super::{
    Right,
    reasons::{explained, is_refusal},
};

/// The state of the connection to one cluster.
#[derive(Debug)]
pub struct BrokerHealth {
    brokers: String,
    /// Something looked wrong; a probe will tell whether it is.
    suspect: AtomicBool,
    down: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    down_since: Option<Instant>,
    back_since: Option<Instant>,
    last_reason: String,
    /// Complaints already told; forgotten when the broker comes back.
    told: BTreeSet<String>,
}

impl BrokerHealth {
    /// Nothing is known yet of `brokers`.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), suspect: AtomicBool::new(true), down: AtomicBool::new(false), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether someone should ask the broker something, to know.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// Whether the last probe failed.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Whether the broker is away, or was within `time`: then much is answered as if another had taken over.
    #[must_use]
    pub fn was_away_within(&self, time: Duration) -> bool {
        self.is_down() || self.state().back_since.is_some_and(|back| back.elapsed() < time)
    }

    /// The last thing that went wrong.
    #[must_use]
    pub fn reason(&self) -> String {
        self.state().last_reason.clone()
    }

    /// Told by librdkafka of an error; decides what a person should hear of it.
    pub(super) fn heard(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        match code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed | RDKafkaErrorCode::SSL => {
                let reason = explained(reason);
                self.state().last_reason.clone_from(&reason);
                self.suspect.store(true, Ordering::Relaxed);
                self.complain(&code.to_string(), &reason);
            }
            // One connection of many may close and mean nothing; whether it does, a probe will tell.
            RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve => {
                if !reason.is_empty() {
                    self.state().last_reason = explained(reason);
                }
                self.suspect.store(true, Ordering::Relaxed);
            }
            RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::OperationTimedOut => self.suspect.store(true, Ordering::Relaxed),
            _ => tracing::debug!(%error, reason, "the broker's client reports"),
        }
    }

    /// Says something once, until the broker has been away and back.
    pub(super) fn complain(&self, about: &str, text: &str) {
        if self.state().told.insert(about.to_owned()) {
            tracing::warn!(brokers = self.brokers, "{about}: {text}");
        }
    }

    /// What was complained of is mended.
    pub(super) fn settled(&self, about: &str, text: &str) {
        if self.state().told.remove(about) {
            tracing::info!("{text}");
        }
    }

    /// A right is missing: told once, whoever needs it, until it is there.
    pub fn denied(&self, right: &Right, kafka: &KafkaConfig) {
        // The same command for all lanes, which have ids of their own.
        let grant = right.grant(kafka);
        if self.state().told.insert(grant.clone()) {
            let what = right.missing(kafka);
            tracing::warn!(brokers = self.brokers, "{what}: waiting for it, nothing is lost meanwhile; grant it: {grant}");
        }
    }

    /// A right is there: told when it was missing.
    pub fn allowed(&self, right: &Right, kafka: &KafkaConfig) {
        self.settled(&right.grant(kafka), &right.there(kafka));
    }

    /// An output topic is there, or is not: told when it changes.
    pub fn output_topic(&self, topic: &str, exists: bool) {
        let about = format!("output topic {topic} does not exist");
        if exists {
            self.settled(&about, &format!("output topic {topic} exists"));
        } else {
            self.complain(&about, "batches wait for it, nothing is lost meanwhile; `leadstream topics create` makes it");
        }
    }

    /// A probe was answered. Returns whether that is news.
    pub fn answered(&self) -> bool {
        self.suspect.store(false, Ordering::Relaxed);
        let was_down = self.down.swap(false, Ordering::Relaxed);
        if was_down {
            let mut state = self.state();
            let seconds = state.down_since.take().map_or(0.0, |since| since.elapsed().as_secs_f64());
            state.told.clear();
            state.last_reason.clear();
            state.back_since = Some(Instant::now());
            tracing::info!(brokers = self.brokers, "the broker answers again after {seconds:.1} s");
        }
        was_down
    }

    /// A probe was not answered. Returns whether that is news.
    pub fn silent(&self, why: &str) -> bool {
        self.suspect.store(true, Ordering::Relaxed);
        let was_up = !self.down.swap(true, Ordering::Relaxed);
        if was_up {
            let mut state = self.state();
            state.down_since = Some(Instant::now());
            // Whoever asked knows the cause of this outage; what was heard before may be of another.
            why.clone_into(&mut state.last_reason);
            let what = if is_refusal(why) { "does not let us in" } else { "does not answer" };
            tracing::warn!(brokers = self.brokers, reason = why, "the broker {what}; trying on, nothing is lost meanwhile");
        }
        was_up
    }
}

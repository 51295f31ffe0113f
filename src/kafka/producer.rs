//! The lane's producer: one transaction at a time, every failure sorted into "abort it" or "replace me". librdkafka may
//! resend the end of a transaction on a new connection and report success; the late first copy then ends the *next*
//! transaction. The only trace of that is a log line of facility FAIL or REQTMOUT, so such a line, like any call that was
//! slow or had to be repeated, makes the producer doubtful, and a doubtful one begins no further transaction.

mod destinations;
mod sending;

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext, Message, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext, PurgeConfig},
};

use crate::io::Cause;

use super::{
    BrokerHealth,
    native::{Borrows, Lent, give_back},
    properties::{SOCKET_TIMEOUT, TRANSACTION_TIMEOUT},
    reasons::logged,
    sabotage::sabotage,
};

use destinations::Destinations;

/// One blocking call's share of the patience below.
const CALL: Duration = Duration::from_secs(10);
/// A call that has not come back by then never will: librdkafka waits for a group's coordinator without looking at its own
/// time-out, and when that node goes at the wrong moment nothing wakes the call again. The longest that came back took 19 s.
const LEFT_BEHIND: Duration = Duration::from_secs(30);
/// How long a retriable commit or abort is repeated before the producer is given up.
const PATIENCE: Duration = Duration::from_secs(90);

/// More events than a client has in store while no record is on its way.
const MOST_EVENTS: usize = 10_000;

/// The reason to replace a producer that has lost a connection before it was at work.
pub(super) const LOST: Cause = Cause::LostConnection;

/// Why a transaction did not come to its end, and what is left to do.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Stable word for metrics.
    pub(super) reason: Cause,
    /// For a person.
    pub(super) detail: String,
    /// What is left to do.
    pub(super) remedy: Remedy,
    /// What the broker's or the client's answer was, if one was the cause.
    pub(super) code: Option<Code>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing was begun.
    Wait,
    /// Abort the transaction; the producer is fit.
    Abort,
    /// The producer is of no more use.
    Replace,
    /// As `Replace`: another producer took the transactional id, or the broker ended an old transaction.
    Fenced,
}

/// Delivery reports and log lines, as told by librdkafka on the lane's own thread.
pub(super) struct Reports {
    health: Arc<BrokerHealth>,
    doubt: Mutex<Option<Cause>>,
    /// A connection that was up has been lost: said by a line that the client holds back when it comes again within 30 s.
    has_lost: AtomicBool,
    has_failed: AtomicBool,
    failed: Mutex<Vec<(usize, Code)>>,
    /// Topic of the first failure that tells why, and why; no topic where the whole transaction was refused.
    cause: Mutex<Option<(Code, String)>>,
    /// The client's last words on a transaction that failed.
    said: Mutex<Option<String>>,
    lent: Lent,
}

impl Reports {
    fn caused(&self, code: Code, topic: &str) {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| {
            // The others of the batch fail in the same way, and there may be thousands.
            tracing::debug!(topic, %code, "an output was not delivered");
            (code, topic.to_owned())
        });
    }

    fn raise(&self, reason: Cause) {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
    }
}

impl ClientContext for Reports {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        match facility {
            "FAIL" | "REQTMOUT" if !sabotage().ignore_log_lines => {
                self.raise(Cause::LogLine);
                if is_loss(message) {
                    self.has_lost.store(true, Ordering::Release);
                }
            }
            // Where the broker refuses a whole transaction, its records are only purged: why is told here alone.
            "ADDPARTS" | "TXNERR" => {
                if let Some((code, topic)) = refusal(message) {
                    self.caused(code, topic);
                }
                *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.to_owned());
            }
            _ => {}
        }
        logged(facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.raise(Cause::Error);
        self.health.heard(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, output: usize) {
        // Only failures are reported: of what was delivered the client keeps the count, which is all that is asked.
        if let Err((error, message)) = result {
            let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((output, code));
            // The rest of a transaction is purged because of the first.
            if !matches!(code, Code::PurgeQueue | Code::PurgeInflight) {
                self.caused(code, message.topic());
            }
            self.has_failed.store(true, Ordering::Release);
        }
    }
}

impl Borrows for Reports {
    fn lent(&self) -> &Lent {
        &self.lent
    }
}

/// A transactional (or, for at-least-once, only idempotent) producer.
pub(super) struct Producer {
    destinations: Destinations,
    /// Shared with the one call at hand, which may have to be left behind.
    client: Arc<BaseProducer<Reports>>,
    reports: Arc<Reports>,
    transactional: bool,
    initialised: bool,
    /// Between the first output and the end of a transaction.
    is_open: Cell<bool>,
    begun: Instant,
    left_behind: Duration,
}

/// One of the transaction's calls.
type Call = dyn Fn(&BaseProducer<Reports>) -> KafkaResult<()> + Send + Sync;

impl Producer {
    /// Creates the client; it connects in the background.
    pub(super) fn create(config: &ClientConfig, transactional: bool, health: &Arc<BrokerHealth>) -> KafkaResult<Self> {
        let reports = Reports {
            health: Arc::clone(health),
            doubt: Mutex::new(None),
            has_lost: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            failed: Mutex::new(Vec::new()),
            cause: Mutex::new(None),
            said: Mutex::new(None),
            lent: Lent::default(),
        };
        let client: BaseProducer<Reports> = config.create_with_context(reports)?;
        let reports = Arc::clone(client.client().context());
        let client = Arc::new(client);
        let destinations = Destinations::new(config);
        Ok(Self {
            destinations,
            client,
            reports,
            transactional,
            initialised: false,
            is_open: Cell::new(false),
            begun: Instant::now(),
            left_behind: LEFT_BEHIND,
        })
    }

    /// Takes the transactional id and ends what an earlier owner left open. `false`: not yet, call again. A producer that has
    /// lost connections by then is fit for nothing: the same loss in the middle of a commit might not be logged again.
    pub(super) fn initialise(&mut self, timeout: Duration) -> Result<bool, Trouble> {
        if self.initialised || !self.transactional {
            return Ok(true);
        }
        let call: Arc<Call> = Arc::new(move |client| client.init_transactions(timeout));
        let done = self.bounded("init_transactions", &call)?;
        self.drain();
        match done {
            Ok(()) => {
                // What else was said while connecting says nothing of a transaction.
                self.heard_doubt();
                if self.reports.has_lost.load(Ordering::Acquire) {
                    return Err(trouble(LOST, "a connection was lost while the producer began", Remedy::Replace));
                }
                self.initialised = true;
                Ok(true)
            }
            Err(KafkaError::Transaction(error)) if error.is_retriable() => Ok(false),
            Err(error) => Err(sort(&error, "init_transactions")),
        }
    }

    /// Whether outputs were written since the last transaction ended.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// Where outputs need no transaction: those written so far are delivered.
    pub(super) fn close(&self) {
        self.is_open.set(false);
    }

    /// Puts the consumed offsets into the transaction.
    pub(super) fn send_offsets(&self, offsets: TopicPartitionList, member: ConsumerGroupMetadata) -> Result<(), Trouble> {
        self.repeat("send_offsets", TRANSACTION_TIMEOUT, move |client| client.send_offsets_to_transaction(&offsets, &member, CALL))
    }

    /// Ends the transaction: all of it becomes visible.
    pub(super) fn commit(&self) -> Result<(), Trouble> {
        self.is_open.set(false);
        self.repeat("commit", PATIENCE, |client| client.commit_transaction(CALL))
    }

    /// Takes back all of it. Reports still waiting would block the call, so what is queued is dropped first.
    pub(super) fn abort(&self) -> Result<(), Trouble> {
        self.is_open.set(false);
        self.client.purge(PurgeConfig::default().queue().inflight());
        let deadline = Instant::now() + CALL;
        while self.client.in_flight_count() > 0 {
            self.client.poll(Duration::from_millis(1));
            if Instant::now() > deadline {
                return Err(trouble(Cause::FailedAbort, "abort: delivery reports did not come back", Remedy::Replace));
            }
        }
        give_back(&self.client);
        if !self.transactional {
            return Ok(());
        }
        self.repeat("abort", PATIENCE, |client| client.abort_transaction(CALL))
    }

    /// Repeats the one failed call while librdkafka says that helps; each repeat, and each call longer than the socket's
    /// time-out, leaves a doubt.
    fn repeat(
        &self,
        what: &'static str,
        patience: Duration,
        call: impl Fn(&BaseProducer<Reports>) -> KafkaResult<()> + Send + Sync + 'static,
    ) -> Result<(), Trouble> {
        let call: Arc<Call> = Arc::new(call);
        let started = Instant::now();
        loop {
            let called = Instant::now();
            let result = self.bounded(what, &call)?;
            if called.elapsed() > SOCKET_TIMEOUT {
                self.reports.raise(Cause::SlowCall);
            }
            match result {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && started.elapsed() < patience => {
                    self.reports.raise(Cause::Retriable);
                    self.drain();
                }
                Err(error) => return Err(self.told_fenced(what).unwrap_or_else(|| sort(&error, what))),
            }
        }
    }

    /// Makes the call on a thread of its own. One that does not come back is left behind, with its thread and this client: what it
    /// may still do is refused by the broker as soon as the next producer has taken the transactional id.
    fn bounded(&self, what: &'static str, call: &Arc<Call>) -> Result<KafkaResult<()>, Trouble> {
        let (client, its) = (Arc::clone(&self.client), Arc::clone(call));
        let (done, heard) = mpsc::channel();
        let work = move || {
            let result = its(&client);
            // Before it is heard: who replaces the producer then has the last handle of it.
            drop((its, client));
            // Nobody listens to one that was left behind.
            let _ = done.send(result);
        };
        if thread::Builder::new().name("transaction".to_owned()).spawn(work).is_err() {
            // No thread to be had; better a call without a bound than none.
            return Ok(call(&self.client));
        }
        heard.recv_timeout(self.left_behind).map_err(|_| {
            let seconds = self.left_behind.as_secs();
            trouble(Cause::HungCall, format!("{what}: the client did not come back within {seconds} s"), Remedy::Replace)
        })
    }

    /// The trouble of a producer that was fenced, whatever the call at hand was answered: a fence that a delivery report or a
    /// queued record meets shows only as the client's fatal error.
    pub(super) fn told_fenced(&self, what: &'static str) -> Option<Trouble> {
        let (code, why) = self.client.client().fatal_error()?;
        is_fence(code).then(|| trouble(Cause::Fenced, format!("{what}: {why}"), Remedy::Fenced))
    }

    /// Outputs the broker or the client found too large in the last transaction.
    pub(super) fn too_large(&self) -> Vec<usize> {
        let failed = self.reports.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.iter().filter(|(_, code)| *code == Code::MessageSizeTooLarge).map(|(output, _)| *output).collect()
    }

    /// The first failure that tells why, and the topic it was written to.
    pub(super) fn first_cause(&self) -> Option<(Code, String)> {
        self.reports.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the client said of the transaction's failure.
    pub(super) fn said(&self) -> Option<String> {
        self.reports.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the broker has forgotten this producer, which was idle for longer than `transactional.id.expiration.ms`. The
    /// reports do not tell: they only say that the rest of the transaction was dropped.
    pub(super) fn is_forgotten(&self) -> bool {
        self.said().is_some_and(|said| said.contains("INVALID_PRODUCER_ID_MAPPING"))
    }

    fn forget_reports(&self) {
        self.reports.failed.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.reports.cause.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.reports.said.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.reports.has_failed.store(false, Ordering::Release);
    }

    /// How long the transaction has been open.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Serves what librdkafka has queued for us, one event a poll; where nothing is on its way, all of it.
    pub(super) fn drain(&self) {
        for served in 0..MOST_EVENTS {
            self.client.poll(Duration::ZERO);
            if served >= 20 && self.client.in_flight_count() == 0 {
                break;
            }
        }
    }

    /// Whether records of the transaction are on their way: they may arrive whatever becomes of it.
    pub(super) fn is_writing(&self) -> bool {
        self.client.in_flight_count() > 0
    }

    /// The doubt, if there is one; forgets it. A producer that has not begun to work has none: connecting is noisy.
    pub(super) fn take_doubt(&self) -> Option<Cause> {
        let doubt = self.heard_doubt();
        doubt.filter(|_| self.initialised)
    }

    fn heard_doubt(&self) -> Option<Cause> {
        self.reports.doubt.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A trouble that no answer has told.
pub(super) fn trouble(reason: Cause, detail: impl Into<String>, remedy: Remedy) -> Trouble {
    Trouble { reason, detail: detail.into(), remedy, code: None }
}

/// Sorts an error of the call `what`.
fn sort(error: &KafkaError, what: &'static str) -> Trouble {
    let detail = format!("{what}: {error}");
    let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
    let sorted = match (error, code) {
        (_, code) if is_fence(code) => trouble(Cause::Fenced, detail, Remedy::Fenced),
        (KafkaError::Transaction(inner), _) if inner.is_fatal() => trouble(Cause::Fatal, detail, Remedy::Replace),
        (KafkaError::Transaction(inner), _) if inner.txn_requires_abort() => trouble(abortable(code), detail, Remedy::Abort),
        (KafkaError::Transaction(inner), _) if inner.is_retriable() => trouble(Cause::Timeout, detail, Remedy::Replace),
        (KafkaError::Transaction(_), _) => trouble(Cause::State, detail, Remedy::Replace),
        (_, Code::Fatal) => trouble(Cause::Fatal, detail, Remedy::Replace),
        (_, code) => trouble(abortable(code), detail, Remedy::Abort),
    };
    Trouble { code: Some(code), ..sorted }
}

/// What a line of the client's log says of a right that is missing, and of which topic; no topic where it is of another kind.
fn refusal(line: &str) -> Option<(Code, &str)> {
    if let Some((_, rest)) = line.split_once("Failed to add partition \"") {
        let (topic, rest) = rest.split_once('"')?;
        return rest.ends_with("Topic authorization failed").then_some((Code::TopicAuthorizationFailed, topic));
    }
    let named = [
        ("(TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Code::TransactionalIdAuthorizationFailed),
        ("(GROUP_AUTHORIZATION_FAILED", Code::GroupAuthorizationFailed),
        ("(CLUSTER_AUTHORIZATION_FAILED", Code::ClusterAuthorizationFailed),
    ];
    named.into_iter().find(|(name, _)| line.contains(name)).map(|(_, code)| (code, ""))
}

/// Whether a line says that a connection was lost over which requests went. One that was not made carries none.
fn is_loss(line: &str) -> bool {
    ["in state UP", "in state AUTH", "in state REAUTH"].iter().any(|state| line.contains(state))
}

/// Whether the code says that another producer has the transactional id, or that the broker has ended an old transaction.
pub(super) fn is_fence(code: Code) -> bool {
    matches!(code, Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
}

/// A stable word for why a transaction is aborted.
pub(super) fn abortable(code: Code) -> Cause {
    match code {
        Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress | Code::FencedInstanceId => Cause::Rebalance,
        Code::MessageSizeTooLarge => Cause::TooLarge,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => Cause::MissingTopic,
        Code::TopicAuthorizationFailed | Code::TransactionalIdAuthorizationFailed | Code::GroupAuthorizationFailed => Cause::NotAuthorized,
        Code::OperationTimedOut | Code::MessageTimedOut => Cause::Timeout,
        _ => Cause::Delivery,
    }
}

#[cfg(test)]
mod tests;

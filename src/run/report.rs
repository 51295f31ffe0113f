//! Ties the lanes to telemetry: one observer and one watch a lane, one HTTP address a process.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;

#[cfg(feature = "otlp")]
use crate::telemetry::{LaneTraces, Traces};
use crate::{
    config::{CanaryConfig, Config},
    io::{Abort, Committed, Judged, LaneEvent, LaneWatch, Observer, RegistryAnswer, RulesetName, SchemaSource, Tally},
    lead::{Partition, Timestamp},
    pipeline::{Live, OutputTopic, Pipeline, Trials},
    problem::Problem,
    registry::RegistryWatch,
    rules::Ruleset,
    telemetry::{Explainer, Labels, Metrics, ShownCanary, ShownTrials, Status, http},
};

pub(super) use crate::telemetry::Counts;

use super::{Failure, explain};

/// The process's metrics, status and HTTP.
pub(super) struct Telemetry {
    metrics: Metrics,
    status: Arc<Status>,
    address: SocketAddr,
    explainer: Explainer,
    telling: Arc<Mutex<()>>,
    #[cfg(feature = "otlp")]
    traces: Option<Traces>,
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

impl Telemetry {
    /// Registers the metrics and binds HTTP, before anything else starts: a taken port is told at once.
    ///
    /// # Errors
    /// 64 when the address cannot be bound.
    pub(super) fn start(config: &Config, pipeline: &Pipeline, trials: &Trials) -> Result<Self, Failure> {
        let ruleset = ruleset(pipeline);
        let labels = Labels {
            input: config.topics.raw.clone(),
            output: OutputTopic::ALL.map(|topic| config.topics.name(topic).to_owned()),
            ruleset: ruleset.clone(),
        };
        let metrics = Metrics::new(labels).map_err(|error| Failure::bug(format!("registering metrics: {error}")))?;
        metrics.destinations(pipeline.rules.destinations());
        let status = Arc::new(Status::new(ruleset, now()));
        metrics.trials(&shown(trials));
        status.trials(shown(trials));
        let (listen, explainer) = (config.http.listen, Explainer::default());
        let address = http::serve(listen, metrics.clone(), Arc::clone(&status), explainer.clone()).map_err(|error| {
            Failure::usage(format!("listening on {listen} for HTTP: {error}; set another http.listen, or port 0 for any free one"))
        })?;
        tracing::info!(addr = %address, "http listening");
        #[cfg(feature = "otlp")]
        let traces = Traces::start(&config.otlp, &config.kafka.group, &config.kafka.instance, &metrics)
            .map_err(|error| Failure::unavailable(format!("starting a thread for traces: {error}")))?;
        Ok(Self {
            metrics,
            status,
            address,
            explainer,
            telling: Arc::default(),
            #[cfg(feature = "otlp")]
            traces,
        })
    }

    /// Who asks for an explanation gets it from the rules in use at that moment.
    pub(super) fn explain_by(&self, live: &Arc<ArcSwap<Live>>, schemas: &Arc<dyn SchemaSource>, canary: &CanaryConfig) {
        let (live, schemas, canary) = (Arc::clone(live), Arc::clone(schemas), canary.clone());
        self.explainer.set(move |record, format| explain::pasted(record, format, &live.load().pipeline, &*schemas, &canary));
    }

    /// Where HTTP listens.
    #[must_use]
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Totals since the start.
    #[must_use]
    pub(super) fn counts(&self) -> Counts {
        self.status.counts()
    }

    /// Where a watch of its own tells whether the broker answers.
    pub(super) fn broker(&self) -> impl Fn(Result<(), &str>) + Send + 'static {
        let status = Arc::clone(&self.status);
        move |answer| status.broker(answer)
    }

    /// Partitions that stand still at the moment of a call, and why.
    pub(super) fn halted_partitions(&self) -> impl Fn() -> BTreeMap<Partition, String> + Send + 'static {
        let status = Arc::clone(&self.status);
        move || status.halted_partitions()
    }

    /// The broker was asked and answered.
    pub(super) fn broker_answers(&self) {
        self.status.broker(Ok(()));
    }

    /// The broker was asked and did not answer.
    pub(super) fn broker_is_silent(&self, why: &str) {
        self.status.broker(Err(why));
    }

    /// Where a schema registry is told of.
    pub(super) fn registry(&self) -> Box<dyn RegistryWatch> {
        Box::new(RegistryReport { metrics: self.metrics.clone(), status: Arc::clone(&self.status) })
    }

    /// Where changed rules are told of.
    pub(super) fn rules(&self) -> RulesReport {
        RulesReport { metrics: self.metrics.clone(), status: Arc::clone(&self.status), telling: Arc::clone(&self.telling) }
    }

    /// The process is on its way out.
    pub(super) fn stopping(&self) {
        self.status.stopping();
    }

    /// The lanes are done: what is still to be told goes out, or is given up within a second.
    pub(super) fn finish(&self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = &self.traces {
            traces.finish();
        }
    }

    /// The observer and the watch of lane `number`; lanes are asked for in order.
    #[must_use]
    pub(super) fn lane(&self, number: usize) -> (LaneReport, Box<dyn LaneWatch>) {
        self.status.add_lane();
        let report = LaneReport {
            number,
            metrics: self.metrics.clone(),
            status: Arc::clone(&self.status),
            #[cfg(feature = "otlp")]
            traces: self.traces.as_ref().map(|traces| traces.lane(number)),
        };
        (report.clone(), Box::new(report))
    }
}

/// Name, version and hash.
fn ruleset(pipeline: &Pipeline) -> [String; 3] {
    let rules = &pipeline.rules;
    [rules.name.clone(), rules.version.clone(), rules.hash.clone()]
}

fn named(rules: &Ruleset) -> RulesetName {
    RulesetName { label: rules.label().into(), hash: rules.hash.as_str().into() }
}

fn shown(trials: &Trials) -> ShownTrials {
    let canary = trials.canary.as_ref();
    let canary = canary.map(|canary| ShownCanary { ruleset: named(&canary.rules), share: canary.share, stopped: canary.stopped.clone() });
    ShownTrials { canary, shadows: trials.shadows.iter().map(|rules| named(rules)).collect() }
}

/// What is told of changed rules; `what` says which, such as "rules".
#[derive(Clone)]
pub(super) struct RulesReport {
    metrics: Metrics,
    status: Arc<Status>,
    /// Held while what is on trial is looked up and told: who changed it last tells last.
    telling: Arc<Mutex<()>>,
}

impl RulesReport {
    /// They are in use from the next batch on.
    pub(super) fn taken(&self, what: &str, pipeline: &Pipeline) {
        let ruleset = ruleset(pipeline);
        self.metrics.ruleset_taken(&ruleset);
        self.metrics.destinations(pipeline.rules.destinations());
        self.status.ruleset(ruleset);
        self.accepted(what);
    }

    /// They are tried from the next batch on.
    pub(super) fn tried(&self, what: &str, live: &ArcSwap<Live>) {
        self.metrics.candidate_taken();
        self.accepted(what);
        self.trials(live);
    }

    /// They are not good, and those before stay.
    pub(super) fn refused(&self, what: &str, problems: &[Problem]) {
        self.metrics.ruleset_refused();
        let first = problems.iter().find(|problem| problem.is_error()).or(problems.first());
        let headline = |problem: &Problem| problem.to_string().lines().next().unwrap_or_default().to_owned();
        self.metrics.rulesets_refused(self.status.rules_refused(what, first.map(headline).unwrap_or_default()));
    }

    /// Of whatever was refused, this is not any more.
    fn accepted(&self, what: &str) {
        self.metrics.rulesets_refused(self.status.rules_accepted(what));
    }

    /// They are again as they were.
    pub(super) fn unchanged(&self, what: &str) {
        self.accepted(what);
    }

    /// What is on trial from the next batch on.
    pub(super) fn trials(&self, live: &ArcSwap<Live>) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = shown(&live.load().trials);
        self.metrics.trials(&shown);
        self.status.trials(shown);
    }

    /// What the live ruleset and the canary have decided since they are compared.
    pub(super) fn compared(&self, live: Judged, canary: Judged) {
        self.status.compared(live, canary);
    }
}

/// What is told of a schema registry.
struct RegistryReport {
    metrics: Metrics,
    status: Arc<Status>,
}

impl RegistryWatch for RegistryReport {
    fn asked(&self, answer: RegistryAnswer) {
        self.metrics.registry_asked(answer);
    }

    fn state(&self, answer: Result<(), &str>, needed: bool) {
        self.metrics.registry_up(answer.is_ok());
        self.status.registry(answer, needed);
    }
}

/// What one lane tells.
#[derive(Clone)]
pub(super) struct LaneReport {
    number: usize,
    metrics: Metrics,
    status: Arc<Status>,
    #[cfg(feature = "otlp")]
    traces: Option<LaneTraces>,
}

impl Observer for LaneReport {
    fn committed(&mut self, tally: &Tally, committed: Committed, decided_in: Duration) {
        let now = now();
        self.metrics.committed(tally, committed, decided_in, now);
        self.status.committed(self.number, tally, now);
        #[cfg(feature = "otlp")]
        if let Some(traces) = &mut self.traces {
            traces.committed(tally, committed, decided_in, now);
        }
    }

    #[cfg_attr(not(feature = "otlp"), expect(unused_variables))] // what was counted is for traces alone
    fn aborted(&mut self, tally: &Tally, abort: &Abort, after: Duration) {
        tracing::debug!(lane = self.number, reason = %abort.reason, detail = abort.detail, "a batch was taken back");
        self.metrics.aborted(abort.reason);
        self.status.aborted(self.number, abort, now());
        #[cfg(feature = "otlp")]
        if let Some(traces) = &mut self.traces {
            traces.aborted(tally, abort, after, now());
        }
    }

    fn round(&mut self) {
        self.status.round(self.number);
    }
}

impl LaneWatch for LaneReport {
    fn tell(&mut self, event: LaneEvent<'_>) {
        self.metrics.happened(event);
        self.status.happened(self.number, event);
    }
}

//! The metrics of the service, registered from the table in `names` in a registry of their own. Everything that counts
//! records moves only after the commit; nothing is decided on a metric.

mod trials;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{
    Counter, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

use crate::{
    io::{Committed, HaltReason, LaneEvent, Tally},
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Partition, Storefront, Timestamp, Verdict, Vocabulary},
    pipeline::OutputTopic,
};

use super::{
    ShownTrials,
    names::{self, Metric},
};
use trials::TrialMetrics;

/// What label values come from besides types: the configuration's topics and the loaded ruleset.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Input topics.
    pub input: Vec<String>,
    /// Output topics, by `OutputTopic as usize`.
    pub output: [String; 4],
    /// Name, version and hash of the ruleset.
    pub ruleset: [String; 3],
}

/// All metrics of one process.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    labels: Arc<Labels>,
    records_consumed: IntCounterVec,
    leads: IntCounterVec,
    unqualified: IntCounterVec,
    flags: IntCounterVec,
    dead_letters: IntCounterVec,
    events_produced: IntCounterVec,
    routes: IntCounterVec,
    score: ByStorefront,
    decision_seconds: Histogram,
    end_to_end_seconds: ByStorefront,
    commit_seconds: Histogram,
    batch_records: Histogram,
    transactions: IntCounterVec,
    producer_recycles: IntCounterVec,
    rebalances: IntCounterVec,
    assigned_partitions: IntGauge,
    halted_partitions: IntGaugeVec,
    skipped_offsets: IntCounterVec,
    consumer_lag_records: IntGaugeVec,
    consumer_lag_seconds: GaugeVec,
    unaccounted_records: IntGauge,
    registry_up: IntGauge,
    registry_requests: IntCounterVec,
    ruleset: IntGaugeVec,
    ruleset_reloads: IntCounterVec,
    trials: TrialMetrics,
    held: Arc<Mutex<Held>>,
    /// Lanes count with a shared hold, a scrape takes all of it: so no scrape shows half a batch.
    whole: Arc<RwLock<()>>,
}

/// How many lanes have told that they read a partition. Two for a moment, when one lane notices late that another has what it
/// lost: the partition is then still read by this process, and its lag is still told.
type Held = BTreeMap<Partition, u32>;

/// Registers metrics, remembering the first refusal.
struct Table {
    registry: Registry,
    refused: Result<(), prometheus::Error>,
}

impl Table {
    fn add<C: Collector + Clone + 'static>(&mut self, metric: Result<C, prometheus::Error>) -> Result<C, prometheus::Error> {
        let metric = metric?;
        if let Err(error) = self.registry.register(Box::new(metric.clone())) {
            self.refused = Err(error);
        }
        Ok(metric)
    }

    fn counter(&mut self, metric: &Metric) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(metric.name, metric.help), &metric.label_names()))
    }

    fn gauge(&mut self, metric: &Metric) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::with_opts(Opts::new(metric.name, metric.help)))
    }

    fn gauges(&mut self, metric: &Metric) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(metric.name, metric.help), &metric.label_names()))
    }

    fn number(&mut self, metric: &Metric) -> Result<Gauge, prometheus::Error> {
        self.add(Gauge::with_opts(Opts::new(metric.name, metric.help)))
    }

    fn seconds(&mut self, metric: &Metric) -> Result<Counter, prometheus::Error> {
        self.add(Counter::with_opts(Opts::new(metric.name, metric.help)))
    }

    fn histogram(&mut self, metric: &Metric) -> Result<Histogram, prometheus::Error> {
        self.add(Histogram::with_opts(HistogramOpts::new(metric.name, metric.help).buckets(metric.buckets().to_vec())))
    }

    fn by_storefront(&mut self, metric: &Metric) -> Result<ByStorefront, prometheus::Error> {
        let options = HistogramOpts::new(metric.name, metric.help).buckets(metric.buckets().to_vec());
        let all = self.add(HistogramVec::new(options, &metric.label_names()))?;
        Ok(ByStorefront(Storefront::ALL.iter().map(|storefront| all.with_label_values(&[storefront.name()])).collect()))
    }
}

/// One histogram a storefront, found without hashing a name for every lead.
#[derive(Clone)]
struct ByStorefront(Vec<Histogram>);

impl ByStorefront {
    fn observe(&self, storefront: Storefront, value: f64) {
        if let Some(histogram) = self.0.get(storefront as usize) {
            histogram.observe(value);
        }
    }
}

impl Metrics {
    /// Registers every metric; the series whose label values are known beforehand start at zero.
    ///
    /// # Errors
    /// When two metrics share a name: a bug in the table of names.
    pub fn new(labels: Labels) -> Result<Self, prometheus::Error> {
        let mut table = Table { registry: Registry::new(), refused: Ok(()) };
        let metrics = Self {
            registry: table.registry.clone(),
            labels: Arc::new(labels),
            records_consumed: table.counter(&names::RECORDS_CONSUMED)?,
            leads: table.counter(&names::LEADS)?,
            unqualified: table.counter(&names::UNQUALIFIED)?,
            flags: table.counter(&names::FLAGS)?,
            dead_letters: table.counter(&names::DEAD_LETTERS)?,
            events_produced: table.counter(&names::EVENTS_PRODUCED)?,
            routes: table.counter(&names::ROUTES)?,
            score: table.by_storefront(&names::SCORE)?,
            decision_seconds: table.histogram(&names::DECISION_SECONDS)?,
            end_to_end_seconds: table.by_storefront(&names::END_TO_END_SECONDS)?,
            commit_seconds: table.histogram(&names::COMMIT_SECONDS)?,
            batch_records: table.histogram(&names::BATCH_RECORDS)?,
            transactions: table.counter(&names::TRANSACTIONS)?,
            producer_recycles: table.counter(&names::PRODUCER_RECYCLES)?,
            rebalances: table.counter(&names::REBALANCES)?,
            assigned_partitions: table.gauge(&names::ASSIGNED_PARTITIONS)?,
            halted_partitions: table.gauges(&names::HALTED_PARTITIONS)?,
            skipped_offsets: table.counter(&names::SKIPPED_OFFSETS)?,
            consumer_lag_records: table.gauges(&names::CONSUMER_LAG_RECORDS)?,
            consumer_lag_seconds: table.add(GaugeVec::new(
                Opts::new(names::CONSUMER_LAG_SECONDS.name, names::CONSUMER_LAG_SECONDS.help),
                &names::CONSUMER_LAG_SECONDS.label_names(),
            ))?,
            unaccounted_records: table.gauge(&names::UNACCOUNTED_RECORDS)?,
            registry_up: table.gauge(&names::REGISTRY_UP)?,
            registry_requests: table.counter(&names::REGISTRY_REQUESTS)?,
            ruleset: table.gauges(&names::RULESET_INFO)?,
            ruleset_reloads: table.counter(&names::RULESET_RELOADS)?,
            trials: TrialMetrics::register(&mut table)?,
            held: Arc::default(),
            whole: Arc::default(),
        };
        metrics.ruleset_is(&metrics.labels.ruleset);
        let build = table.gauges(&names::BUILD_INFO)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), option_env!("LEADSTREAM_REVISION").unwrap_or("unknown")]).set(1);
        let start = table.number(&names::START_TIME)?;
        #[allow(clippy::cast_precision_loss)] // seconds since 1970
        start.set(jiff::Timestamp::now().as_second() as f64);
        table.refused?;
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// A rate over a series that appears with its first event misses that event: what is known beforehand is there from the start.
    fn start_at_zero(&self) {
        for topic in &self.labels.input {
            self.records_consumed.with_label_values(&[topic]);
            self.skipped_offsets.with_label_values(&[topic]);
        }
        for topic in &self.labels.output {
            self.events_produced.with_label_values(&[topic]);
        }
        for (storefront, campaign) in [
            (Storefront::AppSource, Campaign::Nurture),
            (Storefront::AzureMarketplace, Campaign::DemandGeneration),
            (Storefront::Unknown, Campaign::Unclassified),
        ] {
            for verdict in Verdict::ALL {
                self.leads.with_label_values(&[storefront.name(), campaign.name(), verdict.name()]);
            }
        }
        for storefront in Storefront::ALL {
            for reason in names::RELEASED_REASONS {
                self.unqualified.with_label_values(&[storefront.name(), reason]);
            }
        }
        for flag in Flag::ALL {
            self.flags.with_label_values(&[flag.name()]);
        }
        for code in DeadLetterCode::ALL {
            let stage = if *code == DeadLetterCode::OutputTooLarge { DeadLetterStage::Encode } else { DeadLetterStage::Decode };
            self.dead_letters.with_label_values(&[stage.name(), code.name()]);
        }
        for result in names::RESULTS {
            self.transactions.with_label_values(&[result]);
        }
        for result in names::RELOAD_RESULTS {
            self.ruleset_reloads.with_label_values(&[result]);
        }
        for result in names::REGISTRY_RESULTS {
            self.registry_requests.with_label_values(&[result]);
        }
        for kind in names::REBALANCE_KINDS {
            self.rebalances.with_label_values(&[kind]);
        }
    }

    fn ruleset_is(&self, [name, version, hash]: &[String; 3]) {
        self.ruleset.reset();
        self.ruleset.with_label_values(&[name, version, hash]).set(1);
        self.trials.ruleset(&format!("{name}/{version}"));
    }

    /// The rulesets on trial from now on.
    pub fn trials(&self, trials: &ShownTrials) {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        self.trials.trials(trials);
    }

    /// A changed ruleset on trial is in use from now on.
    pub fn candidate_taken(&self) {
        self.ruleset_reloads.with_label_values(&["ok"]).inc();
    }

    /// A changed ruleset, by name, version and hash, is in use from now on.
    pub fn ruleset_taken(&self, ruleset: &[String; 3]) {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        self.ruleset_is(ruleset);
        self.ruleset_reloads.with_label_values(&["ok"]).inc();
    }

    /// A changed ruleset is not good.
    pub fn ruleset_refused(&self) {
        self.ruleset_reloads.with_label_values(&["refused"]).inc();
    }

    /// Everything, in Prometheus's text format.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(64 * 1024);
        let gathered = {
            let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
            self.registry.gather()
        };
        if let Err(error) = TextEncoder::new().encode(&gathered, &mut text) {
            tracing::error!(%error, "writing the metrics");
        }
        text
    }

    /// The content type of [`Metrics::render`].
    #[must_use]
    pub fn content_type() -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8"
    }

    /// A question to the schema registry has come to its end; `result` is one of [`names::REGISTRY_RESULTS`].
    pub fn registry_asked(&self, result: &str) {
        self.registry_requests.with_label_values(&[result]).inc();
    }

    /// The schema registry answers, or does not.
    pub fn registry_up(&self, up: bool) {
        self.registry_up.set(i64::from(up));
    }

    /// A batch became visible at `now`.
    pub fn committed(&self, tally: &Tally, committed: Committed, decided_in: Duration, now: Timestamp) {
        let _whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        for (topic, count) in tally.records.iter() {
            self.records_consumed.with_label_values(&[topic]).inc_by(count);
        }
        for ((storefront, campaign, verdict), count) in tally.leads.iter() {
            self.leads.with_label_values(&[storefront.name(), campaign.name(), verdict.name()]).inc_by(count);
        }
        for ((storefront, reason), count) in tally.reasons.iter() {
            self.unqualified.with_label_values(&[storefront.name(), reason]).inc_by(count);
        }
        for (flag, count) in tally.flags.iter() {
            self.flags.with_label_values(&[flag.name()]).inc_by(count);
        }
        for ((stage, code), count) in tally.dead_letters.iter() {
            self.dead_letters.with_label_values(&[stage.name(), code.name()]).inc_by(count);
        }
        for (topic, count) in tally.events.iter() {
            self.events_produced.with_label_values(&[self.output(*topic)]).inc_by(count);
        }
        for ((storefront, destination), count) in tally.routes.iter() {
            self.routes.with_label_values(&[storefront.name(), destination]).inc_by(count);
        }
        for lead in &tally.decided {
            #[allow(clippy::cast_precision_loss)] // scores and ages are far below 2^52
            let (score, age) = (lead.score as f64, now.micros().saturating_sub(lead.event_time.micros()).max(0) as f64 / 1e6);
            self.score.observe(lead.storefront, score);
            self.end_to_end_seconds.observe(lead.storefront, age);
        }
        self.trials.committed(tally);
        self.decision_seconds.observe(decided_in.as_secs_f64());
        self.commit_seconds.observe(committed.took.as_secs_f64());
        #[allow(clippy::cast_precision_loss)] // a batch has at most some thousands
        self.batch_records.observe(tally.records.total() as f64);
        self.transactions.with_label_values(&["committed"]).inc();
        self.unaccounted_records.add(i64::try_from(tally.unaccounted()).unwrap_or(i64::MAX));
    }

    fn output(&self, topic: OutputTopic) -> &str {
        self.labels.output.get(topic as usize).map_or("", String::as_str)
    }

    /// A batch was taken back.
    pub fn aborted(&self) {
        self.transactions.with_label_values(&["aborted"]).inc();
    }

    /// A lane told something of itself.
    pub fn happened(&self, event: LaneEvent<'_>) {
        match event {
            LaneEvent::Assigned(partitions) => {
                self.rebalances.with_label_values(&["assigned"]).inc();
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                for partition in partitions {
                    *held.entry(partition.clone()).or_default() += 1;
                }
                self.assigned_partitions.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
            }
            LaneEvent::Revoked(partitions) => self.gone("revoked", partitions),
            LaneEvent::Lost(partitions @ [_, ..]) => self.gone("lost", partitions),
            LaneEvent::Recycled(reason) => self.producer_recycles.with_label_values(&[reason]).inc(),
            LaneEvent::Lag { partition, next, end, seconds } => {
                let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                if held.contains_key(partition) {
                    let number = partition.number.to_string();
                    let labels: &[&str] = &[&partition.topic, &number];
                    self.consumer_lag_records.with_label_values(labels).set((end - next).max(0));
                    self.consumer_lag_seconds.with_label_values(labels).set(seconds);
                }
            }
            LaneEvent::Halted { partitions, reason, .. } => {
                for partition in partitions {
                    let number = partition.number.to_string();
                    self.halted_partitions.with_label_values(&[&*partition.topic, &number, reason.name()]).set(1);
                }
            }
            LaneEvent::Skipped { partition, offsets } => self.skipped_offsets.with_label_values(&[&*partition.topic]).inc_by(offsets),
            // A member that leaves with nothing in its hands has lost nothing.
            LaneEvent::Lost([]) => {}
        }
    }

    fn gone(&self, kind: &str, partitions: &[Partition]) {
        self.rebalances.with_label_values(&[kind]).inc();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            if let Some(lanes) = held.get_mut(partition)
                && *lanes > 1
            {
                *lanes -= 1;
                continue;
            }
            held.remove(partition);
            // Whoever has the partition now tells its lag; ours would stand still for ever. A series that was never set is
            // no loss.
            let number = partition.number.to_string();
            let labels: &[&str] = &[&partition.topic, &number];
            let _ = self.consumer_lag_records.remove_label_values(labels);
            let _ = self.consumer_lag_seconds.remove_label_values(labels);
            for reason in HaltReason::ALL {
                let _ = self.halted_partitions.remove_label_values(&[&*partition.topic, &number, reason.name()]);
            }
        }
        self.assigned_partitions.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
    }
}

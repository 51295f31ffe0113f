//! The metrics of the service: one table of names, registered in a registry of its own. Everything that counts records moves
//! only after the commit, through [`LaneMetrics`]; nothing is decided on a metric.

use std::{sync::Arc, time::Duration};

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
};

use crate::{
    io::{Committed, LaneEvent, Tally},
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Storefront, Timestamp, Verdict, Vocabulary},
    pipeline::OutputTopic,
};

use super::names::{self, Name};

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
    score: HistogramVec,
    decision_seconds: Histogram,
    end_to_end_seconds: HistogramVec,
    commit_seconds: Histogram,
    batch_records: Histogram,
    transactions: IntCounterVec,
    producer_recycles: IntCounterVec,
    rebalances: IntCounterVec,
    assigned_partitions: IntGauge,
    consumer_lag_records: IntGaugeVec,
    consumer_lag_seconds: GaugeVec,
    unaccounted_records: IntGauge,
}

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

    fn counter(&mut self, name: &Name) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name.name, name.help), name.labels))
    }

    fn gauge(&mut self, name: &Name) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::with_opts(Opts::new(name.name, name.help)))
    }

    fn gauges(&mut self, name: &Name) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name.name, name.help), name.labels))
    }

    fn histogram(&mut self, name: &Name) -> Result<Histogram, prometheus::Error> {
        let options = HistogramOpts::new(name.name, name.help).buckets(name.buckets.to_vec());
        self.add(Histogram::with_opts(options))
    }

    fn histograms(&mut self, name: &Name) -> Result<HistogramVec, prometheus::Error> {
        let options = HistogramOpts::new(name.name, name.help).buckets(name.buckets.to_vec());
        self.add(HistogramVec::new(options, name.labels))
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
            score: table.histograms(&names::SCORE)?,
            decision_seconds: table.histogram(&names::DECISION_SECONDS)?,
            end_to_end_seconds: table.histograms(&names::END_TO_END_SECONDS)?,
            commit_seconds: table.histogram(&names::COMMIT_SECONDS)?,
            batch_records: table.histogram(&names::BATCH_RECORDS)?,
            transactions: table.counter(&names::TRANSACTIONS)?,
            producer_recycles: table.counter(&names::PRODUCER_RECYCLES)?,
            rebalances: table.counter(&names::REBALANCES)?,
            assigned_partitions: table.gauge(&names::ASSIGNED_PARTITIONS)?,
            consumer_lag_records: table.gauges(&names::CONSUMER_LAG_RECORDS)?,
            consumer_lag_seconds: table.add(GaugeVec::new(
                Opts::new(names::CONSUMER_LAG_SECONDS.name, names::CONSUMER_LAG_SECONDS.help),
                names::CONSUMER_LAG_SECONDS.labels,
            ))?,
            unaccounted_records: table.gauge(&names::UNACCOUNTED_RECORDS)?,
        };
        let ruleset = table.gauges(&names::RULESET_INFO)?;
        let [name, version, hash] = &metrics.labels.ruleset;
        ruleset.with_label_values(&[name, version, hash]).set(1);
        let reloads = table.counter(&names::RULESET_RELOADS)?;
        for result in ["ok", "refused"] {
            reloads.with_label_values(&[result]);
        }
        let build = table.gauges(&names::BUILD_INFO)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), option_env!("LEADSTREAM_REVISION").unwrap_or("unknown")]).set(1);
        let start: Gauge = table.add(Gauge::with_opts(Opts::new(names::START_TIME.name, names::START_TIME.help)))?;
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
        for flag in Flag::ALL {
            self.flags.with_label_values(&[flag.name()]);
        }
        for code in DeadLetterCode::ALL {
            let stage = if *code == DeadLetterCode::OutputTooLarge { DeadLetterStage::Encode } else { DeadLetterStage::Decode };
            self.dead_letters.with_label_values(&[stage.name(), code.name()]);
        }
        for result in ["committed", "aborted"] {
            self.transactions.with_label_values(&[result]);
        }
        for kind in ["assigned", "revoked", "lost"] {
            self.rebalances.with_label_values(&[kind]);
        }
    }

    /// Everything, in Prometheus's text format.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(16 * 1024);
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "writing the metrics");
        }
        text
    }

    /// The content type of [`Metrics::render`].
    #[must_use]
    pub fn content_type() -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8"
    }

    /// A batch became visible at `now`.
    pub fn committed(&self, tally: &Tally, committed: Committed, decided_in: Duration, now: Timestamp) {
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
            let storefront = &[lead.storefront.name()];
            #[allow(clippy::cast_precision_loss)] // scores and ages are far below 2^52
            let (score, age) = (lead.score as f64, now.micros().saturating_sub(lead.event_time.micros()).max(0) as f64 / 1e6);
            self.score.with_label_values(storefront).observe(score);
            self.end_to_end_seconds.with_label_values(storefront).observe(age);
        }
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
        let count = |partitions: usize| i64::try_from(partitions).unwrap_or(i64::MAX);
        match event {
            LaneEvent::Assigned(partitions) => {
                self.rebalances.with_label_values(&["assigned"]).inc();
                self.assigned_partitions.add(count(partitions.len()));
            }
            LaneEvent::Revoked(partitions) | LaneEvent::Lost(partitions) => {
                let kind = if matches!(event, LaneEvent::Lost(_)) { "lost" } else { "revoked" };
                self.rebalances.with_label_values(&[kind]).inc();
                self.assigned_partitions.sub(count(partitions.len()));
                for partition in partitions {
                    // Whoever has the partition now tells its lag; ours would stand still for ever. A series that was
                    // never set is no loss.
                    let number = partition.number.to_string();
                    let _ = self.consumer_lag_records.remove_label_values(&[&*partition.topic, number.as_str()]);
                    let _ = self.consumer_lag_seconds.remove_label_values(&[&*partition.topic, number.as_str()]);
                }
            }
            LaneEvent::Recycled(reason) => self.producer_recycles.with_label_values(&[reason]).inc(),
            LaneEvent::Lag { partition, next, end, seconds } => {
                let number = partition.number.to_string();
                let labels: &[&str] = &[&partition.topic, &number];
                self.consumer_lag_records.with_label_values(labels).set((end - next).max(0));
                self.consumer_lag_seconds.with_label_values(labels).set(seconds);
            }
            LaneEvent::DependencyUp | LaneEvent::DependencyDown(_) => {}
        }
    }
}

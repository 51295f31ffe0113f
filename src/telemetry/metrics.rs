//! The metrics of the service, registered from the table in `names` in a registry of their own. Everything that counts
//! records moves only after the commit; nothing is decided on a metric.

mod family;
mod lanes;
mod trials;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{Counter, Encoder, Histogram, IntGauge, Registry, TextEncoder, proto::MetricFamily};

use crate::{
    io::{Cause, Committed, HaltReason, RegistryAnswer, Tally},
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Partition, Storefront, Timestamp, Verdict, Vocabulary},
    pipeline::OutputTopic,
};

use super::{
    KnownWords, LaneState, RebalanceKind, ReloadResult, ShownTrials, SpanResult, TransactionResult,
    names::{self, Deprecated},
    process::Usage,
};
use family::{ByValue, Counters, Gauges, Numbers, Table, Told};
use trials::TrialMetrics;

/// What label values come from besides types: the configuration's topics and the loaded ruleset.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Input topics.
    pub input: Vec<String>,
    /// Output topics, by `OutputTopic as usize`.
    pub output: [String; OutputTopic::COUNT],
    /// Name, version and hash of the ruleset.
    pub ruleset: [String; 3],
}

/// All metrics of one process.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    labels: Arc<Labels>,
    records_consumed: Counters<(Told,)>,
    leads: Counters<(Storefront, Campaign, Verdict)>,
    qualifiable: Counters<(Storefront, Campaign)>,
    unqualified: Counters<(Storefront, Told)>,
    flags: Counters<(Flag,)>,
    dead_letters: Counters<(DeadLetterStage, DeadLetterCode)>,
    events_produced: Counters<(Told,)>,
    routes: Counters<(Storefront, Told)>,
    late_routes: Counters<(Storefront, Told)>,
    unseen_sources: IntGauge,
    last_lead: Numbers<(Storefront,)>,
    score: ByValue<Storefront>,
    decision_seconds: Histogram,
    end_to_end_seconds: ByValue<Storefront>,
    commit_seconds: Histogram,
    batch_records: Histogram,
    transactions: Counters<(TransactionResult,)>,
    aborts: Counters<(Cause,)>,
    producer_recycles: Counters<(Cause,)>,
    rebalances: Counters<(RebalanceKind,)>,
    assigned_partitions: IntGauge,
    lanes: Gauges<(LaneState,)>,
    ready: IntGauge,
    halted_partitions: Gauges<(Told, Told, HaltReason)>,
    skipped_offsets: Counters<(Told,)>,
    consumer_lag_records: Gauges<(Told, Told)>,
    consumer_lag_seconds: Numbers<(Told, Told)>,
    unaccounted_records: IntGauge,
    registry_up: IntGauge,
    registry_requests: Counters<(RegistryAnswer,)>,
    spans: Counters<(SpanResult,)>,
    ruleset: Gauges<(Told, Told, Told)>,
    ruleset_reloads: Counters<(ReloadResult,)>,
    rulesets_refused: IntGauge,
    trials: TrialMetrics,
    used: Used,
    held: Arc<Mutex<Held>>,
    words: KnownWords,
    unseen: Arc<Mutex<HashSet<u64>>>,
    /// Lanes count with a shared hold, a scrape takes all of it: so no scrape shows half a batch.
    whole: Arc<RwLock<()>>,
}

/// So many tokens for a source that no ruleset knows are told apart.
const MOST_TOKENS: usize = 1_000;

/// What the process uses.
#[derive(Clone, Debug)]
struct Used {
    processor: Counter,
    resident: IntGauge,
    files: IntGauge,
    threads: IntGauge,
}

impl Used {
    fn register(table: &mut Table) -> Result<Self, prometheus::Error> {
        Ok(Self {
            processor: table.seconds(&names::PROCESSOR_SECONDS)?,
            resident: table.gauge(&names::RESIDENT_MEMORY)?,
            files: table.gauge(&names::OPEN_FILES)?,
            threads: table.gauge(&names::THREADS)?,
        })
    }

    fn set(&self, usage: Usage) {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.processor.inc_by((usage.processor - self.processor.get()).max(0.0));
        self.resident.set(whole(usage.resident));
        self.files.set(whole(usage.files));
        self.threads.set(whole(usage.threads));
    }
}

/// The families, and beside each that has taken an older name's place the same numbers under that name.
fn with_deprecated(mut families: Vec<MetricFamily>, deprecated: &[Deprecated]) -> Vec<MetricFamily> {
    for old in deprecated {
        if let Some(mut family) = families.iter().find(|family| family.name() == old.by).cloned() {
            family.set_name(old.name.to_owned());
            family.set_help(format!("Deprecated since {}: use {}", old.since, old.by));
            families.push(family);
        }
    }
    families
}

/// How many lanes have told that they read a partition. Two for a moment, when one lane notices late that another has what it
/// lost: the partition is then still read by this process, and its lag is still told.
type Held = BTreeMap<Partition, u32>;

impl Metrics {
    /// Registers every metric; the series whose label values are known beforehand start at zero.
    ///
    /// # Errors
    /// When two metrics share a name: a bug in the table of names.
    pub fn new(labels: Labels) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let mut table = Table::new(registry.clone());
        let words = KnownWords::default();
        let metrics = Self {
            registry,
            labels: Arc::new(labels),
            records_consumed: table.counters(&names::RECORDS_CONSUMED)?,
            leads: table.counters(&names::LEADS)?,
            qualifiable: table.counters(&names::QUALIFIABLE_LEADS)?,
            unqualified: table.counters(&names::UNQUALIFIED)?,
            flags: table.counters(&names::FLAGS)?,
            dead_letters: table.counters(&names::DEAD_LETTERS)?,
            events_produced: table.counters(&names::EVENTS_PRODUCED)?,
            routes: table.counters(&names::ROUTES)?,
            late_routes: table.counters(&names::LATE_ROUTES)?,
            unseen_sources: table.gauge(&names::UNSEEN_SOURCES)?,
            last_lead: table.numbers(&names::LAST_LEAD)?,
            score: table.by_value(&names::SCORE)?,
            decision_seconds: table.histogram(&names::DECISION_SECONDS)?,
            end_to_end_seconds: table.by_value(&names::END_TO_END_SECONDS)?,
            commit_seconds: table.histogram(&names::COMMIT_SECONDS)?,
            batch_records: table.histogram(&names::BATCH_RECORDS)?,
            transactions: table.counters(&names::TRANSACTIONS)?,
            aborts: table.counters(&names::ABORTS)?,
            producer_recycles: table.counters(&names::PRODUCER_RECYCLES)?,
            rebalances: table.counters(&names::REBALANCES)?,
            assigned_partitions: table.gauge(&names::ASSIGNED_PARTITIONS)?,
            lanes: table.gauges(&names::LANES)?,
            ready: table.gauge(&names::READY)?,
            halted_partitions: table.gauges(&names::HALTED_PARTITIONS)?,
            skipped_offsets: table.counters(&names::SKIPPED_OFFSETS)?,
            consumer_lag_records: table.gauges(&names::CONSUMER_LAG_RECORDS)?,
            consumer_lag_seconds: table.numbers(&names::CONSUMER_LAG_SECONDS)?,
            unaccounted_records: table.gauge(&names::UNACCOUNTED_RECORDS)?,
            registry_up: table.gauge(&names::REGISTRY_UP)?,
            registry_requests: table.counters(&names::REGISTRY_REQUESTS)?,
            spans: table.counters(&names::SPANS)?,
            ruleset: table.gauges(&names::RULESET_INFO)?,
            ruleset_reloads: table.counters(&names::RULESET_RELOADS)?,
            rulesets_refused: table.gauge(&names::RULESETS_REFUSED)?,
            trials: TrialMetrics::register(&mut table, words.clone())?,
            used: Used::register(&mut table)?,
            held: Arc::default(),
            words,
            unseen: Arc::default(),
            whole: Arc::default(),
        };
        metrics.ruleset_is(&metrics.labels.ruleset);
        let build: Gauges<(Told, Told)> = table.gauges(&names::BUILD_INFO)?;
        build.of((env!("CARGO_PKG_VERSION"), option_env!("LEADSTREAM_REVISION").unwrap_or("unknown"))).set(1);
        let start = table.number(&names::START_TIME)?;
        #[allow(clippy::cast_precision_loss)] // seconds since 1970
        start.set(jiff::Timestamp::now().as_second() as f64);
        table.refused()?;
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// A rate over a series that appears with its first event misses that event: what is known beforehand is there from the start.
    fn start_at_zero(&self) {
        for topic in &self.labels.input {
            self.records_consumed.of((topic,));
            self.skipped_offsets.of((topic,));
        }
        // An entry of the ledger is no event.
        for topic in OutputTopic::OUTCOMES.map(|topic| self.output(topic)) {
            self.events_produced.of((topic,));
        }
        for (storefront, campaign) in [
            (Storefront::AppSource, Campaign::Nurture),
            (Storefront::AzureMarketplace, Campaign::DemandGeneration),
            (Storefront::Unknown, Campaign::Unclassified),
        ] {
            for verdict in Verdict::ALL {
                self.leads.of((storefront, campaign, *verdict));
            }
            self.qualifiable.of((storefront, campaign));
        }
        for storefront in Storefront::ALL {
            for reason in names::RELEASED_REASONS {
                self.unqualified.of((*storefront, reason));
            }
        }
        for flag in Flag::ALL {
            self.flags.of((*flag,));
        }
        for code in DeadLetterCode::ALL {
            let stage = if *code == DeadLetterCode::OutputTooLarge { DeadLetterStage::Encode } else { DeadLetterStage::Decode };
            self.dead_letters.of((stage, *code));
        }
        for result in TransactionResult::ALL {
            self.transactions.of((*result,));
        }
        for cause in Cause::ALL {
            self.aborts.of((*cause,));
            self.producer_recycles.of((*cause,));
        }
        for result in ReloadResult::ALL {
            self.ruleset_reloads.of((*result,));
        }
        for answer in RegistryAnswer::ALL {
            self.registry_requests.of((*answer,));
        }
        for result in SpanResult::ALL {
            self.spans.of((*result,));
        }
        for state in LaneState::ALL {
            self.lanes.of((*state,));
        }
        for kind in RebalanceKind::ALL {
            self.rebalances.of((*kind,));
        }
    }

    /// The ruleset in use routes to these destinations: the first lead for one is not to be missed by a rate, least of all a late one.
    pub fn destinations<'d>(&self, destinations: impl Iterator<Item = &'d str>) {
        let _whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        for destination in destinations.map(|destination| self.words.known(destination)) {
            for storefront in Storefront::ALL {
                self.routes.of((*storefront, destination));
                self.late_routes.of((*storefront, destination));
            }
        }
    }

    fn ruleset_is(&self, [name, version, hash]: &[String; 3]) {
        self.ruleset.reset();
        self.ruleset.of((name, version, hash)).set(1);
        self.trials.ruleset(&format!("{name}/{version}"));
    }

    /// The rulesets on trial from now on.
    pub fn trials(&self, trials: &ShownTrials) {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        self.trials.trials(trials);
    }

    /// A changed ruleset on trial is in use from now on.
    pub fn candidate_taken(&self) {
        self.ruleset_reloads.of((ReloadResult::Ok,)).inc();
    }

    /// A changed ruleset, by name, version and hash, is in use from now on.
    pub fn ruleset_taken(&self, ruleset: &[String; 3]) {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        self.ruleset_is(ruleset);
        self.ruleset_reloads.of((ReloadResult::Ok,)).inc();
    }

    /// A changed ruleset is not good.
    pub fn ruleset_refused(&self) {
        self.ruleset_reloads.of((ReloadResult::Refused,)).inc();
    }

    /// So many are refused now.
    pub fn rulesets_refused(&self, count: usize) {
        self.rulesets_refused.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Everything, in Prometheus's text format.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(64 * 1024);
        let gathered = {
            let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(usage) = Usage::now() {
                self.used.set(usage);
            }
            self.registry.gather()
        };
        let gathered = with_deprecated(gathered, names::DEPRECATED);
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

    /// A question to the schema registry has come to its end.
    pub fn registry_asked(&self, answer: RegistryAnswer) {
        self.registry_requests.of((answer,)).inc();
    }

    /// So many spans have come to this end.
    pub fn spans(&self, result: SpanResult, count: u64) {
        self.spans.of((result,)).inc_by(count);
    }

    /// The schema registry answers, or does not.
    pub fn registry_up(&self, up: bool) {
        self.registry_up.set(i64::from(up));
    }

    /// A batch became visible at `now`.
    pub fn committed(&self, tally: &Tally, committed: Committed, decided_in: Duration, now: Timestamp) {
        let _whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        for (topic, count) in tally.records.iter() {
            self.records_consumed.of((topic,)).inc_by(count);
        }
        for ((storefront, campaign, verdict), count) in tally.leads.iter() {
            self.leads.of((*storefront, *campaign, *verdict)).inc_by(count);
            #[allow(clippy::cast_precision_loss)] // microseconds since 1970 are below 2^52
            self.last_lead.of((*storefront,)).set(now.micros() as f64 / 1e6);
        }
        for ((storefront, campaign), count) in tally.qualifiable.iter() {
            self.qualifiable.of((*storefront, *campaign)).inc_by(count);
        }
        for ((storefront, reason), count) in tally.reasons.iter() {
            self.unqualified.of((*storefront, self.words.known(reason))).inc_by(count);
        }
        for (flag, count) in tally.flags.iter() {
            self.flags.of((*flag,)).inc_by(count);
        }
        for ((stage, code), count) in tally.dead_letters.iter() {
            self.dead_letters.of((*stage, *code)).inc_by(count);
        }
        for (topic, count) in tally.events.iter() {
            self.events_produced.of((self.output(*topic),)).inc_by(count);
        }
        for ((storefront, destination), count) in tally.routes.iter() {
            // A share of late routes misses no first one.
            let labels = (*storefront, self.words.known(destination));
            self.late_routes.of(labels);
            self.routes.of(labels).inc_by(count);
        }
        for ((storefront, destination), count) in tally.late_routes.iter() {
            self.late_routes.of((*storefront, self.words.known(destination))).inc_by(count);
        }
        self.unseen(&tally.unknown_sources);
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
        self.transactions.of((TransactionResult::Committed,)).inc();
        self.unaccounted_records.add(i64::try_from(tally.unaccounted()).unwrap_or(i64::MAX));
    }

    fn output(&self, topic: OutputTopic) -> &str {
        self.labels.output.get(topic as usize).map_or("", String::as_str)
    }

    fn unseen(&self, tokens: &[u64]) {
        if tokens.is_empty() {
            return;
        }
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        for token in tokens {
            if unseen.len() < MOST_TOKENS {
                unseen.insert(*token);
            }
        }
        self.unseen_sources.set(i64::try_from(unseen.len()).unwrap_or(i64::MAX));
    }

    /// A batch was taken back.
    pub fn aborted(&self, cause: Cause) {
        self.transactions.of((TransactionResult::Aborted,)).inc();
        self.aborts.of((cause,)).inc();
    }

    /// Where the lanes stand, and whether all is well, as of now.
    pub fn stands(&self, lanes: &[LaneState], ready: bool) {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        for state in LaneState::ALL {
            let count = lanes.iter().filter(|lane| *lane == state).count();
            self.lanes.of((*state,)).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.ready.set(i64::from(ready));
    }
}

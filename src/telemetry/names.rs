//! The catalogue of metrics: name, kind, unit, help, labels with where their values come from, buckets, and since when. It is
//! the only way to make a metric; `docs/metrics.md`, what is released and every query under `deploy/` are checked against it.

mod metric;

use crate::{
    io::{Cause, HaltReason, RegistryAnswer},
    lead::{Campaign, DeadLetterCode, DeadLetterStage, Flag, Storefront, Verdict, Vocabulary},
    pipeline::RouteChange,
};

use super::words::{LaneState, RebalanceKind, ReloadResult, SpanResult, TransactionResult};
pub use metric::{Deprecated, Kind, Label, Metric, Unit, Values};

/// Reasons of the contract that the default ruleset can give. A ruleset may name more; these start at zero, so that a rate
/// without test leads can be taken before the first of them has come.
pub const RELEASED_REASONS: [&str; 11] = [
    "test_lead",
    "do_not_contact",
    "no_contact",
    "consent_denied",
    "spam",
    "suppressed",
    "closed",
    "expired",
    "low_score",
    "needs_hydration",
    "own_domain",
];

fn released<V: Vocabulary>() -> Vec<&'static str> {
    V::ALL.iter().map(|value| value.name()).collect()
}

const fn closed(name: &'static str, values: fn() -> Vec<&'static str>) -> Label {
    Label { name, values: Values::Closed(values) }
}

const fn bounded(name: &'static str, by: &'static str) -> Label {
    Label { name, values: Values::Bounded(by) }
}

const STOREFRONT: Label = closed("storefront", released::<Storefront>);
const CAMPAIGN: Label = closed("campaign", released::<Campaign>);
const VERDICT: Label = closed("verdict", released::<Verdict>);
const FLAG: Label = closed("flag", released::<Flag>);
const STAGE: Label = closed("stage", released::<DeadLetterStage>);
const CODE: Label = closed("code", released::<DeadLetterCode>);
const RESULT: Label = closed("result", released::<TransactionResult>);
const REGISTRY_RESULT: Label = closed("result", released::<RegistryAnswer>);
const SPAN_RESULT: Label = closed("result", released::<SpanResult>);
const RELOAD_RESULT: Label = closed("result", released::<ReloadResult>);
const REBALANCE_KIND: Label = closed("kind", released::<RebalanceKind>);
const HALT_REASON: Label = closed("reason", released::<HaltReason>);
const REASON: Label = bounded("reason", "gates of the ruleset, and `low_score`; `other` past 256 since the start");
const DESTINATION: Label = bounded("destination", "routes of the ruleset; `other` past 256 since the start");
const INPUT_TOPIC: Label = bounded("topic", "`topics.raw`");
const OUTPUT_TOPIC: Label = bounded("topic", "the four output topics");
const PARTITION: Label = bounded("partition", "partitions this process reads now");
const RECYCLE_REASON: Label = closed("reason", released::<Cause>);
const RULESET: [Label; 3] =
    [bounded("name", "the live ruleset"), bounded("version", "the live ruleset"), bounded("hash", "the live ruleset")];
const DECIDING_RULESET: Label =
    bounded("ruleset", "`NAME/VERSION` of the live ruleset and its canary, and of those before them, 16 in all");
const CANDIDATE: Label = bounded("candidate", "`NAME/VERSION` of the rulesets in `rules.shadow`, and of those before them, 16 in all");
const FROM: Label = closed("from", released::<Verdict>);
const TO: Label = closed("to", released::<Verdict>);
const TRIED_DESTINATION: Label =
    bounded("destination", "routes of the live ruleset and of the candidate; `other` past 256 since the start");
const ROUTE_CHANGE: Label = closed("change", released::<RouteChange>);
const ABORT_REASON: Label = RECYCLE_REASON;
const LANE_STATE: Label = closed("state", released::<LaneState>);
const BUILD: [Label; 2] = [bounded("version", "this build"), bounded("revision", "this build")];

/// The work on one batch: from a tenth of a millisecond up to the longest a commit is waited for.
const WORK: &[f64] = &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0];
/// From the commit interval to a week: leads come late after outages.
const AGE: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 604_800.0];
/// Around the grades of the default ruleset (20, 40, 60), and what a publisher may add on either side.
const POINTS: &[f64] = &[-40.0, -20.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0];
/// Up to a full batch.
const RECORDS: &[f64] = &[1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

const FIRST: &str = "0.1.0";

const fn counter(name: &'static str, unit: Unit, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help, labels, since: FIRST }
}

const fn gauge(name: &'static str, unit: Unit, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help, labels, since: FIRST }
}

const fn histogram(name: &'static str, unit: Unit, labels: &'static [Label], buckets: &'static [f64], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram(buckets), unit, help, labels, since: FIRST }
}

/// Raw records whose outcome is committed.
pub const RECORDS_CONSUMED: Metric =
    counter("leadstream_records_consumed_total", Unit::Count("records"), &[INPUT_TOPIC], "Raw records whose outcome is committed");
/// Leads decided.
pub const LEADS: Metric = counter("leadstream_leads_total", Unit::Count("leads"), &[STOREFRONT, CAMPAIGN, VERDICT], "Leads decided");
/// Leads that a qualification rate is taken of.
pub const QUALIFIABLE_LEADS: Metric = counter(
    "leadstream_qualifiable_leads_total",
    Unit::Count("leads"),
    &[STOREFRONT, CAMPAIGN],
    "Leads decided but for test leads and do-not-contact notices: those that a qualification rate is taken of",
);
/// Reasons for which leads did not qualify.
pub const UNQUALIFIED: Metric = counter(
    "leadstream_unqualified_total",
    Unit::Count("reasons"),
    &[STOREFRONT, REASON],
    "Reasons for which leads did not qualify; a lead may have several",
);
/// Flags set on leads.
pub const FLAGS: Metric = counter("leadstream_flags_total", Unit::Count("flags"), &[FLAG], "Flags set on leads; a lead may have several");
/// Raw records that left as dead letters.
pub const DEAD_LETTERS: Metric = counter(
    "leadstream_dead_letters_total",
    Unit::Count("records"),
    &[STAGE, CODE],
    "Raw records that left as dead letters, by where and why",
);
/// Records written, dead letters too.
pub const EVENTS_PRODUCED: Metric =
    counter("leadstream_events_produced_total", Unit::Count("events"), &[OUTPUT_TOPIC], "Records written and committed, dead letters too");
/// Routing events, by who follows up.
pub const ROUTES: Metric =
    counter("leadstream_routes_total", Unit::Count("events"), &[STOREFRONT, DESTINATION], "Routing events, by who follows up");
/// Routing events of leads that came late.
pub const LATE_ROUTES: Metric = counter(
    "leadstream_late_routes_total",
    Unit::Count("events"),
    &[STOREFRONT, DESTINATION],
    "Routing events of leads that were late when they came: later than the ruleset's policy.late_after",
);
/// Words for a source that the ruleset does not know.
pub const UNSEEN_SOURCES: Metric = gauge(
    "leadstream_unseen_source_tokens",
    Unit::Count("tokens"),
    &[],
    "Different LeadSource tokens that the ruleset does not know, seen since the start; more than 1,000 are not told apart",
);
/// When a lead was last decided.
pub const LAST_LEAD: Metric = gauge(
    "leadstream_last_lead_timestamp_seconds",
    Unit::Seconds,
    &[STOREFRONT],
    "When a lead of the storefront was last committed, seconds since 1970; no series before the first",
);
/// Score of each lead.
pub const SCORE: Metric = histogram("leadstream_score", Unit::Points, &[STOREFRONT], POINTS, "Score of each lead, in points");
/// Time to decide one batch.
pub const DECISION_SECONDS: Metric = histogram("leadstream_decision_seconds", Unit::Seconds, &[], WORK, "Time to decide one batch");
/// From a lead's event time to its commit.
pub const END_TO_END_SECONDS: Metric = histogram(
    "leadstream_end_to_end_seconds",
    Unit::Seconds,
    &[STOREFRONT],
    AGE,
    "From a lead's event time to the commit of its decision; 0 where the event time lies ahead",
);
/// Time to write and commit one batch.
pub const COMMIT_SECONDS: Metric = histogram("leadstream_commit_seconds", Unit::Seconds, &[], WORK, "Time to write and commit one batch");
/// Records in one batch.
pub const BATCH_RECORDS: Metric =
    histogram("leadstream_batch_records", Unit::Count("records"), &[], RECORDS, "Records in one committed batch");
/// Batches committed or taken back.
pub const TRANSACTIONS: Metric =
    counter("leadstream_transactions_total", Unit::Count("transactions"), &[RESULT], "Batches committed, and batches taken back");
/// Batches taken back, by why.
pub const ABORTS: Metric =
    counter("leadstream_aborts_total", Unit::Count("transactions"), &[ABORT_REASON], "Batches taken back and decided again, by why");
/// Producers replaced because their state was in doubt.
pub const PRODUCER_RECYCLES: Metric = counter(
    "leadstream_producer_recycles_total",
    Unit::Count("producers"),
    &[RECYCLE_REASON],
    "Producers replaced because their state was in doubt",
);
/// Times partitions were assigned, revoked or lost.
pub const REBALANCES: Metric = counter(
    "leadstream_rebalances_total",
    Unit::Count("rebalances"),
    &[REBALANCE_KIND],
    "Times a lane's partitions were assigned, revoked or lost",
);
/// Partitions this process reads.
pub const ASSIGNED_PARTITIONS: Metric =
    gauge("leadstream_assigned_partitions", Unit::Count("partitions"), &[], "Partitions this process reads");
/// Lanes by where they stand.
pub const LANES: Metric = gauge("leadstream_lanes", Unit::Count("lanes"), &[LANE_STATE], "Lanes of this process, by where they stand");
/// Whether the process is ready.
pub const READY: Metric =
    gauge("leadstream_ready", Unit::Bool, &[], "1: /readyz answers that all is well; 0: something is missing, and it says what");
/// Partitions that stand still until a person has decided.
pub const HALTED_PARTITIONS: Metric = gauge(
    "leadstream_halted_partitions",
    Unit::Bool,
    &[INPUT_TOPIC, PARTITION, HALT_REASON],
    "1 for each partition of this process that stands still until a person has decided",
);
/// Offsets passed over because the broker no longer held them.
pub const SKIPPED_OFFSETS: Metric = counter(
    "leadstream_skipped_offsets_total",
    Unit::Count("offsets"),
    &[INPUT_TOPIC],
    "Offsets passed over because the broker no longer held them, where run.on_lost_position asks for that",
);
/// Records not yet decided.
pub const CONSUMER_LAG_RECORDS: Metric = gauge(
    "leadstream_consumer_lag_records",
    Unit::Count("records"),
    &[INPUT_TOPIC, PARTITION],
    "Records not yet decided, of partitions this process reads",
);
/// Age of the last record read while others wait.
pub const CONSUMER_LAG_SECONDS: Metric = gauge(
    "leadstream_consumer_lag_seconds",
    Unit::Seconds,
    &[INPUT_TOPIC, PARTITION],
    "Age of the last record read while others wait; 0 when none does",
);
/// The live ruleset.
pub const RULESET_INFO: Metric = gauge("leadstream_ruleset_info", Unit::Bool, &RULESET, "The live ruleset; always 1");
/// Rulesets taken or refused while running.
pub const RULESET_RELOADS: Metric = counter(
    "leadstream_ruleset_reloads_total",
    Unit::Count("rulesets"),
    &[RELOAD_RESULT],
    "Changed rulesets that were taken or refused while running, those on trial too",
);
/// Rulesets that are refused now.
pub const RULESETS_REFUSED: Metric = gauge(
    "leadstream_rulesets_refused",
    Unit::Count("rulesets"),
    &[],
    "Rulesets, with their tables, whose changed files are refused now, those on trial too; the ones before go on",
);
/// Leads by the ruleset that decided them.
pub const RULESET_LEADS: Metric = counter(
    "leadstream_ruleset_leads_total",
    Unit::Count("leads"),
    &[DECIDING_RULESET, VERDICT],
    "Leads decided, by the ruleset that decided them",
);
/// Reasons by the ruleset that gave them.
pub const RULESET_UNQUALIFIED: Metric = counter(
    "leadstream_ruleset_unqualified_total",
    Unit::Count("reasons"),
    &[DECIDING_RULESET, REASON],
    "Reasons for which leads did not qualify, by the ruleset that decided them",
);
/// The share of leads the canary decides.
pub const CANARY_SHARE: Metric = gauge(
    "leadstream_canary_share",
    Unit::Ratio,
    &[],
    "Share of leads that the canary decides, 0 to 1; 0: there is none, or it is stopped",
);
/// Whether the canary has been stopped.
pub const CANARY_STOPPED: Metric =
    gauge("leadstream_canary_stopped", Unit::Bool, &[], "1: the canary has left its band and decides no lead any more; /status says why");
/// Leads that a candidate decided too.
pub const SHADOW_LEADS: Metric =
    counter("leadstream_shadow_leads_total", Unit::Count("leads"), &[CANDIDATE], "Leads that a candidate decided too, for comparison");
/// Verdicts that a candidate would change.
pub const SHADOW_CHANGES: Metric = counter(
    "leadstream_shadow_changes_total",
    Unit::Count("leads"),
    &[CANDIDATE, FROM, TO],
    "Leads whose verdict would be another by the candidate",
);
/// Follow-ups that a candidate would change.
pub const SHADOW_ROUTE_CHANGES: Metric = counter(
    "leadstream_shadow_route_changes_total",
    Unit::Count("events"),
    &[CANDIDATE, TRIED_DESTINATION, ROUTE_CHANGE],
    "Routing events that would be added, removed, or changed (other queue, owner, priority or times) by the candidate",
);
/// The share of leads that shadows are shown.
pub const SHADOW_SAMPLED: Metric = gauge(
    "leadstream_shadow_sampled_share",
    Unit::Ratio,
    &[],
    "Share of leads that shadows decide too, 0 to 1: less than 1 where they would take more than rules.shadow_share",
);
/// Time shadows took.
pub const SHADOW_SECONDS: Metric = counter(
    "leadstream_shadow_seconds_total",
    Unit::Seconds,
    &[],
    "Time that shadows took, of all lanes together; part of the time to decide",
);
/// Records without their outcome, and outcomes without their outputs: must be 0.
pub const UNACCOUNTED_RECORDS: Metric = gauge(
    "leadstream_unaccounted_records",
    Unit::Count("records"),
    &[],
    "Records without exactly one outcome, and outcomes without exactly their outputs, summed over batches: must be 0",
);
/// Whether the schema registry answered when it was last asked.
pub const REGISTRY_UP: Metric = gauge(
    "leadstream_registry_up",
    Unit::Bool,
    &[],
    "1: the schema registry answered when it was last asked; 0: it did not, or there is none",
);
/// Questions to the schema registry.
pub const REGISTRY_REQUESTS: Metric = counter(
    "leadstream_registry_requests_total",
    Unit::Count("requests"),
    &[REGISTRY_RESULT],
    "Questions to the schema registry, by what came of them",
);
/// Spans of batches.
pub const SPANS: Metric = counter(
    "leadstream_spans_total",
    Unit::Count("spans"),
    &[SPAN_RESULT],
    "Spans of batches for otlp.endpoint: taken by the collector, not taken, or not sent since too many waited",
);
/// This build.
pub const BUILD_INFO: Metric = gauge("leadstream_build_info", Unit::Bool, &BUILD, "This build; always 1");
/// Processor time. This and those below are no names of ours: every Prometheus client gives them.
pub const PROCESSOR_SECONDS: Metric =
    counter("process_cpu_seconds_total", Unit::Seconds, &[], "Processor time this process took, user's and system's, all threads");
/// Memory in use.
pub const RESIDENT_MEMORY: Metric = gauge("process_resident_memory_bytes", Unit::Bytes, &[], "Memory this process has in use");
/// Open files.
pub const OPEN_FILES: Metric = gauge("process_open_fds", Unit::Count("files"), &[], "Files and connections this process has open");
/// Threads.
pub const THREADS: Metric = gauge("process_threads", Unit::Count("threads"), &[], "Threads of this process");
/// When this process started.
pub const START_TIME: Metric = gauge("process_start_time_seconds", Unit::Seconds, &[], "When this process started, seconds since 1970");

/// Every metric there is, in the order of the contract.
pub const ALL: &[Metric] = &[
    RECORDS_CONSUMED,
    LEADS,
    QUALIFIABLE_LEADS,
    UNQUALIFIED,
    FLAGS,
    DEAD_LETTERS,
    EVENTS_PRODUCED,
    ROUTES,
    LATE_ROUTES,
    UNSEEN_SOURCES,
    LAST_LEAD,
    SCORE,
    DECISION_SECONDS,
    END_TO_END_SECONDS,
    COMMIT_SECONDS,
    BATCH_RECORDS,
    TRANSACTIONS,
    ABORTS,
    PRODUCER_RECYCLES,
    REBALANCES,
    ASSIGNED_PARTITIONS,
    LANES,
    READY,
    HALTED_PARTITIONS,
    SKIPPED_OFFSETS,
    CONSUMER_LAG_RECORDS,
    CONSUMER_LAG_SECONDS,
    RULESET_INFO,
    RULESET_RELOADS,
    RULESETS_REFUSED,
    RULESET_LEADS,
    RULESET_UNQUALIFIED,
    CANARY_SHARE,
    CANARY_STOPPED,
    SHADOW_LEADS,
    SHADOW_CHANGES,
    SHADOW_ROUTE_CHANGES,
    SHADOW_SAMPLED,
    SHADOW_SECONDS,
    UNACCOUNTED_RECORDS,
    REGISTRY_UP,
    REGISTRY_REQUESTS,
    SPANS,
    BUILD_INFO,
    PROCESSOR_SECONDS,
    RESIDENT_MEMORY,
    OPEN_FILES,
    THREADS,
    START_TIME,
];

/// Released names on their way out.
pub const DEPRECATED: &[Deprecated] = &[];

//! The one table of metric names, as the contract has them: name, help, labels and buckets. `docs/metrics.md` is checked
//! against it.

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// With the prefix.
    pub name: &'static str,
    /// What it counts, in one line.
    pub help: &'static str,
    /// Label names, in order.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets; none for the others.
    pub buckets: &'static [f64],
}

const fn plain(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Name {
    Name { name, help, labels, buckets: &[] }
}

/// From a tenth of a millisecond to ten seconds: the work on one batch.
const WORK: &[f64] = &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From the commit interval to a week: leads come late after outages.
const AGE: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0, 604_800.0];
/// The default ruleset's range, and what a publisher may add.
const POINTS: &[f64] = &[-40.0, -20.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0];
/// Up to a full batch.
const RECORDS: &[f64] = &[1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

/// Raw records whose outcome is committed.
pub const RECORDS_CONSUMED: Name = plain("leadstream_records_consumed_total", &["topic"], "Raw records whose outcome is committed");
/// Leads decided.
pub const LEADS: Name = plain("leadstream_leads_total", &["storefront", "campaign", "verdict"], "Leads decided");
/// Reasons for which leads did not qualify; a lead may have several.
pub const UNQUALIFIED: Name =
    plain("leadstream_unqualified_total", &["storefront", "reason"], "Reasons for which leads did not qualify; a lead may have several");
/// Flags set on leads.
pub const FLAGS: Name = plain("leadstream_flags_total", &["flag"], "Flags set on leads");
/// Raw records that left as dead letters.
pub const DEAD_LETTERS: Name = plain("leadstream_dead_letters_total", &["stage", "code"], "Raw records that left as dead letters");
/// Records written, dead letters too.
pub const EVENTS_PRODUCED: Name = plain("leadstream_events_produced_total", &["topic"], "Records written, dead letters too");
/// Routing events, by who follows up.
pub const ROUTES: Name = plain("leadstream_routes_total", &["storefront", "destination"], "Routing events, by who follows up");
/// Score of each lead.
pub const SCORE: Name = Name { buckets: POINTS, ..plain("leadstream_score", &["storefront"], "Score of each lead") };
/// Time to decide one batch.
pub const DECISION_SECONDS: Name = Name { buckets: WORK, ..plain("leadstream_decision_seconds", &[], "Time to decide one batch") };
/// From a lead's event time to its commit.
pub const END_TO_END_SECONDS: Name =
    Name { buckets: AGE, ..plain("leadstream_end_to_end_seconds", &["storefront"], "From a lead's event time to its commit") };
/// Time to write and commit one batch.
pub const COMMIT_SECONDS: Name = Name { buckets: WORK, ..plain("leadstream_commit_seconds", &[], "Time to write and commit one batch") };
/// Records in one batch.
pub const BATCH_RECORDS: Name = Name { buckets: RECORDS, ..plain("leadstream_batch_records", &[], "Records in one batch") };
/// Batches committed or taken back.
pub const TRANSACTIONS: Name = plain("leadstream_transactions_total", &["result"], "Batches committed or taken back");
/// Producers replaced because their state was in doubt.
pub const PRODUCER_RECYCLES: Name =
    plain("leadstream_producer_recycles_total", &["reason"], "Producers replaced because their state was in doubt");
/// Times partitions were assigned, revoked or lost.
pub const REBALANCES: Name = plain("leadstream_rebalances_total", &["kind"], "Times partitions were assigned, revoked or lost");
/// Partitions this process reads.
pub const ASSIGNED_PARTITIONS: Name = plain("leadstream_assigned_partitions", &[], "Partitions this process reads");
/// Records not yet decided.
pub const CONSUMER_LAG_RECORDS: Name = plain("leadstream_consumer_lag_records", &["topic", "partition"], "Records not yet decided");
/// Age of the last record read while others wait; 0 when none does.
pub const CONSUMER_LAG_SECONDS: Name =
    plain("leadstream_consumer_lag_seconds", &["topic", "partition"], "Age of the last record read while others wait; 0 when none does");
/// The live ruleset.
pub const RULESET_INFO: Name = plain("leadstream_ruleset_info", &["name", "version", "hash"], "The live ruleset");
/// Rulesets taken or refused while running.
pub const RULESET_RELOADS: Name = plain("leadstream_ruleset_reloads_total", &["result"], "Rulesets taken or refused while running");
/// Records with neither decision nor dead letter: must be 0.
pub const UNACCOUNTED_RECORDS: Name =
    plain("leadstream_unaccounted_records", &[], "Records with neither decision nor dead letter: must be 0");
/// This build.
pub const BUILD_INFO: Name = plain("leadstream_build_info", &["version", "revision"], "This build");
/// When this process started, seconds since 1970.
pub const START_TIME: Name = plain("process_start_time_seconds", &[], "When this process started, seconds since 1970");

/// Every metric there is.
pub const ALL: &[Name] = &[
    RECORDS_CONSUMED,
    LEADS,
    UNQUALIFIED,
    FLAGS,
    DEAD_LETTERS,
    EVENTS_PRODUCED,
    ROUTES,
    SCORE,
    DECISION_SECONDS,
    END_TO_END_SECONDS,
    COMMIT_SECONDS,
    BATCH_RECORDS,
    TRANSACTIONS,
    PRODUCER_RECYCLES,
    REBALANCES,
    ASSIGNED_PARTITIONS,
    CONSUMER_LAG_RECORDS,
    CONSUMER_LAG_SECONDS,
    RULESET_INFO,
    RULESET_RELOADS,
    UNACCOUNTED_RECORDS,
    BUILD_INFO,
    START_TIME,
];

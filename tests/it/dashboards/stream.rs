//! The dashboard *Stream*, for the operator: what flows and how far behind it is, transactions and what goes wrong with them, the
//! group, dead letters, and the process.

use super::board::{Board, GRAIN, Panel, SPAN, quantile};

fn now() -> Vec<Panel> {
    vec![
        Panel::stat(1, "Not ready", "Processes whose /readyz says 503 now; it says why.")
            .size(3, 4)
            .decimals(0)
            .from(1.0, "red")
            .query("sum(1 - leadstream_ready{our})", "processes"),
        Panel::stat(2, "Unaccounted", "Records without exactly one outcome since the starts of the processes: must be 0.")
            .size(3, 4)
            .decimals(0)
            .from(1.0, "red")
            .query("sum(leadstream_unaccounted_records{our})", "records"),
        Panel::stat(3, "Halted partitions", "Partitions that stand still until a person has decided.")
            .size(3, 4)
            .decimals(0)
            .from(1.0, "red")
            .query("sum(leadstream_halted_partitions{our}) or 0 * sum(leadstream_build_info{our})", "partitions"),
        Panel::stat(4, "Seconds behind", "Of the partition that is farthest behind: the age of its last decided record while others wait.")
            .size(3, 4)
            .unit("s")
            .from(60.0, "orange")
            .from(300.0, "red")
            .query("max(leadstream_consumer_lag_seconds{our})", "behind"),
        Panel::stat(5, "Records behind", "Records not yet decided.")
            .size(3, 4)
            .decimals(0)
            .query("sum(leadstream_consumer_lag_records{our})", "records"),
        Panel::stat(6, "Dead letters", "Of the records in the shown time, those that left as dead letters.")
            .size(3, 4)
            .share()
            .from(0.02, "orange")
            .from(0.05, "red")
            .query(
                format!(
                    "sum(increase(leadstream_dead_letters_total{{our}}{SPAN})) / (sum(increase(leadstream_records_consumed_total{{our}}{SPAN})) > 0)"
                ),
                "dead letters",
            ),
        Panel::stat(7, "Taken back", "Of the batches in the shown time, those that were taken back and decided again.")
            .size(3, 4)
            .share()
            .from(0.05, "orange")
            .from(0.2, "red")
            .query(
                format!(
                    "sum(increase(leadstream_transactions_total{{our, result=\"aborted\"}}{SPAN})) / \
                     (sum(increase(leadstream_transactions_total{{our}}{SPAN})) > 0)"
                ),
                "aborted",
            ),
        Panel::stat(8, "Processes", "Processes that were scraped.").size(3, 4).decimals(0).query("count(leadstream_build_info{our})", "processes"),
    ]
}

fn flow() -> Vec<Panel> {
    vec![
        Panel::lines(9, "Records in", "Raw records whose outcome is committed, a second, by topic.")
            .unit("cps")
            .query(format!("sum by (topic) (rate(leadstream_records_consumed_total{{our}}{GRAIN}))"), "{{topic}}"),
        Panel::lines(10, "Records out", "Records written and committed, a second, by topic.")
            .unit("cps")
            .query(format!("sum by (topic) (rate(leadstream_events_produced_total{{our}}{GRAIN}))"), "{{topic}}"),
        Panel::lines(11, "Records behind", "Records not yet decided, of the 20 partitions that have most.")
            .query("topk(20, sum by (topic, partition) (leadstream_consumer_lag_records{our}))", "{{topic}}/{{partition}}"),
        Panel::lines(
            12,
            "Seconds behind",
            "The age of the last decided record while others wait, of the 20 partitions that are farthest behind. LeadstreamLagging asks for \
             five minutes.",
        )
        .unit("s")
        .from(300.0, "red")
        .query("topk(20, max by (topic, partition) (leadstream_consumer_lag_seconds{our}))", "{{topic}}/{{partition}}"),
    ]
}

fn transactions() -> Vec<Panel> {
    vec![
        Panel::lines(13, "Batches", "Transactions committed, and taken back, a second.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (result) (rate(leadstream_transactions_total{{our}}{GRAIN}))"), "{{result}}"),
        Panel::lines(14, "Taken back, why", "Batches taken back and decided again, a second. Some are usual when the group changes.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (reason) (rate(leadstream_aborts_total{{our}}{GRAIN}))"), "{{reason}}"),
        Panel::lines(15, "Producers replaced", "Producers replaced because it was in doubt what the broker had seen, a second, by reason.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (reason) (rate(leadstream_producer_recycles_total{{our}}{GRAIN}))"), "{{reason}}"),
        Panel::lines(
            16,
            "Time of a batch",
            "How long it takes to decide a batch and to write and commit it: 95 and 99 of 100 take no longer.",
        )
        .size(12, 8)
        .unit("s")
        .query(quantile("0.95", "le", "leadstream_decision_seconds"), "decide, 95 of 100")
        .query(quantile("0.99", "le", "leadstream_decision_seconds"), "decide, 99 of 100")
        .query(quantile("0.95", "le", "leadstream_commit_seconds"), "commit, 95 of 100")
        .query(quantile("0.99", "le", "leadstream_commit_seconds"), "commit, 99 of 100"),
        Panel::lines(17, "Records in a batch", "Half of the batches, and 95 of 100, have no more records.")
            .size(12, 8)
            .query(quantile("0.5", "le", "leadstream_batch_records"), "half")
            .query(quantile("0.95", "le", "leadstream_batch_records"), "95 of 100"),
    ]
}

fn group() -> Vec<Panel> {
    vec![
        Panel::stacked(18, "Lanes", "Lanes by what they do: running, waiting for partitions, joining, halted, stuck.")
            .size(8, 8)
            .query("sum by (state) (leadstream_lanes{our})", "{{state}}"),
        Panel::stacked(19, "Partitions", "Partitions each process reads.")
            .size(8, 8)
            .query("sum by (instance) (leadstream_assigned_partitions{our})", "{{instance}}"),
        Panel::lines(20, "Rebalances", "Times that lanes' partitions were assigned, revoked or lost, a second.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (kind) (rate(leadstream_rebalances_total{{our}}{GRAIN}))"), "{{kind}}"),
        Panel::table(21, "What stands still", "Partitions that stand still until a person has decided; /status tells the whole story.")
            .query("leadstream_halted_partitions{our} == 1", "")
            .column("topic", "Topic", "")
            .column("partition", "Partition", "none")
            .column("reason", "Reason", "")
            .column("instance", "Instance", ""),
        Panel::lines(
            22,
            "Passed over",
            "Offsets passed over because the broker no longer held them, where run.on_lost_position asks for that.",
        )
        .query(format!("sum by (topic) (increase(leadstream_skipped_offsets_total{{our}}{GRAIN}))"), "{{topic}}"),
    ]
}

fn dead_letters() -> Vec<Panel> {
    vec![
        Panel::stacked(23, "Dead letters by code", "Raw records that left as dead letters, a second, by why. `leadstream dlq ls` groups them.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (code) (rate(leadstream_dead_letters_total{{our}}{GRAIN})) > 0"), "{{code}}"),
        Panel::stacked(24, "Dead letters by stage", "Raw records that left as dead letters, a second, by where they were refused.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (stage) (rate(leadstream_dead_letters_total{{our}}{GRAIN})) > 0"), "{{stage}}"),
        Panel::lines(25, "Share of dead letters", "Of the records that were decided. LeadstreamDeadLetters asks for one in twenty.")
            .size(8, 8)
            .share()
            .query(
                format!(
                    "sum(rate(leadstream_dead_letters_total{{our}}{GRAIN})) / (sum(rate(leadstream_records_consumed_total{{our}}{GRAIN})) > 0)"
                ),
                "dead letters",
            ),
    ]
}

fn process() -> Vec<Panel> {
    vec![
        Panel::lines(26, "Memory", "Memory in use, as the kernel counts. docs/sizing.md tells how much is to be expected.")
            .size(6, 8)
            .unit("bytes")
            .query("process_resident_memory_bytes{our}", "{{instance}}"),
        Panel::lines(27, "Processor", "Processor time used, in cores.")
            .size(6, 8)
            .unit("none")
            .query(format!("rate(process_cpu_seconds_total{{our}}{GRAIN})"), "{{instance}}"),
        Panel::lines(28, "Open files", "Files and connections open.").size(6, 8).query("process_open_fds{our}", "{{instance}}"),
        Panel::lines(29, "Threads", "Threads.").size(6, 8).query("process_threads{our}", "{{instance}}"),
        Panel::table(30, "What runs", "The build of each process, and for how long it has been up.")
            .size(8, 6)
            .query("leadstream_build_info{our}", "")
            .query("time() - process_start_time_seconds{our}", "")
            .column("instance", "Instance", "")
            .column("version", "Version", "")
            .column("revision", "Revision", "")
            .column("Value #B", "Up for", "s"),
        Panel::stat(31, "Schema registry", "Whether it answered when it was last asked; 'none' also where no registry is set.")
            .size(4, 6)
            .word(0.0, "none", "text")
            .word(1.0, "answers", "green")
            .query("min(leadstream_registry_up{our})", "registry"),
        Panel::lines(32, "Questions to the registry", "Questions to the schema registry, a second, by what came of them.")
            .size(6, 6)
            .unit("cps")
            .query(format!("sum by (result) (rate(leadstream_registry_requests_total{{our}}{GRAIN}))"), "{{result}}"),
        Panel::lines(
            33,
            "Spans",
            "Spans of batches for the collector of traces, a second: taken, not taken, or dropped since too many waited.",
        )
        .size(6, 6)
        .unit("cps")
        .query(format!("sum by (result) (rate(leadstream_spans_total{{our}}{GRAIN}))"), "{{result}}"),
    ]
}

pub(super) fn board() -> Board {
    Board {
        uid: "leadstream-stream",
        title: "leadstream: Stream",
        tells: "For the operator: what flows, how far behind it is, and what goes wrong.",
        span: "now-1h",
        refresh: "10s",
        by_storefront: false,
        rows: vec![
            ("Now", now()),
            ("Flow", flow()),
            ("Transactions", transactions()),
            ("Group", group()),
            ("Dead letters", dead_letters()),
            ("Process", process()),
        ],
    }
}

//! The dashboard *Leads*, for the business: how many leads came, by which storefronts, how many qualify, why others do not, who
//! follows up, and how fast.

use super::board::{Board, GRAIN, Panel, SPAN, qualification};

/// Quantiles of speed to lead over the shown time's grain; no value where no lead came.
fn speed(share: &str) -> String {
    format!("histogram_quantile({share}, sum by (le) (rate(leadstream_end_to_end_seconds_bucket{{our, front}}{GRAIN}))) >= 0")
}

fn totals() -> Vec<Panel> {
    vec![
        Panel::stat(1, "Leads", "Leads decided in the shown time.")
            .decimals(0)
            .query(format!("sum(increase(leadstream_leads_total{{our, front}}{SPAN}))"), "leads"),
        Panel::stat(2, "Qualification rate", "Qualified leads, of all but test leads and do-not-contact notices, in the shown time.")
            .share()
            .query(qualification("", "increase", SPAN), "qualified"),
        Panel::stat(3, "Routing events", "Follow-ups asked for in the shown time, one a destination.")
            .decimals(0)
            .query(format!("sum(increase(leadstream_routes_total{{our, front}}{SPAN}))"), "events"),
        Panel::stat(4, "Came late", "Of the routing events, those whose lead was older than the ruleset's late_after when it came.")
            .share()
            .from(0.05, "orange")
            .from(0.2, "red")
            .query(
                format!(
                    "sum(increase(leadstream_late_routes_total{{our, front}}{SPAN})) / (sum(increase(leadstream_routes_total{{our, front}}{SPAN})) > 0)"
                ),
                "late",
            ),
        Panel::stat(5, "Speed to lead, 95 of 100", "In so much time after its event, or less, the decision on 95 of 100 leads was there.")
            .unit("s")
            .query(
                format!("histogram_quantile(0.95, sum by (le) (increase(leadstream_end_to_end_seconds_bucket{{our, front}}{SPAN}))) >= 0"),
                "p95",
            ),
        Panel::stat(6, "Unknown sources", "Different LeadSource tokens that the ruleset does not know, seen by one process since its start.")
            .decimals(0)
            .from(1.0, "orange")
            .query("max(leadstream_unseen_source_tokens{our})", "tokens"),
    ]
}

fn funnel() -> Vec<Panel> {
    vec![
        Panel::bars(
            7,
            "Funnel",
            "What became of what came in the shown time: raw records (of all storefronts), leads, those that count (neither test leads \
             nor do-not-contact notices), qualified ones, and routing events, of which a lead may have several.",
        )
        .decimals(0)
        .query(format!("sum(increase(leadstream_records_consumed_total{{our}}{SPAN}))"), "Raw records")
        .query(format!("sum(increase(leadstream_leads_total{{our, front}}{SPAN}))"), "Leads")
        .query(format!("sum(increase(leadstream_qualifiable_leads_total{{our, front}}{SPAN}))"), "Leads that count")
        .query(format!("sum(increase(leadstream_leads_total{{our, front, verdict=\"QUALIFIED\"}}{SPAN}))"), "Qualified")
        .query(format!("sum(increase(leadstream_routes_total{{our, front}}{SPAN}))"), "Routing events"),
        Panel::bars(8, "Why leads do not qualify", "Reasons in the shown time; a lead may have several.")
            .decimals(0)
            .query(format!("sort_desc(sum by (reason) (increase(leadstream_unqualified_total{{our, front}}{SPAN})) > 0.5)"), "{{reason}}"),
    ]
}

fn rates() -> Vec<Panel> {
    vec![
        Panel::stacked(9, "Leads by storefront", "Leads decided, an hour, by the storefront the customer stood in.")
            .query(format!("3600 * sum by (storefront) (rate(leadstream_leads_total{{our, front}}{GRAIN}))"), "{{storefront}}"),
        Panel::stacked(10, "Leads by campaign and verdict", "Leads decided, an hour.").query(
            format!("3600 * sum by (campaign, verdict) (rate(leadstream_leads_total{{our, front}}{GRAIN})) > 0"),
            "{{campaign}} {{verdict}}",
        ),
        Panel::lines(
            11,
            "Qualification rate by storefront",
            "Qualified leads, of all but test leads and do-not-contact notices. A gap: no lead that counts.",
        )
        .share()
        .query(qualification("by (storefront) ", "rate", GRAIN), "{{storefront}}"),
        Panel::lines(
            12,
            "Qualification rate by campaign",
            "Qualified leads, of all but test leads and do-not-contact notices. A gap: no lead that counts.",
        )
        .share()
        .query(qualification("by (campaign) ", "rate", GRAIN), "{{campaign}}"),
        Panel::table(
            13,
            "Against its own week",
            "The qualification rate of the last six hours beside that of the last seven days. LeadstreamQualificationRateOff asks for a \
             difference of ten points that chance does not explain.",
        )
        .size(24, 6)
        .query(qualification("by (storefront) ", "increase", "[6h]"), "")
        .query(qualification("by (storefront) ", "increase", "[7d]"), "")
        .query(
            format!(
                "{} - {}",
                qualification("by (storefront) ", "increase", "[6h]"),
                qualification("by (storefront) ", "increase", "[7d]")
            ),
            "",
        )
        .query("sum by (storefront) (increase(leadstream_leads_total{our, front}[6h]))", "")
        .column("storefront", "Storefront", "")
        .column("Value #A", "Last six hours", "percentunit")
        .column("Value #B", "Last seven days", "percentunit")
        .column("Value #C", "Difference", "percentunit")
        .column("Value #D", "Leads in six hours", "short"),
    ]
}

fn follow_up() -> Vec<Panel> {
    vec![
        Panel::stacked(14, "Reasons", "Reasons for which leads did not qualify, an hour; a lead may have several.")
            .query(format!("3600 * sum by (reason) (rate(leadstream_unqualified_total{{our, front}}{GRAIN})) > 0"), "{{reason}}"),
        Panel::stacked(15, "Routes", "Routing events, an hour, by who follows up.")
            .query(format!("3600 * sum by (destination) (rate(leadstream_routes_total{{our, front}}{GRAIN}))"), "{{destination}}"),
        Panel::table(16, "Destinations", "Routing events of the shown time, and how many of them came late.")
            .query(format!("sum by (storefront, destination) (increase(leadstream_routes_total{{our, front}}{SPAN})) > 0.5"), "")
            .query(
                format!(
                    "sum by (storefront, destination) (increase(leadstream_late_routes_total{{our, front}}{SPAN})) / (sum by (storefront, destination) \
                     (increase(leadstream_routes_total{{our, front}}{SPAN})) > 0.5)"
                ),
                "",
            )
            .decimals(0)
            .column("storefront", "Storefront", "")
            .column("destination", "Destination", "")
            .column("Value #A", "Events", "short")
            .column("Value #B", "Came late", "percentunit"),
        Panel::lines(17, "Came late", "Of the routing events, those whose lead was older than the ruleset's late_after when it came.")
            .share()
            .query(
                format!(
                    "sum by (storefront) (rate(leadstream_late_routes_total{{our, front}}{GRAIN})) / (sum by (storefront) \
                     (rate(leadstream_routes_total{{our, front}}{GRAIN})) > 0)"
                ),
                "{{storefront}}",
            ),
    ]
}

fn speed_and_score() -> Vec<Panel> {
    let buckets =
        |histogram: &str, function: &str, window: &str| format!("sum by (le) ({function}({histogram}_bucket{{our, front}}{window}))");
    vec![
        Panel::lines(
            18,
            "Speed to lead",
            "From a lead's event time, Microsoft's where the record has one, to its committed decision: half of the leads, 95 and 99 of 100 \
             take no longer. A slow connector upstream shows here too.",
        )
        .unit("s")
        .query(speed("0.5"), "half")
        .query(speed("0.95"), "95 of 100")
        .query(speed("0.99"), "99 of 100"),
        Panel::heatmap(19, "Speed to lead, all leads", "How many leads took how long. A second band far up: leads that came after an outage.")
            .unit("s")
            .query(buckets("leadstream_end_to_end_seconds", "increase", GRAIN), "{{le}}"),
        Panel::buckets(20, "Scores", "Leads of the shown time by their score: the bar of a number holds those up to it and above the one before.")
            .decimals(0)
            .query(buckets("leadstream_score", "increase", SPAN), "{{le}}"),
        Panel::lines(21, "Score", "Half of the leads have this score or less, by storefront.")
            .unit("none")
            .signed()
            .query(
                format!(
                    "histogram_quantile(0.5, sum by (storefront, le) (rate(leadstream_score_bucket{{our, front}}{GRAIN}))) > -Inf"
                ),
                "{{storefront}}",
            ),
    ]
}

fn sources() -> Vec<Panel> {
    vec![
        Panel::lines(
            22,
            "Silence of storefronts",
            "Time since a storefront's last lead, whichever process decided it. LeadstreamSilentStorefront compares it with the longest \
             silence of an earlier week.",
        )
        .unit("s")
        .query("time() - max by (storefront) (max_over_time(leadstream_last_lead_timestamp_seconds{our, front}[7d]))", "{{storefront}}"),
        Panel::bars(
            23,
            "What is odd about leads",
            "Flags set on leads in the shown time; a lead may have several. docs/codes.md tells each.",
        )
        .decimals(0)
        .query(format!("sort_desc(sum by (flag) (increase(leadstream_flags_total{{our}}{SPAN})) > 0.5)"), "{{flag}}"),
    ]
}

pub(super) fn board() -> Board {
    Board {
        uid: "leadstream-leads",
        title: "leadstream: Leads",
        tells: "For the business: leads, how many qualify and why others do not, who follows up and how fast.",
        span: "now-24h",
        refresh: "1m",
        by_storefront: true,
        rows: vec![
            ("The shown time", totals()),
            ("Funnel", funnel()),
            ("Qualification", rates()),
            ("Follow-up", follow_up()),
            ("Speed and score", speed_and_score()),
            ("Sources", sources()),
        ],
    }
}

//! The dashboard *Rules*, for who writes them: which rulesets decide, how they came to, and what those on trial would change.

use super::board::{Board, GRAIN, Panel, SPAN};

/// The qualification rate of each ruleset.
fn by_ruleset() -> String {
    let leads = format!("sum by (ruleset) (rate(leadstream_ruleset_leads_total{{our}}{GRAIN}))");
    let qualified = leads.replace("{our}", "{our, verdict=\"QUALIFIED\"}");
    let aside =
        format!("sum by (ruleset) (rate(leadstream_ruleset_unqualified_total{{our, reason=~\"test_lead|do_not_contact\"}}{GRAIN}))");
    format!("{qualified} / ({leads} - {aside} > 0)")
}

fn now() -> Vec<Panel> {
    let taken = format!("sum(increase(leadstream_ruleset_reloads_total{{our, result=\"ok\"}}{SPAN}))");
    vec![
        Panel::table(1, "Live ruleset", "The ruleset that decides, of each process: all should have the same hash.")
            .size(12, 5)
            .query("leadstream_ruleset_info{our}", "")
            .column("instance", "Instance", "")
            .column("name", "Name", "")
            .column("version", "Version", "")
            .column("hash", "Hash", ""),
        Panel::stat(2, "Taken", "Changed rulesets that processes took in the shown time, those on trial too.")
            .size(3, 5)
            .decimals(0)
            .query(taken, "taken"),
        Panel::stat(
            3,
            "Refused now",
            "Changed rulesets that processes refuse until they are mended: the old ones go on. /readyz says why.",
        )
        .size(3, 5)
        .decimals(0)
        .from(0.5, "red")
        .query("sum(leadstream_rulesets_refused{our})", "refused"),
        Panel::stat(4, "Canary", "Whether a canary has left its band and stopped, in any process; /status says why.")
            .size(3, 5)
            .word(0.0, "not stopped", "green")
            .word(1.0, "stopped", "red")
            .query("max(leadstream_canary_stopped{our})", "canary"),
        Panel::stat(
            5,
            "Rulesets that decide",
            "Different live rulesets among the processes: more than one only while a change is on its way.",
        )
        .size(3, 5)
        .decimals(0)
        .from(2.0, "orange")
        .query("count(count by (hash) (leadstream_ruleset_info{our}))", "rulesets"),
    ]
}

fn changes() -> Vec<Panel> {
    vec![
        Panel::stacked(6, "Versions", "Processes by the ruleset that decides in them.")
            .size(8, 8)
            .query("count by (name, version) (leadstream_ruleset_info{our})", "{{name}}/{{version}}"),
        Panel::stacked(7, "Leads by ruleset", "Leads decided, a second, by the ruleset that decided them: live, and canary.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (ruleset) (rate(leadstream_ruleset_leads_total{{our}}{GRAIN}))"), "{{ruleset}}"),
        Panel::lines(8, "Reloads", "Changed rulesets that were taken or refused, those on trial too.")
            .size(8, 8)
            .query(format!("sum by (result) (increase(leadstream_ruleset_reloads_total{{our}}{GRAIN}))"), "{{result}}"),
    ]
}

fn canary() -> Vec<Panel> {
    vec![
        Panel::lines(
            9,
            "Qualification rate by ruleset",
            "Qualified leads, of all but test leads and do-not-contact notices: the canary beside the live ruleset.",
        )
        .size(8, 8)
        .share()
        .query(by_ruleset(), "{{ruleset}}"),
        Panel::lines(10, "Reasons by ruleset", "Leads with this reason, of all leads that the ruleset decided.").size(8, 8).share().query(
            format!(
                "sum by (ruleset, reason) (rate(leadstream_ruleset_unqualified_total{{our}}{GRAIN})) / on (ruleset) group_left () \
                     (sum by (ruleset) (rate(leadstream_ruleset_leads_total{{our}}{GRAIN})) > 0) > 0"
            ),
            "{{ruleset}} {{reason}}",
        ),
        Panel::lines(11, "Share of the canary", "Share of leads that the canary decides; 0: there is none, or it is stopped.")
            .size(8, 8)
            .share()
            .query("max by (instance) (leadstream_canary_share{our})", "{{instance}}"),
    ]
}

fn shadows() -> Vec<Panel> {
    vec![
        Panel::lines(12, "Verdicts that candidates would change", "Of the leads that a candidate decided too, those with another verdict.")
            .share()
            .query(
                format!(
                    "sum by (candidate, from, to) (rate(leadstream_shadow_changes_total{{our}}{GRAIN})) / on (candidate) group_left () \
                     (sum by (candidate) (rate(leadstream_shadow_leads_total{{our}}{GRAIN})) > 0)"
                ),
                "{{candidate}} {{from}} to {{to}}",
            ),
        Panel::lines(13, "Follow-ups that candidates would change", "Routing events, a second, that would be added, removed or changed.")
            .unit("cps")
            .query(
                format!("sum by (candidate, destination, change) (rate(leadstream_shadow_route_changes_total{{our}}{GRAIN})) > 0"),
                "{{candidate}} {{destination}} {{change}}",
            ),
        Panel::lines(14, "Leads that candidates decided", "Leads, a second, that a candidate decided too.")
            .size(8, 8)
            .unit("cps")
            .query(format!("sum by (candidate) (rate(leadstream_shadow_leads_total{{our}}{GRAIN}))"), "{{candidate}}"),
        Panel::lines(
            15,
            "Share of leads shown to candidates",
            "Less than all where candidates would take more than rules.shadow_share of the time.",
        )
        .size(8, 8)
        .share()
        .query("min by (instance) (leadstream_shadow_sampled_share{our})", "{{instance}}"),
        Panel::lines(16, "What candidates cost", "Of the time to decide, what candidates took.").size(8, 8).share().query(
            format!(
                "sum(rate(leadstream_shadow_seconds_total{{our}}{GRAIN})) / (sum(rate(leadstream_decision_seconds_sum{{our}}{GRAIN})) > 0)"
            ),
            "candidates",
        ),
    ]
}

pub(super) fn board() -> Board {
    Board {
        uid: "leadstream-rules",
        title: "leadstream: Rules",
        tells: "For who writes rules: which rulesets decide, and what those on trial would change.",
        span: "now-6h",
        refresh: "30s",
        by_storefront: false,
        rows: vec![("Now", now()), ("Changes", changes()), ("Canary beside live", canary()), ("Shadows", shadows())],
    }
}

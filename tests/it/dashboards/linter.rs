//! The rules of Grafana's dashboard-linter as its source states them, by their names there, all of them errors as in its strict
//! mode, and without exclusions. The linter itself is no package that can be fetched here. Of its rules, the two for Loki have
//! nothing to look at as long as no query asks one, which is seen to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{items, panels, targets};
use crate::promql;

/// The units of Grafana that the dashboards use, all of which the linter knows.
const UNITS: [&str; 6] = ["short", "none", "percentunit", "s", "bytes", "cps"];

/// Everything that is wrong, each with its rule.
pub(super) fn problems(board: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut tell = |rule: &str, what: String| found.push(format!("{rule}: {what}"));
    if board["editable"] != false {
        tell("uneditable-dashboard", "editable is not false".to_owned());
    }
    templates(board, &mut tell);
    for panel in panels(board) {
        look_at_panel(panel, &mut tell);
        let title = panel["title"].as_str().unwrap_or_default();
        for query in targets(panel) {
            look_at_query(query, title, &mut tell);
        }
    }
    found
}

fn is_chosen_source(of: &Value) -> bool {
    of["datasource"]["uid"] == "${datasource}"
}

fn templates(board: &Value, tell: &mut impl FnMut(&str, String)) {
    let variables = items(&board["templating"], "list");
    let sources: Vec<_> = variables.iter().filter(|variable| variable["type"] == "datasource").collect();
    let source = sources.first().is_some_and(|source| source["name"] == "datasource" && source["label"] == "Data source");
    if !source || sources.len() != 1 || sources[0]["query"] != "prometheus" {
        tell("template-datasource-rule", format!("{sources:?}"));
    }
    for (name, label) in [("job", "Job"), ("instance", "Instance")] {
        let is_right = |variable: &&Value| {
            let form =
                variable["type"] == "query" && variable["multi"] == true && variable["allValue"] == ".+" && variable["label"] == label;
            variable["name"] == name && form && is_chosen_source(variable)
        };
        if variables.iter().filter(is_right).count() != 1 {
            tell(&format!("template-{name}-rule"), "it is missing, or not as it is to be".to_owned());
        }
    }
    for variable in variables.iter().filter(|variable| variable["type"] == "query") {
        let query = variable["query"]["query"].as_str().unwrap_or_default();
        let name = variable["name"].as_str().unwrap_or_default();
        let is_asked = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(&format!(", {name})")));
        if is_asked.is_none_or(|selector| promql::selectors(selector).len() != 1) {
            tell("template-label-promql-rule", format!("{name}: {query}"));
        }
        if variable["refresh"] != 2 {
            tell("template-on-time-change-reload-rule", name.to_owned());
        }
    }
}

fn look_at_panel(panel: &Value, tell: &mut impl FnMut(&str, String)) {
    let title = panel["title"].as_str().unwrap_or_default();
    let every = items(panel, "targets");
    if !is_chosen_source(panel) || !every.iter().all(is_chosen_source) {
        tell("panel-datasource-rule", title.to_owned());
    }
    if every.iter().any(|target| target["datasource"]["type"] != "prometheus") {
        tell("target-logql-rule", title.to_owned());
    }
    if title.is_empty() || panel["description"].as_str().is_none_or(str::is_empty) {
        tell("panel-title-description-rule", format!("{} {title}", panel["id"]));
    }
    let unit = &panel["fieldConfig"]["defaults"]["unit"];
    let overridden = items(&panel["fieldConfig"], "overrides").iter().flat_map(|found| items(found, "properties"));
    let units = overridden.filter(|property| property["id"] == "unit").map(|property| &property["value"]);
    if !std::iter::once(unit).chain(units).all(|unit| unit.as_str().is_some_and(|unit| UNITS.contains(&unit))) {
        tell("panel-units-rule", title.to_owned());
    }
    if every.is_empty() {
        tell("panel-no-targets-rule", title.to_owned());
    }
}

fn look_at_query(query: &str, title: &str, tell: &mut impl FnMut(&str, String)) {
    let at = |what: &str| format!("{title}: {what} in {query}");
    // That it can be parsed is shown where a Prometheus answers it.
    let mut open = Vec::new();
    for c in query.chars() {
        match c {
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}'
                if open.pop()
                    != Some(match c {
                        ')' => '(',
                        ']' => '[',
                        _ => '{',
                    }) =>
            {
                tell("target-promql-rule", at("brackets"));
            }
            _ => {}
        }
    }
    let selectors = promql::selectors(query);
    if !open.is_empty() || selectors.is_empty() {
        tell("target-promql-rule", at("brackets, or no selector"));
    }
    for name in ["job", "instance"] {
        let matchers = query.matches(&format!("{name}=~\"${name}\"")).count();
        if matchers != selectors.len() || !selectors.iter().all(|(_, labels)| labels.iter().any(|label| label == name)) {
            tell(&format!("target-{name}-rule"), at("a selector without it"));
        }
    }
    let windows = promql::windows(query);
    for (function, metric, window) in &windows {
        if ["rate", "irate"].contains(&function.as_str()) && window != "$__rate_interval" {
            tell("target-rate-interval-rule", at(metric));
        }
    }
    let counted: BTreeSet<_> = windows.iter().filter(|(function, ..)| ["rate", "irate", "increase"].contains(&function.as_str())).collect();
    for (name, _) in selectors.iter().filter(|(name, _)| name.ends_with("_total")) {
        let bare = query.matches(name.as_str()).count() != windows.iter().filter(|(_, metric, _)| metric == name).count();
        if bare || !counted.iter().any(|(_, metric, _)| metric == name) {
            tell("target-counter-agg-rule", at(name));
        }
    }
}

/// What one change to a board that is right makes the rules say.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut board = super::stream::board().json();
    change(&mut board);
    problems(&board).into_iter().map(|problem| problem.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn each_rule_finds_what_it_is_for() {
    let query = |text: &'static str| move |board: &mut Value| board["panels"][1]["targets"][0]["expr"] = text.into();
    let ours = "{job=~\"$job\", instance=~\"$instance\"}";
    assert_eq!(after(|_| ()), Vec::<String>::new());
    assert_eq!(after(|board| board["editable"] = true.into()), ["uneditable-dashboard"]);
    assert_eq!(after(|board| board["templating"]["list"][0]["label"] = "Source".into()), ["template-datasource-rule"]);
    assert_eq!(after(|board| board["templating"]["list"][1]["allValue"] = "".into()), ["template-job-rule"]);
    assert_eq!(after(|board| board["templating"]["list"][2]["multi"] = false.into()), ["template-instance-rule"]);
    let unknown = |board: &mut Value| board["templating"]["list"][1]["query"]["query"] = "values(leadstream_build_info, job)".into();
    assert_eq!(after(unknown), ["template-label-promql-rule"]);
    assert_eq!(after(|board| board["templating"]["list"][1]["refresh"] = 1.into()), ["template-on-time-change-reload-rule"]);
    assert_eq!(after(|board| board["panels"][1]["datasource"]["uid"] = "prometheus".into()), ["panel-datasource-rule"]);
    assert_eq!(after(|board| board["panels"][1]["targets"][0]["datasource"]["type"] = "loki".into()), ["target-logql-rule"]);
    assert_eq!(after(|board| board["panels"][1]["description"] = "".into()), ["panel-title-description-rule"]);
    assert_eq!(after(|board| board["panels"][1]["fieldConfig"]["defaults"]["unit"] = "leads".into()), ["panel-units-rule"]);
    assert_eq!(after(|board| board["panels"][1]["targets"] = Value::Array(Vec::new())), ["panel-no-targets-rule"]);
    assert_eq!(after(query("sum(leadstream_ready{job=~\"$job\", instance=~\"$instance\"}")), ["target-promql-rule"]);
    assert_eq!(after(query("leadstream_ready{instance=~\"$instance\"}")), ["target-job-rule"]);
    assert_eq!(after(query("leadstream_ready{job=~\"$job\"}")), ["target-instance-rule"]);
    assert_eq!(after(query("leadstream_ready{job=\"$job\", instance=~\"$instance\"}")), ["target-job-rule"]);
    let two = query("leadstream_ready{job=~\"$job\", instance=~\"$instance\"} - leadstream_ready{job=~\"$job\"}");
    assert_eq!(after(two), ["target-instance-rule"]);
    let unit = serde_json::json!([{ "matcher": {}, "properties": [{ "id": "unit", "value": "leads" }] }]);
    assert_eq!(after(|board| board["panels"][1]["fieldConfig"]["overrides"] = unit), ["panel-units-rule"]);
    let with = |text: String| after(move |board: &mut Value| board["panels"][1]["targets"][0]["expr"] = text.into());
    assert_eq!(with(format!("rate(leadstream_aborts_total{ours}[5m])")), ["target-rate-interval-rule"]);
    assert_eq!(with(format!("sum(leadstream_aborts_total{ours})")), ["target-counter-agg-rule"]);
    assert_eq!(with(format!("max_over_time(leadstream_aborts_total{ours}[1h])")), ["target-counter-agg-rule"]);
}

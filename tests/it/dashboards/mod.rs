//! The dashboards in `deploy/grafana/dashboards`: written by the code beside this, held to what Grafana's dashboard-linter asks,
//! and to the metrics that there are. With `LEADSTREAM_BLESS=1` the files are written anew. Whether each query finds something is
//! seen in `tests/kafka`.

mod board;
mod leads;
mod linter;
mod rules;
mod stream;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use leadstream::telemetry::names;
use serde_json::Value;

use super::promql;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/dashboards")
}

fn written() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([("leads.json", leads::board().json()), ("rules.json", rules::board().json()), ("stream.json", stream::board().json())])
}

/// The files, by name.
pub(crate) fn files() -> BTreeMap<String, Value> {
    let entries = fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("text");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        (name, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    entries.map(read).collect()
}

fn items<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

fn panels(board: &Value) -> impl Iterator<Item = &Value> {
    items(board, "panels").iter().filter(|panel| panel["type"] != "row")
}

/// The queries of a panel.
fn targets(panel: &Value) -> impl Iterator<Item = &str> {
    items(panel, "targets").iter().map(|target| target["expr"].as_str().expect("a query is text"))
}

/// Every query of a dashboard: of its panels, its variables and its annotations.
fn queries(board: &Value) -> Vec<String> {
    let variables = items(&board["templating"], "list").iter().filter(|variable| variable["type"] == "query");
    let others = variables.map(|variable| &variable["query"]["query"]);
    let others = others.chain(items(&board["annotations"], "list").iter().map(|annotation| &annotation["target"]["expr"]));
    let others = others.map(|query| query.as_str().expect("a query is text"));
    panels(board).flat_map(targets).chain(others).map(str::to_owned).collect()
}

/// Whether a link's path, `/d/UID?viewPanel=ID`, leads to a panel; its title.
pub(crate) fn panel_at(path: &str) -> Option<String> {
    let (uid, id) = path.strip_prefix("/d/")?.split_once("?viewPanel=")?;
    let id: u64 = id.parse().ok()?;
    let files = files();
    let board = files.values().find(|board| board["uid"] == uid)?;
    let panel = panels(board).find(|panel| panel["id"] == id)?;
    Some(panel["title"].as_str()?.to_owned())
}

#[test]
fn the_files_are_as_written_here() {
    for (name, board) in written() {
        let file = folder().join(name);
        let text = serde_json::to_string_pretty(&board).expect("JSON") + "\n";
        if std::env::var_os("LEADSTREAM_BLESS").is_some() {
            fs::write(&file, &text).expect("written");
        }
        assert!(fs::read_to_string(&file).unwrap_or_default() == text, "{name} is not as written here; LEADSTREAM_BLESS=1 writes it");
    }
    let names: Vec<_> = files().into_keys().collect();
    assert_eq!(names, ["leads.json", "rules.json", "stream.json"], "no other file is there");
}

#[test]
fn nothing_is_found_by_the_rules_of_grafanas_linter() {
    for (name, board) in files() {
        assert_eq!(linter::problems(&board), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_metric_and_label_in_a_dashboard_or_on_a_page_exists() {
    for (name, board) in files() {
        for query in queries(&board) {
            promql::check(&query, &BTreeSet::new(), &name);
        }
    }
    for path in ["docs/metrics.md", "docs/trying.md"] {
        let page = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).expect("text");
        let fenced: Vec<_> = page.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!fenced.is_empty(), "no queries in {path}");
        for query in fenced {
            promql::check(query, &BTreeSet::new(), path);
        }
    }
}

#[test]
fn every_metric_is_on_a_dashboard() {
    let shown =
        files().values().flat_map(queries).flat_map(|query| promql::selectors(&query)).map(|(name, _)| name).collect::<BTreeSet<_>>();
    let hidden = names::ALL.iter().filter(|metric| !metric.series().iter().any(|series| shown.contains(series))).map(|metric| metric.name);
    assert_eq!(hidden.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_qualification_rate_leaves_out_test_leads_and_do_not_contact_notices() {
    let files = files();
    let divided = files.values().flat_map(queries).filter(|query| query.contains("verdict=\"QUALIFIED\"") && query.contains(" / "));
    let rates: Vec<_> = divided.collect();
    assert!(rates.len() >= 5, "{rates:?}");
    for query in rates {
        // By ruleset there is no such count, so the reasons are taken off.
        let counted = query.contains("leadstream_qualifiable_leads_total");
        assert!(counted || query.contains("leadstream_ruleset_unqualified_total") && query.contains("test_lead|do_not_contact"), "{query}");
    }
}

#[test]
fn a_ratio_of_nothing_is_no_value() {
    let files = files();
    let divided: Vec<_> = files.values().flat_map(queries).filter(|query| query.contains(" / ")).collect();
    assert!(divided.len() > 10);
    for query in divided {
        assert!(query.contains("> 0"), "{query} divides by what may be 0");
    }
    for query in files.values().flat_map(queries).filter(|query| query.contains("histogram_quantile")) {
        assert!(query.ends_with("> -Inf") || query.ends_with(">= 0"), "{query} is NaN where nothing was observed");
    }
}

#[test]
fn dashboards_lie_on_a_grid_and_lead_to_one_another() {
    let mut addresses = BTreeSet::new();
    for (name, board) in files() {
        let uid = board["uid"].as_str().expect("a uid").to_owned();
        assert!(uid.len() <= 40 && addresses.insert(uid), "{name}");
        assert_eq!(board["links"][0]["tags"], board["tags"], "{name} leads to those with its tag");
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in items(&board, "panels") {
            let title = panel["title"].as_str().expect("a title");
            assert!(ids.insert(panel["id"].as_u64()), "{name}: two panels have the id of {title}");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
            assert!(x + w <= 24, "{name}: {title} is too wide");
            let cells = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
            cells.for_each(|cell| assert!(taken.insert(cell), "{name}: {title} lies on another panel"));
        }
        let bottom = taken.iter().map(|(_, y)| y + 1).max().expect("panels");
        assert_eq!(taken.len() as u64, bottom * 24, "{name} has holes");
    }
}

#[test]
fn an_address_leads_to_its_panel_or_nowhere() {
    assert_eq!(panel_at("/d/leadstream-stream?viewPanel=2").as_deref(), Some("Unaccounted"));
    assert_eq!(panel_at("/d/leadstream-stream?viewPanel=1000"), None, "a row is no panel");
    assert_eq!(panel_at("/d/other?viewPanel=2"), None);
}

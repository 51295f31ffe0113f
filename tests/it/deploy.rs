//! The files under `deploy/` and `docker-compose.yml`, held against the program: every metric, label, setting, path and port
//! they name is real. That a container engine runs them is not shown here.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use leadstream::{config, telemetry::names};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The dashboards, by file.
fn dashboards() -> Vec<(PathBuf, Value)> {
    let folder = fs::read_dir(root().join("deploy/grafana/dashboards")).expect("the folder");
    let mut found: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("readable");
            let board = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, board)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!found.is_empty(), "no dashboards");
    found
}

fn items<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

/// Every query of a dashboard: of its panels, and of its variables.
fn queries(board: &Value) -> Vec<String> {
    let of_panels = items(board, "panels").iter().flat_map(|panel| items(panel, "targets")).map(|target| &target["expr"]);
    let variables = items(&board["templating"], "list").iter().filter(|variable| variable["type"] == "query");
    let of_variables = variables.map(|variable| &variable["query"]["query"]);
    of_panels.chain(of_variables).map(|query| query.as_str().expect("a query is text").to_owned()).collect()
}

/// The `PromQL` of a page: what stands in its fenced blocks.
fn fenced(page: &str) -> Vec<String> {
    page.split("```promql\n").skip(1).filter_map(|rest| Some(rest.split("```").next()?.to_owned())).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Names of metrics in a query, each with the label names of its own braces.
fn selectors(query: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"') {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            // What stands in quotes is a value, not a name.
            rest = quoted.split_once('"').map_or("", |(_, after)| after);
            continue;
        }
        let (name, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        rest = after;
        if !name.starts_with("leadstream_") && !name.starts_with("process_") {
            continue;
        }
        let braces = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).map_or("", |(inner, _)| inner);
        let labels = braces.split(", ").filter(|matcher| !matcher.is_empty());
        let labels = labels.map(|matcher| matcher.split(|c| !is_word(c)).next().unwrap_or_default().to_owned());
        found.push((name.to_owned(), labels.collect()));
    }
    found
}

/// Label names in `by (..)`, `on (..)` and `group_left (..)`.
fn grouped_by(query: &str) -> Vec<String> {
    ["by (", "on (", "group_left ("]
        .iter()
        .flat_map(|word| query.split(word).skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .flat_map(|(labels, _)| labels.split(',').map(|label| label.trim().to_owned()).collect::<Vec<_>>())
        .collect()
}

/// Complains of every metric and label in `query` that the table of names does not have.
fn check(query: &str, place: &str) {
    let used = selectors(query);
    assert!(!used.is_empty(), "{place}: no metric of leadstream in {query}");
    let mut known: BTreeSet<&str> = ["job", "instance", "le"].into();
    for (name, labels) in &used {
        let metric = names::ALL.iter().find(|metric| metric.series().iter().any(|series| series == name));
        let metric = metric.unwrap_or_else(|| panic!("{place}: there is no series {name} (in {query})"));
        known.extend(metric.label_names());
        for label in labels {
            let has = metric.label_names().contains(&label.as_str()) || ["job", "instance"].contains(&label.as_str());
            assert!(has, "{place}: {name} has no label {label} (in {query})");
        }
    }
    for label in grouped_by(query) {
        assert!(known.contains(label.as_str()), "{place}: none of its metrics has a label {label} (in {query})");
    }
}

#[test]
fn every_metric_and_label_in_a_dashboard_or_on_the_page_exists() {
    for (path, board) in dashboards() {
        for query in queries(&board) {
            check(&query, &path.display().to_string());
        }
    }
    for path in ["docs/metrics.md", "docs/trying.md"] {
        let page = fenced(&read(path));
        assert!(!page.is_empty(), "no queries in {path}");
        for query in page {
            check(&query, path);
        }
    }
}

#[test]
fn every_metric_of_the_contract_is_on_a_dashboard_or_left_out_on_purpose() {
    let shown: BTreeSet<String> =
        dashboards().iter().flat_map(|(_, board)| queries(board)).flat_map(|query| selectors(&query)).map(|(name, _)| name).collect();
    let left_out: Vec<_> =
        names::ALL.iter().filter(|metric| !metric.series().iter().any(|series| shown.contains(series))).map(|metric| metric.name).collect();
    // Looked at when something is searched for, not watched; reloads come with the rules issue.
    let on_purpose = ["flags_total", "batch_records", "skipped_offsets_total", "ruleset_reloads_total", "registry_requests_total"];
    assert_eq!(left_out, on_purpose.map(|name| format!("leadstream_{name}")));
}

#[test]
fn the_qualification_rate_leaves_out_test_leads_and_do_not_contact_notices() {
    for (path, board) in dashboards() {
        let rates: Vec<_> = queries(&board).into_iter().filter(|query| query.contains("verdict=\"QUALIFIED\"")).collect();
        assert!(!rates.is_empty(), "{} shows no qualification rate", path.display());
        for query in rates {
            assert!(query.contains("reason=~\"test_lead|do_not_contact\""), "{}: {query}", path.display());
        }
    }
}

#[test]
fn every_panel_can_be_read_and_is_bound_to_no_one_data_source() {
    for (path, board) in dashboards() {
        let place = path.display();
        let mut ids = BTreeSet::new();
        for panel in items(&board, "panels") {
            let title = panel["title"].as_str().unwrap_or_default();
            assert!(!title.is_empty() && ids.insert(panel["id"].as_u64()), "{place}: a panel without title or id of its own");
            let area = &panel["gridPos"];
            assert!(area["x"].as_u64().zip(area["w"].as_u64()).is_some_and(|(x, w)| x + w <= 24), "{place}: {title} is too wide");
            if panel["type"] == "row" {
                continue;
            }
            assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}: {title} has no description");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{place}: {title} has no unit");
            for target in items(panel, "targets") {
                let query = target["expr"].as_str().unwrap_or_default();
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{place}: {title}");
                assert!(query.contains("job=~\"$job\", instance=~\"$instance\""), "{place}: {title} ignores the variables");
                let windows = query.matches('[').count();
                assert_eq!(windows, query.matches("[$__rate_interval]").count(), "{place}: {title} has a window of its own");
            }
        }
    }
}

/// `NAME: value` lines of the compose file, wherever they stand.
fn variables(compose: &str, prefix: &str) -> Vec<(String, String)> {
    let lines = compose.lines().filter_map(|line| line.trim().split_once(": "));
    lines.filter(|(name, _)| name.starts_with(prefix)).map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn every_setting_the_containers_are_given_is_one() {
    let compose = variables(&read("docker-compose.yml"), "LEADSTREAM__");
    assert!(!compose.is_empty(), "the compose file sets nothing");
    let (config, _) = config::load(None, compose.into_iter(), &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let everywhere: SocketAddr = ([0, 0, 0, 0], 9464).into();
    assert_eq!(config.http.listen, everywhere, "another container scrapes it");
    assert_eq!(config.kafka.brokers, "kafka:19092");

    let dockerfile = read("deploy/Dockerfile");
    let image = dockerfile.lines().filter_map(|line| line.strip_prefix("ENV LEADSTREAM__")?.split_once('='));
    let image: Vec<_> = image.map(|(name, value)| (format!("LEADSTREAM__{name}"), value.to_owned())).collect();
    assert!(!image.is_empty(), "the image sets nothing");
    let (config, _) = config::load(None, image.into_iter(), &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(config.http.listen, everywhere);
}

#[test]
fn ports_are_published_on_loopback_only_and_prometheus_scrapes_the_one_that_listens() {
    let compose = read("docker-compose.yml");
    let mut published = 0;
    for line in compose.lines().filter_map(|line| line.trim().strip_prefix("- \"")) {
        if line.split(':').count() > 1 && line.contains(|c: char| c.is_ascii_digit()) && !line.starts_with("no-new") {
            assert!(line.starts_with("127.0.0.1:"), "published beyond this machine: {line}");
            published += 1;
        }
    }
    assert_eq!(published, 4, "kafka, leadstream, prometheus, grafana");
    assert!(!compose.contains("network_mode") && !compose.contains("privileged: true"));
    assert!(read("deploy/prometheus/prometheus.yml").contains("\"leadstream:9464\""));
    assert!(read("deploy/Dockerfile").contains("EXPOSE 9464"));
}

#[test]
fn images_are_pinned_and_ours_does_not_run_as_root() {
    let (compose, dockerfile) = (read("docker-compose.yml"), read("deploy/Dockerfile"));
    let of_compose = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let of_build = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next());
    let images: Vec<_> = of_compose.chain(of_build).collect();
    assert!(images.len() >= 6, "{images:?}");
    for image in images {
        let tag = image.split_once(':').map(|(_, tag)| tag).unwrap_or_default();
        let pinned = tag.contains(|c: char| c.is_ascii_digit()) && tag.contains('.');
        assert!(pinned || image == "leadstream:local", "{image} is not pinned to a version");
    }
    let user = dockerfile.lines().rev().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let build = format!("rust:{}", env!("CARGO_PKG_RUST_VERSION"));
    assert!(dockerfile.contains(&build), "the image is built with the compiler Cargo.toml asks for: {build}");
    assert!(dockerfile.contains("HEALTHCHECK") && dockerfile.contains("/healthz"));
}

#[test]
fn every_file_that_is_mounted_or_built_from_is_there() {
    let compose = read("docker-compose.yml");
    let mounted: Vec<_> =
        compose.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next()).map(str::to_owned).collect();
    assert_eq!(mounted.len(), 3, "{mounted:?}");
    let built = compose.lines().filter_map(|line| line.trim().strip_prefix("dockerfile: ")).map(str::to_owned);
    let home = compose.lines().filter_map(|line| line.trim().split_once("DEFAULT_HOME_DASHBOARD_PATH: /var/lib/grafana/dashboards/"));
    let home: Vec<_> = home.map(|(_, file)| format!("deploy/grafana/dashboards/{file}")).collect();
    assert_eq!(home.len(), 1);
    for path in mounted.into_iter().chain(built).chain(home) {
        assert!(Path::exists(&root().join(&path)), "{path} is not there");
    }
    // What Grafana is told of must be where compose puts it.
    assert!(read("deploy/grafana/provisioning/dashboards/leadstream.yml").contains("path: /var/lib/grafana/dashboards"));
    assert!(read("deploy/grafana/provisioning/datasources/prometheus.yml").contains("url: http://prometheus:9090"));
    assert!(read("deploy/grafana/provisioning/datasources/prometheus.yml").contains("uid: prometheus"));
}

//! The files under `deploy/` and `docker-compose.yml`, held against the program: every setting, path and port they name is real.
//! That a container engine runs them is not shown here; dashboards and alerts have tests of their own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use leadstream::config;

use super::containers::unset;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `NAME: value` lines of the compose file, wherever they stand.
fn variables(compose: &str, prefix: &str) -> Vec<(String, String)> {
    let lines = compose.lines().filter_map(|line| line.trim().split_once(": "));
    let lines = lines.filter(|(name, _)| name.starts_with(prefix));
    lines.map(|(name, value)| (name.to_owned(), unset(value.trim_matches('"')).to_owned())).collect()
}

#[test]
fn every_setting_the_containers_are_given_is_one() {
    let compose = variables(&read("docker-compose.yml"), "LEADSTREAM__");
    assert!(!compose.is_empty(), "the compose file sets nothing");
    let (config, _) = config::load(None, compose.into_iter(), &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let everywhere: SocketAddr = ([0, 0, 0, 0], 9464).into();
    assert_eq!(config.http.listen, everywhere, "another container scrapes it");
    assert_eq!(config.kafka.brokers, "kafka:19092");
    assert_eq!(config.encoding.registry.url, "http://registry:8080/apis/ccompat/v7");

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
    assert_eq!(published, 5, "kafka, registry, leadstream, prometheus, grafana");
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
    assert!(images.len() >= 9, "{images:?}");
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

//! A real Prometheus (Debian's package) that scrapes processes of a test each second, with the rules of `deploy/prometheus`; and
//! what can be asked of it.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    broker::free_ports,
    service::{SOON, page_at},
    waiting::wait_for,
};

/// Ends Prometheus when the pipe closes that it reads from, however this process went.
const GUARD: &str = r#"trap '' INT TERM
    "$@" </dev/null & id=$!
    cat >/dev/null
    kill -9 $id"#;

/// One that runs, with its data in a folder of its own.
pub(crate) struct Prometheus {
    address: SocketAddr,
    guard: Child,
    orders: Option<ChildStdin>,
    folder: tempfile::TempDir,
}

/// One series of an answer: its labels, and its values in time, with the seconds since 1970 that they are of.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Value,
    pub(crate) values: Vec<f64>,
    #[allow(dead_code)] // benches/soak asks when
    pub(crate) times: Vec<f64>,
}

impl Prometheus {
    /// Scrapes these ports of this machine, under the job `leadstream`.
    pub(crate) fn scraping(ports: &[u16]) -> Self {
        let folder = tempfile::Builder::new().prefix("leadstream-prometheus-").tempdir().expect("a temporary folder");
        let targets: Vec<_> = ports.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules/*.yml");
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: [\"{}\"]\nscrape_configs:\n  \
             - job_name: leadstream\n    static_configs: [{{ targets: [{}] }}]\n",
            rules.display(),
            targets.join(", ")
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).expect("written");
        let [port] = free_ports();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh", "prometheus", "--log.level=warn"])
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("a shell is there");
        let orders = guard.stdin.take();
        let started = Self { address, guard, orders, folder };
        wait_for(
            "Prometheus is ready (Debian's package: .ci/packages test)",
            SOON,
            || started.log(),
            || page_at(address, "/-/ready", Duration::from_secs(2)).filter(|(code, _)| *code == 200),
        );
        started
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let written: Vec<_> = parameters.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
        let path = format!("/api/v1/{path}?{}", written.join("&"));
        let (code, body) = page_at(self.address, &path, Duration::from_secs(20)).unwrap_or_else(|| panic!("no answer: {}", self.log()));
        assert_eq!(code, 200, "{parameters:?}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["data"].clone()
    }

    /// What a query comes to now.
    pub(crate) fn query(&self, query: &str) -> Vec<Series> {
        series(&self.ask("query", &[("query", query)]))
    }

    /// The first value of a query now.
    pub(crate) fn value(&self, query: &str) -> Option<f64> {
        self.query(query).first().and_then(|series| series.values.first().copied())
    }

    /// What a query came to at each second of the last `seconds`.
    pub(crate) fn history(&self, query: &str, seconds: i64) -> Vec<Series> {
        let now = jiff::Timestamp::now().as_second();
        let (start, end) = ((now - seconds).to_string(), now.to_string());
        series(&self.ask("query_range", &[("query", query), ("start", &start), ("end", &end), ("step", "1")]))
    }

    /// The values that a label has in the series of a selector.
    pub(crate) fn label_values(&self, selector: &str, label: &str) -> usize {
        self.ask(&format!("label/{label}/values"), &[("match[]", selector)]).as_array().map_or(0, Vec::len)
    }

    /// Every rule it has loaded: recording rules and alerts.
    pub(crate) fn rules(&self) -> Vec<Value> {
        let groups = self.ask("rules", &[]);
        let groups = groups["groups"].as_array().expect("a list");
        groups.iter().flat_map(|group| group["rules"].as_array().expect("a list").clone()).collect()
    }
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

fn series(data: &Value) -> Vec<Series> {
    let number = |pair: &Value| pair[1].as_str().expect("a number is text").parse().expect("a number");
    let time = |pair: &Value| pair[0].as_f64().expect("a time");
    let of = |labels: &Value, pairs: &[Value]| Series {
        labels: labels.clone(),
        values: pairs.iter().map(number).collect(),
        times: pairs.iter().map(time).collect(),
    };
    if data["resultType"] == "scalar" {
        return vec![of(&Value::Null, std::slice::from_ref(&data["result"]))];
    }
    let found = data["result"].as_array().expect("a list");
    let pairs = |found: &Value| found["values"].as_array().cloned().unwrap_or_else(|| vec![found["value"].clone()]);
    found.iter().map(|found| of(&found["metric"], &pairs(found))).collect()
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.guard.wait();
    }
}

//! A real schema registry under the tests: Apicurio, started by `registry/registry.sh` (Java and Maven) and killed as a broker
//! is. It keeps its schemas in memory: one that was killed comes back
//! empty, and counts from 1 again.

use std::{
    io::Write as _,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Value, json};
use ureq::Agent;

use super::waiting::wait_for;

/// From nothing to an answer.
const START: Duration = Duration::from_secs(90);

/// A registry of ours; its guardian kills it when this process ends, however it ends.
pub(crate) struct Registry {
    port: u16,
    guardian: Child,
    orders: Option<ChildStdin>,
}

/// One for all tests that do it no harm; started when first asked for.
pub(crate) fn shared() -> &'static Registry {
    static SHARED: OnceLock<Registry> = OnceLock::new();
    SHARED.get_or_init(Registry::started)
}

impl Registry {
    /// One that runs and answers.
    pub(crate) fn started() -> Self {
        let mut registry = Self::prepared();
        registry.start();
        registry
    }

    /// One that has its address and does not run yet.
    pub(crate) fn prepared() -> Self {
        let fetched = script().arg("fetch").output().expect("a shell is there");
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
        let mut guardian = script()
            .args(["guard", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A SIGKILL of this process's whole group must not take the guardian along.
            .process_group(0)
            .spawn()
            .expect("a shell is there");
        let orders = guardian.stdin.take();
        Self { port, guardian, orders }
    }

    /// Base of its Confluent API.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port)
    }

    /// Starts it, empty, and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.order("start");
        wait_for("a registry that answers", START, String::new, || {
            matches!(ask("GET", &format!("{}/subjects", self.url()), None), Some((200, _))).then_some(())
        });
    }

    /// SIGKILL: what it knew is gone.
    pub(crate) fn kill(&mut self) {
        self.order("kill");
        wait_for("a registry that is gone", Duration::from_secs(10), String::new, || {
            ask("GET", &format!("{}/subjects", self.url()), None).is_none().then_some(())
        });
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().expect("open until dropped"), "{order}").expect("the guardian lives");
    }

    /// Status and body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        ask(method, &format!("{}{path}", self.url()), body).expect("the registry answers")
    }

    /// Registers a schema; its number.
    pub(crate) fn register(&self, subject: &str, schema: &str) -> u32 {
        let (status, answer) = self.ask("POST", &format!("/subjects/{subject}/versions"), Some(&json!({ "schema": schema })));
        assert_eq!(status, 200, "{answer}");
        u32::try_from(answer["id"].as_u64().expect("a number")).expect("small")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.orders = None;
        // The guardian ends when it has killed the registry; if it cannot be waited for, there is nothing left to do.
        let _ = self.guardian.wait();
    }
}

fn script() -> Command {
    let mut command = Command::new("sh");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/registry/registry.sh"));
    command
}

fn ask(method: &str, url: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(10))).build().into();
    let request = ureq::http::Request::builder().method(method).uri(url).header("content-type", "application/json");
    let sent = match body {
        Some(body) => agent.run(request.body(body.to_string()).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let mut response = sent.ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    Some((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

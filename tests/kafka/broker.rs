//! The broker under the tests: named by the environment, or started by `broker/broker.sh` (Java and Maven, else Docker). One
//! for the whole binary, and others that a test may kill and start again.

use std::{
    collections::hash_map::RandomState,
    env,
    fs::{self, File},
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use super::{clients, waiting::wait_for};

/// From nothing to an answer; a container's first start may be slow.
const START: Duration = Duration::from_secs(90);

/// A broker of ours. It runs under a guardian that reads from a pipe of this process: however this process ends, the pipe
/// closes, and the guardian kills the broker and removes its data.
pub(crate) struct Broker {
    address: String,
    data: PathBuf,
    guardian: Child,
    orders: Option<ChildStdin>,
}

/// The ports a broker was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) clients: u16,
    pub(crate) controller: u16,
}

/// What is special about a broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Lines of `server.properties`; they win over what all brokers of the tests have.
    pub(crate) properties: String,
    /// More arguments for the tool that formats the storage.
    pub(crate) format: Vec<String>,
}

/// Address of the broker all tests share; started when first asked for.
pub(crate) fn shared() -> &'static str {
    static NAMED: OnceLock<String> = OnceLock::new();
    static OURS: OnceLock<Broker> = OnceLock::new();
    match env::var("LEADSTREAM_TEST_BROKERS") {
        Ok(brokers) if !brokers.trim().is_empty() => NAMED.get_or_init(|| brokers.trim().to_owned()),
        _ => OURS.get_or_init(Broker::started).address(),
    }
}

impl Broker {
    /// One that runs and answers.
    pub(crate) fn started() -> Self {
        let mut broker = Self::prepared();
        broker.start();
        broker
    }

    /// One that has its address and does not run yet.
    pub(crate) fn prepared() -> Self {
        Self::with(|_| Settings::default())
    }

    /// One that does not run yet, with settings of its own, made from its ports.
    pub(crate) fn with(settings: impl FnOnce(Ports) -> Settings) -> Self {
        let fetched = script().arg("fetch").output().expect("a shell is there");
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        let [port, controller] = free_ports::<2>();
        // The guardian removes the folder, since it may outlive this process.
        let data = tempfile::Builder::new().prefix("leadstream-kafka-").tempdir().expect("a temporary folder").keep();
        let Settings { properties, format } = settings(Ports { clients: port, controller });
        fs::write(data.join("extra.properties"), properties).expect("written");
        fs::write(data.join("format.arguments"), format.iter().fold(String::new(), |text, line| text + line + "\n")).expect("written");
        let log = File::create(log_of(&data)).expect("a log file");
        let mut guardian = script()
            .args(["guard", &port.to_string(), &controller.to_string()])
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            // A SIGKILL of this process's whole group must not take the guardian along.
            .process_group(0)
            .spawn()
            .expect("a shell is there");
        let orders = guardian.stdin.take();
        Self { address: format!("127.0.0.1:{port}"), data, guardian, orders }
    }

    /// More lines of `server.properties`, before the first start.
    pub(crate) fn also(&self, properties: &str) {
        let mut file = File::options().append(true).open(self.data.join("extra.properties")).expect("there since it was made");
        file.write_all(properties.as_bytes()).expect("written");
    }

    /// `host:port`, the same before and after a restart.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Starts it, with the data it had, and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.begin();
        wait_for("a broker that answers", START, || self.log(), || clients::answers(&self.address).then_some(()));
    }

    /// Starts it and waits for nothing.
    pub(crate) fn begin(&mut self) {
        self.order("start");
    }

    /// What it has written about itself.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(log_of(&self.data)).unwrap_or_default()
    }

    /// SIGKILL: nothing is written down, nothing is said good-bye to.
    pub(crate) fn kill(&mut self) {
        self.order("kill");
        let silent = || !clients::accepts(&self.address);
        wait_for("a broker that is gone", Duration::from_secs(10), String::new, || silent().then_some(()));
    }

    /// SIGTERM: it leaves in good order.
    pub(crate) fn stop(&mut self) {
        self.order("stop");
        let silent = || !clients::accepts(&self.address);
        wait_for("a broker that has left", START, || self.log(), || silent().then_some(()));
    }

    /// SIGSTOP: it keeps its connections and answers nobody.
    pub(crate) fn pause(&mut self) {
        self.order("pause");
    }

    /// SIGCONT.
    pub(crate) fn resume(&mut self) {
        self.order("resume");
    }

    /// Copies its logs and what it has said into a new folder.
    pub(crate) fn keep_data(&self, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        let copied = Command::new("cp").arg("-r").arg(&self.data).arg(folder).status();
        assert!(copied.is_ok_and(|status| status.success()), "copying {} to {}", self.data.display(), folder.display());
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("open until dropped");
        writeln!(orders, "{order}").expect("the guardian lives");
    }

    /// The guardian's process id, and the folder it removes.
    pub(crate) fn traces(&self) -> (u32, PathBuf) {
        (self.guardian.id(), self.data.clone())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broker-{}", self.guardian.id()));
            self.keep_data(&folder);
            println!("the data of the broker at {}: {}", self.address, folder.display());
        }
        self.orders = None;
        // The guardian ends when it has killed the broker; if it cannot be waited for, there is nothing left to do.
        let _ = self.guardian.wait();
    }
}

/// Runs a Java file of the tests with Kafka's own clients; what it prints.
pub(crate) fn java(file: &str, arguments: &[&str]) -> Result<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let done = script().arg("java").arg(file).args(arguments).output().expect("a shell is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

fn script() -> Command {
    let mut command = Command::new("sh");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/broker/broker.sh"));
    command
}

fn log_of(data: &Path) -> PathBuf {
    data.join("broker.log")
}

/// Ports that were free a moment ago; all held until all are known, so they differ. None of those the system gives to outgoing
/// connections: another test would have it before the broker, which takes seconds to come up.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let random = || RandomState::new().build_hasher().finish();
    let held = [(); COUNT].map(|()| {
        loop {
            let port = 10_000 + u16::try_from(random() % 20_000).expect("small");
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
                break listener;
            }
        }
    });
    held.map(|listener| listener.local_addr().expect("bound").port())
}

//! The built program as a process: a scene of topics, group and configuration file for each test, `leadstream run` in it,
//! and what a person could ask of it: its HTTP pages, its lines, its exit code.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    clients::{self, Group, Kept, Raw},
    waiting::{let_pass, wait_for, wait_until},
};

/// For what a slow machine does in a few seconds.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// What one test has to itself.
pub(crate) struct Scene {
    pub(crate) brokers: String,
    pub(crate) raw: String,
    pub(crate) qualified: String,
    pub(crate) unqualified: String,
    pub(crate) routing: String,
    pub(crate) dead_letter: String,
    pub(crate) ledger: String,
    pub(crate) group: String,
    folder: tempfile::TempDir,
}

impl Scene {
    /// Names and a configuration file; no topic exists yet.
    pub(crate) fn named(test: &str, brokers: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // A broker named by the environment may remember an earlier run.
        let name = format!("{test}-{}-{number}-{}", std::process::id(), now_millis());
        let folder = tempfile::Builder::new().prefix("leadstream-test-").tempdir().expect("a temporary folder");
        let scene = Self {
            brokers: brokers.to_owned(),
            raw: format!("{name}.raw"),
            qualified: format!("{name}.qualified"),
            unqualified: format!("{name}.unqualified"),
            routing: format!("{name}.routing"),
            dead_letter: format!("{name}.dead-letter"),
            ledger: format!("{name}.ledger"),
            group: name,
            folder,
        };
        fs::write(scene.config_file(), scene.config(brokers)).expect("written");
        scene
    }

    /// Input of so many partitions, outputs of three each.
    pub(crate) fn with_topics(test: &str, brokers: &str, partitions: i32) -> Self {
        let scene = Self::named(test, brokers);
        scene.create_topics(partitions, &[]);
        scene
    }

    /// The topics; `routing` with settings of its own.
    pub(crate) fn create_topics(&self, partitions: i32, routing: &[(&str, &str)]) {
        let large: &[(&str, &str)] = &[("max.message.bytes", "12000000")];
        let outputs = [&self.qualified, &self.unqualified, &self.dead_letter];
        let mut topics: Vec<clients::Topic<'_>> = outputs.iter().map(|name| (name.as_str(), 3, large)).collect();
        topics.push((&self.raw, partitions, large));
        topics.push((&self.ledger, 2, &[]));
        topics.push((&self.routing, 3, routing));
        clients::create_topics(&self.brokers, &topics);
    }

    /// Where what records lead to goes: all that is written but the ledger.
    pub(crate) fn outputs(&self) -> [&str; 4] {
        [&self.qualified, &self.unqualified, &self.routing, &self.dead_letter]
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("leadstream.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From now on the program reaches the brokers by these addresses; the test itself goes on as before.
    pub(crate) fn by_way_of(&self, brokers: &str) {
        fs::write(self.config_file(), self.config(brokers)).expect("written");
    }

    fn config(&self, brokers: &str) -> String {
        let Self { group, raw, qualified, unqualified, routing, dead_letter, ledger, .. } = self;
        format!(
            "[kafka]\nbrokers = \"{brokers}\"\ngroup = \"{group}\"\n[topics]\nraw = [\"{raw}\"]\nqualified = \"{qualified}\"\n\
             unqualified = \"{unqualified}\"\nrouting = \"{routing}\"\ndead_letter = \"{dead_letter}\"\nledger = \"{ledger}\"\n[run]\nlanes = 2\n\
             [http]\nlisten = \"127.0.0.1:0\"\n"
        )
    }

    pub(crate) fn write(&self, records: &[Raw]) -> Vec<i64> {
        clients::write(&self.brokers, &self.raw, records)
    }

    pub(crate) fn read(&self, topic: &str) -> Vec<Kept> {
        clients::read_committed(&self.brokers, topic)
    }

    pub(crate) fn progress(&self) -> Group {
        Group::of(&self.brokers, &self.group, &self.raw)
    }

    /// Waits until the group has committed so many records: for as long as it takes on a busy machine, while more and more are.
    pub(crate) fn wait_done(&self, records: usize, service: &Service) {
        let group = self.progress();
        let goal = i64::try_from(records).expect("a count");
        let state = || format!("committed: {:?}\nlines of the process:\n{}", group.committed(), service.lines());
        let mut done = group.done();
        while done < goal {
            done = wait_for(&format!("{records} records are committed, and after {done} one more"), 2 * SOON, state, || {
                service.assert_runs();
                Some(group.done()).filter(|now| *now > done)
            });
        }
        assert_eq!(group.done(), goal, "more is committed than was written");
    }

    /// `leadstream ARGUMENTS` with this scene's configuration, to its end.
    pub(crate) fn call(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("the program starts")
    }

    /// `leadstream run` with this scene's configuration.
    pub(crate) fn run(&self, more: &[&str]) -> Service {
        let arguments: Vec<_> = ["run"].iter().chain(more).copied().collect();
        Service::start(self.command(&arguments))
    }

    /// `leadstream ARGUMENTS` with this scene's configuration, running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Service {
        Service::start(self.command(arguments))
    }

    /// As [`Scene::run`], with a switch of `src/kafka/sabotage.rs`: what the tests demand is broken on purpose.
    pub(crate) fn run_sabotaged(&self, switch: &str, more: &[&str]) -> Service {
        let arguments: Vec<_> = ["run"].iter().chain(more).copied().collect();
        let mut command = self.command(&arguments);
        command.env("LEADSTREAM_SABOTAGE", switch);
        Service::start(command)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
        command.args(arguments).arg("--config").arg(self.config_file()).env("NO_COLOR", "1");
        command
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A running `leadstream run`.
pub(crate) struct Service {
    child: Child,
    lines: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    address: OnceLock<SocketAddr>,
    ended: Option<ExitStatus>,
}

impl Service {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        last_rites::watch(child.id());
        let lines = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let kept = Arc::clone(&lines);
        let read = move || {
            for line in stderr.split(b'\n').map_while(Result::ok) {
                let mut kept = kept.lock().expect("not poisoned");
                kept.push_str(&String::from_utf8_lossy(&line));
                kept.push('\n');
            }
        };
        Self { child, lines, reader: Some(thread::spawn(read)), address: OnceLock::new(), ended: None }
    }

    /// What it has written to standard error.
    pub(crate) fn lines(&self) -> String {
        self.lines.lock().expect("not poisoned").clone()
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its lines, for who looks at them while somebody else holds the process.
    pub(crate) fn shared_lines(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.lines)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Panics with its last words when it has ended: nobody waits in vain for what a dead process was to do.
    pub(crate) fn assert_runs(&self) {
        assert!(!self.has_ended(), "the process has ended:\n{}", self.lines());
    }

    /// Where it told that it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let told = || address_in(&self.lines());
        *self.address.get_or_init(|| wait_for("the line that tells the HTTP address", SOON, || self.lines(), told))
    }

    /// A page's status and text; none while nobody answers.
    pub(crate) fn try_page(&self, path: &str) -> Option<(u16, String)> {
        self.assert_runs();
        page_at(self.address(), path, Duration::from_secs(5))
    }

    /// The text of a page that is there and well.
    pub(crate) fn page(&self, path: &str) -> String {
        let (status, body) = self.try_page(path).unwrap_or_else(|| panic!("{path} does not answer\n{}", self.lines()));
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.page("/status")).expect("JSON")
    }

    /// A metric's value, all its series together; none: there is no such series.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let page = self.page("/metrics");
        let values = page.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with('{') || rest.starts_with(' ')).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.try_page("/readyz").is_some_and(|(status, _)| status == 200)
    }

    pub(crate) fn wait_ready(&self) {
        wait_for(
            "/readyz says 200",
            SOON,
            || format!("{:?}\n{}", self.try_page("/readyz"), self.lines()),
            || self.is_ready().then_some(()),
        );
    }

    /// Partitions each of its lanes holds, by `/status`.
    pub(crate) fn shares(&self) -> Vec<usize> {
        let status = self.status();
        let lanes = status["lanes"].as_array().expect("lanes");
        lanes.iter().map(|lane| lane["partitions"].as_array().map_or(0, Vec::len)).collect()
    }

    /// Partitions its lanes hold together, by `/status`.
    pub(crate) fn partitions(&self) -> usize {
        self.shares().iter().sum()
    }

    /// The memory it has now, and the most it ever had, in KiB, as the kernel counts (`VmRSS`, `VmHWM`).
    pub(crate) fn memory(&self) -> (usize, usize) {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.lines()));
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
            line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number")
        };
        (kib("VmRSS"), kib("VmHWM"))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.reap();
    }

    /// SIGTERM, once it listens for it: a process that has just been started is ended by it like any other.
    pub(crate) fn terminate(&self) {
        wait_for("it listens for SIGTERM", SOON, || self.lines(), || (self.catches_sigterm() || self.has_ended()).then_some(()));
        self.signal("TERM");
    }

    /// Whether SIGTERM is among the signals it catches, as the kernel tells (`SigCgt`, a bit a signal).
    fn catches_sigterm(&self) -> bool {
        const SIGTERM: u32 = 15;
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.map(|mask| u64::from_str_radix(mask.trim(), 16).expect("a mask"));
        caught.is_some_and(|mask| mask & (1 << (SIGTERM - 1)) != 0)
    }

    /// SIGHUP: it reads its rules again.
    pub(crate) fn hang_up(&self) {
        self.signal("HUP");
    }

    /// SIGSTOP: it hangs, and its connections stay.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let told = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().expect("kill is there");
        assert!(told.success(), "kill -{name}");
    }

    /// Its exit code, when it ends within the time.
    pub(crate) fn exit_within(&mut self, time: Duration) -> i32 {
        let started = Instant::now();
        wait_until_ended(self, time);
        let status = self.reap();
        let lines = self.lines();
        status.code().unwrap_or_else(|| panic!("ended by a signal after {:?}: {status}\n{lines}", started.elapsed()))
    }

    /// How it ended, when it has within the time.
    pub(crate) fn try_exit_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        while self.child.try_wait().expect("it is ours").is_none() {
            if Instant::now() > deadline {
                return None;
            }
            let_pass(Duration::from_millis(20));
        }
        Some(self.reap())
    }

    fn reap(&mut self) -> ExitStatus {
        if let Some(status) = self.ended {
            return status;
        }
        let status = self.child.wait().expect("it is ours");
        last_rites::forget(self.child.id());
        self.ended = Some(status);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("lines are read");
        }
        status
    }
}

/// Where a process listens, by its own lines.
pub(crate) fn address_in(lines: &str) -> Option<SocketAddr> {
    let line = lines.lines().find(|line| line.contains("http listening"))?;
    // As text or as JSON: addr=HOST:PORT, "addr":"HOST:PORT".
    let told = line.split("addr").nth(1)?.trim_start_matches(['"', '=', ':']);
    told.split(['"', ' ']).next()?.parse().ok()
}

/// A page's status and text, asked of an address; none while nobody answers within the time.
pub(crate) fn page_at(address: SocketAddr, path: &str, within: Duration) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(within)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split_whitespace().nth(1)?.parse().ok()?, body.to_owned()))
}

fn wait_until_ended(service: &mut Service, time: Duration) {
    let lines = Arc::clone(&service.lines);
    let state = move || lines.lock().expect("not poisoned").clone();
    wait_for("the process ends", time, state, || service.child.try_wait().expect("it is ours").map(|_| ()));
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // It may have ended by itself a moment ago.
            let _ = self.child.kill();
            self.reap();
        }
    }
}

/// Waits until these processes together hold all partitions, each of them some.
pub(crate) fn wait_shared(services: &[&Service], partitions: usize) {
    wait_until("the partitions are shared", SOON, || {
        let held: Vec<_> = services.iter().map(|service| service.partitions()).collect();
        held.iter().sum::<usize>() == partitions && !held.contains(&0)
    });
}

/// Kills what is still running when this process is gone, however it went: a shell that reads process ids from a pipe of
/// this process, and ends them when the pipe closes.
mod last_rites {
    use std::{
        io::Write as _,
        os::unix::process::CommandExt as _,
        process::{ChildStdin, Command, Stdio},
        sync::{Mutex, OnceLock},
    };

    const SCRIPT: &str = r#"trap '' INT TERM
        running=" "
        while read -r order id; do
            case $order in
            watch) running="$running$id " ;;
            forget) running="${running%% $id *} ${running#* $id }" ;;
            esac
        done
        for id in $running; do kill -9 "$id" 2>/dev/null; done"#;

    fn tell(order: &str, id: u32) {
        static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
        let pipe = PIPE.get_or_init(|| {
            let mut shell = Command::new("sh");
            shell.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
            // Not waited for: it is to live longer than this process.
            #[allow(clippy::zombie_processes)]
            let mut shell = shell.spawn().expect("a shell is there");
            Mutex::new(shell.stdin.take().expect("piped"))
        });
        writeln!(pipe.lock().expect("not poisoned"), "{order} {id}").expect("the shell lives");
    }

    pub(super) fn watch(id: u32) {
        tell("watch", id);
    }

    pub(super) fn forget(id: u32) {
        tell("forget", id);
    }
}

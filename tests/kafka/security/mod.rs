//! leadstream on a broker that asks who it is: TLS, passwords and certificates, and an authorizer that lets nobody do what no ACL
//! allows. One broker with a door of each kind; plain clients of the tests come by a door of their own and may do everything.

mod certificates;
mod credentials;
mod deployed;
mod rights;
mod secrets;

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    broker::{Broker, Settings, free_ports},
    clients,
    service::{SOON, Scene},
    tls_registry::Papers,
    waiting::wait_until,
};

/// A broker with doors, and who guards them.
pub(super) struct Fortress {
    broker: Broker,
    folder: tempfile::TempDir,
    pub(super) authority: Papers,
    /// Passwords, over TLS.
    pub(super) passwords: u16,
    /// Certificates of clients.
    pub(super) certificates: u16,
    /// The broker's own certificate is too old.
    pub(super) expired: u16,
    /// The broker's own certificate is for another host.
    pub(super) elsewhere: u16,
    guard: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _guard: Child,
}

/// What `PLAIN` users are called and have for a password; broker and clients are told it in advance.
pub(super) const PLAIN_USER: [&str; 2] = ["plain-user", "plain-password"];

/// The one that all tests of this folder share.
pub(super) fn fortress() -> &'static Fortress {
    static ONLY: OnceLock<Fortress> = OnceLock::new();
    ONLY.get_or_init(Fortress::built)
}

impl Fortress {
    fn built() -> Self {
        let folder = tempfile::Builder::new().prefix("leadstream-security-").tempdir().expect("a temporary folder");
        let authority = Papers::authority("fortress");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            path.display().to_string()
        };
        let ca = file("ca.pem", authority.pem());
        let keys = |name: &str, papers: &Papers| file(name, papers.key() + &papers.pem());
        let good = keys("good.pem", &authority.server("127.0.0.1"));
        let expired_keys = keys("expired.pem", &authority.expired_server("127.0.0.1"));
        let elsewhere_keys = keys("elsewhere.pem", &authority.server("kafka.adatum.example"));
        let [passwords, certificates, expired, elsewhere] = free_ports::<4>();
        let mut broker = Broker::with(|ports| {
            let doors = [("PASSWORDS", passwords), ("CERTIFICATES", certificates), ("EXPIRED", expired), ("ELSEWHERE", elsewhere)];
            let listeners: String = doors.iter().fold(String::new(), |mut all, (name, port)| {
                let _ = write!(all, ",{name}://127.0.0.1:{port}");
                all
            });
            let clients = ports.clients;
            let [user, password] = PLAIN_USER;
            let properties = format!(
                "listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{}{listeners}\n\
                 advertised.listeners=PLAINTEXT://127.0.0.1:{clients}{listeners}\n\
                 listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORDS:SASL_SSL,CERTIFICATES:SSL,\
                 EXPIRED:SASL_SSL,ELSEWHERE:SASL_SSL\n\
                 authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nsuper.users=User:ANONYMOUS\n\
                 ssl.keystore.type=PEM\nssl.truststore.type=PEM\nssl.truststore.location={ca}\nssl.keystore.location={good}\n\
                 listener.name.expired.ssl.keystore.location={expired_keys}\n\
                 listener.name.elsewhere.ssl.keystore.location={elsewhere_keys}\n\
                 listener.name.certificates.ssl.client.auth=required\n\
                 sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512\n",
                ports.controller
            );
            let modules = "org.apache.kafka.common.security";
            let logins = ["passwords", "expired", "elsewhere"].map(|door| {
                format!(
                    "listener.name.{door}.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{user}=\"{password}\";\n\
                     listener.name.{door}.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;\n"
                )
            });
            let format = ["--add-scram", "SCRAM-SHA-512=[name=first,password=first-password]"].map(str::to_owned).to_vec();
            Settings { properties: properties + &logins.concat(), format }
        });
        broker.start();
        let mut guard = Command::new("sh")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/python.sh"))
            .args(["run", "guard.py", broker.address()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell is there");
        let (orders, answers) = (guard.stdin.take().expect("piped"), BufReader::new(guard.stdout.take().expect("piped")));
        let guard_talk = Mutex::new((orders, answers));
        Self { broker, folder, authority, passwords, certificates, expired, elsewhere, guard: guard_talk, _guard: guard }
    }

    /// Where plain clients come in, who may do everything.
    pub(super) fn open(&self) -> &str {
        self.broker.address()
    }

    /// A file of its own, for this text.
    pub(super) fn file(&self, text: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = self.folder.path().join(format!("{}.pem", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn order(&self, order: &serde_json::Value) {
        let mut guard = self.guard.lock().expect("not poisoned");
        writeln!(guard.0, "{order}").expect("the guard lives");
        let mut answer = String::new();
        guard.1.read_line(&mut answer).expect("the guard answers");
        assert_eq!(answer, "done\n", "{order}");
    }

    pub(super) fn grant(&self, principal: &str, acls: &[String]) {
        self.order(&serde_json::json!({ "do": "grant", "principal": principal, "acls": acls }));
    }

    pub(super) fn revoke(&self, principal: &str, acls: &[String]) {
        self.order(&serde_json::json!({ "do": "revoke", "principal": principal, "acls": acls }));
    }

    /// Lets a user in by this password from now on, by SCRAM.
    pub(super) fn password(&self, user: &str, password: &str) {
        self.order(&serde_json::json!({ "user": user, "password": password }));
    }

    /// Waits until the broker has heard of the password.
    pub(super) fn wait_known(&self, user: &str, password: &str) {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let properties = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", user),
            ("sasl.password", password),
            ("ssl.ca.location", ca.as_str()),
        ];
        wait_until("the password is known", SOON, || clients::lets_in(&format!("127.0.0.1:{}", self.passwords), &properties));
    }

    /// Settings of a client that comes by the door at `port` with a user's name and password.
    pub(super) fn by_password(&self, port: u16, mechanism: &str, user: &str, password: &str) -> Vec<String> {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let client = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", mechanism),
            ("sasl.username", user),
            ("sasl.password", password),
            ("ssl.ca.location", &ca),
        ];
        sets(port, &client)
    }

    /// The same with a certificate and its key.
    pub(super) fn by_certificate(&self, certificate: &str, key: &str, more: &[(&str, &str)]) -> Vec<String> {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let client =
            [("security.protocol", "SSL"), ("ssl.certificate.location", certificate), ("ssl.key.location", key), ("ssl.ca.location", &ca)];
        sets(self.certificates, &[&client, more].concat())
    }
}

/// Arguments that set these properties of the client, and where it goes.
pub(super) fn sets(port: u16, client: &[(&str, &str)]) -> Vec<String> {
    let brokers = format!("kafka.brokers=127.0.0.1:{port}");
    let properties = client.iter().map(|(name, value)| format!("kafka.client.{name}={value}"));
    [brokers].into_iter().chain(properties).flat_map(|set| ["--set".to_owned(), set]).collect()
}

/// As arguments are taken.
pub(super) fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// The ACLs that `deploy/kafka/acls.sh` prints for this scene's `run`.
pub(super) fn acls(scene: &Scene) -> Vec<String> {
    acls_of(scene, "run")
}

/// Those that it prints for another command.
pub(super) fn acls_of(scene: &Scene, what: &str) -> Vec<String> {
    let output = Command::new("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kafka/acls.sh"))
        .args(["print", what])
        .envs([
            ("GROUP", &scene.group),
            ("RAW", &scene.raw),
            ("QUALIFIED", &scene.qualified),
            ("UNQUALIFIED", &scene.unqualified),
            ("ROUTING", &scene.routing),
            ("DEAD_LETTER", &scene.dead_letter),
            ("LEDGER", &scene.ledger),
        ])
        .output()
        .expect("a shell is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

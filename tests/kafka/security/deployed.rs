//! What the pods of `deploy/kubernetes` are given, run as they run it: the configuration and the rules as they stand, secrets as
//! files, the name and the broker's authority in the environment, TLS, a password, and exactly the rights of the script. Only where
//! the broker is, and how this test calls its topics, is said on top.

use std::{fs, path::Path, process::Command};

use super::{
    super::service::{SOON, Scene, Service},
    acls, fortress,
    rights::{assert_exactly_once, write},
};

#[test]
fn the_pods_configuration_decides_leads_over_tls_with_exactly_the_scripts_rights() {
    let fortress = fortress();
    let scene = Scene::named("deployed", fortress.open());
    scene.create_topics(2, &[]);
    // The user that leadstream.toml names.
    fortress.password("leadstream", "made-up-password");
    fortress.wait_known("leadstream", "made-up-password");
    fortress.grant("User:leadstream", &acls(&scene));

    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes/base");
    let pod = tempfile::tempdir().expect("a folder");
    for (from, to) in [
        ("leadstream.toml", "config/leadstream.toml"),
        ("rules/ruleset.toml", "rules/ruleset.toml"),
        ("rules/ruleset.test.toml", "rules/ruleset.test.toml"),
    ] {
        let to = pod.path().join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::copy(base.join(from), to).expect("copied");
    }
    fs::create_dir(pod.path().join("secrets")).expect("made");
    fs::write(pod.path().join("secrets/kafka-password"), "made-up-password\n").expect("written");
    fs::write(pod.path().join("secrets/identity-key"), "made-up-key-of-a-test\n").expect("written");

    let expected = write(&scene, 0..200);
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.arg("run").arg("--config").arg(pod.path().join("config/leadstream.toml"));
    let brokers = format!("127.0.0.1:{}", fortress.passwords);
    for (name, value) in [
        ("KAFKA__INSTANCE", "leadstream-0"),
        ("KAFKA__CLIENT__SSL_CA_LOCATION", &fortress.file(&fortress.authority.pem())),
        ("KAFKA__BROKERS", &brokers),
        ("KAFKA__GROUP", &scene.group),
        ("TOPICS__RAW", &scene.raw),
        ("TOPICS__QUALIFIED", &scene.qualified),
        ("TOPICS__UNQUALIFIED", &scene.unqualified),
        ("TOPICS__ROUTING", &scene.routing),
        ("TOPICS__DEAD_LETTER", &scene.dead_letter),
        ("TOPICS__LEDGER", &scene.ledger),
        ("HTTP__LISTEN", "127.0.0.1:0"),
    ] {
        command.env(format!("LEADSTREAM__{name}"), value);
    }
    let mut service = Service::start(command);
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
    // The probes, and what the monitor scrapes.
    service.wait_ready();
    for path in ["/healthz", "/metrics"] {
        service.page(path);
    }
    let status = service.status();
    assert_eq!(status["ruleset"]["name"], "production", "{status}");
    assert!(!service.lines().contains("WARN") && !service.lines().contains("made-up-password"), "{}", service.lines());
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
}

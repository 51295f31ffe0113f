//! Planted secrets and planted people: looked for in all that the program says, at its most talkative, in both forms of the log,
//! when all goes well and when nothing does.

use std::thread;

use super::{
    super::{
        leads::PRIVATE,
        service::{SOON, Scene, Service},
        waiting::wait_for,
    },
    PLAIN_USER, acls, fortress,
    rights::{stage, write},
    words,
};

/// As loud as it gets, librdkafka included.
const LOUD: [&str; 4] = ["--set", "log.level=trace", "--set", "kafka.client.debug=all"];
const REGISTRY: [&str; 3] = ["planted-registry-user", "planted-registry-password", "planted-registry-token"];
const IDENTITY: &str = "planted-identity-key";

fn registry(by_token: bool) -> Vec<String> {
    let who = if by_token {
        vec![format!("registry_token={}", REGISTRY[2])]
    } else {
        vec![format!("registry_user={}", REGISTRY[0]), format!("registry_password={}", REGISTRY[1])]
    };
    let all = who.into_iter().chain(["registry=http://127.0.0.1:1".to_owned()]).map(|set| format!("encoding.{set}"));
    all.chain([format!("identity.key={IDENTITY}")]).flat_map(|set| ["--set".to_owned(), set]).collect()
}

#[track_caller]
fn assert_tells_nothing(what: &str, text: &str, secrets: &[&str]) {
    assert!(!text.is_empty(), "{what} says nothing at all");
    let all = secrets.iter().chain(&PRIVATE).chain(&REGISTRY).chain([&IDENTITY]);
    let told: Vec<_> = all.filter(|secret| text.contains(**secret)).collect();
    let lines: Vec<_> = text.lines().filter(|line| told.iter().any(|secret| line.contains(**secret))).collect();
    assert!(told.is_empty(), "{what} tells {told:?}:\n{}", lines.join("\n"));
}

fn assert_pages_tell_nothing(service: &Service, secrets: &[&str]) {
    for path in ["/", "/metrics", "/status", "/healthz", "/readyz", "/nothing"] {
        let (_, page) = service.try_page(path).unwrap_or_else(|| panic!("{path} does not answer"));
        assert_tells_nothing(path, &page, secrets);
    }
}

/// All commands that ask a broker or a registry, in both forms where there are two.
fn assert_commands_tell_nothing(scene: &Scene, arguments: &[String], secrets: &[&str]) {
    let verbs: [&[&str]; 7] = [
        &["doctor"],
        &["doctor", "--json"],
        &["check"],
        &["check", "--json"],
        &["topics", "check"],
        &["schemas", "check"],
        &["run", "--once", "--wait", "1s"],
    ];
    let call = |verb: &[&str]| {
        let arguments: Vec<_> = verb.iter().copied().chain(words(arguments)).collect();
        let output = scene.call(&arguments);
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_tells_nothing(&format!("{verb:?}"), &told, secrets);
    };
    thread::scope(|scope| {
        for verb in verbs {
            scope.spawn(move || call(verb));
        }
    });
}

#[test]
fn passwords_and_people_are_told_nowhere() {
    let (fortress, scene, principal, _) = stage("secrets");
    fortress.grant(&principal, &acls(&scene));
    let user = principal.trim_start_matches("User:");
    let (right, wrong) = ("planted-right-password", "planted-wrong-password");
    fortress.password(user, right);
    fortress.wait_known(user, right);
    let expected = write(&scene, 0..200);
    // Who keeps the name elsewhere does not want it told either.
    let name = format!("{{ file = \"{}\" }}", fortress.file(user));
    let secrets = [right, wrong, PLAIN_USER[1], "user-of-"];
    let arguments = |password, by_token| {
        let by_password = fortress.by_password(fortress.passwords, "SCRAM-SHA-512", &name, password);
        [by_password, registry(by_token)].concat()
    };
    let run = |password, format| {
        let loud = [&LOUD[..], &["--log-format", format]].concat();
        scene.run(&[&words(&arguments(password, format == "json"))[..], &loud].concat())
    };
    let mut good = ["text", "json"].map(|format| run(right, format));
    let bad = ["text", "json"].map(|format| run(wrong, format));
    scene.wait_done(expected.len(), &good[0]);
    for service in &mut good {
        wait_for("the registry is missed", SOON, || service.lines(), || service.lines().contains("registry does not answer").then_some(()));
        assert_pages_tell_nothing(service, &secrets);
        service.terminate();
        assert_eq!(service.exit_within(SOON), 0);
        assert_tells_nothing("who is let in", &service.lines(), &secrets);
    }
    for service in &bad {
        wait_for("the password is told", SOON, || service.lines(), || service.lines().contains("uthentication").then_some(()));
        assert_pages_tell_nothing(service, &secrets);
        assert_tells_nothing("who is not let in", &service.lines(), &secrets);
    }
    drop(bad);
    assert_commands_tell_nothing(&scene, &arguments(wrong, true), &secrets);
}

#[test]
fn keys_and_their_passphrases_are_told_nowhere() {
    let fortress = fortress();
    let scene = Scene::named("pem", fortress.open());
    scene.create_topics(2, &[]);
    let papers = fortress.authority.client();
    let ca = fortress.authority.pem();
    let key = papers.encrypted_key();
    // A line in the middle of the key, and one of the certificate.
    let (of_key, certificate) = (key.lines().nth(2).expect("a line").to_owned(), papers.pem());
    let of_certificate = certificate.lines().nth(2).expect("a line");
    let as_text = |passphrase| {
        let client = [
            ("security.protocol", "SSL"),
            ("ssl.certificate.pem", certificate.as_str()),
            ("ssl.key.pem", key.as_str()),
            ("ssl.key.password", passphrase),
            ("ssl.ca.pem", ca.as_str()),
        ];
        [super::sets(fortress.certificates, &client), registry(true)].concat()
    };
    let secrets = ["made-up", "planted-wrong-passphrase", of_key.as_str(), of_certificate];
    let good = as_text("made-up");
    let services = ["text", "json"].map(|format| scene.run(&[&words(&good)[..], &LOUD, &["--log-format", format]].concat()));
    for service in &services {
        // It is let in, and may do nothing.
        wait_for("the missing right is named", SOON, || service.lines(), || service.lines().contains("is not allowed to").then_some(()));
        assert_pages_tell_nothing(service, &secrets);
        assert_tells_nothing("who is let in", &service.lines(), &secrets);
    }
    drop(services);
    assert_commands_tell_nothing(&scene, &good, &secrets);
    assert_commands_tell_nothing(&scene, &as_text("planted-wrong-passphrase"), &secrets);
}

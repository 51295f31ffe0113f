//! Passwords: both mechanisms end to end, wrong ones told in one line and mended without a restart.

use std::time::Duration;

use super::{
    super::{
        doctor,
        service::{SOON, Scene, Service},
        waiting::{let_pass, wait_for},
    },
    PLAIN_USER, acls, fortress,
    rights::{assert_exactly_once, stage, write},
    sets, words,
};

/// The lines of a process that tries in vain, after so long that a flood would show.
fn lines_after_a_while(service: &Service) -> Vec<String> {
    let is_told = |line: &str| line.contains(" WARN ") || line.contains(" ERROR ");
    wait_for("something is told", SOON, || service.lines(), || service.lines().lines().any(is_told).then_some(()));
    let_pass(Duration::from_secs(4));
    service.assert_runs();
    service.lines().lines().filter(|line| is_told(line)).map(str::to_owned).collect()
}

fn findings(scene: &Scene, arguments: &[String]) -> Vec<String> {
    let (_, findings) = doctor::examined(scene, &words(arguments));
    findings.into_iter().filter(|(severity, ..)| severity == "error").map(|(_, code, _)| code).collect()
}

#[test]
fn plain_passwords_work_over_tls() {
    let fortress = fortress();
    let scene = Scene::named("plain", fortress.open());
    scene.create_topics(2, &[]);
    let [user, password] = PLAIN_USER;
    fortress.grant(&format!("User:{user}"), &acls(&scene));
    let expected = write(&scene, 0..200);
    let arguments = fortress.by_password(fortress.passwords, "PLAIN", user, password);
    let service = scene.run(&words(&arguments));
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
}

#[test]
fn a_wrong_password_is_told_in_one_line_and_mended_on_the_way() {
    let (fortress, scene, principal, _) = stage("wrong-password");
    fortress.grant(&principal, &acls(&scene));
    let user = principal.trim_start_matches("User:");
    let wrong = fortress.by_password(fortress.passwords, "SCRAM-SHA-512", user, "not-the-right-one");
    let expected = write(&scene, 0..200);
    let service = scene.run(&words(&wrong));
    wait_for("the password is told", SOON, || service.lines(), || service.lines().contains("uthentication").then_some(()));
    let told = lines_after_a_while(&service);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(service.try_page("/readyz").map(|(status, _)| status), Some(503));
    assert_eq!(findings(&scene, &wrong), ["broker_refuses"]);
    fortress.password(user, "not-the-right-one");
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
    assert!(!service.lines().contains("not-the-right-one"), "{}", service.lines());
}

/// Somebody is there: to start the broker would be the wrong advice.
#[test]
fn a_door_of_another_kind_refuses_and_is_not_away() {
    let fortress = fortress();
    let scene = Scene::named("other-doors", fortress.open());
    let open = fortress.open().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let [user, password] = PLAIN_USER;
    let login = [("sasl.username", user), ("sasl.password", password)];
    let by_password =
        |port, protocol, mechanism| sets(port, &[&[("security.protocol", protocol), ("sasl.mechanism", mechanism)][..], &login].concat());
    // As with a password, but for the password.
    let mut trusting = fortress.by_password(fortress.passwords, "PLAIN", user, password);
    trusting.extend(["--set".to_owned(), "kafka.client.security.protocol=SSL".to_owned()]);
    for (case, arguments) in [
        ("a login where there is none", by_password(open, "SASL_PLAINTEXT", "PLAIN")),
        ("TLS where there is none", sets(open, &[("security.protocol", "SSL")])),
        ("no TLS where there is", sets(fortress.passwords, &[])),
        ("no login where there is", trusting),
        ("another mechanism", fortress.by_password(fortress.passwords, "SCRAM-SHA-256", user, password)),
    ] {
        assert_eq!(findings(&scene, &arguments), ["broker_refuses"], "{case}");
    }
}

#[test]
fn a_password_that_changes_while_it_runs_is_told_and_costs_no_lead() {
    let (fortress, scene, principal, arguments) = stage("changed-password");
    fortress.grant(&principal, &acls(&scene));
    let user = principal.trim_start_matches("User:");
    let mut expected = write(&scene, 0..200);
    let mut service = scene.run(&words(&arguments));
    scene.wait_done(expected.len(), &service);
    fortress.password(user, "another");
    // Those who are in stay in: only who comes anew is asked.
    expected.extend(write(&scene, 200..400));
    scene.wait_done(expected.len(), &service);
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    let service = scene.run(&words(&arguments));
    wait_for("the password is told", SOON, || service.lines(), || service.lines().contains("uthentication").then_some(()));
    expected.extend(write(&scene, 400..600));
    fortress.password(user, "right");
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
}

#[test]
fn a_door_of_another_kind_is_told() {
    let fortress = fortress();
    let scene = Scene::named("another-door", fortress.open());
    scene.create_topics(1, &[]);
    // Plain text at a door for TLS, and TLS at one for plain text.
    let plain = ["--set".to_owned(), format!("kafka.brokers=127.0.0.1:{}", fortress.passwords)].to_vec();
    let port = fortress.open().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let tls = fortress.by_password(port, "SCRAM-SHA-512", "nobody", "nothing");
    let services = [plain, tls].map(|arguments| scene.run(&words(&arguments)));
    for service in &services {
        let told = lines_after_a_while(service);
        assert!(told.len() == 1 && told[0].contains("security.protocol"), "{told:#?}");
    }
}

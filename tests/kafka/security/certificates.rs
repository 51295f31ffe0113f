//! Certificates: mutual TLS end to end, and each that cannot be trusted told in one line, bounded over time.

use std::time::Duration;

use super::{
    super::{doctor, service::Scene, tls_registry::Papers, waiting::let_pass},
    acls, fortress,
    rights::{assert_exactly_once, write},
    words,
};

#[test]
fn a_client_with_a_certificate_is_known_by_it() {
    let fortress = fortress();
    let scene = Scene::named("mutual", fortress.open());
    scene.create_topics(2, &[]);
    let papers = fortress.authority.client();
    fortress.grant("User:CN=leadstream", &acls(&scene));
    let expected = write(&scene, 0..200);
    let arguments = fortress.by_certificate(&fortress.file(&papers.pem()), &fortress.file(&papers.key()), &[]);
    let service = scene.run(&words(&arguments));
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
    // Its key behind a passphrase, and all of it as text.
    let encrypted = [("ssl.key.password", "made-up")];
    let arguments = fortress.by_certificate(&fortress.file(&papers.pem()), &fortress.file(&papers.encrypted_key()), &encrypted);
    let (code, findings) = doctor::examined(&scene, &words(&arguments));
    assert_eq!(code, 0, "{findings:?}");
}

#[test]
fn what_cannot_be_trusted_is_told_in_one_line() {
    let fortress = fortress();
    let scene = Scene::named("untrusted", fortress.open());
    scene.create_topics(1, &[]);
    let stranger = Papers::authority("stranger");
    let by_password = |port| fortress.by_password(port, "PLAIN", "plain-user", "plain-password");
    let mut unknown = by_password(fortress.passwords);
    let ca = unknown.iter_mut().find(|argument| argument.contains("ssl.ca.location")).expect("set");
    *ca = format!("kafka.client.ssl.ca.location={}", fortress.file(&stranger.pem()));
    let client = |papers: &Papers| fortress.by_certificate(&fortress.file(&papers.pem()), &fortress.file(&papers.key()), &[]);
    let cases = [
        ("an unknown authority", unknown, "certificate"),
        ("the broker's certificate is too old", by_password(fortress.expired), "too old"),
        ("the broker's certificate is another host's", by_password(fortress.elsewhere), "another host's"),
        ("our certificate is too old", client(&fortress.authority.expired_client()), "certificate"),
        ("our certificate is a stranger's", client(&stranger.client()), "certificate"),
    ];
    let services: Vec<_> = cases.iter().map(|(_, arguments, _)| scene.run(&words(arguments))).collect();
    let_pass(Duration::from_secs(8));
    for ((case, arguments, word), service) in cases.iter().zip(&services) {
        service.assert_runs();
        let lines = service.lines();
        let told: Vec<_> = lines.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
        assert!(told.len() == 1 && told[0].contains(word), "{case}: {told:#?}");
        let (code, findings) = doctor::examined(&scene, &words(arguments));
        let errors: Vec<_> = findings.iter().filter(|(severity, ..)| severity == "error").map(|(_, code, _)| code.as_str()).collect();
        assert_eq!((code, errors), (1, vec!["broker_refuses"]), "{case} {:?}", doctor::report(&scene, &words(arguments)).1);
    }
}

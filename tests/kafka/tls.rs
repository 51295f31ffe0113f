//! A schema registry behind TLS and authentication, by the built program: whom it trusts, who it says it is, what it tells
//! when that does not work, and that no secret is told. Asks no broker.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use openssl::ssl::SslVersion;

use super::{
    fake_registry::{self, FakeRegistry},
    service::Scene,
    tls_registry::{self, Papers},
};

const SECRETS: [&str; 3] = ["planted-password", "planted-token", "cGxhbnRlZC11c2VyOnBsYW50ZWQtcGFzc3dvcmQ="];
const BASIC: [&str; 2] = ["registry_user=planted-user", "registry_password=planted-password"];

fn scene() -> Scene {
    Scene::named("tls", "127.0.0.1:1")
}

/// It has every schema.
fn has_all() -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
    |_| Some(fake_registry::json(200, r#"{"id":7}"#))
}

fn serves(server: &Papers) -> FakeRegistry {
    tls_registry::start(server, None, SslVersion::TLS1_3, has_all())
}

/// Writes a file; the setting of `encoding` that names it.
fn file(scene: &Scene, key: &str, text: &str) -> String {
    let path = scene.path(key);
    fs::write(&path, text).expect("written");
    format!("{key}={}", path.display())
}

/// The arguments of these settings of `encoding`.
fn sets(url: &str, settings: &[&str]) -> Vec<String> {
    let registry = format!("registry={url}");
    let all = ["format=avro", &registry].into_iter().chain(settings.iter().copied());
    all.flat_map(|set| ["--set".to_owned(), format!("encoding.{set}")]).collect()
}

/// Exit code and all that is told; no secret is.
fn call(scene: &Scene, verb: &[&str], url: &str, settings: &[&str]) -> (i32, String) {
    let sets = sets(url, settings);
    let arguments: Vec<_> = verb.iter().copied().chain(sets.iter().map(String::as_str)).collect();
    let output = scene.call(&arguments);
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
    (output.status.code().expect("an exit code"), told)
}

fn ask(scene: &Scene, url: &str, settings: &[&str]) -> (i32, String) {
    call(scene, &["schemas", "check"], url, settings)
}

#[track_caller]
fn assert_answered((code, told): (i32, String)) {
    assert_eq!((code, told.matches("schema id 7").count()), (0, 3), "{told}");
}

/// One line, exit code 75, with all of these words.
#[track_caller]
fn assert_unavailable((code, told): (i32, String), words: &[&str]) {
    assert_eq!((code, told.lines().count()), (75, 1), "{told}");
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}\n{told}");
}

#[test]
fn a_registry_is_trusted_by_its_authority_and_for_its_name_alone() {
    let scene = scene();
    let (authority, other) = (Papers::authority("first"), Papers::authority("second"));
    let ours = file(&scene, "registry_ca", &authority.pem());
    let by_address = serves(&authority.server("127.0.0.1"));
    assert_answered(ask(&scene, &by_address.url(), &[&ours]));
    let by_name = serves(&authority.server("localhost"));
    let local = format!("https://localhost:{}/api", by_name.port());
    assert_answered(ask(&scene, &local, &[&ours]));
    // Several authorities, with words between them.
    let both = file(&scene, "registry_ca", &format!("Authorities\n{}\nand\n{}", other.pem(), authority.pem()));
    assert_answered(ask(&scene, &local, &[&both]));
    let asked = by_name.asked().len();

    let secret = |ca: &str| ask(&scene, &local, &[&[ca], &BASIC[..]].concat());
    let not_trusted = ["its certificate is not accepted", "encoding.registry_ca"];
    assert_unavailable(ask(&scene, &local, &BASIC), &not_trusted);
    assert_unavailable(secret(&file(&scene, "registry_ca", &other.pem())), &not_trusted);
    let ours = file(&scene, "registry_ca", &authority.pem());
    let elsewhere = serves(&authority.server("registry.adatum.example"));
    assert_unavailable(ask(&scene, &elsewhere.url(), &[&ours]), &["its certificate is not accepted", "mismatch", "name the host"]);
    let expired = serves(&authority.expired_server("127.0.0.1"));
    assert_unavailable(ask(&scene, &expired.url(), &[&ours]), &["its certificate is not accepted", "expired"]);
    assert_eq!(by_name.asked().len() + elsewhere.asked().len() + expired.asked().len(), asked, "nothing is sent to whom is not trusted");

    // One that speaks plain HTTP: it complains, or it hangs up.
    let says = |words: String| {
        move |mut stream: TcpStream| {
            let _ = stream.write_all(words.as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
            None::<TcpStream>
        }
    };
    let complains = FakeRegistry::behind("https", says(fake_registry::response(400, "", "")), has_all());
    assert_unavailable(ask(&scene, &complains.url(), &[&ours]), &["does not speak TLS", "http://"]);
    let hangs_up = FakeRegistry::behind("https", says(String::new()), has_all());
    assert_unavailable(ask(&scene, &hangs_up.url(), &[&ours]), &["hangs up in the middle of TLS", "http://"]);
}

#[test]
fn a_registry_that_wants_a_certificate_is_shown_ours() {
    let scene = scene();
    let authority = Papers::authority("first");
    let ca = file(&scene, "registry_ca", &authority.pem());
    let server = authority.server("127.0.0.1");
    let client = authority.client();
    let certificate = file(&scene, "registry_certificate", &client.pem());
    let key = file(&scene, "registry_key", &client.key());
    for version in [SslVersion::TLS1_3, SslVersion::TLS1_2] {
        let registry = tls_registry::start(&server, Some(&authority), version, has_all());
        assert_answered(ask(&scene, &registry.url(), &[&ca, &certificate, &key]));
        assert_unavailable(ask(&scene, &registry.url(), &[&ca]), &["does not let us in", "encoding.registry_certificate"]);
        let stranger = Papers::authority("second").client();
        let strange = [("registry_certificate", stranger.pem()), ("registry_key", stranger.key())];
        let strange = strange.map(|(key, text)| {
            let path = scene.path(&format!("strange-{key}"));
            fs::write(&path, text).expect("written");
            format!("{key}={}", path.display())
        });
        assert_unavailable(ask(&scene, &registry.url(), &[&ca, &strange[0], &strange[1]]), &["does not let us in", "certificate"]);
    }

    let registry = tls_registry::start(&server, Some(&authority), SslVersion::TLS1_3, has_all());
    // Keys in their older forms, and both in one file.
    let rsa = authority.client_with_rsa();
    for papers in [&client, &rsa] {
        for key in [papers.key(), papers.older_key(), format!("{}{}", papers.pem(), papers.older_key())] {
            let certificate = file(&scene, "registry_certificate", &papers.pem());
            assert_answered(ask(&scene, &registry.url(), &[&ca, &certificate, &file(&scene, "registry_key", &key)]));
        }
    }
    // Of an authority that the registry does not know, but that one has certified which it does.
    let between = authority.authority_below("between");
    let client = between.client();
    let chain = file(&scene, "registry_certificate", &(client.pem() + &between.pem()));
    assert_answered(ask(&scene, &registry.url(), &[&ca, &chain, &file(&scene, "registry_key", &client.key())]));
}

#[test]
fn files_that_cannot_work_are_found_before_anybody_is_asked() {
    let scene = scene();
    let authority = Papers::authority("first");
    let client = authority.client();
    let registry = serves(&authority.server("127.0.0.1"));
    let damaged = client.pem().replacen("MII", "AAA", 1);
    assert_ne!(damaged, client.pem());
    let (good, key) = (client.pem(), client.key());
    let (encrypted, of_another) = (client.encrypted_key(), authority.client().key());
    let certificate = "registry_certificate";
    // The key that is wrong, the file's text, and what is told.
    let cases = [
        ("registry_ca", None, "cannot read"),
        ("registry_ca", Some("no certificate"), "no certificate in PEM form"),
        ("registry_ca", Some(key.as_str()), "no certificate in PEM form"),
        ("registry_ca", Some(&damaged), "cannot be read"),
        (certificate, None, "cannot read"),
        (certificate, Some(&damaged), "cannot be read"),
        ("registry_key", None, "cannot read"),
        ("registry_key", Some(&good), "no private key in PEM form"),
        ("registry_key", Some(&encrypted), "is encrypted"),
        ("registry_key", Some(&of_another), "is not that of the first certificate"),
    ];
    for (wrong, text, why) in cases {
        let settings = [("registry_ca", authority.pem()), (certificate, good.clone()), ("registry_key", key.clone())];
        let settings = settings.map(|(key, right)| {
            let setting = file(&scene, key, if key == wrong { text.unwrap_or_default() } else { &right });
            if key == wrong && text.is_none() {
                fs::remove_file(scene.path(key)).expect("removed");
            }
            setting
        });
        let settings = settings.each_ref().map(String::as_str);
        let name = format!("encoding.{wrong}: ");
        let path = format!("{:?}", scene.path(wrong).display().to_string());
        let told_in = |told: &str| [&name, &path, why].iter().all(|word| told.contains(*word));
        let (code, told) = ask(&scene, &registry.url(), &settings);
        assert!(code == 64 && told_in(&told), "schemas check: {code}\n{told}");
        let (code, told) = call(&scene, &["run"], &registry.url(), &settings);
        assert!(code == 64 && told_in(&told), "run: {code}\n{told}");
        let (code, told) = call(&scene, &["check"], &registry.url(), &settings);
        assert!(code == 1 && told_in(&told) && told.contains("1 error"), "check: {code}\n{told}");
    }
    // All of them at once.
    let absent = ["registry_ca=/nowhere/a", "registry_certificate=/nowhere/b", "registry_key=/nowhere/c"];
    let (_, told) = call(&scene, &["check"], &registry.url(), &absent);
    assert!(told.contains("3 errors"), "{told}");
    let (_, told) = call(&scene, &["check"], "https://[::1", &[]);
    assert!(told.contains("is no URL"), "{told}");
    let (_, told) = call(&scene, &["check"], &registry.url(), &["registry_token=planted-token\nx"]);
    assert!(told.contains("a token that no HTTP header can carry"), "{told}");
    let (_, told) = call(&scene, &["check"], &registry.url(), &["registry_user=planted:user", "registry_password=planted-password"]);
    assert!(told.contains("a user with a colon"), "{told}");
    assert_eq!(registry.asked().len(), 0, "nobody is asked");
}

#[test]
fn who_we_are_arrives_exactly_and_is_told_nowhere() {
    let scene = scene();
    let authority = Papers::authority("first");
    let ca = file(&scene, "registry_ca", &authority.pem());
    let basic = format!("Basic {}", SECRETS[2]);
    for (settings, expected) in
        [(&BASIC[..], Some(basic.as_str())), (&["registry_token=planted-token"], Some("Bearer planted-token")), (&[], None)]
    {
        let registry = serves(&authority.server("127.0.0.1"));
        let settings = [&[ca.as_str()], settings].concat();
        assert_answered(ask(&scene, &registry.url(), &settings));
        let asked = registry.asked();
        assert!(!asked.is_empty() && asked.iter().all(|asked| asked.header("authorization") == expected), "{asked:?}");

        registry.answers(|_| Some(fake_registry::json(401, r#"{"error_code":40101,"message":"who are planted-user and planted-token"}"#)));
        assert_unavailable(
            ask(&scene, &registry.url(), &settings),
            &["does not let us in (HTTP 401)", "registry_password", "registry_token"],
        );
        let (code, told) = call(&scene, &["schemas", "register"], &registry.url(), &settings);
        assert!(code == 75 && told.contains("does not let us in"), "{code}\n{told}");
    }
}

//! Under which names the pages of a process that listens on the loopback are shown: a name that somebody else's page made resolve to
//! this machine (DNS rebinding) shows nothing of what is going on here, while probes and scrapers may call it what they like.

use std::net::SocketAddr;

use leadstream::telemetry::{Bounds, Explained, Explainer, http};

use super::{
    http::{Answer, assert_guarded, explaining, send},
    metrics::metrics,
};

fn named(address: SocketAddr, request: &str, host: &str) -> Answer {
    send(address, &format!("{request} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: 0\r\n\r\n"))
}

const KEPT: [&str; 6] = ["GET /", "HEAD /status", "GET /status", "GET /status?history", "GET /console.js", "POST /explain"];
const OPEN: [&str; 3] = ["GET /metrics", "GET /healthz", "GET /readyz"];

#[test]
fn on_the_loopback_a_name_of_anothers_shows_nothing() {
    let explainer = Explainer::default();
    explainer.set(|_, _| Explained::Json(b"{}".to_vec()));
    let (server, status) = explaining(Bounds::default(), explainer);
    status.broker(Ok(()));
    let address = server.address();
    for host in
        ["rebound.example", "rebound.example:9464", "127.0.0.1.rebound.example", "localhost.rebound.example", "127.0.0.1@a.example", ""]
    {
        for request in KEPT {
            let answer = named(address, request, &format!("Host: {host}\r\n"));
            assert_eq!(answer.code, 403, "{request} of {host}");
            assert_guarded(request, &answer, "text/plain; charset=utf-8");
            let told = answer.body.contains(&format!("http://{address}/")) || request.starts_with("HEAD");
            assert!(told && !answer.body.contains("rebound"), "{}", answer.body);
        }
        for request in OPEN {
            assert!([200, 503].contains(&named(address, request, &format!("Host: {host}\r\n")).code), "{request} of {host}");
        }
    }
    // The name in the request's own line is the one that counts, and of two names each must be good.
    let whole = send(address, &format!("GET http://rebound.example/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
    assert_eq!(whole.code, 403);
    assert_eq!(named(address, "GET /status", "Host: localhost\r\nHost: rebound.example\r\n").code, 403);
    server.stop();
}

#[test]
fn on_the_loopback_addresses_and_localhost_show_all() {
    let explainer = Explainer::default();
    explainer.set(|_, _| Explained::Json(b"{}".to_vec()));
    let (server, _) = explaining(Bounds::default(), explainer);
    let address = server.address();
    for host in ["localhost", "LocalHost:9464", "127.0.0.1", "127.0.0.1:1", "192.0.2.7:80", "[::1]", "[::1]:9464", "[::ffff:127.0.0.1]:80"]
    {
        for request in KEPT {
            assert_eq!(named(address, request, &format!("Host: {host}\r\n")).code, 200, "{request} of {host}");
        }
    }
    let old = send(address, "GET /status HTTP/1.0\r\n\r\n");
    assert_eq!(old.code, 200, "whoever names no host is no browser");
    server.stop();
}

/// Behind a Service, an Ingress or a proxy it has names that only they know.
#[test]
fn elsewhere_any_name_shows_all() {
    let explainer = Explainer::default();
    explainer.set(|_, _| Explained::Json(b"{}".to_vec()));
    let status = explaining(Bounds::default(), explainer.clone()).1;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let server = http::start(everywhere, metrics(), status, explainer, Bounds::default()).expect("a free port");
    let address = SocketAddr::from(([127, 0, 0, 1], server.address().port()));
    for request in KEPT.into_iter().chain(OPEN) {
        let code = named(address, request, "Host: leadstream.leadstream.svc\r\n").code;
        assert!(code == 200 || (code == 503 && request == "GET /readyz"), "{request}: {code}");
    }
    server.stop();
}

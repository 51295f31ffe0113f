//! The pages of a running process, over real sockets: what each says, and what no client can do to them.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use leadstream::{
    io::LaneEvent,
    lead::{Partition, Timestamp},
    telemetry::{Bounds, Explained, Explainer, Status, http},
};

use crate::metrics::metrics;

fn partition(number: i32) -> Partition {
    Partition { topic: "leads.raw".into(), number }
}

pub(super) fn server(bounds: Bounds) -> (http::Server, Arc<Status>) {
    explaining(bounds, Explainer::default())
}

pub(super) fn explaining(bounds: Bounds, explainer: Explainer) -> (http::Server, Arc<Status>) {
    let status = Arc::new(Status::new(["default".to_owned(), "1".to_owned(), "ab".repeat(32)], Timestamp::default()));
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    (http::start(listen, metrics(), Arc::clone(&status), explainer, bounds).expect("a free port"), status)
}

pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) head: String,
    pub(super) body: String,
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit, so that a fault is no endless test");
    stream
}

/// What a browser is told to make of a page, whatever stands on it.
#[track_caller]
pub(super) fn assert_guarded(path: &str, answer: &Answer, kind: &str) {
    assert_guarded_by("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", path, answer, kind);
}

#[track_caller]
fn assert_guarded_by(policy: &str, path: &str, answer: &Answer, kind: &str) {
    for header in [
        &format!("content-type: {kind}"),
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
        &format!("content-security-policy: {policy}"),
    ] {
        assert!(answer.head.lines().any(|line| line == header), "{path} without {header}: {}", answer.head);
    }
}

pub(super) fn ask(address: SocketAddr, method: &str, path: &str) -> Answer {
    send(address, &format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

pub(super) fn post(address: SocketAddr, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("POST /explain HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    send(address, &format!("{head}{body}"))
}

pub(super) fn send(address: SocketAddr, request: &str) -> Answer {
    let mut stream = connect(address);
    // Who is refused may be so before all of it is read.
    let _ = stream.write_all(request.as_bytes());
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("an answer");
    let (head, body) = all.split_once("\r\n\r\n").expect("a head");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
    Answer { code, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

#[test]
fn each_page_answers_with_its_kind_and_is_not_kept() {
    let (server, status) = server(Bounds::default());
    status.broker(Ok(()));
    status.add_lane();
    status.happened(0, LaneEvent::Assigned(&[partition(0)]));
    for (path, kind, part) in [
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "leadstream_records_consumed_total{topic=\"leads.raw\"} 0"),
        ("/healthz", "text/plain; charset=utf-8", "ok"),
        ("/readyz", "application/json", "\"ready\":true"),
        ("/status", "application/json", "\"running\""),
        ("/status?pretty=1", "application/json", "\"running\""),
    ] {
        let answer = ask(server.address(), "GET", path);
        assert_eq!(answer.code, 200, "{path}");
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
        assert_guarded(path, &answer, kind);
        let head = ask(server.address(), "HEAD", path);
        assert_eq!((head.code, head.body.as_str()), (200, ""), "HEAD {path}");
    }
    server.stop();
}

/// The page and what belongs to it, all from the binary: it may load and ask nobody else, and nothing in it tries to.
#[test]
fn the_console_is_whole_and_asks_nobody_else() {
    let (server, _) = server(Bounds::default());
    let page = ask(server.address(), "GET", "/");
    assert_eq!(page.code, 200);
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                  frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    assert_guarded_by(policy, "/", &page, "text/html; charset=utf-8");
    let parts: Vec<_> = page.body.split(['"']).filter(|part| part.starts_with('/') && part.contains('.')).collect();
    assert!(parts.len() >= 6, "{parts:?}");
    for path in parts {
        let part = ask(server.address(), "GET", path);
        assert_eq!(part.code, 200, "{path}");
        let kind = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_guarded_by(policy, path, &part, kind);
        // The names of SVG and of the chart library's home are no requests.
        let named = part.body.replace("http://www.w3.org/2000/svg", "").replace("https://github.com/leeoniya/uPlot", "");
        for outside in ["http://", "https://", "innerHTML", "eval(", "document.write", "@import", "url("] {
            assert!(!named.contains(outside) || (outside == "innerHTML" && path == "/uplot.js"), "{path} holds {outside}");
        }
    }
    for inline in ["<style", "style=", "onclick", "<script>"] {
        assert!(!page.body.contains(inline), "{inline} would be refused by its own policy");
    }
    server.stop();
}

#[test]
fn a_pasted_lead_is_explained_by_whoever_is_there() {
    let explainer = Explainer::default();
    let (server, _) = explaining(Bounds::default(), explainer.clone());
    let early = post(server.address(), "", "{}");
    assert_eq!((early.code, early.body.as_str()), (503, "the rules are not loaded yet; try again\n"));
    explainer.set(|record, format| match record {
        b"many" => Explained::TooMuch("fewer".to_owned()),
        b"away" => Explained::Unavailable("the registry".to_owned()),
        b"bug" => panic!("a bug of a test"),
        _ => Explained::Json(format!("[{}, {format:?}]", record.len()).into_bytes()),
    });
    let answer = post(server.address(), "Lead-Format: crm_row\r\n", "{\"a\": 1}");
    assert_eq!((answer.code, answer.body.as_str()), (200, "[8, Some(\"crm_row\")]"));
    assert_guarded("/explain", &answer, "application/json");
    assert_eq!(post(server.address(), "", &"x".repeat(1 << 20)).body, "[1048576, None]");
    let large = post(server.address(), "", &"x".repeat((1 << 20) + 1));
    assert!(large.code == 413 && large.body.contains("at most 1048576 bytes"), "{}", large.body);
    assert_eq!(post(server.address(), "", "many").code, 422);
    assert_eq!(post(server.address(), "", "away").code, 503);
    assert_eq!(post(server.address(), "", "bug").code, 503, "and the next one is answered all the same");
    assert_eq!(post(server.address(), "", "").body, "[0, None]");
    let got = ask(server.address(), "GET", "/explain");
    assert!(got.code == 405 && got.head.lines().any(|line| line == "allow: post"), "{}", got.head);
    server.stop();
}

#[test]
fn what_is_not_there_or_not_allowed_is_said_so() {
    let (server, _) = server(Bounds::default());
    for path in ["/nothing", "/metrics/", "/../etc/passwd", "/%00"] {
        let answer = ask(server.address(), "GET", path);
        assert_eq!(answer.code, 404, "{path}");
        assert_guarded(path, &answer, "text/plain; charset=utf-8");
        assert!(!answer.body.contains(path), "what was asked for is not written back");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"] {
        for path in ["/", "/metrics", "/healthz", "/readyz", "/status"] {
            assert_eq!(ask(server.address(), method, path).code, 405, "{method} {path}");
        }
        let answer = ask(server.address(), method, "/metrics");
        assert_guarded("/metrics", &answer, "text/plain; charset=utf-8");
        assert!(answer.head.lines().any(|line| line == "allow: get, head"), "{}", answer.head);
    }
    server.stop();
}

#[test]
fn probes_say_why_not() {
    let (server, status) = server(Bounds::default());
    let answer = ask(server.address(), "GET", "/readyz");
    assert_eq!(answer.code, 503);
    assert!(answer.body.contains("\"ready\":false") && answer.body.contains("the broker has not answered yet"), "{}", answer.body);
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200, "waiting for a broker is no reason to be killed");
    status.add_lane();
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    server.stop();

    let stuck = Arc::new(Status::new(Default::default(), Timestamp::default()).stuck_after(Duration::ZERO));
    stuck.add_lane();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = http::start(listen, metrics(), stuck, Explainer::default(), Bounds::default()).expect("a free port");
    let answer = ask(server.address(), "GET", "/healthz");
    assert_eq!((answer.code, answer.body.as_str()), (503, "stuck lanes: [0]\n"));
    server.stop();
}

#[test]
fn a_taken_port_is_an_error_and_a_stopped_server_frees_its_port() {
    let (first, status) = server(Bounds::default());
    let address = first.address();
    let second = http::start(address, metrics(), status, Explainer::default(), Bounds::default());
    assert_eq!(second.expect_err("taken").kind(), ErrorKind::AddrInUse);
    assert_eq!(ask(address, "GET", "/healthz").code, 200, "the first is not disturbed");
    first.stop();
    assert_eq!(TcpStream::connect(address).expect_err("nobody listens").kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn clients_that_say_nothing_hold_nothing_for_long() {
    let (server, _) = server(Bounds { connections: 2, request: Duration::from_millis(50), ..Bounds::default() });
    let silent = [connect(server.address()), connect(server.address())];
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    for mut client in silent {
        assert_eq!(client.read(&mut [0; 16]).expect("closed in good order"), 0);
    }
    server.stop();
}

#[test]
fn all_places_taken_by_the_silent_keep_nobody_out() {
    // By time alone they would stay for a minute.
    let patient = Duration::from_mins(1);
    let (server, _) = server(Bounds { connections: 8, request: patient, silence: patient, ..Bounds::default() });
    let mut silent: Vec<_> = (0..40).map(|_| connect(server.address())).collect();
    // One of them has asked something, and is silent since.
    let mut asked = silent.pop().expect("the last of them");
    write!(asked, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("written");
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let mut answer = [0; 256];
    assert!(asked.read(&mut answer).expect("an answer") > 0, "who asks is answered before somebody takes the place");
    assert_eq!(silent[0].read(&mut answer).expect("closed in good order"), 0, "the longest silent goes first");
    server.stop();
}

#[test]
fn a_request_that_trickles_in_is_not_waited_for() {
    let (server, _) = server(Bounds { connections: 1, request: Duration::from_millis(50), ..Bounds::default() });
    let mut client = connect(server.address());
    // The pace of the trickle: each read waits this long for an answer that does not come.
    client.set_read_timeout(Some(Duration::from_millis(5))).expect("set");
    let mut ended = false;
    write!(client, "GET /metrics HTTP/1.1\r\nX-Slow: ").expect("written");
    for _ in 0..2_000 {
        let (sent, read) = (client.write(b"x"), client.read(&mut [0; 512]));
        let waits = matches!(&read, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        if sent.is_err() || !waits {
            ended = true;
            break;
        }
    }
    assert!(ended, "bytes of a request do not buy more time");
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200, "and the place is free again");
    server.stop();
}

#[test]
fn a_scraper_keeps_its_connection() {
    let (server, _) = server(Bounds::default());
    let mut client = connect(server.address());
    for _ in 0..3 {
        write!(client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("the connection still stands");
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            let mut some = [0; 256];
            let read = client.read(&mut some).expect("an answer");
            assert!(read > 0, "closed between two requests");
            answer.extend_from_slice(&some[..read]);
        }
    }
    // It is still open when the server is stopped, and does not hold that up.
    server.stop();
    assert_eq!(client.read(&mut [0; 16]).expect("closed in good order"), 0);
}

#[test]
fn an_oversized_or_garbled_request_is_refused_and_the_next_one_answered() {
    let (server, _) = server(Bounds::default());
    for request in [
        format!("GET / HTTP/1.1\r\nX-Big: {}\r\n\r\n", "x".repeat(1 << 20)),
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(100_000)),
    ] {
        let mut client = connect(server.address());
        // The server may close before it has read all of it.
        let _ = client.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        let told = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || told.starts_with("HTTP/1.1 4"), "{}", told.lines().next().unwrap_or_default());
    }
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    server.stop();
}

#[test]
fn a_request_is_read_so_far_and_no_further() {
    let (server, _) = server(Bounds::default());
    let with_head = |bytes: usize| {
        let mut client = connect(server.address());
        let _ = write!(client, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\nConnection: close\r\n\r\n", "x".repeat(bytes));
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200")
    };
    assert!(with_head(8_000) && !with_head(100_000));
    // What counts is one request, not all that came over a connection.
    let mut client = connect(server.address());
    for _ in 0..10 {
        write!(client, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\n\r\n", "x".repeat(4_000)).expect("written");
        let read = client.read(&mut [0; 4096]).expect("an answer");
        assert!(read > 0);
    }
    server.stop();
}

#[test]
fn a_body_without_end_is_not_taken_in() {
    let (server, _) = server(Bounds { request: Duration::from_millis(200), silence: Duration::from_millis(200), ..Bounds::default() });
    let mut client = connect(server.address());
    write!(client, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n").expect("written");
    let chunk = vec![b'x'; 1 << 16];
    let sent = (0..1 << 14).take_while(|_| client.write_all(&chunk).is_ok()).count();
    assert!(sent < 1 << 14, "all of a gigabyte was taken");
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    server.stop();
}

#[test]
fn http_is_for_this_machine_alone_unless_told_otherwise() {
    assert!(leadstream::config::Config::default().http.listen.ip().is_loopback());
}

#[test]
fn a_client_in_the_middle_of_a_request_does_not_hold_up_the_end() {
    let (server, _) = server(Bounds::default());
    let mut client = connect(server.address());
    write!(client, "GET /metrics HTTP/1.1\r\nHost: x\r\n").expect("written");
    // Answered over another connection: by then the first one has been accepted.
    assert_eq!(ask(server.address(), "GET", "/healthz").code, 200);
    let asked = Instant::now();
    server.stop();
    let waited = asked.elapsed();
    assert!(waited < Duration::from_secs(15), "{waited:?}, and the client may be silent for 30 s");
}

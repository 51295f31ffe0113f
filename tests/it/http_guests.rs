//! What clients that ask much, or too much, hear, and what they do to others: whoever asks whether the process lives is answered at
//! once all the same.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use leadstream::telemetry::{Bounds, Explained, Explainer};

use super::http::{ask, assert_guarded, connect, explaining, post, server};

fn healthy(address: SocketAddr) -> Duration {
    let asked = Instant::now();
    assert_eq!(ask(address, "GET", "/healthz").code, 200);
    asked.elapsed()
}

/// Counts the pages that come, until no more do.
fn count(client: &TcpStream, pages: &AtomicUsize, begun: &Sender<()>) {
    let lines = BufReader::new(client).lines().map_while(Result::ok);
    for _ in lines.filter(|line| line.starts_with("HTTP/1.1 200")) {
        pages.fetch_add(1, Ordering::SeqCst);
        // Only the first is waited for.
        let _ = begun.send(());
    }
}

/// Counted in pages that others get meanwhile, not in time, since how long a page takes is the machine's matter: by turns a few; out
/// of turn, many of each who came before.
#[test]
fn who_asks_much_at_once_puts_off_no_probe() {
    const PAGES: usize = 200;
    let (server, _) = server(Bounds::default());
    let address = server.address();
    let much = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(PAGES);
    let greedy: Vec<_> = (0..40)
        .map(|_| {
            let mut client = connect(address);
            client.write_all(much.as_bytes()).expect("written");
            client
        })
        .collect();
    let pages = AtomicUsize::new(0);
    let (begun, first) = channel();
    let meanwhile = thread::scope(|scope| {
        for client in &greedy {
            let (pages, begun) = (&pages, begun.clone());
            scope.spawn(move || count(client, pages, &begun));
        }
        first.recv().expect("a page");
        let before = pages.load(Ordering::SeqCst);
        healthy(address);
        let meanwhile = pages.load(Ordering::SeqCst) - before;
        for client in &greedy {
            // Of one that has ended nothing is left to be counted.
            let _ = client.shutdown(Shutdown::Both);
        }
        meanwhile
    });
    assert!(meanwhile < PAGES, "{meanwhile} pages for others while one was waited for");
    server.stop();
}

/// With more requests already in the house, a client that waits for an answer does not hear that it is to leave.
#[test]
fn all_places_taken_by_who_waits_for_an_explanation_keep_no_probe_out() {
    let explainer = Explainer::default();
    let (open, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    explainer.set(move |_, _| {
        // Ends when the test does.
        let _ = gate.lock().expect("no bug").recv();
        Explained::Json(b"{}".to_vec())
    });
    let (server, _) = explaining(Bounds { connections: 4, ..Bounds::default() }, explainer);
    let address = server.address();
    let one = "POST /explain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}";
    let much = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned() + &one.repeat(50);
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let mut client = connect(address);
            client.write_all(much.as_bytes()).expect("written");
            // By then it has its place, and asks the rest.
            assert!(client.read(&mut [0; 8]).expect("an answer") > 0);
            client
        })
        .collect();
    let waited = healthy(address);
    assert!(waited < Duration::from_secs(10), "{waited:?}, and who waits for an explanation does so for two seconds, again and again");
    drop((waiting, open));
    server.stop();
}

#[test]
fn a_record_that_is_too_large_is_refused_before_it_is_sent() {
    let (server, _) = server(Bounds::default());
    let mut client = connect(server.address());
    let head = "POST /explain HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n";
    client.write_all(head.as_bytes()).expect("written");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("at most 1048576 bytes"), "{answer}");
    server.stop();
}

#[test]
fn who_sends_far_too_much_all_the_same_hears_so() {
    let (server, _) = server(Bounds::default());
    for bytes in [3 << 20, 40 << 20] {
        let answer = post(server.address(), "", &"x".repeat(bytes));
        assert!(answer.code == 413 && answer.body.contains("at most 1048576 bytes"), "{bytes}: {}", answer.body);
    }
    server.stop();
}

#[test]
fn a_format_that_is_no_text_is_told() {
    let explainer = Explainer::default();
    explainer.set(|_, format| Explained::Json(format!("{format:?}").into_bytes()));
    let (server, _) = explaining(Bounds::default(), explainer);
    let answer = post(server.address(), "Lead-Format: crm_r\u{f6}w\r\n", "{}");
    assert!(answer.code == 400 && answer.body.contains("lead-format") && !answer.body.contains("crm_r\u{f6}"), "{}", answer.body);
    assert_guarded("/explain", &answer, "text/plain; charset=utf-8");
    server.stop();
}

/// Sooner than the connection is given up, with what to do; and the next one is not begun beside it.
#[test]
fn who_waits_too_long_for_an_explanation_is_told_so() {
    let explainer = Explainer::default();
    let (open, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    explainer.set(move |record, _| {
        if record == b"long" {
            // Ends when the test says so.
            let _ = gate.lock().expect("no bug").recv();
        }
        Explained::Json(b"{}".to_vec())
    });
    let (server, _) = explaining(Bounds { request: Duration::from_millis(1_500), ..Bounds::default() }, explainer);
    let answer = post(server.address(), "", "long");
    assert!(answer.code == 503 && answer.body.contains("longer than is waited for"), "{}", answer.body);
    assert_guarded("/explain", &answer, "text/plain; charset=utf-8");
    let other = post(server.address(), "", "short");
    assert!(other.code == 503 && other.body.contains("other records are being explained"), "{}", other.body);
    open.send(()).expect("it waits");
    // Whoever comes now waits for its turn no longer than that takes.
    assert_eq!(post(server.address(), "", "short").code, 200);
    server.stop();
}

#[test]
fn a_record_that_does_not_arrive_is_told_to_who_sends_it() {
    let (server, _) = server(Bounds { request: Duration::from_millis(1_500), ..Bounds::default() });
    let mut client = connect(server.address());
    write!(client, "POST /explain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{{").expect("written");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("has not arrived within 1.2s"), "{answer}");
    server.stop();
}

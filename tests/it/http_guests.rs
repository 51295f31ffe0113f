//! What clients that ask much, or too much, hear, and what they do to others: whoever asks whether the process lives is answered at
//! once all the same.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::{Mutex, mpsc::channel},
    time::{Duration, Instant},
};

use leadstream::telemetry::{Bounds, Explained, Explainer};

use super::http::{ask, connect, explaining, server};

fn healthy(address: SocketAddr) -> Duration {
    let asked = Instant::now();
    assert_eq!(ask(address, "GET", "/healthz").code, 200);
    asked.elapsed()
}

/// How long a page takes here and now, in a row over one connection.
fn cost(address: SocketAddr, page: &str) -> Duration {
    const PAGES: usize = 20;
    let asked = Instant::now();
    let mut client = connect(address);
    let last = format!("GET {page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let all = format!("GET {page} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(PAGES - 1) + &last;
    client.write_all(all.as_bytes()).expect("written");
    client.read_to_end(&mut Vec::new()).expect("answers");
    asked.elapsed() / PAGES as u32
}

#[test]
fn who_asks_much_at_once_and_reads_nothing_slows_no_probe() {
    let (server, _) = server(Bounds::default());
    let address = server.address();
    let page = cost(address, "/metrics");
    let much = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
    let greedy: Vec<_> = (0..40)
        .map(|_| {
            let mut client = connect(address);
            client.write_all(much.as_bytes()).expect("written");
            client
        })
        .collect();
    let waited = healthy(address);
    assert!(waited < page * 60, "{waited:?}, and a page takes {page:?}");
    drop(greedy);
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

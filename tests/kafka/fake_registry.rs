//! What a schema registry, or a collector of traces, may turn into: HTML, errors, silence, redirects. A small HTTP server that
//! answers as a test tells it and remembers what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What it was asked: the headers, their names in lower case, and the body.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// How it answers a request line: status line, headers and body as they go over the wire; `None`: not at all, for ever.
type Answer = dyn Fn(&str) -> Option<String> + Send + Sync;

#[derive(Clone)]
pub(crate) struct FakeRegistry {
    scheme: &'static str,
    address: SocketAddr,
    answer: Arc<Mutex<Arc<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// An answer on the wire.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

/// A JSON answer on the wire.
pub(crate) fn json(status: u16, body: &str) -> String {
    response(status, "content-type: application/json\r\n", body)
}

impl FakeRegistry {
    pub(crate) fn start(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::behind("http", Some, answer)
    }

    /// One that speaks HTTP through what `open` makes of a connection; `None`: it has hung up.
    pub(crate) fn behind<S: Read + Write>(
        scheme: &'static str,
        open: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let fake = Self { scheme, address, answer: Arc::new(Mutex::new(Arc::new(answer))), asked: Arc::default() };
        let (served, open) = (fake.clone(), Arc::new(open));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (served, open) = (served.clone(), Arc::clone(&open));
                thread::spawn(move || open(stream).map(|stream| served.serve(stream)));
            }
        });
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/api", self.scheme, self.address)
    }

    #[cfg(feature = "tls")]
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it answers like this.
    pub(crate) fn answers(&self, answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        *self.answer.lock().expect("nobody panicked") = Arc::new(answer);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    fn serve(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() {
            return;
        }
        let mut headers = Vec::new();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':') {
                headers.push((name.to_lowercase(), value.trim().to_owned()));
            }
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        let _ = reader.read_exact(&mut body);
        let line = line.trim().to_owned();
        self.asked.lock().expect("nobody panicked").push(Asked { headers, body });
        let answer = Arc::clone(&self.answer.lock().expect("nobody panicked"));
        match answer(&line) {
            Some(text) => drop(reader.get_mut().write_all(text.as_bytes())),
            // Held open until the other side gives up.
            None => drop(reader.read(&mut [0])),
        }
    }
}

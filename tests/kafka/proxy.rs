//! A TCP proxy between client and broker that knows Kafka's frames: it picks requests by their API and delays, cuts, or
//! delivers them late, or swallows their answers. Which ones, a rule of the test says; nothing here knows a test.
// More than one binary includes this file, and each uses a part of it.
#![allow(dead_code)]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufReader, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::broker::{Broker, Ports, Settings, free_ports};

// By its path, since this file is itself included by path from elsewhere.
#[path = "frames.rs"]
mod frames;

pub(crate) use frames::{Action, Api, Request};
use frames::{carry, read_more, read_request};

/// Frames up to this size are carried in one piece.
const PIECE: usize = 64 * 1024;

type Rule = dyn Fn(&Request) -> Action + Send + Sync;

/// A proxy on a port of its own, until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: AtomicU16,
    refuses: AtomicBool,
    rule: RwLock<Arc<Rule>>,
    counts: Mutex<BTreeMap<Api, u64>>,
    done: Mutex<BTreeMap<(Api, &'static str), u64>>,
    links: Mutex<Vec<Arc<Link>>>,
    closed: Mutex<bool>,
    told: Condvar,
}

/// A client's connection and the one to the broker that belongs to it.
struct Link {
    number: u64,
    client: TcpStream,
    upstream: TcpStream,
    /// The client's side was closed on purpose; the broker's is kept for what is still to be delivered there.
    orphaned: AtomicBool,
    /// The requests that are not answered, by correlation id.
    swallowed: Mutex<BTreeSet<i32>>,
    /// One answer at a time.
    answering: Mutex<()>,
    /// An orphan ends with the answer to this one.
    last: Mutex<Option<i32>>,
}

impl Proxy {
    /// One that listens and does not know its broker yet.
    pub(crate) fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            upstream: AtomicU16::new(0),
            refuses: AtomicBool::new(false),
            rule: RwLock::new(Arc::new(|_| Action::Pass)),
            counts: Mutex::default(),
            done: Mutex::default(),
            links: Mutex::default(),
            closed: Mutex::new(false),
            told: Condvar::new(),
        });
        let its = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &its));
        Self { port, shared, accepting: Some(accepting) }
    }

    /// A proxy and a broker behind it, which runs. [`Broker::address`] leads past the proxy.
    pub(crate) fn with_broker() -> (Self, Broker) {
        let (proxy, mut broker) = Self::with_broker_of("");
        broker.start();
        (proxy, broker)
    }

    /// As [`Proxy::with_broker`], with more lines of `server.properties`; it does not run yet.
    pub(crate) fn with_broker_of(more: &str) -> (Self, Broker) {
        let proxy = Self::bind();
        let broker = Broker::with(|ports| Settings { properties: format!("{}{more}", proxy.listeners(ports)), ..Settings::default() });
        (proxy, broker)
    }

    /// The lines of `server.properties` that keep a client behind this proxy when it came by it; leads the proxy there.
    pub(crate) fn listeners(&self, ports: Ports) -> String {
        let Ports { clients, controller, .. } = ports;
        let [inner] = free_ports::<1>();
        self.lead_to(inner);
        let proxy = self.port;
        format!(
            "listeners=PLAINTEXT://127.0.0.1:{clients},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{clients},PROXIED://127.0.0.1:{proxy}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             inter.broker.listener.name=PLAINTEXT\n"
        )
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where connections go from now on.
    pub(crate) fn lead_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::Release);
    }

    /// What becomes of each request from now on.
    pub(crate) fn rule(&self, rule: impl Fn(&Request) -> Action + Send + Sync + 'static) {
        *self.shared.rule.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rule);
    }

    /// From now on everything passes.
    pub(crate) fn pass_all(&self) {
        self.rule(|_| Action::Pass);
    }

    /// What was done so far, by API and name of the action, but for what only passed.
    pub(crate) fn done(&self) -> BTreeMap<(Api, &'static str), u64> {
        locked(&self.shared.done).clone()
    }

    /// How many requests of this API have come.
    pub(crate) fn seen(&self, api: Api) -> u64 {
        locked(&self.shared.counts).get(&api).copied().unwrap_or(0)
    }

    /// Closes every connection; what is still to be delivered late is delivered.
    pub(crate) fn cut_all(&self) {
        for link in locked(&self.shared.links).iter().filter(|link| !link.orphaned.load(Ordering::Acquire)) {
            link.close();
        }
    }

    /// A parted network: nobody comes through, and who was through is cut; until it is `false` again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::Release);
        if refuses {
            self.cut_all();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *locked(&self.shared.closed) = true;
        self.shared.told.notify_all();
        // Wakes it from `accept`.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(accepting) = self.accepting.take() {
            let ended = accepting.join();
            assert!(ended.is_ok() || thread::panicking(), "the proxy failed");
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Lets time pass; at once when the proxy ends. `false`: it does.
    fn goes_on_after(&self, time: Duration) -> bool {
        let closed = locked(&self.closed);
        let (closed, _) = self.told.wait_timeout_while(closed, time, |closed| !*closed).unwrap_or_else(PoisonError::into_inner);
        !*closed
    }

    fn number_of(&self, api: Api) -> u64 {
        let mut counts = locked(&self.counts);
        let count = counts.entry(api).or_default();
        *count += 1;
        *count - 1
    }

    fn note(&self, api: Api, action: Action) {
        *locked(&self.done).entry((api, action.name())).or_default() += 1;
    }
}

impl Link {
    // A side that is closed already cannot be closed again: nothing is wrong with that.
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.upstream.shutdown(Shutdown::Both);
    }

    /// Closes the client's side only.
    fn orphan(&self, last: i32) {
        *locked(&self.last) = Some(last);
        self.orphaned.store(true, Ordering::Release);
        let _ = self.client.shutdown(Shutdown::Both);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 1.. {
        let Ok((client, _)) = listener.accept() else { continue };
        if *locked(&shared.closed) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let upstream = shared.upstream.load(Ordering::Acquire);
        if shared.refuses.load(Ordering::Acquire) || upstream == 0 {
            continue;
        }
        let Ok(upstream) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)) else { continue };
        // Without these the proxy is slower, not wrong.
        let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
        let link = Arc::new(Link {
            number,
            client,
            upstream,
            orphaned: AtomicBool::new(false),
            swallowed: Mutex::default(),
            answering: Mutex::default(),
            last: Mutex::default(),
        });
        locked(&shared.links).push(Arc::clone(&link));
        if shared.refuses.load(Ordering::Acquire) {
            link.close();
        }
        let (back, its) = (Arc::clone(&link), Arc::clone(shared));
        threads.push(thread::spawn(move || {
            // However a connection ends, both sides end.
            let _ = carry_answers(&back);
            back.close();
            locked(&its.links).retain(|other| !Arc::ptr_eq(other, &back));
        }));
        let its = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            let _ = carry_requests(&link, &its);
            // An orphan is left to the thread that reads its answers.
            if !link.orphaned.load(Ordering::Acquire) {
                link.close();
            }
        }));
    }
    locked(&shared.links).iter().for_each(|link| link.close());
    for thread in threads {
        let ended = thread.join();
        assert!(ended.is_ok(), "a thread of the proxy failed");
    }
}

/// From client to broker, until either closes or the rule says so.
fn carry_requests(link: &Link, shared: &Shared) -> io::Result<()> {
    let mut from = BufReader::with_capacity(PIECE, &link.client);
    let mut to = &link.upstream;
    let mut frame = Vec::new();
    loop {
        let mut size = [0; 4];
        from.read_exact(&mut size)?;
        let length = usize::try_from(i32::from_be_bytes(size)).map_err(io::Error::other)?;
        frame.clear();
        frame.extend_from_slice(&size);
        // What stands beyond this is never looked into.
        let near = length.min(PIECE);
        read_more(&mut from, near, &mut frame)?;
        let (request, correlation) =
            read_request(&frame, link.number, |api| shared.number_of(api)).ok_or_else(|| io::Error::other("no Kafka request"))?;
        let api = request.api;
        let action = Arc::clone(&shared.rule.read().unwrap_or_else(PoisonError::into_inner))(&request);
        match action {
            Action::Pass => {}
            Action::Delay(time) => {
                shared.note(api, action);
                if !shared.goes_on_after(time) {
                    return Ok(());
                }
            }
            Action::DropAnswer => {
                shared.note(api, action);
                locked(&link.swallowed).insert(correlation);
            }
            Action::Cut => {
                shared.note(api, action);
                return Ok(());
            }
            Action::CutAfter | Action::DeliverLate(_) => {
                read_more(&mut from, length - near, &mut frame)?;
                link.orphan(correlation);
                if let Action::DeliverLate(time) = action
                    && !shared.goes_on_after(time)
                {
                    return Ok(());
                }
                // Counted when it is really done.
                to.write_all(&frame)?;
                shared.note(api, action);
                return Ok(());
            }
            Action::Answer(error) => {
                assert!(matches!(api, Api::AddOffsetsToTxn | Api::EndTxn), "{api:?} cannot be answered by the proxy");
                let mut answer = 10_i32.to_be_bytes().to_vec();
                answer.extend(correlation.to_be_bytes());
                answer.extend(0_i32.to_be_bytes());
                answer.extend(error.to_be_bytes());
                // One piece, so that it cannot stand in the middle of another answer.
                let _whole = locked(&link.answering);
                (&link.client).write_all(&answer)?;
                shared.note(api, action);
                continue;
            }
        }
        to.write_all(&frame)?;
        carry(&mut from, &mut to, length - near)?;
    }
}

/// From broker to client, until either closes; what an orphan is answered goes nowhere.
fn carry_answers(link: &Link) -> io::Result<()> {
    let mut from = BufReader::with_capacity(PIECE, &link.upstream);
    let mut frame = Vec::new();
    loop {
        let mut head = [0; 8];
        from.read_exact(&mut head)?;
        let [s0, s1, s2, s3, c0, c1, c2, c3] = head;
        let length = usize::try_from(i32::from_be_bytes([s0, s1, s2, s3])).map_err(io::Error::other)?;
        let correlation = i32::from_be_bytes([c0, c1, c2, c3]);
        let rest = length.checked_sub(4).ok_or_else(|| io::Error::other("no Kafka answer"))?;
        let orphaned = link.orphaned.load(Ordering::Acquire);
        if orphaned || locked(&link.swallowed).remove(&correlation) {
            carry(&mut from, &mut io::sink(), rest)?;
            if orphaned && *locked(&link.last) == Some(correlation) {
                return Ok(());
            }
            continue;
        }
        frame.clear();
        frame.extend_from_slice(&head);
        let near = rest.min(PIECE);
        read_more(&mut from, near, &mut frame)?;
        let mut to = &link.client;
        let _whole = locked(&link.answering);
        let written = to.write_all(&frame).and_then(|()| carry(&mut from, &mut to, rest - near));
        // Orphaned meanwhile: this answer is lost, and the one that was awaited may still come.
        if !link.orphaned.load(Ordering::Acquire) {
            written?;
        }
    }
}

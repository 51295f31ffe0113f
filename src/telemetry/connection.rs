//! How much of this process a client can hold: so many connections, and each only while answers go out over it. Knows
//! nothing of HTTP: a client that trickles a request, sends none or does not read its answer looks the same from here.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// What clients can hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once. Whoever comes when all are taken gets the place of the one that was silent longest.
    pub connections: usize,
    /// A new connection over which no byte of an answer went out for so long is closed: a request is one small packet.
    pub request: Duration,
    /// A later one may be silent for so long. Longer than a scrape interval, so that a scraper keeps its connection.
    pub silence: Duration,
    /// A connection is closed after so long, whatever goes on over it.
    pub life: Duration,
    /// Bytes of a request; a longer one is not read to its end, unless whoever answers it lets more in.
    pub request_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            request: Duration::from_secs(5),
            silence: Duration::from_secs(30),
            life: Duration::from_mins(10),
            request_bytes: 16 << 10,
        }
    }
}

/// What whoever answers a request says to its connection, and hears from it.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    /// How many bytes more than [`Bounds::request_bytes`] the request at hand may have: none, until somebody who is to answer it says.
    more: Arc<AtomicUsize>,
    /// Closed when another wants the place.
    stay: Arc<Semaphore>,
    /// How long an answer may take to begin, so that the client still hears it.
    patience: Duration,
}

impl Guest {
    fn new(bounds: Bounds) -> Self {
        Self { more: Arc::default(), stay: Arc::new(Semaphore::new(0)), patience: bounds.request * 4 / 5 }
    }

    /// Lets in so many more bytes, of this request alone.
    pub(super) fn let_in(&self, bytes: usize) {
        self.more.store(bytes, Ordering::Relaxed);
    }

    /// How long an answer may take to begin, so that the client still hears it.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Ends when another wants the place. Whoever lets a client wait listens to this: while a request is answered with the next one
    /// already in the house, nobody reads from the connection, so it cannot tell by itself.
    pub(super) async fn is_to_leave(&self) {
        // Nothing is ever given out.
        let _ = self.stay.acquire().await;
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Guest {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        stream.io().guest.clone()
    }
}

/// Listens within bounds.
pub(super) struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
    guests: Arc<Guests>,
    bounds: Bounds,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, bounds: Bounds) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(bounds.connections)), guests: Arc::default(), bounds }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // axum's own listener waits a second after an error such as "too many open files".
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if self.free.available_permits() == 0 {
            self.guests.show_one_out();
        }
        let held = Arc::clone(&self.free).acquire_owned().await.ok();
        (Connection::new(stream, held, &self.guests, self.bounds), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Whose connections there are: since when each is silent, and how to show it out.
#[derive(Default)]
struct Guests(Mutex<GuestList>);

#[derive(Default)]
struct GuestList {
    came: u64,
    here: BTreeMap<u64, (Instant, Guest)>,
}

impl Guests {
    fn list(&self) -> MutexGuard<'_, GuestList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn come(&self, guest: Guest) -> u64 {
        let mut list = self.list();
        list.came += 1;
        let number = list.came;
        list.here.insert(number, (Instant::now(), guest));
        number
    }

    fn heard(&self, number: u64) {
        if let Some((since, _)) = self.list().here.get_mut(&number) {
            *since = Instant::now();
        }
    }

    fn gone(&self, number: u64) {
        self.list().here.remove(&number);
    }

    /// The one that was silent longest.
    fn show_one_out(&self) {
        let mut list = self.list();
        let oldest = list.here.iter().min_by_key(|(_, (since, _))| *since).map(|(number, _)| *number);
        if let Some((_, guest)) = oldest.and_then(|number| list.here.remove(&number)) {
            guest.stay.close();
        }
    }
}

/// One client's connection; ends by itself.
pub(super) struct Connection {
    stream: TcpStream,
    bounds: Bounds,
    ends: Instant,
    silent: Pin<Box<Sleep>>,
    guests: Arc<Guests>,
    number: u64,
    told_to_leave: Pin<Box<dyn Future<Output = ()> + Send>>,
    leaves: bool,
    /// Bytes that came since an answer went out.
    asked: usize,
    guest: Guest,
    /// Given back when the connection is dropped.
    _held: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, held: Option<OwnedSemaphorePermit>, guests: &Arc<Guests>, bounds: Bounds) -> Self {
        let guest = Guest::new(bounds);
        let told = guest.clone();
        Self {
            stream,
            bounds,
            ends: Instant::now() + bounds.life,
            silent: Box::pin(sleep(bounds.request.min(bounds.life))),
            guests: Arc::clone(guests),
            number: guests.come(guest.clone()),
            told_to_leave: Box::pin(async move { told.is_to_leave().await }),
            leaves: false,
            asked: 0,
            guest,
            _held: held,
        }
    }

    /// Whether the client's time is over; wakes the task when it will be.
    fn over(&mut self, context: &mut Context<'_>) -> bool {
        self.leaves = self.leaves || self.told_to_leave.as_mut().poll(context).is_ready();
        self.leaves || self.silent.as_mut().poll(context).is_ready()
    }

    fn wrote<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            let until = (Instant::now() + self.bounds.silence).min(self.ends);
            self.silent.as_mut().reset(until);
            self.asked = 0;
            self.guest.let_in(0);
            self.guests.heard(self.number);
        }
        written
    }

    fn timed_out<T>() -> Poll<io::Result<T>> {
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.guests.gone(self.number);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over(context) || self.asked > self.bounds.request_bytes + self.guest.more.load(Ordering::Relaxed) {
            // The end of the stream: between two requests that is the polite way to part.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.asked += buffer.filled().len() - before;
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.over(context) {
            return Self::timed_out();
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.over(context) {
            return Self::timed_out();
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

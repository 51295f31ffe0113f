//! How much of this process a client can hold: so many connections, and each only while answers go out over it. Knows
//! nothing of HTTP: a client that trickles a request, sends none or does not read its answer looks the same from here.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// What clients can hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// A connection over which no byte of an answer went out for so long is closed. Longer than a scrape interval, so that a
    /// scraper keeps its connection.
    pub silence: Duration,
    /// A connection is closed after so long, whatever goes on over it.
    pub life: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: 64, silence: Duration::from_secs(30), life: Duration::from_mins(10) }
    }
}

/// Listens within bounds.
pub(super) struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
    bounds: Bounds,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, bounds: Bounds) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(bounds.connections)), bounds }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let held = Arc::clone(&self.free).acquire_owned().await.ok();
        // axum's own listener waits a second after an error such as "too many open files".
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Connection::new(stream, held, self.bounds), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One client's connection; ends by itself.
pub(super) struct Connection {
    stream: TcpStream,
    bounds: Bounds,
    ends: Instant,
    silent: Pin<Box<Sleep>>,
    /// Given back when the connection is dropped.
    _held: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, held: Option<OwnedSemaphorePermit>, bounds: Bounds) -> Self {
        let silence = bounds.silence.min(bounds.life);
        Self { stream, bounds, ends: Instant::now() + bounds.life, silent: Box::pin(sleep(silence)), _held: held }
    }

    /// Whether the client's time is over; wakes the task when it will be.
    fn over(&mut self, context: &mut Context<'_>) -> bool {
        self.silent.as_mut().poll(context).is_ready()
    }

    fn wrote<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            let until = (Instant::now() + self.bounds.silence).min(self.ends);
            self.silent.as_mut().reset(until);
        }
        written
    }

    fn timed_out<T>() -> Poll<io::Result<T>> {
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over(context) {
            // The end of the stream: between two requests that is the polite way to part.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
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

//! The read-only HTTP of a running process: `/metrics`, `/healthz`, `/readyz`, `/status`. On a thread and a runtime of its
//! own, so that no lane ever waits for a client. What the pages say is `metrics`' and `status`' matter, how long a client may
//! take is `connection`'s.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::oneshot;

use super::{
    Metrics, Status,
    connection::{Bounded, Bounds},
};

/// How long answers that are being written may still take once the server is asked to stop.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    status: Arc<Status>,
}

/// A server that answers. Dropping it changes nothing: it answers until the process ends, or until [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Where it listens; the port is the real one, also where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, lets answers under way be finished for a second, and returns when the port is free.
    pub fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // Whoever would hear it has already ended.
            let _ = stop.send(());
        }
        if self.thread.join().is_err() {
            tracing::error!("http ended on a bug; please report it");
        }
    }
}

/// Binds `listen` (port 0: a free one) and serves until the process ends. Returns the bound address.
///
/// # Errors
/// When the address is taken or not ours.
pub fn serve(listen: SocketAddr, metrics: Metrics, status: Arc<Status>) -> std::io::Result<SocketAddr> {
    start(listen, metrics, status, Bounds::default()).map(|server| server.address())
}

/// Binds `listen` (port 0: a free one) and answers on a thread of its own.
///
/// # Errors
/// When the address is taken or not ours, or the system gives no thread.
pub fn start(listen: SocketAddr, metrics: Metrics, status: Arc<Status>, bounds: Bounds) -> std::io::Result<Server> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _context = runtime.enter();
        Bounded::new(tokio::net::TcpListener::from_std(listener)?, bounds)
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = move || {
        runtime.block_on(answer(listener, pages(Shown { metrics, status }), stopped));
        // A client that does not read its answer is left behind.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("http".to_owned()).spawn(serve)?;
    Ok(Server { address, stop: Some(stop), thread })
}

/// Answers until `stopped`, and a little longer.
async fn answer(listener: Bounded, pages: Router, stopped: oneshot::Receiver<()>) {
    let (finish, finished) = oneshot::channel::<()>();
    let server = axum::serve(listener, pages).with_graceful_shutdown(async {
        let _ = finished.await;
    });
    let ending = async {
        if stopped.await.is_err() {
            // The server was dropped, not stopped.
            std::future::pending::<()>().await;
        }
        let _ = finish.send(());
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        ended = server => if let Err(error) = ended {
            tracing::error!(%error, "http ended");
        },
        () = ending => {}
    }
}

fn pages(shown: Shown) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/status", get(status_page))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(shown)
}

fn page(code: StatusCode, content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let of_its_own: [(HeaderName, HeaderValue); 1] = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    (code, SECURITY.map(|(name, value)| (name, HeaderValue::from_static(value))), of_its_own, body.into()).into_response()
}

/// On every page: kept by nobody, taken for nothing else, loads nothing, is framed by nobody, tells nobody where it was.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

async fn index() -> Response {
    let text = "leadstream\n\n\
                /metrics  what is counted, for Prometheus\n\
                /healthz  alive: no lane is stuck\n\
                /readyz   ready: the broker answers, every lane has joined its group\n\
                /status   lanes, partitions, offsets, lag, ruleset (JSON)\n";
    page(StatusCode::OK, TEXT, text)
}

async fn metrics_page(State(shown): State<Shown>) -> Response {
    page(StatusCode::OK, Metrics::content_type(), shown.metrics.render())
}

async fn healthz(State(shown): State<Shown>) -> Response {
    let stuck = shown.status.stuck(Instant::now());
    if stuck.is_empty() {
        return page(StatusCode::OK, TEXT, "ok\n");
    }
    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("stuck lanes: {stuck:?}\n"))
}

async fn readyz(State(shown): State<Shown>) -> Response {
    let missing = shown.status.missing();
    let code = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": missing.is_empty(), "missing": missing, "warnings": shown.status.warnings() });
    page(code, JSON, format!("{body}\n"))
}

async fn status_page(State(shown): State<Shown>) -> Response {
    page(StatusCode::OK, JSON, format!("{:#}\n", shown.status.to_json(Instant::now())))
}

async fn not_found() -> Response {
    page(StatusCode::NOT_FOUND, TEXT, "not found; / lists what there is\n")
}

async fn not_allowed() -> Response {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "read-only: GET or HEAD\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

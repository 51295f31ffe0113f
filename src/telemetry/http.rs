//! The read-only HTTP of a running process: the console at `/`, `/metrics`, `/healthz`, `/readyz`, `/status`, `POST /explain`. On a
//! thread and a runtime of its own, so that no lane ever waits for a client. What the pages say is `console`'s, `metrics`' and
//! `status`' matter, how long a client may take is `connection`'s.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{ConnectInfo, RawQuery, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use crate::lead::Timestamp;

use super::{
    Explained, Explainer, Metrics, Status,
    connection::{Bounded, Bounds, Guest},
    console::{self, File},
    hosts,
};

/// How long answers that are being written may still take once the server is asked to stop.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    status: Arc<Status>,
    explainer: Explainer,
    address: SocketAddr,
    /// One page that takes time at once.
    turn: Arc<Semaphore>,
}

impl Shown {
    /// The turn to write a page that takes time. There is one thread for all: between two such pages it sees to whatever else waits,
    /// so that many of them, asked for at once, put off no probe for longer than one takes.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let turn = self.turn.acquire().await.ok();
        tokio::task::yield_now().await;
        turn
    }
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
pub fn serve(listen: SocketAddr, metrics: Metrics, status: Arc<Status>, explainer: Explainer) -> std::io::Result<SocketAddr> {
    start(listen, metrics, status, explainer, Bounds::default()).map(|server| server.address())
}

/// Binds `listen` (port 0: a free one) and answers on a thread of its own.
///
/// # Errors
/// When the address is taken or not ours, or the system gives no thread.
pub fn start(listen: SocketAddr, metrics: Metrics, status: Arc<Status>, explainer: Explainer, bounds: Bounds) -> std::io::Result<Server> {
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
        let shown = Shown { metrics, status, explainer, address, turn: Arc::new(Semaphore::new(1)) };
        runtime.block_on(answer(listener, pages(shown), stopped));
        // A client that does not read its answer is left behind.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("http".to_owned()).spawn(serve)?;
    Ok(Server { address, stop: Some(stop), thread })
}

/// Answers until `stopped`, and a little longer.
async fn answer(listener: Bounded, pages: Router, stopped: oneshot::Receiver<()>) {
    let (finish, finished) = oneshot::channel::<()>();
    let server = axum::serve(listener, pages.into_make_service_with_connect_info::<Guest>()).with_graceful_shutdown(async {
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
    let files = console::FILES.into_iter().fold(Router::new(), |router, file| router.route(file.path, get(async move || shown_file(file))));
    let mut pages = files.route("/status", get(status_page)).route("/explain", post(explain).fallback(not_explained));
    if hosts::are_checked(shown.address) {
        pages = pages.route_layer(middleware::from_fn_with_state(shown.address, by_its_own_name));
    }
    pages
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(shown)
}

/// Shows what is behind it only to whoever calls this process by an address or localhost.
async fn by_its_own_name(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    if hosts::are_own(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let text = format!(
        "leadstream listens on the loopback, where it shows this to whoever calls it by an address or localhost: ask http://{address}/, \
         or have the proxy in between send that as Host\n"
    );
    page(StatusCode::FORBIDDEN, TEXT, text)
}

fn page(code: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let of_its_own: [(HeaderName, HeaderValue); 1] = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    (code, SECURITY.map(|(name, value)| (name, HeaderValue::from_static(value))), of_its_own, body.into()).into_response()
}

fn shown_file(file: File) -> Response {
    let mut response = page(StatusCode::OK, file.content_type, file.text);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(console::POLICY));
    response
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

async fn metrics_page(State(shown): State<Shown>) -> Response {
    let _turn = shown.turn().await;
    shown.metrics.stands(&shown.status.lanes(Instant::now()), shown.status.missing().is_empty());
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

async fn status_page(State(shown): State<Shown>, RawQuery(query): RawQuery) -> Response {
    let _turn = shown.turn().await;
    let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let mut status = shown.status.to_json(Instant::now());
    status["now"] = serde_json::json!(now);
    if query.is_some_and(|query| query.split('&').any(|part| part == "history" || part.starts_with("history="))) {
        status["history"] = shown.status.history(now);
    }
    page(StatusCode::OK, JSON, format!("{status:#}\n"))
}

/// A raw lead in, `explain --json` out; `lead-format` may name the format, as on a record. Whatever takes too long is answered before
/// the connection is given up.
async fn explain(State(shown): State<Shown>, ConnectInfo(guest): ConnectInfo<Guest>, headers: HeaderMap, body: Body) -> Response {
    let Ok(format) = headers.get("lead-format").map(HeaderValue::to_str).transpose() else {
        let text = "the header lead-format is no plain text; it names the format of the record, such as crm_row, or is left out\n";
        return page(StatusCode::BAD_REQUEST, TEXT, text);
    };
    let until = tokio::time::Instant::now() + guest.patience();
    let explained = async {
        let record = match whole(&guest, body, until).await {
            Ok(record) => record,
            Err(refused) => return refused,
        };
        match shown.explainer.explain(record, format.map(str::to_owned), until).await {
            Explained::Json(text) => page(StatusCode::OK, JSON, text),
            Explained::TooMuch(why) => page(StatusCode::UNPROCESSABLE_ENTITY, TEXT, format!("{why}\n")),
            Explained::Unavailable(why) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
        }
    };
    tokio::select! {
        response = explained => response,
        () = guest.is_to_leave() => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "too many clients at once; try again\n"),
    }
}

/// All of a record that is to be explained, or the answer to one that is too large or does not come.
async fn whole(guest: &Guest, body: Body, until: tokio::time::Instant) -> Result<Vec<u8>, Response> {
    let too_large = || {
        let text = format!("a record has at most {} bytes here; `leadstream explain FILE` takes more\n", console::LARGEST);
        page(StatusCode::PAYLOAD_TOO_LARGE, TEXT, text)
    };
    // Whoever says so beforehand need not send it.
    if body.size_hint().lower() > console::LARGEST as u64 {
        return Err(too_large());
    }
    // A byte more shows that it is too large.
    guest.let_in(console::LARGEST + 1);
    match tokio::time::timeout_at(until, axum::body::to_bytes(body, console::LARGEST)).await {
        Ok(Ok(record)) => Ok(record.to_vec()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let text = format!("the record has not arrived within {:?}; send it again, all at once\n", guest.patience());
            Err(page(StatusCode::REQUEST_TIMEOUT, TEXT, text))
        }
    }
}

async fn not_explained() -> Response {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "POST a raw lead to have it explained\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn not_found() -> Response {
    page(StatusCode::NOT_FOUND, TEXT, "not found; there are / /metrics /healthz /readyz /status and POST /explain\n")
}

async fn not_allowed() -> Response {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "read-only: GET or HEAD\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

//! The read-only HTTP of a running process: `/metrics`, `/healthz`, `/readyz`, `/status`. On a thread and a runtime of its
//! own, so that no lane ever waits for a client.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::Instant,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Metrics, Status};

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    status: Arc<Status>,
}

/// Binds `listen` (port 0: a free one) and serves until the process ends. Returns the bound address.
///
/// # Errors
/// When the address is taken or not ours.
pub fn serve(listen: SocketAddr, metrics: Metrics, status: Arc<Status>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _context = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let pages = Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/status", get(status_page))
        .with_state(Shown { metrics, status });
    let serve = move || {
        runtime.block_on(async {
            if let Err(error) = axum::serve(listener, pages).await {
                tracing::error!(%error, "http ended");
            }
        });
    };
    thread::Builder::new().name("http".to_owned()).spawn(serve)?;
    Ok(address)
}

fn page(code: StatusCode, content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (code, headers, body.into()).into_response()
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

async fn index() -> Response {
    page(StatusCode::OK, TEXT, "leadstream\n\n/metrics\n/healthz\n/readyz\n/status\n")
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
    let body = serde_json::json!({ "ready": missing.is_empty(), "missing": missing });
    page(code, JSON, format!("{body}\n"))
}

async fn status_page(State(shown): State<Shown>) -> Response {
    page(StatusCode::OK, JSON, format!("{:#}\n", shown.status.to_json()))
}

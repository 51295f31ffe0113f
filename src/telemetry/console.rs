//! The console: the page at `/` with its script, style and chart library, all from the binary, and the door through which it has a
//! pasted lead explained. What the page shows comes from `/status`; who explains is told from outside, and may not be there yet.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

/// One file of the console.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// Where it is asked for.
    pub(super) path: &'static str,
    /// What it is.
    pub(super) content_type: &'static str,
    /// All of it.
    pub(super) text: &'static str,
}

/// All files. The chart library is uPlot, under the MIT licence that stands beside it.
pub(super) const FILES: [File; 7] = [
    File { path: "/", content_type: "text/html; charset=utf-8", text: include_str!("console/index.html") },
    File { path: "/console.css", content_type: "text/css; charset=utf-8", text: include_str!("console/console.css") },
    File { path: "/console.js", content_type: SCRIPT, text: include_str!("console/console.js") },
    File { path: "/explanation.js", content_type: SCRIPT, text: include_str!("console/explanation.js") },
    File { path: "/uplot.js", content_type: SCRIPT, text: include_str!("console/uplot/uPlot.iife.min.js") },
    File { path: "/uplot.css", content_type: "text/css; charset=utf-8", text: include_str!("console/uplot/uPlot.min.css") },
    File { path: "/icon.svg", content_type: "image/svg+xml", text: include_str!("console/icon.svg") },
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Scripts, styles and pictures are the binary's own, and so is whoever is asked; nothing is loaded from elsewhere.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A pasted record has at most so many bytes: as many as a record of a topic, unless told otherwise there.
pub(super) const LARGEST: usize = 1 << 20;

/// Who waits for others to be explained waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of asking for an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explained {
    /// What `explain --json` prints.
    Json(Vec<u8>),
    /// The record asks for more than is explained here, and what to do.
    TooMuch(String),
    /// Something that is needed does not answer.
    Unavailable(String),
}

/// Explains a raw record: its bytes, and the name of its format where that is told.
type Explain = dyn Fn(&[u8], Option<&str>) -> Explained + Send + Sync;

/// The door to whoever explains.
#[derive(Clone, Default)]
pub struct Explainer {
    explain: Arc<OnceLock<Box<Explain>>>,
    /// One at a time: explaining is no reason to keep lanes waiting for a processor.
    turn: Turn,
}

#[derive(Clone)]
struct Turn(Arc<Semaphore>);

impl Default for Turn {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl fmt::Debug for Explainer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Explainer").field("is_there", &self.explain.get().is_some()).finish_non_exhaustive()
    }
}

impl Explainer {
    /// From now on records are explained by this; the first one stays.
    pub fn set(&self, explain: impl Fn(&[u8], Option<&str>) -> Explained + Send + Sync + 'static) {
        // Who comes second explains no better.
        let _ = self.explain.set(Box::new(explain));
    }

    /// Explains on a thread where waiting holds nobody up. Whoever asks is told by `until` what came of it, or that nothing has.
    pub(super) async fn explain(&self, record: Vec<u8>, format: Option<String>, until: Instant) -> Explained {
        let patience = PATIENCE.min(until.saturating_duration_since(Instant::now()));
        let Ok(Ok(turn)) = timeout(patience, Arc::clone(&self.turn.0).acquire_owned()).await else {
            return Explained::Unavailable("other records are being explained; try again".to_owned());
        };
        let explain = Arc::clone(&self.explain);
        let explained = tokio::task::spawn_blocking(move || {
            // Held for as long as it takes, also where nobody waits for it any longer.
            let _turn = turn;
            match explain.get() {
                Some(explain) => explain(&record, format.as_deref()),
                None => Explained::Unavailable("the rules are not loaded yet; try again".to_owned()),
            }
        });
        match timeout_at(until, explained).await {
            Ok(explained) => explained.unwrap_or_else(|_| Explained::Unavailable("a bug; the log says where, please report it".to_owned())),
            Err(_) => Explained::Unavailable(
                "explaining it takes longer than is waited for here; `leadstream explain FILE` takes its time".to_owned(),
            ),
        }
    }
}

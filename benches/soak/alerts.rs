//! Which alerts of `deploy/prometheus` fired, by Prometheus's own series, and whether what was done explains each; and which
//! should have fired and did not.

use serde_json::{Value, json};

use super::{
    deeds::{Deed, Kind},
    figures::Measured,
    ground::Ground,
    prometheus::Prometheus,
};

/// An alert that is away for longer has ended; Prometheus is asked second by second.
const GAP: f64 = 3.0;
/// From something to what the metrics tell of it, at most: rules are looked at each half second, pages are scraped each second,
/// alerts evaluated each second, and the machine is busy.
const SEEN: f64 = 15.0;
/// The `for` of `LeadstreamTargetDown`.
const AWAY: f64 = 300.0;
/// What `LeadstreamRecycling` looks back.
const HOUR: f64 = 3600.0;

/// One that fired.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    /// Whom it was of, as far as it says.
    pub(crate) of: String,
    /// Seconds since the load began.
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// What was done that explains it.
    pub(crate) because: Option<&'static str>,
}

impl Alert {
    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let Self { name, of, from, to, because } = self;
        json!({ "name": name, "of": of, "from": from, "to": to, "because": because })
    }
}

/// What Prometheus saw.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    pub(crate) fired: Vec<Alert>,
    /// What should have fired and did not.
    pub(crate) silent: Vec<String>,
    /// Scrapes of the process that is looked at, and how many of them failed.
    pub(crate) scrapes: usize,
    pub(crate) failed: usize,
    /// Producers that were replaced, by reason; and the most that `leadstream_unaccounted_records` ever was.
    pub(crate) recycles: Vec<(String, f64)>,
    pub(crate) unaccounted: f64,
}

impl Alerts {
    /// Asks this Prometheus about the time since the load began.
    pub(crate) fn seen(prometheus: &Prometheus, ground: &Ground, measured: &Measured) -> Self {
        let (clock, deeds) = (measured.clock, &measured.deeds);
        let begun = clock.millis as f64 / 1000.0;
        let seconds = clock.at().ceil() as i64;
        let [looked_at, guest] = ground.ports.map(|port| format!("127.0.0.1:{port}"));
        let mut fired = Vec::new();
        for series in prometheus.history("ALERTS{alertstate=\"firing\"}", seconds) {
            let label = |name: &str| series.labels[name].as_str().unwrap_or_default().to_owned();
            let name = label("alertname");
            let of = match label("instance") {
                instance if instance == guest => "the second process".to_owned(),
                instance if instance == looked_at => "the process that is looked at".to_owned(),
                instance if instance.is_empty() => "the job".to_owned(),
                instance => instance,
            };
            for (from, to) in stretches(&series.times) {
                let (from, to) = (from - begun, to - begun);
                fired.push(Alert { because: cause(&name, from, deeds), name: name.clone(), of: of.clone(), from, to });
            }
        }
        fired.sort_by(|one, other| one.from.total_cmp(&other.from));
        let silent = silent(&fired, deeds, measured.seconds);
        let values = |query: &str| prometheus.history(query, seconds).into_iter().flat_map(|series| series.values).collect::<Vec<_>>();
        let up = values(&format!("up{{instance=\"{looked_at}\"}}"));
        let recycles = prometheus.query(&format!("leadstream_producer_recycles_total{{instance=\"{looked_at}\"}}"));
        let recycles =
            recycles.into_iter().map(|series| (series.labels["reason"].as_str().unwrap_or_default().to_owned(), series.values[0]));
        Self {
            fired,
            silent,
            scrapes: up.len(),
            failed: up.iter().filter(|up| **up < 1.0).count(),
            recycles: recycles.filter(|(_, count)| *count > 0.0).collect(),
            unaccounted: values("leadstream_unaccounted_records").into_iter().fold(0.0, f64::max),
        }
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let recycles: serde_json::Map<_, _> = self.recycles.iter().map(|(reason, count)| (reason.clone(), json!(count))).collect();
        json!({
            "fired": self.fired.iter().map(Alert::json).collect::<Vec<_>>(), "should_have_fired": self.silent,
            "scrapes": self.scrapes, "scrapes_failed": self.failed, "producer_recycles": recycles, "unaccounted": self.unaccounted,
        })
    }
}

/// Times in a row, as their first and last.
fn stretches(times: &[f64]) -> Vec<(f64, f64)> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    for time in times {
        match found.last_mut() {
            Some((_, to)) if time - *to <= GAP => *to = *time,
            _ => found.push((*time, *time)),
        }
    }
    found
}

/// What was done that makes an alert of this name begin then.
fn cause(name: &str, at: f64, deeds: &[Deed]) -> Option<&'static str> {
    let done = |explains: &dyn Fn(&Deed) -> bool| deeds.iter().rev().find(|deed| explains(deed)).map(|deed| deed.kind.name());
    match name {
        "LeadstreamReloadRefused" => done(&|deed| deed.kind == Kind::BadRules && (deed.from..deed.to + SEEN).contains(&at)),
        "LeadstreamTargetDown" => done(&|deed| is_end(deed.kind) && (deed.from + AWAY..deed.to + AWAY + 2.0 * SEEN).contains(&at)),
        "LeadstreamRecycling" => done(&|deed| deed.kind == Kind::Stall && (deed.from..deed.from + HOUR).contains(&at)),
        _ => None,
    }
}

/// What was done and no alert told of.
fn silent(fired: &[Alert], deeds: &[Deed], seconds: f64) -> Vec<String> {
    let told = |name: &str, from: f64, to: f64| fired.iter().any(|alert| alert.name == name && alert.from < to && alert.to > from);
    let mut silent = Vec::new();
    for (number, deed) in deeds.iter().enumerate() {
        if deed.kind == Kind::BadRules && deed.to - deed.from > SEEN && !told("LeadstreamReloadRefused", deed.from, deed.to) {
            silent.push(format!("LeadstreamReloadRefused: bad rules at {:.0} s", deed.from));
        }
        let back = deeds[number..].iter().find(|later| later.kind == Kind::Joined).map_or(seconds, |later| later.from);
        if is_end(deed.kind) && back - deed.to > AWAY + 2.0 * SEEN && !told("LeadstreamTargetDown", deed.to, back) {
            silent.push(format!("LeadstreamTargetDown: a process that was away from {:.0} s to {back:.0} s", deed.from));
        }
    }
    silent
}

fn is_end(kind: Kind) -> bool {
    matches!(kind, Kind::Killed | Kind::Left)
}

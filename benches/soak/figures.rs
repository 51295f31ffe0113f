//! From samples to figures: fifths of a soak, what grew from the second to the last, and what speaks against it.

use serde_json::{Value, json};

use super::{Options, alerts::Alerts, deeds::Deed, ground::Verified, latency::BySecond, load::Clock, samples::Sample};

/// Parts of a soak.
const PARTS: usize = 5;
/// By so many may handles and threads differ: a connection is made anew now and then.
const MORE: f64 = 2.0;

/// All that was seen while it ran.
pub(crate) struct Measured {
    /// Leads a second that the machine bears, that were sent, and the bytes of one on disk.
    pub(crate) borne: f64,
    pub(crate) rate: u64,
    pub(crate) bytes: f64,
    pub(crate) clock: Clock,
    pub(crate) seconds: f64,
    /// Seconds by which a lead was sent late at most: while the broker stalls, the client holds them.
    pub(crate) late: f64,
    /// All leads, those by which it was found out what is borne too.
    pub(crate) sent: u64,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) latencies: BySecond,
}

/// The middle of some figures, and the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Level {
    /// Of these.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        Self { median: at(&sorted, 0.5).unwrap_or(f64::NAN), most: at(&sorted, 1.0).unwrap_or(f64::NAN) }
    }

    /// Both.
    pub(crate) fn json(self) -> Value {
        json!({ "median": self.median, "most": self.most })
    }
}

/// Milliseconds from due to visible, and of how many leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub(crate) p50: u16,
    pub(crate) p99: u16,
    pub(crate) leads: usize,
}

impl Waits {
    fn of(latencies: &BySecond, from: f64, to: f64, counts: impl Fn(f64) -> bool) -> Self {
        let seconds = from as usize..(to as usize).min(latencies.len());
        let mut all: Vec<u16> =
            seconds.filter(|second| counts(*second as f64)).flat_map(|second| latencies[second].iter().copied()).collect();
        all.sort_unstable();
        let of = |share| at(&all, share).unwrap_or_default();
        Self { p50: of(0.5), p99: of(0.99), leads: all.len() }
    }

    fn json(self) -> Value {
        json!({ "p50_ms": self.p50, "p99_ms": self.p99, "leads": self.leads })
    }
}

/// The figure below which this share of sorted ones lies.
fn at<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied()
}

/// One fifth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fifth {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) resident: Level,
    pub(crate) anonymous: Level,
    pub(crate) handles: Level,
    pub(crate) threads: Level,
    pub(crate) leads_a_second: f64,
    /// CPU-seconds a million leads.
    pub(crate) cpu: f64,
    /// Without what stalls, and a process that comes or goes, made wait; and with it.
    pub(crate) calm: Waits,
    pub(crate) all: Waits,
    pub(crate) busy: f64,
}

impl Fifth {
    fn of(measured: &Measured, number: usize) -> Self {
        let long = measured.seconds / PARTS as f64;
        let (from, to) = (number as f64 * long, (number + 1) as f64 * long);
        let samples: Vec<_> = measured.samples.iter().filter(|sample| (from..to).contains(&sample.at)).collect();
        let level = |figure: fn(&Sample) -> f64| Level::of(samples.iter().map(|sample| figure(sample)));
        let over =
            |figure: fn(&Sample) -> f64| samples.last().zip(samples.first()).map_or(f64::NAN, |(last, first)| figure(last) - figure(first));
        let decided = over(|sample| sample.decided as f64);
        let is_calm = |second: f64| !measured.deeds.iter().any(|deed| is_disturbed(measured, deed, second));
        Self {
            from,
            to,
            resident: level(|sample| sample.resident),
            anonymous: level(|sample| sample.anonymous),
            handles: level(|sample| sample.handles),
            threads: level(|sample| sample.threads),
            leads_a_second: decided / over(|sample| sample.at),
            cpu: over(|sample| sample.cpu) * 1e6 / decided,
            calm: Waits::of(&measured.latencies, from, to, is_calm),
            all: Waits::of(&measured.latencies, from, to, |_| true),
            busy: level(|sample| sample.busy).median,
        }
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "from": self.from, "to": self.to, "rss_mib": self.resident.json(), "anonymous_mib": self.anonymous.json(),
            "handles": self.handles.json(), "threads": self.threads.json(), "leads_a_second": self.leads_a_second,
            "cpu_seconds_a_million": self.cpu, "latency_without_disturbances": self.calm.json(), "latency": self.all.json(),
            "load_average": self.busy,
        })
    }
}

/// Whether leads that were due in this second may have waited because of that: until no more wait than come in a second.
fn is_disturbed(measured: &Measured, deed: &Deed, second: f64) -> bool {
    let Some(least) = deed.kind.disturbs() else { return false };
    let over = measured.samples.iter().find(|sample| sample.at > deed.to + least && sample.behind < measured.rate);
    (deed.from - 1.0..over.map_or(f64::MAX, |sample| sample.at)).contains(&second)
}

/// All of a soak, and what speaks against it.
pub(crate) struct Soak {
    pub(crate) measured: Measured,
    pub(crate) fifths: Vec<Fifth>,
    pub(crate) alerts: Alerts,
    pub(crate) verified: Verified,
    /// The most memory the process ever had, MiB.
    pub(crate) peak: f64,
    pub(crate) complaints: Vec<String>,
}

impl Soak {
    /// Sums it up.
    pub(crate) fn of(options: &Options, measured: Measured, alerts: Alerts, verified: Verified, (peak, exit): (f64, i32)) -> Self {
        let fifths: Vec<_> = (0..PARTS).map(|number| Fifth::of(&measured, number)).collect();
        let mut complaints = Vec::new();
        let (second, last) = (&fifths[1], &fifths[PARTS - 1]);
        let grown = growth(second.resident.median, last.resident.median);
        // What was not measured is no good news.
        if grown.is_nan() || grown > options.growth {
            complaints.push(format!("memory grew by {grown:.1} % from the second fifth to the last; {} % may be", options.growth));
        }
        for (what, of) in [("file handles", (|fifth| fifth.handles.median) as fn(&Fifth) -> f64), ("threads", |fifth| fifth.threads.median)]
        {
            let more = of(last) - of(second);
            if more.is_nan() || more > MORE {
                complaints.push(format!("there are {more} more {what} in the last fifth than in the second"));
            }
        }
        if verified.exit != 0 {
            complaints.push(format!("`leadstream verify` ended with {}: {}", verified.exit, verified.report));
        }
        if exit != 0 {
            complaints.push(format!("the process ended with {exit} on SIGTERM"));
        }
        for alert in alerts.fired.iter().filter(|alert| alert.because.is_none()) {
            complaints.push(format!("{} fired at {:.0} s, and nothing that was done explains it", alert.name, alert.from));
        }
        complaints.extend(alerts.silent.iter().map(|silent| format!("did not fire: {silent}")));
        Self { measured, fifths, alerts, verified, peak, complaints }
    }

    /// From the first fifth to the last and from the second to the last, percent.
    pub(crate) fn slope(&self, of: impl Fn(&Fifth) -> f64) -> (f64, f64) {
        let last = of(&self.fifths[PARTS - 1]);
        (growth(of(&self.fifths[0]), last), growth(of(&self.fifths[1]), last))
    }
}

/// Percent.
pub(crate) fn growth(from: f64, to: f64) -> f64 {
    (to / from - 1.0) * 100.0
}

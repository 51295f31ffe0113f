//! What the catalogue of metrics is made of: a metric, its kind, its unit and its labels. Which metrics there are stands in
//! `names`; how they are registered and counted, in `metrics`.

/// What a metric is, in Prometheus's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size; the upper bounds of its buckets, without `+Inf`.
    Histogram(&'static [f64]),
}

impl Kind {
    /// `counter`, `gauge` or `histogram`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// What a metric's numbers are. Units of measure stand in the name too, as Prometheus asks: `_seconds`, `_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds of time; of a `_timestamp_seconds`, since 1970.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share, 0 to 1.
    Ratio,
    /// Points of a score.
    Points,
    /// 1 or 0: so or not so. An `_info` is always 1 and tells by its labels.
    Bool,
    /// So many of what stands here, in the plural.
    Count(&'static str),
}

impl Unit {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Points => "points",
            Self::Bool => "bool",
            Self::Count(of) => of,
        }
    }
}

/// Where the values of a label come from.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Names of the program: these and no others.
    Closed(fn() -> Vec<&'static str>),
    /// Told from outside, and bounded by what is said here.
    Bounded(&'static str),
}

/// One label.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// As it stands in the series.
    pub name: &'static str,
    /// What it can hold.
    pub values: Values,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// With the prefix.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// What its numbers are.
    pub unit: Unit,
    /// What it tells, in one line.
    pub help: &'static str,
    /// In the order of the contract.
    pub labels: &'static [Label],
    /// The version that released it.
    pub since: &'static str,
}

impl Metric {
    /// The labels' names, in order.
    #[must_use]
    pub fn label_names(&self) -> Vec<&'static str> {
        self.labels.iter().map(|label| label.name).collect()
    }

    /// The upper bounds of a histogram's buckets; none for the others.
    #[must_use]
    pub fn buckets(&self) -> &'static [f64] {
        match self.kind {
            Kind::Histogram(buckets) => buckets,
            Kind::Counter | Kind::Gauge => &[],
        }
    }

    /// The names under which Prometheus finds its series: a histogram has three.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            Kind::Histogram(_) => ["_bucket", "_sum", "_count"].iter().map(|end| format!("{}{end}", self.name)).collect(),
            Kind::Counter | Kind::Gauge => vec![self.name.to_owned()],
        }
    }
}

/// A released name on its way out: it is written beside the metric that took its place, with the same numbers and labels, for one
/// release at least.
#[derive(Clone, Copy, Debug)]
pub struct Deprecated {
    /// The old name.
    pub name: &'static str,
    /// What took its place.
    pub by: &'static str,
    /// The version that deprecated it.
    pub since: &'static str,
}

//! Metrics with labels, made from the table of names and nothing else: their labels are types, so that a value outside its closed
//! set cannot be written, and the table says the same sets. What is counted, and when, is not decided here.

use std::marker::PhantomData;

use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

use crate::{
    lead::Vocabulary,
    telemetry::names::{Label, Metric, Values},
};

/// What a label can hold, as a type.
pub(super) trait LabelType {
    /// What is given for it.
    type Given<'a>: Copy;
    /// All its values, where they are a closed set.
    fn all() -> Option<Vec<&'static str>>;
    /// As it stands in the series.
    fn text(given: Self::Given<'_>) -> &str;
}

impl<V: Vocabulary> LabelType for V {
    type Given<'a> = V;

    fn all() -> Option<Vec<&'static str>> {
        Some(V::ALL.iter().map(|value| value.name()).collect())
    }

    fn text(given: Self::Given<'_>) -> &str {
        given.name()
    }
}

/// A label whose values come from the configuration, the ruleset or the broker, and are bounded by these.
#[derive(Debug)]
pub(super) struct Told;

impl LabelType for Told {
    type Given<'a> = &'a str;

    fn all() -> Option<Vec<&'static str>> {
        None
    }

    fn text(given: Self::Given<'_>) -> &str {
        given
    }
}

/// The labels of a metric, in the order of the table.
pub(super) trait LabelTypes {
    /// What is given for them.
    type Given<'a>: Copy;
    /// The values of each.
    fn all() -> Vec<Option<Vec<&'static str>>>;
    /// As they stand in the series.
    fn texts(given: Self::Given<'_>) -> impl AsRef<[&str]>;
}

impl<A: LabelType> LabelTypes for (A,) {
    type Given<'a> = (A::Given<'a>,);

    fn all() -> Vec<Option<Vec<&'static str>>> {
        vec![A::all()]
    }

    fn texts((a,): Self::Given<'_>) -> impl AsRef<[&str]> {
        [A::text(a)]
    }
}

impl<A: LabelType, B: LabelType> LabelTypes for (A, B) {
    type Given<'a> = (A::Given<'a>, B::Given<'a>);

    fn all() -> Vec<Option<Vec<&'static str>>> {
        vec![A::all(), B::all()]
    }

    fn texts((a, b): Self::Given<'_>) -> impl AsRef<[&str]> {
        [A::text(a), B::text(b)]
    }
}

impl<A: LabelType, B: LabelType, C: LabelType> LabelTypes for (A, B, C) {
    type Given<'a> = (A::Given<'a>, B::Given<'a>, C::Given<'a>);

    fn all() -> Vec<Option<Vec<&'static str>>> {
        vec![A::all(), B::all(), C::all()]
    }

    fn texts((a, b, c): Self::Given<'_>) -> impl AsRef<[&str]> {
        [A::text(a), B::text(b), C::text(c)]
    }
}

/// The series of one metric, told apart by labels of the types `L`; `V` is the client library's vector.
#[derive(Debug)]
pub(super) struct Family<L, V> {
    series: V,
    labels: PhantomData<fn() -> L>,
}

impl<L, V: Clone> Clone for Family<L, V> {
    fn clone(&self) -> Self {
        Self { series: self.series.clone(), labels: PhantomData }
    }
}

/// Counters by labels.
pub(super) type Counters<L> = Family<L, IntCounterVec>;
/// Gauges of whole numbers by labels.
pub(super) type Gauges<L> = Family<L, IntGaugeVec>;
/// Gauges by labels.
pub(super) type Numbers<L> = Family<L, GaugeVec>;

impl<L: LabelTypes, B: MetricVecBuilder> Family<L, MetricVec<B>> {
    /// The one series with these labels; it is there from now on.
    pub(super) fn of(&self, given: L::Given<'_>) -> B::M {
        self.series.with_label_values(L::texts(given).as_ref())
    }

    /// Takes the series with these labels away, if there is one.
    pub(super) fn remove(&self, given: L::Given<'_>) {
        // A series that was never set is no loss.
        let _ = self.series.remove_label_values(L::texts(given).as_ref());
    }

    /// Takes all series away.
    pub(super) fn reset(&self) {
        self.series.reset();
    }

    /// Takes every series away whose label `name` has this value.
    pub(super) fn forget(&self, name: &str, value: &str) {
        for family in self.series.collect() {
            for series in family.get_metric() {
                let labels: std::collections::HashMap<_, _> = series.get_label().iter().map(|of| (of.name(), of.value())).collect();
                if labels.get(name) == Some(&value) {
                    // It was there a moment ago; gone is what it is to be.
                    let _ = self.series.remove(&labels);
                }
            }
        }
    }
}

/// Registers metrics, remembering the first refusal.
pub(super) struct Table {
    registry: Registry,
    refused: Result<(), prometheus::Error>,
}

impl Table {
    /// Registers with `registry`.
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, refused: Ok(()) }
    }

    /// What was refused first.
    pub(super) fn refused(self) -> Result<(), prometheus::Error> {
        self.refused
    }

    fn add<C: Collector + Clone + 'static>(&mut self, metric: Result<C, prometheus::Error>) -> Result<C, prometheus::Error> {
        let metric = metric?;
        if let Err(error) = self.registry.register(Box::new(metric.clone())) {
            self.refused = Err(error);
        }
        Ok(metric)
    }

    fn family<L: LabelTypes, V: Collector + Clone + 'static>(
        &mut self,
        metric: &Metric,
        make: impl FnOnce(Opts, &[&str]) -> Result<V, prometheus::Error>,
    ) -> Result<Family<L, V>, prometheus::Error> {
        if L::all() != metric.labels.iter().map(closed_set).collect::<Vec<_>>() {
            return Err(prometheus::Error::Msg(format!("{}: its labels are not those of the table of names", metric.name)));
        }
        let series = self.add(make(Opts::new(metric.name, metric.help), &metric.label_names()))?;
        Ok(Family { series, labels: PhantomData })
    }

    pub(super) fn counters<L: LabelTypes>(&mut self, metric: &Metric) -> Result<Counters<L>, prometheus::Error> {
        self.family(metric, IntCounterVec::new)
    }

    pub(super) fn gauges<L: LabelTypes>(&mut self, metric: &Metric) -> Result<Gauges<L>, prometheus::Error> {
        self.family(metric, IntGaugeVec::new)
    }

    pub(super) fn numbers<L: LabelTypes>(&mut self, metric: &Metric) -> Result<Numbers<L>, prometheus::Error> {
        self.family(metric, GaugeVec::new)
    }

    pub(super) fn gauge(&mut self, metric: &Metric) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::with_opts(Opts::new(metric.name, metric.help)))
    }

    pub(super) fn number(&mut self, metric: &Metric) -> Result<Gauge, prometheus::Error> {
        self.add(Gauge::with_opts(Opts::new(metric.name, metric.help)))
    }

    pub(super) fn seconds(&mut self, metric: &Metric) -> Result<Counter, prometheus::Error> {
        self.add(Counter::with_opts(Opts::new(metric.name, metric.help)))
    }

    pub(super) fn histogram(&mut self, metric: &Metric) -> Result<Histogram, prometheus::Error> {
        self.add(Histogram::with_opts(HistogramOpts::new(metric.name, metric.help).buckets(metric.buckets().to_vec())))
    }

    pub(super) fn by_value<V: Vocabulary>(&mut self, metric: &Metric) -> Result<ByValue<V>, prometheus::Error> {
        let options = |of: Opts| HistogramOpts::from(of).buckets(metric.buckets().to_vec());
        let all = self.family::<(V,), HistogramVec>(metric, |of, labels| HistogramVec::new(options(of), labels))?;
        Ok(ByValue(V::ALL.iter().map(|value| (*value, all.of((*value,)))).collect()))
    }
}

fn closed_set(label: &Label) -> Option<Vec<&'static str>> {
    match label.values {
        Values::Closed(values) => Some(values()),
        Values::Bounded(_) => None,
    }
}

/// One histogram a value of a vocabulary, found without hashing a name for every lead.
#[derive(Clone, Debug)]
pub(super) struct ByValue<V>(Vec<(V, Histogram)>);

impl<V: Vocabulary> ByValue<V> {
    /// Counts one observation.
    pub(super) fn observe(&self, of: V, value: f64) {
        if let Some((_, histogram)) = self.0.iter().find(|(known, _)| *known == of) {
            histogram.observe(value);
        }
    }
}

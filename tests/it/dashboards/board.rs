//! A dashboard as its authors think of it, rows of panels with queries, and the JSON that Grafana reads. What the panels show
//! stands in `leads`, `stream` and `rules`.

use serde_json::{Map, Value, json};

/// The schema of dashboards that Grafana 12 writes; the last of its kind.
const SCHEMA: u32 = 42;

/// One dashboard.
pub(super) struct Board {
    /// Part of its address, so never changed.
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    pub(super) tells: &'static str,
    /// The time it shows at first, before now.
    pub(super) span: &'static str,
    pub(super) refresh: &'static str,
    /// Whether storefronts can be chosen.
    pub(super) by_storefront: bool,
    pub(super) rows: Vec<(&'static str, Vec<Panel>)>,
}

/// One panel. Its number is part of its address, which alerts link to: a number is never given to another panel.
pub(super) struct Panel {
    id: u32,
    kind: Kind,
    title: &'static str,
    tells: &'static str,
    size: (u32, u32),
    unit: &'static str,
    decimals: Option<u32>,
    most: Option<f64>,
    least: Option<f64>,
    queries: Vec<(String, &'static str)>,
    steps: Vec<(f64, &'static str)>,
    words: Vec<(f64, &'static str, &'static str)>,
    columns: Vec<(&'static str, &'static str, &'static str)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Stat,
    Lines,
    Stacked,
    Bars,
    /// Bars of a histogram's buckets.
    Buckets,
    Heatmap,
    Table,
}

/// A window of the shown time's own grain, for `rate`.
pub(super) const GRAIN: &str = "[$__rate_interval]";
/// All of the shown time, for `increase`.
pub(super) const SPAN: &str = "[$__range]";

/// The qualification rate: of the leads that are neither test leads nor do-not-contact notices. No value where there are none.
pub(super) fn qualification(by: &str, function: &str, window: &str) -> String {
    let sum = |of: &str| format!("sum {by}({function}({of}{window}))");
    let qualified = sum("leadstream_leads_total{our, front, verdict=\"QUALIFIED\"}");
    format!("{qualified} / ({} > 0)", sum("leadstream_qualifiable_leads_total{our, front}"))
}

/// A quantile of a histogram; no value where nothing was observed, which Prometheus calls NaN.
pub(super) fn quantile(share: &str, by: &str, histogram: &str) -> String {
    format!("histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{{our}}{GRAIN}))) > -Inf")
}

impl Panel {
    fn new(kind: Kind, id: u32, title: &'static str, tells: &'static str) -> Self {
        let size = if kind == Kind::Stat { (4, 4) } else { (12, 8) };
        let (queries, steps, words, columns) = Default::default();
        Self { id, kind, title, tells, size, unit: "short", decimals: None, most: None, least: Some(0.0), queries, steps, words, columns }
    }

    /// One figure, of now or of all the shown time.
    pub(super) fn stat(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Stat, id, title, tells)
    }

    /// Lines over time.
    pub(super) fn lines(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Lines, id, title, tells)
    }

    /// Areas over time, one on the other: the height is the sum.
    pub(super) fn stacked(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Stacked, id, title, tells)
    }

    /// Bars, of all the shown time.
    pub(super) fn bars(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Bars, id, title, tells)
    }

    /// A histogram, of all the shown time.
    pub(super) fn buckets(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Buckets, id, title, tells)
    }

    /// A histogram over time.
    pub(super) fn heatmap(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Heatmap, id, title, tells)
    }

    /// Rows of now.
    pub(super) fn table(id: u32, title: &'static str, tells: &'static str) -> Self {
        Self::new(Kind::Table, id, title, tells)
    }

    pub(super) fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    pub(super) fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(super) fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// May be less than 0.
    pub(super) fn signed(mut self) -> Self {
        self.least = None;
        self
    }

    /// A share: in percent, up to all.
    pub(super) fn share(mut self) -> Self {
        (self.unit, self.most) = ("percentunit", Some(1.0));
        self
    }

    /// In a query, `our` stands for the chosen jobs and instances, `front` for the chosen storefronts.
    pub(super) fn query(mut self, query: impl Into<String>, legend: &'static str) -> Self {
        let query =
            query.into().replace(", front}", ", storefront=~\"$storefront\"}").replace(", front,", ", storefront=~\"$storefront\",");
        self.queries.push((query.replace("{our", "{job=~\"$job\", instance=~\"$instance\""), legend));
        self
    }

    /// Green, and from these values on another colour.
    pub(super) fn from(mut self, value: f64, color: &'static str) -> Self {
        self.steps.push((value, color));
        self
    }

    /// A word for a value, in a colour.
    pub(super) fn word(mut self, value: f64, word: &'static str, color: &'static str) -> Self {
        self.words.push((value, word, color));
        self
    }

    /// A table's column by the field it has in the answer: its title and its unit.
    pub(super) fn column(mut self, field: &'static str, title: &'static str, unit: &'static str) -> Self {
        self.columns.push((field, title, unit));
        self
    }

    fn is_of_now(&self) -> bool {
        matches!(self.kind, Kind::Stat | Kind::Bars | Kind::Buckets | Kind::Table)
    }

    fn targets(&self) -> Vec<Value> {
        let format = match self.kind {
            Kind::Table => "table",
            Kind::Buckets | Kind::Heatmap => "heatmap",
            _ => "time_series",
        };
        let target = |(number, (query, legend)): (usize, &(String, &str))| {
            json!({
                "refId": char::from(b'A' + u8::try_from(number).expect("a few")).to_string(),
                "datasource": source(),
                "expr": query,
                "legendFormat": legend,
                "format": format,
                "range": !self.is_of_now(),
                "instant": self.is_of_now(),
            })
        };
        self.queries.iter().enumerate().map(target).collect()
    }

    fn field_config(&self) -> Value {
        let mut steps = vec![json!({"color": "green", "value": null})];
        steps.extend(self.steps.iter().map(|(value, color)| json!({"color": color, "value": value})));
        let mut defaults = Map::new();
        defaults.insert("unit".into(), self.unit.into());
        if let Some(least) = self.least.filter(|_| !matches!(self.kind, Kind::Heatmap | Kind::Table)) {
            defaults.insert("min".into(), least.into());
        }
        if let Some(most) = self.most {
            defaults.insert("max".into(), most.into());
        }
        if let Some(decimals) = self.decimals {
            defaults.insert("decimals".into(), decimals.into());
        }
        let by_value = !self.steps.is_empty() || self.kind == Kind::Stat;
        let color = if by_value && self.is_of_now() { json!({"mode": "thresholds"}) } else { json!({"mode": "palette-classic"}) };
        defaults.insert("color".into(), color);
        defaults.insert("thresholds".into(), json!({"mode": "absolute", "steps": steps}));
        if !self.words.is_empty() {
            let words = self
                .words
                .iter()
                .enumerate()
                .map(|(index, (value, word, color))| (value.to_string(), json!({"text": word, "color": color, "index": index})));
            defaults.insert("mappings".into(), json!([{"type": "value", "options": words.collect::<Map<_, _>>()}]));
        }
        match self.kind {
            Kind::Lines | Kind::Stacked => {
                let stacked = self.kind == Kind::Stacked;
                let custom = json!({
                    "drawStyle": "line", "lineWidth": 1, "fillOpacity": if stacked { 40 } else { 8 }, "showPoints": "auto", "pointSize": 3,
                    "spanNulls": false, "stacking": {"mode": if stacked { "normal" } else { "none" }, "group": "A"},
                    "thresholdsStyle": {"mode": if self.steps.is_empty() { "off" } else { "dashed" }},
                });
                defaults.insert("custom".into(), custom);
            }
            Kind::Heatmap => {
                defaults.insert("custom".into(), json!({"scaleDistribution": {"type": "linear"}}));
            }
            Kind::Table => {
                defaults.insert("custom".into(), json!({"align": "auto", "cellOptions": {"type": "auto"}, "filterable": false}));
            }
            Kind::Stat | Kind::Bars | Kind::Buckets => {}
        }
        let overrides = self.columns.iter().filter(|(_, _, unit)| !unit.is_empty());
        let overrides = overrides
            .map(|(_, title, unit)| json!({"matcher": {"id": "byName", "options": title}, "properties": [{"id": "unit", "value": unit}]}));
        json!({"defaults": defaults, "overrides": overrides.collect::<Vec<_>>()})
    }

    fn options(&self) -> Value {
        let last = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
        match self.kind {
            Kind::Stat => json!({
                "reduceOptions": last, "orientation": "auto", "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                "textMode": if self.queries.len() > 1 || self.queries.iter().any(|(_, legend)| legend.contains("{{")) { "value_and_name" } else { "value" },
            }),
            Kind::Lines | Kind::Stacked => json!({
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Kind::Bars | Kind::Buckets => json!({
                "reduceOptions": last, "orientation": "horizontal", "displayMode": "basic", "valueMode": "color", "showUnfilled": true,
                "namePlacement": "left", "minVizHeight": 12, "minVizWidth": 8, "sizing": "auto",
            }),
            Kind::Heatmap => json!({
                "calculate": false, "cellGap": 1, "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "reverse": false},
                "yAxis": {"axisPlacement": "left", "unit": self.unit}, "rowsFrame": {"layout": "auto"}, "showValue": "never",
                "filterValues": {"le": 1e-9}, "legend": {"show": true}, "tooltip": {"mode": "single", "yHistogram": true},
            }),
            Kind::Table => json!({"showHeader": true, "cellHeight": "sm", "footer": {"show": false}}),
        }
    }

    /// For a table: one row for each thing, only the columns that are named.
    fn transformations(&self) -> Vec<Value> {
        if self.kind != Kind::Table {
            return Vec::new();
        }
        let fields: Vec<_> = self.columns.iter().map(|(field, ..)| field).collect();
        let order: Map<_, _> = fields.iter().enumerate().map(|(at, field)| ((**field).to_owned(), at.into())).collect();
        let names: Map<_, _> = self.columns.iter().map(|(field, title, _)| ((*field).to_owned(), (*title).into())).collect();
        vec![
            json!({"id": "merge", "options": {}}),
            json!({"id": "filterFieldsByName", "options": {"include": {"names": fields}}}),
            json!({"id": "organize", "options": {"indexByName": order, "renameByName": names}}),
        ]
    }

    fn json(&self, x: u32, y: u32) -> Value {
        let kind = match self.kind {
            Kind::Stat => "stat",
            Kind::Lines | Kind::Stacked => "timeseries",
            Kind::Bars | Kind::Buckets => "bargauge",
            Kind::Heatmap => "heatmap",
            Kind::Table => "table",
        };
        json!({
            "type": kind, "id": self.id, "title": self.title, "description": self.tells, "datasource": source(),
            "gridPos": {"h": self.size.1, "w": self.size.0, "x": x, "y": y},
            "targets": self.targets(), "fieldConfig": self.field_config(), "options": self.options(),
            "transformations": self.transformations(),
        })
    }
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// A variable whose values are those that a label has now.
fn variable(name: &str, label: &str, of: &str) -> Value {
    let query = format!("label_values({of}, {name})");
    json!({
        "type": "query", "name": name, "label": label, "datasource": source(), "query": {"query": query, "refId": name}, "definition": query,
        "refresh": 2, "sort": 1, "includeAll": true, "multi": true, "allValue": ".+", "current": {"text": ["All"], "value": ["$__all"]},
    })
}

impl Board {
    /// As Grafana reads it.
    pub(super) fn json(&self) -> Value {
        let mut variables = vec![
            json!({
                "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
                "current": {"text": "Prometheus", "value": "prometheus"},
            }),
            variable("job", "Job", "leadstream_build_info"),
            variable("instance", "Instance", "leadstream_build_info{job=~\"$job\"}"),
        ];
        if self.by_storefront {
            variables.push(variable("storefront", "Storefront", "leadstream_leads_total{job=~\"$job\", instance=~\"$instance\"}"));
        }
        let starts = "process_start_time_seconds{job=~\"$job\", instance=~\"$instance\"} * 1000";
        json!({
            "uid": self.uid, "title": self.title, "description": self.tells, "tags": ["leadstream"], "timezone": "browser",
            "schemaVersion": SCHEMA, "version": 1, "editable": false, "graphTooltip": 1, "refresh": self.refresh,
            "time": {"from": self.span, "to": "now"},
            "links": [{
                "type": "dashboards", "title": "leadstream", "tags": ["leadstream"], "asDropdown": false, "keepTime": true, "includeVars": true,
                "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
            }],
            "annotations": {"list": [{
                "name": "Starts", "datasource": source(), "enable": true, "hide": false, "iconColor": "blue", "titleFormat": "{{instance}} starts",
                "target": {"refId": "Starts", "expr": starts, "interval": "1m"}, "useValueForTime": "on",
            }]},
            "templating": {"list": variables},
            "panels": self.panels(),
        })
    }

    /// From left to right, and on in the next line where one is full; lines are as high as their first panel.
    fn panels(&self) -> Vec<Value> {
        let mut placed = Vec::new();
        let mut y = 0;
        for (number, (title, panels)) in self.rows.iter().enumerate() {
            let id = 1000 + u32::try_from(number).expect("a few");
            let at = json!({"h": 1, "w": 24, "x": 0, "y": y});
            placed.push(json!({"type": "row", "id": id, "title": title, "collapsed": false, "gridPos": at, "panels": []}));
            y += 1;
            let mut rest = panels.as_slice();
            while let Some(first) = rest.first() {
                let mut x = 0;
                while let Some(panel) = rest.first().filter(|panel| x + panel.size.0 <= 24) {
                    assert_eq!(panel.size.1, first.size.1, "{} is not as high as its line", panel.title);
                    placed.push(panel.json(x, y));
                    x += panel.size.0;
                    rest = &rest[1..];
                }
                assert_eq!(x, 24, "the line of {} is not full", first.title);
                y += first.size.1;
            }
        }
        placed
    }
}

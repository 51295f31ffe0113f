//! A backtest as a page to look at: one file that asks nobody for anything. The page itself is `page.html`; here the numbers are
//! put into it.

use std::collections::BTreeMap;

use super::{percent, report::Report};

const PAGE: &str = include_str!("page.html");
/// Where the numbers stand in the page.
const PLACE: &str = "{\"the numbers\": \"stand here\"}";

/// Where those stand that need no script.
const SUMMARY: &str = "<!-- the numbers alone -->";

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let json = serde_json::to_string(report).unwrap_or_default();
    // A text in it must not end the element it stands in, whatever it says.
    let safe = json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    PAGE.replacen(PLACE, &safe, 1).replacen(SUMMARY, &summary(report), 1)
}

/// The numbers that the terminal is told first, for whoever lets no script run.
fn summary(report: &Report) -> String {
    let rate = |counts: &BTreeMap<&'static str, u64>| percent(counts.get("QUALIFIED").copied().unwrap_or_default(), report.leads);
    let mut rows = vec![
        ("Leads compared".to_owned(), report.leads.to_string()),
        ("Records".to_owned(), report.records.to_string()),
        ("of them no leads".to_owned(), report.rejected.to_string()),
        ("Would change".to_owned(), format!("{} ({:.2} %)", report.changed, percent(report.changed, report.leads))),
        ("Qualified".to_owned(), format!("{:.2} % to {:.2} %", rate(&report.before), rate(&report.after))),
        ("Mean score".to_owned(), format!("{:.1} to {:.1}", report.scores.before.mean, report.scores.after.mean)),
        ("Leads that score otherwise".to_owned(), report.rescored.to_string()),
    ];
    rows.extend(
        report.gone.iter().map(|(partition, first)| (format!("Records may be gone from {partition}"), format!("before offset {first}"))),
    );
    rows.extend(report.causes.iter().map(|cause| (format!("because of {} ({})", cause.rule, cause.how), cause.leads.to_string())));
    let counts = [&report.verdicts, &report.routes].into_iter().flatten();
    rows.extend(counts.map(|(change, leads)| (change.clone(), leads.to_string())));
    let lines: Vec<_> =
        rows.iter().map(|(what, value)| format!("<tr><td>{}</td><td>{}</td></tr>\n", as_text(what), as_text(value))).collect();
    lines.concat()
}

/// Names come out of rulesets: in the page they are texts, whatever they say.
fn as_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

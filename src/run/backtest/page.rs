//! A backtest as a page to look at: one file that asks nobody for anything. The page itself is `page.html`; here the numbers are
//! put into it.

use super::report::Report;

const PAGE: &str = include_str!("page.html");
/// Where the numbers stand in the page.
const PLACE: &str = "{\"the numbers\": \"stand here\"}";

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let json = serde_json::to_string(report).unwrap_or_default();
    // A text in it must not end the element it stands in, whatever it says.
    let safe = json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    PAGE.replacen(PLACE, &safe, 1)
}

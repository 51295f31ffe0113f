//! What came of rule tests, written: for people like a diff, as JSON, as XML that CI systems read.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::Value;

use super::{Suite, Tested};
use crate::{
    problem::Problem,
    rules::{Gap, Tried},
};

/// What was decided, in a few words.
pub(super) fn in_short(decided: &Value) -> String {
    if let Some(rejection) = decided.get("rejection").filter(|rejection| !rejection.is_null()) {
        let part = |key: &str| rejection.get(key).and_then(Value::as_str).unwrap_or_default();
        return format!("REJECTED {} ({})", part("code"), part("detail"));
    }
    let leads = decided.get("leads").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let each = leads.iter().map(|lead| {
        let part = |key: &str| lead.get(key).and_then(Value::as_str).unwrap_or_default();
        let listed = |list: Option<&Value>, key: Option<&str>| {
            let items = list.and_then(Value::as_array).into_iter().flatten();
            let texts = items.filter_map(|item| key.map_or(Some(item), |key| item.get(key)).and_then(Value::as_str));
            texts.collect::<Vec<_>>().join(", ")
        };
        let score = lead.pointer("/score/total").unwrap_or(&Value::Null);
        let mut words = vec![format!("{} {} score {score}", part("storefront"), part("verdict"))];
        for (what, list) in [("because", listed(lead.get("reasons"), None)), ("to", listed(lead.get("routes"), Some("destination")))] {
            if !list.is_empty() {
                words.push(format!("{what} {list}"));
            }
        }
        words.join(" ")
    });
    each.collect::<Vec<_>>().join("; ")
}

fn counts(suites: &[Suite]) -> (usize, usize) {
    let all = || suites.iter().flat_map(|suite| &suite.files).flat_map(|(_, tested)| tested);
    let failed = all().filter(|tested| !tested.failures.is_empty()).count();
    (all().count() - failed, failed)
}

/// Failures like a diff: `-` what is expected, `+` what is there.
pub(super) fn text(suites: &[Suite], coverage: bool, out: &mut dyn Write) -> io::Result<()> {
    for (file, tested) in suites.iter().flat_map(|suite| &suite.files) {
        let passed = tested.iter().filter(|tested| tested.failures.is_empty()).count();
        writeln!(out, "{file}: {passed} of {} passed", tested.len())?;
        for failed in tested.iter().filter(|tested| !tested.failures.is_empty()) {
            writeln!(out, "\n  FAILED {}  ({file}:{})", failed.name, failed.place.line)?;
            for failure in &failed.failures {
                writeln!(out, "    - {} = {}", failure.path, failure.want)?;
                writeln!(out, "    + {} = {}", failure.path, failure.got)?;
            }
            if !failed.decided.is_empty() {
                writeln!(out, "      decided: {}", failed.decided)?;
            }
            if let Some(limit) = &failed.limit {
                writeln!(out, "      {limit}")?;
            }
        }
    }
    if coverage {
        for suite in suites {
            let Tried { entries, of_entries, branches, of_branches } = suite.coverage.tried();
            let gaps = suite.coverage.gaps();
            writeln!(
                out,
                "\n{}: {entries} of {of_entries} entries decided something, {branches} of {of_branches} branches were taken",
                suite.ruleset
            )?;
            for Gap { entry, missing, place } in gaps {
                writeln!(out, "  {}:{}  {entry}: {missing}", suite.ruleset, place.line)?;
            }
        }
    }
    let (passed, failed) = counts(suites);
    writeln!(out, "\n{passed} passed, {failed} failed")
}

#[derive(Serialize)]
struct Report<'a> {
    passed: usize,
    failed: usize,
    tests: Vec<TestReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Vec<CoverageReport<'a>>>,
}

#[derive(Serialize)]
struct TestReport<'a> {
    ruleset: &'a str,
    file: &'a str,
    line: usize,
    name: &'a str,
    passed: bool,
    decided: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    failures: Vec<FailureReport<'a>>,
}

#[derive(Serialize)]
struct FailureReport<'a> {
    path: &'a str,
    want: &'a str,
    got: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct CoverageReport<'a> {
    ruleset: &'a str,
    entries: [usize; 2],
    branches: [usize; 2],
    gaps: Vec<GapReport>,
}

#[derive(Serialize)]
struct GapReport {
    entry: String,
    missing: String,
    line: usize,
}

pub(super) fn json(suites: &[Suite], coverage: bool, out: &mut dyn Write) -> io::Result<()> {
    let tests = suites.iter().flat_map(|suite| {
        suite.files.iter().flat_map(move |(file, tested)| {
            tested.iter().map(move |tested| TestReport {
                ruleset: &suite.ruleset,
                file,
                line: tested.place.line,
                name: &tested.name,
                passed: tested.failures.is_empty(),
                decided: &tested.decided,
                limit: tested.limit.as_deref(),
                failures: tested
                    .failures
                    .iter()
                    .map(|failure| FailureReport { path: &failure.path, want: &failure.want, got: &failure.got, line: failure.place.line })
                    .collect(),
            })
        })
    });
    let covered = |suite| {
        let Suite { ruleset, coverage, .. }: &Suite = suite;
        let Tried { entries, of_entries, branches, of_branches } = coverage.tried();
        let gaps = coverage.gaps().into_iter().map(|gap| GapReport { entry: gap.entry, missing: gap.missing, line: gap.place.line });
        CoverageReport { ruleset, entries: [entries, of_entries], branches: [branches, of_branches], gaps: gaps.collect() }
    };
    let (passed, failed) = counts(suites);
    let report = Report { passed, failed, tests: tests.collect(), coverage: coverage.then(|| suites.iter().map(covered).collect()) };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}

/// As CI systems read it: one suite a file, and one of what kept tests from being run.
pub(super) fn junit(suites: &[Suite], problems: &[Problem]) -> String {
    let (passed, failed) = counts(suites);
    let (all, errors) = (passed + failed + problems.len(), problems.len());
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text cannot fail.
    let _ = writeln!(xml, "<testsuites name=\"leadstream test\" tests=\"{all}\" failures=\"{failed}\" errors=\"{errors}\">");
    if errors > 0 {
        let _ = writeln!(xml, "  <testsuite name=\"problems\" tests=\"{errors}\" failures=\"0\" errors=\"{errors}\">");
        for problem in problems {
            error(problem, &mut xml);
        }
        xml.push_str("  </testsuite>\n");
    }
    for (file, tested) in suites.iter().flat_map(|suite| &suite.files) {
        let failed = tested.iter().filter(|tested| !tested.failures.is_empty()).count();
        let _ = writeln!(xml, "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">", escaped(file), tested.len());
        for tested in tested {
            case(file, tested, &mut xml);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn error(problem: &Problem, xml: &mut String) {
    let (file, message) = (escaped(problem.file.as_deref().unwrap_or_default()), escaped(&problem.message));
    let opened = format!("    <testcase name=\"{}\" classname=\"{file}\" file=\"{file}\" line=\"{}\">", problem.code, problem.line);
    let _ = writeln!(xml, "{opened}\n      <error message=\"{message}\">{}</error>\n    </testcase>", escaped(&problem.to_string()));
}

fn case(file: &str, tested: &Tested, xml: &mut String) {
    let (name, file) = (escaped(&tested.name), escaped(file));
    let opened = format!("    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\"", tested.place.line);
    if tested.failures.is_empty() {
        let _ = writeln!(xml, "{opened}/>");
        return;
    }
    let each = tested.failures.iter().map(|failure| format!("{} should be {}, and is {}", failure.path, failure.want, failure.got));
    let told = each.chain(tested.limit.clone()).collect::<Vec<_>>().join("\n");
    let first = told.lines().next().unwrap_or_default();
    let _ = writeln!(
        xml,
        "{opened}>\n      <failure message=\"{}\">{}\ndecided: {}</failure>\n    </testcase>",
        escaped(first),
        escaped(&told),
        escaped(&tested.decided)
    );
}

/// As XML has it; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => escaped.push(letter),
            _ => {}
        }
    }
    escaped
}

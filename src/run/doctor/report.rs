//! Findings for people, the worst first and those of one kind together, and as one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use super::finding::{Code, Finding, Severity};

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<Told<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Told<'a> {
    severity: Severity,
    code: &'static str,
    subject: &'a str,
    message: &'a str,
    why: &'static str,
    fix: &'a str,
}

impl<'a> Told<'a> {
    fn of(finding: &'a Finding) -> Self {
        let Finding { severity, code, subject, message, fix } = finding;
        Self { severity: *severity, code: code.name(), subject, message, why: code.why(), fix }
    }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// One object.
pub(super) fn json(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let report = Report {
        findings: findings.iter().map(Told::of).collect(),
        errors: count(findings, Severity::Error),
        warnings: count(findings, Severity::Warning),
    };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}

/// A paragraph for each kind.
pub(super) fn text(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for kind in findings.chunk_by(|one, next| (one.severity, one.code) == (next.severity, next.code)) {
        let Some(first) = kind.first() else { continue };
        writeln!(out, "{}: {}", first.severity.name(), first.code.name())?;
        let one_fix = kind.iter().all(|finding| finding.fix == first.fix);
        for finding in kind {
            writeln!(out, "  {}: {}", finding.subject, finding.message)?;
            if !one_fix && !finding.fix.is_empty() {
                writeln!(out, "    fix: {}", finding.fix)?;
            }
        }
        if first.severity != Severity::Ok {
            writeln!(out, "  why: {}", first.code.why())?;
        }
        if one_fix && !first.fix.is_empty() {
            writeln!(out, "  fix: {}", first.fix)?;
        }
    }
    let (errors, warnings) = (count(findings, Severity::Error), count(findings, Severity::Warning));
    let end = if errors > 0 {
        "exactly-once cannot hold here"
    } else if findings.iter().any(|finding| finding.code == Code::AtLeastOnce) {
        "exactly-once is not asked for"
    } else {
        "nothing stands in the way of exactly-once"
    };
    let told = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    writeln!(out, "{}, {}: {end}", told(errors, "error"), told(warnings, "warning"))
}

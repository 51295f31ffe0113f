//! How the report of an audit is told: a few lines, or one JSON object.

use std::io::Write;

use serde::Serialize;

use crate::{ledger::audit::Report, run::Failure};

/// So many findings of each kind are shown in the text.
const SHOWN: usize = 20;

/// Writes the report.
pub(super) fn tell(report: &Report, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let written = if json { as_json(report, out) } else { as_text(report, out) };
    written.map_err(|error| Failure::unavailable(format!("writing to standard output: {error}")))
}

fn as_json(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    #[derive(Serialize)]
    struct Counted<'r> {
        #[serde(flatten)]
        report: &'r Report,
        /// Of each kind, named or not.
        counts: std::collections::BTreeMap<&'static str, u64>,
    }
    serde_json::to_writer_pretty(&mut *out, &Counted { report, counts: report.counts() })?;
    writeln!(out)
}

fn as_text(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let Report { records, leads, accounted, entries, replayed, restored, notes, .. } = report;
    writeln!(out, "records     {records}, with {leads} leads")?;
    writeln!(out, "accounted   {accounted}")?;
    writeln!(out, "ledger      {entries} entries")?;
    if *replayed > 0 {
        writeln!(out, "replayed    {replayed} events of replays and retries; lost ones restored by replay: {restored}")?;
    }
    for note in notes {
        writeln!(out, "note        {note}")?;
    }
    for (kind, found) in report.findings().into_iter().filter(|(_, found)| found.count() > 0) {
        writeln!(out, "{kind:<11} {}", found.count())?;
        for name in found.named().iter().take(SHOWN) {
            writeln!(out, "              {name}")?;
        }
        let left = found.count().saturating_sub(SHOWN as u64);
        if left > 0 {
            writeln!(out, "              and {left} more")?;
        }
    }
    let verdict = if report.is_clean() { "every record has its outcome, once and in order" } else { "not everything agrees" };
    writeln!(out, "{verdict}")
}

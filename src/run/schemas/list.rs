//! `schemas list`: every released schema, with what tells it apart on the wire and in a registry. No registry is asked.

use std::io::{self, Write};

use serde::Serialize;

use super::{Subscription, hex, subject};
use crate::schemas::released;

#[derive(Serialize)]
struct Report {
    schemas: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    record: &'static str,
    version: u32,
    fingerprint: String,
    subjects: Vec<String>,
}

/// Writes the list: a line each, or one JSON object.
///
/// # Errors
/// `out` cannot be written to.
pub fn list(subscription: &Subscription, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let rows = released().iter().map(|schema| Row {
        record: schema.kind.name(),
        version: schema.version,
        fingerprint: hex(schema.fingerprint),
        subjects: subscription.topics(schema.kind).into_iter().map(subject).collect(),
    });
    let report = Report { schemas: rows.collect() };
    if json {
        serde_json::to_writer(&mut *out, &report)?;
        return writeln!(out);
    }
    for Row { record, version, fingerprint, subjects } in report.schemas {
        writeln!(out, "{record:<16} v{version:<3} {fingerprint}  {}", subjects.join(", "))?;
    }
    Ok(())
}

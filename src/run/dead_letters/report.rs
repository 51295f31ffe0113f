//! What `dlq retry` and `dlq park` tell of what they did, or would do, for people and as JSON.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::run::Failure;

/// What became of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    /// Dead letters whose record is decided.
    pub(super) decided: u64,
    /// Their leads, by verdict.
    pub(super) leads: BTreeMap<&'static str, u64>,
    /// Dead letters whose record is rejected again, by its code now.
    pub(super) rejected: BTreeMap<String, u64>,
    /// Dead letters that are parked, by code.
    pub(super) parked: BTreeMap<String, u64>,
    /// Dead letters that stay as they are, by why.
    pub(super) left: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn merge(&mut self, other: Self) {
        self.decided += other.decided;
        merge(&mut self.leads, other.leads);
        merge(&mut self.rejected, other.rejected);
        merge(&mut self.parked, other.parked);
        merge(&mut self.left, other.left);
    }

    pub(super) fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
        *counts.entry(key).or_default() += 1;
    }
}

fn merge<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, count) in others {
        *counts.entry(key).or_default() += count;
    }
}

#[derive(Serialize)]
struct Told<'t> {
    committed: bool,
    #[serde(flatten)]
    tally: &'t Tally,
}

/// Tells it; where nothing was committed, what would have been done.
pub(super) fn tell(tally: &Tally, committed: bool, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    written(if json { as_json(tally, committed, out) } else { text(tally, committed, out) })
}

fn as_json(tally: &Tally, committed: bool, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Told { committed, tally })?;
    writeln!(out)
}

fn text(tally: &Tally, committed: bool, out: &mut dyn Write) -> io::Result<()> {
    fn lines<K: std::fmt::Display>(counts: &BTreeMap<K, u64>, what: &str, out: &mut dyn Write) -> io::Result<()> {
        counts.iter().try_for_each(|(key, count)| writeln!(out, "{count:>8}  {what} {key}"))
    }
    if *tally == Tally::default() {
        return writeln!(out, "no open dead letter is selected");
    }
    if tally.decided > 0 {
        let leads: Vec<_> = tally.leads.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        writeln!(out, "{:>8}  decided (leads: {})", tally.decided, if leads.is_empty() { "none".to_owned() } else { leads.join(", ") })?;
    }
    lines(&tally.rejected, "rejected again:", out)?;
    lines(&tally.parked, "parked:", out)?;
    lines(&tally.left, "left as they are:", out)?;
    if committed { Ok(()) } else { writeln!(out, "nothing is written; --commit does it") }
}

/// Whoever closes the pipe has read enough.
pub(super) fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::unavailable(format!("writing the output: {error}"))),
        _ => Ok(()),
    }
}

//! `dlq park`: dead letters that nobody is to retry leave for `<dead-letter>.parked`, as they are.

use std::io::Write;

use super::{
    Selection, Undecidable,
    report::Tally,
    settling::{Ground, Written, settle},
};
use crate::{
    config::Config,
    dead_letters::{Dialect, Letter},
    lead::Record,
    pipeline::{OutputBuffer, OutputTopic},
    run::Failure,
};

/// Parks what is selected; without `commit`, tells what it would.
///
/// # Errors
/// 64 when the record of what is settled cannot be trusted, 75 when the broker does not answer or another one takes over.
pub fn park(config: &Config, selection: &Selection, commit: bool, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    selection.check(config)?;
    let ground = commit.then(|| Ground::survey(config, true)).transpose()?;
    let mut treat = |record: &Record<'_>, letter: &Letter, written: &mut Written, tally: &mut Tally| {
        // What only happens to be in the topic is nobody's to move.
        if letter.dialect == Dialect::Unknown {
            Tally::count(&mut tally.left, Undecidable::Foreign.name());
            return Ok(false);
        }
        copy(record, &mut written.parked);
        Tally::count(&mut tally.parked, letter.code.clone());
        Ok(true)
    };
    settle(config, selection, ground.as_ref(), json, &mut treat, out)
}

fn copy(record: &Record<'_>, out: &mut OutputBuffer) {
    let put = |content: Option<&[u8]>, bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(content.unwrap_or_default());
        content.is_some()
    };
    out.push(
        OutputTopic::DeadLetter,
        |bytes| put(record.key, bytes),
        |bytes| put(record.value, bytes),
        |headers| record.headers.iter().for_each(|(name, value)| headers.push(name, value)),
    );
}

//! The leads of a backtest, a piece after the other, out of a range of Kafka. Reads; decides nothing. Files are read by `inputs`.

use std::collections::BTreeMap;

use crate::{
    config::Config,
    io::Bound,
    run::{Failure, inputs::Piece},
};

/// Partitions whose records from the beginning of the range may have been deleted before they were read, and the first offset that is
/// there.
pub(super) type Gone = BTreeMap<String, i64>;

/// Hands on all records of a range of the input topics; tells where it may not be whole.
///
/// # Errors
/// 75 when the broker does not answer, a topic is not there, or records are gone before they are read.
#[cfg(feature = "kafka")]
pub(super) fn range(config: &Config, from: Bound, to: Bound, take: &mut dyn FnMut(Piece) -> bool) -> Result<Gone, Failure> {
    use crate::{
        io::Batch,
        kafka::{read_range, spans},
    };
    /// Bytes of a piece, about.
    const PIECE: usize = 1 << 20;
    let failed = |error: crate::kafka::Unavailable| Failure::unavailable(error.to_string());
    let spans = spans(&config.kafka, &config.topics.raw, from, to).map_err(failed)?;
    let topic_of = |batch: &Batch| {
        let name = batch.get(0).map(|record| record.at.partition.topic);
        config.topics.raw.iter().position(|topic| name.as_deref() == Some(topic)).unwrap_or_default()
    };
    read_range(&config.kafka, &spans, PIECE, &mut |batch| take(Piece { input: topic_of(&batch), batch, ..Piece::default() }))
        .map_err(failed)?;
    let gone = spans.iter().filter(|span| span.may_lack_its_start(from));
    Ok(gone.map(|span| (span.partition.to_string(), span.held.start)).collect())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn range(_: &Config, _: Bound, _: Bound, _: &mut dyn FnMut(Piece) -> bool) -> Result<Gone, Failure> {
    Err(Failure::usage("--from and --to need Kafka, and this leadstream was built without it"))
}
